"""Two patterns of which each stands for what is not known."""

import pytest

from otherside.check.analysis.iam import may_be_same


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("rule/own/*", "rule/*/own", True),
        ("rule/own", "rule/own/own", False),
        ("a*", "b*", False),
        ("a*c", "*bc", True),
        ("", "*", True),
        ("", "", True),
        ("a*", "", False),
        ("x*y", "x*z", False),
        ("rule/r", "rule/*", True),
        ("*" * 40 + "b", "*" * 40 + "c", False),
    ],
)
def test_patterns_may_match_the_same_text(first, second, same):
    """Whichever comes first, and in no more time than their lengths take."""
    assert may_be_same(first, second) is same
    assert may_be_same(second, first) is same
