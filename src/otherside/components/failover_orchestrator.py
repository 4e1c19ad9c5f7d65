"""The failover orchestrator, its triggers and its own alarms, in the Region that must survive."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.bundle import bundle_digest
from otherside.components.dead_letters import DeadLetters, DeadLettersArgs
from otherside.components.function import Function, FunctionArgs, environment_of
from otherside.components.iam_policies import Statement, allow, deny, document, trust
from otherside.components.sites import Site, Sites
from otherside.core.topology import Failover
from otherside.core.wire_contract import (
    ACTUATOR_HANDLER,
    DECIDER_HANDLER,
    HEARTBEAT,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    PLEDGE_KEY,
    TICK,
    WISHES_FAILED,
    ItemType,
    OrchestratorSettings,
)

TIMEOUT_S = 58
"""A run ends before the next tick's run does; nothing inside a run waits longer."""
DECIDER_TIMEOUT_S = 76
"""While anything is under way, a run looks until the next tick's run has begun, so that there is no
pause between two: it begins no look in its last twelve seconds, and a tick may be three late."""
EVENT_AGE_S = 300
EVENT_ATTEMPTS = 20
WAKE_UP_AGE_S = 60
"""An older wake-up is redundant, because the next tick covers it."""
CLUSTER_EVENTS = (
    *("RDS-EVENT-0181", "RDS-EVENT-0182", "RDS-EVENT-0183", "RDS-EVENT-0184", "RDS-EVENT-0185"),
    *("RDS-EVENT-0186", "RDS-EVENT-0187", "RDS-EVENT-0238", "RDS-EVENT-0239", "RDS-EVENT-0240"),
    *("RDS-EVENT-0241", "RDS-EVENT-0397", "RDS-EVENT-0423"),
)
"""Events for each step of a global database's switchover or failover."""
INSTANCE_EVENTS = ("RDS-EVENT-0390", "RDS-EVENT-0391")
"""Whether Aurora fenced the old writer: reported on the instance, not on the cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratedArgs:
    """The resources that the orchestrator watches and moves."""

    global_cluster: pulumi.Input[str]
    global_cluster_arn: pulumi.Input[str]
    primary_cluster_arn: pulumi.Input[str]
    standby_cluster_arn: pulumi.Input[str]
    state_table: pulumi.Input[str]
    state_table_arn: pulumi.Input[str]
    pledge_bucket: pulumi.Input[str]
    pledge_bucket_arn: pulumi.Input[str]
    capacity_group: pulumi.Input[str]
    capacity_group_arn: pulumi.Input[str]
    capacity_min: int
    public_url: str
    standby_url: pulumi.Input[str]
    readiness_path: str
    write_path: str
    traffic_state_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverOrchestratorArgs:
    """Where the orchestrator runs, what it may use, and whom it notifies."""

    application: str
    sites: Sites
    design: Failover
    watched: OrchestratedArgs
    alarm_names: Mapping[str, Sequence[pulumi.Input[str]]]
    """Alarms that wake it, by Region. The names are exact: no other alarm wakes it."""
    messaging_key_arns: dict[str, pulumi.Input[str]]
    """Keys for the bus, the queues and the topics, by Region."""
    topic_arns: dict[str, pulumi.Input[str]]
    logs_key_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    """Encrypts the state table, and the functions' settings."""
    log_days: int = 90
    tick_enabled: bool = True


class FailoverOrchestrator(pulumi.ComponentResource):
    """Two functions in the standby's Region: the decider and the actuator.

    A tick each minute drives them and pulls all the evidence. Events only make them run sooner,
    because a Region that is lost sends none. Only the actuator may move the writer, and it may
    touch no database but this application's.
    """

    bus_arn: pulumi.Output[str]
    decider_name: pulumi.Output[str]
    decider_arn: pulumi.Output[str]
    actuator_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: FailoverOrchestratorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the functions, the bus, the rules that wake them, and the alarms on them."""
        super().__init__("otherside:index:FailoverOrchestrator", name, None, opts)
        self._name, self._args = name, args
        self._site = args.sites.standby
        self._here = self._site.options(self)
        self._topic = args.topic_arns[self._site.region]
        self._dead = self._dead_letters(self._site)
        actuator = self._actuator()
        decider = self._decider(actuator)
        self.decider_name, self.actuator_name = decider.name, actuator.name
        self.decider_arn = decider.arn
        for function, role in ((decider, "decider"), (actuator, "actuator")):
            self._asynchronous(role, function)
            self._function_alarms(role, function)
        self._tick(decider)
        self._heartbeat_alarm()
        self._wishes_alarm()
        bus, bus_policy = self._bus()
        self.bus_arn = bus.arn
        self._wake_on_events(bus, decider)
        self._forward_from_elsewhere(bus, bus_policy)
        self.register_outputs({"bus_arn": self.bus_arn})

    def _environment(self) -> pulumi.Output[Mapping[str, pulumi.Input[str]]]:
        args, watched = self._args, self._args.watched
        return environment_of(
            OrchestratorSettings,
            {
                "application": args.application,
                "code": bundle_digest(),
                "mode": args.design.mode,
                "loss_max_s": f"{args.design.loss_max_s:g}",
                "stable_s": f"{args.design.stable_s:g}",
                "approvers": str(args.design.approvers),
                "freezes": ",".join(f"{a:.0f}/{b:.0f}" for a, b in args.design.freezes) or "none",
                "primary_region": args.sites.primary.region,
                "standby_region": args.sites.standby.region,
                "global_cluster": watched.global_cluster,
                "primary_cluster_arn": watched.primary_cluster_arn,
                "standby_cluster_arn": watched.standby_cluster_arn,
                "state_table": watched.state_table,
                "pledge_bucket": watched.pledge_bucket,
                "topic_arn": self._topic,
                "capacity_group": watched.capacity_group,
                "capacity_min": str(watched.capacity_min),
                "public_url": watched.public_url,
                "standby_url": watched.standby_url,
                "readiness_path": watched.readiness_path,
                "write_path": watched.write_path,
                "traffic_state_name": watched.traffic_state_name,
            },
        )

    def _decider(self, actuator: Function) -> Function:
        return self._function(
            "decider",
            DECIDER_HANDLER,
            DECIDER_TIMEOUT_S,
            [
                *self._observing(),
                *self._remembering(),
                *self._fencing(),
                *self._telling(),
                *self._failing(),
                allow("WakeTheActuator", ["lambda:InvokeFunction"], actuator.arn),
            ],
        )

    def _actuator(self) -> Function:
        watched = self._args.watched
        clusters = [watched.primary_cluster_arn, watched.standby_cluster_arn]
        return self._function(
            "actuator",
            ACTUATOR_HANDLER,
            TIMEOUT_S,
            [
                # IAM checks the call against the global cluster and both members, so list all.
                allow(
                    "MoveTheWriter",
                    ["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"],
                    [watched.global_cluster_arn, *clusters],
                ),
                deny(
                    "NeverTakeApart",
                    [
                        "rds:DeleteDBCluster",
                        "rds:DeleteGlobalCluster",
                        "rds:RemoveFromGlobalCluster",
                    ],
                ),
                self._editing("TellWhatBecameOfIt", "dynamodb:UpdateItem", ItemType.CLAIM),
                allow(
                    "RaiseCapacity",
                    ["autoscaling:UpdateAutoScalingGroup"],
                    watched.capacity_group_arn,
                ),
                *self._observing(),
                *self._remembering(),
                *self._failing(),
            ],
        )

    def _observing(self) -> list[Statement]:
        """Return what both may read; the wildcard is for actions that support no resource."""
        watched = self._args.watched
        clusters = [watched.primary_cluster_arn, watched.standby_cluster_arn]
        return [
            allow("SeeTheWhole", ["rds:DescribeGlobalClusters"], watched.global_cluster_arn),
            allow("SeeClusters", ["rds:DescribeDBClusters"], clusters),
            allow(
                "SeeWhatHasNoName",
                ["autoscaling:DescribeAutoScalingGroups", "rds:DescribeEvents"],
            ),
        ]

    def _remembering(self) -> list[Statement]:
        """Return what both may do with the state table: append and read, never edit or delete.

        Both may also read the pledge. Without the right to list, S3 reports a missing object as
        forbidden.
        """
        watched = self._args.watched
        return [
            allow(
                "Remember",
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
                watched.state_table_arn,
            ),
            allow("RememberEncrypted", ["kms:Decrypt"], self._args.data_key_arn),
            allow("ReadThePledge", ["s3:GetObject"], self._pledge()),
            allow("MissThePledge", ["s3:ListBucket"], watched.pledge_bucket_arn),
        ]

    def _pledge(self) -> pulumi.Output[str]:
        return pulumi.Output.concat(self._args.watched.pledge_bucket_arn, "/", PLEDGE_KEY)

    def _fencing(self) -> list[Statement]:
        """Return the rights to set the lease and the pledge, and to delete old pulses."""
        return [
            self._editing("SetTheLease", "dynamodb:UpdateItem", ItemType.LEASE),
            self._editing("NoteWhoWasTold", "dynamodb:UpdateItem", ItemType.NOTICE),
            self._editing("ForgetWhoIsGone", "dynamodb:DeleteItem", ItemType.PULSE),
            allow("GiveThePledge", ["s3:PutObject"], self._pledge()),
        ]

    def _editing(self, sid: str, action: str, shelf: ItemType) -> Statement:
        """Return the right to edit items in one partition of the state table."""
        return allow(
            sid,
            [action],
            self._args.watched.state_table_arn,
            when={
                "ForAllValues:StringEquals": {
                    "dynamodb:LeadingKeys": [shelf.of(self._args.application)]
                }
            },
        )

    def _telling(self) -> list[Statement]:
        return [
            allow("Tell", ["sns:Publish"], self._topic),
            allow(
                "Measure",
                ["cloudwatch:PutMetricData"],
                when={"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}},
            ),
        ]

    def _failing(self) -> list[Statement]:
        """Return the rights that Lambda needs to keep the record of a failed run."""
        key = self._args.messaging_key_arns[self._site.region]
        return [
            allow("KeepWhatFailed", ["sqs:SendMessage"], self._dead.arn),
            allow("TellEncrypted", ["kms:Decrypt", "kms:GenerateDataKey"], key),
        ]

    def _function(
        self, role: str, handler: str, timeout_s: int, statements: Sequence[Statement]
    ) -> Function:
        args = self._args
        return Function(
            f"{args.application}-{role}",
            FunctionArgs(
                site=self._site,
                handler=handler,
                environment=self._environment(),
                statements=statements,
                logs_key_arn=args.logs_key_arn,
                settings_key_arn=args.data_key_arn,
                timeout_s=timeout_s,
                log_days=args.log_days,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _asynchronous(self, role: str, function: Function) -> None:
        """Declare the handling of a failed run: no retry, because the next tick is one."""
        aws.lambda_.FunctionEventInvokeConfig(
            f"{self._name}-{role}",
            function_name=function.name,
            maximum_event_age_in_seconds=WAKE_UP_AGE_S,
            maximum_retry_attempts=0,
            destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
                on_failure=aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(
                    destination=self._dead.arn
                )
            ),
            opts=self._here,
        )

    def _tick(self, decider: Function) -> None:
        """Declare the tick, on the default bus: no other bus supports scheduled rules."""
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-tick",
            name=f"{self._args.application}-tick",
            description="Run the decider each minute, even if no event arrives",
            schedule_expression="rate(1 minute)",
            state="ENABLED" if self._args.tick_enabled else "DISABLED",
            opts=self._here,
        )
        self._target("tick", rule, decider, bus=None)

    def _target(
        self,
        role: str,
        rule: aws.cloudwatch.EventRule,
        decider: Function,
        *,
        bus: aws.cloudwatch.EventBus | None,
    ) -> None:
        """Declare a rule's target and the permission that the rule needs to invoke it."""
        name = f"{self._name}-{role}"
        permission = aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=decider.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            source_account=self._site.account,
            opts=self._here,
        )
        aws.cloudwatch.EventTarget(
            name,
            rule=rule.name,
            event_bus_name=bus.name if bus else "default",  # omitted means the default bus
            target_id="decider",
            arn=decider.arn,
            input=json.dumps({TICK: True}) if role == "tick" else None,
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=self._dead.arn),
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=WAKE_UP_AGE_S if role == "tick" else EVENT_AGE_S,
                maximum_retry_attempts=0 if role == "tick" else EVENT_ATTEMPTS,
            ),
            opts=self._site.options(
                self, pulumi.ResourceOptions(depends_on=[permission, self._dead.ready])
            ),
        )

    def _heartbeat_alarm(self) -> None:
        """Declare the alarm on a silent orchestrator."""
        application = self._args.application
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-heartbeat",
            name=f"{application}-heartbeat",
            alarm_description="The orchestrator has not run for three minutes.",
            namespace=METRIC_NAMESPACE,
            metric_name=HEARTBEAT,
            dimensions={METRIC_DIMENSION: application},
            statistic="Sum",
            period=60,
            evaluation_periods=3,
            threshold=1,
            comparison_operator="LessThanThreshold",
            treat_missing_data="breaching",
            alarm_actions=[self._topic],
            ok_actions=[self._topic],
            opts=self._here,
        )

    def _wishes_alarm(self) -> None:
        """Declare the alarm on the orchestrator's requests that keep failing."""
        application = self._args.application
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-wishes",
            name=f"{application}-wishes-failed",
            alarm_description="Requests of the orchestrator fail at tick after tick.",
            namespace=METRIC_NAMESPACE,
            metric_name=WISHES_FAILED,
            dimensions={METRIC_DIMENSION: application},
            statistic="Sum",
            period=60,
            evaluation_periods=3,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[self._topic],
            ok_actions=[self._topic],
            opts=self._here,
        )

    def _function_alarms(self, role: str, function: Function) -> None:
        for metric in ("Errors", "Throttles"):
            aws.cloudwatch.MetricAlarm(
                f"{self._name}-{role}-{metric.lower()}",
                name=f"{self._args.application}-{role}-{metric.lower()}",
                alarm_description=f"The {role} has {metric.lower()}.",
                namespace="AWS/Lambda",
                metric_name=metric,
                dimensions={"FunctionName": function.name},
                statistic="Sum",
                period=60,
                evaluation_periods=1,
                threshold=0,
                comparison_operator="GreaterThanThreshold",
                treat_missing_data="notBreaching",
                alarm_actions=[self._topic],
                opts=self._here,
            )

    def _dead_letters(self, site: Site) -> DeadLetters:
        args = self._args
        return DeadLetters(
            f"{args.application}-{site.region}-dead-letters",
            DeadLettersArgs(
                site=site,
                key_arn=args.messaging_key_arns[site.region],
                topic_arn=args.topic_arns[site.region],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _bus(self) -> tuple[aws.cloudwatch.EventBus, aws.cloudwatch.EventBusPolicy]:
        """Declare the bus that other Regions forward to, and who may publish to it."""
        application = self._args.application
        bus = aws.cloudwatch.EventBus(
            self._name,
            name=f"{application}-recovery",
            kms_key_identifier=self._args.messaging_key_arns[self._site.region],
            opts=self._site.options(self, pulumi.ResourceOptions(depends_on=[self._dead.ready])),
        )
        root = pulumi.Output.concat("arn:aws:iam::", self._site.account, ":root")
        policy = aws.cloudwatch.EventBusPolicy(
            self._name,
            event_bus_name=bus.name,
            policy=document(
                allow("ThisAccount", ["events:PutEvents"], bus.arn, principal={"AWS": root})
            ),
            opts=self._here,
        )
        return bus, policy

    def _wake_on_events(self, bus: aws.cloudwatch.EventBus, decider: Function) -> None:
        """Declare the rules on the bus; an event only wakes the decider and is never trusted."""
        everywhere = [name for names in self._args.alarm_names.values() for name in names]
        for role, pattern in self._patterns(everywhere).items():
            rule = aws.cloudwatch.EventRule(
                f"{self._name}-{role}",
                name=f"{self._args.application}-{role}",
                description=f"Wake the decider: {role}",
                event_bus_name=bus.name,
                event_pattern=pattern,
                opts=self._here,
            )
            self._target(role, rule, decider, bus=bus)

    def _patterns(self, alarm_names: Sequence[pulumi.Input[str]]) -> dict[str, pulumi.Output[str]]:
        """Return the event patterns that wake the decider, by rule name."""
        alarm = {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {
                "alarmName": list(alarm_names),
                "state": {"value": ["ALARM", "OK"]},
            },
        }
        application = self._args.application
        identifiers = [{"prefix": f"{application}-"}, application]
        # Match the event's identifier: its category has two spellings.
        cluster = {
            "source": ["aws.rds"],
            "detail-type": ["RDS DB Cluster Event"],
            "detail": {"EventID": list(CLUSTER_EVENTS), "SourceIdentifier": identifiers},
        }
        instance = {
            "source": ["aws.rds"],
            "detail-type": ["RDS DB Instance Event"],
            "detail": {"EventID": list(INSTANCE_EVENTS), "SourceIdentifier": identifiers},
        }
        return {
            **({"alarms": pulumi.Output.json_dumps(alarm)} if alarm_names else {}),
            "cluster-events": pulumi.Output.from_input(json.dumps(cluster)),
            "instance-events": pulumi.Output.from_input(json.dumps(instance)),
        }

    def _forward_from_elsewhere(
        self, bus: aws.cloudwatch.EventBus, bus_policy: aws.cloudwatch.EventBusPolicy
    ) -> None:
        """Declare the rules that forward each Region's events to the bus.

        Services publish to the default bus of their own Region. Each Region forwards to the bus
        directly, because an event that was forwarded once cannot be forwarded again.
        """
        role = aws.iam.Role(
            f"{self._name}-forward",
            assume_role_policy=trust(
                "events.amazonaws.com",
                when={"StringEquals": {"aws:SourceAccount": self._site.account}},
            ),
            opts=self._here,
        )
        policy = aws.iam.RolePolicy(
            f"{self._name}-forward",
            role=role.name,
            policy=document(allow("Forward", ["events:PutEvents"], bus.arn)),
            opts=self._here,
        )
        for site in self._args.sites.watched:
            dead = self._dead if site is self._site else self._dead_letters(site)
            local = self._args.alarm_names.get(site.region, ())
            for role_name, pattern in self._patterns(local).items():
                name = f"{self._name}-{site.region}-{role_name}"
                rule = aws.cloudwatch.EventRule(
                    name,
                    name=f"{self._args.application}-forward-{role_name}",
                    description=f"Forward to the orchestrator in {self._site.region}: {role_name}",
                    event_pattern=pattern,
                    opts=site.options(self),
                )
                aws.cloudwatch.EventTarget(
                    name,
                    rule=rule.name,
                    event_bus_name="default",
                    target_id="orchestrator",
                    arn=bus.arn,
                    role_arn=role.arn,
                    dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=dead.arn),
                    retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                        maximum_event_age_in_seconds=EVENT_AGE_S,
                        maximum_retry_attempts=EVENT_ATTEMPTS,
                    ),
                    opts=site.options(
                        self, pulumi.ResourceOptions(depends_on=[bus_policy, policy, dead.ready])
                    ),
                )
