"""Every scenario and every failure says what it is, and asks only for what there is."""

import pytest

from drill.journal_builders import tape
from otherside.drill import actions
from otherside.drill.actions import Action, AskProbe, LoseRegion, NotSimulatedError
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.known_failures import FAILURES, inspection
from otherside.drill.probes import PROBES
from otherside.drill.simulated_drill import SimulatedDrill

KINDS = [
    kind
    for kind in vars(actions).values()
    if isinstance(kind, type) and issubclass(kind, Action) and kind is not Action
]
ALL = [*CATALOGUE, inspection(), *(failure.scenario for failure in FAILURES)]


def test_there_are_enough_and_each_has_a_name_of_its_own():
    """The default among them."""
    names = [item.name for item in CATALOGUE]
    assert len(names) == len(set(names)) >= 20
    assert "lost-region" in names


def test_each_of_the_fifteen_is_there():
    """Some in more than one way."""
    assert {failure.number for failure in FAILURES} == set(range(1, 16))
    assert len({failure.key for failure in FAILURES}) == len(FAILURES)


@pytest.mark.parametrize("scenario", ALL, ids=lambda item: item.name)
def test_a_scenario_is_whole(scenario):
    """Verbs and probes that exist, claims with names of their own, an end, and two sentences."""
    for step in (*scenario.prepare, *scenario.steps):
        assert step.action.verb in step.action.text.replace(" ", "_")
        assert not isinstance(step.action, AskProbe) or step.action.probe in PROBES
    names = [claim.name for claim in scenario.claims]
    assert len(names) == len(set(names)) > 0
    assert scenario.lasts_s > 0
    assert scenario.title.endswith(".")
    assert scenario.expectation.endswith(".")
    assert scenario.stop_when(tape()) is None


@pytest.mark.parametrize("scenario", CATALOGUE, ids=lambda item: item.name)
def test_what_is_asked_for_by_the_clock_comes_before_the_end(scenario):
    """No step is planned for after the time is up."""
    assert all(step.at_s < scenario.lasts_s for step in scenario.steps)


def test_the_correct_stack_is_asked_everything():
    """Each claim of each failure is one that the correct stack has to pass."""
    assert inspection().may_exceed, "it ends before users have recovered, and measures no recovery"
    claims = {claim.name for claim in inspection().claims}
    assert claims == {failure.claim.name for failure in FAILURES}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.verb)
def test_an_action_is_whole(kind):
    """A verb of its own, something on the twin, and a word of what it does."""
    assert [other.verb for other in KINDS].count(kind.verb) == 1
    assert kind.on_twin is not Action.on_twin
    assert kind.__doc__


def test_an_action_that_does_not_exist_cannot_be_written():
    """Neither a misspelt argument, nor one too few."""
    for wrong in ({"sied": "primary"}, {}):
        with pytest.raises(TypeError):
            LoseRegion(**wrong)


def test_what_the_simulator_does_not_model_says_so():
    """By the action's own words."""
    with pytest.raises(NotSimulatedError, match="ask keys"):
        AskProbe("keys").on_sim(SimulatedDrill(), 0.0)
    assert not AskProbe.is_simulated()
