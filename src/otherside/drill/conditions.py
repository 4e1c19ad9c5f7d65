"""When something came true, as pure readings of a recording: what steps and ends wait for."""

from collections.abc import Callable

from otherside.drill.measurements import ACKNOWLEDGED, INTERRUPTED_S
from otherside.drill.recording import Entry, Recording

WATCHED_S = 165.0
"""How long a stack is watched that must not move, in twin seconds: where a Region is lost, the
orchestrator fences about 110 s after the strike."""
SEEN_S = 400.0
"""How long one is watched at the most until the orchestrator sees what is wrong with it: a few of
its looks, for any single one may meet a hiccup and be uncertain."""
Condition = Callable[[Recording], float | None]
"""Return when something came true, in twin seconds since 1970; `None` while it has not."""


def strike(recording: Recording) -> float | None:
    """Return when the disaster struck."""
    return recording.strike_s


def phase(name: str, *, times: int = 1) -> Condition:
    """Return when the orchestrator entered a phase, for the n-th time since the strike.

    A look of an older revision was taken by a function that is late, and enters nothing.
    """

    def found(recording: Recording) -> float | None:
        before, count, newest = None, 0, 0.0
        for look in recording.since_strike("look"):
            revision = float(str(look["event_id"]).rpartition("/")[2])
            if revision < newest:
                continue
            newest = revision
            count += look["phase"] == name != before
            before = look["phase"]
            if count == times:
                return float(look["at_s"])
        return None

    return found


def _first(kind: str, fits: Callable[[Entry], bool]) -> Condition:
    """Return when something of a kind that fits was first written down since the strike."""

    def found(recording: Recording) -> float | None:
        times = (float(entry["at_s"]) for entry in recording.since_strike(kind) if fits(entry))
        return next(times, None)

    return found


def seen(verdict: str) -> Condition:
    """Return when the orchestrator first saw what is wrong for what it is, since the strike."""
    return _first("look", lambda look: look["verdict"] == verdict)


def told(text: str, *, what: str = "") -> Condition:
    """Return when the twin first told of something, by a part of its words, since the strike."""
    return _first("told", lambda item: text in item["text"] and what in {"", item["what"]})


def called(operation: str) -> Condition:
    """Return when an operation of AWS was first called since the strike."""
    return _first("call", lambda item: item["operation"] == operation)


def served_for(seconds: float, moment: Condition = strike) -> Condition:
    """Return when writes had been served for so long after a moment, without a longer pause."""

    def found(recording: Recording) -> float | None:
        from_s = moment(recording)
        if from_s is None:
            return None
        began_s = before_s = None
        for write in recording.of("write"):
            if write["status"] not in ACKNOWLEDGED or write["at_s"] < from_s:
                continue
            at_s = float(write["at_s"])
            if before_s is None or at_s - before_s > INTERRUPTED_S:
                began_s = at_s
            before_s = at_s
            if began_s is not None and at_s - began_s >= seconds:
                return at_s
        return None

    return found


def led_to(side: str, seconds: float, moment: Condition = strike) -> Condition:
    """Return when users had been led to a side for so long, after a moment."""

    def found(recording: Recording) -> float | None:
        from_s = moment(recording)
        began_s = None
        for sample in recording.of("sample"):
            if from_s is None or sample["at_s"] < from_s or sample["serves"] != side:
                began_s = None
                continue
            began_s = float(sample["at_s"]) if began_s is None else began_s
            if sample["at_s"] - began_s >= seconds:
                return float(sample["at_s"])
        return None

    return found


def later(seconds: float, moment: Condition = strike) -> Condition:
    """Return when a span has passed since a moment."""

    def found(recording: Recording) -> float | None:
        from_s = moment(recording)
        if from_s is None or recording.now_s < from_s + seconds:
            return None
        return from_s + seconds

    return found


def every(*moments: Condition) -> Condition:
    """Return when the last of some moments had come."""

    def found(recording: Recording) -> float | None:
        times = [moment(recording) for moment in moments]
        known = [time for time in times if time is not None]
        return max(known) if len(known) == len(times) else None

    return found
