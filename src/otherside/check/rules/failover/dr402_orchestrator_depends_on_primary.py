"""The failover orchestrator depends on a resource in the primary Region.

## Why
A table, topic, queue, key or secret in the primary is unreachable when the primary is down. The
function starts in the standby and fails at its first call.

## Fix
Use only resources in its own Region: a replica of the table, and a topic and a key there.

```python
environment={"STATE_TABLE": table.name, "TOPIC": standby_topic.arn} # of the standby Region
```

```hcl
environment { variables = { TOPIC = aws_sns_topic.standby.arn } }
```

```yaml
Environment: {Variables: {TOPIC: !Ref StandbyTopic}}
```

## Impact
RTO: the failover stops at the first step that needs the primary.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/static-stability.html
"""

from collections.abc import Iterator

from otherside.check.analysis.functions import orchestrators
from otherside.check.analysis.sides import sides_of
from otherside.check.model.arn import read_arn
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import strings
from otherside.check.rule import RecoveryStep, Severity, rule

_NEEDED = (
    "sns.topic",
    "sqs.queue",
    "kms.key",
    "secretsmanager.secret",
    "s3.bucket",
    "dynamodb.table",
)
_SERVICES = {"sns", "sqs", "kms", "secretsmanager", "dynamodb", "ssm"}


@rule(
    "DR402",
    severity=Severity.HIGH,
    on="lambda.function",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 A1.2", "NIST CP-2(8)", "NIST CP-10"),
    pair=True,
)
def orchestrator_depends_on_primary(graph: Graph, function: Resource) -> Iterator[str]:
    if function not in orchestrators(graph):
        return
    sides = sides_of(graph)
    environment = function["environment"]
    if function.required_region() != sides.standby or not isinstance(environment, dict):
        return
    for name, value in environment.items():
        for link in graph.links(function, value, *_NEEDED):
            if link.resource.region == sides.primary and not _is_here_too(
                graph, link.resource, sides.standby
            ):
                yield f"{name} is {link.resource.label}, which is in {sides.primary}"
                break
        else:
            arn = next((a for text in strings(value) if (a := read_arn(text))), None)
            if arn is not None and arn.service in _SERVICES and arn.region == sides.primary:
                yield f"{name} is of {sides.primary}: {arn.service} {arn.resource}"


def _is_here_too(graph: Graph, resource: Resource, region: str) -> bool:
    """Return whether a table or a secret has a replica in a Region."""
    replicas = (
        resource["replica"] if resource.kind in {"dynamodb.table", "secretsmanager.secret"} else ()
    )
    where = [each.get("region_name", each.get("region")) for each in replicas or ()]
    if resource.kind == "dynamodb.table":
        path = "global_table_arn"
        separate = graph.known_users(resource, "dynamodb.table_replica", path)
        where += [replica.region for replica in separate]
    return region in where
