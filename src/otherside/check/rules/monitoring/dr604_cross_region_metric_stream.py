"""A metric stream and its Firehose delivery stream are in different Regions.

## Why
CloudWatch delivers metrics only to a Firehose stream in its own Region and account, and rejects a
metric stream that names another.

## Fix
Create both in each Region, and replicate the bucket behind them.

```python
aws.cloudwatch.MetricStream("standby", firehose_arn=standby_firehose.arn,
    opts=pulumi.ResourceOptions(provider=standby))
```

```hcl
firehose_arn = aws_kinesis_firehose_delivery_stream.standby.arn # of the same provider
```

```yaml
FirehoseArn: !GetAtt Firehose.Arn # of this stack
```

## Impact
RTO: operators decide without the failed Region's history.
RPO: the metrics of the disaster.

## See
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-trustpolicy.html
"""

from collections.abc import Iterator

from otherside.check.model.arn import region_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR604",
    severity=Severity.HIGH,
    on="cloudwatch.metric_stream",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "NIST SI-4", "NIST AU-9(2)"),
)
def cross_region_metric_stream(graph: Graph, stream: Resource) -> Iterator[str]:
    link = graph.link(stream, "firehose_arn", "firehose.stream")
    region = link.resource.region if link is not None else region_of(stream["firehose_arn"])
    if None not in {region, stream.region} and region != stream.region:
        yield f"it is in {stream.region}, and its delivery stream in {region}"
