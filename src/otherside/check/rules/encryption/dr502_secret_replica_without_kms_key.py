"""A secret's replica uses an AWS managed key, but the secret does not.

## Why
A replica without its own key uses `aws/secretsmanager`: anyone who may read secrets in the Region
may read it, and the key policy that protects the secret does not protect its copy.

## Fix
Set a customer managed key from the replica's Region.

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
RTO: a role that the key policy allows in the primary is denied in the standby.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from collections.abc import Iterator

from otherside.check.analysis.kms_keys import aws_key, owner_of_key
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import shown
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR502",
    severity=Severity.MEDIUM,
    on="secretsmanager.secret",
    step=RecoveryStep.PROMOTE,
    controls=("SOC 2 CC6.1", "PCI DSS 3.6.1", "NIST SC-12"),
)
def secret_replica_without_kms_key(graph: Graph, secret: Resource) -> Iterator[str]:
    if aws_key(graph, secret, "kms_key_id") != "own":
        return  # the secret itself is under AWS's: see DR002
    for replica in secret["replica"] if isinstance(secret["replica"], list) else ():
        if owner_of_key(graph, secret, replica.get("kms_key_id"), "replica") != "own":
            where = shown(replica.get("region"), "a Region")
            yield f"its replica in {where} is under AWS's own key"
