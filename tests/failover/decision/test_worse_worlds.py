"""What the decision does where the world is worse than a Region that is gone."""

from dataclasses import replace

import pytest

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
from otherside.failover.decision.evidence import TROUBLES
from otherside.failover.decision.observation import (
    ACCEPTED,
    Command,
    Fitness,
    LeaseView,
    Move,
    Order,
    Progress,
)
from otherside.failover.decision.state import Phase, Trouble, first
from otherside.failover.decision.transitions import HEEDED_IN, TRANSITIONS

DENIED = "setting the lease: AccessDenied"
AWAY = replace(HEALTHY, writer=Side.STANDBY)
SWITCHING = replace(MOVING, kind=Move.SWITCHOVER)


def told(builder):
    """Return what people were told, and whether it was urgent."""
    return [(decision.notice, decision.urgent) for decision in builder.decisions if decision.notice]


# --- fencing ------------------------------------------------------------------------------------


def test_a_lease_that_cannot_be_closed_is_told_by_its_name_within_a_minute_or_two():
    """And never waited for in silence: it is given up, told, and tried anew."""
    builder = StateBuilder()
    held = {"lease": LeaseView(open=True, seen_s=0.0), "failing": (DENIED,)}
    builder.until(Phase.FENCING, dead)
    fencing_s = builder.now_s
    builder.until(Phase.BLOCKED, dead, looks=100, **held)
    assert builder.now_s - fencing_s <= AUTO.fence_max_s + 10
    urgent = [text for text, is_urgent in told(builder) if is_urgent]
    assert any(DENIED in text for text in urgent[:-1])
    assert "could not be closed" in urgent[-1]
    assert builder.decisions[-1].terms == LeaseTerms(side=Side.PRIMARY, epoch=0, open=True)


def test_a_person_can_stop_a_fence():
    """Whoever knows better says so, and the lease is open again."""
    builder = StateBuilder()
    builder.until(Phase.FENCING, dead)
    builder.order(Order.DENY, dead)
    assert builder.state.phase is Phase.BLOCKED
    assert builder.decisions[-1].terms.open


def test_every_phase_but_the_calm_one_has_a_bound_after_which_people_hear_of_it():
    """In no phase can anything stand still for ever without a word."""
    for phase in set(Phase) - {Phase.STEADY}:
        state = replace(first(0.0), revision=5, phase=phase, entered=5, bad_since_s=0.0)
        late_s = state.since_s + 8 * 86_400
        looked = replace(state, since_s=0.0, told_s=0.0)
        from otherside.failover.decision.decide import _is_overdue  # noqa: PLC0415 - of the one rule

        assert _is_overdue(looked, late_s), phase


# --- a table that was lost ----------------------------------------------------------------------


def test_an_empty_table_is_no_first_day_while_the_database_has_not_spoken():
    """Nothing is opened, and nothing is said to whoever holds users."""
    for silent in ({"epoch_seen": None}, {"database": None}, {"pledge_epoch": None}):
        builder = StateBuilder()
        builder.state = first(0.0)
        for _ in range(70):
            builder.look(observation, **silent)
        decision = builder.decisions[-1]
        assert (decision.state.anchored, decision.terms, decision.latch) == (False, None, None)
        assert "first run" in decision.reason
        assert [urgent for _, urgent in told(builder)] == [True], "and somebody hears of it"


def test_a_first_day_is_committed_once_the_database_has_spoken():
    """By its writer and its epoch, both as they were made."""
    decision = decide(first(0.0), observation(60.0), AUTO)
    assert (decision.state.revision, decision.state.anchored) == (1, True)
    assert decision.terms == LeaseTerms(side=Side.PRIMARY, epoch=0, open=True)
    assert (decision.latch, decision.notice) == (False, None)


@pytest.mark.parametrize(
    ("revision", "changes"),
    [
        (0, {"database": AWAY, "epoch_seen": 2}),
        (0, {"database": AWAY, "epoch_seen": None}),
        (0, {"epoch_seen": 3}),
        (7, {"epoch_seen": 3}),
        (0, {"pledge_epoch": 1}),
        (0, {"pledge_epoch": 1, "epoch_seen": None}),
        (7, {"pledge_epoch": 1}),
    ],
)
def test_a_table_that_knows_less_than_the_database_is_a_lost_one(revision, changes):
    """Halted, said, the lease and the latch left as they are: users stay where they were led."""
    state = replace(first(0.0), revision=revision, anchored=revision > 0)
    decision = decide(state, observation(1000.0, **changes), AUTO)
    assert decision.state.phase is Phase.HALTED
    assert (decision.terms, decision.latch) == (None, None)
    assert decision.urgent
    assert "lost" in decision.notice


def test_a_table_restored_to_before_a_move_leaves_the_latch_when_no_heartbeat_shows_the_epoch():
    """The writer is where our lost revisions led it, and the newest heartbeat is from before."""
    state = replace(first(0.0), revision=7, anchored=True)
    decision = decide(state, observation(1000.0, database=AWAY, epoch_seen=0), AUTO)
    assert decision.state.phase is Phase.HALTED
    assert decision.latch is None


def test_a_lost_table_is_adopted_with_an_epoch_above_everything_that_was_seen():
    """Or no write could ever be told from one of the time before."""
    builder = StateBuilder()
    builder.state = first(0.0)
    builder.look(observation, database=AWAY, epoch_seen=4)
    builder.now_s += 200
    builder.order(Order.ADOPT, observation, database=AWAY, epoch_seen=4)
    assert (builder.state.phase, builder.state.epoch) == (Phase.VERIFY, 5)
    builder.look(observation, database=AWAY, epoch_seen=5, write_verified=True)
    assert builder.decisions[-1].latch is True


@pytest.mark.parametrize("where", ["epoch_seen", "pledge_epoch"])
def test_a_lost_table_is_not_resumed_as_if_nothing_had_been(where):
    """The epoch would be below that of the database or of the pledge."""
    builder = StateBuilder()
    builder.look(observation, **{where: 4})
    builder.now_s += 200
    builder.order(Order.RESUME, observation, **{where: 4})
    assert builder.state.phase is Phase.HALTED
    builder.order(Order.ADOPT, observation, **{where: 4})
    assert (builder.state.phase, builder.state.epoch) == (Phase.STEADY, 5)
    assert builder.decisions[-1].terms == LeaseTerms(side=Side.PRIMARY, epoch=5, open=True)


def test_an_order_of_the_time_before_a_restore_is_none():
    """The same revision may come again; the time does not."""
    builder = StateBuilder()
    builder.until(Phase.AWAIT_APPROVAL, dead, lag_s=8.0)
    old = Command(
        order=Order.APPROVE,
        revision=builder.state.revision,
        author="ada",
        at_s=builder.now_s - 1000.0,
    )
    builder.look(dead, lag_s=8.0, command=old)
    assert builder.state.phase is Phase.AWAIT_APPROVAL


# --- attempts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["nobody", "claimed"])
def test_what_nobody_called_is_no_attempt_and_opens_the_lease_again(answer):
    """Three wishes are not three calls, and the writer's side may be alive; nor are claims."""
    builder = StateBuilder(answer=answer)
    builder.until(Phase.BLOCKED, dead, looks=120)
    assert "nobody asked Aurora" in builder.state.reason
    assert (builder.decisions[-1].terms.open, builder.decisions[-1].urgent) == (True, True)
    assert Phase.HALTED not in builder.phases


def test_what_aurora_refused_is_told_in_its_own_words_and_asked_again_later():
    """No halt with the lease closed where it is known that nothing was moved."""
    builder = StateBuilder(answer="AccessDenied")
    builder.until(Phase.BLOCKED, dead, looks=120)
    assert "asked 3 times and has not moved: AccessDenied, AccessDenied" in builder.state.reason
    assert builder.decisions[-1].terms.open
    blocked_s = builder.now_s
    builder.answer = ACCEPTED
    builder.until(Phase.FENCING, dead, looks=120)
    assert builder.now_s - blocked_s >= AUTO.declined_pause_s
    builder.until(Phase.PROMOTE_INTENT, dead, looks=120)


def test_calls_without_an_answer_that_moved_nothing_are_asked_again_later():
    """Aurora would show the move by now: it shows none, so there is none, and nobody halts."""
    builder = StateBuilder(answer=None)
    builder.until(Phase.BLOCKED, dead, looks=150)
    assert "no answer, no answer, no answer" in builder.state.reason
    assert (builder.decisions[-1].terms.open, Phase.HALTED in builder.phases) == (True, False)
    builder.answer = ACCEPTED
    builder.until(Phase.PROMOTE_INTENT, dead, looks=120)
    assert builder.state.intent.operation == "2.1"


def test_a_call_whose_end_nobody_knows_halts_where_aurora_cannot_be_read():
    """It may have moved the writer: the lease stays as it is."""
    builder = StateBuilder(answer=None)
    builder.until(Phase.PROMOTE_INTENT, dead)
    builder.until(Phase.HALTED, dead, looks=150, database=None)
    assert builder.decisions[-1].terms is None


def test_calls_that_were_accepted_and_moved_nothing_halt():
    """Aurora said yes and shows no move: that is not understood, and the lease stays as it is."""
    builder = StateBuilder()
    builder.until(Phase.HALTED, dead, looks=150)
    assert "accepted, accepted, accepted" in builder.state.reason
    assert builder.decisions[-1].terms is None


def test_an_accepted_call_is_not_repeated_before_its_description_can_be_seen():
    """Aurora may be at work while an old description says nothing of it."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    asked_s = builder.now_s
    while builder.state.intent.operation == "1.1":
        builder.look(dead)
    assert builder.now_s - asked_s > AUTO.settle_s


def test_nothing_is_asked_again_while_nobody_can_say_whether_it_was_asked():
    """The claims cannot be read: a repeat could be the second call."""
    builder = StateBuilder()
    builder.until(Phase.PROMOTE_INTENT, dead)
    for _ in range(80):
        builder.look(dead, attempts=None)
    assert builder.state.intent.operation == "1.1"
    assert builder.decisions[-1].urgent


# --- evidence -----------------------------------------------------------------------------------


def test_a_look_that_does_not_trust_its_eyes_neither_confirms_nor_clears():
    """Two names outside that do not resolve, now and then: a dead Region is left all the same."""
    builder = StateBuilder()
    for number in range(20):
        suspect = number % 5 == 3
        builder.look(dead) if not suspect else builder.look(
            observation, readings={**DEAD, "self_test": BAD}
        )
        if builder.state.phase is Phase.FENCING:
            break
    assert builder.state.phase is Phase.FENCING
    builder.look(observation, readings={**DEAD, "self_test": BAD})
    assert builder.state.phase is Phase.FENCING


@pytest.mark.parametrize(
    "readings",
    [
        {
            "standby_canary": UNKNOWN,
            "witness_canary": UNKNOWN,
            "heartbeat": UNKNOWN,
            "self_test": BAD,
        },
        {"standby_canary": BAD, "witness_canary": BAD},
        {"heartbeat": BAD},
    ],
)
def test_an_orchestrator_that_sees_too_little_for_long_says_so_once_in_a_while(readings):
    """And says when it sees again."""
    builder = StateBuilder()
    for _ in range(100):
        builder.look(observation, readings=readings)
    notices = told(builder)
    assert len(notices) == 1
    assert notices[0][1]
    assert f"for {AUTO.blind_max_s:.0f} s" in notices[0][0]
    builder.look(observation)
    assert "well again" in builder.decisions[-1].notice
    assert not builder.decisions[-1].urgent


def test_a_flicker_of_the_eyes_is_no_news():
    """Only what lasts is told."""
    builder = StateBuilder()
    for number in range(200):
        builder.look(observation, readings={"self_test": BAD} if number % 3 else {})
    assert not told(builder)


def test_a_standby_without_an_application_is_asked_about_and_hides_no_disaster():
    """The Region is dead, and whoever is asked may know what to do."""
    builder = StateBuilder()
    builder.until(Phase.AWAIT_APPROVAL, observation, readings={**DEAD, "standby_app": BAD})
    assert "the standby's application does not answer" in builder.state.reason
    builder.until(Phase.FENCING, dead)


def test_a_silent_region_whose_rds_answers_is_asked_about_and_never_left_by_itself():
    """Its only machine may be being replaced: the database is well, and nothing is wrong."""
    silent = {**DEAD, "control_plane": GOOD}
    builder = StateBuilder()
    for _ in range(30):
        builder.look(observation, readings=silent, machines=1)
    assert builder.state.phase is Phase.SUSPECT
    builder.until(Phase.AWAIT_APPROVAL, observation, readings=silent, machines=1)
    assert builder.now_s >= AUTO.confirm_s + AUTO.in_region_grace_s
    assert "RDS in the Region" in builder.state.reason
    for _ in range(200):
        builder.look(observation, readings=silent, machines=1)
    assert builder.state.phase is Phase.AWAIT_APPROVAL
    builder.order(Order.APPROVE, observation, readings=silent, machines=1)
    assert builder.state.phase is Phase.FENCING


@pytest.mark.parametrize(
    ("machines", "rds", "phase"),
    [
        (1, UNKNOWN, Phase.AWAIT_APPROVAL),
        (1, BAD, Phase.FENCING),
        (2, UNKNOWN, Phase.FENCING),
    ],
)
def test_a_side_whose_every_witness_is_one_machine_can_at_most_ask(machines, rds, phase):
    """RDS is a witness of another kind: where it is silent too, there are two."""
    builder = StateBuilder()
    builder.until(phase, observation, readings={**DEAD, "control_plane": rds}, machines=machines)


@pytest.mark.parametrize(
    "status", ["available", "backing-up", "maintenance", "modifying", "storage-optimization", "?"]
)
def test_a_state_that_aws_documents_no_refusal_for_is_asked_and_not_refused(status):
    """The stack's own nightly backup must not keep it from being recovered."""
    fitness = Fitness.FIT if status == "available" else Fitness.DOUBTFUL
    builder = StateBuilder()
    busy = replace(HEALTHY, fitness=fitness, status=status)
    builder.until(Phase.PROMOTE_INTENT, dead, database=busy)
    assert veto_reason(builder.state, dead(builder.now_s, database=busy), AUTO) is None


def test_a_region_that_flaps_is_told_of_once_and_then_every_ten_minutes():
    """Twenty seconds dead, ten well, for an hour."""
    builder = StateBuilder()
    while builder.now_s < 3600:
        builder.look(dead if builder.now_s % 30 < 20 else observation)
    assert len(told(builder)) < 15
    assert any("it flaps" in text and urgent for text, urgent in told(builder))
    quiet_s = builder.now_s
    while builder.now_s < quiet_s + AUTO.flap_window_s + 60:
        builder.look(observation)
    before = len(told(builder))
    builder.look(dead)
    assert len(told(builder)) == before + 1, "after a quiet while a suspicion is news again"


# --- once away ----------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.FAILED_OVER, Phase.REJOINED, Phase.FAILBACK_READY])
@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        (
            {
                "readings": {
                    "standby_canary": BAD,
                    "witness_canary": BAD,
                    "write_pulse": BAD,
                    "heartbeat": UNKNOWN,
                    "dns_health": UNKNOWN,
                }
            },
            Trouble.NO_WRITES,
        ),
        ({"users_on": Side.PRIMARY}, Trouble.DRIFTING),
    ],
)
def test_once_away_somebody_watches(phase, changes, trouble):
    """At once, with what can be done; again every ten minutes; and when it is over."""
    builder = failed_over()
    builder.state = replace(builder.state, phase=phase, reconciled=True)
    seen = {"database": replace(AWAY, resynced=False), "users_on": Side.STANDBY}
    builder.look(observation, **seen)
    before = len(told(builder))
    builder.look(observation, **{**seen, **changes})
    assert builder.state.trouble is trouble
    assert (TROUBLES[trouble] in told(builder)[-1][0], told(builder)[-1][1]) == (True, True)
    for _ in range(130):
        builder.look(observation, **{**seen, **changes})
    assert len(told(builder)) - before == 2
    builder.look(observation, **seen)
    assert "well again" in told(builder)[-1][0]


# --- switchovers --------------------------------------------------------------------------------


def switchover(answer=ACCEPTED):
    """Tell the story of a switchover up to its intent."""
    builder = StateBuilder(answer=answer)
    builder.order(Order.SWITCHOVER, observation)
    builder.until(Phase.SWITCH_INTENT, observation)
    return builder


def test_a_region_that_dies_while_a_switchover_is_checked_is_left_as_at_any_other_time():
    """The check gives way to the disaster."""
    builder = StateBuilder()
    builder.order(Order.SWITCHOVER, observation)
    died_s = builder.now_s
    builder.until(Phase.FENCING, dead)
    assert builder.now_s - died_s <= 70


def test_a_region_that_dies_before_aurora_switches_is_left_once_nobody_can_call():
    """The intent expires first."""
    builder = switchover("nobody")
    died_s = builder.now_s
    builder.until(Phase.FENCING, dead)
    assert builder.now_s - died_s <= 120
    assert builder.state.quiet_until_s <= builder.now_s


def test_a_switchover_that_stands_still_beside_a_dead_region_becomes_a_question():
    """Within minutes; approved, a failover takes its place, whatever Aurora still reports."""
    builder = switchover()
    stuck = replace(HEALTHY, move=SWITCHING)
    builder.look(observation, database=stuck)
    assert builder.state.phase is Phase.SWITCHING
    died_s = builder.now_s
    builder.until(Phase.AWAIT_APPROVAL, dead, database=stuck)
    assert builder.now_s - died_s <= 150
    assert "stands still" in builder.state.reason
    for _ in range(60):
        builder.look(dead, database=stuck)
    assert builder.state.phase is Phase.AWAIT_APPROVAL, "never by itself"
    builder.order(Order.APPROVE, dead, database=stuck)
    builder.until(Phase.PROMOTE_INTENT, dead, database=stuck)
    assert builder.state.intent.instead
    assert veto_reason(builder.state, dead(builder.now_s, database=stuck), AUTO) is None
    builder.look(dead, database=replace(HEALTHY, move=MOVING))
    assert builder.state.phase is Phase.PROMOTING


def test_a_switchover_that_was_given_up_and_arrives_after_all_is_ours():
    """And no halt over somebody else's move."""
    builder = switchover()
    stuck = replace(HEALTHY, move=SWITCHING)
    builder.look(observation, database=stuck)
    builder.until(Phase.AWAIT_APPROVAL, dead, database=stuck)
    builder.look(observation, database=stuck)
    assert builder.state.phase is Phase.SWITCHING
    builder.until(Phase.AWAIT_APPROVAL, dead, database=stuck)
    builder.look(dead, database=AWAY)
    assert (builder.state.phase, builder.state.writer) == (Phase.VERIFY, Side.STANDBY)


def test_a_switchover_that_nobody_carries_out_ends_where_it_began():
    """Told, and not halted."""
    builder = switchover("nobody")
    builder.until(Phase.STEADY, observation, looks=100)
    assert "nobody asked Aurora" in told(builder)[-1][0]


# --- members, and ways out ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "database",
    [
        replace(HEALTHY, follower_is_member=False),
        replace(HEALTHY, writer=None, alien="the global database has 0 writers"),
    ],
)
def test_a_cluster_that_was_taken_out_by_hand_is_somebody_elses_doing(database):
    """On either side: halted, and nothing is promoted that belongs to nothing."""
    builder = StateBuilder()
    builder.look(observation, database=database)
    assert builder.state.phase is Phase.HALTED
    promoting = StateBuilder()
    promoting.until(Phase.PROMOTE_INTENT, dead)
    assert veto_reason(promoting.state, dead(promoting.now_s, database=database), AUTO)


def test_an_old_side_that_is_no_member_yet_is_nobodys_doing():
    """After a failover Aurora takes it in again when its Region is back."""
    builder = failed_over()
    builder.now_s += 600
    builder.look(dead, database=replace(MOVED, follower_is_member=False), users_on=Side.STANDBY)
    assert builder.state.phase is Phase.FAILED_OVER


def test_every_phase_can_be_left_by_a_persons_word():
    """Whatever it waits for, and for as long as it never comes."""
    for phase in Phase:
        orders = {order for order, phases in HEEDED_IN.items() if phase in phases}
        assert orders - {Order.FREEZE}, phase
        if phase is not Phase.HALTED:
            assert Order.HALT in orders
            state = replace(failed_over().state, phase=phase, entered=3, revision=3)
            command = Command(order=Order.HALT, revision=3, author="ada", at_s=1000.0)
            seen = observation(1000.0, database=AWAY, users_on=None, command=command)
            after = decide(replace(state, since_s=990.0, moved_s=990.0), seen, AUTO).state
            assert after.phase is Phase.HALTED, phase
            assert Phase.HALTED in TRANSITIONS[phase].values()


@pytest.mark.parametrize(
    ("phase", "after"), [(Phase.VERIFY, Phase.SHIFT), (Phase.SHIFT, Phase.FAILED_OVER)]
)
def test_a_proof_that_never_comes_can_be_done_without(phase, after):
    """A name that nobody outside resolves must not hold an orchestrator for ever."""
    builder = failed_over()
    builder.state = replace(builder.state, phase=phase, since_s=builder.now_s)
    for _ in range(60):
        builder.look(dead, database=MOVED, users_on=None)
    assert builder.state.phase is phase
    assert any(urgent for _, urgent in told(builder)[-3:])
    builder.order(Order.PROCEED, dead, database=MOVED, users_on=None)
    assert builder.state.phase is after
    assert "ada proceeded" in builder.state.reason


def test_an_approval_is_for_no_more_than_was_shown():
    """Whoever said yes to nine seconds is asked again about thirty."""
    builder = StateBuilder(replace(AUTO, mode=FailoverMode.APPROVE))
    builder.until(Phase.AWAIT_APPROVAL, dead, lag_s=8.0)
    builder.order(Order.APPROVE, dead, lag_s=29.0)
    assert builder.state.phase is Phase.AWAIT_APPROVAL
    assert "approved less than what would be lost now; about 30.0 s" in told(builder)[-1][0]
    builder.order(Order.APPROVE, dead, lag_s=29.5)
    assert builder.state.phase is Phase.FENCING


def test_an_approval_of_an_unknown_loss_is_one_of_whatever_it_is():
    """They were told that nobody can say."""
    builder = StateBuilder()
    builder.until(Phase.AWAIT_APPROVAL, dead, lag_s=None)
    builder.order(Order.APPROVE, dead, lag_s=50.0)
    assert builder.state.phase is Phase.FENCING


def test_what_keeps_failing_is_told_by_name_in_any_phase():
    """The latch that is not published, the topic that takes nothing."""
    builder = StateBuilder()
    for _ in range(40):
        builder.look(observation, failing=("publishing the latch: AccessDenied",))
    assert [text for text, urgent in told(builder) if urgent] == [
        "steady: the verdict is healthy; failing for 60 s: publishing the latch: AccessDenied"
    ]
    builder.look(observation, failing=())
    assert "well again" in builder.decisions[-1].notice


def test_a_standby_that_serves_everyone_is_kept_large_enough_for_as_long_as_it_does():
    """A later deployment may have shrunk it."""
    for phase in (Phase.FAILED_OVER, Phase.REJOINED, Phase.FAILBACK_READY):
        state = replace(failed_over().state, phase=phase)
        seen = observation(1e4, database=AWAY, users_on=Side.STANDBY, capacity_short=True)
        assert decide(state, seen, AUTO).raise_capacity


def test_a_cancelled_switchover_is_tried_again_and_a_cancelling_one_waited_for():
    """The two words of Aurora's mean two things."""
    builder = switchover()
    builder.look(
        observation,
        database=replace(HEALTHY, move=replace(SWITCHING, progress=Progress.CANCELLING)),
    )
    assert builder.state.phase is Phase.SWITCHING
    builder.until(Phase.SWITCH_INTENT, observation)
    assert builder.state.intent.attempt == 2


# --- a switchover for later, and one that is called off -----------------------------------------


def test_an_order_for_later_counts_from_its_moment_on_and_not_in_another_phase():
    """Until then nothing begins; a suspicion in between leaves the phase that its author saw."""
    builder = StateBuilder()
    later_s = builder.now_s + 600.0
    order = Command(
        order=Order.SWITCHOVER, revision=builder.state.revision, author="ada", at_s=later_s
    )
    while builder.now_s < later_s - 10.0:
        builder.look(observation, command=order)
        assert builder.state.phase is Phase.STEADY
    builder.until(Phase.SWITCH_PRECHECK, observation, command=order)
    assert builder.now_s <= later_s + 10.0

    builder = StateBuilder()
    builder.until(Phase.SUSPECT, dead, command=order)
    builder.until(Phase.STEADY, observation, looks=200, command=order)
    while builder.now_s < later_s + AUTO.order_max_s:
        builder.look(observation, command=order)
        assert builder.state.phase is not Phase.SWITCH_PRECHECK


def test_a_switchover_is_called_off_while_it_is_checked():
    """Aurora was not asked; the writer stays, and a later order begins anew."""
    builder = StateBuilder()
    builder.order(Order.SWITCHOVER, observation)
    assert builder.state.phase is Phase.SWITCH_PRECHECK
    builder.order(Order.ABORT, observation)
    assert (builder.state.phase, builder.state.writer) == (Phase.STEADY, Side.PRIMARY)
    assert builder.state.reason == "ada called the switchover off"
    assert all(decision.move is None for decision in builder.decisions)
    builder.order(Order.SWITCHOVER, observation)
    assert builder.state.phase is Phase.SWITCH_PRECHECK


def test_calling_off_comes_too_late_once_the_intent_is_committed():
    """Aurora may have been asked: what it does is followed to its end."""
    builder = StateBuilder()
    builder.order(Order.SWITCHOVER, observation)
    builder.until(Phase.SWITCH_INTENT, observation)
    builder.order(Order.ABORT, observation)
    assert builder.state.phase is Phase.SWITCH_INTENT
