"""What both sides of the comparison stand on: etcd, PostgreSQL's programs, and processes to kill.

A node is PostgreSQL, what looks after it, and an application that writes to it, as processes of
this machine; a node is lost, frozen and thawed with all of them.
"""

import contextlib
import http.client
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from otherside.twin.services.rds.postgres import binaries

HERE = Path(__file__).parent
USER = "postgres"
SETTINGS = {
    "wal_level": "replica",
    "hot_standby": "on",
    "max_wal_senders": "10",
    "wal_log_hints": "on",
    "wal_retrieve_retry_interval": "100ms",
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",  # in the directory, and gone with it
    "max_connections": "60",
    "fsync": "off",
}
"""The same of every server: neither the disk nor the wait for a source is what is compared."""


def free_port() -> int:
    """Return a TCP port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it; PostgreSQL's have sessions of their own."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(stat[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        found.append(each)
        todo += parents.get(each, [])
    return found


def strike(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to processes; one that is gone is no error."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@dataclass
class Workspace:
    """A directory, and all processes that were started in it."""

    directory: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a process, whose output goes into a file of its name."""
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        self.started.append(process)
        return process

    def server(self, node: str) -> list[int]:
        """Return the processes of a node's PostgreSQL, whoever started it.

        Patroni's has no parent of ours: what starts it ends at once.
        """
        try:
            first = (self.directory / node / "data" / "postmaster.pid").read_text().split()[0]
            cwd = Path(f"/proc/{int(first)}/cwd").readlink()
        except (OSError, IndexError, ValueError):
            return []
        return family(int(first)) if cwd == self.directory / node / "data" else []

    def _free(self) -> None:
        """Remove the shared memory of servers that were killed: their lock file names it."""
        remove = shutil.which("ipcrm")
        for node in ("a", "b"):
            with contextlib.suppress(OSError, IndexError):
                lines = (self.directory / node / "data" / "postmaster.pid").read_text().splitlines()
                segment = lines[6].split()[1]
                if remove is not None:
                    subprocess.run([remove, "-m", segment], check=False, stderr=subprocess.DEVNULL)

    def clear(self) -> None:
        """End everything that was started, with what it has started, and leave no memory behind."""
        pids = [pid for process in self.started for pid in family(process.pid)]
        servers = [pid for node in ("a", "b") for pid in self.server(node)]
        strike([*pids, *servers], signal.SIGCONT)
        strike([pid for pid in pids if pid not in servers], signal.SIGKILL)
        for node in ("a", "b"):
            strike(self.server(node)[:1], signal.SIGQUIT)  # at once, but it takes its memory along
        with contextlib.suppress(TimeoutError):
            until(lambda: not any(self.server(node) for node in ("a", "b")), 5, "both have ended")
        strike(servers, signal.SIGKILL)
        self._free()
        for process in self.started:
            process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)


def unprivileged() -> tuple[str, ...]:
    """Return what makes a command run as `nobody` if we are root, which PostgreSQL refuses to be.

    It keeps root's right to read: the interpreter may be where only root may go.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        sys.exit("setpriv (util-linux) is missing: run this as another user than root")
    nobody = pwd.getpwnam("nobody")
    reads = "+dac_read_search"
    become = ("--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups")
    return (setpriv, *become, "--inh-caps", reads, "--ambient-caps", reads)


def program(name: str) -> tuple[str, ...]:
    """Return how one of PostgreSQL's programs is called."""
    return (*unprivileged(), str(binaries() / name))


def owned(directory: Path) -> Path:
    """Make a directory that PostgreSQL may write to."""
    directory.mkdir(mode=0o700)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return directory


def etcd(workspace: Workspace) -> int:
    """Start etcd and return its client's port."""
    program = shutil.which("etcd")
    if program is None:
        sys.exit("etcd is missing: `apt-get install etcd-server` has it")
    client, peer = free_port(), free_port()
    url, between = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    workspace.run(
        "etcd",
        program,
        *("--name", "a", "--data-dir", str(workspace.directory / "etcd"), "--log-level", "error"),
        *("--listen-client-urls", url, "--advertise-client-urls", url),
        *("--listen-peer-urls", between, "--initial-advertise-peer-urls", between),
        *("--initial-cluster", f"a={between}"),
    )

    def answers() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", client, timeout=1)
        with contextlib.closing(connection):
            connection.request("GET", "/health")
            return connection.getresponse().status == 200  # noqa: PLR2004 - HTTP's success

    until(answers, 20, "etcd answers")
    return client


def until(found: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something is found; an error is as good as nothing."""
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError, psycopg.Error, http.client.HTTPException):
            if found():
                return
        time.sleep(0.05)
    msg = f"waited {seconds:.0f} s until {what}"
    raise TimeoutError(msg)


def query(port: int, text: str) -> object:
    """Return the one value that a server answers, or nothing if there is none."""
    address = f"host=127.0.0.1 port={port} user={USER} dbname=postgres connect_timeout=2"
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(text)  # type: ignore[arg-type] # our own texts
        row = cursor.fetchone() if cursor.description is not None else None
        return row[0] if row else None


def is_writer(port: int) -> bool:
    """Return whether a server takes writes."""
    return query(port, "select pg_is_in_recovery()") is False


def follows(port: int) -> bool:
    """Return whether a server streams from another."""
    return query(port, "select status from pg_stat_wal_receiver") == "streaming"


@dataclass
class Acknowledged:
    """What the application of a node has acknowledged: when, and which row."""

    file: Path

    def __iter__(self) -> Iterator[tuple[float, str]]:
        """Yield each write, the oldest first."""
        text = self.file.read_text() if self.file.exists() else ""
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                at_s, row = line.split()
                yield float(at_s), row


def longest_gap_s(acks: Sequence[Acknowledged], from_s: float, to_s: float) -> float:
    """Return the longest time in which no application acknowledged a write."""
    times = sorted(at_s for each in acks for at_s, _ in each if at_s <= to_s)
    before = [at_s for at_s in times if at_s <= from_s][-1:]
    marks = [*before, *(at_s for at_s in times if at_s > from_s), to_s]
    return max(b - a for a, b in itertools.pairwise(marks))


def lost(acks: Sequence[Acknowledged], port: int) -> int:
    """Return how many acknowledged rows a server does not have."""
    said = {row for each in acks for _, row in each}
    address = f"host=127.0.0.1 port={port} user={USER} dbname=postgres connect_timeout=2"
    with psycopg.connect(address, autocommit=True) as connection:
        held = {row for (row,) in connection.execute("select id from writes")}
    return len(said - held)
