"""What the evidence means: one total function from signals to a verdict."""

from dataclasses import dataclass
from enum import StrEnum

from otherside.failover.decision.observation import Reading, Signals

BAD, GOOD = Reading.BAD, Reading.GOOD
WITNESSES_MIN = 3
"""How many of the five main signals must be bad before a Region is called dead."""


class Verdict(StrEnum):
    """What is wrong, if anything. Only the first two may ever move the writer by themselves."""

    REGION_DEAD = "region-dead"
    """Most of the main signals are bad, from inside and from outside, and nothing answers."""
    WRITER_DEAD = "writer-dead"
    """No write works, and the Region answers: Aurora replaces it by itself first."""
    REGION_SILENT = "region-silent"
    """As good as dead, and RDS in the Region answers: its machines may be being replaced."""
    REPLICATION_CUT = "replication-cut"
    """Replication stands still while users are served: the classic way to split a brain."""
    PROBE_FAULT = "probe-fault"
    """One of the probes says otherwise than all the rest."""
    APP_BUG_BOTH = "app-bug-both"
    """The same build is broken on both sides: moving would help nobody."""
    APP_FAULT_PRIMARY = "app-fault-primary"
    """The application is broken on the primary alone: a switchover would lose nothing."""
    SELF_SUSPECT = "self-suspect"
    """We cannot trust our own eyes."""
    CONTROL_PLANE = "control-plane"
    """RDS in the primary's Region does not answer; nothing else is bad."""
    UNCERTAIN = "uncertain"
    """Anything else: nothing is known well enough."""
    HEALTHY = "healthy"
    """Writes work, and no main signal is bad."""


DEADLY = frozenset({Verdict.REGION_DEAD, Verdict.WRITER_DEAD, Verdict.REGION_SILENT})
"""What may lead to a failover; the last of them only by a person's word."""
BLIND = frozenset({Verdict.UNCERTAIN, Verdict.SELF_SUSPECT})
"""What says that too little was found out: it neither confirms nor clears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The signals as they count now: old ones are UNKNOWN."""

    standby_canary: Reading
    witness_canary: Reading
    heartbeat: Reading
    app_pulse: Reading
    write_pulse: Reading
    dns_health: Reading
    control_plane: Reading
    self_test: Reading
    standby_app: Reading

    @property
    def writes_live(self) -> bool:
        """Whether any way to write was seen to work: this vetoes a move that loses data."""
        ways = (self.standby_canary, self.witness_canary, self.heartbeat, self.write_pulse)
        return GOOD in ways

    @property
    def main(self) -> tuple[Reading, ...]:
        """The five signals that a majority is counted over."""
        return (
            self.standby_canary,
            self.witness_canary,
            self.heartbeat,
            self.write_pulse,
            self.dns_health,
        )

    @property
    def bad(self) -> int:
        """Return how many of the main signals are bad."""
        return self.main.count(BAD)


def weigh(signals: Signals, now_s: float, fresh_s: float) -> Evidence:
    """Return the evidence as it counts at one moment."""
    return Evidence(
        **{name: getattr(signals, name).at(now_s, fresh_s) for name in Evidence.__slots__}
    )


def judge(evidence: Evidence) -> Verdict:
    """Return what the evidence means. Total: every combination has a verdict."""
    if evidence.self_test is BAD:
        return Verdict.SELF_SUSPECT
    outside = (evidence.standby_canary, evidence.witness_canary, evidence.dns_health)
    if evidence.writes_live:
        return _judge_living(evidence, outside)
    if evidence.self_test is not GOOD:
        return Verdict.UNCERTAIN
    inside_bad = BAD in (evidence.heartbeat, evidence.write_pulse)
    if evidence.heartbeat is BAD and evidence.write_pulse is BAD and _region_answers(evidence):
        return Verdict.WRITER_DEAD
    third_party_bad = BAD in (evidence.witness_canary, evidence.dns_health)
    many = evidence.bad >= WITNESSES_MIN
    if many and inside_bad and third_party_bad and _region_is_silent(evidence):
        # One machine that is replaced silences every other signal; RDS is none of its.
        lives = evidence.control_plane is GOOD
        return Verdict.REGION_SILENT if lives else Verdict.REGION_DEAD
    if BAD in (*evidence.main, evidence.app_pulse):
        return Verdict.UNCERTAIN
    return Verdict.CONTROL_PLANE if evidence.control_plane is BAD else Verdict.UNCERTAIN


def _region_answers(evidence: Evidence) -> bool:
    return GOOD in (evidence.app_pulse, evidence.dns_health)


def _region_is_silent(evidence: Evidence) -> bool:
    """Return whether the Region is known not to answer; not knowing that it does is not enough."""
    return BAD in (evidence.app_pulse, evidence.dns_health) and not _region_answers(evidence)


def _judge_living(evidence: Evidence, outside: tuple[Reading, ...]) -> Verdict:
    """Return the verdict where some write was just seen to work."""
    if evidence.heartbeat is BAD and GOOD in outside[:2]:
        return Verdict.REPLICATION_CUT
    match outside.count(BAD):
        case 0 if evidence.control_plane is BAD:
            return Verdict.CONTROL_PLANE
        case 0:
            return Verdict.HEALTHY if BAD not in evidence.main else Verdict.UNCERTAIN
        case 1:
            return Verdict.PROBE_FAULT
        case 2:
            return Verdict.UNCERTAIN
        case _:
            pass
    if evidence.standby_app is BAD:
        return Verdict.APP_BUG_BOTH
    return Verdict.APP_FAULT_PRIMARY if evidence.standby_app is GOOD else Verdict.UNCERTAIN
