"""Format numbers for people; a value that could not be measured is shown as `unknown`."""

import statistics
from collections.abc import Sequence

from otherside.drill.measurements import Measures
from otherside.drill.recovery_split import RecoveryPart
from otherside.drill.result import DrillResult

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


def split(parts: Sequence[RecoveryPart]) -> str:
    """Return where the recovery time went, as one line."""
    return " + ".join(f"{part.name} {part.seconds:.0f}" for part in parts)


def rto_spread(results: Sequence[DrillResult]) -> dict[str, str]:
    """Return the spread of the RTO for writes, by scenario, of those that ran more than once."""
    found = {}
    scenarios = [result.recording.head.scenario for result in results]
    for name in dict.fromkeys(scenarios):
        times = [
            result.measures.rto_write_s
            for result, scenario in zip(results, scenarios, strict=True)
            if scenario == name
        ]
        known = sorted(time for time in times if time is not None)
        if len(known) > 1:
            low, middle, high = known[0], statistics.median(known), known[-1]
            p95 = statistics.quantiles(known, n=20, method="inclusive")[-1]
            found[name] = (
                f"RTO for writes in {len(times)} runs, {len(times) - len(known)} not measured:"
                f" min {low:.0f} s, median {middle:.0f} s, p95 {p95:.0f} s, max {high:.0f} s"
            )
    return found
