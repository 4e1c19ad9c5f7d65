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

from otherside.check.analysis.namesakes import name_but_for_region, stem
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
    where = [replica.get("region") for replica in replicas or ()]
    if sides.standby in where:
        return
    for region in where:
        require_known(region)
    for other in graph.of("secretsmanager.secret", region=sides.standby):
        if stem(other) == stem(secret):
            return
        names = [name_but_for_region(item) for item in (secret, other)]
        if names[0] and names[0] == names[1]:
            return
        if secret["name"] is not None and other["name"] is not None and "" in names:
            secret.known("name")
            other.known("name")
    yield f"{sides.standby} has no copy of it"
