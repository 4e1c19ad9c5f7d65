"""Metric stores other than CloudWatch."""

import re

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import strings, unknowns

_VENDOR = re.compile(
    r"datadog|newrelic|dynatrace|grafana|signalfx|honeycombio|splunk", re.IGNORECASE
)
_OTHER = re.compile(f"^(?:{_VENDOR.pattern})", re.IGNORECASE)
"""Third-party monitoring vendors, matched by the start of a resource type."""


_THEIR_ACCOUNTS = ("464622532012", "754728514883", "509560245411", "008923505280")
"""From where Datadog, New Relic, Dynatrace and Grafana Cloud ask for metrics, by a role."""


def watched_elsewhere(graph: Graph) -> bool:
    """Return whether a service outside AWS keeps the metrics."""

    def look() -> bool:
        return any(_OTHER.match(resource.type) for resource in graph.resources.values()) or any(
            _may_be_theirs(role) for role in graph.of("iam.role")
        )

    return graph.memoize("watched elsewhere", look)


def _may_be_theirs(role: Resource) -> bool:
    """Return whether a role lets a vendor in, or is named after one and does not tell."""
    policy = role.attributes.get("assume_role_policy")
    if any(account in text for text in strings(policy) for account in _THEIR_ACCOUNTS):
        return True
    named = f"{role.name} {role.attributes.get('name')}"
    return bool(_VENDOR.search(named)) and any(True for _ in unknowns(policy))
