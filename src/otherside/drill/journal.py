"""The only output of a run: JSON lines, written to disk before any listener sees them."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from otherside.drill.entries import Entry, as_json
from otherside.drill.recording import JOURNAL, Recording


class JsonLinesFile:
    """An append-only JSON Lines file; an entry survives this process once `put` returns."""

    def __init__(self, file: Path) -> None:
        """Open the file readable by its owner only: it may contain details of the stack."""
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8")
        self._lock = threading.Lock()

    def put(self, entry: Entry) -> None:
        """Append one complete entry."""
        with self._lock:
            self._file.write(json.dumps(as_json(entry), default=str) + "\n")
            self._file.flush()
            if entry.durable:
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def refuse_taken(directory: Path) -> None:
    """Refuse a directory that already has a journal.

    Raises:
        FileExistsError: If it has one; a recording is never overwritten.
    """
    file = directory / JOURNAL
    if file.exists():
        msg = f"{file} exists; choose another directory with --report"
        raise FileExistsError(msg)


class Journal:
    """A drill's journal: written to disk, kept in memory and passed to a listener."""

    def __init__(self, directory: Path, told: Callable[[Entry], None] = lambda _: None) -> None:
        """Start a journal in a directory that has none.

        Raises:
            FileExistsError: If there already is one; a recording is never overwritten.
        """
        refuse_taken(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.recording = directory, Recording()
        self._ledger, self._told = JsonLinesFile(directory / JOURNAL), told
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Return this journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close the file; the runner records whether the drill was interrupted."""
        self._ledger.close()

    def put(self, entry: Entry) -> None:
        """Write one entry."""
        self._ledger.put(entry)
        self.share(entry)

    def share(self, entry: Entry) -> None:
        """Add an entry to memory that was written elsewhere, in a client's own ledger."""
        with self._lock:
            self.recording.add(entry)
        self._told(entry)


def write_journal(recording: Recording, directory: Path) -> None:
    """Write a whole recording at once, for a drill that took no time.

    Raises:
        FileExistsError: If the directory has a journal; a recording is never overwritten.
    """
    refuse_taken(directory)
    directory.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(as_json(entry), default=str) + "\n" for entry in recording.all())
    aside = directory / f".{JOURNAL}.new"
    aside.touch(mode=0o600)
    aside.write_text("".join(lines), encoding="utf-8")
    aside.replace(directory / JOURNAL)
