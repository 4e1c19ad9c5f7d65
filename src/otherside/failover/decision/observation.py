"""One observation of the world: what each signal said, when, and what the database looks like.

Not knowing is a value. A signal that nobody could read is UNKNOWN, a reading that has grown old
becomes UNKNOWN, and UNKNOWN never counts as BAD: silence alone has never proved a disaster.
"""

from dataclasses import dataclass
from enum import StrEnum

from otherside.core.topology import Side
from otherside.core.wire_contract import HEARTBEAT_S, LEASE_S


class Reading(StrEnum):
    """What one signal says."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One reading and the time at which it was true."""

    reading: Reading
    at_s: float

    def at(self, now_s: float, fresh_s: float) -> Reading:
        """Return the reading, or UNKNOWN where it is too old to say anything of now."""
        return self.reading if now_s - self.at_s <= fresh_s else Reading.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Every source of evidence. Each comes by another way, so that no one failure bends two."""

    standby_canary: Signal
    """A write through the public name, tried from the standby's Region."""
    witness_canary: Signal
    """The same from a third Region: it tells our own isolation from theirs."""
    heartbeat: Signal
    """Whether the writer's heartbeat, replicated into the standby, is young."""
    app_pulse: Signal
    """What the writer's Region says of its application, pushed to the state table."""
    write_pulse: Signal
    """What the writer's Region says of its database's writes, pushed likewise."""
    dns_health: Signal
    """What Route 53's checkers think, read through DNS: no control plane."""
    control_plane: Signal
    """Whether RDS in the primary's Region answers. Never necessary, never sufficient."""
    self_test: Signal
    """Whether we can see anything: names outside and our own table, and nothing of a side's."""
    standby_app: Signal
    """Whether the same build serves reads on the standby."""


class Move(StrEnum):
    """A way to move the writer."""

    FAILOVER = "failover"
    """At once, and what was not replicated is lost."""
    SWITCHOVER = "switchover"
    """Once the target has everything; needs a healthy primary."""


class Progress(StrEnum):
    """How far a move is that Aurora has under way."""

    MOVING = "moving"
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUnderWay:
    """A move that Aurora reports."""

    kind: Move
    target: Side
    progress: Progress


class Fitness(StrEnum):
    """Whether the side that does not write can be asked to take over."""

    FIT = "fit"
    DOUBTFUL = "doubtful"
    """Nothing is known against it: whoever moves the database is asked, and says if not."""
    UNFIT = "unfit"
    """It cannot, and no approval changes that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseView:
    """The global database as its control plane describes it. The follower is who does not write."""

    writer: Side | None
    """`None` where the writer is nobody that we know."""
    move: MoveUnderWay | None
    follower_is_member: bool
    """Whether the follower belongs to the global database at all."""
    follower_has_instance: bool
    fitness: Fitness
    """What the follower's state says of taking over."""
    status: str
    """That state, in Aurora's own word."""
    versions_match: bool
    resynced: bool
    """Whether the follower follows the writer."""
    alien: str | None = None
    """What about its members is nothing that we made, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseView:
    """The right to acknowledge writes, as the store holds it."""

    open: bool
    """Whether it can be renewed. Closed, it has run out everywhere after one lease length."""
    seen_s: float
    """When the store had said so: later than any renewal that it let through before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """How far the side that does not write follows, as last known."""

    replicated_s: float
    """Time of the writer's newest heartbeat that the other side holds."""
    lived_s: float
    """When the writer was last known to write."""
    lag_max_s: float
    """The longest lag of the last minutes in which it was known to write."""

    @property
    def estimate_s(self) -> float:
        """Return what a failover now would lose, by what is known, as time."""
        return max(self.lag_max_s, self.lived_s - self.replicated_s) + HEARTBEAT_S

    @property
    def bound_s(self) -> float:
        """Return the most that it could lose.

        A Region that is cut off from everything looks dead and may live: what it acknowledges to
        its own neighbours nobody sees, until its lease has run out.
        """
        return self.estimate_s + LEASE_S


class Order(StrEnum):
    """What a person may ask for."""

    SWITCHOVER = "switchover"
    APPROVE = "approve"
    DENY = "deny"
    RESUME = "resume"
    ADOPT = "adopt"
    SIGN_RECONCILIATION = "sign-reconciliation"
    PROCEED = "proceed"
    """Go on without the proof that is waited for, at the author's own risk."""
    HALT = "halt"
    """Do nothing more by itself, wherever it stands."""
    FREEZE = "freeze"
    """Move nothing until a moment, which is given with it; one in the past ends a freeze."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One order, bound to the revision that its author saw."""

    order: Order
    revision: int
    author: str
    at_s: float
    until_s: float | None = None
    """The end of a freeze."""
    loss_s: float | None = None
    """What the author was told that a failover would lose: an approval is for no more."""


ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of one attempt to move the writer, as its actor wrote it down."""

    operation: str
    called: bool
    """Whether Aurora was called; a claim alone is a wish."""
    answer: str | None
    """`ACCEPTED`, Aurora's own name of its refusal, or `None` where nobody knows."""

    @property
    def number(self) -> int:
        """Which attempt of its epoch it was."""
        return int(self.operation.rpartition(".")[2])

    @property
    def refused(self) -> bool:
        """Whether Aurora is known to have said no, so that nothing was moved by it."""
        return self.answer is not None and self.answer != ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that one look found out. `None` means that nobody could look."""

    at_s: float
    signals: Signals
    database: DatabaseView | None
    replication: Replication | None
    lease: LeaseView | None
    write_verified: bool | None
    """Whether a row of the current epoch was written to the target and read back, both beside the
    database and by the name that users' writes go by."""
    users_on: Side | None
    """Which side DNS answers with."""
    capacity_short: bool | None = None
    """Whether the standby runs fewer instances than it needs to serve everyone."""
    command: Command | None = None
    freeze: Command | None = None
    """The newest freeze that was ordered; it counts in any phase."""
    epoch_seen: int | None = None
    """The highest epoch that the database's own row is known to hold; it outlives our table."""
    machines: int | None = None
    """How many machines of the primary's side have reported lately."""
    attempts: tuple[Attempt, ...] | None = None
    """What became of the attempts of the present epoch; `None` where nobody could look."""
    failing: tuple[str, ...] | None = None
    """What the look before this one asked for and could not have, each with the reason; `None`
    where nobody knows of a look before."""
    unreadable: tuple[str, ...] = ()
    """What could not be read in this look, each with the reason."""
    aurora: tuple[str, ...] = ()
    """What Aurora says of its own moves, in its own words: for the record, and decides nothing."""
