"""Creates the SQS resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth

_QUEUE = {
    "kmsMasterKeyId": "KmsMasterKeyId",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "policy": "Policy",
}


def _queue(birth: Birth) -> str:
    attributes = {
        name: str(birth.inputs[key]) for key, name in _QUEUE.items() if birth.inputs.get(key)
    }
    name = birth.name(limit=80)
    made = birth.call(
        "sqs",
        "CreateQueue",
        drop=("name", *_QUEUE),
        QueueName=name,
        Attributes=attributes or None,
    )
    arn = f"arn:aws:sqs:{birth.region}:{birth.account}:{name}"
    birth.outputs |= {"arn": arn, "url": made["QueueUrl"], "name": name}
    return str(made["QueueUrl"])


def _queue_policy(birth: Birth) -> str:
    birth.ask(
        "sqs",
        "SetQueueAttributes",
        QueueUrl=birth.inputs["queueUrl"],
        Attributes={"Policy": birth.inputs["policy"]},
    )
    return str(birth.inputs["queueUrl"])


RESOURCE_TYPES = {
    "sqs/queue:Queue": _queue,
    "sqs/queuePolicy:QueuePolicy": _queue_policy,
}
