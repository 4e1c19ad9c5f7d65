"""moto's services, each located and built once."""

from collections.abc import Iterable
from typing import Any

from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from otherside.twin.gateway.protocol import SIGNED_AS

OF_A_STACK = (
    *("kms", "ec2", "iam", "route53", "acm", "rds", "secretsmanager", "s3", "logs", "sns"),
    *("monitoring", "dynamodb", "autoscaling", "elasticloadbalancing", "lambda", "events"),
    *("scheduler", "sqs", "backup", "firehose"),
)
"""Signing names of the services that a stack calls, roughly in the order of the calls."""


class MotoApps(DomainDispatcherApplication):
    """The WSGI application of all of moto.

    moto's own application searches its directories on each request. It builds a service only during
    the first call to it, and that call has to wait.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's own
        """Return moto's service for a host name."""
        if host not in self._known:
            self._known[host] = super().get_backend_for_host(host)
        return self._known[host]

    def build(self, services: Iterable[str] = OF_A_STACK) -> None:
        """Build services before the first calls need them."""
        for service in services:
            model = SIGNED_AS.get(service, service)
            get_service_model(model)
            get_service_router(model)
            backend = self.get_backend_for_host(f"{service}.us-east-1.amazonaws.com")
            with self.lock:
                if backend not in self.app_instances:
                    self.app_instances[backend] = self.create_app(backend)
