"""Every scenario and every failure says what it is, and asks only for what there is."""

import pytest

from drill.journal_builders import tape
from otherside.drill.actions import VERBS
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.known_failures import FAILURES, inspection
from otherside.drill.probes import PROBES

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
        assert step.do in VERBS
        assert step.how.get("probe", "keys") in PROBES
        assert step.text
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
    claims = {claim.name for claim in inspection().claims}
    assert claims == {failure.claim.name for failure in FAILURES}
