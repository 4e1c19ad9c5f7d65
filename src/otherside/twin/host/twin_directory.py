"""A twin's directory: where it may be, who owns it, and how nothing of it is left.

PostgreSQL's servers hold a segment of the kernel's shared memory each, which outlives a server that
is killed. The server notes it in its volume, so whoever removes the directory can remove it too.
"""

import ctypes
import errno
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from otherside.twin.guest.scaled_clock import real_sleep, real_wall_s
from otherside.twin.host.supervisor import IPC_RMID, segments_in

PREFIX = "otherside-twin-"
CONTROL = "control"
OWNER = "owner"
SOCKET_MAX = 107
"""The longest path of a Unix socket, in bytes: `sockaddr_un.sun_path` with its final zero."""
LONGEST = "db/99/.s.PGSQL.5432"
"""The longest path of a socket in a twin's directory."""
ROOM_MB = 200
"""What a stack of two databases takes, with room for what clients write."""
DYING_S = 2.0
"""How long killed servers may take to be gone."""
YOUNG_S = 60.0
"""A directory without an owner's mark is left alone for so long: its owner may be writing it."""


class PlaceError(OSError):
    """There is no place for a twin here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """The directory of a twin whose owner is dead."""

    directory: Path
    segments: tuple[int, ...]
    """Shared memory that its servers left, by the kernel's ID."""


def make() -> Path:
    """Create a twin's directory for this process.

    Raises:
        PlaceError: If its path does for no socket or script, other users that need it may not
            pass through it, or there is too little room.
    """
    place = Path(tempfile.gettempdir())
    if re.search(r"[^\w./+@:,-]", str(place)):
        msg = (
            f"{place} has a character that the paths of boot scripts cannot hold, such as a space: "
            "set TMPDIR to a directory without"
        )
        raise PlaceError(msg)
    example = place / f"{PREFIX}{8 * 'x'}" / LONGEST
    over = len(os.fsencode(example)) - SOCKET_MAX
    if over > 0:
        msg = (
            f"{place} is {over} bytes too long for a twin, whose sockets' paths may have "
            f"{SOCKET_MAX}: set TMPDIR to a shorter directory, such as /tmp"
        )
        raise PlaceError(msg)
    if (shut := _shut(place)) is not None:
        msg = (
            f"{shut} lets no other user through, and of root's twins PostgreSQL runs as another: "
            f"`chmod o+x {shut}`, or set TMPDIR to a directory that others may pass, such as /tmp"
        )
        raise PlaceError(msg)
    free_mb = shutil.disk_usage(place).free >> 20
    if free_mb < ROOM_MB:
        msg = (
            f"{place} has {free_mb} MB free, and a twin needs {ROOM_MB}: "
            "make room there, or set TMPDIR to a directory with more"
        )
        raise PlaceError(msg)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    directory.chmod(0o711)  # PostgreSQL's own user must be able to traverse it
    written = directory / f"{OWNER}.new"
    written.touch(mode=0o600)
    written.write_text(json.dumps({"pid": os.getpid(), "started": started(os.getpid())}))
    written.replace(directory / OWNER)  # never there in part: another twin may be sweeping now
    return directory


def _shut(place: Path) -> Path | None:
    """Return the outermost directory on a path that keeps root's PostgreSQL out, if any does."""
    if os.geteuid() != 0:
        return None
    resolved = place.resolve()
    outermost_first = [*reversed(resolved.parents), resolved]
    return next((item for item in outermost_first if not item.stat().st_mode & 0o001), None)


def full(directory: Path) -> str | None:
    """Return a sentence if the disk of a directory is full, which explains most other errors."""
    try:
        free = shutil.disk_usage(directory).free
    except OSError:
        return None
    if free > 1 << 20:
        return None
    return f"the disk of {directory.parent} is full: make room there, or set TMPDIR elsewhere"


def leftovers() -> Iterator[Leftover]:
    """Yield what twins of this user left whose owners are dead."""
    for directory in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        try:
            ours = directory.is_dir() and directory.stat().st_uid == os.geteuid()
        except FileNotFoundError:
            continue  # its owner has just removed it
        if ours and not _owned(directory) and not _answers(directory):
            yield Leftover(directory, tuple(segments_in(directory)))


def remove(directory: Path) -> None:
    """Remove a twin's directory, and the shared memory that its servers left."""
    for _ in range(int(DYING_S / 0.02)):  # its servers may just be dying
        if not any(segments_in(directory).values()):
            break
        real_sleep(0.02)
    for segment, users in segments_in(directory).items():
        if not users:
            ctypes.CDLL(None).shmctl(segment, IPC_RMID, None)
    shutil.rmtree(directory, ignore_errors=True)


def sweep() -> list[Leftover]:
    """Remove what dead twins left; return it."""
    found = list(leftovers())
    for left in found:
        remove(left.directory)
    return found


def started(pid: int) -> str:
    """Return when a process was started, as the machine counts it; empty if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "" if not _alive(pid) else "?"
    return text.rpartition(")")[2].split()[19]


def _owned(directory: Path) -> bool:
    """Whether a directory's owner lives, or may be just creating it."""
    try:
        owner = json.loads((directory / OWNER).read_text())
        return started(int(owner["pid"])) == str(owner["started"])
    except FileNotFoundError:
        return _age_s(directory) < YOUNG_S
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _answers(directory: Path) -> bool:
    """Whether a twin is up in a directory, if its owner is one of another container's processes."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(directory / CONTROL))
        except OSError:
            return False
    return True


def _age_s(directory: Path) -> float:
    try:
        return real_wall_s() - directory.stat().st_mtime
    except OSError:
        return 0.0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True
