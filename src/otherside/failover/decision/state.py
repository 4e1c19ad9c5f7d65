"""The orchestrator's memory: one frozen value, committed one revision at a time."""

from dataclasses import dataclass
from enum import StrEnum

from otherside.core.topology import Side
from otherside.failover.decision.observation import Move
from otherside.failover.decision.verdict import Verdict


class Phase(StrEnum):
    """The phase of the orchestrator."""

    STEADY = "steady"
    """The writer is at home, and no deadly verdict holds."""
    SUSPECT = "suspect"
    """A deadly verdict holds; it must hold for the whole confirmation window."""
    AWAIT_APPROVAL = "await-approval"
    """Confirmed, but a person must approve: because of the mode, the expected loss, or a doubt."""
    BLOCKED = "blocked"
    """Confirmed, but not allowed: the revision records the reason."""
    FENCING = "fencing"
    """Waiting until the old writer's lease has expired."""
    PROMOTE_INTENT = "promote-intent"
    """The intent to promote is committed, and the actuator is woken."""
    PROMOTING = "promoting"
    """Aurora reports that it is moving the writer."""
    VERIFY = "verify"
    """Waiting until a row of this epoch has been written on the new side and read back."""
    SHIFT = "shift"
    """Users are held on the new side; waiting until DNS reflects it."""
    FAILED_OVER = "failed-over"
    """One Region alone serves everyone."""
    REJOINED = "rejoined"
    """The old side follows again; a person has to sign what became of the lost writes."""
    FAILBACK_READY = "failback-ready"
    """Stable for long enough to fail back, when ordered."""
    SWITCH_PRECHECK = "switch-precheck"
    """A switchover was ordered; its preconditions must hold for a while."""
    SWITCH_INTENT = "switch-intent"
    """The intent to switch over is committed, and the actuator is woken."""
    SWITCHING = "switching"
    """Aurora reports that it is switching over."""
    HALTED = "halted"
    """Only a person can end this phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A committed intent to move the writer. It expires, so that a late actuator finds it stale."""

    epoch: int
    attempt: int
    move: Move
    target: Side
    not_after_s: float
    free_from_s: float = 0.0
    """The `block_until_s` from before this epoch, restored if the move is known not to have run."""
    instead: bool = False
    """Whether it replaces a switchover of ours that is stuck beside a dead Region."""

    @property
    def operation(self) -> str:
        """The name of this attempt, unique to it."""
        return f"{self.epoch}.{self.attempt}"


class Trouble(StrEnum):
    """What is wrong while the standby serves everyone and nothing may move automatically."""

    NONE = "none"
    NO_WRITES = "no-writes"
    """The writer is there, but takes no writes."""
    DRIFTING = "drifting"
    """DNS sends users back to the side that was given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One revision of the orchestrator's state."""

    revision: int
    phase: Phase
    since_s: float
    """When the phase was entered."""
    entered: int = 0
    """The revision that entered the phase; an order for it or a later one of this phase counts."""
    entered_by: str = ""
    """The event that led here, for programs, which do not parse sentences."""
    anchored: bool = False
    """Whether the database itself has reported its writer and its epoch. Until then, a first day
    and a lost table look the same."""
    writer: Side
    """The side that holds the writer, as last committed."""
    epoch: int = 0
    """Rises with every move of the writer that is committed or adopted; a retry keeps it."""
    latched: bool | None = False
    """Whether users are held on the standby; `None` if that is no longer known, so that the latch
    is left as it is."""
    verdict: Verdict = Verdict.HEALTHY
    unwell_since_s: float | None = None
    """Since when the verdict has been anything but healthy, without interruption."""
    failing: tuple[str, ...] = ()
    """What was asked for and could not be had, as of the last tick that could tell."""
    failing_since_s: float | None = None
    trouble: Trouble = Trouble.NONE
    flaps: int = 0
    """How many suspicions followed each other closely."""
    flapped_s: float = -1e9
    """When the last of those suspicions began."""
    asked_loss_s: float | None = None
    """The loss that a person was shown for a failover; `None` if it was unknown."""
    bad_since_s: float | None = None
    """Since when a deadly verdict has held without interruption."""
    unanimous: bool = False
    """Whether everything that can be seen was bad then."""
    looked_s: float = 0.0
    """When a deadly verdict was last seen to hold."""
    answered_s: float = -1e9
    """When RDS in the primary's Region was last seen to answer, as far as it was committed."""
    intent: Intent | None = None
    block_until_s: float = 0.0
    """No automatic move before this: a person decides about a second disaster within the hour."""
    quiet_until_s: float = 0.0
    """No new move before this: an actuator of the last one may still be about to call."""
    moved_s: float = -1e9
    """When the writer was last seen to have moved; for a while, old descriptions contradict it."""
    fenced_s: float | None = None
    """Since when the lease is known to be closed, while fencing or about to."""
    frozen_until_s: float = 0.0
    """A person ordered that nothing moves before this."""
    heeded_s: float = 0.0
    """When that order was given."""
    denied: bool = False
    """Whether a person has denied the move: nothing is asked again until the writer shows life."""
    told_s: float = -1e9
    """When people were last notified that this phase waits for a person."""
    loss_estimate_s: float | None = None
    """The estimated loss of the last confirmed failover."""
    loss_bound_s: float | None = None
    """The most that it could lose."""
    reconciled: bool = False
    """Whether a person has signed what became of the lost writes."""
    reason: str = "nothing has happened yet"


def first(now_s: float) -> State:
    """Return the state before the first revision: the writer is at home."""
    return State(revision=0, phase=Phase.STEADY, since_s=now_s, writer=Side.PRIMARY)
