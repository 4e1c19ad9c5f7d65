"""A secret exists in the primary Region only.

## Why
When the primary fails, the application cannot read a secret that it needs to start: the standby
boots, requests the secret and stops.

## Fix
Replicate the secret to the standby Region with a key of that Region.

```python
aws.secretsmanager.Secret("database", replicas=[
    aws.secretsmanager.SecretReplicaArgs(region="us-west-2", kms_key_id=standby_key.arn)])
```

```hcl
replica {
  region     = "us-west-2"
  kms_key_id = aws_kms_key.standby.arn
}
```

```yaml
ReplicaRegions: [{Region: us-west-2, KmsKeyId: !Ref StandbyKeyArn}]
```

## Impact
RTO: the standby cannot start until an operator creates the secret by hand.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from collections.abc import Iterator

from otherside.check.analysis.sides import sides_of
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, require_known
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR505",
    severity=Severity.HIGH,
    on="secretsmanager.secret",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 A1.2", "NIST CP-9", "NIST IA-5"),
    pair=True,
    lacking=True,
)
def unreplicated_secret(graph: Graph, secret: Resource) -> Iterator[str]:
    listed = secret["replica"]
    if isinstance(listed, list) and listed and secret.region is None:
        return  # it has copies, wherever it is itself
    sides = sides_of(graph)
    if secret.required_region() != sides.primary:
        return
    replicas = secret["replica"]
    if isinstance(replicas, Unknown):
        secret.known("replica")
    if any(require_known(replica.get("region")) == sides.standby for replica in replicas or ()):
        return
    for other_secret in graph.of("secretsmanager.secret", region=sides.standby):
        if _stem(other_secret) == _stem(secret):
            return
        both = secret["name"] is not None and other_secret["name"] is not None
        if both and secret.known("name") == other_secret.known("name"):
            return
    yield f"{sides.standby} has no copy of it"


def _stem(secret: Resource) -> str:
    """Return a resource's name within its stack, which its twin in another stack shares."""
    return secret.name.rpartition("#")[2].rpartition("::")[2]
