"""One observation of the world: what each signal said, when, and what the database looks like.

Not knowing is a value. A signal that nobody could read is UNKNOWN, a reading that has grown old
becomes UNKNOWN, and UNKNOWN never counts as BAD: silence alone has never proved a disaster.
"""

from dataclasses import dataclass
from enum import StrEnum

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


class Order(StrEnum):
    """What a person may ask for."""

    SWITCHOVER = "switchover"
    APPROVE = "approve"
    DENY = "deny"
    RESUME = "resume"
    ADOPT = "adopt"
    SIGN_RECONCILIATION = "sign-reconciliation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One order, bound to the revision that its author saw."""

    order: Order
    revision: int
    author: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that one look found out. `None` means that nobody could look."""

    at_s: float
    signals: Signals
    database: DatabaseView | None
    loss_estimate_s: float | None
    """Most that a failover now could lose, as time; an upper bound."""
    lease_expires_s: float | None
    """When the old writer's lease runs out; `None` where there is no lease to wait for."""
    write_verified: bool | None
    """Whether a row of the current epoch was written to the target and read back."""
    users_on: Side | None
    """Which side DNS answers with."""
    command: Command | None = None
