"""Which running twin a command speaks to, and how it comes by that twin's clock and keys."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from otherside.extras import TWIN, hint, missing
from otherside.failover.clock import Clock

if TYPE_CHECKING:
    from otherside.twin.host.registry import RunningTwin

C = TypeVar("C", bound=Callable[..., object])
ENDPOINT = "AWS_ENDPOINT_URL"


def twin_option(command: C) -> C:
    """Give a command `--twin NAME`."""
    return click.option(
        "--twin", "name", metavar="NAME", help="The twin's name. Default: the only one running."
    )(command)


def need_twin_extra() -> None:
    """Refuse to go on without the extra.

    Raises:
        click.UsageError: If it is not installed; the message names what is missing.
    """
    if absent := missing(TWIN):
        msg = f"a twin needs {absent}: {hint('twin')}"
        raise click.UsageError(msg)


def chosen(name: str | None) -> "RunningTwin":
    """Return the running twin of that name, or the only one.

    Raises:
        click.ClickException: If there is none, or several and no name.
    """
    from otherside.twin.host.registry import NoSuchTwinError, choose  # noqa: PLC0415 - when asked

    try:
        return choose(name)
    except NoSuchTwinError as error:
        raise click.ClickException(str(error)) from None


def told(entry: "RunningTwin", what: str, **how: object) -> object:
    """Have a twin carry out a control operation; return its result.

    Raises:
        click.ClickException: If it does not answer, or cannot.
    """
    from otherside.twin.host.registry import ask  # noqa: PLC0415 - when asked

    try:
        return ask(entry, what, **how)
    except OSError as error:
        msg = f"the twin {entry.name} did not do it: {error}"
        raise click.ClickException(msg) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinConnection:
    """A running twin as a stand-in for AWS."""

    name: str
    clock: Clock
    project: Path
    dns: str
    """Address and port of its resolver."""

    def resolve(self, name: str) -> list[str]:
        """Return the IPv4 addresses of a name, by the twin's resolver.

        Raises:
            OSError: If it does not resolve.
        """
        import dns.exception  # noqa: PLC0415 - an extra
        import dns.message  # noqa: PLC0415 - the same
        import dns.query  # noqa: PLC0415 - the same

        host, _, port = self.dns.rpartition(":")
        try:
            answer = dns.query.udp(
                dns.message.make_query(name, "A"), host, port=int(port), timeout=2.0
            )
        except dns.exception.DNSException as error:
            raise OSError(str(error)) from error
        found = sorted({str(item) for rrset in answer.answer for item in rrset})
        if not found:
            msg = f"{name} does not resolve"
            raise OSError(msg)
        return found


def connect(name: str | None, *, asked: bool) -> TwinConnection | None:
    """Point this process at a twin, if one is meant; return `None` if AWS is.

    One is meant if it was asked for, or if `AWS_ENDPOINT_URL` leads to one. Its clock is the twin's
    own, so ages are right at any speed.

    Raises:
        click.ClickException: If it was asked for, and none is running or it does not answer.
    """
    entry = chosen(name) if asked else _behind(os.environ.get(ENDPOINT))
    if entry is None:
        return None
    from otherside.twin.guest.scaled_clock import ScaledClock  # noqa: PLC0415 - when asked

    known = told(entry, "describe")
    assert isinstance(known, dict), known
    try:
        clock = ScaledClock.from_text(str(known["clock"]))
    except OSError:
        msg = f"the twin {entry.name} has just ended"
        raise click.ClickException(msg) from None
    os.environ[ENDPOINT] = str(known["endpoint"])
    if asked:
        os.environ["AWS_ACCESS_KEY_ID"] = str(known["access_key_id"])
        os.environ["AWS_SECRET_ACCESS_KEY"] = str(known["secret_access_key"])
        os.environ.pop("AWS_SESSION_TOKEN", None)
        os.environ.pop("AWS_PROFILE", None)
        os.environ["AWS_DEFAULT_REGION"] = str(known["regions"][0])
    return TwinConnection(
        name=entry.name,
        clock=clock,
        project=Path(entry.project),
        dns=str(known["dns"]),
    )


def _behind(endpoint: str | None) -> "RunningTwin | None":
    """Return the running twin that an endpoint belongs to."""
    if not endpoint:
        return None
    from otherside.twin.host.registry import ask, entries  # noqa: PLC0415 - when asked

    for entry in entries():
        try:
            known = ask(entry, "describe")
        except OSError:
            continue  # it is starting or ending, and so nobody's endpoint
        if known["endpoint"].rstrip("/") == endpoint.rstrip("/"):
            return entry
    return None
