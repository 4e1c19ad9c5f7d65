"""One seed, one run: draw a disaster and its hostility, run it, and say what broke."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from otherside.core.decide import Decision, Policy
from otherside.core.facts import Command, Move, Order
from otherside.core.state import Phase
from otherside.core.topology import FailoverMode, Side
from otherside.orchestrator.reconcile import reconcile
from otherside.sim.invariants import INVARIANTS, History
from otherside.sim.truth import Ill, Spell, Truth
from otherside.sim.world import Hostility, KilledError, SimulatedWorld

RUN_S = 1500.0
TICK_S = 60.0
LOOP_S = 5.0
LOOP_FOR_S = 50.0
HEALED_S = 600.0
"""Before this every trouble at the ports has ended, so that progress can be asked for."""
RECOVERED_BY_S = 850.0
CHANCE = 0.25
"""How often each kind of trouble is switched on at all."""

Reconcile = Callable[[SimulatedWorld, Policy], Decision | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a seed stands for: everything that is not the orchestrator's own doing."""

    seed: int
    spells: tuple[Spell, ...]
    hostility: Hostility
    policy: Policy
    promote_s: float
    cancels: int
    orders: tuple[tuple[float, Order], ...]
    by_hand_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of one seed."""

    script: Script
    history: History
    broken: tuple[str, ...]

    @property
    def phases(self) -> frozenset[Phase]:
        """Which phases were reached."""
        return frozenset(state.phase for state in self.history.states)


def draw(seed: int) -> Script:
    """Return the script of a seed."""
    random = Random(seed)  # noqa: S311 - a simulation wants to be repeated
    return Script(
        seed=seed,
        spells=_spells(random),
        hostility=_hostility(random),
        policy=Policy(
            mode=random.choices(list(FailoverMode), [8, 2, 1])[0],
            loss_auto_s=2.0,
            switch_lag_max_s=2.0,
            stable_s=60.0,
            block_s=600.0,
            freezes=((0.0, 400.0),) if random.random() < CHANCE / 4 else (),
        ),
        promote_s=random.uniform(5.0, 180.0),
        cancels=random.choices([0, 1, 4], [10, 2, 1])[0],
        orders=_orders(random),
        by_hand_s=random.uniform(30.0, 300.0) if random.random() < CHANCE / 3 else None,
    )


def _spells(random: Random) -> tuple[Spell, ...]:
    """Draw what is wrong: one disaster, and now and then a second thing with it."""
    ills = random.sample(list(Ill), random.choices([0, 1, 2], [1, 6, 3])[0])
    if random.random() < CHANCE and Ill.PRIMARY_GONE not in ills:
        ills.append(Ill.PRIMARY_GONE)
    spells = []
    for ill in ills:
        start = random.uniform(20.0, 120.0)
        length = random.choices([43.0, random.uniform(60.0, 400.0), 1e9], [2, 4, 4])[0]
        spells.append(Spell(ill=ill, from_s=start, to_s=start + length))
    return tuple(spells)


def _hostility(random: Random) -> Hostility:
    def sometimes(most: float) -> float:
        return random.uniform(0.0, most) if random.random() < CHANCE else 0.0

    return Hostility(
        kill=sometimes(0.2),
        fail=sometimes(0.2),
        lose=sometimes(0.2),
        slow=sometimes(0.2),
        freeze=sometimes(0.05),
        overlap=sometimes(0.3),
    )


def _orders(random: Random) -> tuple[tuple[float, Order], ...]:
    orders = list(Order)
    times = sorted(random.uniform(0.0, RUN_S) for _ in range(random.randrange(6)))
    return tuple((at_s, random.choice(orders)) for at_s in times)


def run(script: Script, *, loop: Reconcile = reconcile) -> Run:
    """Run a script against the real core and the real loop; return what broke."""
    truth = Truth(spells=script.spells, promote_s=script.promote_s, cancels=script.cancels)
    world = SimulatedWorld(
        truth=truth,
        random=Random(script.seed + 1),  # noqa: S311 - a simulation wants to be repeated
        hostility=script.hostility,
        policy=script.policy,
        advance=lambda _: None,
    )
    runner = _Runner(script, world, loop)
    runner.play()
    history = History(
        log=tuple(world.log),
        truth=truth,
        world=world,
        policy=script.policy,
        hostility=script.hostility,
    )
    broken = [text for invariant in INVARIANTS for text in invariant(history)]
    broken += _not_live(script, history)
    return Run(script=script, history=history, broken=tuple(broken))


class _Runner:
    """Time, people and the platform: whoever is not the orchestrator."""

    def __init__(self, script: Script, world: SimulatedWorld, loop: Reconcile) -> None:
        self._script, self._world, self._loop = script, world, loop
        self._orders = list(script.orders)
        self._by_hand_s = script.by_hand_s
        self._owed_s = 0.0
        world.advance = self.advance
        world.interrupt = self._invoke

    def play(self) -> None:
        """Tick each minute until the end; keep looking while anything is under way."""
        truth = self._world.truth
        while truth.now_s < RUN_S:
            started_s = truth.now_s
            self._invoke()
            until_s = started_s + LOOP_FOR_S
            while self._busy() and truth.now_s + LOOP_S < until_s:
                self.advance(LOOP_S)
                self._invoke()
            self.advance(max(1.0, started_s + TICK_S - truth.now_s))

    def _busy(self) -> bool:
        log = self._world.log
        return bool(log) and log[-1].state.phase is not Phase.STEADY

    def _invoke(self) -> None:
        """Run the function once; the platform may end it anywhere."""
        if self._world.truth.now_s > HEALED_S:
            self._world.hostility = Hostility()
        try:
            self._loop(self._world, self._script.policy)
        except KilledError:
            return

    def advance(self, seconds: float) -> None:
        """Let time pass, in whole seconds of the truth."""
        self._owed_s += seconds
        while self._owed_s >= 1.0:
            self._owed_s -= 1.0
            self._world.truth.step()
            self._world.second()
            self._people()

    def _people(self) -> None:
        """Give people their turn: orders for the revision that they see, and the console."""
        world, now_s = self._world, self._world.truth.now_s
        revision = world.log[-1].state.revision if world.log else 0
        if self._orders and self._orders[0][0] <= now_s:
            _, order = self._orders.pop(0)
            world.command = Command(order=order, revision=revision, author="ada", at_s=now_s)
        if self._by_hand_s is not None and self._by_hand_s <= now_s:
            self._by_hand_s = None
            world.truth.call(Move.FAILOVER, Side.STANDBY, "by-hand")


def _not_live(script: Script, history: History) -> list[str]:
    """L1: a Region that is gone for good is left, where nothing else stands in the way."""
    gone = [s for s in script.spells if s.ill is Ill.PRIMARY_GONE and s.to_s > RUN_S]
    alone = len(script.spells) == 1 and gone
    free = script.policy.mode is FailoverMode.AUTO and not script.policy.freezes
    quiet = not script.orders and script.by_hand_s is None and script.cancels == 0
    if not (alone and free and quiet):
        return []
    serving = [
        one.at_s
        for one in history.log
        if one.state.latched and one.state.phase in {Phase.SHIFT, Phase.FAILED_OVER}
    ]
    by_s = RECOVERED_BY_S + script.promote_s
    if not serving or serving[0] > by_s:
        last = history.states[-1]
        return [f"the primary is gone and nobody took over: {last.phase}, {last.reason}"]
    return []


def shrink(script: Script, *, loop: Reconcile = reconcile) -> Script:
    """Return a script that still breaks, with as little in it as possible."""
    smaller = [
        replace(script, hostility=replace(script.hostility, **{name: 0.0}))
        for name in Hostility.__slots__
        if getattr(script.hostility, name)
    ]
    smaller += [
        replace(script, spells=tuple(s for s in script.spells if s is not one))
        for one in script.spells
    ]
    smaller += [
        replace(script, orders=tuple(o for o in script.orders if o is not one))
        for one in script.orders
    ]
    smaller += [replace(script, by_hand_s=None)] if script.by_hand_s is not None else []
    smaller += [replace(script, cancels=0)] if script.cancels else []
    for one in smaller:
        if run(one, loop=loop).broken:
            return shrink(one, loop=loop)
    return script
