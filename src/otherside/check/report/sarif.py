"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from pathlib import Path
from typing import Any

from otherside import __version__
from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import FindingsDocument
from otherside.check.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning"}
_SECURITY = {"critical": "9.0", "high": "7.0", "medium": "5.0"}


def as_sarif(document: FindingsDocument) -> dict[str, Any]:
    """Return a log of one run; what is suppressed is in it as suppressed."""
    rules = list(catalogue())
    index = {one.code: at for at, one in enumerate(rules)}
    results = [_result(one, index) for one in document["findings"]]
    results += [_excused(one, index) for one in document["suppressed"]]
    results += [
        {**_result(one, index), "baselineState": "unchanged"} for one in document["baselined"]
    ]
    driver = {
        "name": "otherside",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(one) for one in rules],
    }
    notes = [
        {"level": "error", "message": {"text": problem}} for problem in document["problems"]
    ] + [
        {
            "level": "note",
            "message": {"text": f"{one['code']} {one['resource']}: {one['reason']}"},
        }
        for one in document["unknown"]
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


def _excused(one: FindingsDocument, index: dict[str, int]) -> dict[str, Any]:
    excuse = {"kind": "inSource", "justification": one["reason"]}
    return {**_result(one, index), "suppressions": [excuse]}


def _result(one: FindingsDocument, index: dict[str, int]) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": one["resource"], "kind": "resource"}]
    }
    if one["file"]:
        physical: dict[str, Any] = {"artifactLocation": {"uri": Path(one["file"]).as_posix()}}
        physical["region"] = {"startLine": one["line"] or 1}
        location["physicalLocation"] = physical
    return {
        "ruleId": one["code"],
        "ruleIndex": index[one["code"]],
        "level": _LEVELS[one["severity"]],
        "message": {"text": f"{one['resource']}: {one['message']}. {one['why']}"},
        "locations": [location],
        "partialFingerprints": {"otherside/v1": one["fingerprint"]},
    }
