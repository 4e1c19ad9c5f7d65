"""S3 replication skips objects that are encrypted with KMS.

## Why
S3 skips SSE-KMS objects unless the replication rule selects them and names a key in the destination
Region. Replication reports no error: the objects are simply missing.

## Fix
Select encrypted objects in the rule, and name the key that encrypts them in the destination.

```python
aws.s3.BucketReplicationConfigRuleArgs(status="Enabled",
    source_selection_criteria=..., # sse_kms_encrypted_objects: Enabled
    destination=...) # encryption_configuration: replica_kms_key_id
```

```hcl
source_selection_criteria {
  sse_kms_encrypted_objects { status = "Enabled" }
}
destination {
  bucket = aws_s3_bucket.standby.arn
  encryption_configuration { replica_kms_key_id = aws_kms_key.standby.arn }
}
```

```yaml
SourceSelectionCriteria: {SseKmsEncryptedObjects: {Status: Enabled}}
Destination:
  Bucket: !Ref StandbyBucketArn
  EncryptionConfiguration: {ReplicaKmsKeyID: !Ref StandbyKeyArn}
```

## Impact
RTO: no direct effect.
RPO: all encrypted objects.

## See
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import require_known
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR111",
    severity=Severity.HIGH,
    on="s3.replication",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "HIPAA 164.308(a)(7)(ii)(A)", "NIST CP-9"),
)
def replication_skips_kms_objects(graph: Graph, replication: Resource) -> Iterator[str]:
    source = graph.link(replication, "bucket", "s3.bucket")
    if source is None or not _under_kms(graph, source.resource):
        return
    for other_rule in replication["rule"] if isinstance(replication["rule"], list) else ():
        if other_rule.get("status") == "Disabled":
            continue
        criteria = (other_rule.get("source_selection_criteria") or {}).get(
            "sse_kms_encrypted_objects"
        )
        chosen = require_known((criteria or {}).get("status")) == "Enabled"
        key = ((other_rule.get("destination") or {}).get("encryption_configuration") or {}).get(
            "replica_kms_key_id"
        )
        if not chosen:
            yield "its source is under KMS, and the rule does not select encrypted objects"
        elif key is None:
            yield "it names no key for encrypted objects on the other side"


def _under_kms(graph: Graph, bucket: Resource) -> bool:
    for encryption in graph.users(bucket, "s3.encryption", "bucket"):
        for each in encryption["rule"] or ():
            default = each.get("apply_server_side_encryption_by_default") or {}
            if default.get("sse_algorithm") in {"aws:kms", "aws:kms:dsse"}:
                return True
    return False
