"""Registry of this machine's running twins: who owns each, and how it is asked."""

import json
import os
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from otherside.twin.host.twin_directory import CONTROL, started

ANSWER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTwin:
    """One twin's registry entry."""

    pid: int
    """Its owner's process ID."""
    started: str
    """Start time of that process, as the machine counts it, because PIDs are reused."""
    directory: str
    project: str
    """Path of the Pulumi project that it runs."""
    name: str
    """What its owner calls it; no two running twins of one user share a name."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Regions by what the configuration calls them, `primary` and so on; empty without one."""

    def region(self, named: str) -> str:
        """Return a Region by its role or its name."""
        return self.roles.get(named, named)


class NoSuchTwinError(LookupError):
    """No twin runs, none has that name, or several run and none was named."""


def register(
    directory: Path, project: str, *, name: str, roles: Mapping[str, str] | None = None
) -> tuple[RunningTwin, Path]:
    """Register a twin of this process; return its entry and the file to remove when it ends.

    Raises:
        ValueError: If a running twin has that name.
    """
    if any(entry.name == name for entry in entries()):
        msg = f"a twin named {name} is running already; --name gives this one another name"
        raise ValueError(msg)
    file = _place() / f"{os.getpid()}-{directory.name}.json"
    entry = RunningTwin(
        pid=os.getpid(),
        started=started(os.getpid()),
        directory=str(directory),
        project=project,
        name=name,
        roles=dict(roles or {}),
    )
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(entry)))
    return entry, file


def choose(name: str | None) -> RunningTwin:
    """Return the running twin of that name, or the only one if no name is given.

    Raises:
        NoSuchTwinError: If there is none, or several and no name; the message lists their names.
    """
    running = entries()
    if not running:
        msg = "no twin is running; `otherside twin up` starts one"
        raise NoSuchTwinError(msg)
    names = ", ".join(entry.name for entry in running)
    if name is None:
        if len(running) > 1:
            msg = f"several twins are running: {names}; name one of them"
            raise NoSuchTwinError(msg)
        return running[0]
    for entry in running:
        if entry.name == name:
            return entry
    msg = f"no twin is named {name}; running: {names}"
    raise NoSuchTwinError(msg)


def free_name(wanted: str) -> str:
    """Return a name that no running twin has: the wanted one, or one with a number after it."""
    taken = {entry.name for entry in entries()}
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)


def entries() -> list[RunningTwin]:
    """Return every running twin, and remove the entries of dead owners."""
    found = []
    for file in sorted(_place().glob("*.json")):
        try:
            entry = RunningTwin(**{"name": file.stem, **json.loads(file.read_text())})
        except (OSError, ValueError, TypeError):
            continue
        if started(entry.pid) == entry.started:
            found.append(entry)
        else:
            file.unlink(missing_ok=True)
    return found


def ask(entry: RunningTwin, what: str, **how: object) -> Any:  # noqa: ANN401 - JSON
    """Send a control request to a twin of another process; return its result.

    Raises:
        OSError: If it does not answer, or the operation fails.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ANSWER_S)
        line.connect(str(Path(entry.directory) / CONTROL))
        line.sendall(json.dumps({"id": 0, "do": what, "with": how}).encode() + b"\n")
        got = b""
        while not got.endswith(b"\n"):
            more = line.recv(1 << 16)
            if not more:
                break
            got += more
    answer: Mapping[str, Any] = json.loads(got or b'{"error": "no answer"}')
    if "error" in answer:
        raise OSError(answer["error"])
    return answer["result"]


def _place() -> Path:
    place = Path(tempfile.gettempdir()) / f"otherside-{os.geteuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid != os.geteuid():
        msg = f"{place} belongs to another user"
        raise PermissionError(msg)
    return place
