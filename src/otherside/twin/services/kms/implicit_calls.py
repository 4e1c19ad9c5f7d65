"""KMS permissions that a call implies: how a service uses a customer's key for its caller.

https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html and similar pages
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.gateway.protocol import ApiCall, Params

Need = tuple[str, str, str]
"""A KMS action, the key's ARN, and the service that uses the key."""
Find = Callable[[Mapping[str, Any], str, str], str | None]


def _table(params: Params, region: str, account: str) -> str | None:
    name = str(params.get("TableName", "")).rpartition("/")[2]
    table = moto_backend.dynamodb(account, region).tables.get(name)
    return (table.sse_specification or {}).get("KMSMasterKeyId") if table else None


def _topic(params: Params, region: str, account: str) -> str | None:
    topic = moto_backend.sns(account, region).topics.get(str(params.get("TopicArn")))
    return topic.kms_master_key_id if topic else None


def _queue(params: Params, region: str, account: str) -> str | None:
    name = str(params.get("QueueUrl", "")).rpartition("/")[2]
    queue = moto_backend.sqs(account, region).queues.get(name)
    return getattr(queue, "kms_master_key_id", None) if queue else None


def _secret(params: Params, region: str, account: str) -> str | None:
    found = moto_backend.secretsmanager(account, region).secrets.get(str(params.get("SecretId")))
    return getattr(found, "kms_key_id", None) if found else None


def _object(params: Params, _region: str, account: str) -> str | None:
    bucket = moto_backend.s3(account).buckets.get(str(params.get("Bucket")))
    rules = (getattr(bucket, "encryption", None) or {}).get("Rule", {})
    rule = rules[0] if isinstance(rules, list) else rules
    default = rule.get("ApplyServerSideEncryptionByDefault", {}) if rule else {}
    return default.get("KMSMasterKeyID")


NEEDS: Mapping[tuple[str, str], tuple[Find, Sequence[str]]] = {
    **{
        ("dynamodb", name): (_table, ("kms:Decrypt",))
        for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")
    },
    ("sns", "Publish"): (_topic, ("kms:GenerateDataKey", "kms:Decrypt")),
    ("sqs", "SendMessage"): (_queue, ("kms:GenerateDataKey", "kms:Decrypt")),
    ("sqs", "ReceiveMessage"): (_queue, ("kms:Decrypt",)),
    ("secretsmanager", "GetSecretValue"): (_secret, ("kms:Decrypt",)),
    ("secretsmanager", "PutSecretValue"): (_secret, ("kms:GenerateDataKey", "kms:Decrypt")),
    ("s3", "GetObject"): (_object, ("kms:Decrypt",)),
    ("s3", "PutObject"): (_object, ("kms:GenerateDataKey",)),
}


def kms_calls_of(account: str) -> Callable[[ApiCall, str], list[Need]]:
    """Return a function that lists the KMS permissions that a call also needs."""

    def behind(call: ApiCall, region: str) -> list[Need]:
        known = NEEDS.get((call.service, call.operation))
        if known is None:
            return []
        find, actions = known
        key = find(call.params, region, account)
        if not key or str(key).startswith("alias/aws/") or "alias/aws/" in str(key):
            return []
        arn = str(key)
        if not arn.startswith("arn:"):
            arn = f"arn:aws:kms:{region}:{account}:key/{arn}"
        return [(action, arn, call.service) for action in actions]

    return behind
