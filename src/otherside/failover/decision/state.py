"""What the orchestrator remembers: one frozen value, committed as one revision at a time."""

from dataclasses import dataclass
from enum import StrEnum

from otherside.core.topology import Side
from otherside.failover.decision.observation import Move
from otherside.failover.decision.verdict import Verdict


class Phase(StrEnum):
    """Where the orchestrator stands."""

    STEADY = "steady"
    """The writer is at home, and nothing deadly is seen."""
    SUSPECT = "suspect"
    """Something deadly is seen; it must be seen for the whole confirmation window."""
    AWAIT_APPROVAL = "await-approval"
    """Confirmed, and a person has to say yes: by the design, by what would be lost, or by both."""
    BLOCKED = "blocked"
    """Confirmed, and not allowed: the reason is in the revision."""
    FENCING = "fencing"
    """Waiting until the old writer's lease has run out."""
    PROMOTE_INTENT = "promote-intent"
    """The wish to promote is committed, and the actuator is woken."""
    PROMOTING = "promoting"
    """Aurora says that it moves the writer."""
    VERIFY = "verify"
    """Waiting until a row of this epoch was written on the new side and read back."""
    SHIFT = "shift"
    """Users are held on the new side; waiting until DNS says so."""
    FAILED_OVER = "failed-over"
    """One Region alone serves everybody."""
    REJOINED = "rejoined"
    """The old side follows again; a person signs what became of the lost writes."""
    FAILBACK_READY = "failback-ready"
    """Stable for long enough to go back, when asked."""
    SWITCH_PRECHECK = "switch-precheck"
    """A switchover is asked for; it must be fit for one for a while."""
    SWITCH_INTENT = "switch-intent"
    """The wish to switch over is committed, and the actuator is woken."""
    SWITCHING = "switching"
    """Aurora says that it switches over."""
    HALTED = "halted"
    """Only a person gets it out of here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A committed wish to move the writer. It expires: a late actor must find it stale."""

    epoch: int
    attempt: int
    move: Move
    target: Side
    not_after_s: float
    free_from_s: float = 0.0
    """From when on a move was nobody's to allow, before this epoch was begun."""
    instead: bool = False
    """Whether it takes over from a switchover of ours that stands still beside a dead Region."""

    @property
    def operation(self) -> str:
        """The name of this very attempt."""
        return f"{self.epoch}.{self.attempt}"


class Trouble(StrEnum):
    """What is wrong while the standby serves everyone, and nothing may be moved by itself."""

    NONE = "none"
    NO_WRITES = "no-writes"
    """The writer is there, and takes none."""
    DRIFTING = "drifting"
    """DNS leads users back to the side that was given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One revision."""

    revision: int
    phase: Phase
    since_s: float
    """When the phase was entered."""
    entered: int = 0
    """The revision that entered it: orders for any later one of the same phase count."""
    entered_by: str = ""
    """The event that led here, for whoever reads states and not sentences."""
    anchored: bool = False
    """Whether the database itself has told its writer and its epoch: until then nobody knows
    whether this is a first day or a table that was lost."""
    writer: Side
    """The side that holds the writer, as last committed."""
    epoch: int = 0
    """Counts committed attempts to move the writer."""
    latched: bool | None = False
    """Whether users are held on the standby; `None` where nobody knows any more, so that whatever
    holds them now is left alone."""
    verdict: Verdict = Verdict.HEALTHY
    unwell_since_s: float | None = None
    """Since when the verdict has been another than healthy, without a break."""
    failing: tuple[str, ...] = ()
    """What was asked of the world and could not be had, at the last look that could tell."""
    failing_since_s: float | None = None
    trouble: Trouble = Trouble.NONE
    flaps: int = 0
    """How many suspicions followed one another closely."""
    flapped_s: float = -1e9
    """When the last of them began."""
    asked_loss_s: float | None = None
    """What a person was told that a failover would lose; `None` where nobody could say."""
    bad_since_s: float | None = None
    """Since when a deadly verdict has held without a break."""
    looked_s: float = 0.0
    """When a deadly verdict was last seen to hold."""
    intent: Intent | None = None
    block_until_s: float = 0.0
    """No automatic move before this: a second disaster within the hour is a person's call."""
    quiet_until_s: float = 0.0
    """No new move before this: an actor of the last one may still be about to call."""
    moved_s: float = -1e9
    """When the writer was last seen to have moved. For a while, old descriptions say otherwise."""
    fenced_s: float | None = None
    """Since when the lease is known to be closed, while fencing."""
    frozen_until_s: float = 0.0
    """A person asked that nothing moves before this."""
    heeded_s: float = 0.0
    """When that person asked."""
    denied: bool = False
    """A person said no: nothing is asked again until the writer has been seen to live."""
    told_s: float = -1e9
    """When a person was last told that this phase waits for one."""
    loss_estimate_s: float | None = None
    """What the last confirmed failover would lose, by what was known."""
    loss_bound_s: float | None = None
    """The most that it could lose."""
    reconciled: bool = False
    """Whether a person has signed what became of the writes that were lost."""
    reason: str = "nothing has happened yet"


def first(now_s: float) -> State:
    """Return the state before the first revision: the writer is at home."""
    return State(revision=0, phase=Phase.STEADY, since_s=now_s, writer=Side.PRIMARY)
