"""What became of a claim, and what becomes of many."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What a claim turned out to be. Worse ones come later, and the worst of many counts."""

    PASSED = "passed"
    UNKNOWN = "unknown"
    """Nobody could look, or it was never tried: that is no proof."""
    FAILED = "failed"


ORDER = tuple(Verdict)
EXIT_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 3}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts; of none, that nothing is known."""
    return max(verdicts, key=ORDER.index, default=Verdict.UNKNOWN)
