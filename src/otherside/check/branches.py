"""Combine what a rule finds where a condition holds with what it finds where it does not.

A condition that is known only at deployment chooses between two values, or whether a resource is
deployed at all. What is wrong either way is a finding, what is right either way is none, and the
rest cannot be told.
"""

from dataclasses import dataclass, replace

from otherside.check.check_result import CheckResult, Finding, Inconclusive
from otherside.check.rule import Rule


@dataclass(frozen=True, slots=True)
class Branch:
    """What a rule finds where a condition holds, or where it does not."""

    result: CheckResult
    resources: frozenset[str]
    """The names of the resources that are deployed there."""

    def found(self, resource: str) -> list[Finding]:
        """Return what it finds in a resource."""
        return [finding for finding in self.result.findings if finding.resource == resource]

    def unsure(self, resource: str) -> bool:
        """Return whether it cannot tell."""
        return any(item.resource == resource for item in self.result.unsure)


def by_branches(
    rule: Rule, condition: str, plain: CheckResult, holds: Branch, fails: Branch
) -> CheckResult:
    """Return what a rule finds without knowing a condition, corrected by both of its outcomes."""
    both = CheckResult(system=plain.system, excused=plain.excused, heeded=plain.heeded)
    both.heeded |= holds.result.heeded | fails.result.heeded
    found = (*plain.findings, *holds.result.findings, *fails.result.findings)
    names = [finding.resource for finding in found] + [item.resource for item in plain.unsure]
    for name in dict.fromkeys(names):
        before = Branch(plain, frozenset())
        findings = _findings(name, before, holds, fails)
        both.findings += findings
        undecided = [item for item in plain.unsure if item.resource == name]
        if findings:
            continue
        somewhere = holds.found(name) or fails.found(name)
        if somewhere:
            text = condition.rpartition("#")[2]
            where = f"{text} {'holds' if holds.found(name) else 'does not hold'}"
            reason = f"{somewhere[0].message}, where {where}"
            both.unsure.append(Inconclusive(rule=rule, resource=name, reason=reason))
        elif holds.unsure(name) or fails.unsure(name):
            both.unsure += undecided
    return both


def _findings(name: str, plain: Branch, holds: Branch, fails: Branch) -> list[Finding]:
    """Return what is wrong in a resource either way, or wherever it is deployed."""
    held, failed = holds.found(name), fails.found(name)
    if held and failed:
        shared = {finding.message for finding in held} & {finding.message for finding in failed}
        same = [finding for finding in held if finding.message in shared]
        rest = [item.message for item in (*held, *failed) if item.message not in shared]
        return [*same, *([replace(held[0], message=" or ".join(rest))] if rest else [])]
    known = holds.unsure(name) or fails.unsure(name)
    deployed_once = (name in holds.resources) is not (name in fails.resources)
    if known or ((held or failed) and deployed_once):
        return plain.found(name)
    return []
