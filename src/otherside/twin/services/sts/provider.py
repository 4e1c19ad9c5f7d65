"""STS where moto differs: each caller is told who it is.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from collections.abc import Mapping
from typing import Any

from otherside.twin.context import Ground
from otherside.twin.gateway.protocol import Call
from otherside.twin.services.base import Extension, operation


class Caller(Extension):
    """STS's one question that everybody may ask; moto gives everybody the same answer."""

    def __init__(self, ground: Ground) -> None:
        """Keep whose account it is."""
        self._ground = ground

    @operation("sts", "GetCallerIdentity")
    def who(self, call: Call, _params: Mapping[str, Any]) -> dict[str, Any]:
        """Return who asks."""
        return {"UserId": call.key_id, "Account": self._ground.account, "Arn": call.principal}
