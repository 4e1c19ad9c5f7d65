"""What a seed determines: everything except the orchestrator's own actions."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from random import Random

from otherside.core.topology import FailoverMode
from otherside.failover.decision.observation import Order
from otherside.failover.decision.policy import FailoverPolicy
from otherside.sim.faults import Fault, FaultRates, FaultWindow

CHANCE = 0.25
"""The probability that each kind of trouble is enabled at all."""
RUN_S, LONG_RUN_S = 1500.0, 2700.0
HEALS_BY_S = 560.0
LATE_S = 1300.0
FOREVER_S = 1e9
HEALED_S = 600.0

REGRET_S = 15.0
"""How soon after a switchover some people call it off."""

CORRELATED = (
    (Fault.BLIND,),
    (Fault.HALF_BLIND, Fault.LINK_CUT),
    (Fault.HALF_BLIND, Fault.APP_DOWN),
    (Fault.APP_DOWN, Fault.AGENTS_DEAF),
    (Fault.WITNESS_GONE, Fault.LINK_CUT),
    (Fault.WRITER_DOWN,),
    (Fault.PRIMARY_CUT, Fault.AGENTS_DEAF),
    (Fault.LAGGING, Fault.PRIMARY_GONE),
    (Fault.STORE_DOWN, Fault.PRIMARY_GONE),
    (Fault.AGENTS_DENIED, Fault.FRONT_DOOR),
    (Fault.PRIMARY_AGENTS_DENIED, Fault.FRONT_DOOR),
    (Fault.MACHINES_GONE,),
    (Fault.MACHINES_GONE, Fault.CONTROL_PLANE_DOWN),
    (Fault.STANDBY_BUSY, Fault.PRIMARY_GONE),
    (Fault.STANDBY_STOPPED, Fault.PRIMARY_GONE),
    (Fault.STANDBY_DETACHED, Fault.PRIMARY_GONE),
    (Fault.STANDBY_APP_DOWN, Fault.PRIMARY_GONE),
    (Fault.STANDBY_MACHINES_NEW, Fault.PRIMARY_GONE),
    (Fault.LEASE_DENIED, Fault.PRIMARY_GONE),
    (Fault.PLEDGE_DENIED, Fault.PRIMARY_GONE),
    (Fault.PLEDGE_DOWN, Fault.PRIMARY_GONE),
    (Fault.CLAIM_DENIED, Fault.PRIMARY_GONE),
    (Fault.MOVE_DENIED, Fault.PRIMARY_GONE),
    (Fault.ACTUATOR_DEAD, Fault.PRIMARY_GONE),
    (Fault.LEASE_CORRUPT, Fault.PRIMARY_GONE),
    (Fault.PULSE_CORRUPT, Fault.PRIMARY_GONE),
    (Fault.ANSWERS_GARBLED, Fault.PRIMARY_GONE),
    (Fault.TABLE_LOST, Fault.PRIMARY_GONE),
    (Fault.TABLE_RESTORED, Fault.PRIMARY_GONE),
    (Fault.STORE_DOWN, Fault.LINK_CUT),
    (Fault.STORE_DOWN, Fault.PRIMARY_CUT),
)
"""Faults that mask each other, drawn together more often than chance would."""
TROUBLES = tuple(field.name for field in fields(FaultRates))
_MOST = {
    **dict.fromkeys(("kill", "fail", "lose", "slow"), 0.2),
    "freeze": 0.05,
    "overlap": 0.3,
    "blind": 0.2,
    "probe_flake": 0.3,
    "random_signals": 0.15,
    "stale": 0.5,
    "inconsistent_read": 0.5,
    "skew": 1.0,
    "step": 0.3,
    "skip": 0.5,
    "wakeup_lost": 0.3,
    "wakeup_duplicated": 0.5,
}
"""The highest probability at which each kind of trouble is drawn."""


class People(StrEnum):
    """How the people on call behave."""

    NOBODY = "nobody"
    CHAOTIC = "chaotic"
    """They give orders at any time, for whatever revision is newest then."""
    DILIGENT = "diligent"
    """They do what waits for a person, a little later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A disaster, how hostile the platform is meanwhile, and what people do."""

    seed: int
    run_s: float
    calm_s: float
    """When all troubles at the ports have ended."""
    windows: tuple[FaultWindow, ...]
    fault_rates: FaultRates
    policy: FailoverPolicy
    promote_s: float
    cancels: int
    refusals: int
    people: People
    orders: tuple[tuple[float, Order], ...]
    by_hand_s: float | None
    machines: tuple[int, int] = (2, 2)
    """The number of machines on the primary and on the standby."""
    backup_s: float = 0.0
    """When the backup was made that a restore of the state table brings back."""


FAULTS = (*TROUBLES, *Fault, "cancel", "refuse", "orders", "by-hand", "freeze-window")
"""Every class of fault, by the name that `--faults` takes."""


def draw(seed: int, faults: Collection[str] = FAULTS) -> Script:
    """Return the script of a seed, limited to some classes of fault."""
    random = Random(seed)  # noqa: S311 - a simulation must be repeatable
    people = random.choices(list(People), [4, 4, 3])[0]
    diligent = people is People.DILIGENT
    mode = random.choices(list(FailoverMode), [8, 3, 2])[0]
    frozen = random.random() < CHANCE / 3 and "freeze-window" in faults
    begins_s = random.uniform(0.0, 200.0)
    script = Script(
        seed=seed,
        run_s=LONG_RUN_S if diligent else RUN_S,
        calm_s=random.choices([HEALED_S, 2 * LONG_RUN_S], [3, 1])[0],
        windows=tuple(s for s in _spells(random, heals=diligent) if s.fault in faults),
        fault_rates=FaultRates(**{n: c for n, c in _hostility(random).items() if n in faults}),
        policy=FailoverPolicy(
            mode=mode,
            loss_auto_s=5.0,
            stable_s=60.0,
            block_s=1200.0,
            remind_s=120.0,
            freezes=((begins_s, begins_s + 250.0),) if frozen else (),
        ),
        promote_s=random.uniform(*random.choice(((1.0, 10.0), (5.0, 180.0)))),
        cancels=random.choices([0, 1, 4], [10, 2, 0 if diligent else 1])[0],
        refusals=random.choices([0, 1, 4], [6, 3, 0 if diligent else 1])[0],
        people=people,
        orders=_orders(random, people) if "orders" in faults else (),
        by_hand_s=_by_hand_s(random, mode) if "by-hand" in faults else None,
        machines=(random.choice((1, 2, 2)), random.choice((1, 2))),
        backup_s=random.uniform(10.0, 500.0),
    )
    return _without(script, faults)


def _without(script: Script, faults: Collection[str]) -> Script:
    return replace(
        script,
        cancels=script.cancels if "cancel" in faults else 0,
        refusals=script.refusals if "refuse" in faults else 0,
    )


def _by_hand_s(random: Random, mode: FailoverMode) -> float | None:
    """Draw when someone moves the writer to the other side in the console, or `None`."""
    at_s = random.uniform(30.0, random.choice((300.0, LATE_S)))
    often = 2 * CHANCE if mode is FailoverMode.OBSERVE else CHANCE / 2
    return at_s if random.random() < often else None


def _spells(random: Random, *, heals: bool) -> tuple[FaultWindow, ...]:
    """Draw the faults: one disaster, and sometimes a second fault with it."""
    faults = random.sample(list(Fault), random.choices([0, 1, 2, 3], [1, 5, 3, 1])[0])
    if random.random() < CHANCE:
        faults = list(random.choice(CORRELATED))
    elif random.random() < 2 * CHANCE and Fault.PRIMARY_GONE not in faults:
        faults.append(Fault.PRIMARY_GONE)
    windows: list[FaultWindow] = []
    for fault in faults:
        late = not heals and random.random() < CHANCE
        start_s = random.uniform(20.0, LATE_S if late else 120.0)
        # A dead writer gets time to recover; one that returns just then is the hardest case.
        least_s = 180.0 if fault is Fault.WRITER_DOWN else 60.0
        lengths_s = [43.0, random.uniform(least_s, least_s + 240.0), FOREVER_S]
        length_s = random.choices(lengths_s, [2, 5, 4])[0]
        if heals:
            length_s = min(length_s, HEALS_BY_S - start_s)
        flaps = random.random() < CHANCE / 2
        windows += _flapping(random, fault, start_s, length_s) if flaps else []
        windows += (
            [] if flaps else [FaultWindow(fault=fault, from_s=start_s, to_s=start_s + length_s)]
        )
    if heals and random.random() < CHANCE:
        # Gone again, for good, after everything has returned to the primary.
        again_s = random.uniform(1250.0, 1900.0)
        windows.append(FaultWindow(fault=Fault.PRIMARY_GONE, from_s=again_s, to_s=FOREVER_S))
    return tuple(windows)


def _flapping(random: Random, fault: Fault, start_s: float, length_s: float) -> list[FaultWindow]:
    """Return a fault that comes and goes."""
    windows, at_s = [], start_s
    while at_s < start_s + min(length_s, 400.0):
        down_s, up_s = random.uniform(15.0, 60.0), random.uniform(5.0, 20.0)
        windows.append(FaultWindow(fault=fault, from_s=at_s, to_s=at_s + down_s))
        at_s += down_s + up_s
    return windows


def _hostility(random: Random) -> dict[str, float]:
    def sometimes(most: float) -> float:
        return random.uniform(0.0, most) if random.random() < CHANCE else 0.0

    return {name: sometimes(_MOST[name]) for name in TROUBLES}


def _orders(random: Random, people: People) -> tuple[tuple[float, Order], ...]:
    """Draw the orders that people give at fixed times, not because anything waits for them."""
    if people is People.NOBODY:
        return ()
    if people is People.DILIGENT:
        return ((100.0, Order.SWITCHOVER),) if random.random() < CHANCE else ()
    kinds = [order for order in Order if order is not Order.ABORT]
    times = sorted(random.uniform(0.0, RUN_S) for _ in range(random.randrange(8)))
    orders = [(at_s, random.choice(kinds)) for at_s in times]
    # Some who order a switchover call it off soon after; no draw of its own, so that a seed is
    # still the script that it was.
    regrets = [
        (at_s + REGRET_S, Order.ABORT)
        for at_s, order in orders
        if order is Order.SWITCHOVER and int(at_s) % 3 == 0
    ]
    return tuple(sorted([*orders, *regrets]))
