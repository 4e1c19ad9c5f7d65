"""The two loops by themselves, over ports that fail one at a time."""

from dataclasses import replace

import pytest

from failover.decision.observation_builders import AUTO, dead, observation
from otherside.core.topology import Side
from otherside.failover.actuator import actuate
from otherside.failover.controller import Tick, TickFailed, reconcile_once
from otherside.failover.decision.observation import ACCEPTED
from otherside.failover.decision.state import Intent, Phase, first
from otherside.failover.ports import ConflictError, RefusedError, UnavailableError

EFFECTS = ["set_lease_terms", "pledge", "invoke_actuator", "publish_metrics", "notify"]
INTENT = Intent(
    epoch=1, attempt=1, move="failover", target=Side.STANDBY, not_after_s=1015.0, free_from_s=0.0
)


class World:
    """Ports that remember what was asked of them, and fail where they are told to."""

    def __init__(self, state, seen, **fails):
        self.state, self.seen, self.fails = state, seen, fails
        self.at_s, self.asked, self.written, self.noted = seen.at_s, [], [], None
        self.takes = {}

    def now_s(self):
        """Return the time."""
        return self.at_s

    def _ask(self, name):
        self.asked.append(name)
        self.at_s += self.takes.get(name, 0.0)
        if name in self.fails:
            raise self.fails[name]

    def load_state(self):
        """Return the state."""
        self._ask("load_state")
        return self.state

    def observe(self, state):
        """Return the facts."""
        assert state is self.state
        self._ask("observe")
        return self.seen

    def commit(self, decision, seen):
        """Commit."""
        assert (decision.changed, seen) == (True, self.seen)
        self._ask("commit")

    def record_failures(self, failed):
        """Keep what failed."""
        self.noted = failed

    def record_answer(self, intent, *, called, answer):
        """Write down what became of a call."""
        self._ask("record_answer")
        self.written.append((intent.operation, called, answer))

    def __getattr__(self, name):
        if name not in {*EFFECTS, "extend_pledge", "claim", "move", "raise_capacity"}:
            raise AttributeError(name)
        return lambda *_: self._ask(name)


def suspecting(**fails):
    """Return a world in which the next look is a new revision."""
    state = replace(first(0.0), revision=1, anchored=True, looked_s=995.0)
    return World(state, dead(1000.0), **fails)


def test_a_look_commits_first_and_acts_then():
    """In this order, and all of it."""
    world = suspecting()
    done = reconcile_once(world, AUTO)
    assert isinstance(done, Tick)
    assert done.decision.state.phase is Phase.SUSPECT
    assert world.asked == ["load_state", "observe", "commit", *EFFECTS]
    assert world.noted == ()


def test_a_look_that_moves_nothing_commits_nothing():
    """It keeps its word all the same: the latch on each look, the lease where it differs."""
    state = replace(first(0.0), revision=1, anchored=True)
    world = World(state, observation(1000.0))
    assert isinstance(reconcile_once(world, AUTO), Tick)
    assert world.asked == ["load_state", "observe", *EFFECTS]


def test_who_lost_the_race_does_nothing():
    """Somebody else committed: what they ask for is theirs to do."""
    world = suspecting(commit=ConflictError("rev#2 exists already"))
    assert reconcile_once(world, AUTO) == TickFailed(why="rev#2 exists already", overtaken=True)
    assert world.asked == ["load_state", "observe", "commit"]


@pytest.mark.parametrize("port", ["load_state", "commit"])
def test_who_cannot_commit_only_lets_the_word_hold_on(port):
    """A Region that is cut off from the majority gives nobody up."""
    world = suspecting(**{port: UnavailableError("no majority")})
    assert reconcile_once(world, AUTO) == TickFailed(why="no majority")
    assert world.asked[-2:] == [port, "extend_pledge"]
    assert not set(world.asked) & set(EFFECTS)


def test_a_word_that_cannot_hold_on_is_told_too():
    """Both reasons, in one sentence."""
    world = suspecting(
        load_state=UnavailableError("no majority"), extend_pledge=UnavailableError("no S3")
    )
    assert reconcile_once(world, AUTO).why == "no majority; no S3"


def test_a_look_that_is_too_old_is_not_committed():
    """The function was frozen after it looked."""
    world = suspecting()
    world.takes["observe"] = AUTO.fresh_s + 0.1
    assert reconcile_once(world, AUTO) == TickFailed(why="the look is too old to be committed")
    assert "commit" not in world.asked
    assert not set(world.asked) & set(EFFECTS)


@pytest.mark.parametrize("broken", EFFECTS)
def test_no_effect_that_fails_takes_another_with_it(broken):
    """Each for itself; and the next look knows."""
    world = suspecting(**{broken: UnavailableError(f"{broken}: Throttling")})
    done = reconcile_once(world, AUTO)
    assert world.asked[-5:] == EFFECTS
    assert done.failed == world.noted == (f"{broken}: Throttling",)


def intended(**fails):
    """Return a world in which an intent is committed and everything speaks for it."""
    state = replace(
        first(0.0),
        revision=9,
        anchored=True,
        phase=Phase.PROMOTE_INTENT,
        intent=INTENT,
        epoch=1,
        bad_since_s=900.0,
        looked_s=995.0,
    )
    return World(state, replace(dead(1000.0), capacity_short=False), **fails)


def test_an_attempt_is_claimed_called_once_and_written_down():
    """In this order."""
    world = intended()
    assert actuate(world, AUTO) == "asked for a failover to standby as 1.1"
    assert world.asked == ["load_state", "observe", "claim", "move", "record_answer"]
    assert world.written == [("1.1", True, ACCEPTED)]


@pytest.mark.parametrize(
    ("fails", "moved", "written", "words"),
    [
        ({"load_state": UnavailableError("no table")}, False, [], "nothing done: no table"),
        ({"claim": ConflictError("-")}, False, [], "being carried out already"),
        ({"claim": UnavailableError("lost")}, False, [("1.1", False, None)], "1.1: lost"),
        (
            {"move": RefusedError("no", "AccessDenied")},
            True,
            [("1.1", True, "AccessDenied")],
            "no move",
        ),
        ({"move": UnavailableError("lost")}, True, [("1.1", True, None)], "nobody knows"),
        ({"record_answer": UnavailableError("no table")}, True, [], "could not be written down"),
    ],
)
def test_whatever_becomes_of_a_call_is_written_down(fails, moved, written, words):
    """A claim that was lost is no call, and a call that was lost may be one."""
    world = intended(**fails)
    assert words in actuate(world, AUTO)
    assert ("move" in world.asked) is moved
    assert world.written == written
    assert world.asked.count("move") <= 1


def test_an_intent_that_expires_on_the_way_is_not_called():
    """The function was frozen between the claim and the call."""
    world = intended()
    world.takes["claim"] = 16.0
    assert "expired before it could be carried out" in actuate(world, AUTO)
    assert "move" not in world.asked
    assert world.written == [("1.1", False, None)]


@pytest.mark.parametrize(("fails", "words"), [(False, "raised"), (True, "capacity stays: Throt")])
def test_the_standby_grows_whatever_becomes_of_the_move(fails, words):
    """Both are said."""
    broken = {"raise_capacity": UnavailableError("Throttling")} if fails else {}
    world = intended(claim=ConflictError("-"), **broken)
    world.seen = replace(world.seen, capacity_short=True)
    said = actuate(world, AUTO)
    assert "being carried out already" in said
    assert words in said
