"""STS where moto differs: each caller gets its own identity.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.services.base import ServiceProvider, api_error, operation


class StsProvider(ServiceProvider):
    """Who calls, which moto answers alike for everyone, and how long a session may last."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context

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


_HOUR_S, _SHORTEST_S = 3600, 900
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
