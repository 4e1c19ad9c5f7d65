"""Each claim can pass, fail and not know; and nothing passes without a steady state."""

import pytest

from drill.journal_builders import (
    WEST,
    at,
    call,
    failover,
    look,
    read,
    rows,
    sample,
    tape,
    told,
    write,
)
from otherside.drill import assertions
from otherside.drill.assertions import evaluate
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.conditions import later
from otherside.drill.measurements import measure
from otherside.drill.outcome import Outcome, worst
from otherside.failover.decision.gates import Obstacle
from otherside.failover.decision.transitions import Event
from otherside.failover.decision.verdict import Verdict as Seen

MOVED = Event.EXTERNAL_MOVE
SKEW = Obstacle.VERSION_SKEW
PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
LOST_REGION = next(item for item in CATALOGUE if item.name == "lost-region")


def verdict_of(claim, recording):
    """Return what one claim comes to, and why."""
    found = evaluate([claim], recording, measure(recording))
    return found[1].verdict, found[1].reason


def test_a_drill_as_it_should_go_passes_every_claim_of_its_scenario():
    """The default scenario, on a recording by hand."""
    recording = failover()
    found = evaluate(LOST_REGION.claims, recording, measure(recording))
    assert [item for item in found if item.verdict is not PASSED] == []


@pytest.mark.parametrize("how", ["interrupted", "failed"])
def test_a_drill_that_did_not_finish_passes_nothing(how):
    """And fails nothing: what is missing may only not have come yet."""
    recording = tape(look(60, "suspect"), sample(100), ended=how)
    found = evaluate(LOST_REGION.claims, recording, measure(recording))
    assert {item.verdict for item in found} == {UNKNOWN}
    assert all(how in item.reason for item in found)


def test_without_a_steady_state_the_drill_knows_nothing():
    """The worst of its verdicts is not a pass."""
    recording = tape(write(1, 1), rows(1), steady=False)
    found = evaluate([assertions.WHOLE], recording, measure(recording))
    assert worst(item.verdict for item in found) is UNKNOWN


@pytest.mark.parametrize(
    ("entries", "sees"),
    [([look(60, "steady")], "every signal was readable"), ([], "no orchestrator deployed")],
)
def test_what_is_said_of_the_steady_state_is_what_was_there(entries, sees):
    """A stack without an orchestrator had none that saw everything."""
    recording = tape(*entries)
    (steady,) = evaluate([], recording, measure(recording))
    assert steady.verdict is PASSED
    assert steady.reason.endswith(sees)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], UNKNOWN),
        ([PASSED, PASSED], PASSED),
        ([PASSED, UNKNOWN], UNKNOWN),
        ([UNKNOWN, FAILED, PASSED], FAILED),
    ],
)
def test_the_worst_verdict_counts(verdicts, expected):
    """Nothing claimed is nothing known."""
    assert worst(verdicts) is expected


BACK = [write(-1, 1), *(write(n, 1, status=0) for n in range(5, 50, 5)), write(60, 2, region=WEST)]
AT_50 = later(50)
CASES = [
    (assertions.writable_again(100), tape(*BACK, rows(1, 2)), PASSED),
    (assertions.writable_again(50), tape(*BACK, rows(1, 2)), FAILED),
    (assertions.writable_again(50), tape(*BACK[:-1], rows(1)), FAILED),
    (assertions.writable_again(50), tape(), UNKNOWN),
    (assertions.acknowledged_writes_survive(2), tape(*BACK, rows(2)), PASSED),
    (assertions.acknowledged_writes_survive(0.5), tape(*BACK, rows(2)), FAILED),
    (assertions.acknowledged_writes_survive(0.5), tape(*BACK), UNKNOWN),
    (assertions.acknowledged_writes_survive(0.5), tape(rows()), UNKNOWN),
    (assertions.WHOLE, tape(*BACK, rows(1, 2)), PASSED),
    (assertions.WHOLE, tape(*BACK, rows(1, 2, 3)), FAILED),
    (assertions.WHOLE, tape(*BACK, rows(1, 2, digests={1: "x"})), FAILED),
    (assertions.WHOLE, tape(*BACK), UNKNOWN),
    (assertions.NO_SPLIT_BRAIN, tape(*BACK, rows(1, 2)), PASSED),
    (assertions.NO_SPLIT_BRAIN, tape(*BACK, write(70, 3), rows(1, 2)), FAILED),
    (assertions.NO_SPLIT_BRAIN, tape(*BACK), UNKNOWN),
    (assertions.LOSS_AS_SAID, tape(*BACK, look(1, "fencing", bound_s=5.0), rows(2)), PASSED),
    (assertions.LOSS_AS_SAID, tape(*BACK, look(1, "fencing", bound_s=0.5), rows(2)), FAILED),
    (assertions.LOSS_AS_SAID, tape(*BACK, rows(2)), UNKNOWN),
    (assertions.writer_ends_at("standby"), tape(sample(1)), PASSED),
    (assertions.writer_ends_at("primary"), tape(sample(1)), FAILED),
    (assertions.writer_ends_at("primary"), tape(), UNKNOWN),
    (assertions.users_end_at("standby"), tape(sample(1, serves="primary"), sample(90)), PASSED),
    (assertions.users_end_at("standby"), tape(sample(80, serves="primary"), sample(90)), FAILED),
    (assertions.users_end_at("standby"), tape(), UNKNOWN),
    (assertions.users_start_at("primary"), tape(sample(-5, serves="primary"), sample(9)), PASSED),
    (assertions.users_start_at("primary"), tape(sample(-5)), FAILED),
    (assertions.users_start_at("primary"), tape(sample(5)), UNKNOWN),
    (
        assertions.users_stay_at("standby", AT_50),
        tape(sample(9, serves="primary"), sample(60)),
        PASSED,
    ),
    (assertions.users_stay_at("standby", AT_50), tape(sample(60, serves="primary")), FAILED),
    (assertions.users_stay_at("standby", AT_50), tape(sample(9)), UNKNOWN),
    (assertions.users_stay_at("standby", lambda _: None), tape(sample(60)), UNKNOWN),
    (assertions.paused(50), tape(*BACK, rows(1, 2)), PASSED),
    (assertions.paused(70), tape(*BACK, rows(1, 2)), FAILED),
    (assertions.paused(1), tape(), UNKNOWN),
    (assertions.NOTHING_MOVED, tape(look(1, "steady")), PASSED),
    (assertions.NOTHING_MOVED, tape(look(1, "steady"), call(2, "FailoverGlobalCluster")), FAILED),
    (assertions.NOTHING_MOVED, tape(sample(1)), UNKNOWN),
    (assertions.NOT_A_CALL, tape(sample(1)), PASSED),
    (assertions.NOT_A_CALL, tape(sample(1), call(2, "SwitchoverGlobalCluster")), FAILED),
    (assertions.NOT_A_CALL, tape(), UNKNOWN),
    (assertions.moved(1), tape(call(2, "FailoverGlobalCluster")), PASSED),
    (assertions.moved(1), tape(call(2, "FailoverGlobalCluster", by="somebody")), FAILED),
    (assertions.moved(1), tape(*(call(n, "FailoverGlobalCluster") for n in (2, 3))), FAILED),
    (assertions.moved(1), tape(call(2, "FailoverGlobalCluster", status=403)), FAILED),
    (assertions.decided(Seen.REGION_DEAD), tape(look(1, "suspect")), PASSED),
    (assertions.decided(Seen.PROBE_FAULT), tape(look(1, "suspect")), FAILED),
    (assertions.decided(Seen.REGION_DEAD, phase="fencing"), tape(look(1, "suspect")), FAILED),
    (assertions.decided(Seen.REGION_DEAD), tape(), UNKNOWN),
    (assertions.reached("suspect", "shift"), tape(look(1, "suspect"), look(2, "shift")), PASSED),
    (assertions.reached("suspect", "shift"), tape(look(1, "shift"), look(2, "suspect")), FAILED),
    (assertions.reached("suspect"), tape(), UNKNOWN),
    (assertions.never_reached("fencing"), tape(look(1, "suspect")), PASSED),
    (assertions.never_reached("suspect"), tape(look(1, "suspect")), FAILED),
    (assertions.never_reached("suspect"), tape(), UNKNOWN),
    (assertions.stopped_by(SKEW), tape(look(1, "blocked", obstacle="version-skew")), PASSED),
    (assertions.stopped_by(SKEW), tape(look(1, "blocked", obstacle="observing")), FAILED),
    (assertions.stopped_by(SKEW), tape(look(1, "suspect", obstacle="version-skew")), FAILED),
    (assertions.stopped_by(SKEW), tape(), UNKNOWN),
    (assertions.entered_by(MOVED), tape(look(1, "halted", entered_by="external-move")), PASSED),
    (assertions.entered_by(MOVED), tape(look(1, "halted", entered_by="stopped")), FAILED),
    (assertions.entered_by(MOVED), tape(look(1, "halted", entered_by=None)), UNKNOWN),
    (assertions.entered_by(MOVED), tape(), UNKNOWN),
    (assertions.told_people("ACTION"), tape(told(1, "ACTION NEEDED", what="notice")), PASSED),
    (assertions.told_people("ACTION"), tape(told(1, "ACTION NEEDED")), FAILED),
    (assertions.told("0241", "rebuilt"), tape(told(1, "RDS-EVENT-0241")), PASSED),
    (assertions.told("0241", "rebuilt"), tape(told(-1, "RDS-EVENT-0241")), FAILED),
    (assertions.called("X", "x", by="actuator"), tape(call(1, "X")), PASSED),
    (assertions.called("X", "x", by="decider"), tape(call(1, "X")), FAILED),
    (assertions.NOBODY_REFUSED, tape(look(1, "steady")), PASSED),
    (assertions.NOBODY_REFUSED, tape(call(1, "X", refused=True, error="AccessDenied")), FAILED),
    (assertions.NOBODY_REFUSED, tape(), UNKNOWN),
    (assertions.alarm_follows("a"), tape(told(-9, "a is OK", what="alarm")), FAILED),
    (assertions.alarm_follows("a"), tape(told(9, "a is ALARM", what="alarm")), FAILED),
    (
        assertions.alarm_follows("a"),
        tape(told(-9, "a is OK", what="alarm"), told(9, "a is ALARM", what="alarm")),
        PASSED,
    ),
    (
        assertions.probed("keys", "k"),
        tape(at(1, "probe", name="keys", verdict="failed", text="x")),
        FAILED,
    ),
    (
        assertions.probed("keys", "k"),
        tape(at(1, "probe", name="keys", verdict="passed", text="x")),
        PASSED,
    ),
    (assertions.probed("keys", "k"), tape(), UNKNOWN),
    (assertions.served_in_the_end(), tape(*BACK, *(write(60 + n, n) for n in range(30))), PASSED),
    (assertions.served_in_the_end(), tape(*BACK[:-1]), FAILED),
    (assertions.served_in_the_end(), tape(), UNKNOWN),
]


@pytest.mark.parametrize(("claim", "recording", "expected"), CASES)
def test_a_claim_comes_to(claim, recording, expected):
    """What its docstring says, on the least that shows it."""
    found, reason = verdict_of(claim, recording)
    assert found is expected, reason
    assert reason


def run(error):
    """Return a run of the decider."""
    return at(
        1,
        "run",
        function="orders-prod-decider",
        region=WEST,
        error=error,
        text="no module",
        took_s=0.1,
    )


def delivery(rule, error=""):
    """Return a delivery to the decider."""
    target, event = "x:orders-prod-decider", "e"
    known = {"rule": f"orders-prod-{rule}", "target": target, "event": event, "region": WEST}
    return at(5, "delivery", error=error, **known)


@pytest.mark.parametrize(
    ("claim", "recording", "expected"),
    [
        (assertions.FUNCTIONS_RUN, tape(run(None)), PASSED),
        (assertions.FUNCTIONS_RUN, tape(run("Unhandled")), FAILED),
        (assertions.FUNCTIONS_RUN, tape(), UNKNOWN),
        (assertions.woken_by("alarms"), tape(delivery("alarms")), PASSED),
        (assertions.woken_by("alarms"), tape(delivery("tick")), FAILED),
        (assertions.woken_by("alarms"), tape(delivery("alarms", "no permission")), FAILED),
        (assertions.DEPLOYED, tape(at(-40, "stage", state="deployed", text="495")), PASSED),
        (assertions.DEPLOYED, tape(at(-40, "stage", state="refused", text="why")), FAILED),
        (assertions.DEPLOYED, tape(), UNKNOWN),
    ],
)
def test_a_claim_of_the_stack_comes_to(claim, recording, expected):
    """The same, for what the stack itself does."""
    assert verdict_of(claim, recording)[0] is expected


@pytest.mark.parametrize(
    ("again", "outcome", "words"),
    [
        (True, PASSED, "RTO for writes, RTO for reads within"),
        (False, FAILED, "RTO for reads: never recovered"),
    ],
)
def test_what_never_came_back_is_not_within_its_objective(again, outcome, words):
    """No number is not a good number; reads were served before the strike, and then or never."""
    writes = [write(n, n + 10) for n in range(-9, 60)]
    reads = [read(n, 1) for n in range(-9, 0)]
    reads += [read(n, 1, status=200 if again else 0) for n in range(60)]
    recording = tape(*writes, *reads)
    found = assertions.within_objectives().evaluate(recording, measure(recording))
    assert found[0] is outcome
    assert words in found[1]
