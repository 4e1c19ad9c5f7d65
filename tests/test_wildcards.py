"""Wildcards mean what they say, and no pattern takes long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otherside.check.analysis.iam import matches
from otherside.twin.gateway.iam_policy import like
from otherside.twin.services.events.pattern import fits


def by_hand(pattern, text):
    """Match by trying every way, which is plain and slow."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(by_hand(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and by_hand(pattern[1:], text[1:])


@given(st.text("ab*?.[", max_size=7), st.text("ab.[", max_size=9))
def test_every_matcher_says_what_trying_every_way_says(pattern, text):
    """A policy of the twin, a policy of the check, and an event pattern without question marks."""
    assert like(pattern, text) == by_hand(pattern, text)
    assert matches(pattern, text) == by_hand(pattern, text)
    if "?" not in pattern and "**" not in pattern:
        asked = {"detail": {"name": [{"wildcard": pattern}]}}
        assert fits(asked, {"detail": {"name": text}}) == by_hand(pattern, text)


@pytest.mark.parametrize("stars", [12, 200])
def test_a_legal_policy_of_many_stars_stops_nothing(stars):
    """Each of these ran for ever when a star was a plain `.*`."""
    pattern, text = "*a" * stars + "b", "a" * 2000
    assert not like(pattern, text)
    assert not matches(pattern, text)
    assert not fits({"k": [{"wildcard": pattern}]}, {"k": text})


def test_case_is_folded_where_it_is_asked_for():
    """Actions are compared without case, resources with it."""
    assert like("s3:get*", "S3:GetObject", fold=True)
    assert not like("s3:get*", "S3:GetObject")
