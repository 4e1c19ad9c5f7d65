"""What everybody said, as facts: which silence is bad, and whose word counts for what."""

from dataclasses import replace

import pytest

from otherside.core.topology import Side
from otherside.failover.aws.evidence_reader import (
    AHEAD_MAX_S,
    BEAT_MAX_S,
    LATELY_S,
    PULSE_MAX_S,
    RawObservation,
    observation,
)
from otherside.failover.aws.state_store import HealthReport
from otherside.failover.decision.observation import Reading
from otherside.failover.decision.state import first

GOOD, BAD, UNKNOWN = Reading.GOOD, Reading.BAD, Reading.UNKNOWN
NOW = 10_000.0
HOME = replace(first(0.0), anchored=True, latched=False)


def raw(pulses=None, **changes):
    """Return what everybody answered, when all is well."""
    known = {
        "at_s": NOW,
        "pulses": pulses,
        "lease": None,
        "command": None,
        "freeze": None,
        "database": None,
        "control_plane": True,
        "canary": GOOD,
        "standby_app": GOOD,
        "standby_write": GOOD,
        "users_on": Side.PRIMARY,
        "outside": GOOD,
        "capacity_short": False,
        "pledge_epoch": 0,
        "attempts": (),
        "failing": (),
        "unreadable": (),
        "aurora": (),
    }
    return RawObservation(**{**known, **changes})


def pulse(age_s=1.0, **said):
    """Return what a place said a moment ago."""
    return HealthReport(at_s=NOW - age_s, **said)


def signals(pulses, state=HOME, **changes):
    """Return the signals."""
    return observation(state, raw(pulses, **changes)).signals


def test_one_agent_that_can_write_is_a_writer_that_lives():
    """An instance of several may be broken by itself."""
    said = {
        "primary#a": pulse(app_ok=False, writes_ok=False),
        "primary#b": pulse(app_ok=True, writes_ok=True),
    }
    assert signals(said).write_pulse.reading is GOOD
    assert signals(said).app_pulse.reading is GOOD


@pytest.mark.parametrize(
    ("age_s", "reading"),
    [
        (PULSE_MAX_S, GOOD),
        (PULSE_MAX_S + 1, BAD),
        (-AHEAD_MAX_S, GOOD),
        (-AHEAD_MAX_S - 1, BAD),
    ],
)
def test_a_word_counts_while_it_is_of_now(age_s, reading):
    """Whoever spoke once and is silent is bad; a word of the future is a wrong clock's."""
    assert signals({"primary#a": pulse(age_s, writes_ok=True)}).write_pulse.reading is reading


def test_a_place_that_never_spoke_is_unknown():
    """Silence is bad of those alone who have spoken."""
    found = signals({})
    assert {found.write_pulse.reading, found.app_pulse.reading} == {UNKNOWN}
    assert found.witness_canary.reading is UNKNOWN
    assert signals({"witness": pulse(900.0, writes_ok=True)}).witness_canary.reading is UNKNOWN
    assert signals({"witness": pulse(writes_ok=False)}).witness_canary.reading is BAD


def test_the_table_that_nobody_can_read_says_nothing():
    """And then nobody trusts their own eyes."""
    found = signals(None)
    assert {found.write_pulse.reading, found.heartbeat.reading} == {UNKNOWN}
    assert found.self_test.reading is UNKNOWN
    assert observation(HOME, raw(None)).machines is None
    assert observation(HOME, raw(None)).write_verified is None


@pytest.mark.parametrize(
    ("changes", "reading"),
    [
        ({}, GOOD),
        ({"outside": BAD}, BAD),
        ({"outside": UNKNOWN}, UNKNOWN),
        ({"standby_app": BAD}, GOOD),
    ],
)
def test_a_standby_that_is_down_makes_nobody_blind(changes, reading):
    """We see by names outside and by our own table."""
    assert signals({}, **changes).self_test.reading is reading


def test_the_heartbeat_is_read_where_it_arrives():
    """At the follower; by its youngest, and by none that cannot read."""
    old, young = NOW - BEAT_MAX_S - 5, NOW - 2
    said = {"standby#a": pulse(beat_s=old), "standby#b": pulse(beat_s=young)}
    assert signals(said).heartbeat.reading is GOOD
    assert signals({"standby#a": pulse(beat_s=old)}).heartbeat.reading is BAD
    assert signals({"primary#a": pulse(beat_s=young)}).heartbeat.reading is UNKNOWN
    blind = {"standby#a": pulse(beat_s=old, reads_ok=False)}
    assert signals(blind).heartbeat.reading is UNKNOWN
    assert signals({"standby#a": pulse()}).heartbeat.reading is UNKNOWN


@pytest.mark.parametrize(
    ("latched", "users_on", "reading"),
    [
        (False, Side.PRIMARY, GOOD),
        (False, Side.STANDBY, BAD),
        (False, None, UNKNOWN),
        (True, Side.STANDBY, UNKNOWN),
        (None, Side.STANDBY, UNKNOWN),
    ],
)
def test_dns_tells_of_the_primary_while_users_are_not_held(latched, users_on, reading):
    """Held, it would say that the primary is dead for ever."""
    state = replace(HOME, latched=latched)
    assert signals({}, state, users_on=users_on).dns_health.reading is reading


@pytest.mark.parametrize(
    ("control_plane", "reading"), [(True, GOOD), (False, BAD), (None, UNKNOWN)]
)
def test_a_control_plane_answers_or_not_or_nobody_knows(control_plane, reading):
    """A refusal is an answer; whoever has not come back in time is unknown."""
    assert signals({}, control_plane=control_plane).control_plane.reading is reading


def followers(**lags):
    """Return lease agents of the standby that saw a heartbeat, each with its lag and age."""
    return {
        f"standby#{name}": pulse(age_s, beat_s=NOW - 40, lag_max_s=lag)
        for name, (age_s, lag) in lags.items()
    }


WRITER = {"primary#w": pulse(60.0, wrote_s=NOW - 60)}
"""The last word of the writer's agent."""


def replication(pulses, state=HOME):
    """Return how far the side that does not write follows."""
    return observation(state, raw(pulses)).replication


def test_lag_is_the_longest_that_anybody_saw_who_watched():
    """Not the last word of whichever agent spoke."""
    found = replication(followers(a=(1.0, 0.2), b=(2.0, 7.0)) | WRITER)
    assert found.lag_max_s == 7.0
    assert found.replicated_s == NOW - 40


def test_who_was_gone_before_the_writer_died_knows_nothing_of_its_lag():
    """A agent that was replaced an hour ago saw another world."""
    found = replication(followers(gone=(500.0, 90.0), there=(1.0, 0.3)) | WRITER)
    assert found.lag_max_s == 0.3


def test_who_came_after_the_writer_died_has_seen_no_lag():
    """And without anybody who has, nobody knows what would be lost."""
    assert replication(followers(young=(1.0, None)) | WRITER) is None
    assert replication({}) is None
    assert replication({"primary#a": pulse(wrote_s=NOW, beat_s=NOW, lag_max_s=0.0)}) is None


def test_a_table_that_forgot_the_writer_cannot_say_how_much_would_be_lost():
    """It was lost: replication may have stopped long before, while the writer wrote on."""
    said = followers(a=(1.0, 0.2))
    assert replication(said) is None
    assert replication(said | {"primary#a": pulse(app_ok=True)}) is None
    assert replication(said | WRITER) is not None


def test_what_the_writer_wrote_after_the_last_copy_counts_as_lost():
    """Its own agent's word is the newest trace of its life."""
    said = followers(a=(1.0, 0.2)) | {"primary#a": pulse(30.0, wrote_s=NOW - 31)}
    found = replication(said)
    assert found.lived_s == NOW - 31
    assert found.estimate_s == pytest.approx(9.0 + 1.0)
    assert found.bound_s > found.estimate_s + 10


def test_away_from_home_it_is_the_primary_that_follows():
    """Sides change places, and the estimate with them."""
    away = replace(HOME, writer=Side.STANDBY)
    assert replication(followers(a=(1.0, 0.2)), away) is None
    said = {"primary#a": pulse(beat_s=NOW - 3, lag_max_s=2.0)}
    said |= {"standby#a": pulse(wrote_s=NOW - 2)}
    assert replication(said, away).lag_max_s == 2.0


@pytest.mark.parametrize(
    ("said", "users_write", "verified"),
    [
        ({"writes_ok": True, "wrote_epoch": 4}, GOOD, True),
        ({"writes_ok": True, "wrote_epoch": 3}, GOOD, False),
        ({"writes_ok": True}, GOOD, False),
        ({"writes_ok": False, "wrote_epoch": 4}, GOOD, False),
        ({"writes_ok": True, "wrote_epoch": 4}, BAD, False),
        ({"writes_ok": True, "wrote_epoch": 4}, UNKNOWN, False),
    ],
)
def test_a_proof_is_of_this_epoch_and_by_the_way_that_users_write(said, users_write, verified):
    """Beside the database, and through the application by the name that follows the writer."""
    state = replace(HOME, epoch=4, writer=Side.STANDBY)
    found = observation(state, raw({"standby#a": pulse(**said)}, standby_write=users_write))
    assert found.write_verified is verified


def test_an_old_proof_is_none():
    """And nor is one of the other side."""
    state = replace(HOME, epoch=4, writer=Side.STANDBY)
    proof = {"writes_ok": True, "wrote_epoch": 4}
    for said in (
        {"standby#a": pulse(PULSE_MAX_S + 1, **proof)},
        {"primary#a": pulse(**proof)},
    ):
        assert observation(state, raw(said)).write_verified is False


def test_the_database_remembers_the_highest_epoch_that_anybody_read():
    """However long ago, on either side."""
    said = {
        "primary#a": pulse(9000.0, wrote_epoch=7),
        "standby#a": pulse(beat_epoch=5),
    }
    assert observation(HOME, raw(said)).epoch_seen == 7
    assert observation(HOME, raw({"standby#a": pulse()})).epoch_seen is None
    assert observation(HOME, raw({"standby#a": pulse(beat_epoch=0)})).epoch_seen == 0


def test_machines_are_those_that_reported_lately():
    """Of the primary alone."""
    said = {
        "primary#a": pulse(LATELY_S),
        "primary#b": pulse(LATELY_S + 1),
        "standby#a": pulse(),
        "witness": pulse(),
    }
    assert observation(HOME, raw(said)).machines == 1
