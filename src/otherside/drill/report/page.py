"""A drill result as one self-contained HTML page: no network, no script, light and dark."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from otherside.drill.entries import SampleEntry, TickEntry, WriteEntry
from otherside.drill.measurements import ACKNOWLEDGED, Outage
from otherside.drill.recording import Recording
from otherside.drill.recovery_split import RecoveryPart
from otherside.drill.report.words import loss, rto_spread, span
from otherside.drill.result import DrillResult
from otherside.drill.timeline import Lane, Line

WIDTH, LEFT, ROW, TALL = 960, 110, 26, 90
BUCKET_S = 2.0
MARGIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps twin seconds since the strike to horizontal page units."""

    from_s: float
    to_s: float

    def x(self, at_s: float) -> float:
        """Return the horizontal position of a time."""
        share = (at_s - self.from_s) / max(1.0, self.to_s - self.from_s)
        return round(LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - 10), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Return the positions and labels of the axis ticks."""
        whole = self.to_s - self.from_s
        step = next((item for item in (10, 30, 60, 120, 300, 600) if whole / item <= 12), 1200)  # noqa: PLR2004 - as many fit
        first = int(self.from_s // step) * step
        marks = [first + n * step for n in range(int(whole // step) + 2)]
        return [
            (self.x(mark), f"{mark:+d} s") for mark in marks if self.from_s <= mark <= self.to_s
        ]


def page(result: DrillResult) -> str:
    """Return a result as one HTML page."""
    recording = result.recording
    strike_s = recording.strike_s or recording.now_s
    told = [line for line in result.lines if line.at_s >= strike_s - MARGIN_S]
    times = [line.at_s - strike_s for line in told] + [recording.now_s - strike_s]
    scale = Scale(from_s=-MARGIN_S, to_s=max([*times, 60.0]))
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            head=recording.head,
            speed=recording.speed_text,
            ended=recording.ended,
            verdict=result.verdict,
            cards=_cards(result),
            duration_s=recording.now_s - strike_s,
            recovery=_recovery(result.recovery),
            recovery_s=sum(part.seconds for part in result.recovery),
            instrument=result.instrument,
            simulated=not recording.head.versions,
            measures=result.measures,
            loss=loss(result.measures),
            found=result.found,
            lines=[(round(line.at_s - strike_s, 1), line) for line in result.lines],
            looks=_looks(recording, strike_s),
            lanes=(lanes := _lanes(told, strike_s, scale)),
            lanes_height=ROW * (len(lanes) + 1),
            outages=_spans(result.measures.outages_write, strike_s, scale),
            availability=_availability(recording, strike_s, scale),
            lag=_lag(recording, strike_s, scale),
            ticks=scale.ticks(),
            zero=scale.x(0.0),
            width=WIDTH,
            left=LEFT,
            tall=TALL,
            row=ROW,
        )
    )


def index(results: Sequence[tuple[DrillResult, str]]) -> str:
    """Return a page that leads to the pages of several drills, by their relative addresses."""
    rows = [
        {"result": result, "cards": _cards(result), "loss": loss(result.measures), "page": page_}
        for result, page_ in results
    ]
    verdicts = Counter(str(result.verdict) for result, _ in results)
    return (
        _templates()
        .get_template("index.html.j2")
        .render(
            rows=rows,
            counts=", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())),
            spread=rto_spread([result for result, _ in results]),
        )
    )


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("otherside.drill.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["span"] = span
    return environment


def _cards(result: DrillResult) -> list[dict[str, Any]]:
    """Return each measurement beside its objective, and whether that was missed."""
    head, measures = result.recording.head, result.measures
    return [
        {
            "id": name,
            "title": title,
            "value": span(measured_s),
            "objective": span(objective_s),
            "missed": measured_s is not None and measured_s > objective_s,
        }
        for name, title, measured_s, objective_s in (
            ("rto_write_s", "RTO, writes", measures.rto_write_s, head.rto_s),
            ("rto_read_s", "RTO, reads", measures.rto_read_s, head.rto_s),
            ("rpo_s", "RPO", measures.rpo_s, head.rpo_s),
        )
    ]


def _recovery(parts: Sequence[RecoveryPart]) -> list[dict[str, Any]]:
    """Return the parts of the recovery as segments of one bar."""
    whole = sum(part.seconds for part in parts) or 1.0
    found: list[dict[str, Any]] = []
    x = 0.0
    for number, part in enumerate(parts):
        width = round(part.seconds / whole * WIDTH, 1)
        found.append({"part": part, "x": round(x, 1), "width": width, "shade": number % 4})
        x += width
    return found


def _lanes(told: Sequence[Line], strike_s: float, scale: Scale) -> list[dict[str, Any]]:
    """Return each lane in which something happened, with its marks."""
    busy = [lane for lane in Lane if any(line.lane is lane for line in told)]
    return [
        {
            "name": str(lane),
            "y": ROW * (number + 1),
            "marks": [
                {
                    "x": scale.x(line.at_s - strike_s),
                    "text": f"{line.at_s - strike_s:+.1f} s: {line.text}",
                    "urgent": line.urgent,
                    "tone": str(line.tone),
                }
                for line in told
                if line.lane is lane
            ],
        }
        for number, lane in enumerate(busy)
    ]


def _spans(outages: Sequence[Outage], strike_s: float, scale: Scale) -> list[tuple[float, float]]:
    found = []
    for outage in outages:
        left = scale.x(outage.from_s - strike_s)
        right = scale.x(scale.to_s if outage.to_s is None else outage.to_s - strike_s)
        found.append((left, right - left))
    return found


def _availability(recording: Recording, strike_s: float, scale: Scale) -> dict[str, Any]:
    """Return the accepted and failed writes per time bucket, as bars."""
    good: Counter[int] = Counter()
    bad: Counter[int] = Counter()
    for write in recording.of(WriteEntry):
        bucket = int((write.at_s - strike_s) // BUCKET_S)
        (good if write.status in ACKNOWLEDGED else bad)[bucket] += 1
    most = max([*good.values(), *bad.values(), 1])
    height = (TALL - 20) / 2
    wide = max(1.0, scale.x(BUCKET_S) - scale.x(0.0) - 0.5)

    def bars(counts: Counter[int], *, up: bool) -> list[dict[str, float]]:
        return [
            {
                "x": scale.x(bucket * BUCKET_S),
                "y": round(height * (1 - count / most) if up else height, 1),
                "height": round(height * count / most, 1),
                "width": round(wide, 1),
            }
            for bucket, count in sorted(counts.items())
            if bucket * BUCKET_S >= scale.from_s
        ]

    return {"good": bars(good, up=True), "bad": bars(bad, up=False), "most": most, "half": height}


def _lag(recording: Recording, strike_s: float, scale: Scale) -> dict[str, Any]:
    """Return the replication lag as line segments, with gaps where it was unknown."""
    samples = [
        sample for sample in recording.of(SampleEntry) if sample.at_s - strike_s >= scale.from_s
    ]
    known = [float(sample.lag_s) for sample in samples if sample.lag_s is not None]
    most = max([*known, 1.0])
    pieces: list[str] = []
    points: list[str] = []
    for sample in [*samples, None]:
        if sample is None or sample.lag_s is None:
            pieces += [" ".join(points)] if points else []
            points = []
            continue
        y = round((TALL - 20) * (1 - float(sample.lag_s) / most), 1)
        points.append(f"{scale.x(sample.at_s - strike_s)},{y}")
    return {"pieces": pieces, "most": most}


def _looks(recording: Recording, strike_s: float) -> list[tuple[float, TickEntry]]:
    """Return every observation whose phase or reason changed."""
    found: list[tuple[float, TickEntry]] = []
    for look in recording.of(TickEntry):
        last = found[-1][1] if found else None
        if last is None or (last.phase, last.reason) != (look.phase, look.reason):
            found.append((round(look.at_s - strike_s, 1), look))
    return found
