"""Run one script: the real core and the real loops in a hostile world, and report what broke."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from otherside.core.topology import FailoverMode, Side
from otherside.failover.actuator import actuate
from otherside.failover.controller import Tick, reconcile_once
from otherside.failover.decision.observation import Command, Move, Order
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase
from otherside.failover.handlers import BEGINS_S
from otherside.failover.ports import ConflictError, UnavailableError
from otherside.sim.faults import Fault, FaultRates
from otherside.sim.history import History
from otherside.sim.invariants import broken_in
from otherside.sim.script import FOREVER_S, HEALED_S, People, Script
from otherside.sim.simulated_cloud import SimulatedCloud
from otherside.sim.world import KilledError, SimulatedWorld, newer
from otherside.sim.world_state import BY_HAND, S, W, WorldState

TICK_S = 60.0
LOOP_S = 5.0
WATCH_S = 10.0
"""How often the witness probes; the first probe that fails wakes the decider."""
DELIVERED_S = 10.0
"""How long the platform takes at the most to start a function that was woken."""
PONDER_S = 20.0
"""How long a diligent person takes to act."""
_CALM = FaultRates()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The result of one script."""

    script: Script
    history: History
    broken: tuple[str, ...]
    cells: frozenset[tuple[str, str, str]]
    """Phase, verdict and mode of each tick."""
    pairs: frozenset[tuple[str, str]]
    """Phase and class of fault, for each fault that struck in that phase."""
    looks: tuple[tuple[float, Tick], ...] = ()
    """Every tick of the decider, with its time."""
    samples: tuple[tuple[float, Side, Side], ...] = ()
    """At each time, the side with the writer's database and the side that DNS sent users to."""


def run(script: Script, *, kill_at: int | None = None) -> Run:
    """Run a script against the real core and the real loops, and return the result."""
    runner = _play(script, kill_at)
    rehearsal = None
    if script.policy.mode is FailoverMode.OBSERVE:
        live = replace(script, policy=replace(script.policy, mode=FailoverMode.AUTO))
        rehearsal = tuple(_play(live, kill_at).cloud.log)
    cloud = runner.cloud
    history = History(
        log=tuple(cloud.log),
        looks=tuple(runner.looks),
        world_state=cloud.world_state,
        cloud=cloud,
        policy=script.policy,
        fault_rates=script.fault_rates,
        calm_s=script.calm_s,
        calm=script.calm_s <= HEALED_S,
        healed=script.calm_s <= HEALED_S
        and all(window.to_s <= HEALED_S for window in script.windows),
        obedient=script.cancels <= 1 and script.refusals <= 1,
        diligent=script.people is People.DILIGENT,
        rehearsal=rehearsal,
    )
    return Run(
        script=script,
        history=history,
        broken=broken_in(history),
        cells=frozenset(runner.cells),
        pairs=frozenset(runner.pairs),
        looks=tuple(runner.looks),
        samples=tuple(runner.samples),
    )


def _play(script: Script, kill_at: int | None) -> "_Runner":
    cloud = SimulatedCloud(
        world_state=WorldState(
            windows=script.windows,
            promote_s=script.promote_s,
            cancels=script.cancels,
            refusals=script.refusals,
        ),
        random=Random(script.seed + 1),  # noqa: S311 - a simulation must be repeatable
        fault_rates=script.fault_rates,
        policy=script.policy,
        machines=dict(zip(Side, script.machines, strict=True)),
        kill_at=kill_at,
    )
    runner = _Runner(script, cloud)
    runner.play()
    return runner


class _Runner:
    """Time, people and the platform: everything but the orchestrator."""

    def __init__(self, script: Script, cloud: SimulatedCloud) -> None:
        self.cloud, self._script = cloud, script
        self._orders = list(script.orders)
        self._by_hand_s = script.by_hand_s
        self._backup_s: float | None = script.backup_s
        self._newer, self._served = False, True
        self._waits: tuple[Phase, float] = (Phase.STEADY, 0.0)
        self.cells: set[tuple[str, str, str]] = set()
        self.pairs: set[tuple[str, str]] = set()
        self.looks: list[tuple[float, Tick]] = []
        self.samples: list[tuple[float, Side, Side]] = []
        cloud.advance = self._advance
        cloud.interrupt = self._interrupt

    def play(self) -> None:
        """Run the decider each minute until the end, and more often while anything is under way."""
        world_state, end_s = self.cloud.world_state, self._script.run_s
        while world_state.now_s < end_s:
            tick_s = world_state.now_s + TICK_S
            if not self.cloud.hit("skip"):
                self._look_until_calm(tick_s)
            self._pass(1.0)
            while world_state.now_s < tick_s:
                self._pass(min(tick_s - world_state.now_s, self._watch_s()))
                if self._wakes():
                    self._look_until_calm(tick_s)

    def _look_until_calm(self, until_s: float) -> None:
        """Run the decider as its function does: again and again while anything is under way."""
        self._decide()
        while self._busy() and self.cloud.world_state.now_s + LOOP_S < until_s:
            self._pass(LOOP_S)
            self._decide()

    def _watch_s(self) -> float:
        """Return how long nothing needs to be watched: until the next fault, or the next probe."""
        world_state = self.cloud.world_state
        until_s = world_state.edges[-1] if world_state.edges else FOREVER_S
        quiet = self._served and not world_state.faults
        return max(WATCH_S, until_s - world_state.now_s) if quiet else WATCH_S

    def _wakes(self) -> bool:
        """Return whether the witness now sees for the first time that users are not served."""
        world_state, before = self.cloud.world_state, self._served
        users = world_state.users_on()
        sees = world_state.gets_out(W) and world_state.up(S)
        works = world_state.outside(users) and world_state.writes_work(users)
        self._served = works or not sees
        return before and not self._served and not self.cloud.hit("wakeup_lost")

    def _busy(self) -> bool:
        state = self.cloud.seen()
        last = self.looks[-1][1] if self.looks else None
        failing = last is not None and bool(last.failed)
        since_s = state.unwell_since_s
        begins = since_s is not None and self.cloud.world_state.now_s - since_s < BEGINS_S
        return state.phase is not Phase.STEADY or not state.anchored or failing or begins

    def _decide(self) -> None:
        self._invoke("decider", reconcile_once)

    def _invoke(self, role: str, loop: Callable[[SimulatedWorld, FailoverPolicy], object]) -> None:
        """Invoke a function once; the platform may kill it anywhere."""
        cloud = self.cloud
        if cloud.world_state.now_s > self._script.calm_s and cloud.fault_rates is not _CALM:
            cloud.hostile(_CALM)
        if self._newer is not (Fault.NEWER_SCHEMA in cloud.world_state.faults):
            self._newer = not self._newer
            newer(cloud, there=self._newer)
        phase = cloud.newest.phase
        try:
            done = loop(SimulatedWorld(cloud=cloud, role=role), self._script.policy)
        except KilledError:
            done = None
        self._count(phase, done)

    def _count(self, phase: Phase, done: object) -> None:
        """Record what was met in which phase."""
        cloud = self.cloud
        if isinstance(done, Tick):
            self.cells.add((phase, done.decision.verdict, self._script.policy.mode))
            self.looks.append((cloud.world_state.now_s, done))
        self.pairs |= {(phase, fault) for fault in cloud.world_state.faults}
        self.pairs |= {(phase, kind) for kind in cloud.struck}
        cloud.struck.clear()

    def _interrupt(self) -> None:
        """Run another invocation in the middle of this one, and each that is overdue by now.

        A frozen function holds nobody else up: the platform starts the others all the same.
        """
        cloud = self.cloud
        overdue = [at_s for at_s in cloud.wakes if at_s < cloud.world_state.now_s - DELIVERED_S]
        for at_s in overdue:
            cloud.wakes.remove(at_s)
            self._invoke("actuator", actuate)
        if cloud.wakes and cloud.random.random() < 1 / 2:
            cloud.wakes.pop(0)
            self._invoke("actuator", actuate)
        else:
            self._decide()

    def _pass(self, seconds: float) -> None:
        """Let time pass, and run the actuator whenever it is due."""
        cloud = self.cloud
        until_s = cloud.world_state.now_s + seconds
        while cloud.wakes:
            cloud.wakes.sort()
            if cloud.wakes[0] > until_s:
                break
            at_s = cloud.wakes.pop(0)
            self._advance(max(0.0, at_s - cloud.world_state.now_s))
            self._invoke("actuator", actuate)
        self._advance(max(0.0, until_s - cloud.world_state.now_s))

    def _advance(self, seconds: float) -> None:
        world_state = self.cloud.world_state
        world_state.advance(seconds)
        if self._backup_s is not None and world_state.now_s >= self._backup_s:
            self._backup_s = None
            self.cloud.table.keep()
        self.samples.append((world_state.now_s, world_state.writer, world_state.users_on()))
        if self._orders or self._by_hand_s is not None:
            self._chaos()
        if self._script.people is People.DILIGENT:
            self._diligence()

    def _chaos(self) -> None:
        """Give people their turn: orders for the revision that they see, and moves by hand."""
        cloud, now_s = self.cloud, self.cloud.world_state.now_s
        if self._orders and self._orders[0][0] <= now_s:
            _, order = self._orders.pop(0)
            self._order(order)
        if self._by_hand_s is not None and self._by_hand_s <= now_s:
            self._by_hand_s = None
            cloud.world_state.call(Move.FAILOVER, cloud.world_state.writer.other, BY_HAND)

    def _diligence(self) -> None:
        """Do what waits for a person, after taking some time to look at it."""
        state, now_s = self.cloud.seen(), self.cloud.world_state.now_s
        if self._waits[0] is not state.phase:
            self._waits = (state.phase, now_s)
        known = state.latched is not None
        home = self.cloud.world_state.writer is state.writer is Side.PRIMARY and known
        order = {
            Phase.AWAIT_APPROVAL: Order.APPROVE,
            Phase.REJOINED: None if state.reconciled else Order.SIGN_RECONCILIATION,
            Phase.FAILBACK_READY: Order.SWITCHOVER,
            Phase.HALTED: Order.RESUME if home else Order.ADOPT,
        }.get(state.phase)
        if order is not None and now_s - self._waits[1] >= PONDER_S:
            self._waits = (state.phase, now_s)
            self._order(order)

    def _order(self, order: Order) -> None:
        """Write a person's order to the table, as the command line does."""
        cloud, now_s = self.cloud, self.cloud.world_state.now_s
        state = cloud.seen()
        until_s = now_s + cloud.random.uniform(-10.0, 200.0) if order is Order.FREEZE else None
        given = Command(
            order=order,
            revision=state.revision,
            author="ada",
            at_s=now_s,
            until_s=until_s,
            loss_s=state.asked_loss_s if order is Order.APPROVE else None,
        )
        try:
            store = cloud.people()
            seen = store.freeze() if order is Order.FREEZE else store.command()
            store.order(given, over=seen)
            became = "given"
        except (ConflictError, UnavailableError) as error:
            became = str(error)
        cloud.orders.append((now_s, given, became))


def shrink(script: Script) -> Script:
    """Return a script that still breaks something, with as little in it as possible."""
    smaller = [
        replace(script, fault_rates=replace(script.fault_rates, **{name: 0.0}))
        for name in FaultRates.__slots__
        if getattr(script.fault_rates, name)
    ]
    smaller += [
        replace(script, windows=tuple(s for s in script.windows if s is not window))
        for window in script.windows
    ]
    smaller += [
        replace(script, orders=tuple(o for o in script.orders if o is not order))
        for order in script.orders
    ]
    smaller += [replace(script, by_hand_s=None)] if script.by_hand_s is not None else []
    smaller += [replace(script, cancels=0)] if script.cancels else []
    smaller += [replace(script, refusals=0)] if script.refusals else []
    for item in smaller:
        if run(item).broken:
            return shrink(item)
    return script
