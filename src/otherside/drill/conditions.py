"""Conditions that steps and scenario ends wait for: pure functions of a recording."""

from collections.abc import Callable

from otherside.drill.entries import CallEntry, EventEntry, SampleEntry, TickEntry, WriteEntry
from otherside.drill.measurements import ACKNOWLEDGED, INTERRUPTED_S
from otherside.drill.recording import E, Recording

WATCHED_S = 165.0
"""How long a stack that must not move is watched, in twin seconds: after the loss of a Region,
the orchestrator fences about 110 s after the strike."""
SEEN_S = 400.0
"""The longest wait for the orchestrator to reach the expected verdict: a few ticks, because a
hiccup can leave any single tick uncertain."""
Condition = Callable[[Recording], float | None]
"""Return when a condition became true, in twin seconds since 1970; `None` while it is not."""


def strike(recording: Recording) -> float | None:
    """Return when the disaster struck."""
    return recording.strike_s


def phase(name: str, *, times: int = 1) -> Condition:
    """Return when the orchestrator entered a phase for the n-th time since the strike.

    An observation of an older revision comes from a late function and counts as no entry.
    """

    def found(recording: Recording) -> float | None:
        before, count, newest = None, 0, 0.0
        for look in recording.since_strike(TickEntry):
            if look.revision < newest:
                continue
            newest = look.revision
            count += look.phase == name != before
            before = look.phase
            if count == times:
                return look.at_s
        return None

    return found


def _first(kind: type[E], fits: Callable[[E], bool]) -> Condition:
    """Return when the first matching entry of a kind was recorded since the strike."""

    def found(recording: Recording) -> float | None:
        times = (entry.at_s for entry in recording.since_strike(kind) if fits(entry))
        return next(times, None)

    return found


def seen(verdict: str) -> Condition:
    """Return when the orchestrator first reached a verdict since the strike."""
    return _first(TickEntry, lambda look: look.verdict == verdict)


def told(text: str, *, what: str = "") -> Condition:
    """Return when the twin first reported an event containing `text` since the strike."""
    return _first(EventEntry, lambda item: text in item.text and what in {"", item.what})


def called(operation: str) -> Condition:
    """Return when an AWS operation was first called since the strike."""
    return _first(CallEntry, lambda item: item.operation == operation)


def served_for(seconds: float, moment: Condition = strike) -> Condition:
    """Return when writes had been served without interruption for so long after a moment."""

    def found(recording: Recording) -> float | None:
        from_s = moment(recording)
        if from_s is None:
            return None
        began_s = before_s = None
        for write in recording.of(WriteEntry):
            if write.status not in ACKNOWLEDGED or write.at_s < from_s:
                continue
            at_s = write.at_s
            if before_s is None or at_s - before_s > INTERRUPTED_S:
                began_s = at_s
            before_s = at_s
            if began_s is not None and at_s - began_s >= seconds:
                return at_s
        return None

    return found


def led_to(side: str, seconds: float, moment: Condition = strike) -> Condition:
    """Return when DNS had sent users to a side for so long after a moment."""

    def found(recording: Recording) -> float | None:
        from_s = moment(recording)
        began_s = None
        for sample in recording.of(SampleEntry):
            if from_s is None or sample.at_s < from_s or sample.serves != side:
                began_s = None
                continue
            began_s = sample.at_s if began_s is None else began_s
            if sample.at_s - began_s >= seconds:
                return sample.at_s
        return None

    return found


def later(seconds: float, moment: Condition = strike) -> Condition:
    """Return when the given time has passed since a moment."""

    def found(recording: Recording) -> float | None:
        from_s = moment(recording)
        if from_s is None or recording.now_s < from_s + seconds:
            return None
        return from_s + seconds

    return found


def every(*moments: Condition) -> Condition:
    """Return when the last of several conditions became true."""

    def found(recording: Recording) -> float | None:
        times = [moment(recording) for moment in moments]
        known = [time for time in times if time is not None]
        return max(known) if len(known) == len(times) else None

    return found
