"""Pulumi policy pack that runs the catalogue's rules in `pulumi preview` and `pulumi up`.

It needs `pip install '.[policy]'`. A pack is a directory with a `PulumiPolicy.yaml` and two
lines of Python; see `examples/policy-pack`.
"""

import re
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    PolicyProviderResource,
    PolicyResource,
    ReportViolation,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import serialize_properties

from otherside.check.catalogue import catalogue
from otherside.check.check_result import Finding
from otherside.check.engine import CheckConfig, check
from otherside.check.model.graph import Graph
from otherside.check.model.schema import by_pulumi
from otherside.check.readers.normalize import document, write_only
from otherside.check.readers.passwords import is_secret_name
from otherside.check.readers.pulumi.stack import SECRET, SIGNATURE, UNKNOWN, Stack
from otherside.check.readers.read import settle_regions
from otherside.check.rule import Rule

NAME = "otherside"
_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
}


def policy_pack(
    *,
    name: str = NAME,
    enforcement_level: EnforcementLevel = EnforcementLevel.ADVISORY,
    config: CheckConfig | None = None,
) -> PolicyPack:
    """Serve the catalogue as a policy pack with one policy per rule.

    Each policy is off, advisory or mandatory. A preview does not judge values that are known only
    after the deployment; a later `up` judges them.
    """
    return PolicyPack(name, list(policies(config or CheckConfig())), enforcement_level)


def policies(config: CheckConfig) -> list[StackValidationPolicy]:
    """Return one policy per rule; they share a single reading of the stack."""
    asked = _AuditRequest(config)
    return [
        StackValidationPolicy(
            name=rule.name,
            description=f"{rule.code} {rule.title} {rule.why} {rule.fix}",
            validate=asked.validation(rule),
            display_name=f"{rule.code} {rule.name}",
            severity=_SEVERITIES[rule.severity.value],
            tags=["disaster-recovery", rule.step.value],
            remediation_steps=rule.section("Fix"),
            url=rule.url,
        )
        for rule in catalogue()
        if config.asks(rule)
    ]


class _AuditRequest:
    """Reads a stack once and gives each policy the findings of its rule."""

    def __init__(self, config: CheckConfig) -> None:
        self._config = config
        self._read: tuple[list[dict[str, Any]], dict[str, list[Finding]]] = ([], {})

    def validation(self, rule: Rule) -> Any:  # noqa: ANN401 - the SDK's own callable
        """Return the function that a policy calls with the stack."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            for finding in self._findings(args).get(rule.code, []):
                urn = finding.resource if finding.resource.startswith("urn:") else None
                report(f"{finding.message}. {rule.why} Fix: {rule.fix}", urn)

        return validate

    def _findings(self, args: StackValidationArgs) -> dict[str, list[Finding]]:
        raw = raw_of(args.resources)  # the SDK builds a new list for each policy
        if self._read[0] != raw:
            found: dict[str, list[Finding]] = {}
            for finding in check(graph_of(raw), self._config).findings:
                found.setdefault(finding.rule.code, []).append(finding)
            self._read = raw, found
        return self._read[1]


def graph_of(raw: list[dict[str, Any]]) -> Graph:
    """Return the graph of the resources that a policy receives."""
    found = list(Stack({"deployment": {"resources": raw}}, "stack").load())
    settle_regions(found)
    return Graph(found)


def raw_of(resources: list[PolicyResource]) -> list[dict[str, Any]]:
    """Return resources and their providers in the shape of a stack export."""
    listed = {resource.urn for resource in resources}
    providers = {
        resource.provider.urn: resource.provider
        for resource in resources
        if resource.provider is not None
    }
    raw = [_raw(resource) for resource in resources]
    raw += [_raw_provider(provider) for urn, provider in providers.items() if urn not in listed]
    return raw


def _raw(policy_resource: PolicyResource) -> dict[str, Any]:
    provider = policy_resource.provider
    return {
        "urn": policy_resource.urn,
        "type": policy_resource.resource_type,
        "custom": ":index:" not in policy_resource.resource_type
        or policy_resource.resource_type.startswith("aws:"),
        "inputs": _concealed(policy_resource.resource_type, _referred(policy_resource)),
        "outputs": {},
        "provider": f"{provider.urn}::" if provider is not None else "",
        "ignoreChanges": list(policy_resource.opts.ignore_changes),
        "propertyDependencies": {
            key: [each.urn for each in found]
            for key, found in policy_resource.property_dependencies.items()
        },
    }


_IDENTIFIER = re.compile(
    r"[a-z]+-[0-9a-f]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|https://sqs\.[^/]+/\d+/[\w.-]+"
)
"""An identifier that AWS makes, or the address of a queue."""


def _referred(policy_resource: PolicyResource) -> dict[str, Any]:
    """Return properties with AWS-generated identifiers made unknown, so that links are followed.

    A pack does not receive the resources' identifiers, only which resources a property depends on.
    """
    found: dict[str, Any] = dict(serialize_properties(policy_resource.props))
    for key, targets in policy_resource.property_dependencies.items():
        if targets and key in found:
            found[key] = _unnamed(found[key])
    return found


def _unnamed(value: Any) -> Any:  # noqa: ANN401 - any property value
    if isinstance(value, str):
        return UNKNOWN[0] if _IDENTIFIER.fullmatch(value) else value
    if isinstance(value, list):
        return [_unnamed(item) for item in value]
    if isinstance(value, dict):
        return {key: _unnamed(each) for key, each in value.items()}
    return value


def _raw_provider(resource: PolicyProviderResource) -> dict[str, Any]:
    inputs = dict(serialize_properties(resource.props))
    return {"urn": resource.urn, "type": resource.resource_type, "custom": True, "inputs": inputs}


def _concealed(type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs with secrets marked as secrets, because a pack receives them in plain text.

    A pack therefore cannot tell whether a password is a literal; `otherside check` of the program
    can.
    """
    kind = by_pulumi().get(type_)
    for attribute in kind.attributes.values() if kind is not None else ():
        secret = attribute.shape in {"secret", "secret_text"}
        for name in (attribute.pulumi, write_only(attribute).pulumi) if secret else ():
            if isinstance(inputs.get(name), str):
                inputs[name] = {SIGNATURE: SECRET}
        if attribute.shape == "containers":
            inputs[attribute.pulumi] = _concealed_containers(inputs.get(attribute.pulumi))
        if attribute.shape == "env" and isinstance(inputs.get(attribute.pulumi), dict):
            held = inputs[attribute.pulumi].get("variables")
            for name in held if isinstance(held, dict) else ():
                if is_secret_name(name):
                    held[name] = {SIGNATURE: SECRET}
    return inputs


def _concealed_containers(value: object) -> object:
    """Return ECS containers with the secrets of their environments marked as secrets."""
    containers = document(value) if isinstance(value, str) else value
    for container in containers if isinstance(containers, list) else ():
        pairs = container.get("environment") if isinstance(container, dict) else None
        for pair in pairs if isinstance(pairs, list) else ():
            if isinstance(pair, dict) and is_secret_name(str(pair.get("name"))):
                pair["value"] = {SIGNATURE: SECRET}
    return containers
