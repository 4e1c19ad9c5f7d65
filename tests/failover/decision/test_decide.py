"""The decision: whole stories first, then rules over any facts at all."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.decision.observation_builders import (
    AUTO,
    BAD,
    DEAD,
    GOOD,
    HEALTHY,
    UNKNOWN,
    dead,
    observation,
)
from failover.decision.state_builders import MOVED, MOVING, StateBuilder, failed_over
from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.decide import LeaseTerms, decide, veto_reason
from otherside.failover.decision.evidence import _EVENT_OF
from otherside.failover.decision.observation import (
    ACCEPTED,
    Attempt,
    Command,
    DatabaseView,
    Fitness,
    LeaseView,
    Move,
    MoveUnderWay,
    Observation,
    Order,
    Progress,
    Reading,
    Replication,
    Signal,
    Signals,
)
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase, State, first
from otherside.failover.decision.transitions import TRANSITIONS, Event
from otherside.failover.decision.verdict import DEADLY


def test_a_lost_region_is_left_step_by_step():
    """Confirmed, fenced, promoted, verified, and only then users are held on the other side."""
    builder = failed_over()
    assert builder.phases == [
        Phase.SUSPECT,
        Phase.FENCING,
        Phase.PROMOTE_INTENT,
        Phase.PROMOTING,
        Phase.VERIFY,
        Phase.SHIFT,
        Phase.FAILED_OVER,
    ]
    calls = [decision.move for decision in builder.decisions if decision.move]
    assert {(call.move, call.target, call.epoch) for call in calls} == {
        (Move.FAILOVER, Side.STANDBY, 1)
    }
    latched = [decision.state.phase for decision in builder.decisions if decision.state.latched]
    assert latched[0] is Phase.SHIFT
    assert builder.state.writer is Side.STANDBY


def test_one_look_that_cannot_ask_rds_makes_no_silent_region_a_dead_one():
    """Its machines may be being replaced: RDS answered a moment ago, so a person is asked later."""

    def silent(at_s, **more):
        return observation(at_s, readings={**DEAD, "control_plane": GOOD}, **more)

    def unasked(at_s, **more):
        return observation(at_s, readings={**DEAD, "control_plane": UNKNOWN}, **more)

    builder = StateBuilder()
    for _ in range(15):  # longer than the window of a dead Region
        builder.look(silent)
    assert builder.look(unasked).state.phase is Phase.SUSPECT
    assert builder.until(Phase.AWAIT_APPROVAL, silent)
    never = StateBuilder()  # RDS was never seen to answer: the other signals are enough
    assert never.until(Phase.FENCING, unasked)
    assert StateBuilder().until(Phase.FENCING, dead)


MOST = {**DEAD, "dns_health": UNKNOWN}
"""Dead by four of five main signals: enough, but not all that can be seen."""


def test_confirming_takes_the_whole_window():
    """A minute without a break, before anything is fenced; less if everything is bad."""
    builder = StateBuilder()
    builder.until(Phase.FENCING, observation, readings=MOST)
    assert builder.now_s >= 5 + 60
    everything = StateBuilder()
    everything.until(Phase.FENCING, dead)
    assert 5 + 45 <= everything.now_s < 5 + 60


def test_a_sign_that_is_not_bad_at_the_end_needs_the_long_window():
    """The short one is for what everybody sees as dead, and not only nearly everybody."""
    builder = StateBuilder()
    for _ in range(9):
        builder.look(dead)
    builder.look(observation, readings=MOST)
    assert builder.state.phase is Phase.SUSPECT
    builder.until(Phase.FENCING, observation, readings=MOST)
    assert builder.now_s >= 5 + 60


def closed(builder):
    """Return whether the last look asked for a closed lease."""
    terms = builder.decisions[-1].terms
    return terms is not None and not terms.open


def test_a_lease_that_nobody_can_use_is_closed_before_the_window_has_passed():
    """So that it has expired when the window has; the first look afterwards promotes."""
    builder = StateBuilder()
    for _ in range(4):
        builder.look(dead)
    assert not closed(builder)
    builder.look(dead)
    assert closed(builder)
    assert builder.state.phase is Phase.SUSPECT
    shut = LeaseView(open=False, seen_s=builder.now_s)
    builder.until(Phase.PROMOTE_INTENT, dead, lease=shut)
    assert builder.now_s <= 5 + 45 + 2 * 5


def test_a_lease_that_was_closed_early_is_opened_at_the_first_sign_of_life():
    """Though nobody could write meanwhile: a heartbeat and a probe need no lease."""
    builder = StateBuilder()
    for _ in range(6):
        builder.look(dead)
    assert closed(builder)
    alive = {**DEAD, "app_pulse": GOOD, "dns_health": GOOD}
    builder.look(observation, readings=alive)
    assert not closed(builder)
    builder.look(observation, readings={**alive, "heartbeat": GOOD})
    assert builder.state.phase is Phase.STEADY
    assert not closed(builder)
    assert builder.state.fenced_s is None


@pytest.mark.parametrize(
    ("policy", "more"),
    [
        (replace(AUTO, mode=FailoverMode.APPROVE), {}),
        (replace(AUTO, mode=FailoverMode.OBSERVE), {}),
        (AUTO, {"lag_s": None}),
        (AUTO, {"readings": MOST}),
    ],
    ids=["a person approves", "it only observes", "the loss is unknown", "not all is bad"],
)
def test_nothing_is_closed_early_that_would_not_be_fenced_without_a_question(policy, more):
    """A person may take long, and the Region may be back by then."""
    builder = StateBuilder(policy)
    for _ in range(9):
        builder.look(observation, **{"readings": DEAD, **more})
    assert builder.state.phase is Phase.SUSPECT
    assert not any(decision.terms and not decision.terms.open for decision in builder.decisions)


def test_a_blip_of_43_seconds_moves_nothing():
    """The partition that once cost a day."""
    builder = StateBuilder()
    for _ in range(8):
        builder.look(dead)
    builder.look(observation)
    assert builder.state.phase is Phase.STEADY
    assert not any(decision.move for decision in builder.decisions)


def test_one_write_that_works_starts_the_window_anew():
    """A veto clears the suspicion, however long it had held."""
    builder = StateBuilder()
    for _ in range(9):
        builder.look(dead)
    builder.look(observation, readings={**DEAD, "write_pulse": GOOD})
    assert builder.state.phase is Phase.STEADY
    builder.until(Phase.FENCING, dead)
    assert builder.now_s >= 45 + 5 + 45


def test_looks_far_apart_do_not_confirm_one_another():
    """A decider that slept has not watched."""
    builder = StateBuilder()
    builder.look(dead)
    builder.now_s += 300
    builder.look(dead)
    assert builder.state.phase is Phase.SUSPECT


def test_a_dead_writer_is_left_to_aurora_first():
    """Its own failover inside the Region takes a while, and loses nothing."""
    readings = {**DEAD, "app_pulse": GOOD, "dns_health": GOOD}
    builder = StateBuilder()
    builder.until(Phase.FENCING, observation, readings=readings)
    assert builder.now_s >= 180.0


@pytest.mark.parametrize(
    ("changes", "policy", "phase", "words"),
    [
        (
            {"lag_s": 8.0},
            {},
            Phase.AWAIT_APPROVAL,
            "about 9.0 s of writes would be lost, and 24.0 s",
        ),
        ({"lag_s": None}, {}, Phase.AWAIT_APPROVAL, "nobody can say"),
        ({}, {"mode": FailoverMode.APPROVE}, Phase.AWAIT_APPROVAL, "by design"),
        ({}, {"mode": FailoverMode.OBSERVE}, Phase.BLOCKED, "would have moved the writer"),
        ({}, {"freezes": ((0.0, 1e9),)}, Phase.BLOCKED, "frozen"),
        ({"database": None}, {}, Phase.BLOCKED, "does not answer"),
        (
            {"database": replace(HEALTHY, follower_has_instance=False)},
            {},
            Phase.BLOCKED,
            "has no instance",
        ),
        ({"database": replace(HEALTHY, versions_match=False)}, {}, Phase.BLOCKED, "versions"),
    ],
)
def test_what_is_not_allowed_is_asked_or_refused_with_its_reason(changes, policy, phase, words):
    """And tells a person at once, and again when ten minutes have passed."""
    builder = StateBuilder(replace(AUTO, **policy))
    decision = builder.until(phase, dead, **changes)
    assert words in decision.state.reason
    assert decision.notice == f"{phase}: {decision.state.reason}"
    assert decision.urgent
    later = [builder.look(dead, **changes) for _ in range(130)]
    told = [number for number, item in enumerate(later) if item.notice]
    assert told == [119]
    assert not any(decision.move for decision in builder.decisions)


def test_an_approval_counts_for_the_revision_that_was_seen():
    """An old one is nothing; the right one moves the writer."""
    builder = StateBuilder()
    builder.until(Phase.AWAIT_APPROVAL, dead, lag_s=8.0)
    stale = Command(order=Order.APPROVE, revision=1, author="ada", at_s=builder.now_s)
    builder.look(dead, lag_s=8.0, command=stale)
    assert builder.state.phase is Phase.AWAIT_APPROVAL
    builder.order(Order.APPROVE, dead, lag_s=8.0)
    assert builder.state.phase is Phase.FENCING


def test_an_approval_after_the_healing_moves_nothing():
    """Whoever is late approves a disaster that is over."""
    builder = StateBuilder()
    builder.until(Phase.AWAIT_APPROVAL, dead, lag_s=8.0)
    builder.order(Order.APPROVE, observation)
    assert builder.state.phase is Phase.STEADY


def test_a_lease_is_waited_out():
    """Until it has run out, with the clocks' difference on top."""
    builder = StateBuilder()
    fencing = builder.until(Phase.FENCING, dead)
    assert fencing.terms == LeaseTerms(side=Side.PRIMARY, epoch=0, open=False)
    for _ in range(5):
        builder.look(dead, lease=LeaseView(open=True, seen_s=builder.now_s))
    assert builder.state.phase is Phase.FENCING
    builder.look(dead, lease=None)
    closed_s = builder.now_s + 5.0
    builder.until(Phase.PROMOTE_INTENT, dead)
    assert builder.now_s >= closed_s + AUTO.lease_s + AUTO.skew_s


def test_life_during_fencing_stops_it():
    """The last moment to turn back."""
    builder = StateBuilder()
    builder.until(Phase.FENCING, dead)
    builder.look(observation)
    assert builder.state.phase is Phase.STEADY


def test_an_intent_expires_and_is_asked_again_under_another_name():
    """Three times at the most, then a person."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    builder.until(Phase.HALTED, dead, looks=100)
    calls = {decision.move.operation for decision in builder.decisions if decision.move}
    assert calls == {"1.1", "1.2", "1.3"}
    for decision in builder.decisions:
        if decision.move:
            assert decision.state.intent is decision.move


def test_no_intent_is_asked_for_after_it_has_expired():
    """A late actor must find it stale."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    intent = builder.state.intent
    late = decide(builder.state, dead(intent.not_after_s + 0.1), AUTO)
    assert late.move is None


@pytest.mark.parametrize(
    "database",
    [
        replace(HEALTHY, move=MOVING),
        replace(HEALTHY, writer=Side.STANDBY),
        replace(HEALTHY, move=replace(MOVING, kind=Move.SWITCHOVER)),
    ],
)
def test_what_somebody_else_moves_is_left_to_them(database):
    """A console, another tool: halted, paged, and nothing moved on top."""
    builder = StateBuilder()
    builder.look(observation, database=database)
    assert builder.state.phase is Phase.HALTED
    assert builder.decisions[-1].urgent
    for _ in range(30):
        builder.look(dead, database=database)
    assert not any(decision.move for decision in builder.decisions)


def test_halted_ends_only_by_a_persons_word():
    """Adopt takes the world as it is, verified before users are held there."""
    builder = StateBuilder()
    builder.look(observation, database=MOVED)
    builder.look(observation, database=MOVED)
    assert builder.state.phase is Phase.HALTED
    builder.order(Order.ADOPT, observation, database=MOVED)
    assert builder.state.phase is Phase.HALTED, "the description may be an old one"
    assert "an order counts in 110 s" in builder.decisions[-1].reason
    builder.now_s += 110
    builder.order(Order.ADOPT, observation, database=MOVED)
    assert (builder.state.phase, builder.state.latched) == (Phase.VERIFY, None), "left as it is"
    builder.look(observation, database=MOVED, write_verified=True)
    assert (builder.state.phase, builder.state.latched) == (Phase.SHIFT, True)


def test_nothing_ever_goes_home_by_itself():
    """Days of health on both sides are no order."""
    builder = failed_over()
    both = replace(MOVED, resynced=True)
    for _ in range(5):
        builder.now_s += 86_400
        builder.look(observation, database=both, users_on=Side.STANDBY)
    assert builder.state.phase is Phase.REJOINED
    assert not any(
        decision.move and decision.move.target is Side.PRIMARY for decision in builder.decisions
    )


def test_going_home_is_signed_waited_for_ordered_and_lossless():
    """A switchover and never a failover, back to where it began."""
    builder = failed_over()
    both = replace(MOVED, resynced=True)
    builder.until(Phase.REJOINED, observation, database=both, users_on=Side.STANDBY)
    builder.order(Order.SIGN_RECONCILIATION, observation, database=both)
    builder.now_s += 2 * 86_400
    builder.look(observation, database=both)
    assert builder.state.phase is Phase.FAILBACK_READY
    builder.order(Order.SWITCHOVER, observation, database=both)
    builder.until(Phase.SWITCH_INTENT, observation, database=both)
    assert builder.decisions[-1].move.move is Move.SWITCHOVER
    builder.until(Phase.VERIFY, observation, database=HEALTHY)
    builder.until(Phase.SHIFT, observation, database=HEALTHY, write_verified=True)
    assert builder.state.latched is False
    builder.until(Phase.STEADY, observation, database=HEALTHY, users_on=Side.PRIMARY)


def test_a_switchover_that_does_not_fit_is_given_up():
    """Never turned into something that loses data."""
    builder = StateBuilder()
    builder.order(Order.SWITCHOVER, observation)
    builder.until(Phase.STEADY, observation, looks=100, lag_s=30.0)
    assert not any(decision.move for decision in builder.decisions)
    builder.order(Order.SWITCHOVER, observation)
    builder.until(Phase.SWITCH_INTENT, observation)
    builder.until(Phase.HALTED, observation, looks=100)
    moves = {decision.move.move for decision in builder.decisions if decision.move}
    assert moves == {Move.SWITCHOVER}


def test_a_second_disaster_within_the_hour_is_asked_about():
    """After going home and dying again at once."""
    state = replace(first(0.0), revision=9, entered=9, anchored=True, block_until_s=3600.0)
    builder = StateBuilder()
    builder.state = state
    decision = builder.until(Phase.AWAIT_APPROVAL, dead)
    assert "less than an hour" in decision.state.reason


readings = st.builds(Signal, reading=st.sampled_from(Reading), at_s=st.floats(0, 2000))
databases = st.none() | st.builds(
    DatabaseView,
    writer=st.none() | st.sampled_from(Side),
    move=st.none()
    | st.builds(
        MoveUnderWay,
        kind=st.sampled_from(Move),
        target=st.sampled_from(Side),
        progress=st.sampled_from(Progress),
    ),
    follower_is_member=st.booleans(),
    follower_has_instance=st.booleans(),
    fitness=st.sampled_from(Fitness),
    status=st.just("-"),
    alien=st.none() | st.just("a stranger"),
    versions_match=st.booleans(),
    resynced=st.booleans(),
)
looks = st.builds(
    Observation,
    at_s=st.floats(0, 120),
    signals=st.builds(Signals, **dict.fromkeys(Signals.__slots__, readings)) | st.just(None),
    database=databases,
    replication=st.none()
    | st.builds(
        Replication,
        replicated_s=st.floats(0, 2000),
        lived_s=st.floats(0, 2000),
        lag_max_s=st.floats(0, 10),
    ),
    lease=st.none() | st.builds(LeaseView, open=st.booleans(), seen_s=st.floats(0, 2000)),
    write_verified=st.none() | st.booleans(),
    users_on=st.none() | st.sampled_from(Side),
    command=st.none()
    | st.builds(
        Command,
        order=st.sampled_from(Order),
        revision=st.integers(0, 30),
        author=st.just("ada"),
        at_s=st.floats(0, 2000),
        until_s=st.none() | st.floats(0, 3000),
    ),
    capacity_short=st.none() | st.booleans(),
    epoch_seen=st.none() | st.integers(0, 3),
    machines=st.none() | st.integers(0, 3),
    attempts=st.none()
    | st.lists(
        st.builds(
            Attempt,
            operation=st.sampled_from(["1.1", "1.2", "2.1"]),
            called=st.booleans(),
            answer=st.sampled_from([None, ACCEPTED, "AccessDenied"]),
        ),
        max_size=3,
    ).map(tuple),
    failing=st.none() | st.just(()) | st.just(("setting the lease: AccessDenied",)),
)
policies = st.builds(
    FailoverPolicy,
    mode=st.sampled_from(FailoverMode),
    loss_auto_s=st.floats(0, 5),
    confirm_s=st.just(20.0),
    stable_s=st.just(50.0),
    precheck_s=st.just(10.0),
)


@settings(max_examples=300)
@given(st.lists(looks, max_size=40), policies)
def test_rules_hold_over_any_sequence_of_looks(sequence, policy):
    """Total, deterministic, one revision at a time, and nothing asked that is not committed."""
    state, now_s, verified = first(0.0), 0.0, set()
    for look in sequence:
        now_s += look.at_s
        seen = look.signals
        made = observation(now_s, readings=DEAD).signals if seen is None else seen
        item = replace(look, at_s=now_s, signals=made)
        decision = decide(state, item, policy)
        assert decision == decide(state, item, policy)
        after = decision.state
        assert decision.changed is (after != state)
        assert after.revision == state.revision + decision.changed
        adopted = state.phase is Phase.HALTED and after.phase is not Phase.HALTED
        assert after.epoch - state.epoch in {0, 1} or adopted
        assert after.epoch >= state.epoch
        if decision.move is not None:
            assert decision.move == after.intent
            assert now_s <= decision.move.not_after_s
            assert policy.mode is not FailoverMode.OBSERVE
        if after.phase is Phase.FENCING and state.phase is not Phase.FENCING:
            assert after.verdict in DEADLY
            approved = state.phase in {Phase.AWAIT_APPROVAL, Phase.BLOCKED}
            assert approved or now_s - after.bad_since_s >= policy.confirm_s
            assert item.database is not None
            assert item.database.follower_has_instance
            assert item.database.follower_is_member
        pushed = item.command is not None and item.command.order is Order.PROCEED
        if state.phase is Phase.VERIFY and (item.write_verified or pushed):
            verified.add(state.epoch)
        if after.latched and not state.latched:
            assert after.epoch in verified or state.phase is Phase.VERIFY
        if after.phase is not state.phase:
            assert after.phase in TRANSITIONS[state.phase].values()
        state = after


def test_every_phase_is_read_reached_and_left():
    """No phase without a reader, none that nothing leads to, none without a way out."""
    assert set(_EVENT_OF) == set(TRANSITIONS) == set(Phase)
    reached = {target for row in TRANSITIONS.values() for target in row.values()}
    assert reached == set(Phase)
    for phase, row in TRANSITIONS.items():
        assert any(target is not phase for target in row.values()), phase


def test_every_event_moves_something():
    """An event in no row is a mistake, but for the one that means nothing."""
    used = {event for row in TRANSITIONS.values() for event in row}
    assert set(Event) - used == {Event.NOTHING}


def test_a_state_is_a_plain_value():
    """Two of them that say the same are the same."""
    assert (
        first(1.0)
        == first(1.0)
        == State(revision=0, phase=Phase.STEADY, since_s=1.0, writer=Side.PRIMARY)
    )


def test_no_means_no_until_the_writer_was_seen_to_live():
    """A person who denied is not asked again by the next look; the same person may say yes."""
    builder = StateBuilder()
    builder.until(Phase.AWAIT_APPROVAL, dead, lag_s=8.0)
    builder.order(Order.DENY, dead, lag_s=8.0)
    for _ in range(20):
        builder.look(dead, lag_s=8.0)
    assert builder.state.phase is Phase.BLOCKED
    assert builder.state.reason == "ada denied it"
    builder.order(Order.APPROVE, dead, lag_s=8.0)
    assert builder.state.phase is Phase.FENCING
    builder.look(observation)
    assert (builder.state.phase, builder.state.denied) == (Phase.STEADY, False)


def test_a_no_outlasts_a_look_that_cannot_trust_its_eyes():
    """Only a writer that was seen to live makes the answer old."""
    builder = StateBuilder()
    builder.until(Phase.AWAIT_APPROVAL, dead, lag_s=8.0)
    builder.order(Order.DENY, dead, lag_s=8.0)
    builder.look(observation, readings={**DEAD, "self_test": BAD})
    for _ in range(60):
        builder.look(dead)
    assert (builder.state.phase, builder.state.denied) == (Phase.BLOCKED, True)


def test_a_region_that_answers_again_while_fencing_is_waited_for_as_a_writer_is():
    """What looked like a dead Region turned out to be a dead writer."""
    builder = StateBuilder()
    builder.until(Phase.FENCING, dead)
    answers = {**DEAD, "app_pulse": GOOD, "dns_health": GOOD}
    builder.until(Phase.PROMOTE_INTENT, observation, readings=answers)
    assert builder.now_s >= 180.0


def test_nothing_is_asked_again_on_a_look_that_finds_out_too_little():
    """The first attempt had no effect; the second needs the writer to be seen dead as well."""
    builder = StateBuilder(answer=None)
    builder.until(Phase.PROMOTE_INTENT, dead)
    for _ in range(30):
        builder.look(observation, readings=UNCLEAR)
    assert builder.state.intent.operation == "1.1"
    builder.look(dead)
    assert builder.state.intent.operation == "1.2"


def test_a_move_that_has_arrived_is_not_somebody_elses_however_long_it_is_reported():
    """Replicas may follow for longer than the writer takes to move."""
    builder = failed_over()
    lasting = replace(MOVED, move=MOVING)
    builder.now_s += 1000
    for _ in range(5):
        builder.look(observation, database=lasting, users_on=Side.STANDBY)
    assert builder.state.phase is Phase.FAILED_OVER


def test_a_person_freezes_for_a_while_in_any_phase():
    """It ends by itself, or by another order with a moment in the past."""
    builder = StateBuilder()
    builder.look(dead)
    command = Command(
        order=Order.FREEZE,
        revision=0,
        author="ada",
        at_s=builder.now_s,
        until_s=builder.now_s + 300,
    )
    builder.look(dead, freeze=command)
    assert builder.decisions[-1].notice
    frozen = builder.until(Phase.BLOCKED, dead, freeze=command)
    assert "frozen by a person" in frozen.reason
    builder.until(Phase.FENCING, dead, freeze=command)
    assert builder.now_s >= command.until_s
    again = replace(command, at_s=1.0, until_s=builder.now_s + 300)
    builder.look(dead, freeze=again)
    assert builder.state.phase is Phase.BLOCKED, (
        "while fencing too, whatever its author's clock says"
    )


def test_an_old_description_after_our_own_move_is_no_foreign_one():
    """RDS promises nobody the newest; two minutes later the same words mean something else."""
    builder = failed_over()
    moved_s = builder.state.moved_s
    builder.look(dead, database=HEALTHY, users_on=Side.STANDBY)
    builder.look(dead, database=replace(HEALTHY, move=MOVING), users_on=Side.STANDBY)
    assert builder.state.phase is Phase.FAILED_OVER
    builder.now_s = moved_s + AUTO.settle_s
    builder.look(dead, database=HEALTHY, users_on=Side.STANDBY)
    assert builder.state.phase is Phase.HALTED


def test_an_old_description_of_the_time_before_is_no_cancellation():
    """A cancelled move and one that is not to be seen yet look the same for two minutes."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    builder.look(dead, database=replace(HEALTHY, move=MOVING))
    entered_s = builder.now_s
    builder.until(Phase.PROMOTE_INTENT, dead)
    assert builder.now_s > entered_s + AUTO.settle_s
    assert builder.state.intent.operation == "1.2"


def test_a_life_seen_in_time_lets_the_intent_expire():
    """Nobody has called, and nobody can any more: back to where it began, the lease open again."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    quiet_s = builder.state.quiet_until_s
    builder.until(Phase.STEADY, observation)
    assert builder.now_s >= quiet_s
    assert builder.decisions[-1].terms == LeaseTerms(side=Side.PRIMARY, epoch=1, open=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"readings": {**DEAD, "write_pulse": GOOD}}, "a write was seen to work"),
        ({"lease": LeaseView(open=True, seen_s=0.0)}, "not known to be closed"),
        ({"lease": None}, "not known to be closed"),
        ({"readings": dict.fromkeys(DEAD, UNKNOWN)}, "nothing is seen to be dead: uncertain"),
        ({"readings": {**DEAD, "self_test": BAD}}, "nothing is seen to be dead: self-suspect"),
        ({"database": None}, "does not answer"),
        ({"database": replace(HEALTHY, move=MOVING)}, "moving the writer already"),
        (
            {"database": replace(HEALTHY, move=replace(MOVING, kind=Move.SWITCHOVER))},
            "moved from outside",
        ),
        ({"database": replace(HEALTHY, versions_match=False)}, "versions"),
        ({"database": replace(HEALTHY, fitness=Fitness.UNFIT, status="stopped")}, "stopped"),
        ({"database": replace(HEALTHY, follower_is_member=False)}, "no member"),
    ],
)
def test_the_actuator_objects_with_its_own_eyes(changes, words):
    """What it may do stands in the state; whether it still should, it looks for itself."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    assert veto_reason(builder.state, dead(builder.now_s + 1), AUTO) is None
    seen = observation(builder.now_s + 1, **{"readings": DEAD, **changes})
    assert words in veto_reason(builder.state, seen, AUTO)


def test_the_actuator_carries_out_nothing_that_is_old_or_not_committed():
    """Neither an intent whose time is over nor one that nobody wrote down."""
    builder = StateBuilder()
    assert "no intent" in veto_reason(builder.state, dead(5.0), AUTO)
    builder.until(Phase.PROMOTE_INTENT, dead)
    late_s = builder.state.intent.not_after_s + 0.1
    assert "expired" in veto_reason(builder.state, dead(late_s), AUTO)
    frozen = replace(AUTO, freezes=((0.0, 1e9),))
    assert "frozen" in veto_reason(builder.state, dead(builder.now_s + 1), frozen)


def test_the_sentence_of_a_look_says_how_far_it_has_come():
    """For the person who reads the log at night."""
    builder = StateBuilder()
    for _ in range(7):
        builder.look(dead)
    assert builder.decisions[-1].reason == (
        "confirming region-dead: 5 of 5 signals bad for 30 s of 45 s; lag 0.2 s"
    )


UNCLEAR = {**DEAD, "witness_canary": UNKNOWN, "dns_health": UNKNOWN, "app_pulse": UNKNOWN}


def test_a_look_that_finds_out_too_little_neither_confirms_nor_clears():
    """A probe that cannot be made now and then must not start the window anew for ever."""
    builder = StateBuilder()
    for number in range(7):
        builder.look(dead)
        if number % 3 == 1:
            builder.look(observation, readings=UNCLEAR)
        assert builder.state.phase is not Phase.STEADY
    builder.until(Phase.FENCING, dead)
    assert 45.0 <= builder.now_s <= 65.0
    builder.look(observation, readings=UNCLEAR)
    assert builder.state.phase is Phase.FENCING


def test_nothing_is_given_up_on_a_look_that_finds_out_too_little():
    """The last look before the fence, and the last one before the call, must see it dead."""
    builder = StateBuilder()
    for _ in range(9):
        builder.look(dead)
    builder.look(observation, readings=UNCLEAR)
    assert builder.state.phase is Phase.SUSPECT
    builder.until(Phase.FENCING, dead)
    builder.look(observation, readings=UNCLEAR)
    assert builder.state.phase is Phase.FENCING


def test_too_little_for_too_long_clears():
    """Nobody has seen anything dead for longer than two looks may be apart."""
    builder = StateBuilder()
    builder.look(dead)
    builder.until(Phase.STEADY, observation, looks=25, readings=UNCLEAR)
    assert builder.now_s > AUTO.look_gap_max_s


def test_an_attempt_counts_for_the_hour_whatever_became_of_it():
    """Moved back by hand and adopted, the next disaster is a person's all the same."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    assert builder.state.block_until_s >= builder.now_s + AUTO.block_s
    builder.until(Phase.HALTED, dead, looks=100)
    builder.now_s += 300
    builder.order(Order.ADOPT, observation)
    assert builder.state.phase is Phase.STEADY
    assert "less than an hour" in builder.until(Phase.AWAIT_APPROVAL, dead).reason
