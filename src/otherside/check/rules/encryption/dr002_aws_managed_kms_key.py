"""Data is encrypted under a key that AWS manages.

## Why
The policy of AWS's own key cannot be changed, so no other Region, account or service can be let in
when a recovery needs it. Copies of snapshots under such a key are refused across accounts, and
nobody can rotate it, disable it or see it used.

## Fix
Make a customer-managed key with rotation in each Region, and name it.

```python
key = aws.kms.Key("data", enable_key_rotation=True, deletion_window_in_days=30)
aws.rds.Cluster("primary", storage_encrypted=True, kms_key_id=key.arn)
```

```hcl
resource "aws_kms_key" "data" {
  enable_key_rotation     = true
  deletion_window_in_days = 30
}
resource "aws_rds_cluster" "primary" {
  storage_encrypted = true
  kms_key_id        = aws_kms_key.data.arn
}
```

```yaml
StorageEncrypted: true
KmsKeyId: !GetAtt DataKey.Arn
```

## Impact
RTO: a restore into another account or Region waits until the data is copied under another key.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html
- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.Keys.html
"""

from collections.abc import Iterator

from otherside.check.analysis.kms_keys import aws_key
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved
from otherside.check.rule import RecoveryStep, Severity, rule

_KEYS = {
    "rds.cluster": "kms_key_id",
    "rds.instance": "kms_key_id",
    "secretsmanager.secret": "kms_key_id",
    "backup.vault": "kms_key_arn",
    "sqs.queue": "kms_master_key_id",
    "sns.topic": "kms_master_key_id",
}
_ALWAYS = {"secretsmanager.secret", "backup.vault"}
"""What is always encrypted: without a key of ours, under AWS's."""


@rule(
    "DR002",
    severity=Severity.CRITICAL,
    on=(*_KEYS, "s3.encryption"),
    step=RecoveryStep.RESTORE,
    controls=(
        "SOC 2 CC6.1",
        "PCI DSS 3.6.1",
        "HIPAA 164.312(a)(2)(iv)",
        "NIST SC-12",
        "NIST SC-28",
    ),
)
def aws_managed_kms_key(graph: Graph, resource: Resource) -> Iterator[str]:
    if resource.kind == "s3.encryption":
        yield from _bucket(graph, resource)
        return
    if resource.type == "AWS::Backup::LogicallyAirGappedBackupVault":
        return  # it is under a key that AWS owns outside of the account, on purpose
    path = _KEYS[resource.kind]
    if resource.kind.startswith("rds."):
        encrypted = _encrypted(resource, path)
        if encrypted is False:
            yield "its storage is not encrypted at all"
        if not encrypted:
            return
    whose = aws_key(graph, resource, path)
    if whose == "aws":
        yield "it is under AWS's own key"
    elif whose == "none" and (resource.kind in _ALWAYS or resource.kind.startswith("rds.")):
        yield "it names no key, so it is under AWS's own"


def _encrypted(database: Resource, path: str) -> bool | None:
    """Tell whether a database is encrypted; `None` where another rule asks by which key.

    Raises:
        Undecided: If it is as its snapshot is.
    """
    keyless = database[path] is None
    is_replica = database.kind == "rds.instance" and database["replicate_source_db"] is not None
    if is_replica and keyless:
        return None  # it takes its source's, or the Region's own key: DR501 and DR502 tell
    if database["snapshot_identifier"] is not None and keyless:
        raise Unresolved(database.cannot("kms_key_id", "its snapshot's"))
    if database["storage_encrypted"] is None and keyless:
        member = database.kind == "rds.cluster" and database["global_cluster_identifier"]
        return bool(member)
    return database["storage_encrypted"] is not False


def _bucket(graph: Graph, resource: Resource) -> Iterator[str]:
    for rule_ in resource["rule"] or ():
        default = rule_.get("apply_server_side_encryption_by_default") or {}
        if default.get("sse_algorithm") not in {"aws:kms", "aws:kms:dsse"}:
            continue
        key = default.get("kms_master_key_id")
        links = [
            link.resource for link in graph.links(resource, key, "kms.alias", "data.kms_alias")
        ]
        names = [key if isinstance(key, str) else "", *(str(link["name"]) for link in links)]
        if key is None or any("alias/aws/" in name for name in names):
            yield "its objects are under AWS's own key"
