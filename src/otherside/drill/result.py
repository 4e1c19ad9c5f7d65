"""The result of a drill: verdict, measurements and claims, as a value and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from otherside.drill.assertions import Assertion, AssertionResult, evaluate
from otherside.drill.instrument import Instrument, judge
from otherside.drill.measurements import Measures, Outage, measure
from otherside.drill.outcome import Outcome, worst
from otherside.drill.recording import SCHEMA, Recording
from otherside.drill.recovery_split import RecoveryPart, split
from otherside.drill.timeline import Line, tell


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillResult:
    """The result of one drill."""

    recording: Recording
    measures: Measures
    found: tuple[AssertionResult, ...]
    lines: tuple[Line, ...]
    recovery: tuple[RecoveryPart, ...]
    """Where the RTO for writes went; empty if no failover ended the outage."""
    instrument: Instrument

    @property
    def verdict(self) -> Outcome:
        """The worst outcome of its claims."""
        return worst(result.verdict for result in self.found)


def conclude(recording: Recording, claims: Sequence[Assertion]) -> DrillResult:
    """Evaluate a recording against the claims."""
    measures = measure(recording)
    instrument = judge(recording)
    found = evaluate(claims, recording, measures)
    return DrillResult(
        recording=recording,
        measures=measures,
        found=tuple(_doubted(result, instrument) for result in found),
        instrument=instrument,
        lines=tuple(tell(recording)),
        recovery=split(recording, measures),
    )


def _doubted(result: AssertionResult, instrument: Instrument) -> AssertionResult:
    """Return a result; a failure is unknown if the instrument was too late to blame the stack."""
    if instrument.kept_time or result.verdict is not Outcome.FAILED:
        return result
    return replace(
        result, verdict=Outcome.UNKNOWN, reason=f"{result.reason}; but {instrument.advice}"
    )


def as_json(result: DrillResult) -> dict[str, Any]:
    """Return a result as JSON-serializable data, in twin seconds; `null` means not measured."""
    head, measures = result.recording.head, result.measures
    strike_s = result.recording.strike_s
    return {
        "schema": SCHEMA,
        "scenario": head.scenario,
        "title": head.title,
        "verdict": result.verdict,
        "ended": result.recording.ended,
        "rto_write_s": _rounded(measures.rto_write_s),
        "rto_read_s": _rounded(measures.rto_read_s),
        "rpo_s": _rounded(measures.rpo_s),
        "writes_sent": measures.writes_sent,
        "writes_acknowledged": measures.writes_acknowledged,
        "writes_lost": measures.writes_lost,
        "lost_keys": list(measures.lost_keys),
        "writes_twice": measures.writes_twice,
        "rows_twice": measures.rows_twice,
        "writes_wrong_side": measures.writes_wrong_side,
        "reads_stale": measures.reads_stale,
        "loss_said_s": _rounded(measures.loss_said_s),
        "recovery": [
            {"part": part.name, "seconds": _rounded(part.seconds), "planned_s": part.planned_s}
            for part in result.recovery
        ],
        "instrument": {
            "late_s": _rounded(result.instrument.late_s),
            "late_often_s": _rounded(result.instrument.late_often_s),
            "kept_time": result.instrument.kept_time,
        },
        "objectives": {"rto_s": head.rto_s, "rpo_s": head.rpo_s},
        "outages": {
            "write": [_outage(item, strike_s) for item in measures.outages_write],
            "read": [_outage(item, strike_s) for item in measures.outages_read],
        },
        "claims": [asdict(other_result) for other_result in result.found],
        "timeline": [
            {
                "at_s": _rounded(line.at_s - strike_s) if strike_s else None,
                "lane": str(line.lane),
                "text": line.text,
            }
            for line in result.lines
        ],
        "modelled": head.modelled,
        "seed": head.seed,
        "speed": head.speed,
        "speed_least": result.recording.speeds[0],
        "clients": head.clients,
        "latency": head.latency,
        "regions": head.regions,
        "versions": head.versions,
        "stack": {"place": head.place, "digest": head.digest},
        "started_at": head.started_at,
    }


def _outage(outage: Outage, strike_s: float | None) -> dict[str, float | None]:
    base_s = strike_s or 0.0
    end_s = None if outage.to_s is None else _rounded(outage.to_s - base_s)
    return {"from_s": _rounded(outage.from_s - base_s), "to_s": end_s}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
