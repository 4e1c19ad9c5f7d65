"""What is so, whatever anybody believes: Regions, links, rows, leases and Aurora's moves.

Writes are acknowledged all the time, so rows are spans of time, in seconds; a span that was not
replicated when the writer moved is a loss of that many seconds. The history is what the checkers
read; the orchestrator never does.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from otherside.core.facts import Move
from otherside.core.names import LEASE_S
from otherside.core.topology import Side

LAG_S, LAGGING_S = 0.3, 30.0
LEDGER_S = 300.0
"""How long a lag is remembered."""
STEP_S = 5.0
"""Longest span in which nothing is looked at again."""
DNS_LEAVES_S = 40.0
"""How long after a change Route 53 answers by it."""
RESYNC_S = 300.0


class Ill(StrEnum):
    """What can be wrong with the world for a while."""

    PRIMARY_GONE = "primary-gone"
    STANDBY_GONE = "standby-gone"
    WITNESS_GONE = "witness-gone"
    STORE_DOWN = "store-down"
    """The state table answers nobody."""
    WRITER_DOWN = "writer-down"
    APP_DOWN = "app-down"
    APP_DOWN_BOTH = "app-down-both"
    PRIMARY_CUT = "primary-cut"
    """The primary from everything; its own clients go on."""
    STANDBY_CUT = "standby-cut"
    LINK_CUT = "link-cut"
    """Between the two Regions, both ways; both still reach the witness and the world."""
    PRIMARY_TO_STANDBY_CUT = "primary-to-standby-cut"
    STANDBY_TO_PRIMARY_CUT = "standby-to-primary-cut"
    PRIMARY_TO_WITNESS_CUT = "primary-to-witness-cut"
    WITNESS_TO_PRIMARY_CUT = "witness-to-primary-cut"
    STANDBY_TO_WITNESS_CUT = "standby-to-witness-cut"
    WITNESS_TO_STANDBY_CUT = "witness-to-standby-cut"
    PROBE_BROKEN = "probe-broken"
    KEEPERS_DEAF = "keepers-deaf"
    """Whoever keeps the lease in the primary has died: no pulse, no heartbeat, no renewal."""
    SELF_SICK = "self-sick"
    """The functions cannot trust their own eyes: names outside do not resolve."""
    BLIND = "no-evidence"
    """No evidence can be gathered at all, though revisions can be read and written."""
    HALF_BLIND = "half-the-evidence"
    """The same for what probes and pulses say."""
    CONTROL_PLANE_DOWN = "control-plane-down"
    LAGGING = "lagging"
    STANDBY_HEADLESS = "standby-headless"
    """The standby has no instance."""
    VERSION_DRIFT = "version-drift"


P, S, W = "primary", "standby", "witness"
_SIDES = tuple(Side)
_WHOLE = {P: Ill.PRIMARY_CUT, S: Ill.STANDBY_CUT}
_GONE = {P: Ill.PRIMARY_GONE, S: Ill.STANDBY_GONE, W: Ill.WITNESS_GONE}
_ONE_WAY = {
    (P, S): Ill.PRIMARY_TO_STANDBY_CUT,
    (S, P): Ill.STANDBY_TO_PRIMARY_CUT,
    (P, W): Ill.PRIMARY_TO_WITNESS_CUT,
    (W, P): Ill.WITNESS_TO_PRIMARY_CUT,
    (S, W): Ill.STANDBY_TO_WITNESS_CUT,
    (W, S): Ill.WITNESS_TO_STANDBY_CUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """One ill, from one moment to another."""

    ill: Ill
    from_s: float
    to_s: float


@dataclass(slots=True, kw_only=True)
class Acknowledged:
    """A span of time in which writes were acknowledged."""

    from_s: float
    to_s: float
    on: Side
    """Which side's database took them."""
    public: bool
    """Whether users from outside were among those who wrote."""


@dataclass(slots=True, kw_only=True)
class Moving:
    """A move of Aurora's under way."""

    kind: Move
    target: Side
    done_s: float
    cancelled: bool
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call that moves the writer, as Aurora received it."""

    at_s: float
    kind: Move
    target: Side
    operation: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The writer has moved."""

    at_s: float
    kind: Move
    target: Side
    lost_s: float
    """How many seconds of acknowledged writes it left behind."""
    by_hand: bool


BY_HAND = "by-hand"


@dataclass(slots=True, kw_only=True)
class Truth:
    """The state of the world, moved on through time."""

    spells: tuple[Spell, ...]
    promote_s: float
    cancels: int = 0
    """How many moves Aurora cancels before one goes through."""
    refusals: int = 0
    """How many calls it refuses before it accepts one."""
    now_s: float = 0.0
    ills: frozenset[Ill] = frozenset()
    links: frozenset[tuple[str, str]] = frozenset()
    """Which Regions reach which; a Region that exists reaches itself."""
    voting: frozenset[str] = frozenset()
    """Which Regions can commit to the state table."""
    writer: Side = Side.PRIMARY
    moving: Moving | None = None
    carried_s: float = 0.0
    """Rows up to here are on both sides."""
    replicated_s: float = 0.0
    """Newest heartbeat of the writer that the other side holds."""
    lived_s: float = 0.0
    """When the store last heard that the writer writes."""
    reported_s: float = 0.0
    """When a heartbeat last arrived anywhere: lags are remembered from then on back."""
    lagged_s: float = -1e9
    """When replication last lagged."""
    lease_open: bool = True
    leases: dict[Side, float] = field(default_factory=lambda: dict.fromkeys(Side, 0.0))
    """Until when each side's application may acknowledge, wherever the writer is."""
    vouched_s: float = 0.0
    """When a lease last went on by the other side's word, and nobody told the store."""
    refused: dict[Side, bool] = field(default_factory=lambda: dict.fromkeys(Side, False))
    """Whether the store told a side so the last time that it answered."""
    latch: bool = False
    latched_s: float = -1e9
    endpoint_bad_s: float | None = None
    rows: list[Acknowledged] = field(default_factory=list)
    spans: dict[tuple[Side, bool], Acknowledged] = field(default_factory=dict)
    """The newest row of each kind, which may still go on."""
    calls: list[Called] = field(default_factory=list)
    moves: list[Effective] = field(default_factory=list)
    resync_s: float = 0.0
    edges: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Sort out when anything begins or ends."""
        self.edges = sorted({one for s in self.spells for one in (s.from_s, s.to_s)}, reverse=True)
        self._look_at_ills()

    def ill(self, *ills: Ill) -> bool:
        """Return whether one of these ills holds now."""
        return any(one in self.ills for one in ills)

    def up(self, site: str) -> bool:
        """Return whether a Region exists at all."""
        return (site, site) in self.links

    def reaches(self, one: str, other: str) -> bool:
        """Return whether what one Region sends arrives in another, and is answered."""
        return (one, other) in self.links

    @property
    def linked(self) -> bool:
        """Return whether the two sides can speak with one another."""
        return self.reaches(P, S)

    def majority(self, site: str) -> bool:
        """Return whether a Region can read and commit: it and one of the other two."""
        return site in self.voting

    def outside(self, site: str) -> bool:
        """Return whether the world outside reaches a Region."""
        return self.up(site) and _WHOLE.get(site) not in self.ills

    def database_writes(self) -> bool:
        """Return whether the writer takes writes: its Region and its instance."""
        down = self.writer is Side.PRIMARY and Ill.WRITER_DOWN in self.ills
        return self.up(self.writer) and not down

    def app_runs(self, side: Side) -> bool:
        """Return whether a side's application runs; what keeps its lease runs beside it."""
        broken = Ill.APP_DOWN_BOTH in self.ills or (side == P and Ill.APP_DOWN in self.ills)
        return self.up(side) and not broken

    def users_on(self) -> Side:
        """Return which side DNS answers with: the latch first, then the primary's endpoint."""
        held = self.latch and self.now_s - self.latched_s >= DNS_LEAVES_S
        bad = self.endpoint_bad_s
        ill = bad is not None and self.now_s - bad >= DNS_LEAVES_S
        return Side.STANDBY if held or ill else Side.PRIMARY

    def writes_work(self, side: Side) -> bool:
        """Return whether a write that reaches a side's application would be acknowledged."""
        runs = self.app_runs(side) and self.reaches(side, self.writer)
        return runs and self.database_writes() and self.leases[side] >= self.now_s

    def lag_max_s(self) -> float:
        """Return the longest lag that is remembered."""
        return LAGGING_S if self.reported_s - self.lagged_s < LEDGER_S else LAG_S

    def hold(self, *, latch: bool) -> None:
        """Hold users on the standby, or let go."""
        if latch != self.latch:
            self.latch, self.latched_s = latch, self.now_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            until_s = min(end_s, self.now_s + STEP_S)
            changes = bool(self.edges) and self.edges[-1] <= until_s
            if changes:
                until_s = max(self.edges.pop(), self.now_s)
            if self.moving is not None and self.now_s < self.moving.done_s < until_s:
                if changes:
                    self.edges.append(until_s)
                until_s, changes = self.moving.done_s, False
            self._live(until_s)
            self.now_s = until_s
            if changes:
                self._look_at_ills()
            if self.moving is not None and self.now_s >= self.moving.done_s:
                self._finish_move(self.moving)

    def _look_at_ills(self) -> None:
        now_s = self.now_s
        self.ills = frozenset(s.ill for s in self.spells if s.from_s <= now_s < s.to_s)
        self.links, self.voting = _network(self.ills)
        if self.app_runs(Side.PRIMARY) and self.outside(P):
            self.endpoint_bad_s = None
        elif self.endpoint_bad_s is None:
            self.endpoint_bad_s = now_s

    def _live(self, until_s: float) -> None:
        """Let everybody live from now on until a moment; nothing changes in between."""
        writes = self.database_writes()
        for side in _SIDES:
            self._renew(side, until_s)
        users = self.users_on()
        if writes:
            for side in _SIDES:
                if self.app_runs(side) and self.reaches(side, self.writer):
                    public = users is side and self.outside(side)
                    if public or side is self.writer:
                        self._acknowledge(self.writer, self.leases[side], until_s, public=public)
            self._report(until_s)

    def _renew(self, side: Side, until_s: float) -> None:
        """Let a side keep its right to acknowledge, if anybody lets it."""
        if side == P and Ill.KEEPERS_DEAF in self.ills:
            return
        if self.majority(side):
            self.refused[side] = not self.lease_open
            if self.lease_open:
                self.leases[side] = until_s + LEASE_S
        elif (
            not self.refused[side]
            and self.leases[side] > self.now_s
            and self.reaches(side, side.other)
            and not self.majority(side.other)
        ):
            # The store alone is no reason to stop: the other side says that it is lost to it too.
            # Only a lease that holds goes on: who was away meanwhile may have been given up.
            self.leases[side] = until_s + LEASE_S
            self.vouched_s = until_s

    def _acknowledge(self, on: Side, lease_s: float, until_s: float, *, public: bool) -> None:
        to_s = min(until_s, lease_s)
        if to_s <= self.now_s:
            return
        last = self.spans.get((on, public))
        if last is not None and last.to_s >= self.now_s:
            last.to_s = max(last.to_s, to_s)
            return
        row = Acknowledged(from_s=self.now_s, to_s=to_s, on=on, public=public)
        self.spans[on, public] = row
        self.rows.append(row)

    def _report(self, until_s: float) -> None:
        """Let the writer's heartbeat reach the other side and the store."""
        lagging = Ill.LAGGING in self.ills
        self.reported_s = until_s
        if lagging:
            self.lagged_s = until_s
        deaf = Ill.KEEPERS_DEAF in self.ills and self.writer is Side.PRIMARY
        if self.linked:
            behind_s = LAGGING_S if lagging else LAG_S
            self.carried_s = max(self.carried_s, until_s - behind_s)
            if not deaf:
                self.replicated_s = self.carried_s
        if self.majority(self.writer) and not deaf:
            self.lived_s = until_s
        self.lived_s = max(self.lived_s, self.replicated_s)

    def call(self, kind: Move, target: Side, operation: str) -> bool:
        """Receive a call; return whether it is accepted."""
        fit = self.ills.isdisjoint({Ill.STANDBY_HEADLESS, Ill.VERSION_DRIFT})
        accepted = self.moving is None and self.writer is not target and self.up(target) and fit
        if kind is Move.SWITCHOVER:
            accepted = accepted and self.linked and self.database_writes()
        by_hand = operation == BY_HAND
        if accepted and not by_hand and self.refusals > 0:
            self.refusals -= 1
            accepted = False
        self.calls.append(
            Called(
                at_s=self.now_s,
                kind=kind,
                target=target,
                operation=operation,
                accepted=accepted,
            )
        )
        if accepted:
            self.moving = Moving(
                kind=kind,
                target=target,
                done_s=self.now_s + self.promote_s,
                cancelled=self.cancels > 0,
                by_hand=by_hand,
            )
            self.cancels -= self.cancels > 0
        return accepted

    def _finish_move(self, moving: Moving) -> None:
        if not self.up(moving.target):
            moving.done_s = self.now_s + STEP_S
            return
        self.moving = None
        torn = moving.kind is Move.SWITCHOVER and not self.linked
        if moving.cancelled or torn:
            return
        lost_s = 0.0
        if moving.kind is Move.FAILOVER:
            lost_s = self.acknowledged_s(self.writer, self.carried_s, self.now_s)
            self._leak()
        self.writer = moving.target
        self.carried_s = self.replicated_s = self.lived_s = self.now_s
        self.resync_s = self.now_s + RESYNC_S
        self.moves.append(
            Effective(
                at_s=self.now_s,
                kind=moving.kind,
                target=moving.target,
                lost_s=lost_s,
                by_hand=moving.by_hand,
            )
        )

    def _leak(self) -> None:
        """Let the side that is left acknowledge on, as far as its leases of this epoch reach.

        Aurora fences its storage as well as it can; nothing here counts on that. A lease of a
        later epoch does not fit the old storage, which has never heard of that epoch.
        """
        takes = self.database_writes() and self.app_runs(self.writer)
        until_s = max(self.leases.values())
        if takes and until_s > self.now_s:
            self._acknowledge(self.writer, until_s, until_s, public=False)

    def acknowledged_s(self, on: Side, from_s: float, to_s: float) -> float:
        """Return for how long one side acknowledged writes between two moments."""
        spans = sorted(
            (max(row.from_s, from_s), min(row.to_s, to_s))
            for row in self.rows
            if row.on is on and row.to_s > from_s
        )
        total_s, end_s = 0.0, from_s
        for begun_s, ended_s in spans:
            total_s += max(0.0, ended_s - max(begun_s, end_s))
            end_s = max(end_s, ended_s)
        return total_s

    @property
    def follows(self) -> bool:
        """Return whether the side that does not write follows the one that does."""
        return self.linked and self.now_s >= self.resync_s


@cache
def _network(ills: frozenset[Ill]) -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """Return which Regions reach which, and which can commit, under some ills."""
    sites = [site for site in (P, S, W) if _GONE[site] not in ills]
    links = {(site, site) for site in sites}
    links |= {
        (one, other) for one in sites for other in sites if one != other and _open(one, other, ills)
    }
    lost = Ill.STORE_DOWN in ills
    voting = {
        site
        for site in sites
        if not lost and any((site, other) in links for other in sites if other != site)
    }
    return frozenset(links), frozenset(voting)


def _open(one: str, other: str, ills: frozenset[Ill]) -> bool:
    """Return whether two Regions that exist reach one another: answers need the way back too."""
    if _WHOLE.get(one) in ills or _WHOLE.get(other) in ills:
        return False
    if Ill.LINK_CUT in ills and W not in {one, other}:
        return False
    return _ONE_WAY[one, other] not in ills and _ONE_WAY[other, one] not in ills
