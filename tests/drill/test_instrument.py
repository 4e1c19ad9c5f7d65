"""A drill that checks itself: what fails on a machine that is late is unknown, not failed."""

from dataclasses import replace

import pytest

from drill.journal_builders import at, failover, sample, tape
from otherside.drill.assertions import within_objectives, writable_again
from otherside.drill.entries import SampleEntry
from otherside.drill.instrument import judge
from otherside.drill.outcome import Outcome
from otherside.drill.result import as_json, conclude


def late(recording, *seconds):
    """Return a recording whose samples say how late it ran, at a speed of 20."""
    recording._kinds["sample"] = [
        replace(entry, late_s=value)
        for entry, value in zip(
            tape(*map(sample, range(len(seconds)))).of(SampleEntry), seconds, strict=True
        )
    ]
    head = recording.head
    recording._kinds["drill"] = [replace(head, speed=20.0)]
    return recording


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [
        ([None, None], True),
        ([0.1] * 40, True),
        ([0.1] * 39 + [3.9], True),
        ([0.1] * 39 + [6.0], False),  # once, by more than the shortest limit
        ([0.1] * 30 + [1.5] * 10, False),  # often, by more than a heartbeat
    ],
)
def test_it_kept_time_or_not(seconds, kept):
    """By the most and by what one sample of twenty exceeds."""
    assert judge(late(failover(), *seconds)).kept_time is kept


def test_only_what_was_late_from_the_strike_on_counts():
    """Before it instances and databases boot, and no outage is measured."""
    recording = failover()
    early = tape(sample(-20), sample(10))
    first, second = (
        replace(entry, late_s=value)
        for entry, value in zip(early.of(SampleEntry), (60.0, 0.1), strict=True)
    )
    recording._kinds["sample"] = [first, second]
    assert judge(recording).late_s == 0.1


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [([1.9, 0.01, 0.0], True), ([1.9, 1.8, 0.0], False), ([4.1, 0.01, 0.0], False)],
)
def test_one_late_sample_of_three_is_not_often_and_two_are(seconds, kept):
    """The failures that are noticed at once end seconds after the strike."""
    assert judge(late(failover(), *seconds)).kept_time is kept


def test_the_advice_has_the_number_and_a_speed_that_fits():
    """Half as fast if it was twice as late, and a little less."""
    found = judge(late(failover(), *[2.0] * 40))
    assert "up to 2.0 twin seconds, and often 2.0; repeat with --speed 8" in found.advice
    assert judge(late(failover(), 0.1)).advice == ""
    assert "--speed 1," in judge(late(failover(), *[90.0] * 40)).advice


def test_the_advice_counts_from_the_slowest_that_it_was():
    """A twin slows down while its machine is late: that was not enough."""
    recording = late(failover(), *[2.0] * 40)
    recording._kinds["sample"] = [
        replace(entry, speed=speed)
        for entry, speed in zip(recording.of(SampleEntry), [20.0, 5.2] * 20, strict=True)
    ]
    assert "--speed 2," in judge(recording).advice
    assert recording.speed_text == "5.2 to 20"


def test_a_failure_of_a_late_instrument_is_unknown_and_a_pass_stays_one():
    """Lateness lengthens outages: what passed has passed under harder conditions."""
    claims = (writable_again(10), within_objectives())
    failed = conclude(failover(), claims)
    assert failed.verdict is Outcome.FAILED
    doubted = conclude(late(failover(), *[2.0] * 40), claims)
    assert doubted.verdict is Outcome.UNKNOWN
    first = doubted.found[1]
    assert first.verdict is Outcome.UNKNOWN
    assert "10 s allowed; but this machine ran late" in first.reason
    assert conclude(late(failover(), *[2.0] * 40), claims[1:]).found[1].verdict is Outcome.PASSED
    assert as_json(doubted)["instrument"] == {
        "late_s": 2.0,
        "late_often_s": 2.0,
        "kept_time": False,
    }


def test_a_stack_that_never_became_steady_fails_nothing():
    """Nothing was tried: unknown, with what was missing. A refused deployment was tried."""
    recording = tape(at(-20, "stage", state="unsteady", text="no heartbeat"), steady=False)
    recording._kinds.pop("strike")
    claims = (writable_again(), within_objectives(), never())
    result = conclude(recording, claims)
    assert result.verdict is Outcome.UNKNOWN
    assert "nothing struck a stack that was steady" in result.found[-1].reason
    recording = tape(at(-29, "stage", state="refused", text="no such thing"))
    recording._kinds.pop("strike")
    assert conclude(recording, claims).found[-1].verdict is Outcome.FAILED


def never():
    """Claim what is never so."""
    from otherside.drill.assertions import Assertion  # noqa: PLC0415 - only here

    return Assertion(name="never", evaluate=lambda *_: (Outcome.FAILED, "as said"))
