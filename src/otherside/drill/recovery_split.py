"""Where the recovery time went: the longest write outage, cut at what the orchestrator did.

The whole is measured from the clients' ledgers. The cuts are the orchestrator's own ticks and
calls, so each is late by up to one tick.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from otherside.drill.entries import CallEntry, TickEntry
from otherside.drill.measurements import MOVES, Measures, Outage
from otherside.drill.recording import Recording
from otherside.failover.decision.state import Phase

PLANNED_S = {
    "detect": 20.0,
    "confirm": 47.0,
    "decide": 0.0,
    "fence": 6.0,
    "promote": 60.0,
    "verify": 8.0,
    "DNS": 0.0,
}
"""What each part is expected to take when a Region is lost: until the last pulse is too old, the
shorter confirmation window and a look, nobody to ask, two looks at a lease that was closed within
that window, Aurora's minute, a write read back, and names that the health checkers have moved."""
PARTS = tuple(PLANNED_S)
"""The parts, in order."""
LATE_S = 30.0
"""A tick that reports what ended the outage may come after the first write that was accepted."""
_ASKING = {Phase.AWAIT_APPROVAL, Phase.BLOCKED}
_UNDER_WAY = {
    Phase.SUSPECT: "confirm",
    Phase.AWAIT_APPROVAL: "decide",
    Phase.BLOCKED: "decide",
    Phase.FENCING: "fence",
    Phase.PROMOTE_INTENT: "promote",
    Phase.PROMOTING: "promote",
    Phase.VERIFY: "verify",
    Phase.SHIFT: "DNS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPart:
    """One part of the recovery. Times are twin seconds since 1970."""

    name: str
    """`detect`, `confirm`, `decide` (waiting for a person), `fence`, `promote`, `verify`, `DNS`."""
    from_s: float
    to_s: float

    @property
    def seconds(self) -> float:
        """How long it took, in twin seconds."""
        return self.to_s - self.from_s

    @property
    def planned_s(self) -> float:
        """How long it is expected to take."""
        return PLANNED_S[self.name]


def part_of(phase: str) -> str | None:
    """Return the part of a recovery that is under way in a phase, if any is."""
    return next((part for known, part in _UNDER_WAY.items() if known == phase), None)


def split(recording: Recording, measures: Measures) -> tuple[RecoveryPart, ...]:
    """Return the parts of the longest write outage in order; they add up to the RTO for writes.

    Empty if writes never stopped or never recovered, or if no failover of ours ended the outage.
    """
    outage = _longest(measures)
    if measures.rto_write_s is None or outage is None or outage.to_s is None:
        return ()
    cuts = list(_cuts(recording, outage))
    if "promote" not in dict(cuts):
        return ()
    parts: list[RecoveryPart] = []
    from_s = outage.from_s
    for name, ends_s in [*cuts, ("DNS", outage.to_s)]:
        to_s = min(max(from_s, ends_s), outage.to_s)
        parts.append(RecoveryPart(name=name, from_s=from_s, to_s=to_s))
        from_s = to_s
    return tuple(parts)


def _longest(measures: Measures) -> Outage | None:
    ended = [outage for outage in measures.outages_write if outage.seconds is not None]
    return max(ended, key=lambda outage: outage.seconds or 0.0, default=None)


def _cuts(recording: Recording, outage: Outage) -> Iterator[tuple[str, float]]:
    """Yield each part that was gone through, with the time at which it ended."""
    assert outage.to_s is not None, "an outage that ended"
    ticks = [
        tick for tick in recording.since_strike(TickEntry) if tick.at_s <= outage.to_s + LATE_S
    ]
    fenced = next((tick.at_s for tick in ticks if tick.phase == Phase.FENCING), None)
    called = [
        call.at_s
        for call in recording.since_strike(CallEntry)
        if call.operation in MOVES
        and not call.refused
        and outage.from_s <= call.at_s <= outage.to_s
    ]
    if fenced is None or not called:
        return
    before = [tick for tick in ticks if tick.at_s <= fenced]
    yield "detect", next((tick.at_s for tick in before if tick.phase != Phase.STEADY), fenced)
    asked = next((tick.at_s for tick in before if tick.phase in _ASKING), None)
    if asked is not None:
        yield "confirm", asked
        yield "decide", fenced
    else:
        yield "confirm", fenced
    yield "fence", called[-1]
    for name, phase in (("promote", Phase.VERIFY), ("verify", Phase.SHIFT)):
        found = [tick.at_s for tick in ticks if tick.phase == phase and tick.at_s > called[-1]]
        yield name, min(found, default=outage.to_s)
