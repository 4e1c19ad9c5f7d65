"""Loopback addresses that represent AWS's: one block per twin, one part of it per Region.

A name that moves to another Region resolves to another address with the same port, so that DNS
really moves clients.
"""

import itertools
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

FIRST, LAST = 64, 250
QUIET_FROM, QUIET_TO = 20_000, 32_000
"""Below the machine's ephemeral ports, so that no outgoing connection takes one meanwhile."""
API, GATEWAY, FIRST_TAKEN = 2, 3, 10
DOORS_FROM, DOORS_TO, HOSTS = 200, 250, 254


@dataclass(slots=True)
class Addresses:
    """The addresses of one twin: 127.<block>.<Region>.<host>."""

    regions: Sequence[str]
    block: int = field(default_factory=lambda: FIRST + secrets.randbelow(LAST - FIRST))
    _doors: "itertools.count[int]" = field(default_factory=itertools.count)
    _hosts: "itertools.count[int]" = field(default_factory=lambda: itertools.count(FIRST_TAKEN))

    def of(self, region: str, host: int) -> str:
        """Return an address in a Region; an empty name means outside all Regions."""
        number = self.regions.index(region) + 1 if region else 0
        return f"127.{self.block}.{number}.{host}"

    def api(self, region: str = "") -> str:
        """Return the API's address as seen from a Region, or from outside."""
        return self.of(region, API)

    def gateway(self) -> str:
        """Return the address of the proxy for guests' connections."""
        return self.of("", GATEWAY)

    def door(self) -> str:
        """Return an address for a guest's next door; they are used in turn."""
        part, host = divmod(next(self._doors), HOSTS)
        return f"127.{self.block}.{DOORS_FROM + part % (DOORS_TO - DOORS_FROM)}.{host + 1}"

    def take(self, region: str) -> str:
        """Return an address that was never used before."""
        return self.of(region, next(self._hosts))


def free_port(addresses: Sequence[str], *, kind: int = socket.SOCK_STREAM) -> int:
    """Return a port that is free on every address.

    Raises:
        OSError: If none is found after many attempts.
    """
    for _ in range(50):
        held: list[socket.socket] = []
        try:
            first = socket.socket(socket.AF_INET, kind)
            held.append(first)
            port = QUIET_FROM + secrets.randbelow(QUIET_TO - QUIET_FROM)
            first.bind((addresses[0], port))
            for address in addresses[1:]:
                held.append(socket.socket(socket.AF_INET, kind))
                held[-1].bind((address, port))
        except OSError:
            continue
        finally:
            for item in held:
                item.close()
        return port
    msg = f"no port is free on all of {', '.join(addresses)}"
    raise OSError(msg)
