"""A Region's metrics are not stored anywhere else.

## Why
CloudWatch stores metrics in their own Region. When the Region fails, so does the record of what
happened there: from the other Region you cannot tell how far it got or whether it has recovered.

## Fix
Stream each Region's metrics to a bucket that is replicated to the other Region.

```python
aws.cloudwatch.MetricStream("primary", role_arn=role.arn, firehose_arn=firehose.arn,
    output_format="json", opts=pulumi.ResourceOptions(provider=primary))
```

```hcl
resource "aws_cloudwatch_metric_stream" "primary" {
  provider      = aws.primary
  role_arn      = aws_iam_role.stream.arn
  firehose_arn  = aws_kinesis_firehose_delivery_stream.primary.arn
  output_format = "json"
}
```

```yaml
MetricStream:
  Type: AWS::CloudWatch::MetricStream
  Properties:
    RoleArn: !GetAtt StreamRole.Arn
    FirehoseArn: !GetAtt Firehose.Arn
    OutputFormat: json
```

## Impact
RTO: operators decide without the failed Region's history.
RPO: the metrics of the disaster are lost with the Region.

## See
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Metric-Streams.html
"""

from collections.abc import Iterator

from otherside.check.analysis.metric_sinks import watched_elsewhere
from otherside.check.analysis.workloads import serves
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import REGION, RecoveryStep, Severity, rule


@rule(
    "DR008",
    severity=Severity.HIGH,
    on=REGION,
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "PCI DSS 10.5.1", "NIST AU-9(2)", "NIST SI-4"),
    pair=True,
    lacking=True,
)
def missing_metric_stream(graph: Graph, region: Resource) -> Iterator[str]:
    here = region.required_region()
    if not serves(graph, here) or not graph.of("cloudwatch.alarm", "cloudwatch.metric_stream"):
        return
    if watched_elsewhere(graph):
        return
    if not graph.of("cloudwatch.metric_stream", region=here):
        yield f"metrics of {here} are streamed to nowhere"
