"""What is so, whatever anybody believes: Regions, rows, replication and Aurora's moves.

Rows are written once a second. The history is what the checkers read; the orchestrator never does.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from otherside.core.facts import Move
from otherside.core.topology import Side

WITNESS = "witness"
LEASE_S = 15.0


class Ill(StrEnum):
    """What can be wrong with the world for a while."""

    PRIMARY_GONE = "primary-gone"
    STANDBY_GONE = "standby-gone"
    WITNESS_GONE = "witness-gone"
    WRITER_DOWN = "writer-down"
    APP_DOWN = "app-down"
    APP_DOWN_BOTH = "app-down-both"
    LINK_CUT = "link-cut"
    """Between the two Regions; both still reach the witness and the world."""
    STANDBY_CUT = "standby-cut"
    """The standby from everything."""
    PROBE_BROKEN = "probe-broken"
    CONTROL_PLANE_DOWN = "control-plane-down"
    LAGGING = "lagging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """One ill, from one moment to another."""

    ill: Ill
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One acknowledged write."""

    at_s: float
    side: Side


@dataclass(slots=True, kw_only=True)
class Moving:
    """A move of Aurora's under way."""

    kind: Move
    target: Side
    done_s: float
    cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call that moves the writer, as Aurora received it."""

    at_s: float
    kind: Move
    operation: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The writer has moved."""

    at_s: float
    kind: Move
    target: Side
    lost: int
    by_hand: bool = False


@dataclass(slots=True, kw_only=True)
class Truth:
    """The state of the world, moved on second by second."""

    spells: tuple[Spell, ...]
    promote_s: float
    cancels: int
    """How many moves Aurora cancels before one goes through."""
    lag_s: float = 0.3
    now_s: float = 0.0
    writer: Side = Side.PRIMARY
    moving: Moving | None = None
    by_hand: bool = False
    replicated_s: float = 0.0
    """Rows up to here are on both sides."""
    lease_s: float = 0.0
    """Until when the side that writes may acknowledge."""
    fenced: Side | None = None
    """The side that the committed state lets renew no lease."""
    leak_s: float = 0.0
    """Until when the side that was left still acknowledges: its lease, which nobody took away."""
    rows: list[Row] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    moves: list[Effective] = field(default_factory=list)
    resync_s: float = 0.0
    lost_before_s: float = 0.0

    def ill(self, *ills: Ill) -> bool:
        """Return whether one of these ills holds now."""
        return any(s.ill in ills and s.from_s <= self.now_s < s.to_s for s in self.spells)

    def up(self, side: Side) -> bool:
        """Return whether a side's Region exists at all."""
        return not self.ill(Ill.PRIMARY_GONE if side is Side.PRIMARY else Ill.STANDBY_GONE)

    def linked(self) -> bool:
        """Return whether the two Regions reach one another."""
        cut = self.ill(Ill.LINK_CUT, Ill.STANDBY_CUT)
        return self.up(Side.PRIMARY) and self.up(Side.STANDBY) and not cut

    def majority(self, side: Side) -> bool:
        """Return whether a side can read and commit: it and one of the other two."""
        if not self.up(side) or (side is Side.STANDBY and self.ill(Ill.STANDBY_CUT)):
            return False
        witness = not self.ill(Ill.WITNESS_GONE)
        return witness or self.linked()

    def accepts(self) -> bool:
        """Return whether the writer takes writes: its Region, its instance, its lease."""
        down = self.writer is Side.PRIMARY and self.ill(Ill.WRITER_DOWN)
        return self.up(self.writer) and not down and self.now_s <= self.lease_s

    def step(self) -> None:
        """Let one second pass."""
        self.now_s += 1.0
        if self.majority(self.writer) and self.writer is not self.fenced:
            self.lease_s = self.now_s + LEASE_S
        if self.accepts():
            self.rows.append(Row(at_s=self.now_s, side=self.writer))
        if self.now_s <= self.leak_s and self.up(self.writer.other):
            self.rows.append(Row(at_s=self.now_s, side=self.writer.other))
        if self.linked():
            behind_s = 30.0 if self.ill(Ill.LAGGING) else self.lag_s
            self.replicated_s = max(self.replicated_s, self.now_s - behind_s)
        self._advance_move()

    def call(self, kind: Move, target: Side, operation: str) -> bool:
        """Receive a call; return whether it is accepted."""
        accepted = self.moving is None and self.writer is not target and self.up(target)
        if kind is Move.SWITCHOVER:
            accepted = accepted and self.linked() and self.up(self.writer)
        self.calls.append(
            Called(at_s=self.now_s, kind=kind, operation=operation, accepted=accepted)
        )
        if accepted:
            done_s = self.now_s + self.promote_s
            self.moving = Moving(
                kind=kind, target=target, done_s=done_s, cancelled=self.cancels > 0
            )
            self.by_hand = operation == "by-hand"
            self.cancels -= self.cancels > 0
        return accepted

    def _advance_move(self) -> None:
        moving = self.moving
        if moving is None or self.now_s < moving.done_s or not self.up(moving.target):
            return
        self.moving = None
        if moving.cancelled:
            return
        lost = 0
        if moving.kind is Move.FAILOVER:
            lost = sum(row.at_s > max(self.replicated_s, self.lost_before_s) for row in self.rows)
            self.leak_s = self.lease_s  # Aurora fences as well as it can; we count on the lease
        self.lost_before_s = self.now_s
        self.writer, self.replicated_s = moving.target, self.now_s
        self.lease_s = 0.0
        self.resync_s = self.now_s + 300.0
        self.moves.append(
            Effective(
                at_s=self.now_s,
                kind=moving.kind,
                target=moving.target,
                lost=lost,
                by_hand=self.by_hand,
            )
        )
