"""Where the recovery time went: the parts add up to what the clients saw."""

import pytest

from drill.journal_builders import call, failover, look, tape, write
from otherside.drill.measurements import measure
from otherside.drill.recovery_split import PLANNED_S, split


def recovered(*more, away_s=200):
    """Return a drill whose writes stop at the strike and come back after a while."""
    before = [write(-10 + n, n) for n in range(10)]
    failing = [write(5 + n, 10, status=0) for n in range(0, away_s - 6, 5)]
    after = [write(away_s + n, 11 + n) for n in range(10)]
    return tape(*before, *failing, *more, *after)


FAILOVER = (
    look(10, "steady"),
    look(30, "suspect"),
    look(92, "fencing"),
    call(118, "FailoverGlobalCluster"),
    look(119, "promoting"),
    look(180, "verify"),
    look(190, "shift"),
)


def parts(recording):
    """Return the parts by name, in whole seconds."""
    measures = measure(recording)
    found = split(recording, measures)
    if found:
        assert sum(part.seconds for part in found) == pytest.approx(measures.rto_write_s)
    return {part.name: round(part.seconds) for part in found}


def test_a_failover_is_cut_at_what_the_orchestrator_did():
    """Detect, confirm, fence, promote, verify, and whatever DNS took."""
    assert parts(recovered(*FAILOVER)) == {
        "detect": 30,
        "confirm": 62,
        "fence": 26,
        "promote": 62,
        "verify": 10,
        "DNS": 10,
    }


def test_waiting_for_a_person_is_a_part_of_its_own():
    """Between the confirmation and the fence."""
    asked = (look(30, "suspect"), look(60, "await-approval"), *FAILOVER[2:])
    found = parts(recovered(*asked))
    assert (found["confirm"], found["decide"]) == (30, 32)


def test_a_write_that_is_accepted_early_ends_every_later_part():
    """A part is never negative, and none reaches beyond the outage."""
    found = parts(recovered(*FAILOVER, away_s=150))
    assert found["promote"] == 32
    assert (found["verify"], found["DNS"]) == (0, 0)


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (look(30, "suspect"), look(92, "steady")),
        (*FAILOVER[:3], call(118, "FailoverGlobalCluster", status=400, refused=True)),
        FAILOVER[3:],
    ],
)
def test_without_a_failover_of_ours_there_is_nothing_to_cut(entries):
    """Neither for a blip nor for somebody else's move."""
    assert parts(recovered(*entries)) == {}


def test_a_later_and_longer_outage_is_not_the_failover_s():
    """The application broke after it: nothing of that was detected, fenced or promoted."""
    early = [write(-10 + n, n) for n in range(10)]
    first = [write(5 + n, 10, status=0) for n in range(0, 194, 5)]
    between = [write(200 + n, 20 + n) for n in range(100)]
    second = [write(305 + n, 140, status=0) for n in range(0, 310, 5)]
    after = [write(620 + n, 141 + n) for n in range(60)]
    assert parts(tape(*early, *first, *FAILOVER, *between, *second, *after)) == {}


def test_a_second_outage_that_never_ends_leaves_no_parts():
    """There is no RTO that they could add up to."""
    ended = recovered(*FAILOVER)
    assert parts(ended) != {}
    early = [write(-10 + n, n) for n in range(10)]
    first = [write(5 + n, 10, status=0) for n in range(0, 194, 5)]
    between = [write(200 + n, 20 + n) for n in range(100)]
    second = [write(305 + n, 140, status=0) for n in range(0, 100, 5)]
    assert parts(tape(*early, *first, *FAILOVER, *between, *second)) == {}


def test_an_outage_that_never_ended_has_no_parts():
    """Nor has a drill in which writes never stopped."""
    lost = tape(write(-1, 0), *(write(5 * n, 10, status=0) for n in range(1, 30)), *FAILOVER)
    assert parts(lost) == {}
    assert parts(tape(*(write(n, n) for n in range(60)))) == {}


def test_every_part_has_a_plan():
    """And the reference drill's parts are among them."""
    recording = failover()
    assert {part.name for part in split(recording, measure(recording))} <= set(PLANNED_S)
