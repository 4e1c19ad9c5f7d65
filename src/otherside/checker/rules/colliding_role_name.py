"""Two stacks make a role of the same name.

## Why
IAM is global: one account has one role of a name. The template that works in the first Region fails
in the second, on the day that the standby is built or rebuilt.

## Fix
Leave the name out, or put the Region into it.

```python
aws.iam.Role("failover") # Pulumi adds what makes it unique
```

```hcl
name_prefix = "failover-"
```

```yaml
RoleName: !Sub "failover-${AWS::Region}"
```

## Impact
RTO: the standby cannot be deployed.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-iam-role.html
"""

from collections.abc import Iterator

from otherside.checker.graph import Graph, Resource
from otherside.checker.rule import Severity, Step, rule


@rule(
    "DR508",
    severity=Severity.MEDIUM,
    on="iam.role",
    step=Step.RESTORE,
    controls=("SOC 2 CC8.1", "NIST CP-7"),
)
def colliding_role_name(graph: Graph, role: Resource) -> Iterator[str]:
    name = role["name"]
    if not isinstance(name, str):
        return
    names = graph.memory.get("role_names")
    if names is None:
        names = graph.memory["role_names"] = {}
        for one in graph.of("iam.role"):
            if isinstance(one["name"], str):
                names.setdefault(one["name"], one)
    first = names[name]
    if first is not role:
        yield f"{first.label} is called {name}, too"
