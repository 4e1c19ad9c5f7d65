"""A VPC endpoint exists in the primary Region only.

## Why
Instances reach secrets, keys and buckets through endpoints in their own Region. If only the primary
has an endpoint, the first instance that boots in the standby fails, during the disaster.

## Fix
Create the same endpoints in both Regions.

```python
for side in ("primary", "standby"):
    aws.ec2.VpcEndpoint(f"{side}-secrets", service_name=f"com.amazonaws.{region[side]}.secretsmanager")
```

```hcl
service_name = "com.amazonaws.${var.region}.secretsmanager" # in a module that both sides use
```

```yaml
ServiceName: !Sub com.amazonaws.${AWS::Region}.secretsmanager
```

## Impact
RTO: instances boot but the application cannot start until an operator finds the cause.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved, strings
from otherside.check.rule import RecoveryStep, Severity, rule

_REGION = re.compile(r"^([a-z]{2}(-[a-z]+)+-\d)?\.")
"""A Region, or nothing where it is known only at deployment."""


@rule(
    "DR303",
    severity=Severity.MEDIUM,
    on="ec2.vpc_endpoint",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-7"),
    pair=True,
    lacking=True,
)
def missing_standby_vpc_endpoint(graph: Graph, endpoint: Resource) -> Iterator[str]:
    sides = sides_of(graph)
    if endpoint.required_region() != sides.primary or not graph.of("ec2.vpc", region=sides.standby):
        return
    service = _service(endpoint)
    if not service:
        raise Unresolved(endpoint.undecided_because("service_name", "known only at deployment"))
    standing = graph.of("ec2.vpc_endpoint", region=sides.standby)
    there = graph.memoize(
        "standby endpoints", lambda: {_service(vpc_endpoint) for vpc_endpoint in standing}
    )
    if service not in there and "" not in there:
        yield f"{sides.standby} has no endpoint for {service}"


def _service(endpoint: Resource) -> str:
    """Return the service of an endpoint, without the Region: `ecr.api` and `ecr.dkr` are two."""
    text = "".join(strings(endpoint["service_name"]))
    _, amazon, service = text.partition("amazonaws.")
    return _REGION.sub("", service) if amazon else text
