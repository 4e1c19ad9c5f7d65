"""The latch that keeps DNS on the standby can release by itself.

## Why
A latch must hold while everything around it fails: in the primary's Region it fails with that
Region, if it treats missing data as healthy it releases silently, and a metric that Route 53 cannot
read never engages it. Route 53 reads the alarm's data, not its state: no metric math, no "M out of
N", no period below a minute.

## Fix
Put the latch's alarm in the standby Region on a plain metric, and keep its last known status.

```python
aws.route53.HealthCheck("latch", type="CLOUDWATCH_METRIC", cloudwatch_alarm_name=alarm.name,
    cloudwatch_alarm_region="us-west-2", insufficient_data_health_status="LastKnownStatus")
```

```hcl
resource "aws_route53_health_check" "latch" {
  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = aws_cloudwatch_metric_alarm.latch.alarm_name
  cloudwatch_alarm_region         = "us-west-2"
  insufficient_data_health_status = "LastKnownStatus"
}
```

```yaml
HealthCheckConfig:
  Type: CLOUDWATCH_METRIC
  AlarmIdentifier: {Name: !Ref LatchAlarm, Region: us-west-2}
  InsufficientDataHealthStatus: LastKnownStatus
```

## Impact
RTO: DNS sends users back to the old primary in the middle of the disaster.
RPO: writes that the old primary then accepts are lost.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
"""

from collections.abc import Iterator

from otherside.check.analysis.dns import decides
from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_MINUTE = 60


@rule(
    "DR203",
    severity=Severity.HIGH,
    on="route53.health_check",
    step=RecoveryStep.ROUTE,
    controls=("SOC 2 A1.2", "NIST CP-10"),
)
def latch_releases_on_missing_data(graph: Graph, check: Resource) -> Iterator[str]:
    if check["type"] != "CLOUDWATCH_METRIC" or not decides(graph, check):
        return
    region = check["cloudwatch_alarm_region"]
    if any(_is_liveness(alarm) for alarm in _alarms(graph, check, region)):
        return
    if isinstance(region, str) and region == sides_of(graph).primary:
        yield f"its alarm is in {region}, and goes down with it"
    status = check["insufficient_data_health_status"]
    if status in {None, "Healthy"}:
        yield "without data it counts as healthy, and releases"
    elif status == "Unhealthy":
        yield "without data it counts as unhealthy, and sends users to a standby that may be down"
    for alarm in _alarms(graph, check, region):
        yield from _readable(alarm)


def _is_liveness(alarm: Resource) -> bool:
    """Return whether an alarm is of an AWS service's own metric: it tells, and holds nothing.

    https://aws.amazon.com/blogs/networking-and-content-delivery/performing-route-53-health-checks-on-private-resources-in-a-vpc-with-aws-lambda-and-amazon-cloudwatch/
    """
    return str(alarm["namespace"]).startswith("AWS/")


def _readable(alarm: Resource) -> Iterator[str]:
    missing = alarm["treat_missing_data"]
    if isinstance(missing, str) and missing != "missing":
        yield f"{alarm.label} takes missing data for {missing}, and Route 53 with it"
    if alarm["extended_statistic"]:
        yield f"{alarm.label} is of {alarm['extended_statistic']}, which Route 53 cannot read"
    if alarm["metric_query"]:
        yield f"{alarm.label} is of metric math, which Route 53 cannot read"
    needed, periods = alarm["datapoints_to_alarm"], alarm["evaluation_periods"]
    if isinstance(needed, int) and isinstance(periods, int) and needed != periods:
        yield f"{alarm.label} takes {needed} of {periods} periods, which Route 53 cannot read"
    period = alarm["period"]
    if isinstance(period, int) and period < _MINUTE:
        yield f"{alarm.label} has a period of {period} s, which Route 53 cannot read"


def _alarms(graph: Graph, check: Resource, region: object) -> list[Resource]:
    links = graph.links(check, check["cloudwatch_alarm_name"], "cloudwatch.alarm")
    return [link.resource for link in links if link.resource.region in {region, None}]
