"""The observability of one Region: its metric stream, its alarms and its dashboard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.app_tier import AppTier
from otherside.components.bucket import PrivateBucket
from otherside.components.iam_policies import allow, document, trust
from otherside.components.sites import Site
from otherside.core.topology import Side
from otherside.core.wire_contract import (
    FAILOVER_ACTIVE,
    HEARTBEAT,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
)

STREAMED = (
    *("AWS/ApplicationELB", "AWS/AutoScaling", "AWS/Backup", "AWS/DynamoDB", "AWS/EC2"),
    *("AWS/Events", "AWS/Lambda", "AWS/RDS", "AWS/S3", "AWS/SNS", "AWS/SQS", "Otherside"),
)
"""Namespaces in the stream; without a filter, every metric of the account is billed."""
LAG_MS_MAX = 5000
PERIOD_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilityArgs:
    """One side, and what it needs to know about the other."""

    site: Site
    side: Side
    application: str
    tier: AppTier
    cluster_identifier: str
    peer_region: str
    """The Region that the database replicates from, as seen from the standby."""
    orchestrator_region: str
    """The Region where the orchestrator publishes its metrics."""
    bucket: PrivateBucket
    """This side's copy of the replicated metrics bucket."""
    bucket_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    latch_alarm_arn: pulumi.Input[str] | None = None
    """Set in the standby's Region only: while the latch holds, the lag alarm is suppressed."""
    session_table: pulumi.Input[str]
    log_days: int = 90


class Observability(pulumi.ComponentResource):
    """One Region's metric stream, alarms and dashboard.

    A stream does not copy metrics into the other Region's CloudWatch. It writes them to a bucket
    in this Region, which replicates, so each Region has the other's history when it needs it.
    """

    alarm_names: list[pulumi.Output[str]]
    """Alarms that indicate whether users are served."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the stream, the alarms and the dashboard."""
        super().__init__("otherside:index:Observability", name, None, opts)
        self._name, self._args, self._here = name, args, args.site.options(self)
        self._stream()
        self.alarm_names = [alarm.name for alarm in self._serving_alarms()]
        self._database_alarms()
        self._table_alarm()
        self._dashboard()
        self.register_outputs({})

    def _stream(self) -> None:
        args = self._args
        delivery = self._delivery()
        account = {"StringEquals": {"aws:SourceAccount": args.site.account}}
        role = aws.iam.Role(
            f"{self._name}-stream",
            assume_role_policy=trust("streams.metrics.cloudwatch.amazonaws.com", when=account),
            opts=self._here,
        )
        policy = aws.iam.RolePolicy(
            f"{self._name}-stream",
            role=role.name,
            policy=document(
                allow("Put", ["firehose:PutRecord", "firehose:PutRecordBatch"], delivery.arn)
            ),
            opts=self._here,
        )
        aws.cloudwatch.MetricStream(
            self._name,
            name=f"{args.application}-metrics",
            role_arn=role.arn,
            firehose_arn=delivery.arn,
            output_format="json",
            include_filters=[
                aws.cloudwatch.MetricStreamIncludeFilterArgs(namespace=namespace)
                for namespace in STREAMED
            ],
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=[policy])),
        )

    def _delivery(self) -> aws.kinesis.FirehoseDeliveryStream:
        """Declare the delivery stream, in the metric stream's Region, into this side's bucket."""
        args, name = self._args, f"{self._name}-delivery"
        log = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/kinesisfirehose/{args.application}-metrics",
            retention_in_days=args.log_days,
            kms_key_id=args.logs_key_arn,
            opts=self._here,
        )
        stream = aws.cloudwatch.LogStream(
            name, name="S3Delivery", log_group_name=log.name, opts=self._here
        )
        account = {"StringEquals": {"aws:SourceAccount": args.site.account}}
        role = aws.iam.Role(
            name, assume_role_policy=trust("firehose.amazonaws.com", when=account), opts=self._here
        )
        objects = pulumi.Output.concat(args.bucket.arn, "/*")
        policy = aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=document(
                allow(
                    "UseTheBucket",
                    ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                    args.bucket.arn,
                ),
                allow(
                    "WriteObjects",
                    ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                    objects,
                ),
                allow(
                    "Encrypt",
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    args.bucket_key_arn,
                    when={
                        "StringEquals": {"kms:ViaService": f"s3.{args.site.region}.amazonaws.com"}
                    },
                ),
                allow("Log", ["logs:PutLogEvents"], pulumi.Output.concat(log.arn, ":*")),
            ),
            opts=self._here,
        )
        destination = aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationArgs(
            bucket_arn=args.bucket.arn,
            role_arn=role.arn,
            kms_key_arn=args.bucket_key_arn,
            buffering_interval=60,
            buffering_size=5,
            compression_format="GZIP",
            prefix=f"{args.site.region}/",  # so that replicas never mix with originals
            error_output_prefix=f"{args.site.region}-errors/",
            cloudwatch_logging_options=aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptionsArgs(
                enabled=True, log_group_name=log.name, log_stream_name=stream.name
            ),
        )
        return aws.kinesis.FirehoseDeliveryStream(
            name,
            name=f"{args.application}-metrics",
            destination="extended_s3",
            extended_s3_configuration=destination,
            server_side_encryption=aws.kinesis.FirehoseDeliveryStreamServerSideEncryptionArgs(
                enabled=True, key_type="CUSTOMER_MANAGED_CMK", key_arn=args.bucket_key_arn
            ),
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=[policy])),
        )

    def _serving_alarms(self) -> list[aws.cloudwatch.MetricAlarm]:
        """Declare the alarms on the load balancer.

        Metrics identify it by the end of its ARN. A dimension made by splitting the ARN at colons
        keeps a leading `loadbalancer/` and never matches anything, without an error.
        """
        tier = self._args.tier
        balancer = {"LoadBalancer": tier.load_balancer_suffix}
        target = {**balancer, "TargetGroup": tier.target_group_suffix}
        return [
            self._alarm(
                "no-healthy-host",
                "No instance answers the load balancer.",
                "AWS/ApplicationELB",
                "HealthyHostCount",
                target,
                below=1,
                statistic="Minimum",
                missing="breaching",  # here, missing data is bad
                periods=2,
            ),
            self._alarm(
                "errors",
                "The load balancer returns 5xx errors of its own.",
                "AWS/ApplicationELB",
                "HTTPCode_ELB_5XX_Count",
                balancer,
                above=10,
                statistic="Sum",
            ),
            self._alarm(
                "slow",
                "Responses are slow.",
                "AWS/ApplicationELB",
                "TargetResponseTime",
                balancer,
                above=2,
                statistic="Average",
            ),
        ]

    def _database_alarms(self) -> None:
        """Declare the alarms on replication lag.

        Aurora publishes lag only in the reading side's Region, under the reader's identifier and
        with the writer's Region as a dimension. After a failover it therefore appears on the other
        side, so each side has the alarm; on the writing side, missing data is normal.
        """
        reading = self._args.side is Side.STANDBY
        dimensions = {
            "DBClusterIdentifier": self._args.cluster_identifier,
            "SourceRegion": self._args.peer_region,
        }
        lagging = [
            self._alarm(
                suffix,
                f"The standby is more than {LAG_MS_MAX} ms behind, or reports nothing.",
                "AWS/RDS",
                metric,
                dimensions,
                above=LAG_MS_MAX,
                statistic="Maximum",
                periods=3,
                missing="breaching" if reading else "notBreaching",
                act=self._args.latch_alarm_arn is None,
            )
            for suffix, metric in (
                ("rpo-lag", "AuroraGlobalDBRPOLag"),
                ("replication-lag", "AuroraGlobalDBReplicationLag"),
                ("progress-lag", "AuroraGlobalDBProgressLag"),
            )
        ]
        if self._args.latch_alarm_arn is not None:
            self._quiet_while_latched(self._args.latch_alarm_arn, lagging)

    def _quiet_while_latched(
        self, latch_alarm_arn: pulumi.Input[str], lagging: Sequence[aws.cloudwatch.MetricAlarm]
    ) -> None:
        """Declare the standby's lag alarm, suppressed while the standby holds the writer."""
        args = self._args
        rule = " OR ".join(
            f'ALARM("{args.application}-{args.side}-{suffix}")'
            for suffix in ("rpo-lag", "replication-lag", "progress-lag")
        )
        aws.cloudwatch.CompositeAlarm(
            f"{self._name}-lag",
            alarm_name=f"{args.application}-lag",
            alarm_description="Replication lags, while the primary side holds the writer.",
            alarm_rule=rule,
            alarm_actions=[args.topic_arn],
            ok_actions=[args.topic_arn],
            actions_suppressor=aws.cloudwatch.CompositeAlarmActionsSuppressorArgs(
                alarm=latch_alarm_arn, extension_period=120, wait_period=60
            ),
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=lagging)),
        )

    def _table_alarm(self) -> None:
        """Declare the alarm on late sessions; the metric is in the Region that writes them."""
        self._alarm(
            "sessions-lag",
            "Sessions reach the other side late.",
            "AWS/DynamoDB",
            "ReplicationLatency",
            {
                "TableName": self._args.session_table,
                "ReceivingRegion": self._args.peer_region,
            },
            above=LAG_MS_MAX,
            statistic="Average",
            periods=3,
        )

    def _alarm(
        self,
        suffix: str,
        description: str,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, pulumi.Input[str]],
        *,
        statistic: str,
        above: float | None = None,
        below: float | None = None,
        periods: int = 3,
        missing: str = "notBreaching",
        act: bool = True,
    ) -> aws.cloudwatch.MetricAlarm:
        args = self._args
        actions: Sequence[pulumi.Input[str]] = [args.topic_arn] if act else []
        comparison = "GreaterThanThreshold" if below is None else "LessThanThreshold"
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{suffix}",
            name=f"{args.application}-{args.side}-{suffix}",
            alarm_description=description,
            namespace=namespace,
            metric_name=metric,
            dimensions=dict(dimensions),
            statistic=statistic,
            period=PERIOD_S,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            threshold=above if below is None else below,
            comparison_operator=comparison,
            treat_missing_data=missing,
            alarm_actions=list(actions),
            ok_actions=list(actions),
            opts=self._here,
        )

    def _dashboard(self) -> None:
        """Declare the dashboard, with the same charts on both sides."""
        args, tier = self._args, self._args.tier
        balancer: list[pulumi.Input[str]] = ["LoadBalancer", tier.load_balancer_suffix]
        target: list[pulumi.Input[str]] = ["TargetGroup", tier.target_group_suffix]
        cluster: list[pulumi.Input[str]] = ["DBClusterIdentifier", args.cluster_identifier]
        source: list[pulumi.Input[str]] = ["SourceRegion", args.peer_region]
        own: list[pulumi.Input[str]] = [METRIC_DIMENSION, args.application]
        here, brain = args.site.region, args.orchestrator_region
        charts: list[tuple[str, str, list[list[pulumi.Input[str]]]]] = [
            ("Requests", here, [["AWS/ApplicationELB", "RequestCount", *balancer]]),
            ("Response time, s", here, [["AWS/ApplicationELB", "TargetResponseTime", *balancer]]),
            (
                "Healthy instances",
                here,
                [["AWS/ApplicationELB", "HealthyHostCount", *balancer, *target]],
            ),
            (
                "Replication lag, ms",
                here,
                [
                    ["AWS/RDS", "AuroraGlobalDBRPOLag", *cluster, *source],
                    ["AWS/RDS", "AuroraGlobalDBReplicationLag", *cluster, *source],
                ],
            ),
            ("Database connections", here, [["AWS/RDS", "DatabaseConnections", *cluster]]),
            (
                "Orchestrator",
                brain,
                [[METRIC_NAMESPACE, HEARTBEAT, *own], [METRIC_NAMESPACE, FAILOVER_ACTIVE, *own]],
            ),
        ]
        widgets = [
            {
                "type": "metric",
                "x": (number % 2) * 12,
                "y": (number // 2) * 6,
                "width": 12,
                "height": 6,
                "properties": {
                    "title": title,
                    "metrics": metrics,
                    "region": region,
                    "period": PERIOD_S,
                    "stat": "Average",
                    "view": "timeSeries",
                },
            }
            for number, (title, region, metrics) in enumerate(charts)
        ]
        aws.cloudwatch.Dashboard(
            self._name,
            dashboard_name=f"{args.application}-{args.side}",
            dashboard_body=pulumi.Output.json_dumps({"widgets": widgets}),
            opts=self._here,
        )
