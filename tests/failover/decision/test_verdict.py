"""What the evidence means: the table row by row, then over every combination."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.decision.observation_builders import BAD, DEAD, GOOD, UNKNOWN, signals
from otherside.failover.decision.observation import Reading
from otherside.failover.decision.verdict import DEADLY, Evidence, Verdict, judge, weigh

NAMES = Evidence.__slots__
readings = st.fixed_dictionaries({name: st.sampled_from(Reading) for name in NAMES})


def verdict(**changed):
    """Return the verdict where all is good but for some."""
    return judge(weigh(signals(0.0, **changed), 0.0, 20.0))


ROWS = [
    ({}, Verdict.HEALTHY),
    (DEAD, Verdict.REGION_DEAD),
    ({**DEAD, "control_plane": UNKNOWN}, Verdict.REGION_DEAD),
    ({**DEAD, "control_plane": GOOD}, Verdict.REGION_SILENT),
    ({**DEAD, "app_pulse": GOOD, "dns_health": GOOD}, Verdict.WRITER_DEAD),
    ({**DEAD, "dns_health": GOOD, "app_pulse": UNKNOWN}, Verdict.WRITER_DEAD),
    ({**DEAD, "self_test": BAD}, Verdict.SELF_SUSPECT),
    ({**DEAD, "self_test": UNKNOWN}, Verdict.UNCERTAIN),
    ({"heartbeat": BAD, "write_pulse": UNKNOWN, "app_pulse": UNKNOWN}, Verdict.REPLICATION_CUT),
    ({"heartbeat": BAD, "write_pulse": BAD}, Verdict.REPLICATION_CUT),
    ({"standby_canary": BAD}, Verdict.PROBE_FAULT),
    ({"witness_canary": BAD}, Verdict.PROBE_FAULT),
    ({"dns_health": BAD}, Verdict.PROBE_FAULT),
    ({"control_plane": BAD}, Verdict.CONTROL_PLANE),
    ({"standby_canary": BAD, "witness_canary": BAD}, Verdict.UNCERTAIN),
    (
        {"standby_canary": BAD, "witness_canary": BAD, "dns_health": BAD, "standby_app": BAD},
        Verdict.APP_BUG_BOTH,
    ),
    (
        {"standby_canary": BAD, "witness_canary": BAD, "dns_health": BAD},
        Verdict.APP_FAULT_PRIMARY,
    ),
    (dict.fromkeys(NAMES, UNKNOWN), Verdict.UNCERTAIN),
    ({**dict.fromkeys(NAMES, UNKNOWN), "self_test": GOOD}, Verdict.UNCERTAIN),
    ({**DEAD, "witness_canary": UNKNOWN, "dns_health": UNKNOWN}, Verdict.UNCERTAIN),
]


@pytest.mark.parametrize(("changed", "expected"), ROWS)
def test_each_pattern_has_its_verdict(changed, expected):
    """The table, as it is documented."""
    assert verdict(**changed) is expected


def test_every_combination_has_a_verdict_and_silence_is_never_deadly():
    """All 19,683: a Region is dead only where three of five said so, and nobody saw a write."""
    for values in itertools.product(Reading, repeat=len(NAMES)):
        evidence = Evidence(**dict(zip(NAMES, values, strict=True)))
        found = judge(evidence)
        if found in DEADLY:
            assert evidence.self_test is GOOD
            assert not evidence.writes_live
            assert BAD in (evidence.heartbeat, evidence.write_pulse)
        if found is Verdict.REGION_DEAD:
            assert evidence.main.count(BAD) >= 3
            assert BAD in (evidence.witness_canary, evidence.dns_health)


@given(readings, st.sampled_from(NAMES))
def test_losing_sight_of_a_signal_never_makes_it_worse(values, name):
    """UNKNOWN instead of BAD can only make a deadly verdict less likely."""
    before = judge(Evidence(**{**values, name: BAD}))
    after = judge(Evidence(**{**values, name: UNKNOWN}))
    if after is Verdict.REGION_DEAD:
        assert before in DEADLY


@given(readings, st.sampled_from(["standby_canary", "witness_canary", "heartbeat", "write_pulse"]))
def test_one_write_that_was_seen_vetoes(values, name):
    """Whatever else is dark, a write that worked means that the writer lives."""
    assert judge(Evidence(**{**values, name: GOOD})) not in DEADLY


@pytest.mark.parametrize(("age_s", "expected"), [(0, GOOD), (20, GOOD), (20.1, UNKNOWN)])
def test_an_old_reading_says_nothing(age_s, expected):
    """Older than twice its period, a reading is UNKNOWN, good or bad."""
    assert weigh(signals(100.0 - age_s), 100.0, 20.0).heartbeat is expected
