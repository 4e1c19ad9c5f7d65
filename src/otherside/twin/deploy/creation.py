"""One resource to create, and what its handler needs to create it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from otherside.program.monitor import GLOBAL, RegisteredResource
from otherside.regions import CONTROL_REGION
from otherside.twin.deploy.api_clients import ApiClients
from otherside.twin.deploy.coercion import Coercion
from otherside.twin.json_types import JsonObject

Outputs = JsonObject


class ProvisionError(Exception):
    """Raised when a resource is not created; the message names it, its Region and the cause."""


@dataclass(slots=True, kw_only=True)
class ResourceCreation:
    """A resource to create, with the API clients, its inputs and, separately, its tags."""

    declared: RegisteredResource
    clients: ApiClients
    account: str
    inputs: JsonObject
    tags: dict[str, str]
    """The provider's tags and its own; every call that takes tags gets them."""
    run: str
    """Makes this deployment's generated names differ from those of others."""
    outputs: Outputs = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The Region whose API creates it."""
        return CONTROL_REGION if self.declared.region == GLOBAL else self.declared.region

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore makes the class
        """Return a client for a service in the resource's Region."""
        return self.clients.get(service, self.region)

    def name(self, key: str = "name", *, limit: int = 255) -> str:
        """Return the physical name: the given one, or one generated as Pulumi does."""
        given = self.inputs.get(key)
        if isinstance(given, str) and given:
            return given
        digest = hashlib.sha256(f"{self.run}{self.declared.urn}".encode()).hexdigest()[:7]
        return f"{self.declared.name[: limit - 8]}-{digest}"

    def call(
        self,
        service: str,
        operation: str,
        *,
        only: tuple[str, ...] | None = None,
        rename: Mapping[str, str] | None = None,
        drop: tuple[str, ...] = (),
        **more: Any,  # noqa: ANN401 - parameters of any operation
    ) -> JsonObject:
        """Call AWS with the inputs converted to the call's model, and return the response.

        `only` names the inputs of this call, if the rest belong to another call. Every input of
        this call must match a parameter.

        Raises:
            ProvisionError: If an input matches no parameter of the call.
        """
        client = self.client(service)
        shape = client.meta.service_model.operation_model(operation).input_shape
        inputs = self.inputs
        if only is not None:
            inputs = {key: inputs[key] for key in only if key in inputs}
        coercion = Coercion(rename or {}, frozenset({*drop, "region"}))
        given = next((name for name in ("Tags", "tags") if name in shape.members), None)
        if given and self.tags and given not in more:
            inputs = {**inputs, given: self.tags}
        made = coercion.structure(inputs, shape, "") | {
            key: value for key, value in more.items() if value is not None
        }
        if coercion.unmapped:
            msg = f"the twin does not honour {', '.join(sorted(coercion.unmapped))}"
            raise ProvisionError(msg)
        return self.ask(service, operation, **made)

    def ask(self, service: str, operation: str, **parameters: Any) -> JsonObject:  # noqa: ANN401 - any JSON value
        """Call AWS with unconverted parameters, and return the response."""
        client = self.client(service)
        found: JsonObject = client._make_api_call(  # noqa: SLF001 - by AWS's own name
            operation, parameters
        )
        found.pop("ResponseMetadata", None)
        return found

    def ec2_tags(self, kind: str) -> list[JsonObject]:
        """Return the tags as EC2's create calls take them."""
        made = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return [{"ResourceType": kind, "Tags": made}] if made else []


Create = Callable[[ResourceCreation], str]
"""Creates a resource, sets its outputs and returns its identifier."""
