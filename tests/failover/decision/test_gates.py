"""Each gate by itself: what it lets through, where it begins and ends, and what it says."""

from dataclasses import replace

import pytest

from failover.decision.observation_builders import AUTO, BAD, GOOD, HEALTHY, dead, observation
from failover.decision.state_builders import MOVING
from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.gates import (
    approval_reason,
    covers,
    hard_block,
    needed_s,
    unfit_reason,
    valid_order,
)
from otherside.failover.decision.observation import (
    BY_TWO,
    Command,
    Fitness,
    Move,
    Order,
    Replication,
)
from otherside.failover.decision.state import Phase, first
from otherside.failover.decision.verdict import Verdict

NOW = 5000.0
STATE = replace(
    first(0.0),
    revision=9,
    entered=7,
    anchored=True,
    phase=Phase.SUSPECT,
    verdict=Verdict.REGION_DEAD,
)


def lost(**changes):
    """Return a look at a Region that is gone, with everything there that a failover needs."""
    return replace(dead(NOW), **changes)


def lag(lag_s, *, lived_s=NOW - 60, replicated_s=NOW - 60):
    """Return how far the standby follows."""
    return Replication(replicated_s=replicated_s, lived_s=lived_s, lag_max_s=lag_s)


@pytest.mark.parametrize(
    ("database", "policy", "state", "words"),
    [
        ({}, {}, {}, None),
        (None, {}, {}, "control plane does not answer"),
        ({}, {"mode": FailoverMode.OBSERVE}, {}, "observing only"),
        ({}, {"freezes": ((NOW, NOW + 1),)}, {}, "frozen by the configuration"),
        ({}, {"freezes": ((NOW - 9, NOW),)}, {}, None),
        ({}, {"freezes": ((NOW + 1, NOW + 9),)}, {}, None),
        ({}, {}, {"frozen_until_s": NOW + 1}, "frozen by a person for another 1 s"),
        ({}, {}, {"frozen_until_s": NOW}, None),
        ({"follower_is_member": False}, {}, {}, "no member"),
        ({"follower_has_instance": False}, {}, {}, "no instance"),
        ({"versions_match": False}, {}, {}, "different versions"),
        ({"fitness": Fitness.UNFIT, "status": "stopped"}, {}, {}, "its state is stopped"),
        ({"fitness": Fitness.DOUBTFUL, "status": "backing-up"}, {}, {}, None),
        ({}, {}, {"moved_s": NOW - AUTO.settle_s}, "only just moved"),
        ({}, {}, {"moved_s": NOW - AUTO.settle_s - 1}, None),
    ],
)
def test_what_no_approval_overcomes(database, policy, state, words):
    """Each by itself, and nothing else."""
    view = None if database is None else replace(HEALTHY, **database)
    said = hard_block(replace(STATE, **state), lost(database=view), replace(AUTO, **policy))
    assert said is None if words is None else words in said.reason


@pytest.mark.parametrize(
    ("changes", "policy", "state", "words"),
    [
        ({}, {}, {}, None),
        ({}, {"mode": FailoverMode.APPROVE}, {}, "asked for by design"),
        ({}, {}, {"verdict": Verdict.REGION_SILENT}, "everything is silent but RDS"),
        ({}, {}, {"verdict": Verdict.WRITER_DEAD}, None),
        ({"machines": 0}, {}, {}, None),  # RDS is silent, too
        ({"replication": None}, {}, {}, "nobody can say how much would be lost"),
        ({"replication": lag(4.0)}, {}, {}, None),
        ({"replication": lag(4.1)}, {}, {}, "more than 5.0 s"),
        ({"replication": lag(0.1, lived_s=NOW - 20)}, {}, {}, "about 41.0 s"),
        ({}, {}, {"block_until_s": NOW}, None),
        ({}, {}, {"block_until_s": NOW + 1}, "less than an hour ago"),
        (
            {"database": replace(HEALTHY, move=replace(MOVING, kind=Move.SWITCHOVER))},
            {},
            {},
            "stands still",
        ),
    ],
)
def test_what_a_person_is_asked_about(changes, policy, state, words):
    """Each by itself, and nothing else."""
    said = approval_reason(replace(STATE, **state), lost(**changes), replace(AUTO, **policy))
    assert said is None if words is None else words in said


@pytest.mark.parametrize(("machines", "rds", "asked"), [(1, GOOD, True), (2, GOOD, False)])
@pytest.mark.parametrize("verdict", [Verdict.WRITER_DEAD, Verdict.REGION_DEAD])
def test_one_machine_is_not_witness_enough(machines, rds, asked, verdict):
    """Whatever it is that one machine's silence looks like."""
    seen = lost(machines=machines)
    plane = replace(seen.signals.control_plane, reading=rds)
    seen = replace(seen, signals=replace(seen.signals, control_plane=plane))
    said = approval_reason(replace(STATE, verdict=verdict), seen, AUTO)
    assert (said is not None) is asked


def test_a_standby_that_serves_nobody_is_asked_about():
    """Moving there may help nobody."""
    seen = lost()
    app = replace(seen.signals.standby_app, reading=BAD)
    seen = replace(seen, signals=replace(seen.signals, standby_app=app))
    assert "does not answer" in approval_reason(STATE, seen, AUTO)


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, {}, None),
        ({}, {"verdict": Verdict.UNCERTAIN}, "the evidence says uncertain"),
        ({}, {"verdict": Verdict.CONTROL_PLANE}, "the evidence says control-plane"),
        ({}, {"verdict": Verdict.UNCERTAIN, "writer": Side.STANDBY}, None),
        ({"database": None}, {}, "does not follow"),
        ({"database": replace(HEALTHY, resynced=False)}, {}, "does not follow"),
        ({"replication": None}, {}, "how far the other side lags"),
        ({"replication": lag(3.0)}, {}, None),
        ({"replication": lag(3.1)}, {}, "lags by 3.1 s"),
    ],
)
def test_what_a_switchover_waits_for(changes, state, words):
    """A pause that is short, and nothing that is lost."""
    calm = replace(STATE, **{"verdict": Verdict.HEALTHY, **state})
    said = unfit_reason(calm, replace(observation(NOW), **changes), AUTO)
    assert said is None if words is None else words in said


@pytest.mark.parametrize(
    ("verdict", "grace"),
    [
        (Verdict.REGION_DEAD, False),
        (Verdict.WRITER_DEAD, True),
        (Verdict.REGION_SILENT, True),
    ],
)
def test_what_replaces_itself_is_waited_for_longer(verdict, grace):
    """Aurora its writer, Auto Scaling its machine; a Region nobody."""
    more_s = AUTO.in_region_grace_s if grace else 0.0
    assert needed_s(replace(STATE, verdict=verdict), AUTO) == AUTO.confirm_s + more_s


def order(**changes):
    """Return an approval that was given now, by somebody who saw the newest revision."""
    known = {"order": Order.APPROVE, "revision": 9, "author": "ada", "at_s": NOW}
    return Command(**{**known, **changes})


@pytest.mark.parametrize(
    ("changes", "heeded"),
    [
        ({}, True),
        ({"order": Order.DENY}, False),
        ({"revision": 7}, True),  # the phase was entered in it
        ({"revision": 6}, False),
        ({"revision": 10}, False),  # of another table
        ({"at_s": NOW - AUTO.order_max_s}, True),
        ({"at_s": NOW - AUTO.order_max_s - 1}, False),
        ({"at_s": NOW + AUTO.skew_s}, True),
        ({"at_s": NOW + AUTO.skew_s + 1}, False),
    ],
)
def test_an_order_counts_for_the_phase_that_was_seen_and_for_a_while(changes, heeded):
    """After a restore the same revision may come again."""
    found = valid_order(Order.APPROVE, STATE, lost(command=order(**changes)), AUTO)
    assert (found is not None) is heeded
    assert valid_order(Order.APPROVE, STATE, lost(), AUTO) is None


@pytest.mark.parametrize(
    ("shown_s", "asked_s", "loss", "covered"),
    [
        (2.0, None, lag(2.0), True),  # 3 s are estimated, and a second is slack
        (2.0, None, lag(2.1), False),
        (2.0, 90.0, lag(2.1), False),  # what its author was shown comes first
        (None, 2.0, lag(2.0), True),
        (None, 2.0, lag(2.1), False),
        (None, None, lag(500.0), True),
        (None, None, None, True),
        (2.0, None, None, False),
    ],
)
def test_an_approval_covers_what_was_shown(shown_s, asked_s, loss, covered):
    """And whoever was told that nobody can say has said yes to that."""
    state = replace(STATE, asked_loss_s=asked_s)
    assert covers(order(loss_s=shown_s), state, lost(replication=loss), AUTO) is covered


@pytest.mark.parametrize("wanted", list(Order))
@pytest.mark.parametrize(
    ("confirmed_by", "people"),
    [((), 0), (("ann",), 1), (("ann", "ann"), 1), (("ann", "bob"), 2)],
    ids=["nobody", "one", "one twice", "two"],
)
def test_where_two_people_are_asked_for_one_moves_nothing(wanted, confirmed_by, people):
    """STS has to name two for what may move the writer; what makes things safer needs nobody."""
    two = replace(AUTO, approvers=2)
    given = lost(command=order(order=wanted, confirmed_by=confirmed_by))
    assert (valid_order(wanted, STATE, given, two) is not None) is (
        people >= 2 or wanted not in BY_TWO
    )
    assert valid_order(wanted, STATE, given, AUTO) is not None, "one is enough where one is asked"
