"""A Region's metrics are streamed to a bucket of the same Region, which nothing replicates.

## Why
A stream alone moves nothing out of the Region: it writes to a bucket beside the metrics that it
copies. When the Region fails, both are gone, and so is the record of what happened there.

## Fix
Replicate the bucket to the other Region, or deliver to an HTTP endpoint there.

```python
aws.s3.BucketReplicationConfig("metrics", role=role.arn, bucket=primary_metrics.id,
    rules=[{"status": "Enabled", "destination": {"bucket": standby_metrics.arn}}])
```

```hcl
resource "aws_s3_bucket_replication_configuration" "metrics" {
  bucket = aws_s3_bucket.primary_metrics.id
  role   = aws_iam_role.replication.arn
  rule {
    status = "Enabled"
    destination { bucket = aws_s3_bucket.standby_metrics.arn }
  }
}
```

```yaml
ReplicationConfiguration:
  Role: !GetAtt ReplicationRole.Arn
  Rules: [{Status: Enabled, Destination: {Bucket: !Ref StandbyMetricsArn}}]
```

## Impact
RTO: operators decide without the failed Region's history.
RPO: the metrics of the disaster are lost with the Region.

## See
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
"""

from collections.abc import Iterator

from otherside.check.analysis.bucket_copies import copied_to
from otherside.check.analysis.metric_sinks import watched_elsewhere
from otherside.check.model.graph import Graph, Link, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR607",
    severity=Severity.MEDIUM,
    on="cloudwatch.metric_stream",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST AU-9(2)", "NIST SI-4"),
    pair=True,
    lacking=True,
)
def metrics_stored_beside_their_source(graph: Graph, stream: Resource) -> Iterator[str]:
    delivery = graph.link(stream, "firehose_arn", "firehose.stream")
    if delivery is None or watched_elsewhere(graph):
        return
    stored = graph.follow(delivery.resource, "extended_s3_configuration.bucket_arn", "s3.bucket")
    if stored is None or stored.required_region() != stream.required_region():
        return
    copies = [
        links
        for replication in graph.users(stored, "s3.replication", "bucket")
        for links in copied_to(graph, replication)
    ]
    # A copy that is not in what was read may be anywhere.
    if all(links and _all_in(stored.region, links) for links in copies):
        yield f"its data stays in {stored.region}: nothing replicates {stored.label}"


def _all_in(region: str | None, links: list[Link]) -> bool:
    return all(link.resource.region == region for link in links)
