"""The simulator: the real decision and the real loops survive it."""

from dataclasses import replace

import pytest

from otherside.core.topology import FailoverMode
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase
from otherside.sim.coverage import Coverage, possible_cells, possible_pairs
from otherside.sim.faults import Fault, FaultRates, FaultWindow
from otherside.sim.invariants import INVARIANTS
from otherside.sim.matrix import STORIES, kill, kills
from otherside.sim.script import FAULTS, draw
from otherside.sim.swarm import run, shrink

FAST, SLOW = 60, 360


def broken(seeds):
    """Return what broke in some seeds."""
    return {seed: item.broken for seed in seeds if (item := run(draw(seed))).broken}


def test_no_seed_breaks_an_invariant():
    """A few; the slow lane has more, and `make sim` has a hundred thousand."""
    assert broken(range(FAST)) == {}


def test_the_seeds_that_once_broke_an_invariant_break_none():
    """Each shows a kind of its own.

    A latch let go after a restored table; epochs used again after a lost one; an empty table said
    to be lost after a move by hand; a restored lease that let the side that was left acknowledge; a
    halt after calls without an answer; a description from before the last move taken for the next;
    a silent Region taken for a dead one in the one look that could not ask RDS; a loss told from a
    table that had forgotten the writer; a halt because five wake-ups in a row were lost.
    """
    latch, epochs, empty, lease = (101109,), (105118, 114368), (100177, 101395), (117209,)
    unanswered, stale, silent = (151391,), (136435,), (501194,)
    forgotten, lost_wakes = (535358, 538176), (522247,)
    since = (*unanswered, *stale, *silent, *forgotten, *lost_wakes)
    assert broken((*latch, *epochs, *empty, *lease, *since)) == {}


@pytest.mark.slow
def test_hundreds_of_seeds_break_nothing():
    """Others than the fast lane's."""
    assert broken(range(FAST, SLOW)) == {}


def test_the_same_seed_does_the_same_again():
    """A seed is the whole of a run."""
    for seed in (1, 7, 91):
        first, again = run(draw(seed)), run(draw(seed))
        assert [item.state for item in first.history.log] == [
            item.state for item in again.history.log
        ]
        assert first.history.world_state.calls == again.history.world_state.calls


@pytest.mark.long
def test_every_phase_is_reached_and_nearly_everything_meets():
    """A run that is green because nothing happens proves nothing."""
    seen = Coverage()
    for seed in range(4000):
        seen.count(run(draw(seed)))
    assert {phase for phase in Phase if not seen.phases[phase]} == set()
    assert len(seen.cells_missed) < len(possible_cells()) / 3
    assert len(seen.pairs_missed) < len(possible_pairs()) / 4
    assert len(seen.transitions_missed) < 15


def test_every_invariant_says_what_it_is():
    """I1 to I22 and L1 to L4, each a file with a claim."""
    assert list(INVARIANTS) == [
        *(f"I{number}" for number in range(1, 23)),
        *(f"L{number}" for number in range(1, 5)),
    ]
    assert all(check.__doc__ for check in INVARIANTS.values())


def test_a_fault_that_was_not_asked_for_is_not_drawn():
    """Whatever else a seed would have drawn is left out, and nothing takes its place."""
    for seed in range(40):
        script = draw(seed, ("primary-gone", "kill"))
        assert {window.fault for window in script.windows} <= {Fault.PRIMARY_GONE}
        assert replace(script.fault_rates, kill=0.0) == FaultRates()
        assert (script.cancels, script.refusals, script.orders) == (0, 0, ())
        assert script.by_hand_s is None
    assert len(FAULTS) == len(set(FAULTS))


@pytest.mark.long
@pytest.mark.parametrize("story", STORIES)
def test_a_function_may_be_ended_at_any_moment_of_a_story(story):
    """Before and after each call, in each phase: the end of the story is the same."""
    moments = [number for name, number in kills() if name == story]
    assert len(moments) > 30
    worse = [item for number in moments if (item := kill(story, number)).broken]
    assert worse == []


def lost_while_frozen(seed):
    """Return a lost Region, watched by functions that are often frozen between two calls."""
    return replace(
        draw(seed),
        windows=(FaultWindow(fault=Fault.PRIMARY_GONE, from_s=30.0, to_s=1e9),),
        fault_rates=FaultRates(freeze=0.3),
        policy=FailoverPolicy(mode=FailoverMode.AUTO, loss_auto_s=5.0),
        orders=(),
        by_hand_s=None,
    )


@pytest.mark.slow
def test_an_actor_that_thaws_late_finds_its_intent_stale():
    """With the look at the clock right before the call."""
    assert [s for s in range(60) if run(lost_while_frozen(s)).broken] == []


@pytest.mark.slow
def test_a_failing_seed_shrinks_to_what_matters():
    """What is left still breaks, and there is less of it."""
    hasty = replace(
        lost_while_frozen(0),
        policy=FailoverPolicy(
            mode=FailoverMode.AUTO, loss_auto_s=5.0, confirm_s=10.0, confirm_unanimous_s=10.0
        ),
        fault_rates=FaultRates(slow=0.1, probe_flake=0.1),
    )
    assert run(hasty).broken
    small = shrink(hasty)
    assert run(small).broken
    assert small.fault_rates == FaultRates()
