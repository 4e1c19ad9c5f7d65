"""The database's master secret: generated, replicated, and rotated as soon as it exists."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.function import Function, FunctionArgs, environment_of
from otherside.components.iam_policies import allow
from otherside.components.sites import Site
from otherside.core.wire_contract import ROTATION_HANDLER, RotationSettings

MASTER_USERNAME = "dbadmin"
PASSWORD_LENGTH = 40
PASSWORD_CALLS = ("rds:DescribeDBClusters", "rds:ModifyDBCluster")
ROTATION_DAYS = 30
ROTATION_TIMEOUT_S = 300
"""A new password takes effect within a minute or two; the function waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsArgs:
    """Where the master secret is stored, and the key that encrypts it in each Region."""

    primary: Site
    standby: Site
    application: str
    primary_key_arn: pulumi.Input[str]
    standby_key_arn: pulumi.Input[str]
    """The standby's own key: without it, the replica would fall back to AWS's key."""
    logs_key_arn: pulumi.Input[str]
    log_days: int = 90
    protect: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The database that the secret belongs to, once it is declared."""

    name: str
    global_cluster: pulumi.Input[str]
    global_cluster_arn: pulumi.Input[str]
    cluster_arns: Sequence[pulumi.Input[str]]
    writer_endpoint: pulumi.Input[str]


class Secrets(pulumi.ComponentResource):
    """The master secret of a replicated database, readable on both sides.

    Pulumi keeps the password that it writes in its state, encrypted. The first rotation therefore
    runs at once and makes that value worthless: not even Pulumi knows the password in use. RDS's
    own master secret is no alternative, because Aurora refuses it for global databases.
    """

    password: pulumi.Output[str]
    """The initial password, used only to create the database."""
    secret_arn: pulumi.Output[str]
    replica_arn: pulumi.Output[str]
    """The replica on the standby side: the same ARN except for its Region."""

    def __init__(
        self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the secret, its replica and its first value."""
        super().__init__("otherside:index:Secrets", name, None, opts)
        self._name, self._args = name, args
        self._secret = aws.secretsmanager.Secret(
            name,
            name=f"{args.application}/database/master",
            description=f"{args.application}: master user of the database; break glass only",
            kms_key_id=args.primary_key_arn,
            replicas=[
                aws.secretsmanager.SecretReplicaArgs(
                    region=args.standby.region, kms_key_id=args.standby_key_arn
                )
            ],
            recovery_window_in_days=30 if args.protect else 0,  # so a trial can be recreated
            force_overwrite_replica_secret=False,
            opts=args.primary.options(self, pulumi.ResourceOptions(protect=args.protect)),
        )
        generated = aws.secretsmanager.get_random_password_output(
            password_length=PASSWORD_LENGTH,
            exclude_punctuation=True,
            require_each_included_type=True,
            opts=args.primary.look_up(),
        )
        self.password = _secret(generated.random_password)
        self.secret_arn = self._secret.arn
        regions = f":{args.primary.region}:", f":{args.standby.region}:"
        self.replica_arn = self._secret.arn.apply(lambda arn: arn.replace(*regions))
        self.register_outputs({"secret_arn": self.secret_arn, "replica_arn": self.replica_arn})

    def publish(self, database: Published) -> None:
        """Write the secret's first value once the database exists, and start its rotation."""
        args = self._args
        written = self._first_value(database)
        function = self._rotation_function(database)
        permission = aws.lambda_.Permission(
            self._name,
            action="lambda:InvokeFunction",
            function=function.name,
            principal="secretsmanager.amazonaws.com",
            source_arn=self._secret.arn,
            source_account=args.primary.account,
            opts=args.primary.options(self),
        )
        aws.secretsmanager.SecretRotation(
            self._name,
            secret_id=self._secret.id,
            rotation_lambda_arn=function.arn,
            rotate_immediately=True,
            rotation_rules=aws.secretsmanager.SecretRotationRotationRulesArgs(
                automatically_after_days=ROTATION_DAYS
            ),
            opts=args.primary.options(
                self, pulumi.ResourceOptions(depends_on=[permission, written])
            ),
        )

    def _first_value(self, database: Published) -> pulumi.Resource:
        value = pulumi.Output.json_dumps(
            {
                "engine": "postgres",
                "host": database.writer_endpoint,
                "port": 5432,
                "dbname": database.name,
                "username": MASTER_USERNAME,
                "password": self.password,
            }
        )
        return aws.secretsmanager.SecretVersion(
            self._name,
            secret_id=self._secret.id,
            secret_string_wo=_secret(value),
            secret_string_wo_version=1,
            # Every run generates a new password; after the first, rotation owns the value.
            opts=self._args.primary.options(
                self, pulumi.ResourceOptions(ignore_changes=["secretStringWo"])
            ),
        )

    def _rotation_function(self, database: Published) -> Function:
        args = self._args
        versions = [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ]
        key, copy = args.primary_key_arn, args.standby_key_arn
        whole, clusters = database.global_cluster_arn, list(database.cluster_arns)
        return Function(
            f"{args.application}-rotation",
            FunctionArgs(
                site=args.primary,
                handler=ROTATION_HANDLER,
                environment=environment_of(
                    RotationSettings,
                    {
                        "global_cluster": database.global_cluster,
                        "home_region": args.primary.region,
                    },
                ),
                statements=[
                    allow("TurnTheSecret", versions, self._secret.arn),
                    allow("Generate", ["secretsmanager:GetRandomPassword"]),
                    allow("UseTheKey", ["kms:Decrypt", "kms:GenerateDataKey"], key),
                    allow("UseTheCopysKey", ["kms:Encrypt", "kms:GenerateDataKey"], copy),
                    allow("FindTheWriter", ["rds:DescribeGlobalClusters"], whole),
                    allow(
                        "SetThePassword",
                        list(PASSWORD_CALLS),
                        clusters,
                    ),
                ],
                logs_key_arn=args.logs_key_arn,
                settings_key_arn=key,
                timeout_s=ROTATION_TIMEOUT_S,
                log_days=args.log_days,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _secret(value: pulumi.Output[str]) -> pulumi.Output[str]:
    """Mark an output as secret, typed as an output, which Pulumi's own signature is not."""
    marked: pulumi.Output[str] = pulumi.Output.secret(value)
    return marked
