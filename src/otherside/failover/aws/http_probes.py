"""Questions to the application and to DNS, asked as a user would ask them."""

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
"""Names of two owners, neither of them ours or AWS's: can we see anything at all?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A path of the application, asked at one host under the public name."""

    url: str
    """Scheme and host to connect to: the public name, or one side's own."""
    path: str
    name: str
    """The public name; certificates are for it, whichever host is asked."""


def ask(question: Question) -> Reading:
    """Return GOOD for an answer of 200 and BAD for any other or none."""
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
    """Return which side DNS prefers, by the record that says so; `None` if it cannot be read."""
    address = resolve(state_name)
    for side, known in TRAFFIC_STATES.items():
        if address == known:
            return side
    return None


def sees_outside() -> Reading:
    """Return whether names outside resolve."""
    return Reading.GOOD if any(resolve(name) for name in OUTSIDE) else Reading.BAD


def resolve(name: str) -> str | None:
    """Return one IPv4 address of a name, or `None`."""
    try:
        found = socket.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except OSError:
        return None
    return str(found[0][4][0]) if found else None
