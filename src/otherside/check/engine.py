"""Run the rules on a graph and collect findings, unknowns and suppressed findings."""

import fnmatch
import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from otherside.check.branches import Branch, answers_of, corrected
from otherside.check.catalogue import catalogue
from otherside.check.check_result import CheckResult, Finding, Inconclusive, Suppressed
from otherside.check.model.graph import GLOBAL, Graph, Place, Resource
from otherside.check.model.values import Unresolved
from otherside.check.parallel import in_parallel
from otherside.check.rule import REGION, SYSTEM, Rule, RuleHit, Severity

SINGLE = "DR400"
"""What a single-Region system is told of the other side; nothing else there is asked about it."""
EDGE = "us-east-1"
_EDGE = re.compile(r"wafv?2|acm|certificatemanager|cloudfront|route_?53", re.IGNORECASE)
SHARED_MIN = 10_000
"""How many resources are worth a second process."""
_CONDITIONS_MAX = 8
"""How many conditions of a system are taken both ways: for each, every rule is asked twice."""
FAILED = "the rule failed on a value that it did not expect"
"""Prefix of an unknown's reason when a rule fails: a bug of ours, or a value of a wrong type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A suppression in the configuration: a rule, a resource pattern and a reason."""

    code: str
    resource: str
    """The resource's name, with `*` as a wildcard."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """Which rules run, and which findings are suppressed."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    suppress: tuple[Suppression, ...] = ()
    single_region_ok: bool = False

    def asks(self, rule: Rule) -> bool:
        """Return whether a rule runs: it is selected, or nothing is, and it is not ignored."""
        wanted = not self.select or any(_names(rule, item) for item in self.select)
        return wanted and not any(_names(rule, item) for item in self.ignore)


def _names(rule: Rule, text: str) -> bool:
    """Return whether a text names a rule by its code, code prefix, name or step."""
    upper = text.upper()
    return rule.code.startswith(upper) or text in {*rule.known_as, rule.step.value}


def check(graph: Graph, config: CheckConfig, system: str = "") -> CheckResult:
    """Run the rules on one system and return the result, with the worst finding first."""
    result = CheckResult(system=system)
    single = is_single(graph)
    rules = [
        rule
        for rule in catalogue()
        if config.asks(rule)
        and not (single and (rule.pair or (rule.alone and config.single_region_ok)))
    ]
    asked = {name for rule in rules for name in rule.known_as}
    result.asked = len(rules)
    to_ask = [rule for rule in rules if single or not rule.alone]
    ask = partial(_ask_all, graph=graph, config=config, system=system)
    for part in _answers(to_ask, ask, graph):
        result.take(part)
    result.problems.extend(_wrong_suppressions(graph, config))
    result.stale.extend(_stale_suppressions(graph, config, asked, result.heeded))
    result.order()
    return result


def _answers(
    rules: list[Rule], ask: Callable[[Iterable[Rule]], CheckResult], graph: Graph
) -> list[CheckResult]:
    """Return what rules find, by one process or, in a large graph, by several."""
    if len(graph.resources) < SHARED_MIN:
        return [ask(rules)]
    return in_parallel(rules, ask, pickler=_Pickler, unpickler=_Unpickler)


def _ask_all(
    rules: Iterable[Rule], *, graph: Graph, config: CheckConfig, system: str
) -> CheckResult:
    result = CheckResult(system=system)
    for rule in rules:
        found = _asked(rule, graph, config, system)
        if graph.conditions:
            found = _either_way(rule, graph, config, found)
        result.take(found)
    return result


def _either_way(rule: Rule, graph: Graph, config: CheckConfig, plain: CheckResult) -> CheckResult:
    """Return what a rule finds once it was asked where each condition holds and where not."""
    answers = []
    for condition in graph.conditions[:_CONDITIONS_MAX]:
        branches = []
        for holds in (True, False):
            there = graph.where(condition, holds=holds)
            if rule.pair and is_single(there):
                break  # nothing that is about two Regions can be asked there
            found = _asked(rule, there, config, plain.system)
            branches.append(
                Branch(found, frozenset(item.name for item in there.resources.values()))
            )
            plain.heeded |= found.heeded
        if len(branches) > 1:
            answers.append(answers_of(rule, condition, plain, *branches))
    return corrected(plain, answers)


class _Pickler(pickle.Pickler):
    """Sends a rule by its code: every process has the same rules."""

    def persistent_id(self, item: object) -> str | None:
        return item.code if isinstance(item, Rule) else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, code: str) -> Rule:
        return next(rule for rule in catalogue() if rule.code == code)


def is_single(graph: Graph) -> bool:
    """Return whether every resource is known to be in one Region.

    Resources that CloudFront and Route 53 need in us-east-1 do not count as a second Region.
    """
    edge = [resource for resource in graph.resources.values() if resource.region == EDGE]
    regions = set(graph.regions)
    if edge and all(_at_edge(resource) for resource in edge):
        regions.discard(EDGE)
    return len(regions) <= 1 and not any(
        item.kind not in {"provider", "backend", "module.call"}
        and not item.kind.startswith("data.")
        for item in graph.unplaced()
    )


def _at_edge(resource: Resource) -> bool:
    watches = resource.kind == "cloudwatch.alarm" and resource["namespace"] in {
        "AWS/Route53",
        "AWS/CloudFront",
    }
    kinds = {"acm.certificate", "provider", "backend", "sns.topic", "sns.topic_policy"}
    return watches or resource.kind in kinds or bool(_EDGE.search(resource.type))


def _subjects(rule: Rule, graph: Graph) -> Iterator[Resource]:
    for kind in rule.on:
        if kind == SYSTEM:
            yield _pseudo(SYSTEM, "the system", GLOBAL)
        elif kind == REGION:
            for region in graph.regions:
                yield _pseudo(REGION, region, region)
        else:
            yield from graph.of(kind)


def _pseudo(kind: str, name: str, region: str) -> Resource:
    return Resource(
        id=f"{kind}:{name}",
        name=name,
        kind=kind,
        type=kind,
        region=region,
        place=Place(""),
        dialect="",
    )


def _asked(rule: Rule, graph: Graph, config: CheckConfig, system: str) -> CheckResult:
    result = CheckResult(system=system)
    for subject in _subjects(rule, graph):
        try:
            for found in rule.check(graph, subject):
                hit = found if isinstance(found, RuleHit) else RuleHit(subject, found)
                _found(rule, graph, hit, config, result)
        except Unresolved as undecided:
            _unsure(rule, subject, str(undecided), config, result)
        except Exception as error:  # noqa: BLE001 - a bug in one rule must not hide other findings
            reason = f"{FAILED} ({type(error).__name__}: {error})"
            _unsure(rule, subject, reason, config, result)
    return result


def _found(
    rule: Rule, graph: Graph, hit: RuleHit, config: CheckConfig, result: CheckResult
) -> None:
    finding = Finding(
        rule=rule,
        resource=hit.resource.name,
        region=hit.resource.region or "unknown",
        place=hit.resource.place,
        message=hit.message,
        type=hit.resource.type,
        severity=config.severity.get(rule.code, rule.severity),
        system=result.system,
    )
    reason = _excuse(rule, hit.resource, config, result)
    missing = rule.lacking and not hit.present
    if missing and (unread := graph.facts.get("unread")):
        why = f"{hit.message}, unless it is in what was not read: {unread}"
        _unsure(rule, hit.resource, why, config, result)
    elif reason:
        result.excused.append(Suppressed(finding=finding, reason=reason))
    else:
        result.findings.append(finding)


def _unsure(
    rule: Rule, subject: Resource, reason: str, config: CheckConfig, result: CheckResult
) -> None:
    if not _excuse(rule, subject, config, result):
        result.unsure.append(Inconclusive(rule=rule, resource=subject.name, reason=reason))


def _excuse(rule: Rule, resource: Resource, config: CheckConfig, result: CheckResult) -> str:
    """Return why a rule is suppressed for a resource, if it is, and note which suppression did."""
    for key in rule.known_as:
        if resource.suppressed.get(key):
            result.heeded.add((resource.name, key))
            return resource.suppressed[key]
    for suppression in config.suppress:
        if suppression.code in rule.known_as and fnmatch.fnmatchcase(
            resource.name, suppression.resource
        ):
            result.heeded.add((suppression.resource, suppression.code))
            return suppression.reason
    return ""


def _stale_suppressions(
    graph: Graph, config: CheckConfig, asked: set[str], heeded: set[tuple[str, str]]
) -> Iterable[tuple[str, str]]:
    """Yield the suppressions of rules that ran and that had nothing to suppress.

    A pattern that no resource matches is left alone: it may be for other inputs.
    """
    given = {
        (resource.name, code): None
        for resource in graph.resources.values()
        for code, reason in resource.suppressed.items()
        if reason.strip()
    }
    given |= {
        (item.resource, item.code): None
        for item in config.suppress
        if any(fnmatch.fnmatchcase(each.name, item.resource) for each in graph.resources.values())
    }
    for where, code in given:
        if code in asked and (where, code) not in heeded:
            yield where, code


def _wrong_suppressions(graph: Graph, config: CheckConfig) -> Iterable[str]:
    known = {key for rule in catalogue() for key in rule.known_as}
    for resource in graph.resources.values():
        for code, reason in resource.suppressed.items():
            if not reason.strip():
                yield f"{resource.name}: {code} is suppressed without a reason, so it is not"
            elif code not in known:
                yield f"{resource.name}: there is no rule {code} to suppress"
    for suppression in config.suppress:
        if suppression.code not in known:
            yield f"configuration: there is no rule {suppression.code} to suppress"
