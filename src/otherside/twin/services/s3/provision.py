"""Creates the S3 resources of a program, as Pulumi's AWS provider would."""

import hashlib
from typing import Any

from otherside.twin.deploy.archive import archive_of
from otherside.twin.deploy.creation import Birth, ProvisionError


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
