"""A database password is hardcoded.

## Why
Anyone who can read the repository can open the database, and changing the password takes a
deployment, which a disaster rules out. A parameter's default is in the code just like a literal,
with or without `NoEcho` or `sensitive`.

## Fix
Generate the password in Secrets Manager, replicate the secret to the standby Region, and have the
application authenticate with IAM.

```python
password = aws.secretsmanager.get_random_password_output(password_length=40)
aws.rds.Cluster("primary", master_password_wo=password.random_password, master_password_wo_version=1)
```

```hcl
ephemeral "random_password" "db" { length = 40 }
resource "aws_rds_cluster" "primary" {
  master_password_wo         = ephemeral.random_password.db.result
  master_password_wo_version = 1
}
```

```yaml
MasterUserPassword: !Sub "{{resolve:secretsmanager:${DbSecret}:SecretString:password}}"
```

## Impact
RTO: a leaked password must be changed in both Regions before the database can be trusted again.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/secretsmanager/latest/userguide/best-practices.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Password, PasswordOrigin, Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule

_PLACES = {
    "rds.cluster": ("master_password",),
    "rds.instance": ("password",),
    "docdb.cluster": ("master_password",),
    "redshift.cluster": ("master_password",),
    "elasticache.replication_group": ("auth_token",),
    "secretsmanager.secret_version": ("secret_string", "secret_string_wo"),
    "lambda.function": ("environment",),
    "ecs.task_definition": ("container_definitions",),
    "ssm.parameter": ("value",),
    "module.call": ("secrets",),
    "boot.script": ("secrets",),
}
_SAID = {
    PasswordOrigin.LITERAL: "{what} is a literal in {where}",
    PasswordOrigin.DEFAULT: "{what} is {where}, and so in the code",
    PasswordOrigin.PLAIN: "{what} is kept in {where}, which anybody with read access can see",
}


@rule(
    "DR001",
    severity=Severity.CRITICAL,
    on=tuple(_PLACES),
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 CC6.1", "PCI DSS 8.6.2", "HIPAA 164.312(d)", "NIST IA-5(7)"),
)
def hardcoded_database_password(graph: Graph, resource: Resource) -> Iterator[str]:
    hidden = ""
    for path in _PLACES[resource.kind]:
        for name, given in _named(resource, path):
            held = _plain_parameter(graph, given)
            if held.kept in _SAID:
                what = name if name.isupper() else f"the {name.replace('_', ' ')}"
                yield _SAID[held.kept].format(what=what, where=held.where or "the code")
            elif held.kept is PasswordOrigin.HIDDEN:
                hidden = name
    if hidden:
        msg = f"{hidden.replace('_', ' ')} of {resource.label} is secret; whether it is a literal is not shown"
        raise Unresolved(msg)


def _named(resource: Resource, path: str) -> Iterator[tuple[str, Password]]:
    """Yield the passwords below an attribute, each with the name that it has there."""
    value = resource[path]
    if resource.kind == "ssm.parameter" and resource["type"] in {"String", "StringList"}:
        return  # the path of a script, an AMI: whoever keeps a password in one is told by its user
    for held in value if isinstance(value, list) else [value]:
        inner = (
            held.get("environment") if isinstance(held, dict) and "environment" in held else held
        )
        named = inner.items() if isinstance(inner, dict) else [(path, inner)]
        for name, given in named:
            if isinstance(given, Password):
                yield name, given


def _plain_parameter(graph: Graph, held: Password) -> Password:
    """Return a password; one from a parameter that is not a SecureString is kept in plain sight."""
    parameter = graph.resources.get(held.where) if held.kept is PasswordOrigin.GIVEN else None
    if parameter is None or parameter.kind != "ssm.parameter":
        return held
    if parameter["type"] in {"String", "StringList"}:
        return Password(PasswordOrigin.PLAIN, f"the plain SSM parameter {parameter.name}")
    return held
