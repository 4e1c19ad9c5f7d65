"""The application of a node: write a row, and acknowledge it by a line in a file.

Its server may be a follower, which refuses. With a lease file, it asks the guard before and after,
as an application of ours does, and compares the epoch in the same transaction.
"""

import os
import sys
import time

import psycopg
from machines import USER

from otherside.agent.lease import Guard, NotAllowedError

PAUSE_S = 0.01


def write(connection: psycopg.Connection, row: str, guard: Guard | None) -> None:
    """Write one row; raise if it may not be acknowledged."""
    if guard is None:
        connection.execute("insert into writes values (%s)", (row,))
        return
    epoch = guard.epoch()
    with connection.transaction():
        connection.execute("insert into writes values (%s)", (row,))
        held = connection.execute("select epoch from otherside_heartbeat").fetchone()
        if held is None or held[0] != epoch:
            msg = "the database is of another epoch"
            raise NotAllowedError(msg)
    guard.still(epoch)


def main(name: str, port: str, acks: str, lease: str = "") -> None:
    """Write until killed."""
    guard = Guard(lease) if lease else None
    connection: psycopg.Connection | None = None
    address = f"host=127.0.0.1 port={port} user={USER} dbname=postgres connect_timeout=1"
    file = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    number = 0
    while True:
        number += 1
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(address, autocommit=True)
            write(connection, f"{name}-{number}", guard)
            os.write(file, f"{time.monotonic()} {name}-{number}\n".encode())
        except NotAllowedError:
            time.sleep(PAUSE_S)
        except psycopg.Error:
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(PAUSE_S)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
