"""On-failure destinations of asynchronous invocations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer


class Destinations:
    """Sends the records of failed invocations, with the function's role."""

    def __init__(self, context: TwinContext, authorizer: Authorizer) -> None:
        self._context, self._authorizer = context, authorizer

    async def send(self, arn: str, record: dict[str, Any], *, role: str, region: str) -> None:
        """Send the record of a failed invocation to its destination."""
        action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}.get(arn.split(":")[2])
        text = json.dumps(record)
        if (
            action is None
            or not self._authorizer.role_may(role, action, arn, region=region).allowed
        ):
            self._context.emit("function", region, f"no record of a failed run: not let by {arn}")
            return
        if action == "sqs:SendMessage":
            name = arn.rpartition(":")[2]
            moto_backend.sqs(self._context.account, region).send_message(name, text)
        else:
            moto_backend.sns(self._context.account, region).topics[arn].publish(text)
