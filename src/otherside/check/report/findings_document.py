"""The document of a check: what `--format json` writes, and all other formats are made of."""

import re
from collections.abc import Iterable
from typing import Any

from otherside.check.analysis.sides import pair_of
from otherside.check.baseline import fingerprint
from otherside.check.engine import CheckResult, Finding
from otherside.check.readers.read import ReadResult
from otherside.check.rule import Rule, Severity
from otherside.check.summary import Summary

SCHEMA_VERSION = 1
UNREAD = "unread"
"""Stands where a rule's code would, for what no rule could look at."""
FindingsDocument = dict[str, Any]


def as_document(
    read: ReadResult, result: CheckResult, summary: Summary | None, known: Iterable[Finding]
) -> FindingsDocument:
    """Return everything that a check has to say."""
    baselined = list(known)
    document: FindingsDocument = {
        "schema_version": SCHEMA_VERSION,
        "findings": [_finding(one) for one in result.findings],
        "unknown": [
            *({"code": UNREAD, "resource": file, "reason": why} for file, why in read.unread),
            *(
                {"code": one.rule.code, "resource": one.resource, "reason": one.reason}
                for one in result.unsure
            ),
        ],
        "suppressed": [{**_finding(one.finding), "reason": one.reason} for one in result.excused],
        "baselined": [_finding(one) for one in baselined],
        "skipped": [{"file": file, "reason": reason} for file, reason in read.skipped],
        "problems": [*(str(one) for one in read.problems), *result.problems],
        "summary": {
            "files": len(read.files),
            "resources": len(read.graph.resources),
            "regions": read.graph.regions,
            "pair": _pair(read),
            "rules": result.asked,
            **{one.value: _count(result, one) for one in Severity},
            "unknown": len(result.unsure) + len(read.unread),
            "unread": len(read.unread),
            "suppressed": len(result.excused),
            "baselined": len(baselined),
            "recovery": _recovery(summary),
        },
    }
    shown: FindingsDocument = printable(document)
    return shown


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(value: Any) -> Any:  # noqa: ANN401 - any part of a document
    """Return a part of a document with what a terminal would obey, or no file can hold, spelt out.

    Names come from whoever wrote the stack: a line break in one must not begin a line of a log, nor
    an escape colour a terminal.
    """
    if isinstance(value, str):
        return _CONTROL.sub(lambda one: one[0].encode("unicode_escape").decode(), value)
    if isinstance(value, dict):
        return {key: printable(one) for key, one in value.items()}
    return [printable(one) for one in value] if isinstance(value, list) else value


def _pair(read: ReadResult) -> dict[str, str] | None:
    pair = pair_of(read.graph)
    return {"primary": pair.primary, "standby": pair.standby} if pair is not None else None


def _count(result: CheckResult, severity: Severity) -> int:
    return sum(1 for one in result.findings if one.severity is severity)


def _recovery(summary: Summary | None) -> dict[str, Any] | None:
    if summary is None:
        return None
    steps = {one.step.value: {"able": one.able, "by": one.by} for one in summary.steps}
    return {"steps": steps, "rto_at_best": summary.rto, "rpo_at_best": summary.rpo}


def _finding(one: Finding) -> FindingsDocument:
    return {
        "code": one.rule.code,
        "name": one.rule.name,
        "severity": one.severity.value,
        "resource": one.resource,
        "type": one.type,
        "region": one.region,
        "file": one.place.file,
        "line": one.place.line,
        "message": one.message,
        "why": one.rule.why,
        "fix": one.rule.fix,
        "url": one.rule.url,
        "fingerprint": fingerprint(one),
    }


def rule_document(rule: Rule) -> FindingsDocument:
    """Return one rule's page for machines."""
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "step": rule.step.value,
        "title": rule.title,
        "why": rule.section("Why"),
        "fix": rule.section("Fix"),
        "impact": rule.section("Impact"),
        "see": [one.removeprefix("- ") for one in rule.section("See").splitlines()],
        "controls": list(rule.controls),
        "url": rule.url,
    }
