"""Where a twin may be, and that nothing of it is left: not in order, not killed, not all of it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import psutil
import psycopg
import pytest

from otherside.twin.host import supervisor, twin_directory
from otherside.twin.twin import Twin, TwinError
from twin.conftest import until
from twin.services.rds.test_rds import EAST, connect, shop

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as the standard library's own


def segments():
    """Return the creators of all of the machine's shared memory segments."""
    table = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    return {int(row.split()[4]) for row in table}


def of(directory):
    """Return the PIDs of the processes whose arguments name a directory."""
    found = psutil.process_iter(["cmdline"])
    return {item.pid for item in found if str(directory) in " ".join(item.info["cmdline"] or ())}


@pytest.fixture
def place(monkeypatch):
    """Return a short directory of temporary files of this test's own."""
    short = Path(f"/tmp/otherside-test-{os.getpid()}")
    short.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(short))
    yield short
    shutil.rmtree(short)


def test_a_directory_too_long_for_a_socket_is_refused_with_what_to_do(place, monkeypatch):
    """Before anything starts: the system's own error names neither the directory nor the limit."""
    monkeypatch.setattr("tempfile.tempdir", str(place / ("x" * 100)))
    with pytest.raises(TwinError, match=r"bytes too long .* set TMPDIR to a shorter directory"):
        Twin().__enter__()


def test_a_directory_with_a_space_is_refused_with_what_to_do(place, monkeypatch):
    """Boot scripts name paths without quotes, as they may: theirs have no spaces."""
    spaced = place / "with space"
    spaced.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spaced))
    with pytest.raises(TwinError, match=r"set TMPDIR to a directory without"):
        Twin().__enter__()


def test_a_directory_that_others_may_not_pass_is_refused_with_what_to_do(place, monkeypatch):
    """As root, PostgreSQL is another user: its own error would name a file deep inside."""
    inner = place / "inner"
    inner.mkdir()
    place.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(inner))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(TwinError, match=rf"^{place} lets no other user .* `chmod o\+x {place}`"):
        Twin().__enter__()
    assert list(inner.iterdir()) == []


def test_a_disk_without_room_is_refused_with_what_to_do(place, monkeypatch):
    """Otherwise some file of some database is the first that does not fit."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 30, 1 << 30, 60 << 20))
    with pytest.raises(TwinError, match=r"has 60 MB free, and a twin needs 200"):
        Twin().__enter__()
    assert list(place.iterdir()) == []


def test_a_disk_that_fills_up_is_named_instead_of_what_it_broke(place, monkeypatch):
    """Whatever fails then fails for that reason, and its own message misleads."""
    assert twin_directory.full(place) is None
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 30, 1 << 30, 4096))
    assert twin_directory.full(place / "twin") == (
        f"the disk of {place} is full: make room there, or set TMPDIR elsewhere"
    )


def marked(place, name, **owner):
    """Create a twin's directory with an owner's mark."""
    directory = place / f"{twin_directory.PREFIX}{name}"
    directory.mkdir()
    if owner:
        (directory / twin_directory.OWNER).write_text(json.dumps(owner))
    return directory


def test_only_a_dead_owners_directory_is_swept(place):
    """Its PID may belong to another process by now; a young directory is just being created."""
    ours = twin_directory.started(os.getpid())
    marked(place, "alive", pid=os.getpid(), started=ours)
    marked(place, "young")
    reused = marked(place, "reused", pid=os.getpid(), started="1")
    old = marked(place, "old")
    os.utime(old, (time.time() - 3600,) * 2)
    assert [left.directory for left in twin_directory.sweep()] == [old, reused]
    assert sorted(item.name[len(twin_directory.PREFIX) :] for item in place.iterdir()) == [
        "alive",
        "young",
    ]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own table is read")
def test_no_shared_memory_is_left_of_a_twin():
    """Its databases are stopped in order: a default container was full after 29 killed twins."""
    with shop() as bare:
        with connect(bare, EAST) as connection:
            shown = connection.execute("show dynamic_shared_memory_type").fetchone()
        assert shown == ("mmap",)
        servers = of(bare.directory) & segments()
        assert len(servers) == 2
    assert not servers & segments()


OWNER = """
import sys
sys.path.insert(0, sys.argv[1])
from twin.services.rds.test_rds import shop
with shop() as bare:
    print(bare.directory, flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own table is read")
def test_what_is_left_when_everything_is_killed_is_swept_by_the_next_twin(place):
    """Owner, twin, supervisor and servers at once: none of them could tidy up."""
    environment = {**os.environ, "TMPDIR": str(place)}
    tests = str(Path(__file__).parents[2])
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, tests],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with owner:
        directory = Path(owner.stdout.readline().strip())
        tree = psutil.Process(owner.pid).children(recursive=True)
        servers = {item.pid for item in tree} & segments()
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped, so that none sees another die
            for item in [psutil.Process(owner.pid), *tree]:
                with contextlib.suppress(psutil.NoSuchProcess):  # a server's worker ends when idle
                    item.send_signal(number)
    assert len(servers) == 2
    until(lambda: not any(item.is_running() for item in tree), seconds=10)
    left = next(twin_directory.leftovers())
    assert (left.directory, len(left.segments)) == (directory, 2)
    assert [item.directory for item in twin_directory.sweep()] == [directory]
    assert not servers & segments()
    assert not directory.exists()


SEGMENT = """
import ctypes, os
segment = ctypes.CDLL(None).shmget(0, 4096, 0o1600)  # IPC_PRIVATE, IPC_CREAT
print(os.getpid(), segment)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own table is read")
def test_what_a_killed_initdb_left_is_freed_by_the_supervisor(place):
    """Its servers are its own, so that only their volume says which segment was theirs."""
    made = subprocess.run(
        [sys.executable, "-c", SEGMENT], check=True, capture_output=True, text=True
    )
    pid, segment = map(int, made.stdout.split())
    assert pid in segments()
    volume = place / "db" / "0" / "data"
    volume.mkdir(parents=True)
    (volume / "postmaster.pid").write_text(f"-{pid}\n/\n0\n0\n\n\n  1234  {segment}\n")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        argv = [sys.executable, "-I", "-S", supervisor.__file__, str(theirs.fileno())]
        with subprocess.Popen(argv, pass_fds=[theirs.fileno()]) as process:
            theirs.close()
            ours.sendall(json.dumps({"do": "directory", "path": str(place)}).encode() + b"\n")
            ours.shutdown(socket.SHUT_WR)
            process.wait(10)
    assert pid not in segments()
    assert not place.exists()
    place.mkdir()


def test_a_database_follows_through_a_path_that_needs_quotes():
    """Its password file's path is a value within a value, each with quotes of its own."""
    from otherside.twin.services.rds.postgres import _quoted

    inner = psycopg.conninfo.make_conninfo(passfile="/tmp/it's here/pgpass")
    assert _quoted(inner) == r"'passfile=''/tmp/it\\''s here/pgpass'''"


def test_a_twin_that_is_just_being_made_is_no_leftover(monkeypatch):
    """Two that were started at once removed one another, by a mark that was still empty."""
    real, seen = twin_directory.started, []

    def looking(pid):
        if not seen:
            seen.append(None)
            seen.extend(left.directory for left in twin_directory.leftovers())
        return real(pid)

    monkeypatch.setattr(twin_directory, "started", looking)
    made = twin_directory.make()
    try:
        assert seen
        assert made not in seen
    finally:
        twin_directory.remove(made)
