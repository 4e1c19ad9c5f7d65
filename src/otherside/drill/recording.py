"""Everything that one drill wrote down, in memory or read back from its directory.

A directory holds `journal.jsonl`, what was seen and done, and one `client-N.jsonl` for each client,
what it sent and what it was told. Both are JSON lines; a last line that was cut off is left out.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

SCHEMA = 1
"""Version of the journal's shape; another one is refused."""
JOURNAL = "journal.jsonl"
LEDGERS = "client-*.jsonl"
Entry = Mapping[str, Any]


class UnreadableJournalError(Exception):
    """A recording that cannot be read; the message names file, line and cause."""


@dataclass(slots=True)
class Recording:
    """Entries by kind. Each has `kind` and `at_s`, twin seconds since 1970.

    | kind | what it says |
    |---|---|
    | `drill` | first of all: scenario, sides, objectives, seed, speed, versions |
    | `environment` | how far the stage is: `up`, `deployed`, `refused`, `steady`, `unsteady` |
    | `strike` | the moment that everything is counted from |
    | `step` | something was broken, mended or ordered |
    | `told` | something happened in the twin |
    | `look` | the orchestrator looked: phase, verdict, sentence |
    | `call` | a call of the API that moves something or was refused |
    | `run` | a function ended |
    | `delivery` | an event was delivered, or was not |
    | `sample` | who serves, which databases write, how far the standby is behind |
    | `rows` | what a database holds in the end |
    | `probe` | what was asked of the stack, and what it answered |
    | `write`, `read` | from a client's ledger |
    | `end` | last of all: `finished`, `interrupted` or `failed` |
    """

    _kinds: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))

    def add(self, entry: Entry) -> None:
        """Add one entry."""
        self._kinds[str(entry["kind"])].append(entry)

    def of(self, kind: str) -> Sequence[Entry]:
        """Return the entries of a kind, in the order in which they were written."""
        return self._kinds.get(kind, [])

    @property
    def head(self) -> Entry:
        """The first entry: what was to be played, and on what."""
        return self.of("drill")[0]

    @property
    def strike_s(self) -> float | None:
        """When the disaster struck; `None` before."""
        found = self.of("strike")
        return float(found[0]["at_s"]) if found else None

    @property
    def now_s(self) -> float:
        """The newest moment that anything is known of."""
        times = [float(many[-1]["at_s"]) for many in self._kinds.values() if many]
        return max(times, default=0.0)

    @property
    def steady(self) -> bool:
        """Whether a steady state was proven before the disaster."""
        return any(entry["state"] == "steady" for entry in self.of("stage"))

    @property
    def ended(self) -> str:
        """How it ended; an interrupted drill may not have said so."""
        found = self.of("end")
        return str(found[-1]["how"]) if found else "interrupted"

    def since_strike(self, kind: str) -> Iterator[Entry]:
        """Yield the entries of a kind from the strike on."""
        strike_s = self.strike_s
        if strike_s is not None:
            yield from (entry for entry in self.of(kind) if float(entry["at_s"]) >= strike_s)

    def all(self) -> list[Entry]:
        """Return every entry, by time."""
        return sorted((item for many in self._kinds.values() for item in many), key=_at_s)

    def sort(self) -> None:
        """Put each kind in the order of time: every client has a file of its own."""
        for many in self._kinds.values():
            many.sort(key=_at_s)

    @classmethod
    def of_entries(cls, entries: Iterable[Entry]) -> Self:
        """Return a recording of some entries."""
        made = cls()
        for entry in entries:
            made.add(entry)
        return made

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read a recording from its directory, or from the journal in it.

        Raises:
            UnreadableError: If there is none, or it is of another version.
        """
        directory = place.parent if place.is_file() else place
        journal = place if place.is_file() else directory / JOURNAL
        made = cls.of_entries(_lines(journal))
        for file in sorted(directory.glob(LEDGERS)):
            for entry in _lines(file):
                made.add(entry)
        made.sort()
        if not made.of("drill"):
            msg = f"{journal}: no journal of a drill: its first line is missing"
            raise UnreadableJournalError(msg)
        if made.head.get("schema") != SCHEMA:
            msg = f"{journal}:1: schema {made.head.get('schema')}, and this version reads {SCHEMA}"
            raise UnreadableJournalError(msg)
        return made


def _at_s(entry: Entry) -> float:
    return float(entry["at_s"])


def _lines(file: Path) -> Iterator[Entry]:
    """Yield the entries of a file; the last line may be cut off, no other.

    Raises:
        UnreadableError: If it cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file}: cannot be read: {error}"
        raise UnreadableJournalError(msg) from None
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            entry["kind"], float(entry["at_s"])
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                return
            msg = f"{file}:{number}: no entry of a journal: {type(error).__name__}: {error}"
            raise UnreadableJournalError(msg) from None
        yield entry
