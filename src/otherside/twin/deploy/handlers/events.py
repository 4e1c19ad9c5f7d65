"""Events and messages: EventBridge, SNS, SQS, Scheduler."""

from otherside.twin.deploy.creation import Birth


def _bus(birth: Birth) -> str:
    made = birth.call("events", "CreateEventBus")
    birth.outputs |= {"arn": made["EventBusArn"], "name": birth.inputs["name"]}
    return str(birth.inputs["name"])


def _bus_policy(birth: Birth) -> str:
    birth.call("events", "PutPermission")
    return str(birth.inputs.get("eventBusName", "default"))


def _rule(birth: Birth) -> str:
    name = birth.name()
    made = birth.call("events", "PutRule", drop=("name", "forceDestroy"), Name=name)
    birth.outputs |= {"arn": made["RuleArn"], "name": name}
    return name


def _target(birth: Birth) -> str:
    inputs = birth.inputs
    target = {
        key: value
        for key, value in inputs.items()
        if key not in {"rule", "eventBusName", "targetId", "region", "tags", "forceDestroy"}
    }
    name = birth.name("targetId")
    birth.inputs = {
        "rule": inputs["rule"],
        "eventBusName": inputs.get("eventBusName"),
        "targets": [{**target, "id": name}],
    }
    made = birth.call("events", "PutTargets")
    if made.get("FailedEntryCount"):
        raise ValueError(made["FailedEntries"][0]["ErrorMessage"])
    return f"{inputs['rule']}-{name}"


def _topic(birth: Birth) -> str:
    attributes = {
        name: str(birth.inputs[key])
        for key, name in (
            ("kmsMasterKeyId", "KmsMasterKeyId"),
            ("policy", "Policy"),
            ("displayName", "DisplayName"),
        )
        if birth.inputs.get(key)
    }
    made = birth.call(
        "sns",
        "CreateTopic",
        drop=("name", "kmsMasterKeyId", "policy", "displayName"),
        Name=birth.name(),
        Attributes=attributes or None,
    )
    birth.outputs |= {"arn": made["TopicArn"], "name": birth.name()}
    return str(made["TopicArn"])


def _topic_policy(birth: Birth) -> str:
    birth.ask(
        "sns",
        "SetTopicAttributes",
        TopicArn=birth.inputs["arn"],
        AttributeName="Policy",
        AttributeValue=birth.inputs["policy"],
    )
    return str(birth.inputs["arn"])


def _subscription(birth: Birth) -> str:
    made = birth.call(
        "sns",
        "Subscribe",
        rename={"topic": "TopicArn"},
        drop=("endpointAutoConfirms",),
        ReturnSubscriptionArn=True,
    )
    birth.outputs["arn"] = made["SubscriptionArn"]
    return str(made["SubscriptionArn"])


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


HANDLERS = {
    "cloudwatch/eventBus:EventBus": _bus,
    "cloudwatch/eventBusPolicy:EventBusPolicy": _bus_policy,
    "cloudwatch/eventRule:EventRule": _rule,
    "cloudwatch/eventTarget:EventTarget": _target,
    "sns/topic:Topic": _topic,
    "sns/topicPolicy:TopicPolicy": _topic_policy,
    "sns/topicSubscription:TopicSubscription": _subscription,
    "sqs/queue:Queue": _queue,
    "sqs/queuePolicy:QueuePolicy": _queue_policy,
}
