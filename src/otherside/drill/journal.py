"""The only output of a run: JSON lines, on the disk before anybody is told."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from otherside.drill.recording import JOURNAL, Entry, Recording


class JsonLinesFile:
    """An append-only file of JSON lines; what `put` has returned for survives this process."""

    def __init__(self, file: Path) -> None:
        """Open it for nobody else to read: it may hold what a stack says of itself."""
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8")
        self._lock = threading.Lock()

    def put(self, entry: Entry, *, durably: bool = True) -> None:
        """Append one entry, whole."""
        with self._lock:
            self._file.write(json.dumps(entry, default=str) + "\n")
            self._file.flush()
            if durably:
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def refuse_taken(directory: Path) -> None:
    """Refuse a directory that has a journal.

    Raises:
        FileExistsError: If it has: no recording is written over.
    """
    file = directory / JOURNAL
    if file.exists():
        msg = f"{file} exists; name another directory by --report"
        raise FileExistsError(msg)


class Journal:
    """What a drill writes down, kept in memory too, and told to whoever listens."""

    def __init__(self, directory: Path, told: Callable[[Entry], None] = lambda _: None) -> None:
        """Start a journal in a directory that has none.

        Raises:
            FileExistsError: If there is one already: no recording is written over.
        """
        refuse_taken(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.recording = directory, Recording()
        self._ledger, self._told = JsonLinesFile(directory / JOURNAL), told
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close the file; whether the drill was interrupted is the runner's to say."""
        self._ledger.close()

    def put(self, kind: str, at_s: float, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Write one entry."""
        entry = {"kind": kind, "at_s": round(at_s, 3), **fields}
        # What only adds to the story may be lost with the machine's power, and nothing else.
        self._ledger.put(entry, durably=kind not in {"told", "sample", "look", "call", "run"})
        self.share(entry)

    def share(self, entry: Entry) -> None:
        """Take into memory what was written elsewhere: a client's own ledger."""
        with self._lock:
            self.recording.add(entry)
        self._told(entry)
