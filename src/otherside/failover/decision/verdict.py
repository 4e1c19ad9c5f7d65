"""What the evidence means: one total function from signals to a verdict."""

from dataclasses import dataclass
from enum import StrEnum

from otherside.failover.decision.observation import Reading, Signals

BAD, GOOD = Reading.BAD, Reading.GOOD
WITNESSES_MIN = 3
"""How many of the five main signals must be bad before a Region counts as dead."""


class Verdict(StrEnum):
    """What is wrong, if anything. Only the first two may move the writer without a person."""

    REGION_DEAD = "region-dead"
    """Most main signals are bad, both inside and outside the Region, and nothing there answers."""
    WRITER_DEAD = "writer-dead"
    """No write works, but the Region answers: Aurora gets time to replace the writer itself."""
    REGION_SILENT = "region-silent"
    """Silent like a dead Region, but RDS there answers: its machines may be being replaced."""
    REPLICATION_CUT = "replication-cut"
    """Replication has stopped while users are served: the classic way to a split brain."""
    PROBE_FAULT = "probe-fault"
    """One probe contradicts all the others."""
    APP_BUG_BOTH = "app-bug-both"
    """The same build is broken on both sides: a move would not help."""
    APP_FAULT_PRIMARY = "app-fault-primary"
    """The application is broken on the primary only: a switchover would lose nothing."""
    SELF_SUSPECT = "self-suspect"
    """The orchestrator cannot trust its own observations."""
    CONTROL_PLANE = "control-plane"
    """RDS in the primary's Region does not answer; nothing else is bad."""
    UNCERTAIN = "uncertain"
    """Anything else: too little is known."""
    HEALTHY = "healthy"
    """Writes work, and no main signal is bad."""


DEADLY = frozenset({Verdict.REGION_DEAD, Verdict.WRITER_DEAD, Verdict.REGION_SILENT})
"""Verdicts that may lead to a failover; the last one only if a person approves."""
BLIND = frozenset({Verdict.UNCERTAIN, Verdict.SELF_SUSPECT})
"""Verdicts that mean too little was found out: they neither confirm nor clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The signals as they count now; outdated ones are UNKNOWN."""

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
        """Whether any write path was seen to work: this vetoes a move that loses data."""
        ways = (self.standby_canary, self.witness_canary, self.heartbeat, self.write_pulse)
        return GOOD in ways

    @property
    def main(self) -> tuple[Reading, ...]:
        """The five signals over which the majority is counted."""
        return (
            self.standby_canary,
            self.witness_canary,
            self.heartbeat,
            self.write_pulse,
            self.dns_health,
        )

    @property
    def unanimous(self) -> bool:
        """Whether everything is bad that can be: inside and outside, by all three parties."""
        rest = (self.app_pulse, self.control_plane)
        return self.bad == len(self.main) and rest == (BAD, BAD) and self.self_test is GOOD

    @property
    def bad(self) -> int:
        """Return the number of main signals that are bad."""
        return self.main.count(BAD)


def weigh(signals: Signals, now_s: float, fresh_s: float) -> Evidence:
    """Return the evidence as it counts at a given time."""
    return Evidence(
        **{name: getattr(signals, name).at(now_s, fresh_s) for name in Evidence.__slots__}
    )


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on the evidence. Total: every combination has one."""
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
        # Replacing a single machine silences every other signal, but not RDS.
        lives = evidence.control_plane is GOOD
        return Verdict.REGION_SILENT if lives else Verdict.REGION_DEAD
    if BAD in (*evidence.main, evidence.app_pulse):
        return Verdict.UNCERTAIN
    return Verdict.CONTROL_PLANE if evidence.control_plane is BAD else Verdict.UNCERTAIN


def _region_answers(evidence: Evidence) -> bool:
    return GOOD in (evidence.app_pulse, evidence.dns_health)


def _region_is_silent(evidence: Evidence) -> bool:
    """Return whether the Region is known not to answer; not knowing it is not enough."""
    return BAD in (evidence.app_pulse, evidence.dns_health) and not _region_answers(evidence)


def _judge_living(evidence: Evidence, outside: tuple[Reading, ...]) -> Verdict:
    """Return the verdict while some write was just seen to work."""
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
