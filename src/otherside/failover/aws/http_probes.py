"""Probes of the application and of DNS, made as a user would make them."""

import socket
from dataclasses import dataclass
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError

from otherside.core.topology import Side
from otherside.core.wire_contract import TRAFFIC_STATES
from otherside.failover.decision.observation import Reading

TIMEOUT = urllib3.Timeout(connect=1.0, read=2.0)
OUTSIDE = ("one.one.one.one", "dns.google")
"""Names of two independent owners, neither us nor AWS: can we see anything at all?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request for one path of the application, sent to one host under the public name."""

    url: str
    """Scheme and host to connect to: the public name, or one side's own name."""
    path: str
    name: str
    """The public name; certificates are checked for it, whichever host is asked."""


def ask(question: Question) -> Reading:
    """Return GOOD for a 200 response, and BAD for any other or for none."""
    scheme = question.url.partition("://")[0]
    secure = {"server_hostname": question.name, "assert_hostname": question.name}
    pool = urllib3.connection_from_url(
        question.url,
        timeout=TIMEOUT,
        retries=False,
        headers={"Host": question.name, "Connection": "close"},
        **(secure if scheme == "https" else {}),
    )
    try:
        answer = pool.request("GET", question.path, redirect=False)
    except (HTTPError, OSError):
        return Reading.BAD
    finally:
        pool.close()
    return Reading.GOOD if answer.status == HTTPStatus.OK else Reading.BAD


def users_on(state_name: str) -> Side | None:
    """Return the side that DNS prefers, from the traffic-state record; `None` if unreadable."""
    address = resolve(state_name)
    for side, known in TRAFFIC_STATES.items():
        if address == known:
            return side
    return None


def sees_outside() -> Reading:
    """Return whether outside names resolve."""
    return Reading.GOOD if any(resolve(name) for name in OUTSIDE) else Reading.BAD


def resolve(name: str) -> str | None:
    """Return one IPv4 address of a name, or `None` if it does not resolve."""
    try:
        found = socket.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except OSError:
        return None
    return str(found[0][4][0]) if found else None
