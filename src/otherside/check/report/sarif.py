"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from pathlib import Path
from typing import Any

from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import FindingsDocument
from otherside.check.rule import Rule
from otherside.version import __version__

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning"}
_SECURITY = {"critical": "9.0", "high": "7.0", "medium": "5.0"}


def as_sarif(document: FindingsDocument) -> dict[str, Any]:
    """Return a log of one run, with suppressed findings marked as suppressed."""
    rules = list(catalogue())
    index = {rule.code: at for at, rule in enumerate(rules)}
    results = [_result(finding, index) for finding in document["findings"]]
    results += [_excused(item, index) for item in document["suppressed"]]
    results += [
        {**_result(item, index), "baselineState": "unchanged"} for item in document["baselined"]
    ]
    driver = {
        "name": "otherside",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }
    notes = [
        {"level": "error", "message": {"text": problem}} for problem in document["problems"]
    ] + [
        {
            "level": "note",
            "message": {"text": f"{finding['code']} {finding['resource']}: {finding['reason']}"},
        }
        for finding in document["unknown"]
    ]
    invocation = {
        "executionSuccessful": not document["problems"],
        "toolExecutionNotifications": notes,
    }
    run = {"tool": {"driver": driver}, "results": results, "invocations": [invocation]}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.section("Why")},
        "help": {"text": rule.section("Fix"), "markdown": rule.page},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["disaster-recovery", rule.step.value, *rule.controls],
            "precision": "high",
            "security-severity": _SECURITY[rule.severity],
        },
    }


def _excused(finding: FindingsDocument, index: dict[str, int]) -> dict[str, Any]:
    excuse = {"kind": "inSource", "justification": finding["reason"]}
    return {**_result(finding, index), "suppressions": [excuse]}


def _result(finding: FindingsDocument, index: dict[str, int]) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": finding["resource"], "kind": "resource"}]
    }
    if finding["file"]:
        physical: dict[str, Any] = {"artifactLocation": {"uri": Path(finding["file"]).as_posix()}}
        physical["region"] = {"startLine": finding["line"] or 1}
        location["physicalLocation"] = physical
    return {
        "ruleId": finding["code"],
        "ruleIndex": index[finding["code"]],
        "level": _LEVELS[finding["severity"]],
        "message": {"text": f"{finding['resource']}: {finding['message']}. {finding['why']}"},
        "locations": [location],
        "partialFingerprints": {"otherside/v1": finding["fingerprint"]},
    }
