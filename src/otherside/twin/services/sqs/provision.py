"""Create a Pulumi program's SQS resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation

_QUEUE = {
    "kmsMasterKeyId": "KmsMasterKeyId",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "policy": "Policy",
}


def _queue(creation: ResourceCreation) -> str:
    attributes = {
        name: str(creation.inputs[key]) for key, name in _QUEUE.items() if creation.inputs.get(key)
    }
    name = creation.name(limit=80)
    made = creation.call(
        "sqs",
        "CreateQueue",
        drop=("name", *_QUEUE),
        QueueName=name,
        Attributes=attributes or None,
    )
    arn = f"arn:aws:sqs:{creation.region}:{creation.account}:{name}"
    creation.outputs |= {"arn": arn, "url": made["QueueUrl"], "name": name}
    return str(made["QueueUrl"])


def _queue_policy(creation: ResourceCreation) -> str:
    creation.ask(
        "sqs",
        "SetQueueAttributes",
        QueueUrl=creation.inputs["queueUrl"],
        Attributes={"Policy": creation.inputs["policy"]},
    )
    return str(creation.inputs["queueUrl"])


RESOURCE_TYPES = {
    "sqs/queue:Queue": _queue,
    "sqs/queuePolicy:QueuePolicy": _queue_policy,
}
