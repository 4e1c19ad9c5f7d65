"""Rotate the master secret of an Aurora global database, without connecting to it.

Secrets Manager calls `rotate` four times per rotation, and repeats all four if a step fails. The
function sets the password through the RDS API on the cluster that holds the writer. So it needs no
driver and no network of its own, and it also repairs a database whose first password was never
recorded. It refuses to run during a failover or a switchover: a password that reached the database
but not the secret's replica would lock everyone out.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from otherside.core.wire_contract import RotationSettings
from otherside.failover.clock import Clock, SystemClock

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

PASSWORD_LENGTH = 40
APPLIED_WITHIN_S = 240.0
POLL_S = 5.0
PENDING, CURRENT = "AWSPENDING", "AWSCURRENT"

_CLIENT = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 3})


class RotationError(Exception):
    """A rotation that cannot proceed now; Secrets Manager retries it later."""


def rotate(event: Mapping[str, str], _context: object) -> None:
    """Run one step of a rotation, when Secrets Manager calls for it.

    Raises:
        RotationError: If the secret is not being rotated, or the database is being moved.
    """
    settings = RotationSettings.from_environment(os.environ)
    rotation = Rotation(
        settings,
        secrets=boto3.client("secretsmanager", region_name=settings.home_region, config=_CLIENT),
        rds=lambda region: boto3.client("rds", region_name=region, config=_CLIENT),
        clock=SystemClock(),
    )
    rotation.take(event["Step"], event["SecretId"], event["ClientRequestToken"])


class Rotation:
    """The four steps of a rotation. Each is idempotent: a second call finds the work done."""

    def __init__(
        self,
        settings: RotationSettings,
        *,
        secrets: "SecretsManagerClient",
        rds: "Callable[[str], RDSClient]",
        clock: Clock,
    ) -> None:
        """Take the clients that the steps use; `rds` creates one for a Region."""
        self._settings, self._secrets, self._rds, self._clock = settings, secrets, rds, clock

    def take(self, step: str, secret: str, version: str) -> None:
        """Run one step for one version of the secret.

        Raises:
            RotationError: If the version is not pending, the step is not one of the four, or the
                database is being moved.
        """
        stages = self._secrets.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
        mine = stages.get(version)
        if mine is None:
            msg = f"version {version} is no version of the secret"
            raise RotationError(msg)
        if CURRENT in mine:
            return
        if PENDING not in mine:
            msg = f"version {version} is not pending"
            raise RotationError(msg)
        match step:
            case "createSecret":
                self._create(secret, version)
            case "setSecret":
                self._set(secret, version)
            case "testSecret":
                self._test()
            case "finishSecret":
                self._finish(secret, version, stages)
            case _:
                msg = f"{step} is no step of a rotation"
                raise RotationError(msg)

    def _create(self, secret: str, version: str) -> None:
        """Write the pending version: a copy of the current one with a new password."""
        try:
            self._value(secret, version, PENDING)
        except self._secrets.exceptions.ResourceNotFoundException:
            value = json.loads(self._secrets.get_secret_value(SecretId=secret)["SecretString"])
            value["password"] = self._secrets.get_random_password(
                PasswordLength=PASSWORD_LENGTH,
                ExcludePunctuation=True,
                RequireEachIncludedType=True,
            )["RandomPassword"]
            self._secrets.put_secret_value(
                SecretId=secret,
                ClientRequestToken=version,
                SecretString=json.dumps(value),
                VersionStages=[PENDING],
            )

    def _set(self, secret: str, version: str) -> None:
        """Set the pending password on the cluster that holds the writer now."""
        password = self._value(secret, version, PENDING)["password"]
        writer = self._writer()
        self._rds(_region(writer)).modify_db_cluster(
            DBClusterIdentifier=writer.rsplit(":", 1)[-1],
            MasterUserPassword=password,
            ApplyImmediately=True,
        )

    def _test(self) -> None:
        """Wait until the database has applied the password."""
        writer = self._writer()
        rds = self._rds(_region(writer))
        until_s = self._clock.monotonic_s() + APPLIED_WITHIN_S
        while self._clock.monotonic_s() < until_s:
            cluster = rds.describe_db_clusters(DBClusterIdentifier=writer)["DBClusters"][0]
            pending = cluster.get("PendingModifiedValues", {})
            if cluster.get("Status") == "available" and "MasterUserPassword" not in pending:
                return
            self._clock.sleep(POLL_S)
        msg = f"{writer} has not taken the password over within {APPLIED_WITHIN_S:g} s"
        raise RotationError(msg)

    def _finish(self, secret: str, version: str, stages: Mapping[str, list[str]]) -> None:
        """Make the pending version the current one."""
        current = next((key for key, names in stages.items() if CURRENT in names), None)
        leaving: dict[str, Any] = {"RemoveFromVersionId": current} if current else {}
        self._secrets.update_secret_version_stage(
            SecretId=secret, VersionStage=CURRENT, MoveToVersionId=version, **leaving
        )

    def _value(self, secret: str, version: str, stage: str) -> dict[str, str]:
        found = self._secrets.get_secret_value(
            SecretId=secret, VersionId=version, VersionStage=stage
        )
        value: dict[str, str] = json.loads(found["SecretString"])
        return value

    def _writer(self) -> str:
        """Return the ARN of the cluster that holds the writer.

        Raises:
            RotationError: If the writer is being moved, or there is none.
        """
        home = self._rds(self._settings.home_region)
        whole = home.describe_global_clusters(
            GlobalClusterIdentifier=self._settings.global_cluster
        )["GlobalClusters"][0]
        if whole.get("FailoverState"):
            msg = f"{self._settings.global_cluster} is being moved; its password stays until then"
            raise RotationError(msg)
        for member in whole.get("GlobalClusterMembers", []):
            if member.get("IsWriter"):
                return member["DBClusterArn"]
        msg = f"{self._settings.global_cluster} has no writer"
        raise RotationError(msg)


def _region(arn: str) -> str:
    return arn.split(":")[3]
