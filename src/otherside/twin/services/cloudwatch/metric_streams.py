"""Metric streams: Firehose delivers the metrics as real S3 objects.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Metric-Streams.html
"""

import asyncio
import datetime as dt
import json
import uuid
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.json_types import JsonObject
from otherside.twin.services.cloudwatch.provider import CloudWatchProvider, Stream
from otherside.twin.services.s3.provider import S3Provider

SERVICE = "streams.metrics.cloudwatch.amazonaws.com"
FIREHOSE = "firehose.amazonaws.com"
INTERVAL_S = 300.0
KEPT_S = 86_400.0
"""How long Firehose tries to deliver a buffer before the data is lost."""
LOOK_S = 5.0


class MetricStreams:
    """Delivers metric streams."""

    def __init__(
        self,
        context: TwinContext,
        authorizer: Authorizer,
        cloudwatch: CloudWatchProvider,
        objects: S3Provider,
    ) -> None:
        self._context, self._authorizer = context, authorizer
        self._cloudwatch, self._objects = cloudwatch, objects
        self._read: dict[str, int] = {}
        self._buffers: dict[str, tuple[float, list[str]]] = {}
        self._told: set[str] = set()

    async def run(self, region: str) -> None:
        """Deliver a Region's metric streams until the twin stops."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._context.partitions.stands(region):
                continue
            for stream in list(self._cloudwatch.streams.values()):
                if stream.region == region:
                    self._take(stream)
            for arn in list(self._buffers):
                if arn.split(":")[3] == region:
                    self._deliver(region, arn)

    def _take(self, stream: Stream) -> None:
        """Buffer the metrics since the last call; metrics published while stopped are lost."""
        data = moto_backend.cloudwatch(self._context.account, stream.region).metric_data
        first = stream.arn not in self._read
        since = _older(data, stream.created_s) if first else self._read[stream.arn]
        self._read[stream.arn] = len(data)
        if stream.state != "running":
            return
        why = self._refusal(
            stream.role_arn, SERVICE, "firehose:PutRecord", stream.firehose_arn, stream.region
        )
        if why:
            self._once(stream.region, f"metric stream {stream.name}: {why}")
            return
        records = [_record(stream, datum, self._context.account) for datum in data[since:]]
        lines = [json.dumps(record) for record in records if record is not None]
        if lines:
            began_s, held = self._buffers.get(stream.firehose_arn, (self._context.now_s, []))
            self._buffers[stream.firehose_arn] = (began_s, [*held, *lines])

    def _deliver(self, region: str, arn: str) -> None:
        """Write a buffer as one object once it is old enough."""
        name = arn.rpartition("/")[2]
        held = moto_backend.firehose(self._context.account, region).delivery_streams.get(name)
        if held is None:
            return
        destination = held.destinations[0]
        config = destination.get("ExtendedS3") or destination.get("S3") or {}
        interval_s = float(
            (config.get("BufferingHints") or {}).get("IntervalInSeconds", INTERVAL_S)
        )
        began_s, lines = self._buffers[arn]
        if self._context.now_s - began_s < interval_s:
            return
        bucket = str(config["BucketARN"]).rpartition(":")[2]
        at = dt.datetime.fromtimestamp(self._context.now_s, dt.UTC)
        prefix = str(config.get("Prefix") or "")
        if "!{" not in prefix:
            prefix += at.strftime("%Y/%m/%d/%H/")
        version = held.version_id if hasattr(held, "version_id") else 1
        key = f"{prefix}{name}-{version}-{at:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"
        role = str(config["RoleARN"])
        why = self._refusal(role, FIREHOSE, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", region)
        if why:
            self._once(region, f"Firehose {name}: {why}")
            return
        backend = moto_backend.s3(self._context.account)
        if bucket not in backend.buckets:
            self._once(region, f"Firehose {name}: bucket {bucket} does not exist")
            return
        there = backend.buckets[bucket].region_name
        if not self._context.partitions.reaches(region, there):
            if self._context.now_s - began_s > KEPT_S:
                del self._buffers[arn]
                self._once(region, f"Firehose {name}: {bucket} was out of reach for a day")
            return
        del self._buffers[arn]
        backend.put_object(bucket, key, ("\n".join(lines) + "\n").encode())
        self._context.emit("metrics", region, f"s3://{bucket}/{key}", bucket=bucket, key=key)
        self._objects.replicate(bucket, key)

    def _refusal(
        self, role: str, service: str, action: str, resource: str, region: str
    ) -> str | None:
        if not self._authorizer.trusts(role, service):
            return f"{role} cannot be assumed by {service}"
        if not self._authorizer.role_may(role, action, resource, region=region).allowed:
            return f"{role} may not {action} on {resource}"
        return None

    def _once(self, region: str, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._context.emit("metrics", region, text, failed=True)


def _older(data: list[Any], created_s: float) -> int:
    """Return how many points were published before a stream existed, which it never sends."""
    return sum(datum.timestamp.replace(tzinfo=dt.UTC).timestamp() < created_s for datum in data)


def _record(stream: Stream, item: Any, account: str) -> JsonObject | None:  # noqa: ANN401 - moto's own
    """Return one point in the stream's format, or `None` if a filter excludes it."""
    included = not stream.include or any(_fits(item, entry) for entry in stream.include)
    if not included or any(_fits(item, entry) for entry in stream.exclude):
        return None
    value = float(item.value) if hasattr(item, "value") else None
    statistics = (
        {"count": 1.0, "sum": value, "max": value, "min": value}
        if value is not None
        else {
            "count": float(item.sample_count),
            "sum": float(item.sum),
            "max": float(item.max),
            "min": float(item.min),
        }
    )
    return {
        "metric_stream_name": stream.name,
        "account_id": account,
        "region": stream.region,
        "namespace": item.namespace,
        "metric_name": item.name,
        "dimensions": {d.name: d.value for d in item.dimensions},
        "timestamp": int(item.timestamp.replace(tzinfo=dt.UTC).timestamp() * 1000),
        "value": statistics,
        "unit": getattr(item, "unit", None) or "None",
    }


def _fits(item: Any, entry: JsonObject) -> bool:  # noqa: ANN401 - moto's own
    names = entry.get("MetricNames")
    return bool(item.namespace == entry.get("Namespace") and (not names or item.name in names))
