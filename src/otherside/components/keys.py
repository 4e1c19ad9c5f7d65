"""Customer-managed keys of one Region, with the policies that let AWS services use them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi
import pulumi_aws as aws

from otherside.components.iam_policies import Statement, allow, document
from otherside.components.sites import Site

DELETION_WINDOW_DAYS = 30
"""The longest that KMS offers: an Aurora cluster without its key is lost permanently."""
ROTATION_DAYS = 365


class Purpose(StrEnum):
    """What a key protects; it also names the key's alias."""

    DATA = "data"
    """Aurora, DynamoDB and instance volumes."""
    SECRETS = "secrets"
    LOGS = "logs"
    MESSAGING = "messaging"
    """Topics, queues and the event bus."""
    BACKUP = "backup"
    OBJECTS = "objects"
    """S3 buckets."""


_SHARED = {
    Purpose.DATA: "storage",
    Purpose.SECRETS: "storage",
    Purpose.BACKUP: "storage",
    Purpose.OBJECTS: "storage",
    Purpose.LOGS: "telemetry",
    Purpose.MESSAGING: "telemetry",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysArgs:
    """Which keys one Region gets."""

    site: Site
    application: str
    """Prefix of the aliases: `alias/orders-prod-data`."""
    purposes: Sequence[Purpose] = tuple(Purpose)
    per_purpose: bool = True
    """One key for each purpose instead of one for storage and one for telemetry."""
    protect: bool = True


class Keys(pulumi.ComponentResource):
    """Customer-managed keys of one Region: rotated, with key policies, and slow to delete.

    They are single-Region keys: every service re-encrypts with the key of the Region that it
    writes to, and a mistake with one key stays in one Region.
    """

    def __init__(
        self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the keys and their aliases."""
        super().__init__("otherside:index:Keys", name, None, opts)
        self._arns: dict[Purpose, pulumi.Output[str]] = {}
        groups: dict[str, list[Purpose]] = {}
        for purpose in args.purposes:
            group = purpose if args.per_purpose else _SHARED[purpose]
            groups.setdefault(group, []).append(purpose)
        keep = pulumi.ResourceOptions(protect=args.protect, retain_on_delete=args.protect)
        for group, purposes in groups.items():
            key = aws.kms.Key(
                f"{name}-{group}",
                description=f"{args.application}: {', '.join(purposes)} in {args.site.region}",
                enable_key_rotation=True,
                rotation_period_in_days=ROTATION_DAYS,
                deletion_window_in_days=DELETION_WINDOW_DAYS,
                policy=key_policy(args.site, purposes),
                opts=args.site.options(self, keep),
            )
            aws.kms.Alias(
                f"{name}-{group}",
                name=f"alias/{args.application}-{group}",
                target_key_id=key.id,
                opts=args.site.options(self),
            )
            self._arns |= dict.fromkeys(purposes, key.arn)
        self.register_outputs({purpose.value: arn for purpose, arn in self._arns.items()})

    def arn(self, purpose: Purpose) -> pulumi.Output[str]:
        """Return the ARN of the key for one purpose.

        Raises:
            KeyError: If these keys were created without that purpose.
        """
        return self._arns[purpose]


def key_policy(site: Site, purposes: Iterable[Purpose]) -> pulumi.Output[str]:
    """Return the policy of a key that serves these purposes in one Region."""
    statements = [_administration(site)]
    for purpose in purposes:
        statements += _STATEMENTS.get(purpose, lambda _: [])(site)
    return document(*statements)


def _administration(site: Site) -> Statement:
    """Return the statement that enables IAM policies; without it a key can lock everyone out."""
    root = pulumi.Output.concat("arn:aws:iam::", site.account, ":root")
    return allow("Administration", ["kms:*"], principal={"AWS": root})


def _volumes(site: Site) -> list[Statement]:
    """Return the statements that let Auto Scaling start instances with encrypted volumes.

    Its service-linked role is matched by condition, not named as a principal: KMS refuses a
    policy that names a role that does not exist yet, and AWS creates it with the first group.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    role = pulumi.Output.concat(
        "arn:aws:iam::",
        site.account,
        ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    )
    caller = {"StringEquals": {"aws:PrincipalArn": role, "kms:CallerAccount": site.account}}
    actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"]
    return [
        allow(
            "AutoScalingVolumes",
            [*actions, "kms:ReEncryptFrom", "kms:ReEncryptTo"],
            principal={"AWS": "*"},
            when=caller,
        ),
        allow(
            "AutoScalingGrants",
            ["kms:CreateGrant"],
            principal={"AWS": "*"},
            when={**caller, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]


def _logs(site: Site) -> list[Statement]:
    """Return the statement that lets CloudWatch Logs here encrypt this account's log groups.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    groups = site.arn("logs", "log-group:*")
    return [
        allow(
            "Logs",
            [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            principal={"Service": f"logs.{site.region}.amazonaws.com"},
            when={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    ]


def _messaging(site: Site) -> list[Statement]:
    """Return the statements that let alarms, backups and events use encrypted destinations.

    The destinations are topics, queues and buses. EventBridge supports `aws:SourceAccount` for
    queues and the encryption context for its bus. For a topic it supports no source condition at
    all: with one, deliveries fail silently.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
    """
    use = ["kms:Decrypt", "kms:GenerateDataKey*"]
    events = {"Service": "events.amazonaws.com"}
    account = {"StringEquals": {"aws:SourceAccount": site.account}}
    buses = site.arn("events", "event-bus/*")
    topics = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": site.arn("sns", "*")}}
    return [
        allow("Alarms", use, principal={"Service": "cloudwatch.amazonaws.com"}, when=account),
        allow("Backups", use, principal={"Service": "backup.amazonaws.com"}),
        allow("EventTopics", use, principal=events, when=topics),
        allow(
            "EventQueues", ["kms:Decrypt", "kms:GenerateDataKey"], principal=events, when=account
        ),
        allow("EventBusDescribe", ["kms:DescribeKey"], principal=events),
        allow(
            "EventBus",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            principal=events,
            when={"ArnLike": {"kms:EncryptionContext:aws:events:event-bus:arn": buses}},
        ),
    ]


_STATEMENTS = {Purpose.DATA: _volumes, Purpose.LOGS: _logs, Purpose.MESSAGING: _messaging}
