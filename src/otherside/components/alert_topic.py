"""The SNS topic for one Region's alarms and notifications."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.dead_letters import DeadLetters, DeadLettersArgs
from otherside.components.iam_policies import allow, deny_plaintext, document
from otherside.components.sites import Site

NOTICE_AGE_S = 24 * 3600
"""A key is lost permanently after 30 days, so a notification may be late but must arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTopicArgs:
    """One Region's topic."""

    site: Site
    application: str
    key_arn: pulumi.Input[str]
    """A customer-managed key: alarms cannot publish to a topic encrypted with AWS's own."""
    emails: Sequence[str] = ()


class AlertTopic(pulumi.ComponentResource):
    """An encrypted topic that alarms and backups in its Region may publish to."""

    arn: pulumi.Output[str]
    """Resolves once the policy is in place, so that no alarm fires before it may publish."""

    def __init__(
        self, name: str, args: AlertTopicArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the topic, its policy and its subscriptions."""
        super().__init__("otherside:index:AlertTopic", name, None, opts)
        topic = aws.sns.Topic(
            name,
            name=f"{args.application}-alerts",
            kms_master_key_id=args.key_arn,
            opts=args.site.options(self),
        )
        account = {"StringEquals": {"aws:SourceAccount": args.site.account}}
        publish = ["sns:Publish"]
        policy = aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=document(
                allow(
                    "Alarms",
                    publish,
                    topic.arn,
                    principal={"Service": "cloudwatch.amazonaws.com"},
                    when=account,
                ),
                allow("Backups", publish, topic.arn, principal={"Service": "backup.amazonaws.com"}),
                # No condition: EventBridge supports none here, and deliveries would fail silently.
                allow("Events", publish, topic.arn, principal={"Service": "events.amazonaws.com"}),
                deny_plaintext([topic.arn], "sns:Publish"),
            ),
            opts=args.site.options(self),
        )
        for number, email in enumerate(args.emails):
            aws.sns.TopicSubscription(
                f"{name}-{number}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=args.site.options(self),
            )
        self.arn = policy.arn
        self._tell_of_lost_keys(name, args)
        self.register_outputs({"arn": self.arn})

    def _tell_of_lost_keys(self, name: str, args: AlertTopicArgs) -> None:
        """Declare the notification for a key that is disabled or scheduled for deletion.

        A database is lost with its key. CloudTrail delivers the calls, where it is enabled.
        """
        rule = aws.cloudwatch.EventRule(
            f"{name}-keys",
            name=f"{args.application}-lost-keys",
            description="A key was disabled or scheduled for deletion",
            event_pattern=json.dumps(
                {
                    "source": ["aws.kms"],
                    "detail-type": ["AWS API Call via CloudTrail"],
                    "detail": {
                        "eventSource": ["kms.amazonaws.com"],
                        "eventName": ["DisableKey", "ScheduleKeyDeletion"],
                    },
                }
            ),
            opts=args.site.options(self),
        )
        dead = DeadLetters(
            f"{args.application}-{args.site.region}-notices",
            DeadLettersArgs(site=args.site, key_arn=args.key_arn, topic_arn=self.arn),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-keys",
            rule=rule.name,
            event_bus_name="default",
            target_id="alerts",
            arn=self.arn,
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=dead.arn),
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=NOTICE_AGE_S, maximum_retry_attempts=20
            ),
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=[dead.ready])),
        )
