"""A recording as a human-readable timeline: one line per significant event, by lane."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from otherside.drill.entries import (
    CallEntry,
    EndEntry,
    Entry,
    EventEntry,
    ProbeEntry,
    SampleEntry,
    StageEntry,
    StepEntry,
    StrikeEntry,
    TickEntry,
    WriteEntry,
)
from otherside.drill.measurements import ACKNOWLEDGED, INTERRUPTED_S, MOVES
from otherside.drill.recording import Recording


class Lane(StrEnum):
    """The component responsible for an event, in the order of the report page."""

    STAGE = "stage"
    DISASTER = "disaster"
    USERS = "users"
    DNS = "dns"
    ALARMS = "alarms"
    ORCHESTRATOR = "orchestrator"
    DATABASE = "database"
    PEOPLE = "people"
    STACK = "stack"


_LANES = {
    "program": Lane.STAGE,
    "dns": Lane.DNS,
    "alarm": Lane.ALARMS,
    "event": Lane.ALARMS,
    "database": Lane.DATABASE,
    "backup": Lane.DATABASE,
    "secret": Lane.DATABASE,
    "notice": Lane.PEOPLE,
    "function": Lane.STACK,
    "instance": Lane.STACK,
    "target": Lane.STACK,
    "twin": Lane.STACK,
}


class Tone(StrEnum):
    """Whether an event is good news for users, bad news, or neither."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"


_TONES = {"failed-over": Tone.GOOD, "halted": Tone.BAD, "blocked": Tone.BAD}
TimelineEntry = tuple[Lane, str, bool, Tone]
"""The lane, the text, whether the entry is urgent, and its tone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event on the timeline."""

    at_s: float
    """Twin seconds since 1970."""
    lane: Lane
    text: str
    urgent: bool = False
    """Whether a reader should look at it first."""
    tone: Tone = Tone.PLAIN


@dataclass(slots=True)
class Timeline:
    """Turns journal entries into timeline lines; keeps only the state needed to skip repeats."""

    _phase: str = ""
    _serves: object = ""
    _served_s: float | None = None
    _away: bool = False
    _struck: bool = False
    _told: set[str] = field(default_factory=set)
    _last: dict[Lane, str] = field(default_factory=dict)

    def tell(self, entry: Entry) -> Iterator[Line]:
        """Yield the timeline lines for an entry."""
        at_s = entry.at_s
        for lane, text, urgent, tone in self._lines(entry):
            if self._last.get(lane) == text:
                continue  # the lane's last line already says this
            self._last[lane] = text
            yield Line(at_s=at_s, lane=lane, text=text, urgent=urgent, tone=tone)

    def _lines(self, entry: Entry) -> Iterator[TimelineEntry]:
        if isinstance(entry, StrikeEntry):
            self._struck = True
        elif isinstance(entry, TickEntry | EventEntry | CallEntry):
            yield from self._from_cloud(entry)
        else:
            yield from self._from_drill(entry)

    def _from_cloud(self, entry: TickEntry | EventEntry | CallEntry) -> Iterator[TimelineEntry]:
        match entry:
            case TickEntry():
                yield from self._on_tick(entry)
            case EventEntry():
                yield from self._on_event(entry)
            case CallEntry():
                yield from self._on_call(entry)

    def _from_drill(self, entry: Entry) -> Iterator[TimelineEntry]:
        match entry:
            case StageEntry():
                yield from self._on_stage(entry)
            case StepEntry():
                yield from self._on_step(entry)
            case ProbeEntry():
                yield from self._on_probe(entry)
            case EndEntry():
                yield from self._on_end(entry)
            case SampleEntry():
                yield from self._on_sample(entry)
            case WriteEntry():
                yield from self._on_write(entry)
            case _:  # the others are for assertions and measurements alone
                return

    def _on_stage(self, entry: StageEntry) -> Iterator[TimelineEntry]:
        bad = entry.state in {"unsteady", "refused"}
        yield Lane.STAGE, f"{entry.state}: {entry.text}", bad, Tone.BAD if bad else Tone.PLAIN

    def _on_step(self, entry: StepEntry) -> Iterator[TimelineEntry]:
        yield Lane.DISASTER, entry.text, True, Tone.PLAIN

    def _on_probe(self, entry: ProbeEntry) -> Iterator[TimelineEntry]:
        passed = entry.verdict == "passed"
        tone = Tone.GOOD if passed else Tone.BAD
        yield Lane.STACK, f"{entry.name}: {entry.text}", not passed, tone

    def _on_end(self, entry: EndEntry) -> Iterator[TimelineEntry]:
        if entry.how != "finished":
            yield Lane.STAGE, f"{entry.how}: {entry.text}", True, Tone.BAD

    def _on_tick(self, entry: TickEntry) -> Iterator[TimelineEntry]:
        """Report an observation that changes the phase; skip what a late one repeats."""
        known = f"{entry.event_id}{entry.phase}"
        if entry.phase != self._phase and known not in self._told:
            self._phase = entry.phase
            self._told.add(known)
            text = f"{entry.phase}: {entry.reason}"
            yield (
                Lane.ORCHESTRATOR,
                text,
                entry.phase != "steady",
                _TONES.get(entry.phase, Tone.PLAIN),
            )

    def _on_sample(self, entry: SampleEntry) -> Iterator[TimelineEntry]:
        if entry.serves != self._serves:
            self._serves = entry.serves
            where = f"the {entry.serves}" if entry.serves else "no address"
            yield Lane.DNS, f"the public name resolves to {where}", False, Tone.PLAIN

    def _on_write(self, entry: WriteEntry) -> Iterator[TimelineEntry]:
        """Report when writes stop and when the first one is accepted again."""
        at_s = entry.at_s
        if entry.status in ACKNOWLEDGED:
            if self._away:
                gone_s = at_s - (self._served_s or at_s)
                by = f", by {entry.region}" if entry.region else ""
                text = f"first write accepted after {gone_s:.0f} s{by}"
                yield Lane.USERS, text, True, Tone.GOOD
            self._served_s, self._away = at_s, False
            return
        since_s = at_s - self._served_s if self._served_s is not None else 0.0
        if self._struck and not self._away and since_s > INTERRUPTED_S:
            self._away = True
            why = entry.error or f"status {entry.status}"
            yield Lane.USERS, f"writes are no longer accepted: {why}", True, Tone.BAD

    def _on_event(self, entry: EventEntry) -> Iterator[TimelineEntry]:
        what, text = entry.what, entry.text
        lane = _LANES.get(what)
        well = text.startswith("OK:") or (what == "alarm" and not text.endswith(" ALARM"))
        if lane is None or well or not (self._struck or what == "program"):
            return
        where = f"{entry.region}: " if entry.region else ""
        tone = Tone.BAD if what == "twin" or text.endswith(" ALARM") else Tone.PLAIN
        yield lane, f"{where}{text}", what in {"notice", "twin"}, tone

    def _on_call(self, entry: CallEntry) -> Iterator[TimelineEntry]:
        who = entry.principal.rpartition("/")[2]
        if entry.refused:
            text = f"{who} is refused {entry.service}:{entry.operation}: {entry.error}"
            yield Lane.STACK, text, True, Tone.BAD
        elif entry.operation in MOVES:
            yield Lane.ORCHESTRATOR, f"{who} calls {entry.operation}", True, Tone.PLAIN


def tell(recording: Recording) -> list[Line]:
    """Return the timeline of a whole recording, ordered by time."""
    return list(_tell(recording.all()))


def _tell(entries: Iterable[Entry]) -> Iterator[Line]:
    timeline = Timeline()
    for entry in entries:
        yield from timeline.tell(entry)
