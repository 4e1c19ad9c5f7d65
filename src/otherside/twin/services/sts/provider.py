"""STS where moto differs: each caller gets its own identity.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from otherside.twin.context import TwinContext
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.services.base import ServiceProvider, operation


class StsProvider(ServiceProvider):
    """The STS call that every caller may make; moto gives every caller the same answer."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context

    @operation("sts", "GetCallerIdentity")
    def who(self, call: ApiCall, _params: Params) -> JsonObject:
        """Return the caller's identity."""
        return {"UserId": call.key_id, "Account": self._context.account, "Arn": call.principal}
