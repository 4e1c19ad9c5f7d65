"""The audit trail: what the table holds, decided again from its own record."""

import json

import pytest

from failover.account_builders import POLICY
from otherside.failover.aws.record import entry, state_from_text, state_to_text, to_text
from otherside.failover.decision.policy import FailoverPolicy
from otherside.operate.trail import Revision, observation_of, replay
from otherside.sim.script import draw
from otherside.sim.swarm import run


def trail(seed):
    """Return the trail that a simulated disaster leaves, through the table's own texts."""
    history = run(draw(seed, ("primary-gone", "orders"))).history
    found = []
    for item in history.log:
        decision = _Decision(item)
        text = to_text(entry(decision, item.observation, "abc"))
        found.append(
            Revision(
                number=item.state.revision,
                state=state_from_text(state_to_text(item.state)),
                entry=json.loads(text),
            )
        )
    return found, history.policy


class _Decision:
    """A decision as far as its record needs it."""

    def __init__(self, item):
        self.state, self.reason, self.verdict = item.state, item.state.reason, item.state.verdict
        self.notice, self.urgent, self.obstacle = item.notice, False, None


@pytest.mark.parametrize("seed", range(12))
def test_every_decision_is_made_again_from_its_record(seed):
    """Whatever was observed went through JSON, and comes to the same state."""
    found, policy = trail(seed)
    assert found
    assert [item for item in replay(found, policy) if not item.same] == []


def test_other_settings_decide_otherwise_and_are_shown_to():
    """The fields that differ are named."""
    found, _ = trail(1)
    hasty = FailoverPolicy(mode=POLICY.mode, loss_auto_s=1000.0, confirm_s=1.0, settle_s=0.0)
    differs = [item for item in replay(found, hasty) if item.differs]
    assert differs
    assert {"phase", "reason"} & set(differs[0].differs)


def test_what_cannot_be_decided_again_says_why():
    """A gap, a revision of another version, and a record without facts."""
    found, policy = trail(1)
    gap = list(replay([found[0], *found[2:]], policy))
    assert gap[1].missing == "no revision before it"
    foreign = Revision(number=1, state=None, entry=found[0].entry)
    assert next(replay([foreign], policy)).missing == "another version wrote it"
    bare = Revision(number=1, state=found[0].state, entry={"at_s": 1.0})
    assert next(replay([bare], policy)).missing.startswith("its facts: ")


def test_a_record_that_is_none_names_the_field():
    """Not a traceback."""
    found, _ = trail(1)
    broken = {**found[0].entry, "facts": {**found[0].entry["facts"], "machines": "many"}}
    with pytest.raises(ValueError, match="machines"):
        observation_of(broken)
