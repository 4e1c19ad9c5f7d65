"""Alarm actions: publish to a topic, or invoke a function.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions.html
"""

import json

from otherside.twin.context import TwinContext
from otherside.twin.json_types import JsonObject
from otherside.twin.services.lambda_.provider import LambdaProvider
from otherside.twin.services.service_access import DeniedError, MissingError, ServiceAccess
from otherside.twin.services.sns.provider import SnsProvider

ALARMS = "cloudwatch.amazonaws.com"
ALARM_LAMBDA = "lambda.alarms.cloudwatch.amazonaws.com"


class AlarmActions:
    """Carries out an alarm's actions when its state changes."""

    def __init__(
        self,
        context: TwinContext,
        services: ServiceAccess,
        topics: SnsProvider,
        functions: LambdaProvider,
    ) -> None:
        self._context, self._services = context, services
        self._topics, self._functions = topics, functions

    def act(self, region: str, arn: str, message: JsonObject) -> None:
        """Carry out an alarm's action: publish to a topic, or invoke a function."""
        alarm = str(message["AlarmArn"])
        state, name = message["NewStateValue"], message["AlarmName"]
        subject = f'{state}: "{name}" in {message["Region"]}'
        try:
            if arn.split(":")[2] == "sns":
                text = json.dumps(message)
                self._topics.publish_as(ALARMS, arn, text, source=alarm, subject=subject[:100])
            elif arn.split(":")[2] == "lambda":
                self._services.check(ALARM_LAMBDA, "lambda:InvokeFunction", arn, alarm)
                body = json.dumps({"source": "aws.cloudwatch", "alarmArn": alarm}).encode()
                work = self._functions.invoke_later(self._functions.find_target(arn), body)
                self._context.spawn(work, name="a function of an alarm")
            else:
                self._context.emit("alarm", region, f"the twin takes no action of kind {arn}")
        except (DeniedError, MissingError) as error:
            text = f"{name} could not tell {arn}: {type(error).__name__}: {error}"
            self._context.emit("alarm", region, text, alarm=name, failed=True)
