"""Replacement for `python3-psycopg2` on guests, based on the driver's successor, psycopg.

libpq resolves names and connects by itself, in C. So the gateway opens a port ("door") for each
connection, which leads where the guest's own network would.
"""

import socket

import psycopg
from psycopg import *  # noqa: F403 - as above
from psycopg import (  # noqa: F401 - names of the module that it replaces
    DatabaseError,
    Error,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)


def connect(**settings):
    """Connect as psycopg2 would, through the twin's network."""
    host, port = settings["host"], int(settings.get("port", 5432))
    try:
        found = socket.getaddrinfo(host, port)[0][4]
    except OSError as error:
        raise OperationalError(f'could not translate host name "{host}": {error}') from None
    answer = socket.otherside_ask({"door": list(found), "wait_s": settings.get("connect_timeout")})
    if answer.get("error"):
        raise OperationalError(f'connection to "{host}" failed: {answer["error"]}')
    settings = {key: value for key, value in settings.items() if value is not None}
    settings |= {"hostaddr": answer["address"], "port": answer["port"]}
    return psycopg.connect(**settings)
