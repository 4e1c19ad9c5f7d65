"""Compliance controls that the findings touch, by framework."""

from typing import Any

from otherside.check.catalogue import catalogue
from otherside.check.report.findings_document import FindingsDocument

FRAMEWORKS = ("SOC 2", "PCI DSS", "HIPAA", "NIST")


def compliance(document: FindingsDocument) -> dict[str, dict[str, Any]]:
    """Return each framework's controls, with the rules that touch them and their findings.

    A control without findings is not necessarily met: it only means that these rules found nothing
    against it.
    """
    found: dict[str, dict[str, Any]] = {framework: {} for framework in FRAMEWORKS}
    failed = {finding["code"] for finding in document["findings"]}
    unsure = {item["code"] for item in document["unknown"]}
    for rule in catalogue():
        for control in rule.controls:
            framework = next(framework for framework in FRAMEWORKS if control.startswith(framework))
            number = control.removeprefix(framework).strip()
            entry = found[framework].setdefault(
                number, {"rules": [], "findings": [], "unknown": []}
            )
            entry["rules"].append(rule.code)
            if rule.code in failed:
                entry["findings"].append(rule.code)
            elif rule.code in unsure:
                entry["unknown"].append(rule.code)
    return {name: dict(sorted(controls.items())) for name, controls in found.items()}


def as_table(document: FindingsDocument) -> str:
    """Return the controls as readable text, one line each."""
    lines = []
    for framework, controls in compliance(document).items():
        lines += ["", framework]
        for number, entry in controls.items():
            if entry["findings"]:
                state = f"findings of {', '.join(entry['findings'])}"
            elif entry["unknown"]:
                state = f"not told by {', '.join(entry['unknown'])}"
            else:
                state = f"nothing found by {len(entry['rules'])} rules"
            lines.append(f"  {number:<20} {state}")
    lines += [
        "",
        "A control is not met because nothing was found: these rules look at recovery only.",
    ]
    return "\n".join(lines).lstrip("\n")
