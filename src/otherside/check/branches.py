"""Combine what a rule finds where a condition holds with what it finds where it does not.

A condition that is known only at deployment chooses between two values, or whether a resource is
deployed at all. What is wrong either way is a finding, what is right either way is none, and the
rest cannot be told. Each condition is taken by itself, and an answer that one of them leaves open
stays open whatever the others say.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from otherside.check.check_result import CheckResult, Finding, Inconclusive
from otherside.check.rule import Rule


class Branch:
    """What a rule finds where a condition holds, or where it does not."""

    def __init__(self, result: CheckResult, resources: frozenset[str] = frozenset()) -> None:
        """Index what was found; `resources` are the names of those that are deployed there."""
        self.resources, self.heeded = resources, result.heeded
        self.found: dict[str, list[Finding]] = defaultdict(list)
        self.unsure: dict[str, list[Inconclusive]] = defaultdict(list)
        for finding in result.findings:
            self.found[finding.resource].append(finding)
        for item in result.unsure:
            self.unsure[item.resource].append(item)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a condition makes of one resource."""

    findings: list[Finding] = field(default_factory=list)
    unsure: list[Inconclusive] = field(default_factory=list)


Answers = dict[str, Answer]
"""By resource; of one that is not in it, the condition changes nothing."""


def answers_of(
    rule: Rule, condition: str, plain: CheckResult, holds: Branch, fails: Branch
) -> Answers:
    """Return what is said otherwise of a resource once a condition was taken both ways."""
    before = Branch(plain)
    names = dict.fromkeys((*before.found, *before.unsure, *holds.found, *fails.found))
    found = {}
    for name in names:
        answer = _answer(rule, condition, name, before, holds, fails)
        same = Answer(before.found.get(name, []), before.unsure.get(name, []))
        if answer is not None and _said(answer) != _said(same):
            found[name] = answer
    return found


def _said(answer: Answer) -> tuple[list[str], list[str]]:
    """Return what is compared of an answer: its words."""
    findings = sorted(finding.message for finding in answer.findings)
    return findings, sorted(item.reason for item in answer.unsure)


def _answer(
    rule: Rule, condition: str, name: str, before: Branch, holds: Branch, fails: Branch
) -> Answer | None:
    there, elsewhere = name in holds.resources, name in fails.resources
    if there is not elsewhere:  # nothing is wrong with it where it is not deployed
        only = holds if there else fails
        return Answer(only.found.get(name, []), only.unsure.get(name, []))
    held, failed = holds.found.get(name, []), fails.found.get(name, [])
    known = before.found.get(name, [])
    shared = {finding.message for finding in held} & {finding.message for finding in failed}
    rest = [finding for finding in (*held, *failed) if finding.message not in shared]
    text = condition.rpartition("#")[2]
    opened = [
        Inconclusive(
            rule=rule,
            resource=name,
            reason=f"{finding.message}, where {text} "
            f"{'holds' if finding in held else 'does not hold'}",
        )
        for finding in rest
    ]
    if holds.unsure.get(name) or fails.unsure.get(name):
        return Answer(known, opened) if opened and not before.unsure.get(name) else None
    if held and failed and not shared:
        told = " or ".join(dict.fromkeys(finding.message for finding in rest))
        return Answer([replace(held[0], message=told)])
    return Answer([finding for finding in held if finding.message in shared], opened)


def corrected(plain: CheckResult, answers: Iterable[Answers]) -> CheckResult:
    """Return what a rule finds, once every condition was taken both ways.

    What one condition leaves open is open; else, what one shows to be wrong either way is found.
    """
    listed = list(answers)
    changed = {name for each in listed for name in each}
    result = replace(
        plain,
        findings=[item for item in plain.findings if item.resource not in changed],
        unsure=[item for item in plain.unsure if item.resource not in changed],
    )
    for name in dict.fromkeys(name for each in listed for name in each):
        said = [each[name] for each in listed if name in each]
        open_ = {item.reason: item for answer in said for item in answer.unsure}
        found = [answer.findings for answer in said]
        if open_:
            result.unsure += open_.values()
            common = [item for item in found[0] if all(item in other for other in found)]
            result.findings += common
        else:
            most = max(len(each) for each in found)
            result.findings += next(each for each in found if len(each) == most)
    return result
