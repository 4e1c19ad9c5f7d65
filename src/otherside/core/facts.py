"""One observation of the world: what each signal said, when, and what the database looks like.

Not knowing is a value. A signal that nobody could read is UNKNOWN, a reading that has grown old
becomes UNKNOWN, and UNKNOWN never counts as BAD: silence alone has never proved a disaster.
"""

from dataclasses import dataclass
from enum import StrEnum

from otherside.core.names import HEARTBEAT_S, LEASE_S
from otherside.core.topology import Side


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
    """What the primary's Region says of its application, pushed to the state table."""
    write_pulse: Signal
    """What the primary's Region says of its database's writes, pushed likewise."""
    dns_health: Signal
    """What Route 53's checkers think, read through DNS: no control plane."""
    control_plane: Signal
    """Whether RDS in the primary's Region answers. Never necessary, never sufficient."""
    self_test: Signal
    """Whether we can see anything: our own database's reader, names outside, our own table."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseView:
    """The global database as its control plane describes it."""

    writer: Side
    move: MoveUnderWay | None
    standby_has_instance: bool
    standby_available: bool
    versions_match: bool
    resynced: bool
    """Whether the side that does not write follows the one that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that one look found out. `None` means that nobody could look."""

    at_s: float
    signals: Signals
    database: DatabaseView | None
    replication: Replication | None
    lease: Lease | None
    write_verified: bool | None
    """Whether a row of the current epoch was written to the target and read back."""
    users_on: Side | None
    """Which side DNS answers with."""
    capacity_short: bool | None = None
    """Whether the standby runs fewer instances than it needs to serve everyone."""
    command: Command | None = None
    freeze: Command | None = None
    """The newest freeze that was ordered; it counts in any phase."""
    aurora: tuple[str, ...] = ()
    """What Aurora says of its own moves, in its own words: for the record, and decides nothing."""
