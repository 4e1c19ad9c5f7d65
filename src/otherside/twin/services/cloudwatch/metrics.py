"""Metrics that services publish, and their statistics over periods."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.moto_backend import Alarm

MINUTE_S = 60


@dataclass(slots=True)
class Metrics:
    """Published metrics, as CloudWatch stores them."""

    context: TwinContext

    def put(
        self,
        region: str,
        namespace: str,
        name: str,
        value: float,
        dimensions: Mapping[str, str],
    ) -> None:
        """Publish one point of a service's own metric."""
        moto_backend.cloudwatch(self.context.account, region).put_metric_data(
            namespace,
            [
                {
                    "MetricName": name,
                    "Value": value,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                    "Timestamp": dt.datetime.fromtimestamp(self.context.now_s, dt.UTC).replace(
                        tzinfo=None
                    ),
                }
            ],
        )

    def points(self, alarm: Alarm, region: str, count: int) -> list[float | None]:
        """Return a metric's statistic for each of the newest periods, oldest first."""
        period = int(alarm.period)
        ingested_s = self.context.latency.of("metric-ingestion")
        end_s = self.context.now_s - ingested_s
        whole_s = min(period, MINUTE_S)  # standard resolution uses whole minutes
        end_s = end_s // whole_s * whole_s
        wanted = {(dimension.name, dimension.value) for dimension in alarm.dimensions}
        found: list[list[Any]] = [[] for _ in range(count)]
        for metric_datum in moto_backend.cloudwatch(self.context.account, region).metric_data:
            if metric_datum.name != alarm.metric_name or metric_datum.namespace != alarm.namespace:
                continue
            if {(d.name, d.value) for d in metric_datum.dimensions} != wanted:
                continue
            at_s = metric_datum.timestamp.replace(tzinfo=dt.UTC).timestamp()
            back = int((end_s - at_s) // period)
            if at_s < end_s and 0 <= back < count:
                found[count - 1 - back].append(metric_datum)
        return [_statistic(str(alarm.statistic), item) if item else None for item in found]


def _statistic(kind: str, data: Sequence[Any]) -> float:
    values: list[float] = []
    samples, total = 0.0, 0.0
    for datum in data:
        if hasattr(datum, "sample_count"):
            values += [float(datum.min), float(datum.max)]
            samples, total = samples + float(datum.sample_count), total + float(datum.sum)
        else:
            values.append(float(datum.value))
            samples, total = samples + 1, total + float(datum.value)
    match kind:
        case "Sum":
            return total
        case "SampleCount":
            return samples
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case _:
            return total / samples
