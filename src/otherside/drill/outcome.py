"""What became of a claim, and what becomes of many."""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    """What a claim turned out to be. Worse ones come later, and the worst of many counts."""

    PASSED = "passed"
    UNKNOWN = "unknown"
    """Nobody could look, or it was never tried: that is no proof."""
    FAILED = "failed"


ORDER = tuple(Outcome)
EXIT_CODES = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.UNKNOWN: 3}


def worst(verdicts: Iterable[Outcome]) -> Outcome:
    """Return the worst of some verdicts; of none, that nothing is known."""
    return max(verdicts, key=ORDER.index, default=Outcome.UNKNOWN)
