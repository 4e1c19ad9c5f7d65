"""The recording of one drill, in memory or read back from its directory.

A directory holds `journal.jsonl` (observations and actions) and one `client-N.jsonl` per client
(what it sent and the answers it got). Both are JSON Lines; a truncated last line is ignored.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar, cast

from otherside.drill.entries import (
    BadEntryError,
    EndEntry,
    Entry,
    HeadEntry,
    SampleEntry,
    StageEntry,
    StrikeEntry,
    parse,
)

E = TypeVar("E", bound=Entry)

SCHEMA = 1
"""Schema version of the journal; any other version is rejected."""
JOURNAL = "journal.jsonl"
LEDGERS = "client-*.jsonl"


class UnreadableJournalError(Exception):
    """A recording cannot be read; the message names the file, the line and the cause."""


@dataclass(slots=True)
class Recording:
    """The entries of one drill, by kind; `entries.py` says what each kind holds."""

    _kinds: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))

    def add(self, entry: Entry) -> None:
        """Add one entry."""
        self._kinds[entry.kind].append(entry)

    def of(self, kind: type[E]) -> Sequence[E]:
        """Return the entries of a kind, in the order in which they were written."""
        return cast("list[E]", self._kinds.get(kind.kind, []))

    @property
    def head(self) -> HeadEntry:
        """The first entry: the scenario and the stack under test."""
        return self.of(HeadEntry)[0]

    @property
    def strike_s(self) -> float | None:
        """When the disaster struck; `None` if it has not."""
        found = self.of(StrikeEntry)
        return found[0].at_s if found else None

    @property
    def now_s(self) -> float:
        """The time of the newest entry."""
        times = [many[-1].at_s for many in self._kinds.values() if many]
        return max(times, default=0.0)

    @property
    def steady(self) -> bool:
        """Whether the drill reached a steady state before the strike."""
        return any(entry.state == "steady" for entry in self.of(StageEntry))

    @property
    def ended(self) -> str:
        """How the drill ended; `interrupted` if the journal has no `end` entry."""
        found = self.of(EndEntry)
        return found[-1].how if found else "interrupted"

    @property
    def speeds(self) -> tuple[float, float]:
        """Twin seconds per machine second since the strike, at the slowest and at the fastest."""
        found = [each.speed for each in self.since_strike(SampleEntry) if each.speed is not None]
        found = found or [self.head.speed]
        return min(found), max(found)

    @property
    def speed_text(self) -> str:
        """The same, in words."""
        slow, fast = self.speeds
        return f"{fast:g}" if slow == fast else f"{slow:g} to {fast:g}"

    def since_strike(self, kind: type[E]) -> Iterator[E]:
        """Yield the entries of a kind from the strike on."""
        strike_s = self.strike_s
        if strike_s is not None:
            yield from (entry for entry in self.of(kind) if entry.at_s >= strike_s)

    def all(self) -> list[Entry]:
        """Return every entry, ordered by time."""
        return sorted((item for many in self._kinds.values() for item in many), key=_at_s)

    def sort(self) -> None:
        """Sort each kind by time, because each client has its own file."""
        for many in self._kinds.values():
            many.sort(key=_at_s)

    @classmethod
    def of_entries(cls, entries: Iterable[Entry]) -> Self:
        """Return a recording of the given entries."""
        made = cls()
        for entry in entries:
            made.add(entry)
        return made

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read a recording from its directory or from the journal file in it.

        Raises:
            UnreadableJournalError: If there is none, or it has another schema version.
        """
        directory = place.parent if place.is_file() else place
        journal = place if place.is_file() else directory / JOURNAL
        made = cls.of_entries(_lines(journal))
        for file in sorted(directory.glob(LEDGERS)):
            for entry in _lines(file):
                made.add(entry)
        made.sort()
        if not made.of(HeadEntry):
            msg = f"{journal}: not a drill journal: its first line is missing"
            raise UnreadableJournalError(msg)
        return made


def _at_s(entry: Entry) -> float:
    return entry.at_s


def _lines(file: Path) -> Iterator[Entry]:
    """Yield the entries of a file; only the last line may be truncated.

    Raises:
        UnreadableJournalError: If it cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file}: cannot be read: {error}"
        raise UnreadableJournalError(msg) from None
    for number, line in enumerate(lines, start=1):
        try:
            raw = json.loads(line)
            if isinstance(raw, dict) and raw.get("kind") == HeadEntry.kind:
                _check_schema(raw.get("schema"), f"{file}:{number}")
            entry = parse(raw if isinstance(raw, dict) else {})
        except ValueError as error:
            if number == len(lines) and not isinstance(error, BadEntryError):
                return
            msg = f"{file}:{number}: not a journal entry: {error}"
            raise UnreadableJournalError(msg) from None
        yield entry


def _check_schema(schema: object, where: str) -> None:
    if schema != SCHEMA:
        msg = f"{where}: schema {schema}; this version reads {SCHEMA}"
        raise UnreadableJournalError(msg)
