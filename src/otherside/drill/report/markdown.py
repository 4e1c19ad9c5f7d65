"""A drill result as Markdown, for a ticket, a wiki or an auditor."""

import html
import re
from collections.abc import Iterator

from otherside.drill.report.words import loss, span
from otherside.drill.result import DrillResult

_MARKUP = re.compile(r"[\\`*_\[\]|~!#]")


def markdown(result: DrillResult) -> str:
    """Return a result as Markdown."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: DrillResult) -> Iterator[str]:
    head, measures = result.recording.head, result.measures
    yield f"# {result.verdict.upper()}: {_cell(head.scenario)}\n"
    yield f"{_cell(f'{head.title} {head.expects}')}\n"
    if result.instrument.advice:
        yield f"**The instrument did not keep time:** {_cell(result.instrument.advice)}.\n"
    yield "| | measured | objective |"
    yield "|---|---|---|"
    yield f"| RTO, writes | {span(measures.rto_write_s)} | {span(head.rto_s)} |"
    yield f"| RTO, reads | {span(measures.rto_read_s)} | {span(head.rto_s)} |"
    yield f"| RPO | {span(measures.rpo_s)} | {span(head.rpo_s)} |"
    yield f"| acknowledged writes lost | {loss(measures)} | |"
    if result.recovery:
        yield "\n## Where the RTO for writes went\n"
        yield "| part | measured | planned |"
        yield "|---|---:|---:|"
        for part in result.recovery:
            yield f"| {part.name} | {part.seconds:.0f} s | {part.planned_s:.0f} s |"
    yield "\n## Claims\n"
    yield "| verdict | claim | reason |"
    yield "|---|---|---|"
    for item in result.found:
        yield f"| {item.verdict} | {_cell(item.claim)} | {_cell(item.reason)} |"
    yield "\n## Timeline\n"
    yield "| twin seconds | component | event |"
    yield "|---:|---|---|"
    strike_s = result.recording.strike_s or result.recording.now_s
    for line in result.lines:
        yield f"| {line.at_s - strike_s:+.1f} | {_cell(line.lane)} | {_cell(line.text)} |"
    yield "\n## Test conditions\n"
    yield f"- Stack {_cell(head.place)}, digest `{head.digest[:12]}`; Regions {_regions(result)}."
    yield (
        f"- Speed: one machine second was {result.recording.speed_text} twin seconds."
        f" {head.clients} clients, seed {head.seed}, started {head.started_at}."
    )
    versions = ", ".join(f"{name} {version}" for name, version in head.versions.items())
    yield f"- {_cell(versions)}."
    if head.modelled:
        yield "- **Modelled, not measured**, because the drill did not run on AWS:"
    for model in head.modelled:
        yield f"  - {model['what']}: {model['seconds']:g} s. {model['source']}."


def _regions(result: DrillResult) -> str:
    regions = result.recording.head.regions
    return ", ".join(f"{region} ({side})" for side, region in regions.items())


def _cell(text: str) -> str:
    """Return text that stays text, in one line, whatever a function or an application said."""
    return _MARKUP.sub(r"\\\g<0>", html.escape(" ".join(text.split()), quote=False))
