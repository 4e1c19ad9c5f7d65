"""The twin's client of the supervisor: start and signal processes, and await their exit."""

import asyncio
import functools
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count, cycle
from pathlib import Path

from otherside.twin.guest import SITE
from otherside.twin.host import supervisor
from otherside.twin.host.confinement import NET_ABI, landlock_abi

GUESTS = range(61184, 65520)
"""The users that systemd gives to services without one of their own, which no person has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What one guest's processes may do on this machine; see `confinement.py`."""

    user: tuple[int, int] | None
    """Its own uid and gid, or `None` if this process cannot become another user."""
    reads_all: bool = False
    """Whether it keeps root's right to read: the interpreter may be where only root may go."""
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    """Every TCP port that it may connect to."""


class ProcessError(Exception):
    """Raised when a process could not be started, or ended unexpectedly."""


@dataclass(slots=True)
class Process:
    """One running process, leader of its own session."""

    pid: int
    log: Path
    ended: asyncio.Future[int]
    """Resolves to its exit code; negative for a signal. To await it, use `wait`: a task that awaits
    a future and is cancelled cancels the future, too."""

    @property
    def running(self) -> bool:
        """Whether it is still running."""
        return not self.ended.done()

    async def wait(self) -> int:
        """Wait for its end and return its exit code; whoever stops waiting disturbs nobody."""
        return await asyncio.shield(self.ended)

    def tail(self, characters: int = 2000) -> str:
        """Return the end of its log, for display."""
        try:
            return self.log.read_text(errors="replace")[-characters:]
        except OSError:
            return ""


@dataclass(slots=True)
class Processes:
    """The twin's connection to its supervisor. Everything here runs in one event loop."""

    directory: Path
    """The twin's directory; the supervisor removes it in the end."""
    _reader: asyncio.StreamReader = field(init=False)
    _writer: asyncio.StreamWriter = field(init=False)
    _asked: dict[int, asyncio.Future[Process]] = field(default_factory=dict)
    _logs: dict[int, Path] = field(default_factory=dict)
    _running: dict[int, Process] = field(default_factory=dict)
    _ids: "count[int]" = field(default_factory=count)
    _listening: asyncio.Task[None] = field(init=False)
    _supervisor: "subprocess.Popen[bytes]" = field(init=False)
    on_lost: Callable[[], None] = lambda: None
    """Called if the supervisor itself dies."""
    guests: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of every guest, once they are known."""
    ports: tuple[int, ...] = ()
    """The twin's own ports that every guest may connect to, once they are known."""
    shown: tuple[Path, ...] = ()
    """The twin's own files that every guest may read."""
    _users: "cycle[int]" = field(default_factory=lambda: cycle(GUESTS))
    _forkserver: "asyncio.Future[Process] | None" = None

    async def open(self) -> None:
        """Start the supervisor."""
        ours, theirs = socket.socketpair()
        self._supervisor = subprocess.Popen(  # noqa: ASYNC220, S603 - once, and our own program
            [sys.executable, "-I", "-S", supervisor.__file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None,
            start_new_session=True,
        )
        theirs.close()
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        self._listening = asyncio.create_task(self._listen())
        self._send({"do": "directory", "path": str(self.directory)})

    async def start(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | str = "/",
        user: tuple[int, int] | None = None,
        confined: Confinement | None = None,
    ) -> Process:
        """Start a process with exactly this environment, as a user or as a confined guest.

        Raises:
            ProcessError: If it cannot be started; the message says what and why.
        """
        return await self._ask(
            "start", argv, log=log, env=env, cwd=cwd, user=user, confined=confined
        )

    def confinement(
        self, *, read: Sequence[Path] = (), write: Sequence[Path] = (), ports: Sequence[int] = ()
    ) -> Confinement:
        """Return a new guest's confinement: a user of its own, its files and ports."""
        return Confinement(
            user=(uid := next(self._users), uid) if may_become_others() else None,
            reads_all=not interpreter_is_open(),
            read=tuple(map(str, (*INTERPRETER, *self.shown, *read, *write))),
            write=tuple(map(str, write)),
            ports=(*self.ports, *ports),
        )

    def has_started(self, pid: int) -> bool:
        """Return whether a process is one of the twin's own, or was started by one of them."""
        while pid > 1:
            if pid == self._supervisor.pid:
                return True
            pid = _parent(pid)
        return False

    async def fork(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | str = "/",
        confined: Confinement | None = None,
    ) -> Process:
        """Fork a guest's Python program from an interpreter that has loaded most of its modules.

        Raises:
            ProcessError: As `start`.
        """
        self.prepare_fork()
        return await self._ask("fork", argv, log=log, env=env, cwd=cwd, confined=confined)

    def prepare_fork(self) -> None:
        """Start the fork server ahead of the first fork, if it is not started yet."""
        if self._forkserver is not None:
            return
        argv = [
            sys.executable,
            "-B",
            "-P",
            str(Path(supervisor.__file__).with_name("forkserver.py")),
        ]
        env = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": str(self.directory),  # the user's own home may hold AWS settings
            "PYTHONPATH": str(SITE),
            **self.guests,
            "OTHERSIDE_TWIN_GUEST": "function/forkserver",
        }
        log = self.directory / "forkserver.log"
        self._forkserver = self._ask("forkserver", argv, log=log, env=env)
        self._forkserver.add_done_callback(
            lambda asked: asked.exception()
        )  # without it, guests are started

    def _ask(
        self,
        what: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | str = "/",
        user: tuple[int, int] | None = None,
        confined: Confinement | None = None,
    ) -> asyncio.Future[Process]:
        """Request a process from the supervisor, which handles requests in order."""
        number = next(self._ids)
        self._asked[number] = asked = asyncio.get_running_loop().create_future()
        self._logs[number] = log
        self._send(
            {
                "do": what,
                "id": number,
                "argv": [str(item) for item in argv],
                "log": str(log),
                "env": dict(env),
                "cwd": str(cwd),
                "user": user,
                "confined": asdict(confined) if confined else None,
            }
        )
        return asked

    def signal(self, process: Process, number: signal.Signals) -> None:
        """Send a signal to a process and everything it has started."""
        if process.running:
            self._send({"do": "signal", "pid": process.pid, "signal": int(number)})

    async def end(self, process: Process, *, gently_s: float = 0.0) -> None:
        """End a process and wait: SIGTERM first, if `gently_s` gives it time, then SIGKILL."""
        if gently_s and process.running:
            self.signal(process, signal.SIGTERM)
            await asyncio.wait([process.ended], timeout=gently_s)
        self.signal(process, signal.SIGKILL)
        await process.wait()

    async def close(self) -> None:
        """End all processes and wait until they are gone."""
        self.on_lost = lambda: None
        self._writer.close()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await asyncio.to_thread(self._supervisor.wait)

    def _send(self, request: Mapping[str, object]) -> None:
        self._writer.write(json.dumps(request).encode() + b"\n")

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while line := await self._reader.readline():
            news = json.loads(line)
            if "started" in news:
                log = self._logs.pop(news["started"])
                process = Process(news["pid"], log, loop.create_future())
                self._running[process.pid] = process
                asked = self._asked.pop(news["started"])
                if asked.cancelled():
                    self.signal(process, signal.SIGKILL)
                else:
                    asked.set_result(process)
            elif "failed" in news:
                self._logs.pop(news["failed"])
                asked = self._asked.pop(news["failed"])
                if not asked.cancelled():
                    asked.set_exception(ProcessError(news["why"]))
            else:
                process = self._running.pop(news["ended"])
                process.ended.set_result(news["code"])
        self.on_lost()


def unprivileged() -> tuple[int, int] | None:
    """Return the uid and gid to use if we are root, which PostgreSQL refuses; else `None`."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _interpreter() -> tuple[Path, ...]:
    """Return where a guest's interpreter and its libraries are."""
    libraries = [item for item in sys.path if item.endswith("-packages")]
    prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    found = (Path(place).resolve() for place in [*prefixes, *libraries, str(SITE.parent)])
    return tuple(dict.fromkeys(found))


INTERPRETER = _interpreter()


@functools.cache
def may_become_others() -> bool:
    """Whether guests run as users of their own: we are root, and they can run the interpreter."""
    if os.geteuid() != 0:
        return False
    return landlock_abi() > 0 or interpreter_is_open()


@functools.cache
def interpreter_is_open() -> bool:
    """Return whether every user of the machine can run the interpreter."""
    places = [place for path in INTERPRETER for place in (path, *path.parents)]
    return all(place.stat().st_mode & 0o001 for place in places)


def confined_how() -> str:
    """Return how guests are confined on this machine, in words."""
    abi = landlock_abi()
    who = "users of their own" if may_become_others() else "this user"
    files = f"their own files (Landlock {abi})" if abi else "every file of that user: no Landlock"
    if not abi:
        return f"{who}; {files}"
    ports = "the twin's ports" if abi >= NET_ABI else "every port"
    return f"{who}; {files}; {ports}"


def make_passable(path: Path) -> None:
    """Create a directory that other users may pass through but not list."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711)  # despite the umask


def give(path: Path, confined: Confinement) -> None:
    """Give a guest's files to the guest, which is another user if we are root."""
    if confined.user is None:
        return
    for item in (path, *path.rglob("*")):
        os.chown(item, *confined.user, follow_symlinks=False)


def show(path: Path, confined: Confinement) -> None:
    """Let a guest read files that stay ours."""
    if confined.user is None:
        return
    for item in (path, *path.rglob("*")):
        os.chown(item, -1, confined.user[1])
        item.chmod(0o750 if item.is_dir() else 0o640)


def _parent(pid: int) -> int:
    """Return a process's parent, or 0 if it is gone or the machine has no `/proc`."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
