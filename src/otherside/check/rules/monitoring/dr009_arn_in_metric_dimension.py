"""An alarm's dimension is an ARN or the wrong part of one.

## Why
CloudWatch matches dimension values literally. A load balancer's metrics are stored under
`app/name/id`. A whole ARN matches nothing, and neither does the part after its last colon, which
still begins with `loadbalancer/`. The alarm stays in INSUFFICIENT_DATA forever, without an error.

## Fix
Use the dedicated attribute: `arn_suffix`, or `LoadBalancerFullName` in CloudFormation.

```python
dimensions={"LoadBalancer": balancer.arn_suffix, "TargetGroup": group.arn_suffix}
```

```hcl
dimensions = {
  LoadBalancer = aws_lb.this.arn_suffix
  TargetGroup  = aws_lb_target_group.this.arn_suffix
}
```

```yaml
Dimensions:
  - Name: LoadBalancer
    Value: !GetAtt LoadBalancer.LoadBalancerFullName
```

## Impact
RTO: users notice an outage that the alarm should have detected within a minute.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.alarm_metrics import metrics_of
from otherside.check.model.graph import Graph, Link, Resource
from otherside.check.model.values import Ref, Unknown, Unresolved, Value
from otherside.check.readers.arn_parts import spelled
from otherside.check.rule import RecoveryStep, Severity, rule

_ARN = {"arn", "id"}
_OTHER = {"name", "dns_name", "LoadBalancerName", "TargetGroupName", "DNSName"}
"""Attributes beside `arn_suffix` that look like it and are not."""
_DATA = {
    "LoadBalancer": ("data.aws_lb", "data.aws_alb"),
    "TargetGroup": ("data.aws_lb_target_group", "data.aws_alb_target_group"),
}
_FULL_NAME = {"LoadBalancer": "LoadBalancerFullName", "TargetGroup": "TargetGroupFullName"}
"""What CloudFormation calls the `arn_suffix` of the others."""
_SUFFIX = {
    "LoadBalancer": re.compile(r"(?:\[/1\]|app|net)/\[/2\]/\[/3\]"),
    "TargetGroup": re.compile(r"\[:5\]|targetgroup/\[/1\]/\[/2\]"),
}
"""The parts of an ARN that a metric has."""
_OF = {"LoadBalancer": "lb.load_balancer", "TargetGroup": "lb.target_group"}
_ID_IS = {
    "sqs.queue": "URL",
    "sns.topic": "ARN",
    "ecs.service": "ARN",
    "ecs.cluster": "ARN",
    "apigateway.rest_api": "ID",
}
"""What `id` is, where it is not the name."""
_ARNS = frozenset({"Queue", "Resource", "LoadBalancer", "TargetGroup"})
"""Dimensions that are ARNs in some namespace (MediaConvert's queues), or that are asked apart."""
_IDS = (
    *((name, "resource ID") for name in ("resource_id", "cluster_resource_id")),
    *((name, "resource ID") for name in ("DBClusterResourceId", "DbiResourceId")),
    *((name, "endpoint") for name in ("endpoint", "Endpoint.Address", "address")),
)
_BY_NAME = {
    "DBClusterIdentifier": ("rds.cluster",),
    "DBInstanceIdentifier": ("rds.cluster_instance", "rds.instance"),
    "FunctionName": ("lambda.function",),
    "TableName": ("dynamodb.table",),
    "QueueName": ("sqs.queue",),
    "TopicName": ("sns.topic",),
    "AutoScalingGroupName": ("autoscaling.group",),
    "HealthCheckId": ("route53.health_check",),
    "ClusterName": ("ecs.cluster",),
    "ServiceName": ("ecs.service",),
    "ApiName": ("apigateway.rest_api",),
}


@rule(
    "DR009",
    severity=Severity.HIGH,
    on="cloudwatch.alarm",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 CC7.2", "PCI DSS 10.7.2", "NIST SI-4", "NIST AU-6"),
)
def arn_in_metric_dimension(graph: Graph, alarm: Resource) -> Iterator[str]:
    for metric in metrics_of(alarm):
        # What somebody else's metrics have for a dimension is theirs to say.
        ours = not isinstance(metric.namespace, str) or metric.namespace.startswith("AWS/")
        for name, value in metric.dimensions.items() if isinstance(metric.dimensions, dict) else ():
            if not ours and isinstance(value, str) and value.startswith("arn:"):
                continue
            wrong = (
                _text(name, value)
                or _either(name, value)
                or _piece(graph, alarm, name, value)
                or _link(graph, alarm, name, value)
                or (_arn(graph, alarm, name, value) if ours else "")
            )
            if wrong:
                yield f"its dimension {name} is {wrong}"


def _piece(graph: Graph, alarm: Resource, name: str, value: Value) -> str:
    """Return which other piece a text is of the ARN of a load balancer or a target group."""
    if not isinstance(value, str) or name not in _OF:
        return ""
    for resource in graph.of(_OF[name], region=alarm.region):
        arn, suffix = resource.attributes.get("arn"), resource.attributes.get("arn_suffix")
        for attribute, what in (("name", "name"), ("dns_name", "DNS name")):
            if value and value == resource.attributes.get(attribute):
                return f"the {what} of {resource.label}; {_have(alarm, name)}"
        if not isinstance(arn, str) or value == suffix:
            continue
        metric = arn.rpartition(":")[2].removeprefix("loadbalancer/")
        if value == metric:
            return ""
        if value.endswith(arn.rpartition("/")[2]) and arn.endswith(value):
            return f"a part of the ARN of {resource.label}; {_have(alarm, name)}"
    return ""


def _arn(graph: Graph, alarm: Resource, name: str, value: Value) -> str:
    """Return whose ARN a dimension of AWS's own metrics is, which hardly any of them has."""
    if name.lower().endswith("arn") or name in _ARNS or not isinstance(value, Unknown):
        return ""
    links = graph.links(alarm, value) if value.whole is not None else []
    if links and all(link.attribute == "arn" for link in links):
        return f"the ARN of {links[0].resource.label}, which no metric has"
    return ""


def _text(name: str, value: Value) -> str:
    text = value if isinstance(value, str) else ""
    if isinstance(value, Unknown):
        if value.text[:1] == ("split",) and name == "LoadBalancer":
            return _split(value)
        text = value.text[0] if value.text and isinstance(value.text[0], str) else ""
    if text == "*":
        return "*, and alarms have no wildcards: no metric has it"
    if text.startswith("arn:") and not name.endswith("Arn"):
        return "an ARN, which no metric has"
    if text.startswith("loadbalancer/"):
        return "what follows the last colon of an ARN; metrics have it without loadbalancer/"
    return ""


def _either(name: str, value: Value) -> str:
    """Return what is wrong with a branch that the value may take, if every branch is known."""
    if not isinstance(value, Unknown) or not value.either:
        return ""
    return next(filter(None, (_text(name, branch) for branch in value.either)), "")


def _split(value: Unknown) -> str:
    between = value.text[-1]
    if between == ":" and any(isinstance(element, Ref) for element in value.text):
        return "what follows the last colon of an ARN; metrics have it without loadbalancer/"
    return ""


def _link(graph: Graph, alarm: Resource, name: str, value: Value) -> str:
    if not isinstance(value, Unknown) or value.text[:1] == ("split",):
        return ""
    if name in _OF:
        links = graph.links(alarm, value, _OF[name], *_DATA[name])
        if links and (found := spelled(value)) is not None:
            good = _SUFFIX[name].fullmatch(found[1])
            return (
                ""
                if good
                else f"a part of the ARN of {links[0].resource.label}; {_have(alarm, name)}"
            )
        if links and _whole(value, links) and all(link.attribute in _OTHER for link in links):
            what = "DNS name" if links[0].attribute in {"dns_name", "DNSName"} else "name"
            return f"the {what} of {links[0].resource.label}; {_have(alarm, name)}"
        if links and _whole(value, links) and all(link.attribute in _ARN for link in links):
            return f"the ARN of {links[0].resource.label}; {_have(alarm, name)}"
    elif name in _BY_NAME and (wrong := _unnamed(graph, alarm, name, value)):
        return wrong
    named = bool(value.either) and all(isinstance(branch, str) for branch in value.either)
    if name in {*_OF, *_BY_NAME} and not value.refs and not value.text and not named:
        raise Unresolved(alarm.undecided_because(f"dimensions.{name}", value.why))
    return ""


def _have(alarm: Resource, name: str) -> str:
    """Return what the metrics of a load balancer or a target group have for a dimension."""
    spelt = _FULL_NAME[name] if alarm.dialect == "cloudformation" else "arn_suffix"
    return f"metrics have its {spelt}"


def _unnamed(graph: Graph, alarm: Resource, name: str, value: Unknown) -> str:
    """Return what a value is of a resource whose name the dimension wants."""
    links = graph.links(alarm, value, *_BY_NAME[name])
    for attribute, what in (("arn", "ARN"), ("url", "URL"), *_IDS):
        if links and all(link.attribute == attribute for link in links):
            known_by = "id" if name == "HealthCheckId" else "name"
            return f"the {what} of {links[0].resource.label}; metrics have its {known_by}"
    by_id = {_ID_IS.get(link.resource.kind) for link in links if link.attribute == "id"}
    if links and len(by_id) == 1 and None not in by_id and _whole(value, links):
        return f"the {by_id.pop()} of {links[0].resource.label}; metrics have its name"
    return ""


def _whole(value: Unknown, links: list[Link]) -> bool:
    """Return whether a value is exactly one attribute, as far as the source shows."""
    alike = {link.resource.id.partition("[")[0] for link in links}  # of one `for_each`
    return len(alike) == 1 and len(value.text) <= 1
