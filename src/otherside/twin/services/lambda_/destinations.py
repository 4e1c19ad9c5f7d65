"""On-failure destinations of asynchronous invocations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import Ground
from otherside.twin.gateway.authorizer import Access


class Destinations:
    """Sends the records of failed invocations, as the function's role."""

    def __init__(self, ground: Ground, access: Access) -> None:
        self._ground, self._access = ground, access

    async def send(self, arn: str, record: dict[str, Any], *, role: str, region: str) -> None:
        """Send the record of a failed invocation to its destination."""
        action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}.get(arn.split(":")[2])
        text = json.dumps(record)
        if action is None or not self._access.role_may(role, action, arn, region=region).allowed:
            self._ground.tell("function", region, f"no record of a failed run: not let by {arn}")
            return
        if action == "sqs:SendMessage":
            name = arn.rpartition(":")[2]
            moto_backend.sqs(self._ground.account, region).send_message(name, text)
        else:
            moto_backend.sns(self._ground.account, region).topics[arn].publish(text)
