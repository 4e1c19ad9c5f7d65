"""Parent of every process of a twin: when the twin goes, however it goes, it ends all of them.

It is a separate, single-threaded program that uses only the standard library and is started first.
It holds one end of a socket; when the socket closes, it kills everything that it started and
removes the twin's directory. It is separate from the twin for two reasons: a twin that is killed
cannot clean up after itself, and threads make it unsafe to run anything between fork and exec.

Requests are JSON lines: `start`, `forkserver`, `fork`, `signal`, `directory`. Responses are JSON
lines, too: `started`, `failed`, `ended`. The fork server (`forkserver.py`) forks a process, which
becomes a child of this one; without a fork server, it is started like any other.
"""

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
IPC_RMID = 0
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _beside(name: str) -> ModuleType:
    """Load another program's file from this directory, without the package that it belongs to."""
    spec = spec_from_file_location(f"otherside_twin_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


confinement = _beside("confinement")


class Supervisor:
    """Starts processes, reports their exit, and ends them."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._children: dict[int, subprocess.Popen[bytes] | None] = {}
        """Every child by its PID; `None` for a forked one."""
        self._directories: list[str] = []
        self._pids: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._forkserver: socket.socket | None = None
        self._heard = b""
        self._forking: dict[int, dict[str, Any]] = {}
        """Requests that the fork server has not answered yet, by ID."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        linux = sys.platform == "linux"
        self._gets_orphans = linux and self._libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0

    def run(self) -> None:
        """Serve until the owner is gone, then end every process."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)  # noqa: FBT003 - the standard library's own
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for ignored in IGNORED:
            signal.signal(ignored, signal.SIG_IGN)  # only the owner's exit ends us
        self._selector.register(self._line, selectors.EVENT_READ)
        self._selector.register(woken, selectors.EVENT_READ)
        rest = b""
        try:
            while True:
                for key, _ in self._selector.select():
                    if key.fileobj is woken:
                        woken.recv(4096)
                        self._reap()
                        continue
                    if key.fileobj is not self._line:
                        self._hear_forkserver()
                        continue
                    got = self._line.recv(1 << 16)
                    if not got:
                        return
                    *lines, rest = (rest + got).split(b"\n")
                    for line in lines:
                        self._do(json.loads(line))
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            self._end_everything()

    def _do(self, request: dict[str, Any]) -> None:
        match request["do"]:
            case "start":
                self._start(request)
            case "forkserver":
                self._start_forkserver(request)
            case "fork":
                self._fork(request)
            case "signal":
                self._signal(request["pid"], request["signal"])
            case "directory":
                self._directories.append(request["path"])
            case unknown:
                msg = f"the supervisor does not support {unknown}"
                raise ValueError(msg)

    def _start(self, request: dict[str, Any], *inherited: int) -> None:
        """Start one process, leader of its own session, that inherits nothing but its log."""
        user = request.get("user")
        who = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
        policy = request.get("confined")
        try:
            with open(request["log"], "ab") as log:  # noqa: PTH123 - paths may be /dev/null
                if policy and policy["user"]:
                    os.fchown(log.fileno(), *policy["user"])  # it may open its own output again
                child = subprocess.Popen(  # noqa: S603 - the twin's own programs
                    request["argv"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=request["cwd"],
                    env=request["env"],
                    start_new_session=True,
                    pass_fds=inherited,
                    preexec_fn=partial(self._begin, policy),  # noqa: PLW1509 - it has one thread
                    **who,
                )
        except (OSError, subprocess.SubprocessError) as error:
            self._tell({"failed": request["id"], "why": str(error)})
            return
        self._children[child.pid] = child
        self._pids.add(child.pid)
        self._tell({"started": request["id"], "pid": child.pid})

    def _start_forkserver(self, request: dict[str, Any]) -> None:
        """Start the fork server, if the processes that it forks become children of this one."""
        if not self._gets_orphans:
            self._tell({"failed": request["id"], "why": "PR_SET_CHILD_SUBREAPER is not available"})
            return
        ours, theirs = socket.socketpair()
        with theirs:
            request["argv"].append(str(theirs.fileno()))
            self._start(request, theirs.fileno())
        self._forkserver = ours
        self._selector.register(ours, selectors.EVENT_READ)

    def _fork(self, request: dict[str, Any]) -> None:
        if self._forkserver is None:
            self._start(request)
            return
        self._forking[request["id"]] = request
        try:
            self._forkserver.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            self._hear_forkserver()  # reads its last messages, then notices its end

    def _hear_forkserver(self) -> None:
        """Read all reports of forked processes; each reports before it can exit."""
        while self._forkserver is not None:
            try:
                got = self._forkserver.recv(1 << 16, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                got = b""
            *lines, self._heard = (self._heard + got).split(b"\n")
            for line in lines:
                news = json.loads(line)
                self._forking.pop(news.get("started", news.get("failed")))
                if "started" in news:
                    self._children[news["pid"]] = None
                self._tell(news)
            if not got:
                self._lose_forkserver()

    def _lose_forkserver(self) -> None:
        """Start its pending requests, and all later ones, without forking."""
        assert self._forkserver is not None
        self._selector.unregister(self._forkserver)
        self._forkserver.close()
        self._forkserver = None
        for request in self._forking.values():
            self._start(request)
        self._forking.clear()

    def _begin(self, policy: dict[str, Any] | None) -> None:
        """Set up a child: restore the signals that this process ignores, and die with it."""
        for ignored in IGNORED:
            signal.signal(ignored, signal.SIG_DFL)
        if policy:
            confinement.confine(policy)
        if sys.platform == "linux":  # last: a change of user undoes it
            self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def _signal(self, pid: int, number: int) -> None:
        """Signal a child and the processes that it has started."""
        if pid in self._children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self._children:
                self._hear_forkserver()
            if pid not in self._children:
                continue  # an orphan that we did not start
            child = self._children.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if child is not None:
                child.returncode = code
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # processes that it left behind
            self._tell({"ended": pid, "code": code})

    def _tell(self, news: dict[str, Any]) -> None:
        self._line.sendall(json.dumps(news).encode() + b"\n")

    def _end_everything(self) -> None:
        """Kill every session and every stray descendant, and remove the twin's directories."""
        while True:  # one pass may miss a process that is just being started
            found = _descendants(os.getpid())
            self._pids.update(found)  # initdb's own servers hold shared memory, too
            for pid in found:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            for pid in () if found else self._children:  # without `/proc`
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                break
            time.sleep(0.01)  # noqa: TID251 - real time: the clock is not scaled here
        freed = segments_of(self._pids)
        for path in self._directories:
            freed |= segments_in(Path(path))  # such as of initdb's servers, if it was killed
            shutil.rmtree(path, ignore_errors=True)
        for segment, users in freed.items():
            if not users:
                self._libc.shmctl(segment, IPC_RMID, None)


def segments_of(pids: set[int]) -> dict[int, int]:
    """Return the shared memory that processes created: how many use each segment, by its ID.

    The kernel keeps such a segment when its creator is killed; PostgreSQL creates one, to tell
    whether another server uses the same volume.
    """
    try:
        with open("/proc/sysvipc/shm", encoding="ascii") as table:  # noqa: PTH123 - as above
            rows = [line.split() for line in table.readlines()[1:]]
    except OSError:
        return {}  # not Linux
    creator, attached = 4, 6
    return {int(row[1]): int(row[attached]) for row in rows if int(row[creator]) in pids}


def segments_in(directory: Path) -> dict[int, int]:
    """Return the shared memory of the servers whose volumes are in a directory, and its users.

    A server's seventh line in `postmaster.pid` is the segment's key and ID, its first its PID.
    https://www.postgresql.org/docs/current/storage-file-layout.html
    """
    noted = {}
    for file in directory.glob("db/*/data/postmaster.pid"):
        try:
            lines = file.read_text().splitlines()
            noted[int(lines[6].split()[1])] = abs(int(lines[0]))  # negative for a single user's
        except (OSError, ValueError, IndexError):
            continue  # it did not come so far
    there = segments_of(set(noted.values()))
    return {segment: there[segment] for segment in noted if segment in there}


def _descendants(root: int) -> list[int]:
    """Return every descendant of a process, if the machine has `/proc`."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = entry.read_text().rpartition(")")[2].split()
            parents[int(entry.parent.name)] = int(fields[1])
    found, seen = [], {root}
    grown = True
    while grown:
        new = [pid for pid, parent in parents.items() if parent in seen and pid not in seen]
        grown = bool(new)
        seen.update(new)
        found += new
    return found


if __name__ == "__main__":
    Supervisor(socket.socket(fileno=int(sys.argv[1]))).run()
