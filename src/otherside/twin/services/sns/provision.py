"""Create a Pulumi program's SNS resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _topic(creation: ResourceCreation) -> str:
    attributes = {
        name: str(creation.inputs[key])
        for key, name in (
            ("kmsMasterKeyId", "KmsMasterKeyId"),
            ("policy", "Policy"),
            ("displayName", "DisplayName"),
        )
        if creation.inputs.get(key)
    }
    made = creation.call(
        "sns",
        "CreateTopic",
        drop=("name", "kmsMasterKeyId", "policy", "displayName"),
        Name=creation.name(),
        Attributes=attributes or None,
    )
    creation.outputs |= {"arn": made["TopicArn"], "name": creation.name()}
    return str(made["TopicArn"])


def _topic_policy(creation: ResourceCreation) -> str:
    creation.ask(
        "sns",
        "SetTopicAttributes",
        TopicArn=creation.inputs["arn"],
        AttributeName="Policy",
        AttributeValue=creation.inputs["policy"],
    )
    return str(creation.inputs["arn"])


def _subscription(creation: ResourceCreation) -> str:
    made = creation.call(
        "sns",
        "Subscribe",
        rename={"topic": "TopicArn"},
        drop=("endpointAutoConfirms",),
        ReturnSubscriptionArn=True,
    )
    creation.outputs["arn"] = made["SubscriptionArn"]
    return str(made["SubscriptionArn"])


RESOURCE_TYPES = {
    "sns/topic:Topic": _topic,
    "sns/topicPolicy:TopicPolicy": _topic_policy,
    "sns/topicSubscription:TopicSubscription": _subscription,
}
