"""The metrics that an alarm watches: its own, or those of its metric queries."""

from collections.abc import Iterator
from dataclasses import dataclass

from otherside.check.model.graph import Resource
from otherside.check.model.values import Value


@dataclass(frozen=True, slots=True)
class WatchedMetric:
    """One metric, as an alarm names it; each part may be unknown or unset."""

    namespace: Value
    name: Value
    dimensions: Value


def metrics_of(alarm: Resource) -> Iterator[WatchedMetric]:
    """Yield the metrics of an alarm."""
    if alarm["metric_name"] is not None or alarm["namespace"] is not None:
        yield WatchedMetric(alarm["namespace"], alarm["metric_name"], alarm["dimensions"])
    for query in alarm["metric_query"] if isinstance(alarm["metric_query"], list) else ():
        metric = query.get("metric") if isinstance(query, dict) else None
        if isinstance(metric, dict):
            yield WatchedMetric(
                metric.get("namespace"), metric.get("metric_name"), metric.get("dimensions")
            )
