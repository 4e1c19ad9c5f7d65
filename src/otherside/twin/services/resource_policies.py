"""The policies attached to resources, as moto stores them."""

import json
from collections.abc import Mapping

from otherside.twin import moto_backend
from otherside.twin.gateway.authorizer import ResourcePolicies


def _region(arn: str) -> str:
    return arn.split(":")[3]


def _last(arn: str) -> str:
    return arn.rpartition(":")[2]


def _sns(arn: str, account: str) -> str | None:
    topic = moto_backend.sns(account, _region(arn)).topics.get(arn)
    return str(topic.policy) if topic else None


def _sqs(arn: str, account: str) -> str | None:
    queue = moto_backend.sqs(account, _region(arn)).queues.get(_last(arn))
    policy = queue.policy if queue else None
    if not policy:
        return None
    return json.dumps(policy) if isinstance(policy, dict) else str(policy)


def _kms(arn: str, account: str) -> str | None:
    key = moto_backend.kms(account, _region(arn)).keys.get(arn.rpartition("/")[2])
    return str(key.policy) if key and key.policy else None


def _lambda(arn: str, account: str) -> str | None:
    name = arn.partition("function:")[2].partition(":")[0]
    for list_function in moto_backend.lambda_(account, _region(arn)).list_functions():
        if list_function.function_name == name:
            statements = list_function.policy.statements
            return json.dumps({"Statement": statements}) if statements else None
    return None


def _s3(arn: str, account: str) -> str | None:
    name = arn.split(":::")[1].partition("/")[0]
    bucket = moto_backend.s3(account).buckets.get(name)
    return bucket.policy.decode() if bucket is not None and bucket.policy else None


def _events(arn: str, account: str) -> str | None:
    event_bridge = moto_backend.events(account, _region(arn)).event_buses.get(
        arn.rpartition("/")[2]
    )
    return event_bridge.policy if event_bridge is not None else None


def _secret(arn: str, account: str) -> str | None:
    found = moto_backend.secretsmanager(account, _region(arn)).secrets.get(arn)
    policy = getattr(found, "policy", None)
    return str(policy) if policy else None


def _logs(arn: str, account: str) -> str | None:
    """Return the statements of every policy of a Region: they are its log groups' in common."""
    held = moto_backend.logs(account, _region(arn)).resource_policies.values()
    statements = [
        statement
        for policy in held
        for statement in json.loads(policy.policy_document).get("Statement", [])
    ]
    return json.dumps({"Statement": statements}) if statements else None


POLICIES: Mapping[str, ResourcePolicies] = {
    "sns": _sns,
    "sqs": _sqs,
    "kms": _kms,
    "lambda": _lambda,
    "s3": _s3,
    "events": _events,
    "logs": _logs,
    "secretsmanager": _secret,
}
"""Keyed by the service in an ARN."""
