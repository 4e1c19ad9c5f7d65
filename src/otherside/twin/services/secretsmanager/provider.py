"""Secrets Manager where moto differs: a function carries out a rotation, in four steps."""

import asyncio
import copy
import json
import uuid
from collections.abc import Awaitable, Callable
from functools import partial

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import FakeSecret, ReplicaSecret
from otherside.twin.services.base import ServiceProvider, after, api_error, operation

SERVICE = "secretsmanager.amazonaws.com"
TOKEN, DAYS = (32, 64), (1, 1000)
"""The shortest and the longest token; the fewest and the most days."""
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
TRIES = 3
PAUSE_S = 60.0

Invoke = Callable[[str, bytes], Awaitable[tuple[bytes, str | None]]]
"""Invokes a function by its ARN: (its answer, the kind of its error or `None`)."""


class SecretsManagerProvider(ServiceProvider):
    """Rotation by a function, in the steps of Secrets Manager."""

    def __init__(self, context: TwinContext, authorizer: Authorizer, invoke: Invoke) -> None:
        self._context, self._authorizer, self._invoke = context, authorizer, invoke

    @after("secretsmanager", "CreateSecret", "ReplicateSecretToRegions")
    def replicated(self, call: ApiCall, params: Params, body: bytes) -> None:
        """Make each replica report its own KMS key: moto reports the primary's."""
        arn = str(json.loads(body)["ARN"])
        for region in params.get("AddReplicaRegions") or ():
            there = arn.replace(call.region, region["Region"])
            replica = moto_backend.secretsmanager(
                self._context.account, region["Region"]
            ).secrets.get(there)
            if isinstance(replica, ReplicaSecret):
                key = region.get("KmsKeyId") or "alias/aws/secretsmanager"
                replica.config["KmsKeyId"] = key
                replica.to_dict = partial(_described, replica, key)  # type: ignore[method-assign]  # its own key

    @operation("secretsmanager", "RotateSecret")
    def rotate(self, call: ApiCall, params: Params) -> JsonObject:
        """Start a rotation, or store its configuration if the rotation is not immediate."""
        secret = self._secret(call.region, params["SecretId"])
        if isinstance(secret, ReplicaSecret):
            message = "Operation not permitted on a replica secret. Call must be made in primary"
            raise api_error("InvalidParameterException", f"{message} secret's region.")
        wrong = _rotation_problem(params)
        if wrong is not None:
            raise api_error("InvalidParameterException", wrong)
        function = params.get("RotationLambdaARN") or getattr(secret, "rotation_lambda_arn", "")
        if not function:
            message = "No Lambda rotation function ARN is associated with this secret."
            raise api_error("InvalidRequestException", message)
        verdict = self._authorizer.service_may(
            SERVICE, "lambda:InvokeFunction", function, source_arn=secret.arn
        )
        if not verdict.allowed:
            message = f"Secrets Manager cannot invoke the specified Lambda function {function}"
            raise api_error("AccessDeniedException", message)
        if self._stray(secret):
            message = "A previous rotation isn't complete. That rotation will be reattempted."
            raise api_error("InvalidRequestException", message)
        secret.rotation_lambda_arn, secret.rotation_enabled = function, True
        rules = params.get("RotationRules") or {}
        secret.auto_rotate_after_days = int(rules.get("AutomaticallyAfterDays") or 0)
        token = str(params.get("ClientRequestToken") or uuid.uuid4())
        at_once = params.get("RotateImmediately", True)
        if at_once:
            stage = {"version_id": token, "version_stages": ["AWSPENDING"]}
            secret.versions[token] = {"createdate": self._context.now_s, **stage}
        steps = STEPS if at_once else ("testSecret",)
        work = self._carry_out(secret, function, token, steps)
        self._context.spawn(work, name=f"rotate {secret.name}")
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": token}

    @after("secretsmanager", "UpdateSecretVersionStage")
    def staged(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Make reads return the current version: moto returns the one written last."""
        moved = params.get("MoveToVersionId")
        if params["VersionStage"] == "AWSCURRENT" and moved:
            secret = self._secret(call.region, params["SecretId"])
            assert isinstance(secret, FakeSecret), "moto stages a version of the secret itself only"
            secret.set_default_version_id(moved)

    @operation("secretsmanager", "StopReplicationToReplica")
    def promote(self, call: ApiCall, params: Params) -> JsonObject:
        """Turn a replica into a standalone secret; the call goes to the replica's Region."""
        replica = self._secret(call.region, params["SecretId"])
        if not isinstance(replica, ReplicaSecret):
            message = "You can't call this operation on a secret that isn't a replica."
            raise api_error("InvalidRequestException", message)
        source = replica.source
        own = copy.copy(source)
        own.arn, own.region, own.replicas = replica.arn, call.region, []
        own.versions = copy.deepcopy(source.versions)
        own.kms_key_id = replica.config["KmsKeyId"]
        own.rotation_enabled, own.rotation_lambda_arn = False, ""
        moto_backend.secretsmanager(self._context.account, call.region).secrets[replica.arn] = own
        source.replicas = [
            other_replica for other_replica in source.replicas if other_replica is not replica
        ]
        return {"ARN": replica.arn}

    async def _carry_out(
        self,
        secret: FakeSecret,
        function: str,
        token: str,
        steps: tuple[str, ...],
    ) -> None:
        """Run all steps in order; any failure repeats the whole rotation."""
        for _ in range(TRIES):
            error = None
            for step in steps:
                event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token}
                answer, error = await self._invoke(function, json.dumps(event).encode())
                if error:
                    text = f"rotation of {secret.name}: {step} failed: {answer.decode()[:200]}"
                    self._context.emit("secret", secret.region, text, step=step)
                    break
            if error is None:
                self._context.emit("secret", secret.region, f"{secret.name}: {', '.join(steps)}")
                return
            await asyncio.sleep(PAUSE_S)

    def _stray(self, secret: FakeSecret) -> bool:
        """Return whether an earlier rotation never ended."""
        return any(
            "AWSPENDING" in version["version_stages"]
            and "AWSCURRENT" not in version["version_stages"]
            for version in secret.versions.values()
        )

    def _secret(self, region: str, given: str) -> FakeSecret | ReplicaSecret:
        found = moto_backend.secretsmanager(self._context.account, region).secrets.get(given)
        if found is None:
            message = "Secrets Manager can't find the specified secret."
            raise api_error("ResourceNotFoundException", message)
        return found


def _described(replica: ReplicaSecret, key: str) -> JsonObject:
    return {**ReplicaSecret.to_dict(replica), "KmsKeyId": key}


def _rotation_problem(params: Params) -> str | None:
    """Return why Secrets Manager refuses how a rotation is asked for, or `None`.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """
    token = params.get("ClientRequestToken")
    if token is not None and not TOKEN[0] <= len(str(token)) <= TOKEN[1]:
        return f"ClientRequestToken must be {TOKEN[0]}-{TOKEN[1]} characters long."
    days = (params.get("RotationRules") or {}).get("AutomaticallyAfterDays")
    if days is not None and not DAYS[0] <= int(days) <= DAYS[1]:
        return f"RotationRules.AutomaticallyAfterDays must be within {DAYS[0]}-{DAYS[1]}."
    return None
