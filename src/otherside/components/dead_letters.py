"""A dead-letter queue, and an alarm on any message in it."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.iam_policies import allow, deny_plaintext, document
from otherside.components.sites import Site

KEEP_S = 14 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettersArgs:
    """One queue, in the same Region as the rules that it serves."""

    site: Site
    key_arn: pulumi.Input[str]
    """A customer-managed key: EventBridge cannot write to a queue encrypted with SQS's own."""
    topic_arn: pulumi.Input[str]


class DeadLetters(pulumi.ComponentResource):
    """A standard queue that EventBridge rules in this Region and account may write to."""

    arn: pulumi.Output[str]
    ready: pulumi.Resource
    """The queue's policy; resources that deliver to the queue depend on it."""

    def __init__(
        self, name: str, args: DeadLettersArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the queue, its policy and its alarm."""
        super().__init__("otherside:index:DeadLetters", name, None, opts)
        here = args.site.options(self)
        queue = aws.sqs.Queue(
            name,
            name=name,
            kms_master_key_id=args.key_arn,
            message_retention_seconds=KEEP_S,
            opts=here,
        )
        rules = args.site.arn("events", "rule/*")
        self.ready = aws.sqs.QueuePolicy(
            name,
            queue_url=queue.url,
            policy=document(
                allow(
                    "Rules",
                    ["sqs:SendMessage"],
                    queue.arn,
                    principal={"Service": "events.amazonaws.com"},
                    when={"ArnLike": {"aws:SourceArn": rules}},
                ),
                deny_plaintext([queue.arn], "sqs:*"),
            ),
            opts=here,
        )
        aws.cloudwatch.MetricAlarm(
            name,
            name=name,
            alarm_description="An event could not be delivered; inspect the queue.",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": queue.name},
            statistic="Maximum",
            period=60,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[args.topic_arn],
            opts=here,
        )
        self.arn = queue.arn
        self.register_outputs({"arn": self.arn})
