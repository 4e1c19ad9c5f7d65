"""A user's view from a third Region: it distinguishes our own isolation from the other side's."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.bundle import bundle_digest
from otherside.components.dead_letters import DeadLetters, DeadLettersArgs
from otherside.components.function import Function, FunctionArgs, environment_of
from otherside.components.iam_policies import allow
from otherside.components.sites import Site
from otherside.core.wire_contract import WITNESS_HANDLER, ItemType, WitnessSettings

TIMEOUT_S = 73
"""It runs each minute and probes for 50 s; a run in which nothing answers takes longer."""
WAKE_UP_AGE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessCanaryArgs:
    """Where the canary runs, what it probes, and where it writes the result."""

    application: str
    site: Site
    state_region: str
    state_table: pulumi.Input[str]
    state_table_arn: pulumi.Input[str]
    state_key_arn: pulumi.Input[str]
    decider_arn: pulumi.Input[str]
    """The function that it wakes when the public name is no longer served."""
    public_url: str
    write_path: str
    logs_key_arn: pulumi.Input[str]
    """Encrypts its log and its settings."""
    messaging_key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    log_days: int = 90


class WitnessCanary(pulumi.ComponentResource):
    """A function in the witness's Region that tries a write through the public name.

    It may write only one kind of item, its own pulse, read nothing, and wake the decider: a Region
    that only breaks ties holds no data and no secret.
    """

    name: pulumi.Output[str]

    def __init__(
        self, name: str, args: WitnessCanaryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the function and the tick that runs it."""
        super().__init__("otherside:index:WitnessCanary", name, None, opts)
        function = Function(
            f"{args.application}-witness",
            FunctionArgs(
                site=args.site,
                handler=WITNESS_HANDLER,
                environment=environment_of(
                    WitnessSettings,
                    {
                        "application": args.application,
                        "code": bundle_digest(),
                        "state_table": args.state_table,
                        "state_region": args.state_region,
                        "public_url": args.public_url,
                        "write_path": args.write_path,
                    },
                ),
                statements=[
                    allow("WakeTheDecider", ["lambda:InvokeFunction"], args.decider_arn),
                    allow("TellEncrypted", ["kms:Decrypt"], args.state_key_arn),
                    allow(
                        "TellWhatIsSeen",
                        ["dynamodb:PutItem"],
                        args.state_table_arn,
                        when={
                            "ForAllValues:StringEquals": {
                                "dynamodb:LeadingKeys": [ItemType.PULSE.of(args.application)]
                            }
                        },
                    ),
                ],
                logs_key_arn=args.logs_key_arn,
                settings_key_arn=args.logs_key_arn,
                timeout_s=TIMEOUT_S,
                log_days=args.log_days,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = function.name
        self._tick(name, args, function)
        self._silence_alarm(name, args, function)
        self.register_outputs({"name": self.name})

    def _tick(self, name: str, args: WitnessCanaryArgs, function: Function) -> None:
        """Declare the schedule that runs it each minute."""
        here = args.site.options(self)
        dead = DeadLetters(
            f"{args.application}-witness-dead-letters",
            DeadLettersArgs(
                site=args.site, key_arn=args.messaging_key_arn, topic_arn=args.topic_arn
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        rule = aws.cloudwatch.EventRule(
            name,
            name=f"{args.application}-witness",
            description="Probe the public name each minute, as a user would",
            schedule_expression="rate(1 minute)",
            state="ENABLED",
            opts=here,
        )
        permission = aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            source_account=args.site.account,
            opts=here,
        )
        aws.cloudwatch.EventTarget(
            name,
            rule=rule.name,
            event_bus_name="default",
            target_id="witness",
            arn=function.arn,
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=dead.arn),
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=WAKE_UP_AGE_S, maximum_retry_attempts=0
            ),
            opts=args.site.options(
                self, pulumi.ResourceOptions(depends_on=[permission, dead.ready])
            ),
        )

    def _silence_alarm(self, name: str, args: WitnessCanaryArgs, function: Function) -> None:
        """Declare the alarm on a silent canary, because the standby relies on its observations."""
        aws.cloudwatch.MetricAlarm(
            name,
            name=f"{args.application}-witness-silent",
            alarm_description="The witness has not run for three minutes.",
            namespace="AWS/Lambda",
            metric_name="Invocations",
            dimensions={"FunctionName": function.name},
            statistic="Sum",
            period=60,
            evaluation_periods=3,
            threshold=1,
            comparison_operator="LessThanThreshold",
            treat_missing_data="breaching",
            alarm_actions=[args.topic_arn],
            ok_actions=[args.topic_arn],
            opts=args.site.options(self),
        )
