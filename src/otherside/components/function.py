"""A Lambda function with its own least-privilege role, log group and settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.bundle import bundle
from otherside.components.iam_policies import Statement, allow, document, trust
from otherside.components.sites import Site
from otherside.core.wire_contract import RUNTIME, FunctionSettings

MEMORY_MB = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionArgs:
    """One function of the bundle."""

    site: Site
    handler: str
    """Its path in the bundle, from `core.wire_contract`."""
    environment: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    statements: Sequence[Statement]
    """What its role may do, in addition to writing logs and traces and reading its settings."""
    logs_key_arn: pulumi.Input[str]
    settings_key_arn: pulumi.Input[str]
    """Encrypts its environment variables."""
    timeout_s: int
    log_days: int = 90
    reserved_concurrency: int | None = None
    """Off by default: new accounts have too little concurrency to reserve any."""


class Function(pulumi.ComponentResource):
    """One function of the bundle, in one Region."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    role_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the log group, the role and the function."""
        super().__init__("otherside:index:Function", name, None, opts)
        here = args.site.options(self)
        logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/lambda/{name}",  # created first: Lambda's own would never expire
            retention_in_days=args.log_days,
            kms_key_id=args.logs_key_arn,
            opts=here,
        )
        role = aws.iam.Role(name, assume_role_policy=trust("lambda.amazonaws.com"), opts=here)
        policy = aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=document(
                allow(
                    "WriteLogs",
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    pulumi.Output.concat(logs.arn, ":*"),
                ),
                allow("WriteTraces", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]),
                allow("ReadSettings", ["kms:Decrypt"], args.settings_key_arn),
                *args.statements,
            ),
            opts=here,
        )
        function = aws.lambda_.Function(
            name,
            name=name,
            role=role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=args.handler,
            code=bundle(),
            timeout=args.timeout_s,
            memory_size=MEMORY_MB,
            kms_key_arn=args.settings_key_arn,
            reserved_concurrent_executions=args.reserved_concurrency,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=args.environment),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                log_group=logs.name,
                application_log_level="INFO",
                system_log_level="WARN",
            ),
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=[policy])),
        )
        self.arn, self.name, self.role_name = function.arn, function.name, role.name
        self.register_outputs({"arn": self.arn})


def environment_of(
    kind: type[FunctionSettings], values: Mapping[str, pulumi.Input[str]]
) -> pulumi.Output[Mapping[str, pulumi.Input[str]]]:
    """Return the environment variables for the settings, once every value is known."""

    def write(known: Mapping[str, str]) -> Mapping[str, pulumi.Input[str]]:
        return dict(kind(**known).to_environment())

    return pulumi.Output.all(**values).apply(write)
