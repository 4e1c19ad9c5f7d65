"""Creates the SNS resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


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


RESOURCE_TYPES = {
    "sns/topic:Topic": _topic,
    "sns/topicPolicy:TopicPolicy": _topic_policy,
    "sns/topicSubscription:TopicSubscription": _subscription,
}
