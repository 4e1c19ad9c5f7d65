"""Whether the instrument of a drill, this machine, kept up with the twin's time.

At a high speed, or beside other work, everything in a twin runs late: heartbeats, health checks,
clients. A claim that fails then may have failed by the machine and not by the stack. A claim that
passes has passed under harder conditions: lateness lengthens every outage and every lag.
"""

from dataclasses import dataclass

from otherside.drill.entries import SampleEntry
from otherside.drill.recording import Recording

LATE_MAX_S = 4.0
"""How late the instrument may be once, in twin seconds: less than the five seconds of the shortest
limits of the claims and of the stack (an interruption, the loss that needs no approval)."""
LATE_OFTEN_S = 1.0
"""How late it may be in one sample of twenty: a heartbeat is written each second, so more than that
adds up to what looks like a dead writer."""
_MARGIN = 1.3
_ONE_IN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """How late the instrument ran while the stack was watched, in twin seconds.

    `None` if it was not measured, as in virtual time.
    """

    late_s: float | None
    """The most."""
    late_often_s: float | None
    """What one sample of twenty exceeded, or one of fewer."""
    speed: float
    """Twin seconds per machine second, at the slowest."""

    @property
    def kept_time(self) -> bool:
        """Whether it was never later than the claims can bear."""
        return self._excess <= 1.0

    @property
    def advice(self) -> str:
        """What happened and what to do, in one sentence; empty if it kept time."""
        if self.kept_time:
            return ""
        slower = max(1.0, self.speed / self._excess / _MARGIN)
        return (
            f"this machine ran late: up to {self.late_s:.1f} twin seconds, and often "
            f"{self.late_often_s:.1f}; repeat with --speed {slower:.0f}, or with less beside it"
        )

    @property
    def _excess(self) -> float:
        """How many times later than allowed it was."""
        if self.late_s is None or self.late_often_s is None:
            return 0.0
        return max(self.late_s / LATE_MAX_S, self.late_often_s / LATE_OFTEN_S)


def judge(recording: Recording) -> Instrument:
    """Return how late the instrument of a recording was, from the strike on."""
    samples = recording.since_strike(SampleEntry)
    late = sorted((sample.late_s for sample in samples if sample.late_s is not None), reverse=True)
    # One in twenty is set aside, and one of fewer: a single late sample of three is not often.
    aside = min(max(1, len(late) // _ONE_IN), len(late) - 1)
    return Instrument(
        late_s=late[0] if late else None,
        late_often_s=late[aside] if late else None,
        speed=recording.speeds[0],
    )
