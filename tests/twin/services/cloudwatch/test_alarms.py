"""What an alarm says of its points, held against CloudWatch's own table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.services.cloudwatch.alarms import AlarmState, evaluate
from otherside.twin.services.cloudwatch.composite_rule import holds

POINT = {"0": False, "X": True, "-": None}
OK, ALARM, NONE = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
RULES = ("missing", "ignore", "breaching", "notBreaching")
KEEP = None

# The user guide's tables for three periods and a range of five: "Configuring how CloudWatch alarms
# treat missing data".
THREE_OF_THREE = {
    "0-X-X": (OK, OK, OK, OK),
    "0----": (OK, OK, OK, OK),
    "-----": (NONE, KEEP, ALARM, OK),
    "0XX-X": (ALARM, ALARM, ALARM, ALARM),
    "--X--": (ALARM, KEEP, ALARM, OK),
}
TWO_OF_THREE = {
    "0-X-X": (ALARM, ALARM, ALARM, ALARM),
    "00X0X": (ALARM, ALARM, ALARM, ALARM),
    "0-X--": (OK, OK, ALARM, OK),
    "----0": (OK, OK, ALARM, OK),
    "---X-": (ALARM, KEEP, ALARM, OK),
}
CELLS = [
    (points, wanted, rule, said)
    for wanted, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, row in table.items()
    for rule, said in zip(RULES, row, strict=True)
]


@pytest.mark.parametrize(("points", "wanted", "rule", "said"), CELLS)
def test_CW_05_06_every_documented_cell(points, wanted, rule, said):
    """Each of the guide's forty cells, by the range of five periods that it is written for."""
    found = evaluate([POINT[point] for point in points], wanted=wanted, periods=3, missing=rule)
    assert found is said


@given(
    st.lists(st.sampled_from([True, False, None]), min_size=3, max_size=7),
    st.integers(1, 3),
    st.sampled_from(RULES),
)
def test_CW_04_latest_points_decide_and_need_not_be_neighbours(points, wanted, rule):
    """With enough real points, as many of the newest must breach as are wanted, in any order."""
    real = [point for point in points if point is not None]
    if len(real) >= 3:
        said = evaluate(points, wanted=wanted, periods=3, missing=rule)
        assert said is (ALARM if sum(real[-3:]) >= wanted else OK)


@given(st.lists(st.sampled_from([True, False, None]), min_size=5, max_size=5))
def test_a_real_point_only_ever_delays_breaching(points):
    """Where missing points breach, taking real ones away never calms an alarm."""
    with_points = evaluate(points, wanted=3, periods=3, missing="breaching")
    without = evaluate([None] * 5, wanted=3, periods=3, missing="breaching")
    assert without is ALARM
    assert with_points in {OK, ALARM}


STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "with space": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('ALARM("a")', True),
        ('ALARM("b")', False),
        ("ALARM(a) AND OK(b)", True),
        ("ALARM(b) OR NOT OK(a)", True),
        ("ALARM(a) AND (ALARM(b) OR INSUFFICIENT_DATA(c))", True),
        ("NOT (ALARM(a) OR ALARM(b))", False),
        ("TRUE AND NOT FALSE", True),
        ('ALARM("with space")', True),
        ('ALARM("arn:aws:cloudwatch:us-east-2:123456789012:alarm:a")', True),
        ("ALARM(unknown)", False),
    ],
)
def test_CW_11_rules_of_composite_alarms(rule, said):
    """States by name or ARN, joined by AND, OR, NOT and brackets."""
    assert holds(rule, STATES) is said


@pytest.mark.parametrize("rule", ["ALARM(a) AND", "ALARM(a))", "(ALARM(a)", "ALARM(a) XOR OK(b)"])
def test_a_rule_that_cannot_be_read_is_refused(rule):
    """Nothing is guessed about a rule that is not one."""
    with pytest.raises(ValueError, match="cannot read the rule"):
        holds(rule, STATES)
