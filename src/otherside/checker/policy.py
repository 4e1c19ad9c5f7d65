"""The catalogue as a Pulumi policy pack: the same rules inside `pulumi preview` and `pulumi up`.

Needs `pip install 'otherside[policy]'`. A pack is a directory with a `PulumiPolicy.yaml` and two
lines of Python; `examples/policy-pack` is one.
"""

from collections.abc import Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from otherside.checker.catalogue import catalogue
from otherside.checker.engine import Config, Finding, check
from otherside.checker.graph import Graph
from otherside.checker.load.pulumi import UNKNOWN, Stack
from otherside.checker.load.read import settle_regions
from otherside.checker.rule import Rule

NAME = "otherside"
_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
}


def pack(
    *,
    name: str = NAME,
    enforcement_level: EnforcementLevel = EnforcementLevel.ADVISORY,
    config: Config | None = None,
) -> PolicyPack:
    """Serve the catalogue as a policy pack, one policy a rule; each is off, advisory or mandatory.

    What is known only after the deployment is not judged in a preview: a later `up` judges it.
    """
    return PolicyPack(name, list(policies(config or Config())), enforcement_level)


def policies(config: Config) -> list[StackValidationPolicy]:
    """Return one policy a rule; the stack is read once for all of them."""
    asked = _Asked(config)
    return [
        StackValidationPolicy(
            name=one.name,
            description=f"{one.code} {one.title} {one.why} {one.fix}",
            validate=asked.validation(one),
            display_name=f"{one.code} {one.name}",
            severity=_SEVERITIES[one.severity.value],
            tags=["disaster-recovery", one.step.value],
            remediation_steps=one.section("Fix"),
            url=one.url,
        )
        for one in catalogue()
        if config.asks(one)
    ]


class _Asked:
    """Reads a stack once, and hands each policy what its rule has found."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._read: tuple[list[str], dict[str, list[Finding]]] = ([], {})

    def validation(self, rule: Rule) -> Any:  # noqa: ANN401 - the SDK's own callable
        """Return what a policy calls with the stack."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            for finding in self._findings(args).get(rule.code, []):
                urn = finding.resource if finding.resource.startswith("urn:") else None
                report(f"{finding.message}. {rule.why} Fix: {rule.fix}", urn)

        return validate

    def _findings(self, args: StackValidationArgs) -> dict[str, list[Finding]]:
        urns = [one.urn for one in args.resources]
        if self._read[0] != urns:
            found: dict[str, list[Finding]] = {}
            for one in check(graph_of(args.resources), self._config).findings:
                found.setdefault(one.rule.code, []).append(one)
            self._read = urns, found
        return self._read[1]


def graph_of(resources: list[PolicyResource]) -> Graph:
    """Return the graph of what a policy is handed."""
    document = {"deployment": {"resources": [_raw(one) for one in resources]}}
    found = list(Stack(document, "stack").load())
    settle_regions(found)
    return Graph(found)


def _raw(one: PolicyResource) -> dict[str, Any]:
    provider = one.provider
    return {
        "urn": one.urn,
        "type": one.resource_type,
        "custom": ":index:" not in one.resource_type or one.resource_type.startswith("aws:"),
        "inputs": _known(one.props),
        "outputs": {},
        "provider": f"{provider.urn}::" if provider is not None else "",
        "ignoreChanges": list(one.opts.ignore_changes),
        "propertyDependencies": {
            key: [each.urn for each in found] for key, found in one.property_dependencies.items()
        },
    }


def _known(value: Any) -> Any:  # noqa: ANN401 - any property value
    """Return a value with the SDK's unknowns, which raise when they are looked at, as marks."""
    if isinstance(value, Mapping):
        found = {}
        for key in value:
            try:
                found[key] = _known(value[key])
            except UnknownValueError:
                found[key] = UNKNOWN[0]
        return found
    if isinstance(value, (list, tuple)):
        items = []
        for at in range(len(value)):
            try:
                items.append(_known(value[at]))
            except UnknownValueError:
                items.append(UNKNOWN[0])
        return items
    return value
