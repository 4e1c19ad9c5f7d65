"""On-failure destinations of asynchronous invocations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json

from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.json_types import JsonObject
from otherside.twin.services.service_access import MissingError
from otherside.twin.services.sns.provider import SnsProvider
from otherside.twin.services.sqs.provider import Queues


class Destinations:
    """Sends the records of failed invocations, with the function's role."""

    def __init__(
        self, context: TwinContext, authorizer: Authorizer, queues: Queues, topics: SnsProvider
    ) -> None:
        self._context, self._authorizer = context, authorizer
        self._queues, self._topics = queues, topics

    async def send(self, arn: str, record: JsonObject, *, role: str, region: str) -> None:
        """Send the record of a failed invocation to its destination."""
        action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}.get(arn.split(":")[2])
        text = json.dumps(record)
        if (
            action is None
            or not self._authorizer.role_may(role, action, arn, region=region).allowed
        ):
            self._context.emit("function", region, f"no record of a failed run: not let by {arn}")
            return
        try:
            if action == "sqs:SendMessage":
                self._queues.put_message(arn, text, {})
            else:
                self._topics.put_message(arn, text)
        except MissingError:
            self._context.emit("function", region, f"no record of a failed run: {arn} is missing")
