"""Two providers are configured for the same Region.

## Why
If each half of the stack configures its own providers, one soon changes without the other. Standby
resources then end up in the primary Region and fail with it.

## Fix
Configure one provider per Region, once, and pass it to everything in that Region.

```python
primary = aws.Provider("primary", region="us-east-2")
standby = aws.Provider("standby", region="us-west-2")
Network("network", opts=pulumi.ResourceOptions(providers=[primary]))
```

```hcl
provider "aws" { region = "us-east-2" }
provider "aws" {
  alias  = "standby"
  region = "us-west-2"
}
module "standby" {
  source    = "./regional"
  providers = { aws = aws.standby }
}
```

```yaml
# CloudFormation has no providers: one stack for each Region, from one template.
```

## Impact
RTO: half of the standby may be in the failed Region.
RPO: no direct effect.

## See
- https://developer.hashicorp.com/terraform/language/modules/develop/providers
- https://www.pulumi.com/docs/iac/concepts/resources/providers/
"""

import json
from collections import defaultdict
from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved, unknowns
from otherside.check.rule import SYSTEM, RecoveryStep, RuleHit, Severity, rule


@rule(
    "DR013",
    severity=Severity.MEDIUM,
    on=SYSTEM,
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 CC8.1", "NIST CM-2", "NIST CP-7"),
)
def duplicate_provider_region(graph: Graph, system: Resource) -> Iterator[RuleHit]:
    del system
    unsure: dict[str, list[Resource]] = defaultdict(list)
    alike: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for provider in graph.of("provider"):
        if provider.attributes.get("default"):
            continue
        if provider.attributes.get("module"):
            module = provider.attributes["module"]
            yield RuleHit(provider, f"it is configured inside {module}; hand it in from the root")
            continue  # mended by that, whatever it is a copy of
        if any(True for _ in unknowns(provider.attributes.get("settings"))):
            unsure[provider.stack].append(provider)
            continue  # two variables without a value may differ
        settings = json.dumps(provider.attributes.get("settings"), sort_keys=True, default=str)
        alike[(provider.stack, settings)].append(provider)
    for same in alike.values():
        where = same[0].region or "the same Region"
        for item in same[1:]:
            yield RuleHit(item, f"it is configured as {same[0].label} is: two for {where}")
    for several in unsure.values():
        if len(several) > 1:
            msg = (
                f"whether {several[0].label} and {several[1].label} are for one Region is not known"
            )
            raise Unresolved(msg)
