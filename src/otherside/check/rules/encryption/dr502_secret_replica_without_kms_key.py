"""A secret's replica is under AWS's key, and the secret is not.

## Why
A replica without a key of its own is under `aws/secretsmanager`: whoever may read secrets in the
Region may read it, and the policy that guards the secret does not guard its copy.

## Fix
Name a key of the replica's Region.

```python
replicas=[aws.secretsmanager.SecretReplicaArgs(region="us-west-2", kms_key_id=standby_key.arn)]
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
RTO: a role that is allowed the key by its policy is refused in the standby.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import strings
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR502",
    severity=Severity.MEDIUM,
    on="secretsmanager.secret",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 CC6.1", "PCI DSS 3.6.1", "NIST SC-12"),
)
def secret_replica_without_kms_key(graph: Graph, secret: Resource) -> Iterator[str]:
    del graph
    if secret["kms_key_id"] is None:
        return
    for replica in secret["replica"] if isinstance(secret["replica"], list) else ():
        key = replica.get("kms_key_id")
        if key is None or any("alias/aws/" in text for text in strings(key)):
            yield f"its replica in {replica.get('region')} is under AWS's own key"
