"""What a person is told of a recording: changes, and no repeats."""

from drill.journal_builders import WEST, at, call, failover, look, sample, tape, told, write
from otherside.drill.timeline import Lane, tell


def texts(recording, lane):
    """Return what is told on one lane."""
    return [line.text for line in tell(recording) if line.lane is lane]


def test_a_failover_is_told_in_its_order():
    """Disaster, users, orchestrator, database, users again."""
    told_ = [(line.lane, line.text.split(":")[0]) for line in tell(failover())]
    order = [
        (Lane.DISASTER, "lose primary"),
        (Lane.USERS, "writes are no longer accepted"),
        (Lane.DNS, "the public name resolves to the standby"),
        (Lane.ORCHESTRATOR, "suspect"),
        (Lane.ORCHESTRATOR, "fencing"),
        (Lane.ORCHESTRATOR, "orders-prod-actuator calls FailoverGlobalCluster"),
        (Lane.DATABASE, WEST),
        (Lane.USERS, "first write accepted after 201 s, by us-west-2"),
        (Lane.ORCHESTRATOR, "failed-over"),
    ]
    rest = iter(told_)
    assert [item for item in order if item not in rest] == []


def test_a_phase_is_told_once_however_often_it_is_looked_at():
    """Late looks of a second function repeat nothing."""
    recording = tape(look(1, "suspect"), look(2, "suspect"), look(3, "fencing"))
    assert len(texts(recording, Lane.ORCHESTRATOR)) == 2


def test_one_write_that_fails_is_no_outage():
    """Users try again; only what lasts is told."""
    recording = tape(write(1, 1), write(2, 2, status=0), write(3, 2))
    assert texts(recording, Lane.USERS) == []


def test_what_is_refused_is_told_by_who_and_what():
    """The sentence that somebody will look for."""
    recording = tape(call(1, "FailoverGlobalCluster", refused=True, error="AccessDenied"))
    (text,) = texts(recording, Lane.STACK)
    assert text == "orders-prod-actuator is refused rds:FailoverGlobalCluster: AccessDenied"


def test_before_the_strike_only_the_stage_is_told():
    """What a deployment does is nobody's disaster."""
    recording = tape(told(-20, "i-1 boots", what="instance"), sample(-5, serves="primary"))
    assert texts(recording, Lane.STACK) == []
    assert texts(recording, Lane.STAGE) == ["steady: as it was"]


def test_an_interruption_is_told():
    """By its own name."""
    recording = tape(at(1, "step", do="lose", how={}, text="lose primary"), ended="interrupted")
    assert texts(recording, Lane.STAGE)[-1].startswith("interrupted")
