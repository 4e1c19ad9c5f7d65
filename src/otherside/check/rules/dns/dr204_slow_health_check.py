"""A health check takes too long to detect that the primary is down.

## Why
A check that runs every 30 seconds and must fail three times takes 90 seconds to react, and
resolvers cache the old answer for another minute. You cannot change this later: a health check's
interval is fixed when it is created.

## Fix
Set an interval of 10 seconds and a threshold of three failures.

```python
aws.route53.HealthCheck("primary", request_interval=10, failure_threshold=3)
```

```hcl
request_interval  = 10
failure_threshold = 3
```

```yaml
HealthCheckConfig: {RequestInterval: 10, FailureThreshold: 3}
```

## Impact
RTO: a minute more than necessary, out of five.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
"""

from collections.abc import Iterator

from otherside.check.analysis.dns import decides
from otherside.check.analysis.health_check_targets import detection_s
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_ENDPOINT = {"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"}
_ALLOWED_S = 60


@rule(
    "DR204",
    severity=Severity.MEDIUM,
    on="route53.health_check",
    step=RecoveryStep.DETECT,
    controls=("SOC 2 A1.2", "NIST CP-10", "NIST SI-4"),
)
def slow_health_check(graph: Graph, check: Resource) -> Iterator[str]:
    if check["type"] not in _ENDPOINT or not decides(graph, check):
        return
    takes_s = detection_s(check)
    if takes_s > _ALLOWED_S:
        yield f"it takes {takes_s} s until it is unhealthy"
