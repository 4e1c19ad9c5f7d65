"""The truth about the simulated world: Regions, links, rows, leases and Aurora's moves.

Writes are acknowledged all the time, so rows are modelled as spans of time, in seconds. A span that
was not replicated when the writer moved is a loss of that many seconds. The invariants read this
history; the orchestrator never does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from otherside.core.topology import Side
from otherside.failover.decision.observation import Move
from otherside.sim.faults import HAPPENING, Fault, FaultWindow

LAG_S, LAGGING_S = 0.3, 30.0
STEP_S = 5.0
"""The longest step of time while a pledge or another grant may expire."""
WAKE_S = 20.0
"""How long it takes at the start until every agent has seen everything once."""
LONG_STEP_S = 60.0
"""The longest step of time otherwise."""
DNS_LEAVES_S = 40.0
"""How long after a change Route 53 answers accordingly."""
RESYNC_S = 300.0
LATCH_S = 60.0
"""The period of the latch's alarm."""


P, S, W = "primary", "standby", "witness"
_SIDES = tuple(Side)
_WHOLE = {P: Fault.PRIMARY_CUT, S: Fault.STANDBY_CUT}
_GONE = {P: Fault.PRIMARY_GONE, S: Fault.STANDBY_GONE, W: Fault.WITNESS_GONE}
_UNFIT = {
    Fault.STANDBY_HEADLESS,
    Fault.VERSION_DRIFT,
    Fault.STANDBY_STOPPED,
    Fault.STANDBY_DETACHED,
}
_ONE_WAY = {
    (P, S): Fault.PRIMARY_TO_STANDBY_CUT,
    (S, P): Fault.STANDBY_TO_PRIMARY_CUT,
    (P, W): Fault.PRIMARY_TO_WITNESS_CUT,
    (W, P): Fault.WITNESS_TO_PRIMARY_CUT,
    (S, W): Fault.STANDBY_TO_WITNESS_CUT,
    (W, S): Fault.WITNESS_TO_STANDBY_CUT,
}


_NETWORK = frozenset({*_WHOLE.values(), *_GONE.values(), *_ONE_WAY.values(), Fault.LINK_CUT}) | {
    Fault.STORE_DOWN
}
"""The faults that decide which Regions reach each other."""


@dataclass(slots=True, kw_only=True)
class Acknowledged:
    """A span of time in which writes were acknowledged."""

    from_s: float
    to_s: float
    on: Side
    """The side whose database took them."""
    public: bool
    """Whether users from outside were among the writers."""


@dataclass(slots=True, kw_only=True)
class Moving:
    """A move that Aurora has under way."""

    kind: Move
    target: Side
    done_s: float
    cancelled: bool
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call to move the writer, as Aurora received it."""

    at_s: float
    kind: Move
    target: Side
    operation: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """A completed move of the writer."""

    at_s: float
    kind: Move
    target: Side
    lost_s: float
    """How many seconds of acknowledged writes were lost."""
    by_hand: bool


BY_HAND = "by-hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one lease agent holds: until when its application may acknowledge, in which epoch."""

    until_s: float
    epoch: int
    bridged: bool
    """Whether it relied on the pledge, because the table did not answer."""


class Keeping(Protocol):
    """The lease agents of both sides: they renew leases and write heartbeats."""

    bridging: bool
    """Whether any of them relies on the pledge alone."""

    def step(self, until_s: float, *, edge: bool) -> None:
        """Run every agent whose round is due before a given time, or all of them at an edge."""

    def held(self, side: Side) -> Sequence[Held]:
        """Return what the agents of a side hold."""

    def happen(self, fault: Fault) -> None:
        """Apply the lasting effect of a fault that happens once."""


class Nobody:
    """A world without lease agents."""

    bridging = False

    def step(self, until_s: float, *, edge: bool) -> None:
        """Run no agent."""

    def held(self, side: Side) -> Sequence[Held]:  # noqa: ARG002 - the protocol's signature
        """Return nothing."""
        return ()

    def happen(self, fault: Fault) -> None:
        """Apply no effect."""


@dataclass(slots=True, kw_only=True)
class WorldState:
    """The state of the world as time passes."""

    windows: tuple[FaultWindow, ...]
    promote_s: float
    cancels: int = 0
    """How many moves Aurora cancels before one goes through."""
    refusals: int = 0
    """How many calls Aurora refuses before it accepts one."""
    now_s: float = 0.0
    faults: frozenset[Fault] = frozenset()
    links: frozenset[tuple[str, str]] = frozenset()
    """Pairs of Regions where the first reaches the second; a Region that exists reaches itself."""
    voting: frozenset[str] = frozenset()
    """The Regions that can commit to the state table."""
    writer: Side = Side.PRIMARY
    moving: Moving | None = None
    carried_s: float = 0.0
    """Rows up to this time are on both sides."""
    hearts: dict[Side, tuple[float, int] | None] = field(
        default_factory=lambda: dict.fromkeys(Side, None)
    )
    """The heartbeat row in each side's database: its time and its epoch."""
    epochs: list[tuple[float, int]] = field(default_factory=list)
    """When the writer's database first held each epoch, for later replication."""
    left: set[Side] = field(default_factory=set)
    """Sides whose old database has not rejoined yet; it may still take writes."""
    lease_agents: Keeping = field(default_factory=Nobody)
    bridged_s: float = -1e9
    """When a lease last relied on the pledge alone."""
    latch: bool = False
    latched_s: float = -1e9
    held_s: float = -1e9
    """When the orchestrator last published that users are to be held."""
    latches: list[tuple[float, bool, Side]] = field(default_factory=list)
    """Every change of the latch: when, whether users were held, and who was the writer."""
    endpoint_bad_s: float | None = None
    rows: list[Acknowledged] = field(default_factory=list)
    spans: dict[tuple[Side, bool], Acknowledged] = field(default_factory=dict)
    """The newest row of each kind, which may still grow."""
    calls: list[Called] = field(default_factory=list)
    moves: list[Effective] = field(default_factory=list)
    resync_s: float = 0.0
    edges: list[float] = field(default_factory=list)
    happened: list[tuple[float, Fault]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Collect the times at which any fault begins or ends."""
        self.edges = sorted(
            {item for s in self.windows for item in (s.from_s, s.to_s)}, reverse=True
        )
        self._look_at_ills()

    def has(self, *faults: Fault) -> bool:
        """Return whether one of these faults is active now."""
        return not self.faults.isdisjoint(faults)

    def up(self, site: str) -> bool:
        """Return whether a Region exists at all."""
        return (site, site) in self.links

    def reaches(self, site: str, other: str) -> bool:
        """Return whether a request from one Region reaches another and is answered."""
        return (site, other) in self.links

    @property
    def linked(self) -> bool:
        """Return whether the two sides can reach each other."""
        return self.reaches(P, S)

    def majority(self, site: str) -> bool:
        """Return whether a Region can read and commit, which needs one of the other two."""
        return site in self.voting

    def outside(self, site: str) -> bool:
        """Return whether the outside world reaches a Region."""
        shut = site == P and Fault.FRONT_DOOR in self.faults
        return self.up(site) and _WHOLE.get(site) not in self.faults and not shut

    def gets_out(self, site: str) -> bool:
        """Return whether a Region reaches the outside world."""
        return self.up(site) and _WHOLE.get(site) not in self.faults

    def gets_in(self, side: Side) -> bool:
        """Return whether a side's application reaches the writer."""
        shut = side == S and self.writer is Side.PRIMARY and Fault.FRONT_DOOR in self.faults
        return self.reaches(side, self.writer) and not shut

    def database_writes(self) -> bool:
        """Return whether the writer takes writes: its Region and its instance are up."""
        down = self.writer is Side.PRIMARY and Fault.WRITER_DOWN in self.faults
        return self.up(self.writer) and not down

    def machines_run(self, side: Side) -> bool:
        """Return whether a side has any machine, with a lease agent on it."""
        return self.up(side) and not (side == P and Fault.MACHINES_GONE in self.faults)

    def app_runs(self, side: Side) -> bool:
        """Return whether a side's application runs."""
        broken = Fault.APP_DOWN_BOTH in self.faults
        broken = broken or (Fault.APP_DOWN if side == P else Fault.STANDBY_APP_DOWN) in self.faults
        return self.machines_run(side) and not broken

    def users_on(self) -> Side:
        """Return the side that DNS answers with: the latch first, then the primary's endpoint."""
        held = self.latch and self.now_s - self.latched_s >= DNS_LEAVES_S
        bad = self.endpoint_bad_s
        unhealthy = bad is not None and self.now_s - bad >= DNS_LEAVES_S
        return Side.STANDBY if held or unhealthy else Side.PRIMARY

    def knows(self, side: Side, epoch: int) -> bool:
        """Return whether a side's database holds an epoch, or a later one."""
        row = self.hearts[side]
        return row is not None and row[1] >= epoch

    def writes_work(self, side: Side) -> bool:
        """Return whether a write that reaches a side's application would be acknowledged."""
        if not (self.app_runs(side) and self.gets_in(side) and self.database_writes()):
            return False
        return any(
            held.until_s >= self.now_s and self.knows(self.writer, held.epoch)
            for held in self.lease_agents.held(side)
        )

    def beat(self, side: Side, at_s: float, epoch: int) -> tuple[float, int]:
        """Write a heartbeat to the writer's database in one statement, and return its row."""
        row = self.hearts[side]
        epoch = epoch if row is None else max(row[1], epoch)
        if side is self.writer and (row is None or epoch > row[1]):
            self.epochs.append((at_s, epoch))
        self.hearts[side] = (at_s, epoch)
        return at_s, epoch

    @property
    def follows(self) -> bool:
        """Return whether the side without the writer replicates from the writer."""
        whole = self.linked and Fault.STANDBY_DETACHED not in self.faults
        return whole and self.now_s >= self.resync_s

    def hold(self, *, latch: bool) -> None:
        """Receive one data point of the latch's metric; Route 53 uses the maximum of a minute."""
        if latch:
            self.held_s = self.now_s
        elif self.latch and self.now_s - self.held_s < LATCH_S:
            return
        if latch != self.latch:
            self.latch, self.latched_s = latch, self.now_s
            self.latches.append((self.now_s, latch, self.writer))

    def advance(self, seconds: float) -> None:
        """Let time pass, from one event to the next."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            until_s = min(end_s, self.now_s + self._step_s())
            changes = bool(self.edges) and self.edges[-1] <= until_s
            if changes:
                until_s = max(self.edges.pop(), self.now_s)
            if self.moving is not None and self.now_s < self.moving.done_s < until_s:
                if changes:
                    self.edges.append(until_s)
                until_s, changes = self.moving.done_s, False
            self._live(until_s, edge=changes)
            self.now_s = until_s
            if changes:
                self._look_at_ills()
            if self.moving is not None and self.now_s >= self.moving.done_s:
                self._finish_move(self.moving)

    def _step_s(self) -> float:
        """Return the longest step without any check; shorter while a grant may expire."""
        waking = self.now_s < WAKE_S
        short = self.lease_agents.bridging or self.left or waking
        return STEP_S if short else LONG_STEP_S

    def _look_at_ills(self) -> None:
        now_s, before = self.now_s, self.faults
        self.faults = frozenset(s.fault for s in self.windows if s.from_s <= now_s < s.to_s)
        self.links, self.voting = _network(self.faults & _NETWORK)
        for fault in (self.faults - before) & HAPPENING:
            self.happened.append((now_s, fault))
            self.lease_agents.happen(fault)
        if self.app_runs(Side.PRIMARY) and self.outside(P):
            self.endpoint_bad_s = None
        elif self.endpoint_bad_s is None:
            self.endpoint_bad_s = now_s

    def _live(self, until_s: float, *, edge: bool) -> None:
        """Let everything run until a given time; no fault changes in between."""
        agents, writer, writes = self.lease_agents, self.writer, self.database_writes()
        before = [agents.held(side) for side in _SIDES]
        if writes and self.follows:
            self._replicate(until_s)
        agents.step(until_s, edge=edge)
        if self.left and self.follows:
            self.left.clear()
        held = {
            side: _kept(earlier, agents.held(side), until_s)
            for side, earlier in zip(_SIDES, before, strict=True)
        }
        if any(item.bridged for side in _SIDES for item in held[side]):
            self.bridged_s = until_s
        users = self.users_on()
        for side in _SIDES:
            if not self.app_runs(side):
                continue
            if writes and self.gets_in(side):
                public = users is side and self.outside(side)
                if public or side is writer:
                    lease_s = self._lease_s(held[side], writer)
                    self._acknowledge(writer, lease_s, until_s, public=public)
            if side in self.left and side is not writer:
                # Its old database takes writes, and its application is still connected to it.
                self._acknowledge(side, self._lease_s(held[side], side), until_s, public=False)

    def _lease_s(self, held: Sequence[Held], database: Side) -> float:
        """Return until when a side may acknowledge writes that one database takes."""
        return max(
            (lease.until_s for lease in held if self.knows(database, lease.epoch)),
            default=0.0,
        )

    def _replicate(self, until_s: float) -> None:
        """Let rows and the heartbeat reach the other side."""
        behind_s = LAGGING_S if Fault.LAGGING in self.faults else LAG_S
        self.carried_s = max(self.carried_s, until_s - behind_s)
        row = self.hearts[self.writer]
        if row is None:
            return
        known = [epoch for at_s, epoch in self.epochs if at_s <= self.carried_s]
        if known:
            # Heartbeats are a second apart; the newest that has arrived is as old as the lag.
            fresh_s = min(self.carried_s, max(row[0], self.carried_s if self._beats() else row[0]))
            old = self.hearts[self.writer.other]
            beat_s = fresh_s if old is None else max(old[0], fresh_s)
            self.hearts[self.writer.other] = (beat_s, known[-1])

    def _beats(self) -> bool:
        """Return whether the writer's database gets heartbeats all the time."""
        deaf = self.writer is Side.PRIMARY and Fault.AGENTS_DEAF in self.faults
        return self.machines_run(self.writer) and self.database_writes() and not deaf

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

    def call(self, kind: Move, target: Side, operation: str) -> bool:
        """Receive a call, and return whether Aurora accepts it."""
        fit = self.faults.isdisjoint(_UNFIT)
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
        interrupted = moving.kind is Move.SWITCHOVER and not self.linked
        if moving.cancelled or interrupted:
            return
        lost_s = 0.0
        if moving.kind is Move.FAILOVER:
            lost_s = self.acknowledged_s(self.writer, self.carried_s, self.now_s)
            # Aurora fences its storage as well as it can; nothing here relies on that.
            self.left.add(self.writer)
        elif self.hearts[self.writer] is not None:
            self.hearts[moving.target] = self.hearts[self.writer]
        self.writer = moving.target
        row = self.hearts[self.writer]
        self.epochs = [(-1e9, row[1])] if row is not None else []
        self.carried_s = self.now_s
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

    def acknowledged_s(self, on: Side, from_s: float, to_s: float) -> float:
        """Return for how long one side acknowledged writes between two times."""
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


def _kept(before: Sequence[Held], after: Sequence[Held], until_s: float) -> Sequence[Held]:
    """Return what was held during a span: what was renewed, or else what ran out within it."""
    for held in after:
        if held.until_s <= until_s:
            return [held for held in after if held.until_s > until_s] or before
    return after or before


@cache
def _network(faults: frozenset[Fault]) -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """Return which Regions reach each other, and which can commit, under some faults."""
    sites = [site for site in (P, S, W) if _GONE[site] not in faults]
    links = {(site, site) for site in sites}
    links |= {
        (site, other)
        for site in sites
        for other in sites
        if site != other and _open(site, other, faults)
    }
    lost = Fault.STORE_DOWN in faults
    voting = {
        site
        for site in sites
        if not lost and any((site, other) in links for other in sites if other != site)
    }
    return frozenset(links), frozenset(voting)


def _open(site: str, other: str, faults: frozenset[Fault]) -> bool:
    """Return whether two Regions that exist reach each other; answers need the return path too."""
    if _WHOLE.get(site) in faults or _WHOLE.get(other) in faults:
        return False
    if Fault.LINK_CUT in faults and W not in {site, other}:
        return False
    return _ONE_WAY[site, other] not in faults and _ONE_WAY[other, site] not in faults
