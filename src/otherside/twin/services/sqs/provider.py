"""Queue writes by other services; moto serves the API itself."""

from collections.abc import Mapping

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.services.service_access import MissingError, ServiceAccess


class Queues:
    """Every queue of every Region."""

    def __init__(self, context: TwinContext, services: ServiceAccess) -> None:
        self._context, self._services = context, services

    def put_message(
        self, arn: str, text: str, attributes: Mapping[str, str], group: str = ""
    ) -> None:
        """Put a message into a queue; a FIFO queue takes it in a group.

        Raises:
            MissingError: If there is no queue.
        """
        region, name = arn.split(":")[3], arn.rpartition(":")[2]
        backend = moto_backend.sqs(self._context.account, region)
        if name not in backend.queues:
            raise MissingError(arn)
        backend.send_message(
            name,
            text,
            message_attributes={
                key: {"DataType": "String", "StringValue": value}
                for key, value in attributes.items()
            },
            group_id=group or None,
        )

    def send_as(
        self,
        service: str,
        arn: str,
        text: str,
        *,
        source: str,
        attributes: Mapping[str, str] | None = None,
        group: str = "",
    ) -> None:
        """Send a message to a queue as a service.

        Raises:
            DeniedError: If the queue's policy, or its key's policy, does not allow the service.
            MissingError: If there is no queue.
        """
        region, name = arn.split(":")[3], arn.rpartition(":")[2]
        queue = moto_backend.sqs(self._context.account, region).queues.get(name)
        if queue is None:
            raise MissingError(arn)
        self._services.check(service, "sqs:SendMessage", arn, source)
        self._services.check_key(
            service, str(getattr(queue, "kms_master_key_id", None) or ""), region, source
        )
        self.put_message(arn, text, attributes or {}, group)
