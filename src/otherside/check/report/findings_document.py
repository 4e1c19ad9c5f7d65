"""The findings document: `--format json` writes it, and all other formats are derived from it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from otherside.check.analysis.sides import pair_of
from otherside.check.baseline import fingerprint
from otherside.check.check_result import CheckResult, Finding
from otherside.check.model.graph import Graph
from otherside.check.readers.read import ReadResult
from otherside.check.rule import Rule, Severity
from otherside.check.summary import Summary

SCHEMA_VERSION = 1
UNREAD = "unread"
"""Takes the place of a rule's code for inputs that no rule could check."""
FindingsDocument = dict[str, Any]


def as_document(
    read: ReadResult,
    result: CheckResult,
    summaries: Sequence[Summary | None],
    known: Iterable[Finding],
) -> FindingsDocument:
    """Return the complete result of a check.

    Args:
        read: What was read.
        result: What was found in all systems.
        summaries: What a recovery of each system could do; `None` for one of a single Region.
        known: Findings that are in the baseline.
    """
    baselined = list(known)
    findings = _by_cause(result.findings)
    document: FindingsDocument = {
        "schema_version": SCHEMA_VERSION,
        "findings": findings,
        "unknown": [
            *({"code": UNREAD, "resource": file, "reason": why} for file, why in read.unread),
            *(
                {"code": link.rule.code, "resource": link.resource, "reason": link.reason}
                for link in result.unsure
            ),
        ],
        "suppressed": [
            {**_finding(item.finding), "reason": item.reason} for item in result.excused
        ],
        "baselined": [_finding(finding) for finding in baselined],
        "skipped": [
            *({"file": file, "reason": reason} for file, reason in read.skipped),
            *({"file": where, "reason": _stale(code)} for where, code in result.stale),
        ],
        "problems": [*(str(problem) for problem in read.problems), *result.problems],
        "summary": {
            "files": len(read.files),
            "resources": len(read.graph.resources),
            "regions": read.graph.regions,
            "dialects": sorted({item.dialect for item in read.graph.resources.values()} - {""}),
            "pair": _pair(read.graph) if len(read.systems) == 1 else None,
            "rules": result.asked,
            **{severity.value: _count(findings, severity) for severity in Severity},
            "unknown": len(result.unsure) + len(read.unread),
            "unread": len(read.unread),
            "suppressed": len(result.excused),
            "baselined": len(baselined),
            "recovery": _recovery(summaries[0]) if len(summaries) == 1 else None,
        },
        "systems": [
            {
                "name": system.name,
                "roots": list(system.roots),
                "resources": len(system.graph.resources),
                "regions": system.graph.regions,
                "pair": _pair(system.graph),
                "findings": sum(1 for item in findings if item["system"] == system.name),
                "recovery": _recovery(summary),
            }
            for system, summary in zip(read.systems, summaries, strict=True)
        ],
    }
    shown: FindingsDocument = printable(document)
    return shown


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(value: Any) -> Any:  # noqa: ANN401 - any part of a document
    """Return part of a document with control characters and lone surrogates escaped.

    Names come from the stack's author: a line break in one must not start a new log line, and an
    escape sequence must not colour a terminal.
    """
    if isinstance(value, str):
        return _CONTROL.sub(lambda item: item[0].encode("unicode_escape").decode(), value)
    if isinstance(value, dict):
        return {key: printable(item) for key, item in value.items()}
    return [printable(item) for item in value] if isinstance(value, list) else value


def _pair(graph: Graph) -> dict[str, str] | None:
    pair = pair_of(graph)
    return {"primary": pair.primary, "standby": pair.standby} if pair is not None else None


def _count(findings: list[FindingsDocument], severity: Severity) -> int:
    return sum(1 for finding in findings if finding["severity"] == severity.value)


def _recovery(summary: Summary | None) -> dict[str, Any] | None:
    if summary is None:
        return None
    steps = {step.step.value: {"able": step.able, "by": step.by} for step in summary.steps}
    return {"steps": steps, "rto_at_best": summary.rto, "rpo_at_best": summary.rpo}


_CALL = re.compile(r"module\.[\w-]+(?:\[[^\]]*\])?\.?")
_INSTANCE = re.compile(r"\[[^\]]*\]$")


def _by_cause(findings: list[Finding]) -> list[FindingsDocument]:
    """Return the findings, those that one block of source causes as one with the others in `also`.

    A module that is called thirty times, or a block with `count`, is mended in one place.
    """
    causes: dict[object, FindingsDocument] = {}
    for finding in findings:
        place = finding.place
        block = _INSTANCE.sub("", _CALL.sub("", finding.resource))
        said = _CALL.sub("", finding.message)
        alone = (finding.rule.code, finding.resource, finding.message, len(causes))
        cause = (finding.rule.code, place.file, place.line, block, said) if place.line else alone
        if cause in causes:
            other = {
                "resource": finding.resource,
                "region": finding.region,
                "system": finding.system,
            }
            causes[cause]["also"].append({**other, "fingerprint": fingerprint(finding)})
        else:
            causes[cause] = {**_finding(finding), "also": []}
    return list(causes.values())


def _finding(finding: Finding) -> FindingsDocument:
    return {
        "code": finding.rule.code,
        "name": finding.rule.name,
        "severity": finding.severity.value,
        "resource": finding.resource,
        "type": finding.type,
        "system": finding.system,
        "region": finding.region,
        "file": finding.place.file,
        "line": finding.place.line,
        "message": finding.message,
        "why": finding.rule.why,
        "fix": finding.rule.fix,
        "url": finding.rule.url,
        "fingerprint": fingerprint(finding),
    }


def rule_document(rule: Rule) -> FindingsDocument:
    """Return one rule's page in machine-readable form."""
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "step": rule.step.value,
        "title": rule.title,
        "why": rule.section("Why"),
        "fix": rule.section("Fix"),
        "impact": rule.section("Impact"),
        "see": [line.removeprefix("- ") for line in rule.section("See").splitlines()],
        "controls": list(rule.controls),
        "url": rule.url,
    }


def _stale(code: str) -> str:
    return f"the suppression of {code} suppresses nothing any more: take it out"
