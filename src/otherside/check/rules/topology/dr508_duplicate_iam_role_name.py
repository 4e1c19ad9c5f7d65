"""Two stacks create an IAM role with the same name.

## Why
IAM is global: a role name is unique in an account. A template that works in the first Region fails
in the second, on the day you build or rebuild the standby.

## Fix
Omit the name, or include the Region in it.

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
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-iam-role.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR508",
    severity=Severity.MEDIUM,
    on="iam.role",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 CC8.1", "NIST CP-7"),
)
def duplicate_iam_role_name(graph: Graph, role: Resource) -> Iterator[str]:
    name = role["name"]
    if not isinstance(name, str):
        return
    first = graph.memoize("roles", lambda: _first_named(graph))[name, _account(graph, role)]
    if first is not role:
        yield f"{first.label} is called {name}, too"


def _first_named(graph: Graph) -> dict[tuple[str, str], Resource]:
    """Return the first role for each name in each account."""
    roles = [role for role in graph.of("iam.role") if isinstance(role["name"], str)]
    return {(role["name"], _account(graph, role)): role for role in reversed(roles)}


def _account(graph: Graph, role: Resource) -> str:
    """Return what tells the account that a role is made in: the role that its provider assumes."""

    def index() -> dict[tuple[str, str], str]:
        return {
            (provider.stack, provider.label.removeprefix("provider.")): repr(
                (provider.attributes.get("settings") or {}).get("assume_role", "")
            )
            for provider in graph.of("provider")
        }

    return graph.memoize("accounts of providers", index).get((role.stack, role.provider), "")
