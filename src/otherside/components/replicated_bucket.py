"""Two buckets, one in each Region, that replicate to each other."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.bucket import PrivateBucket, PrivateBucketArgs
from otherside.components.iam_policies import allow, document, trust
from otherside.components.sites import Site
from otherside.core.topology import Pair, Side

RULE = "everything"
REPLICATION_MINUTES = 15
"""S3 Replication Time Control's promise for 99.9 % of objects, and so this store's RPO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicatedBucketArgs:
    """The two sides of a replicated bucket."""

    names: Pair[pulumi.Input[str]]
    """Physical names; bucket names are globally unique."""
    primary: Site
    standby: Site
    primary_key_arn: pulumi.Input[str]
    standby_key_arn: pulumi.Input[str]
    topic_arns: Pair[pulumi.Input[str]] | None = None
    """Topics for failed or late replication; `None` declares no alarms."""
    expire_days: int | None = None
    """Delete objects after this many days; `None` keeps them."""
    protect: bool = True


class ReplicatedBucket(pulumi.ComponentResource):
    """Two versioned, encrypted buckets that replicate to each other within fifteen minutes."""

    primary: PrivateBucket
    standby: PrivateBucket

    def __init__(
        self, name: str, args: ReplicatedBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare both buckets and the replication in both directions."""
        super().__init__("otherside:index:ReplicatedBucket", name, None, opts)
        self.primary = PrivateBucket(
            f"{name}-primary",
            PrivateBucketArgs(
                site=args.primary,
                name=args.names.primary,
                key_arn=args.primary_key_arn,
                expire_days=args.expire_days,
                protect=args.protect,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.standby = PrivateBucket(
            f"{name}-standby",
            PrivateBucketArgs(
                site=args.standby,
                name=args.names.standby,
                key_arn=args.standby_key_arn,
                expire_days=args.expire_days,
                protect=args.protect,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        for side in Side:
            self._replicate(f"{name}-{side}", args, side)
        self.register_outputs({"primary": self.primary.arn, "standby": self.standby.arn})

    def _replicate(self, name: str, args: ReplicatedBucketArgs, side: Side) -> None:
        """Declare the replication from one side to the other."""
        pair = Pair(primary=self.primary, standby=self.standby)
        sites = Pair(primary=args.primary, standby=args.standby)
        keys = Pair(primary=args.primary_key_arn, standby=args.standby_key_arn)
        here, there = pair.on(side), pair.on(side.other)
        site = sites.on(side)
        role = aws.iam.Role(
            f"{name}-out", assume_role_policy=trust("s3.amazonaws.com"), opts=site.options(self)
        )
        policy = aws.iam.RolePolicy(
            f"{name}-out",
            role=role.name,
            policy=document(
                allow(
                    "ReadSource",
                    ["s3:GetReplicationConfiguration", "s3:ListBucket"],
                    here.arn,
                ),
                allow(
                    "ReadVersions",
                    [
                        "s3:GetObjectVersionAcl",
                        "s3:GetObjectVersionForReplication",
                        "s3:GetObjectVersionTagging",
                    ],
                    pulumi.Output.concat(here.arn, "/*"),
                ),
                allow(
                    "WriteReplica",
                    ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
                    pulumi.Output.concat(there.arn, "/*"),
                ),
                allow(
                    "Decrypt",
                    ["kms:Decrypt"],
                    keys.on(side),
                    when={"StringLike": {"kms:ViaService": f"s3.{site.region}.amazonaws.com"}},
                ),
                allow(
                    "Encrypt",
                    ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                    keys.on(side.other),
                    when={
                        "StringLike": {
                            "kms:ViaService": f"s3.{sites.on(side.other).region}.amazonaws.com"
                        }
                    },
                ),
            ),
            opts=site.options(self),
        )
        aws.s3.BucketReplicationConfig(
            name,
            bucket=here.name,
            role=role.arn,
            rules=[_rule(there.arn, keys.on(side.other))],
            opts=site.options(
                self,
                # Both buckets need versioning first, and no output expresses that dependency.
                pulumi.ResourceOptions(depends_on=[policy, here.versioning, there.versioning]),
            ),
        )

        if args.topic_arns is not None:
            self._watch(name, side, sites, args.topic_arns)

    def _watch(
        self, name: str, side: Side, sites: Pair[Site], topics: Pair[pulumi.Input[str]]
    ) -> None:
        """Declare one direction's alarms, each in the Region where S3 publishes its metric.

        Failures are published in the source's Region, latency in the destination's.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
        """
        pair = Pair(primary=self.primary, standby=self.standby)
        dimensions: dict[str, pulumi.Input[str]] = {
            "SourceBucket": pair.on(side).name,
            "DestinationBucket": pair.on(side.other).name,
            "RuleId": RULE,
        }
        late_s = REPLICATION_MINUTES * 60
        for metric, where, statistic, limit, description in (
            ("OperationsFailedReplication", side, "Sum", 0, "Objects cannot be replicated."),
            ("ReplicationLatency", side.other, "Maximum", late_s, "Replication is late."),
        ):
            aws.cloudwatch.MetricAlarm(
                f"{name}-{metric}",
                alarm_description=description,
                namespace="AWS/S3",
                metric_name=metric,
                dimensions=dimensions,
                statistic=statistic,
                period=300,
                evaluation_periods=1,
                threshold=limit,
                comparison_operator="GreaterThanThreshold",
                treat_missing_data="notBreaching",
                alarm_actions=[topics.on(where)],
                opts=sites.on(where).options(self),
            )


def _rule(
    bucket_arn: pulumi.Input[str], key_arn: pulumi.Input[str]
) -> aws.s3.BucketReplicationConfigRuleArgs:
    """Return the rule that replicates everything, encrypted objects and deletions included.

    By default, S3 leaves out objects under SSE-KMS, deletions and changes to replicas.
    """
    minutes = REPLICATION_MINUTES
    return aws.s3.BucketReplicationConfigRuleArgs(
        id=RULE,
        status="Enabled",
        priority=0,
        filter=aws.s3.BucketReplicationConfigRuleFilterArgs(prefix=""),
        delete_marker_replication=aws.s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs(
            status="Enabled"
        ),
        source_selection_criteria=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs(
            sse_kms_encrypted_objects=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(
                status="Enabled"
            ),
            replica_modifications=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaReplicaModificationsArgs(
                status="Enabled"
            ),
        ),
        destination=aws.s3.BucketReplicationConfigRuleDestinationArgs(
            bucket=bucket_arn,
            storage_class="STANDARD",
            encryption_configuration=aws.s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
                replica_kms_key_id=key_arn
            ),
            replication_time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeArgs(
                status="Enabled",
                time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeTimeArgs(
                    minutes=minutes
                ),
            ),
            metrics=aws.s3.BucketReplicationConfigRuleDestinationMetricsArgs(
                status="Enabled",
                event_threshold=aws.s3.BucketReplicationConfigRuleDestinationMetricsEventThresholdArgs(
                    minutes=minutes
                ),
            ),
        ),
    )
