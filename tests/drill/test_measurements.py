"""What a recording tells, on recordings by hand: every number has a hand that could be wrong."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.journal_builders import (
    EAST,
    STRIKE,
    WEST,
    at,
    failover,
    look,
    read,
    rows,
    sample,
    tape,
    write,
)
from otherside.drill.assertions import SAFE
from otherside.drill.measurements import measure
from otherside.drill.outcome import Outcome


def test_a_failover_is_measured_from_the_strike_to_the_first_write_that_lasts():
    """The last write before the disaster does not count, nor does who said what."""
    found = measure(failover(away_s=200))
    assert found.rto_write_s == pytest.approx(200)
    assert found.rto_read_s == pytest.approx(100)
    assert (found.rpo_s, found.writes_lost) == (0.0, 0)
    assert found.writes_acknowledged == 50
    assert found.loss_said_s == 17.0


def test_what_the_writer_does_not_hold_is_lost_and_dates_the_rpo():
    """From the oldest lost write until the disaster, though a later one survived."""
    found = measure(failover(lost={7, 9}))
    assert found.writes_lost == 2
    assert found.lost_keys == ("d1-1-000007", "d1-1-000009")
    assert found.rpo_s == pytest.approx(4), "until the Region was lost, a second after the strike"
    assert found.writes_wrong_side == 0


def test_a_write_of_the_last_moment_has_an_age_too():
    """Acknowledged just before the Region went: lost, and a tenth of a second old."""
    lose = at(2.1, "step", do="lose", how={"side": "primary"}, text="lose primary")
    assert measure(tape(write(2.0, 1), lose, rows())).rpo_s == pytest.approx(0.1)


def test_a_write_that_was_lost_after_the_disaster_counts_until_it():
    """A Region that was cut off acknowledged for a while yet."""
    found = measure(
        tape(write(-1, 1), write(4, 2), write(12, 3), write(100, 4, region=WEST), rows(1, 4))
    )
    assert found.writes_lost == 2
    assert found.rpo_s == pytest.approx(8)
    assert found.writes_wrong_side == 0, "nobody else had taken over yet"


def test_a_write_that_the_old_side_took_after_the_new_one_had_is_a_split_brain():
    """Lost, and sent when another Region had acknowledged what survives."""
    found = measure(tape(write(50, 1, region=WEST), write(60, 2, region=EAST), rows(1)))
    assert found.writes_wrong_side == 1


def test_service_that_flaps_is_one_outage():
    """One write in between does not make two short outages of a long one."""
    found = measure(
        tape(
            *(write(-5 + n, n) for n in range(5)),
            write(60, 6, region=WEST),
            *(write(120 + n, 7 + n, region=WEST) for n in range(20)),
            rows(*range(40)),
        )
    )
    assert found.rto_write_s == pytest.approx(120)
    assert len(found.outages_write) == 1


def test_a_service_that_never_comes_back_has_no_rto():
    """Nobody may take an outage without an end for a short one."""
    found = measure(tape(write(-1, 1), *(write(n, 2, status=0) for n in range(5, 60, 5)), rows(1)))
    assert found.rto_write_s is None
    assert found.outages_write[-1].to_s is None


def test_no_interruption_is_an_rto_of_nothing():
    """As in a planned move of a stack that nobody noticed."""
    found = measure(tape(*(write(n, n + 10) for n in range(-5, 30)), rows(*range(60))))
    assert found.rto_write_s == 0.0
    assert found.outages_write == ()


def test_where_nobody_looked_into_the_database_nothing_is_known_of_loss():
    """Unknown, and not zero."""
    found = measure(tape(write(-1, 1), write(1, 2)))
    assert (found.writes_lost, found.rpo_s, found.rows_corrupt) == (None, None, None)
    assert found.writes_wrong_side is None


def test_only_the_writers_rows_count():
    """A standby that was left behind proves nothing."""
    found = measure(tape(write(-1, 1), rows(1, side="primary", writer=False), rows()))
    assert found.writes_lost == 1


def test_rows_are_held_against_what_was_sent():
    """Corrupt ones, and ones of nobody; those of another drill on the same twin are let be."""
    held = rows(1, 2, 9, digests={2: "another"})
    held["rows"].append(["d7-1-000001", "elsewhere"])
    found = measure(tape(write(1, 1), write(2, 2), held))
    assert (found.rows_corrupt, found.rows_unknown) == (1, 1)


def test_the_same_write_accepted_as_new_twice_is_counted():
    """200 says that it is known; 201 twice says that it was forgotten."""
    again = [write(1, 1), write(2, 1), write(3, 2), write(4, 2, status=200)]
    assert measure(tape(*again, rows(1, 2))).writes_twice == 1


def test_a_read_that_does_not_find_what_was_acknowledged_is_stale():
    """It is an answer, and so no outage."""
    found = measure(tape(write(1, 1), read(2, 1, status=404), read(3, 1), rows(1)))
    assert found.reads_stale == 1
    assert found.rto_read_s == 0.0


@given(
    acknowledged=st.lists(st.integers(0, 60), unique=True, max_size=40),
    kept=st.sets(st.integers(0, 60)),
)
def test_lost_is_acknowledged_and_not_held(acknowledged, kept):
    """Whatever was acknowledged and whatever is held: a difference of sets, and a date."""
    found = measure(tape(*(write(-61 + n, n) for n in acknowledged), rows(*kept)))
    lost = sorted(set(acknowledged) - kept)
    assert found.writes_lost == len(lost)
    assert found.rpo_s == pytest.approx(61 - lost[0] if lost else 0)


@given(gaps=st.lists(st.floats(0.1, 60), min_size=1, max_size=30))
def test_outages_are_no_longer_than_the_time_and_do_not_overlap(gaps):
    """For any rhythm of service."""
    times, now = [], 0.5
    for gap in gaps:
        now += gap
        times.append(now)
    found = measure(tape(write(-0.1, 0), *(write(t, n + 1) for n, t in enumerate(times))))
    spans = found.outages_write
    assert all(span.from_s >= STRIKE for span in spans)
    assert all(a.to_s is not None and a.to_s <= b.from_s for a, b in pairwise(spans))
    known = sum(span.seconds or 0.0 for span in spans)
    assert known <= now + 1e-3


def test_what_was_said_is_the_most_that_was_said():
    """A failover is judged by the bound that it gave, not by the first."""
    found = measure(tape(look(1, "fencing", bound_s=5.0), look(2, "fencing", bound_s=17.0)))
    assert found.loss_said_s == 17.0
    assert measure(tape(sample(1))).loss_said_s is None


def test_where_answers_name_no_region_a_lost_write_leaves_split_brain_unknown():
    """Two sides that wrote look like one; without a loss there was none."""
    both = [write(1, 1, region=None), write(300, 2, region=None)]
    assert measure(tape(*both, rows(2))).writes_wrong_side is None
    assert measure(tape(*both, rows(1, 2))).writes_wrong_side == 0
    (found,) = [claim for claim in SAFE if claim.name == "no split brain"]
    recording = tape(*both, rows(2))
    verdict, reason = found.evaluate(recording, measure(recording))
    assert (verdict, "drill.region" in reason) == (Outcome.UNKNOWN, True)


def test_a_row_that_is_there_twice_is_counted():
    """An application without a unique key takes the second sending for another write."""
    recording = tape(write(1, 1), rows(1, 1))
    assert measure(recording).rows_twice == 1
    (found,) = [claim for claim in SAFE if claim.name == "data integrity"]
    assert found.evaluate(recording, measure(recording))[0] is Outcome.FAILED
    assert measure(tape(write(1, 1), rows(1))).rows_twice == 0
