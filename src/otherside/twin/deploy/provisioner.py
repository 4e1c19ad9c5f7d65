"""Make what a Pulumi program declares, on a twin, through AWS's own API.

The program is not changed: Pulumi's engine is replaced by a monitor in this process, which is
handed every resource in the order of its dependencies, several at a time. There is no state: a
twin is made once and thrown away.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import settings

from otherside.program.monitor import (
    GLOBAL,
    Declaration,
    Monitor,
    ProgramError,
    RegisteredResource,
    Transform,
    run_program,
)
from otherside.program.project import Project
from otherside.twin.deploy.api_clients import ApiClients
from otherside.twin.deploy.creation import Create, ProvisionError, ResourceCreation
from otherside.twin.deploy.data_sources import look_up

WORKERS = 6
ProgressCallback = Callable[[str], None]

_ID = re.compile(r"^(vpc|subnet|sg|rtb|igw|nat|lt|eipalloc|pcx)-[0-9a-f]{8,}$")
_ARN = re.compile(
    r"^arn:aws:(kms|sns|sqs|lambda|iam|firehose|events|elasticloadbalancing|rds|"
    r"backup|dynamodb|secretsmanager|logs|s3):([a-z0-9-]*):(\d*):(.+)$"
)
_ELSEWHERE = frozenset({"peerVpcId", "vpcPeeringConnectionId"})
"""Inputs that may name what another Region has."""


class Provisioner(Monitor):
    """Stand where Pulumi's engine would, and make everything."""

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
        """Create resources of these types, by these clients, in these Regions."""
        super().__init__(transform, account, config=config)
        self._regions_here, self._resource_types = regions, resource_types
        self._clients, self._run, self._told = clients, run, told
        self._tags: dict[str, dict[str, str]] = {}
        self._where: dict[str, str] = {}

    def make(self, declared: RegisteredResource) -> RegisteredResource:
        """Make a resource.

        Raises:
            ProvisionError: If it cannot be made, by name.
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
            msg = self._blame(declared, "the twin does not know this type of resource")
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
        self._remember(born)
        self._told(f"{declared.type.rpartition(':')[2]} {declared.name}")
        return born

    def leave_out(self, declared: RegisteredResource) -> RegisteredResource:
        """Imagine what a transform left out, so that the rest can speak of it."""
        left = super().leave_out(declared)
        self._remember(left)
        return left

    def find(self, declared: RegisteredResource) -> Mapping[str, Any]:
        """Refuse: a twin is empty before its program has run."""
        raise ProvisionError(self._blame(declared, "nothing exists in a twin before the program"))

    def look_up(self, token: str, arguments: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Return what a data source says of the twin."""
        where = "" if region == GLOBAL else region
        found = look_up(token, arguments, where, self._clients, self.account)
        return super().look_up(token, arguments, region) if found is None else found

    def _inputs(self, declared: RegisteredResource) -> tuple[dict[str, Any], dict[str, str]]:
        """Return a resource's inputs, and apart its tags: its provider's under its own.

        An Auto Scaling group's are no tags but a list of its own, and stay among the inputs.
        """
        inputs = dict(declared.inputs)
        own = inputs.pop("tags") if isinstance(inputs.get("tags"), dict) else {}
        tags = {**self._tags.get(declared.provider, {}), **own}
        return inputs, {key: str(value) for key, value in tags.items()}

    def _remember(self, born: RegisteredResource) -> None:
        for value in (born.id, born.outputs.get("arn"), born.outputs.get("id")):
            if isinstance(value, str):
                self._where[value] = born.region

    def _check_references(self, declared: RegisteredResource) -> None:
        """Refuse what names a resource that does not exist, or one of another Region.

        Raises:
            ProvisionError: By name.
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
        """Return whether an identifier came with another resource: a network's own group."""
        return any(
            value in (string for _, string in _strings(known.outputs))
            for known in list(self.declared.values())
        )

    def _blame(self, declared: RegisteredResource, cause: str) -> str:
        return f'{declared.type} "{declared.name}" ({declared.region or "no region"}): {cause}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What a program has made."""

    declaration: Declaration
    took_s: float
    """The machine's seconds."""
    calls: int = field(default=0)


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
    """Run a project's program and make everything that it declares.

    Raises:
        ProvisionError: If something cannot be made.
        ProgramError: If the program cannot be run.
        Exception: Whatever the program itself raises.
    """
    began_s = time.perf_counter()
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
        settings.SETTINGS.rpc_manager.clear()  # what a program that failed has left behind
    declaration = Declaration(resources=tuple(monitor.declared.values()), exports=exports)
    return Provisioned(declaration=declaration, took_s=time.perf_counter() - began_s)


def _default_tags(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return a provider's default tags, which it is handed as JSON."""
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
    """Return an error's cause without anything secret in it."""
    text = f"no {error}" if isinstance(error, KeyError) else str(error)
    for path in declared.secrets:
        value: Any = declared.inputs
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value.get(part, "")
        if isinstance(value, str) and value:
            text = text.replace(value, "[secret]")
    return text


__all__ = ["ProgramError", "ProvisionError", "Provisioned", "provision"]
