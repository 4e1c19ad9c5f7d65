"""Create a Pulumi program's S3 resources, as Pulumi's AWS provider would."""

import hashlib
from typing import Any

from otherside.twin.deploy.archive import archive_of
from otherside.twin.deploy.creation import ProvisionError, ResourceCreation


def _bucket(creation: ResourceCreation) -> str:
    name = creation.name("bucket", limit=63)
    where = (
        {}
        if creation.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": creation.region}}
    )
    unknown = set(creation.inputs) - {
        "bucket",
        "tags",
        "region",
        "forceDestroy",
        "objectLockEnabled",
    }
    if unknown:
        msg = f"the twin does not honour {', '.join(sorted(unknown))}; use their own resources"
        raise ProvisionError(msg)
    creation.ask("s3", "CreateBucket", Bucket=name, **where)
    creation.outputs |= {
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{creation.region}.amazonaws.com",
    }
    return name


def _configuration(operation: str, parameter: str, *inputs: str, **rename: str) -> Any:  # noqa: ANN401 - a handler
    """Return a handler that applies one configuration to a bucket."""

    def handler(creation: ResourceCreation) -> str:
        bucket = creation.inputs["bucket"]
        given = {key: creation.inputs[key] for key in inputs if key in creation.inputs}
        creation.inputs = {"bucket": bucket, parameter: given}
        names = {f"{parameter}.{key}": name for key, name in rename.items()}
        creation.call("s3", operation, rename=names)
        return str(bucket)

    return handler


def _versioning(creation: ResourceCreation) -> str:
    creation.call("s3", "PutBucketVersioning")
    return str(creation.inputs["bucket"])


def _bucket_policy(creation: ResourceCreation) -> str:
    creation.call("s3", "PutBucketPolicy")
    return str(creation.inputs["bucket"])


def _public_access(creation: ResourceCreation) -> str:
    bucket = str(creation.inputs["bucket"])
    flags = {
        key: value for key, value in creation.inputs.items() if key not in {"bucket", "region"}
    }
    creation.inputs = {"bucket": bucket, "publicAccessBlockConfiguration": flags}
    creation.call("s3", "PutPublicAccessBlock")
    return bucket


def _encryption(creation: ResourceCreation) -> str:
    bucket = str(creation.inputs["bucket"])
    rules = []
    for rule in creation.inputs["rules"]:
        default = rule.get("applyServerSideEncryptionByDefault") or {}
        made = {"SSEAlgorithm": default.get("sseAlgorithm", "AES256")}
        if default.get("kmsMasterKeyId"):
            made["KMSMasterKeyID"] = default["kmsMasterKeyId"]
        enabled = bool(rule.get("bucketKeyEnabled", False))
        rules.append({"ApplyServerSideEncryptionByDefault": made, "BucketKeyEnabled": enabled})
    creation.ask(
        "s3",
        "PutBucketEncryption",
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": rules},
    )
    return bucket


def _ownership(creation: ResourceCreation) -> str:
    bucket = str(creation.inputs["bucket"])
    rule = {"ObjectOwnership": creation.inputs["rule"]["objectOwnership"]}
    creation.ask(
        "s3", "PutBucketOwnershipControls", Bucket=bucket, OwnershipControls={"Rules": [rule]}
    )
    return bucket


def _replication(creation: ResourceCreation) -> str:
    bucket, role = creation.inputs["bucket"], creation.inputs["role"]
    creation.inputs = {
        "bucket": bucket,
        "replicationConfiguration": {"role": role, "rules": creation.inputs["rules"]},
    }
    creation.call(
        "s3",
        "PutBucketReplication",
        rename={"replicationConfiguration.rules.destination.bucket": "Bucket"},
    )
    return str(bucket)


def _object(creation: ResourceCreation) -> str:
    content = archive_of(creation.inputs["source"]) if "source" in creation.inputs else None
    if content is None:
        content = str(creation.inputs.get("content", "")).encode()
    made = creation.ask(
        "s3",
        "PutObject",
        Bucket=creation.inputs["bucket"],
        Key=creation.inputs["key"],
        Body=content,
    )
    digest = hashlib.md5(content).hexdigest()  # noqa: S324 - S3's ETag
    creation.outputs |= {"versionId": made.get("VersionId", ""), "etag": digest}
    return f"{creation.inputs['bucket']}/{creation.inputs['key']}"


RESOURCE_TYPES = {
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
