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
    """What was measured, as CloudWatch keeps it."""

    context: TwinContext

    def put(
        self,
        region: str,
        namespace: str,
        name: str,
        value: float,
        dimensions: Mapping[str, str],
    ) -> None:
        """Publish a point of a service's own."""
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
        """Return a metric's statistic in each of the newest periods, oldest first."""
        period = int(alarm.period)
        ingested_s = self.context.latency.of("metric-ingestion")
        end_s = self.context.now_s - ingested_s
        whole_s = min(period, MINUTE_S)  # standard resolution has whole minutes
        end_s = end_s // whole_s * whole_s
        wanted = {(one.name, one.value) for one in alarm.dimensions}
        found: list[list[Any]] = [[] for _ in range(count)]
        for one in moto_backend.cloudwatch(self.context.account, region).metric_data:
            if one.name != alarm.metric_name or one.namespace != alarm.namespace:
                continue
            if {(d.name, d.value) for d in one.dimensions} != wanted:
                continue
            at_s = one.timestamp.replace(tzinfo=dt.UTC).timestamp()
            back = int((end_s - at_s) // period)
            if at_s < end_s and 0 <= back < count:
                found[count - 1 - back].append(one)
        return [_statistic(str(alarm.statistic), one) if one else None for one in found]


def _statistic(kind: str, data: Sequence[Any]) -> float:
    values: list[float] = []
    samples, total = 0.0, 0.0
    for one in data:
        if hasattr(one, "sample_count"):
            values += [float(one.min), float(one.max)]
            samples, total = samples + float(one.sample_count), total + float(one.sum)
        else:
            values.append(float(one.value))
            samples, total = samples + 1, total + float(one.value)
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
