"""Numbers as a person reads them; what nobody could measure is said so, and is no number."""

from otherside.drill.measurements import Measures

UNKNOWN = "unknown"


def span(seconds: float | None) -> str:
    """Return a span of twin time."""
    if seconds is None:
        return UNKNOWN
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits


def loss(measures: Measures) -> str:
    """Return how many acknowledged writes were lost, out of how many."""
    lost = UNKNOWN if measures.writes_lost is None else str(measures.writes_lost)
    return f"{lost} of {measures.writes_acknowledged}"
