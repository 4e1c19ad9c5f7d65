"""Metric stores other than CloudWatch."""

import re

from otherside.check.model.graph import Graph

_OTHER = re.compile(
    r"^(datadog|newrelic|dynatrace|grafana|signalfx|honeycombio|splunk)", re.IGNORECASE
)
"""Third-party monitoring vendors, matched by the start of a resource type."""


def watched_elsewhere(graph: Graph) -> bool:
    """Return whether a service outside AWS keeps the metrics."""
    resources = graph.resources.values()
    return graph.memoize(
        "watched elsewhere", lambda: any(_OTHER.match(resource.type) for resource in resources)
    )
