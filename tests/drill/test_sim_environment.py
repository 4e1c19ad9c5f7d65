"""Scenarios on the simulator: the same steps, the same claims, and they can fail there, too."""

import dataclasses

import pytest

from drill.journal_builders import head
from otherside.drill import sim_environment
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.entries import TickEntry
from otherside.drill.outcome import Outcome
from otherside.drill.sim_environment import NotSimulatedError, can_simulate, claims_of, simulate
from otherside.failover.decision.policy import FailoverPolicy
from stacks import topology

ABLE = [item for item in CATALOGUE if can_simulate(item)]
KNOWN = {item.name: item for item in CATALOGUE}
HEAD = {k: head()[k] for k in ("rto_s", "rpo_s", "regions", "place", "digest", "started_at")}


def played(scenario):
    """Return what a scenario comes to on the simulator."""
    return simulate(scenario, topology("standard"), HEAD)


def test_most_scenarios_can_be_simulated():
    """What is about functions, events or AWS's API alone cannot."""
    names = {item.name for item in ABLE}
    assert len(names) >= 15
    assert {"lost-region", "blip", "failback", "switchover", "moved-by-hand"} <= names
    assert "functions-killed" not in names


@pytest.mark.parametrize("scenario", ABLE, ids=lambda item: item.name)
def test_a_scenario_comes_to_the_same_in_virtual_time(scenario):
    """Every claim that is not about a deployed stack passes."""
    result = played(scenario)
    complaints = [
        f"{other_result.claim}: {other_result.reason}"
        for other_result in result.found
        if other_result.verdict is not Outcome.PASSED
    ]
    assert complaints == []
    assert len(result.found) == len(claims_of(scenario)) + 2  # steady, and the objectives


def test_what_cannot_be_simulated_says_so():
    """By the scenario's name."""
    with pytest.raises(NotSimulatedError, match="functions-killed"):
        played(KNOWN["functions-killed"])


def test_a_simulation_does_the_same_each_time():
    """Steps that wait for a moment are placed by playing again."""
    item, other = played(KNOWN["lagging-then-lost"]), played(KNOWN["lagging-then-lost"])
    assert item.recording.all() == other.recording.all()
    assert [line.text for line in item.lines] == [line.text for line in other.lines]


def test_a_decision_that_is_too_quick_fails_there(monkeypatch):
    """The negative control: with no window to confirm, a blip becomes a failover."""

    def hasty(**given):
        return FailoverPolicy(**{**given, "confirm_s": 0.0, "in_region_grace_s": 0.0})

    monkeypatch.setattr(sim_environment, "FailoverPolicy", hasty)
    reusable = played(KNOWN["blip"])
    longer = dataclasses.replace(
        KNOWN["blip"], steps=(KNOWN["blip"].steps[0],), name="cut off for good"
    )
    found = {result.claim: result.verdict for result in played(longer).found}
    assert found["the writer is not moved"] is Outcome.FAILED
    assert reusable.recording.of(TickEntry)


def test_what_a_slow_replication_loses_is_measured():
    """Half a minute of writes, and no more than was said."""
    result = played(KNOWN["lagging-then-lost"])
    assert 25 < result.measures.rpo_s <= 31
    assert result.measures.writes_lost >= 25
    assert result.measures.loss_said_s >= result.measures.rpo_s


def test_the_examples_design_is_what_decides():
    """The policy is the design's, and the scenario's where it says so."""
    scenario = KNOWN["failback"]
    slow = dataclasses.replace(scenario, settings={})
    found = {result.claim: result.verdict for result in played(slow).found}
    assert found["the writer is moved 2 times"] is Outcome.FAILED, "a day is longer than a drill"
