"""STS where moto differs: each caller gets its own identity, and a user's session has keys.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

import re
import secrets

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.authorizer import Authorizer, Principal, UserSession
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.services.base import ServiceProvider, api_error, operation
from otherside.twin.timestamps import iso


class StsProvider(ServiceProvider):
    """Who calls, which moto answers alike for everyone, and how long a session may last."""

    def __init__(self, context: TwinContext, authorizer: Authorizer) -> None:
        self._context, self._authorizer = context, authorizer

    @operation("sts", "GetCallerIdentity")
    def who(self, call: ApiCall, _params: Params) -> JsonObject:
        """Return the caller's identity."""
        return {
            "UserId": self._id_of(call),
            "Account": self._context.account,
            "Arn": call.principal,
        }

    def _id_of(self, call: ApiCall) -> str:
        """Return the unique ID of a user, or of a role with the session's name.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        """
        kind, _, name = call.principal.rpartition(":")[2].partition("/")
        backend = moto_backend.iam(self._context.account)
        if kind == "assumed-role":
            role, _, session = name.partition("/")
            held = [item.id for item in backend.roles.values() if item.name == role]
            return f"{held[0]}:{session}" if held else call.key_id
        users = [item.id for item in backend.users.values() if item.arn == call.principal]
        return users[0] if users else call.key_id

    @operation("sts", "AssumeRole")
    def assume(self, _call: ApiCall, params: Params) -> None:
        """Refuse a session that would last longer than the role lets it; moto opens any."""
        duration, arn = params.get("DurationSeconds"), str(params.get("RoleArn"))
        roles = moto_backend.iam(self._context.account).roles.values()
        held = [int(role.max_session_duration or _HOUR_S) for role in roles if role.arn == arn]
        if duration is not None and held and not _SHORTEST_S <= int(duration) <= held[0]:
            message = (
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
            raise api_error("ValidationError", message)
        raise LeaveToMotoError

    @operation("sts", "GetSessionToken")
    def session(self, call: ApiCall, params: Params) -> JsonObject:
        """Open a session of the calling user, with all that it may but IAM and most of STS.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
        """
        if params.get("SerialNumber") or params.get("TokenCode"):
            message = "MultiFactorAuthentication failed, no device is assigned to the caller."
            raise api_error("AccessDenied", message, 403)
        return {"Credentials": self._open(call, params, call.principal, None)}

    @operation("sts", "GetFederationToken")
    def federation(self, call: ApiCall, params: Params) -> JsonObject:
        """Open a session for somebody else, with what both the user and the policy allow.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
        """
        if params.get("PolicyArns") or params.get("Tags"):
            message = "the twin opens a federated session with Policy, without PolicyArns and Tags"
            raise api_error("TwinNotImplemented", message, 501)
        name = str(params.get("Name") or "")
        if not re.fullmatch(r"[\w+=,.@-]{2,32}", name, re.ASCII):
            message = f"Value '{name}' at 'name' failed to satisfy constraint: 2 to 32 characters"
            raise api_error("ValidationError", message)
        account, policy = self._context.account, params.get("Policy")
        if policy is not None and len(str(policy)) > _POLICY_MAX:
            constraint = f"Member must have length less than or equal to {_POLICY_MAX}"
            message = (
                "1 validation error detected: Value at 'policy' failed to satisfy constraint: "
            )
            raise api_error("ValidationError", message + constraint)
        arn = f"arn:aws:sts::{account}:federated-user/{name}"
        return {
            "Credentials": self._open(call, params, arn, str(policy) if policy else None),
            "FederatedUser": {"FederatedUserId": f"{account}:{name}", "Arn": arn},
            "PackedPolicySize": len(str(policy or "")) * 100 // _POLICY_MAX,
        }

    def _open(self, call: ApiCall, params: Params, arn: str, policy: str | None) -> JsonObject:
        duration_s = int(params.get("DurationSeconds") or _DEFAULT_S)
        if not _SHORTEST_S <= duration_s <= _LONGEST_S:
            message = f"DurationSeconds must be between {_SHORTEST_S} and {_LONGEST_S}"
            raise api_error("ValidationError", message)
        if ":assumed-role/" in call.principal:
            message = f"Cannot call {call.operation} with session credentials"
            raise api_error("AccessDenied", message, 403)
        if policy is not None and (wrong := moto_backend.identity_policy_problem(policy)):
            raise api_error("MalformedPolicyDocument", wrong)
        own = call.principal == self._authorizer.provisioner.arn == arn
        holder = Principal(
            arn=arn,
            secret=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(120),
            expires_s=self._context.now_s + duration_s,
            provisioner=own,
        )
        key_id = "ASIA" + secrets.token_hex(8).upper()
        for ended, held in list(self._authorizer.sessions.items()):
            if (held.holder.expires_s or 0.0) < self._context.now_s - _LONGEST_S:
                self._authorizer.sessions.pop(ended, None)
        self._authorizer.sessions[key_id] = UserSession(
            holder=holder, user=call.principal, policy=policy
        )
        return {
            "AccessKeyId": key_id,
            "SecretAccessKey": holder.secret,
            "SessionToken": holder.token,
            "Expiration": iso(self._context.now_s + duration_s),
        }


_HOUR_S, _SHORTEST_S = 3600, 900
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
_DEFAULT_S, _LONGEST_S, _POLICY_MAX = 43_200, 129_600, 2048
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""
