"""What an operator is told comes next, and what stands in the way."""

from dataclasses import replace

import pytest

from failover.decision.observation_builders import AUTO
from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.gates import Obstacle
from otherside.failover.decision.state import Phase, first
from otherside.operate.next_step import in_the_way, next_step

NOW = 1000.0
HOME = replace(first(0.0), revision=4, anchored=True, since_s=NOW - 10)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_next_step(phase):
    """One sentence, without a stop, as all of them are printed."""
    text = next_step(replace(HOME, phase=phase), AUTO, NOW)
    assert text
    assert not text.endswith(".")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"anchored": False}, "until the database and the pledge can be read"),
        ({"phase": Phase.SUSPECT, "bad_since_s": NOW - 20}, "in 40 s it begins to fail over"),
        ({"phase": Phase.SUSPECT}, "calms down in 590 s"),
        ({"phase": Phase.FENCING, "fenced_s": NOW - 5}, "expires in 15 s"),
        ({"phase": Phase.FENCING}, "closes the old writer's lease"),
        (
            {"phase": Phase.VERIFY, "epoch": 3, "writer": Side.STANDBY},
            "epoch 3 is read back on standby",
        ),
        ({"phase": Phase.SWITCH_PRECHECK}, "begins in 20 s"),
        ({"phase": Phase.HALTED}, "order adopt"),
    ],
)
def test_the_next_step_has_its_time(changes, words):
    """The seconds until then, wherever the policy knows them."""
    assert words in next_step(replace(HOME, **changes), AUTO, NOW)


@pytest.mark.parametrize("obstacle", Obstacle)
def test_every_obstacle_is_a_sentence(obstacle):
    """None is shown by its code."""
    (text,) = in_the_way(HOME, AUTO, NOW, obstacle)
    assert str(obstacle) != text


@pytest.mark.parametrize(
    ("state", "policy", "words"),
    [
        ({"anchored": False}, {}, "has not seen the database"),
        ({"phase": Phase.HALTED}, {}, "halted until a person"),
        ({"writer": Side.STANDBY}, {}, "on the standby already"),
        ({}, {"mode": FailoverMode.APPROVE}, "a person approves every failover"),
        ({"denied": True}, {}, "a person denied"),
        ({"block_until_s": NOW + 60}, {}, "another 60 s"),
    ],
)
def test_what_keeps_it_from_acting_by_itself(state, policy, words):
    """Each by itself; and nothing if nothing does."""
    (text,) = in_the_way(replace(HOME, **state), replace(AUTO, **policy), NOW, None)
    assert words in text
    assert in_the_way(HOME, AUTO, NOW, None) == []
