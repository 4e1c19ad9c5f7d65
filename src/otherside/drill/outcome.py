"""The outcome of a claim, and the worst of many."""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a claim, ordered from best to worst; the worst of many counts."""

    PASSED = "passed"
    UNKNOWN = "unknown"
    """It could not be observed or was never tried, so nothing is proven."""
    FAILED = "failed"


ORDER = tuple(Outcome)
EXIT_CODES = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNKNOWN: 3}


def worst(verdicts: Iterable[Outcome]) -> Outcome:
    """Return the worst of the given outcomes; `UNKNOWN` if there are none."""
    return max(verdicts, key=ORDER.index, default=Outcome.UNKNOWN)
