"""The one parent of every process of a twin: when its owner goes, however it goes, they all go.

It is a program of its own, of the standard library alone and of one thread, started first. It holds
one end of a socket; the end of that socket is the end of everything that it started, and of the
twin's directory. A twin that is killed cannot clean up after itself, and threads make it unsafe to
run anything between fork and exec; both are why this is not done where the twin is.

Requests are JSON lines: `start`, `signal`, `directory`. So are answers: `started`, `failed`,
`ended`.
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
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Nursery:
    """Starts processes, tells of their end, and ends them."""

    def __init__(self, line: socket.socket) -> None:
        """Keep the line to the owner."""
        self._line = line
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._directories: list[str] = []
        self._libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            self._libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def run(self) -> None:
        """Serve until the owner is gone, then end everything."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)  # noqa: FBT003 - the standard library's own
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)  # the owner decides, and its end is enough
        selector = selectors.DefaultSelector()
        selector.register(self._line, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        kept = b""
        try:
            while True:
                for key, _ in selector.select():
                    if key.fileobj is woken:
                        woken.recv(4096)
                        self._reap()
                        continue
                    got = self._line.recv(1 << 16)
                    if not got:
                        return
                    *lines, kept = (kept + got).split(b"\n")
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
            case "signal":
                self._signal(request["pid"], request["signal"])
            case "directory":
                self._directories.append(request["path"])
            case unknown:
                msg = f"the nursery cannot {unknown}"
                raise ValueError(msg)

    def _start(self, request: dict[str, Any]) -> None:
        """Start one process, leader of its own session, with nothing inherited but its log."""
        user = request.get("user")
        who = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
        try:
            with open(request["log"], "ab") as log:  # noqa: PTH123 - paths may be /dev/null
                child = subprocess.Popen(  # noqa: S603 - the twin's own programs
                    request["argv"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=request["cwd"],
                    env=request["env"],
                    start_new_session=True,
                    preexec_fn=self._die_with_us,  # noqa: PLW1509 - this process has one thread
                    **who,
                )
        except (OSError, subprocess.SubprocessError) as error:
            self._tell({"failed": request["id"], "why": str(error)})
            return
        self._children[child.pid] = child
        self._tell({"started": request["id"], "pid": child.pid})

    def _die_with_us(self) -> None:
        if sys.platform == "linux":
            self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def _signal(self, pid: int, number: int) -> None:
        """Signal a whole session: what a child has started goes with it."""
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
            child = self._children.pop(pid, None)
            if child is not None:
                child.returncode = os.waitstatus_to_exitcode(status)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)  # what it left behind
                self._tell({"ended": pid, "code": child.returncode})

    def _tell(self, news: dict[str, Any]) -> None:
        self._line.sendall(json.dumps(news).encode() + b"\n")

    def _end_everything(self) -> None:
        """Kill every session and every stray descendant, and remove the twin's directories."""
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        for path in self._directories:
            shutil.rmtree(path, ignore_errors=True)


def _descendants(root: int) -> list[int]:
    """Return every process under one, where the machine can tell (`/proc`)."""
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
    Nursery(socket.socket(fileno=int(sys.argv[1]))).run()
