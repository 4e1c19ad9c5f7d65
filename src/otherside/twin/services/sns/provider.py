"""SNS topics: what subscribers allow, and what other services publish; moto does the rest.

https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html
"""

from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.moto_backend import Subscription, Topic
from otherside.twin.services.base import ServiceProvider, after, api_error, operation
from otherside.twin.services.service_access import MissingError, ServiceAccess

SERVICE = "sns.amazonaws.com"


class SnsProvider(ServiceProvider):
    """Every topic of every Region."""

    def __init__(
        self, context: TwinContext, authorizer: Authorizer, services: ServiceAccess
    ) -> None:
        self._context, self._authorizer, self._services = context, authorizer, services
        self._guard_subscribers()

    def _guard_subscribers(self) -> None:
        """Deliver only what a subscriber's own policy allows."""
        publish = Subscription.publish

        def deliver(subscription: Subscription, *given: Any, **more: Any) -> None:  # noqa: ANN401 - moto's own shape
            if self._subscriber_lets(subscription):
                publish(subscription, *given, **more)

        Subscription.publish = deliver  # type: ignore[assignment,method-assign]  # its seam

    def _subscriber_lets(self, subscription: Subscription) -> bool:
        """Return whether a queue or a function accepts its topic; a refused message is lost."""
        action = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}
        wanted = action.get(str(subscription.protocol))
        if wanted is None:
            return True
        topic, arn = str(subscription.topic.arn), str(subscription.endpoint)
        verdict = self._authorizer.service_may(SERVICE, wanted, arn, source_arn=topic)
        if not verdict.allowed:
            region = topic.split(":")[3]
            self._context.emit("notice", region, f"{arn} lets {topic} not {wanted}", failed=True)
        return verdict.allowed

    @operation("sns", "Subscribe")
    def subscribe(self, _call: ApiCall, params: Params) -> None:
        """Refuse a subscription that would leave this machine, and leave the rest to moto."""
        if str(params.get("Protocol")) in {"http", "https"}:
            message = (
                "the twin posts to nobody: subscribe a queue, a function or an address of mail"
            )
            raise api_error("InvalidParameter", message)
        raise LeaveToMotoError

    def put_message(self, arn: str, text: str) -> None:
        """Put a message into a topic, for a caller whose permissions were checked.

        Raises:
            MissingError: If the topic does not exist.
        """
        self._topic(arn).publish(text)

    def _topic(self, arn: str) -> Topic:
        topic = moto_backend.sns(self._context.account, arn.split(":")[3]).topics.get(arn)
        if topic is None:
            raise MissingError(arn)
        return topic

    def publish_as(
        self, service: str, arn: str, text: str, *, source: str, subject: str | None = None
    ) -> None:
        """Publish to a topic as a service.

        Raises:
            DeniedError: If the topic's policy, or its key's policy, does not allow the service.
            MissingError: If the topic does not exist.
        """
        region, topic = arn.split(":")[3], self._topic(arn)
        self._services.check(service, "sns:Publish", arn, source)
        self._services.check_key(service, str(topic.kms_master_key_id or ""), region, source)
        topic.publish(text, subject=subject)
        self._context.emit("notice", region, subject or text[:120], topic=arn)

    @after("sns", "Publish")
    def published(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Log a message that a caller published through the API."""
        text = params.get("Subject") or str(params.get("Message") or "")[:120]
        self._context.emit("notice", call.region, text, topic=params.get("TopicArn"))
