"""Where metrics are kept besides CloudWatch."""

import re

from otherside.check.model.graph import Graph

_OTHER = re.compile(
    r"^(datadog|newrelic|dynatrace|grafana|signalfx|honeycombio|splunk)", re.IGNORECASE
)
"""Makers of what watches from outside, by the first word of their resource types."""


def watched_elsewhere(graph: Graph) -> bool:
    """Tell whether something outside AWS keeps the metrics."""
    resources = graph.resources.values()
    return graph.once(
        "watched elsewhere", lambda: any(_OTHER.match(resource.type) for resource in resources)
    )
