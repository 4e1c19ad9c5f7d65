"""S3 where moto differs: the API gateway evaluates bucket policies, and objects replicate."""

import asyncio
import copy

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import FakeBucket, FakeKey, PermissionResult
from otherside.twin.services.base import ServiceProvider, after

SERVICE = "s3.amazonaws.com"


def _no_opinion(*_: object) -> PermissionResult:
    """Leave bucket policies to the API gateway: moto does not know conditions."""
    return PermissionResult.NEUTRAL


class S3Provider(ServiceProvider):
    """Buckets that replicate to one another."""

    def __init__(self, context: TwinContext, authorizer: Authorizer) -> None:
        self._context, self._authorizer = context, authorizer
        FakeBucket.get_permission = _no_opinion  # type: ignore[assignment,method-assign]  # its seam

    @after("s3", "PutObject", "CompleteMultipartUpload", "CopyObject", "DeleteObject")
    def written(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Replicate a written object, if a rule says so."""
        if call.operation == "DeleteObject":
            return  # delete markers do not replicate by default, deleted versions never do
        self.replicate(str(params["Bucket"]), str(params["Key"]))

    def replicate(self, bucket: str, key: str) -> None:
        """Replicate the newest version of a key, if a rule says so."""
        source = self._bucket(bucket)
        rules = _replication(source).get("Rule", []) if source else []
        rules = rules if isinstance(rules, list) else [rules]
        for rule in rules:
            if rule.get("Status") == "Enabled" and key.startswith(_prefix(rule)):
                self._context.spawn(self._replicate(bucket, key, rule), name="replicate an object")

    async def _replicate(self, bucket: str, key: str, rule: JsonObject) -> None:
        source = self._bucket(bucket)
        assert source is not None
        found = source.keys.getlist(key)
        if not found or getattr(found[-1], "replica", False):
            return  # a replica is not replicated again
        version = found[-1]
        version.replication_status = "PENDING"
        await asyncio.sleep(self._context.latency.of("object-replication"))
        name = str(rule["Destination"]["Bucket"]).rpartition(":")[2]
        target = self._bucket(name)
        if target is None:
            version.replication_status = "FAILED"  # DstBucketNotFound; never retried
            return
        while not self._context.partitions.reaches(source.region_name, target.region_name):  # noqa: ASYNC110 - threads call back
            await asyncio.sleep(1.0)  # a lost Region leaves it pending until the Region is back
        problem = self._problem(source, target, version, rule)
        if problem:
            version.replication_status = "FAILED"
            text = f"replication of s3://{bucket}/{key} failed: {problem}"
            self._context.emit("objects", source.region_name, text, bucket=bucket, key=key)
            return
        replica = copy.copy(version)
        replica.bucket_name, replica.replica = name, True
        replica.replication_status = "REPLICA"
        target.keys[key] = replica
        version.replication_status = "COMPLETED"

    def _problem(
        self,
        source: FakeBucket,
        target: FakeBucket,
        version: FakeKey,
        rule: JsonObject,
    ) -> str | None:
        """Return what prevents a replica, by AWS's own name for it."""
        role = str(_replication(source).get("Role"))
        if not self._authorizer.trusts(role, SERVICE):
            return "AssumeRoleNotPermitted"
        if not all(str(item.versioning_status).upper() == "ENABLED" for item in (source, target)):
            return "DstBucketUnversioned"
        wanted = [
            ("s3:GetReplicationConfiguration", source.arn, source.region_name),
            ("s3:GetObjectVersionForReplication", f"{source.arn}/x", source.region_name),
            ("s3:ReplicateObject", f"{target.arn}/x", target.region_name),
        ]
        for action, arn, region in wanted:
            if not self._authorizer.role_may(role, action, arn, region=region).allowed:
                return f"AccessDenied: {action}"
        if getattr(version, "encryption", None) == "aws:kms" and not _encrypted_too(rule):
            return "SseKmsEncryptedObjects is not enabled"
        return None

    def _bucket(self, name: str) -> FakeBucket | None:
        backend = moto_backend.s3(self._context.account)
        found: FakeBucket | None = backend.buckets.get(name)
        return found


def _replication(bucket: FakeBucket) -> JsonObject:
    return getattr(bucket, "replication", None) or {}  # moto sets it with the first configuration


def _prefix(rule: JsonObject) -> str:
    return str((rule.get("Filter") or {}).get("Prefix") or rule.get("Prefix") or "")


def _encrypted_too(rule: JsonObject) -> bool:
    criteria = rule.get("SourceSelectionCriteria") or {}
    return (criteria.get("SseKmsEncryptedObjects") or {}).get("Status") == "Enabled"
