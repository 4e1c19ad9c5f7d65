"""The simulator: the real decision survives it, and planted mistakes do not."""

import contextlib
import dataclasses
from unittest import mock

import pytest

from otherside.core import decide as core
from otherside.core.decide import Policy
from otherside.core.state import Phase
from otherside.core.topology import FailoverMode
from otherside.orchestrator import reconcile as loop
from otherside.orchestrator.ports import ConflictError, UnavailableError
from otherside.sim.invariants import INVARIANTS
from otherside.sim.swarm import draw, run, shrink
from otherside.sim.truth import Ill, Spell
from otherside.sim.world import Hostility

FAST, SLOW, HUNT = 150, 2000, 1500


def broken(seeds):
    """Return what broke in some seeds."""
    return {seed: one.broken for seed in seeds if (one := run(draw(seed))).broken}


def test_no_seed_breaks_an_invariant():
    """A few; the slow lane has more."""
    assert broken(range(FAST)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_two_thousand_seeds_break_nothing(part):
    """In four parts, for two cores."""
    assert broken(range(part, SLOW, 4)) == {}


def test_the_same_seed_does_the_same_again():
    """A seed is the whole of a run."""
    for seed in (1, 7, 91):
        first, again = run(draw(seed)), run(draw(seed))
        assert [one.state for one in first.history.log] == [one.state for one in again.history.log]


@pytest.mark.slow
def test_every_phase_is_reached():
    """A run that is green because nothing happens proves nothing."""
    assert {phase for seed in range(400) for phase in run(draw(seed)).phases} == set(Phase)


def test_every_invariant_says_what_it_is():
    """Each is a checker with a claim."""
    assert all(one.__doc__ for one in INVARIANTS)
    assert len(INVARIANTS) == 11


def no_cas(world, policy):
    """Forget to compare: whoever commits last is right."""
    state = world.recall()
    decision = core.decide(state, world.observe(state), policy)
    with contextlib.suppress(ConflictError, UnavailableError):  # and acts all the same
        if decision.changed:
            world.record(decision.state)
    if decision.move:
        world.move(decision.move)
    world.tend(decision)
    return decision


def safely(take):
    """Return a loop that ends where a call fails, as the real one does."""

    def looping(world, policy):
        try:
            return take(world, policy)
        except UnavailableError:
            return None

    return looping


@safely
def acts_before_it_commits(world, policy):
    """Ask first, and write down later."""
    state = world.recall()
    decision = core.decide(state, world.observe(state), policy)
    if decision.move:
        world.move(decision.move)
    world.tend(decision)
    if decision.changed:
        try:
            world.record(decision.state)
        except ConflictError:
            return None
    return decision


@safely
def never_looks_at_the_clock_again(world, policy):
    """Call whatever was decided, however long ago."""
    state = world.recall()
    decision = core.decide(state, world.observe(state), policy)
    try:
        if decision.changed:
            world.record(decision.state)
    except ConflictError:
        return None
    if decision.move:
        world.move(decision.move)
    world.tend(decision)
    return decision


def changed(**policy):
    """Return a loop with another policy than the run is judged by."""
    return lambda world, given: loop.reconcile(world, dataclasses.replace(given, **policy))


LOOPS = {
    "no compare-and-set": safely(no_cas),
    "acts before it commits": acts_before_it_commits,
    "confirms in ten seconds": changed(confirm_s=10.0),
    "any loss is fine": changed(loss_auto_s=1e9),
    "no hour between moves": changed(block_s=0.0),
    "freezes are ignored": changed(freezes=()),
    "observing is acting": changed(mode="auto"),
}


def patch(target, name, value):
    """Plant a mistake in the core."""
    return mock.patch.object(target, name, value)


def lost_while_frozen(seed):
    """Return a lost Region, watched by a function that is often frozen between two calls."""
    return dataclasses.replace(
        draw(seed),
        spells=(Spell(ill=Ill.PRIMARY_GONE, from_s=30.0, to_s=1e9),),
        hostility=Hostility(freeze=0.3),
        policy=Policy(mode=FailoverMode.AUTO, loss_auto_s=2.0),
        orders=(),
        by_hand_s=None,
    )


@pytest.mark.slow
def test_an_actor_that_thaws_late_finds_its_intent_stale():
    """With the look at the clock right before the call; without it, the call is made too late."""
    seeds = range(200)
    late = [
        s for s in seeds if run(lost_while_frozen(s), loop=never_looks_at_the_clock_again).broken
    ]
    assert late
    assert [s for s in seeds if run(lost_while_frozen(s)).broken] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOPS)
def test_a_broken_loop_is_caught(name):
    """Planted in the loop or its policy, each mistake breaks an invariant within the hunt."""
    for seed in range(HUNT):
        if run(draw(seed), loop=LOOPS[name]).broken:
            return
    pytest.fail(f"{name} survived {HUNT} seeds")


def latch_early(state, event, facts, policy):
    """Hold users as soon as promotion is asked for."""
    entered = ENTER(state, event, facts, policy)
    if entered.phase is Phase.PROMOTING:
        return dataclasses.replace(entered, latched=True)
    return entered


def forget_epoch(state, event, now_s, policy):
    """Give every intent the same name."""
    made = INTENT(state, event, now_s, policy)
    return dataclasses.replace(made, intent=dataclasses.replace(made.intent, epoch=1, attempt=1))


def switch_with_loss(state, event, now_s, policy):
    """Turn a switchover into something that may lose data."""
    made = INTENT(state, event, now_s, policy)
    forced = dataclasses.replace(made.intent, move=core.Move.FAILOVER)
    return dataclasses.replace(made, intent=forced)


ENTER, INTENT = core._enter, core._with_intent
CORE = {
    "users held before a write is verified": ("_enter", latch_early),
    "one name for every attempt": ("_with_intent", forget_epoch),
    "a switchover that may lose data": ("_with_intent", switch_with_loss),
    "approval is not asked for": ("_question", lambda *_: None),
    "nothing is an obstacle": ("_obstacle", lambda *_: None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CORE)
def test_a_mistake_in_the_core_is_caught(name):
    """Planted in the decision itself, each mistake breaks an invariant within the hunt."""
    where, wrong = CORE[name]
    clean = {}
    with patch(core, where, wrong):
        for seed in range(HUNT):
            found = run(draw(seed))
            if found.broken:
                clean[seed] = found.broken
                break
    assert clean, f"{name} survived {HUNT} seeds"


@pytest.mark.slow
def test_a_failing_seed_shrinks_to_what_matters():
    """What is left still breaks, and there is less of it."""
    mistake = LOOPS["confirms in ten seconds"]
    seed = next(s for s in range(HUNT) if run(draw(s), loop=mistake).broken)
    small = shrink(draw(seed), loop=mistake)
    assert run(small, loop=mistake).broken
    assert len(small.spells) <= len(draw(seed).spells)
