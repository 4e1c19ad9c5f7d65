"""One observation: what each signal reported and when, and how the database is described.

Not knowing is a value. A signal that could not be read is UNKNOWN, a reading that has grown old
becomes UNKNOWN, and UNKNOWN never counts as BAD: silence alone never proves a disaster.
"""

from dataclasses import dataclass
from enum import StrEnum

from otherside.core.topology import Side
from otherside.core.wire_contract import HEARTBEAT_S, LEASE_S


class Reading(StrEnum):
    """The reading of one signal."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One reading and the time at which it was true."""

    reading: Reading
    at_s: float

    def at(self, now_s: float, fresh_s: float) -> Reading:
        """Return the reading, or UNKNOWN if it is too old to describe the present."""
        return self.reading if now_s - self.at_s <= fresh_s else Reading.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """All sources of evidence. Each takes a separate path, so that no one failure affects two."""

    standby_canary: Signal
    """A write through the public name, tried from the standby's Region."""
    witness_canary: Signal
    """The same from a third Region: it distinguishes our own isolation from the primary's."""
    heartbeat: Signal
    """Whether the writer's heartbeat, as replicated into the standby, is recent."""
    app_pulse: Signal
    """The state of the application, as the writer's Region reports it in the state table."""
    write_pulse: Signal
    """Whether the database takes writes, as the writer's Region reports it in the same table."""
    dns_health: Signal
    """The result of Route 53's health checkers, read through DNS: no control plane is involved."""
    control_plane: Signal
    """Whether RDS in the primary's Region answers. Never necessary, never sufficient."""
    self_test: Signal
    """Whether we can see anything: outside names and our own table, but nothing of either side."""
    standby_app: Signal
    """Whether the same build serves reads on the standby."""


class Move(StrEnum):
    """The kinds of move of the writer."""

    FAILOVER = "failover"
    """Immediate; whatever was not replicated is lost."""
    SWITCHOVER = "switchover"
    """Waits until the target has everything; needs a healthy primary."""


class Progress(StrEnum):
    """The progress of a move that Aurora has under way."""

    MOVING = "moving"
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUnderWay:
    """A move that Aurora reports."""

    kind: Move
    target: Side
    progress: Progress


class Fitness(StrEnum):
    """Whether the side without the writer can take over."""

    FIT = "fit"
    DOUBTFUL = "doubtful"
    """Nothing is known against it: Aurora is asked, and refuses if it cannot move."""
    UNFIT = "unfit"
    """It cannot, and no approval changes that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseView:
    """The global database as its control plane describes it.

    The follower is the side that does not hold the writer.
    """

    writer: Side | None
    """`None` if the writer is not a cluster that we know."""
    move: MoveUnderWay | None
    follower_is_member: bool
    """Whether the follower belongs to the global database at all."""
    follower_has_instance: bool
    fitness: Fitness
    """Whether the follower's state lets it take over."""
    status: str
    """That state, as Aurora names it."""
    versions_match: bool
    resynced: bool
    """Whether the follower replicates from the writer."""
    alien: str | None = None
    """What in its membership is not as we created it, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseView:
    """The right to acknowledge writes, as the store records it."""

    open: bool
    """Whether it can be renewed. Once closed, it expires everywhere within one lease length."""
    seen_s: float
    """When the store reported this: later than any renewal that it accepted before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """How far the side without the writer follows, as last known."""

    replicated_s: float
    """Time of the newest of the writer's heartbeats that the other side holds."""
    lived_s: float
    """When the writer was last known to write."""
    lag_max_s: float
    """The longest lag in the last minutes during which the writer was known to write."""

    @property
    def estimate_s(self) -> float:
        """Return the estimated loss of a failover now, in seconds of writes."""
        return max(self.lag_max_s, self.lived_s - self.replicated_s) + HEARTBEAT_S

    @property
    def bound_s(self) -> float:
        """Return the most that a failover now could lose, in seconds of writes.

        A Region that is cut off from everything looks dead but may be alive: until its lease runs
        out, no one else sees the writes that it acknowledges to clients inside it.
        """
        return self.estimate_s + LEASE_S


class Order(StrEnum):
    """What a person may order."""

    SWITCHOVER = "switchover"
    ABORT = "abort"
    """Call off a switchover before Aurora is asked for it."""
    APPROVE = "approve"
    DENY = "deny"
    RESUME = "resume"
    ADOPT = "adopt"
    SIGN_RECONCILIATION = "sign-reconciliation"
    PROCEED = "proceed"
    """Go on without the proof that the phase waits for, at the author's own risk."""
    HALT = "halt"
    """Do nothing more automatically, whatever the phase."""
    FREEZE = "freeze"
    """Move nothing until the time given with it; a time in the past ends a freeze."""


BY_TWO = frozenset({Order.SWITCHOVER, Order.APPROVE, Order.RESUME, Order.ADOPT, Order.PROCEED})
"""Orders after which the writer may move or writes may be lost; the others make things safer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One order, bound to the revision that its author saw."""

    order: Order
    revision: int
    author: str
    at_s: float
    """When it was given, or the moment that it is for: before that it does not count."""
    until_s: float | None = None
    """The end of a freeze."""
    loss_s: float | None = None
    """The loss that the author was shown; an approval covers no more than that."""
    confirmed_by: tuple[str, ...] = ()
    """The principals that STS names as having given it; empty where nobody was asked."""


ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The outcome of one attempt to move the writer, as the actuator recorded it."""

    operation: str
    called: bool
    """Whether Aurora was called, or may have been: a claim without a recorded outcome counts."""
    answer: str | None
    """`ACCEPTED`, Aurora's error code if it refused, or `None` if the answer is unknown."""

    @property
    def number(self) -> int:
        """The number of the attempt within its epoch."""
        return int(self.operation.rpartition(".")[2])

    @property
    def refused(self) -> bool:
        """Whether Aurora is known to have refused, so that this attempt moved nothing."""
        return self.answer is not None and self.answer != ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that one tick found out. `None` means that the source could not be read."""

    at_s: float
    signals: Signals
    database: DatabaseView | None
    replication: Replication | None
    lease: LeaseView | None
    write_verified: bool | None
    """Whether a row of the current epoch was written to the target and read back, both by the lease
    agent at the database's own endpoint and through the name that users' writes use."""
    users_on: Side | None
    """The side that DNS answers with."""
    capacity_short: bool | None = None
    """Whether the standby runs fewer instances than it needs to serve everyone."""
    command: Command | None = None
    freeze: Command | None = None
    """The newest freeze order; it counts in any phase."""
    epoch_seen: int | None = None
    """The highest epoch known from the database's own row, which outlives our table."""
    pledge_epoch: int | None = None
    """The epoch of the stored pledge, which outlives our table too; 0 if there is no pledge."""
    machines: int | None = None
    """How many machines on the primary's side have reported recently."""
    attempts: tuple[Attempt, ...] | None = None
    """The outcomes of the current epoch's attempts; `None` if they could not be read."""
    failing: tuple[str, ...] | None = None
    """What the previous tick asked for and could not get, each with the reason; `None` if no
    previous tick is known."""
    unreadable: tuple[str, ...] = ()
    """What this tick could not read, each with the reason."""
    aurora: tuple[str, ...] = ()
    """Aurora's own messages about its moves: for the record only, and without effect."""
