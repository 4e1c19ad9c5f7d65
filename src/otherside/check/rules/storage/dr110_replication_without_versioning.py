"""A replicated bucket or its replica does not have versioning enabled.

## Why
S3 replicates only between versioned buckets: without versioning on both sides, S3 rejects the
replication or it stalls, and the standby's bucket stays empty.

## Fix
Enable versioning on both buckets before configuring replication.

```python
aws.s3.BucketVersioning("standby", bucket=bucket.id,
    versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"))
```

```hcl
resource "aws_s3_bucket_versioning" "standby" {
  bucket = aws_s3_bucket.standby.id
  versioning_configuration { status = "Enabled" }
}
```

```yaml
VersioningConfiguration: {Status: Enabled}
```

## Impact
RTO: no direct effect.
RPO: every object since replication stopped, or all objects.

## See
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
"""

from collections.abc import Iterator

from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, RuleHit, Severity, rule


@rule(
    "DR110",
    severity=Severity.HIGH,
    on="s3.replication",
    step=RecoveryStep.RESTORE,
    controls=("SOC 2 A1.2", "NIST CP-9", "NIST CP-6"),
    lacking=True,
)
def replication_without_versioning(graph: Graph, replication: Resource) -> Iterator[RuleHit]:
    source = graph.link(replication, "bucket", "s3.bucket")
    buckets = [source.resource] if source is not None else []
    for other_rule in replication["rule"] if isinstance(replication["rule"], list) else ():
        target = (other_rule.get("destination") or {}).get("bucket")
        buckets += [link.resource for link in graph.links(replication, target, "s3.bucket")]
    for bucket in dict.fromkeys(buckets):
        found = graph.users(bucket, "s3.versioning", "bucket")
        if not any(versioning.known("status") == "Enabled" for versioning in found):
            yield RuleHit(bucket, "it has no versions, and S3 replicates versioned buckets only")
