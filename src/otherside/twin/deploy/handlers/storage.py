"""Objects and backups: S3 and AWS Backup."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pulumi

from otherside.twin.deploy.creation import Birth, ProvisionError


def archive_of(value: Any) -> bytes:  # noqa: ANN401 - Pulumi's asset or archive
    """Return an archive or an asset as the bytes that Pulumi would upload."""
    if isinstance(value, pulumi.FileAsset):
        return Path(str(value.path)).read_bytes()
    if isinstance(value, pulumi.StringAsset):
        return str(value.text).encode()
    if isinstance(value, pulumi.FileArchive) and Path(str(value.path)).is_file():
        return Path(str(value.path)).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_files(value)):
            entry = zipfile.ZipInfo(name)  # of 1980: the same files are the same archive
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _files(value: Any, prefix: str = "") -> list[tuple[str, bytes]]:  # noqa: ANN401 - as above
    if isinstance(value, pulumi.FileArchive):
        root = Path(str(value.path))
        return [
            (f"{prefix}{one.relative_to(root).as_posix()}", one.read_bytes())
            for one in sorted(root.rglob("*"))
            if one.is_file() and "__pycache__" not in one.parts
        ]
    if isinstance(value, pulumi.AssetArchive):
        found: list[tuple[str, bytes]] = []
        for name, one in value.assets.items():
            nested = isinstance(one, pulumi.Archive)
            path = "" if name == "." else f"{prefix}{name}"
            found += _files(one, f"{path}/" if nested and path else path)
        return found
    return [(prefix, archive_of(value))]


def _bucket(birth: Birth) -> str:
    name = birth.name("bucket", limit=63)
    where = (
        {}
        if birth.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": birth.region}}
    )
    unknown = set(birth.inputs) - {"bucket", "tags", "region", "forceDestroy", "objectLockEnabled"}
    if unknown:
        msg = f"the twin does not honour {', '.join(sorted(unknown))}; use their own resources"
        raise ProvisionError(msg)
    birth.ask("s3", "CreateBucket", Bucket=name, **where)
    birth.outputs |= {
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{birth.region}.amazonaws.com",
    }
    return name


def _configuration(operation: str, parameter: str, *inputs: str, **rename: str) -> Any:  # noqa: ANN401 - whatever AWS or JSON has
    """Return a handler that puts one configuration onto a bucket."""

    def handler(birth: Birth) -> str:
        bucket = birth.inputs["bucket"]
        given = {key: birth.inputs[key] for key in inputs if key in birth.inputs}
        birth.inputs = {"bucket": bucket, parameter: given}
        names = {f"{parameter}.{key}": name for key, name in rename.items()}
        birth.call("s3", operation, rename=names)
        return str(bucket)

    return handler


def _versioning(birth: Birth) -> str:
    birth.call("s3", "PutBucketVersioning")
    return str(birth.inputs["bucket"])


def _bucket_policy(birth: Birth) -> str:
    birth.call("s3", "PutBucketPolicy")
    return str(birth.inputs["bucket"])


def _public_access(birth: Birth) -> str:
    bucket = str(birth.inputs["bucket"])
    flags = {key: value for key, value in birth.inputs.items() if key not in {"bucket", "region"}}
    birth.inputs = {"bucket": bucket, "publicAccessBlockConfiguration": flags}
    birth.call("s3", "PutPublicAccessBlock")
    return bucket


def _encryption(birth: Birth) -> str:
    bucket = str(birth.inputs["bucket"])
    rules = []
    for rule in birth.inputs["rules"]:
        default = rule.get("applyServerSideEncryptionByDefault") or {}
        made = {"SSEAlgorithm": default.get("sseAlgorithm", "AES256")}
        if default.get("kmsMasterKeyId"):
            made["KMSMasterKeyID"] = default["kmsMasterKeyId"]
        enabled = bool(rule.get("bucketKeyEnabled", False))
        rules.append({"ApplyServerSideEncryptionByDefault": made, "BucketKeyEnabled": enabled})
    birth.ask(
        "s3",
        "PutBucketEncryption",
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": rules},
    )
    return bucket


def _ownership(birth: Birth) -> str:
    bucket = str(birth.inputs["bucket"])
    rule = {"ObjectOwnership": birth.inputs["rule"]["objectOwnership"]}
    birth.ask(
        "s3", "PutBucketOwnershipControls", Bucket=bucket, OwnershipControls={"Rules": [rule]}
    )
    return bucket


def _replication(birth: Birth) -> str:
    bucket, role = birth.inputs["bucket"], birth.inputs["role"]
    birth.inputs = {
        "bucket": bucket,
        "replicationConfiguration": {"role": role, "rules": birth.inputs["rules"]},
    }
    birth.call(
        "s3",
        "PutBucketReplication",
        rename={"replicationConfiguration.rules.destination.bucket": "Bucket"},
    )
    return str(bucket)


def _object(birth: Birth) -> str:
    content = archive_of(birth.inputs["source"]) if "source" in birth.inputs else None
    if content is None:
        content = str(birth.inputs.get("content", "")).encode()
    made = birth.ask(
        "s3",
        "PutObject",
        Bucket=birth.inputs["bucket"],
        Key=birth.inputs["key"],
        Body=content,
    )
    digest = hashlib.md5(content).hexdigest()  # noqa: S324 - what S3 calls an ETag
    birth.outputs |= {"versionId": made.get("VersionId", ""), "etag": digest}
    return f"{birth.inputs['bucket']}/{birth.inputs['key']}"


def _vault(birth: Birth) -> str:
    name = birth.name()
    made = birth.call(
        "backup",
        "CreateBackupVault",
        rename={"kmsKeyArn": "EncryptionKeyArn"},
        drop=("name", "forceDestroy"),
        BackupVaultTags=birth.tags,
        BackupVaultName=name,
    )
    birth.outputs |= {"arn": made["BackupVaultArn"], "name": name}
    return name


def _vault_lock(birth: Birth) -> str:
    birth.call("backup", "PutBackupVaultLockConfiguration")
    return str(birth.inputs["backupVaultName"])


def _vault_notifications(birth: Birth) -> str:
    birth.call(
        "backup",
        "PutBackupVaultNotifications",
        rename={"snsTopicArn": "SNSTopicArn", "backupVaultEvents": "BackupVaultEvents"},
    )
    return str(birth.inputs["backupVaultName"])


def _plan(birth: Birth) -> str:
    name = birth.name()
    birth.inputs = {"backupPlan": {"backupPlanName": name, "rules": birth.inputs["rules"]}}
    made = birth.call(
        "backup",
        "CreateBackupPlan",
        rename={
            "backupPlan.rules.schedule": "ScheduleExpression",
            "backupPlan.rules.targetVaultName": "TargetBackupVaultName",
            "backupPlan.rules.startWindow": "StartWindowMinutes",
            "backupPlan.rules.completionWindow": "CompletionWindowMinutes",
            "backupPlan.rules.lifecycle.deleteAfter": "DeleteAfterDays",
            "backupPlan.rules.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
            "backupPlan.rules.copyActions.destinationVaultArn": "DestinationBackupVaultArn",
            "backupPlan.rules.copyActions.lifecycle.deleteAfter": "DeleteAfterDays",
            "backupPlan.rules.copyActions.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
        },
        BackupPlanTags=birth.tags,
    )
    birth.outputs |= {
        "arn": made["BackupPlanArn"],
        "name": name,
        "version": made["VersionId"],
    }
    return str(made["BackupPlanId"])


def _selection(birth: Birth) -> str:
    inputs = birth.inputs
    plan = inputs["planId"]
    birth.inputs = {
        "backupPlanId": plan,
        "backupSelection": {
            "selectionName": birth.name(),
            **{key: inputs[key] for key in ("iamRoleArn", "resources") if key in inputs},
        },
    }
    return str(birth.call("backup", "CreateBackupSelection")["SelectionId"])


def _region_settings(birth: Birth) -> str:
    birth.call("backup", "UpdateRegionSettings")
    return birth.region


def _restore_plan(birth: Birth) -> str:
    name = birth.name()
    birth.inputs = {
        "restoreTestingPlan": {**birth.inputs, "restoreTestingPlanName": name},
    }
    made = birth.call(
        "backup",
        "CreateRestoreTestingPlan",
        drop=("restoreTestingPlan.name", "restoreTestingPlan.tags", "restoreTestingPlan.region"),
    )
    birth.outputs |= {"arn": made["RestoreTestingPlanArn"], "name": name}
    return name


def _restore_selection(birth: Birth) -> str:
    plan, name = birth.inputs["restoreTestingPlanName"], birth.name()
    inside = {
        key: value
        for key, value in birth.inputs.items()
        if key not in {"name", "restoreTestingPlanName", "region", "tags"}
    }
    birth.inputs = {
        "restoreTestingPlanName": plan,
        "restoreTestingSelection": {**inside, "restoreTestingSelectionName": name},
    }
    birth.call("backup", "CreateRestoreTestingSelection")
    return f"{name}:{plan}"


HANDLERS = {
    "backup/plan:Plan": _plan,
    "backup/regionSettings:RegionSettings": _region_settings,
    "backup/restoreTestingPlan:RestoreTestingPlan": _restore_plan,
    "backup/restoreTestingSelection:RestoreTestingSelection": _restore_selection,
    "backup/selection:Selection": _selection,
    "backup/vault:Vault": _vault,
    "backup/vaultLockConfiguration:VaultLockConfiguration": _vault_lock,
    "backup/vaultNotifications:VaultNotifications": _vault_notifications,
    "s3/bucket:Bucket": _bucket,
    "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _configuration(
        "PutBucketLifecycleConfiguration", "lifecycleConfiguration", "rules"
    ),
    "s3/bucketObjectv2:BucketObjectv2": _object,
    "s3/bucketOwnershipControls:BucketOwnershipControls": _ownership,
    "s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _public_access,
    "s3/bucketReplicationConfig:BucketReplicationConfig": _replication,
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        _encryption
    ),
    "s3/bucketVersioning:BucketVersioning": _versioning,
}
