"""Creates what a Pulumi program declares, on a twin, through AWS's own API.

The program is not changed: a monitor in this process replaces Pulumi's engine and receives every
resource in dependency order, several at a time. There is no state: a twin is created once and
thrown away.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import settings

from otherside.program.monitor import (
    GLOBAL,
    Declaration,
    Monitor,
    RegisteredResource,
    Transform,
    run_program,
)
from otherside.program.program_error import ProgramError
from otherside.program.project import Project
from otherside.twin.deploy.api_clients import ApiClients
from otherside.twin.deploy.creation import Create, ProvisionError, ResourceCreation
from otherside.twin.deploy.data_sources import look_up
from otherside.twin.guest.scaled_clock import real_monotonic_s
from otherside.twin.json_types import JsonObject

WORKERS = 6
ProgressCallback = Callable[[str], None]

_ID = re.compile(r"^(vpc|subnet|sg|rtb|igw|nat|lt|eipalloc|pcx)-[0-9a-f]{8,}$")
_ARN = re.compile(
    r"^arn:aws:(kms|sns|sqs|lambda|iam|firehose|events|elasticloadbalancing|rds|"
    r"backup|dynamodb|secretsmanager|logs|s3):([a-z0-9-]*):(\d*):(.+)$"
)
_ELSEWHERE = frozenset({"peerVpcId", "vpcPeeringConnectionId"})
"""Inputs that may refer to a resource in another Region."""


class Provisioner(Monitor):
    """Replaces Pulumi's engine, and creates every resource."""

    def __init__(
        self,
        clients: ApiClients,
        *,
        account: str,
        config: Mapping[str, str],
        transform: Transform,
        run: str,
        told: ProgressCallback,
        regions: tuple[str, ...],
        resource_types: Mapping[str, Create],
    ) -> None:
        super().__init__(transform, account, config=config)
        self._regions_here, self._resource_types = regions, resource_types
        self._clients, self._run, self._told = clients, run, told
        self._tags: dict[str, dict[str, str]] = {}
        self._where: dict[str, str] = {}

    def make(self, declared: RegisteredResource) -> RegisteredResource:
        """Create a resource.

        Raises:
            ProvisionError: If it cannot be created; the message names it.
        """
        if declared.region and declared.region not in {GLOBAL, *self._regions_here}:
            cause = f"the twin has no Region {declared.region}; it has "
            raise ProvisionError(self._blame(declared, cause + ", ".join(self._regions_here)))
        if declared.type.startswith("pulumi:providers:"):
            self._tags[declared.urn] = _default_tags(declared.inputs)
            return replace(declared, id=declared.name, outputs=dict(declared.inputs))
        if not declared.custom:
            return super().make(declared)
        handler = self._resource_types.get(declared.type)
        if handler is None:
            msg = self._blame(declared, "the twin does not support this resource type")
            raise ProvisionError(msg)
        self._check_references(declared)
        inputs, tags = self._inputs(declared)
        creation = ResourceCreation(
            declared=declared,
            clients=self._clients,
            account=self.account,
            inputs=inputs,
            tags=tags,
            run=self._run,
        )
        try:
            identifier = handler(creation)
        except (ClientError, BotoCoreError, ProvisionError, KeyError, ValueError) as error:
            raise ProvisionError(self._blame(declared, _cause(error, declared))) from error
        outputs = {**declared.inputs, **creation.outputs}
        born = replace(declared, id=identifier, outputs=outputs)
        self._index(born)
        self._told(f"{declared.type.rpartition(':')[2]} {declared.name}")
        return born

    def leave_out(self, declared: RegisteredResource) -> RegisteredResource:
        """Return a mock of a resource that a transform left out, so that others can refer to it."""
        left = super().leave_out(declared)
        self._index(left)
        return left

    def find(self, declared: RegisteredResource) -> JsonObject:
        """Raise an error: a twin is empty before its program has run."""
        raise ProvisionError(self._blame(declared, "a twin is empty before its program runs"))

    def look_up(self, token: str, arguments: Mapping[str, Any], region: str) -> JsonObject:
        """Return a data source's answer from the twin."""
        where = "" if region == GLOBAL else region
        found = look_up(token, arguments, where, self._clients, self.account)
        return super().look_up(token, arguments, region) if found is None else found

    def _inputs(self, declared: RegisteredResource) -> tuple[JsonObject, dict[str, str]]:
        """Return a resource's inputs and, separately, its tags, which override its provider's.

        An Auto Scaling group has a list in place of a tag table, which stays among the inputs.
        """
        inputs = dict(declared.inputs)
        own = inputs.pop("tags") if isinstance(inputs.get("tags"), dict) else {}
        tags = {**self._tags.get(declared.provider, {}), **own}
        return inputs, {key: str(value) for key, value in tags.items()}

    def _index(self, born: RegisteredResource) -> None:
        for value in (born.id, born.outputs.get("arn"), born.outputs.get("id")):
            if isinstance(value, str):
                self._where[value] = born.region

    def _check_references(self, declared: RegisteredResource) -> None:
        """Reject references to resources that do not exist or are in another Region.

        Raises:
            ProvisionError: If there is one; the message names it.
        """
        for key, value in _strings(declared.inputs):
            if _ID.match(value):
                where = self._where.get(value)
                if where is None and not self._made_along(value):
                    raise ProvisionError(self._blame(declared, f"{key}: {value} does not exist"))
                other = where not in {None, GLOBAL, declared.region}
                if other and key.rpartition(".")[2] not in _ELSEWHERE:
                    cause = f"{key}: {value} is in {where} and not in {declared.region}"
                    raise ProvisionError(self._blame(declared, cause))

    def _made_along(self, value: str) -> bool:
        """Return whether another resource brought this identifier: a VPC's default group."""
        return any(
            value in (string for _, string in _strings(known.outputs))
            for known in list(self.declared.values())
        )

    def _blame(self, declared: RegisteredResource, cause: str) -> str:
        return f'{declared.type} "{declared.name}" ({declared.region or "no region"}): {cause}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What a program created."""

    declaration: Declaration
    took_s: float
    """In real seconds."""


def provision(
    project: Project,
    clients: ApiClients,
    *,
    account: str,
    run: str,
    regions: tuple[str, ...],
    resource_types: Mapping[str, Create],
    transform: Transform = lambda resource: resource,
    told: ProgressCallback = lambda _: None,
) -> Provisioned:
    """Run a project's program and create everything that it declares.

    Raises:
        ProvisionError: If a resource cannot be created.
        ProgramError: If the program cannot be run.
        Exception: Any error that the program itself raises.
    """
    began_s = real_monotonic_s()
    monitor = Provisioner(
        clients,
        account=account,
        config=project.config,
        transform=transform,
        run=run,
        told=told,
        regions=regions,
        resource_types=resource_types,
    )
    try:
        exports = run_program(
            project.run,
            monitor,
            project=project.name,
            stack_name=project.stack,
            config=project.config,
            workers=WORKERS,
        )
    finally:
        settings.SETTINGS.rpc_manager.clear()  # left behind by a failed program
    declaration = Declaration(resources=tuple(monitor.declared.values()), exports=exports)
    return Provisioned(declaration=declaration, took_s=real_monotonic_s() - began_s)


def _default_tags(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return a provider's default tags, which may arrive as JSON."""
    import json  # noqa: PLC0415 - only here

    given = inputs.get("defaultTags")
    found = json.loads(given) if isinstance(given, str) else given or {}
    return {str(key): str(value) for key, value in (found.get("tags") or {}).items()}


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any input
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, path)


def _cause(error: Exception, declared: RegisteredResource) -> str:
    """Return an error's cause with secrets redacted."""
    text = f"no {error}" if isinstance(error, KeyError) else str(error)
    for path in declared.secrets:
        value: Any = declared.inputs
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value.get(part, "")
        if isinstance(value, str) and value:
            text = text.replace(value, "[secret]")
    return text


__all__ = ["ProgramError", "ProvisionError", "Provisioned", "provision"]
