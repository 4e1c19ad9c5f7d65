"""Format numbers for people; a value that could not be measured is shown as `unknown`."""

from otherside.drill.measurements import Measures

UNKNOWN = "unknown"


def span(seconds: float | None) -> str:
    """Return a duration in twin seconds as text."""
    if seconds is None:
        return UNKNOWN
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits


def loss(measures: Measures) -> str:
    """Return the number of lost writes out of the acknowledged writes, as text."""
    lost = UNKNOWN if measures.writes_lost is None else str(measures.writes_lost)
    return f"{lost} of {measures.writes_acknowledged}"
