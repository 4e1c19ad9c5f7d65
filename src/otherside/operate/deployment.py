"""One deployed stack: its configuration, the settings of its functions, and clients of AWS."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3

from otherside.core.topology import Side, Topology
from otherside.core.wire_contract import OrchestratorSettings
from otherside.failover.aws.aws_clients import READING
from otherside.failover.clock import Clock

Resolve = Callable[[str], list[str]]
"""Returns the IPv4 addresses of a name as they are seen from here; raises `OSError` if none."""


def resolve_here(name: str) -> list[str]:
    """Return the IPv4 addresses of a name, by this machine's resolver."""
    found = socket.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return sorted({str(item[4][0]) for item in found})


@dataclass(slots=True)
class Aws:
    """Clients of AWS with the operator's own credentials and short time limits."""

    session: boto3.Session = field(default_factory=boto3.Session)
    _made: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 - botocore makes the class
        """Return a client; it is made once."""
        if (service, region) not in self._made:
            make: Callable[..., Any] = self.session.client
            self._made[service, region] = make(service, region_name=region, config=READING)
        return self._made[service, region]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployed stack of ours."""

    topology: Topology
    clock: Clock
    resolve: Resolve = resolve_here
    aws: Aws = field(default_factory=Aws)

    @property
    def application(self) -> str:
        """The prefix of every resource's name."""
        return self.topology.prefix

    def region(self, side: Side) -> str:
        """Return the Region of one side."""
        return self.topology.regions.on(side)

    @property
    def standby(self) -> str:
        """The Region of the orchestrator."""
        return self.topology.regions.standby

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 - botocore makes the class
        """Return a client of a service in a Region."""
        return self.aws.client(service, region)

    def decider(self) -> str:
        """Return the name of the function that decides."""
        return f"{self.application}-decider"

    def settings(self) -> OrchestratorSettings:
        """Return the settings that the decider runs with, from its own environment.

        Raises:
            MissingSettingError: If the function lacks one; a boto3 error if it cannot be read.
        """
        found = self.client("lambda", self.standby).get_function_configuration(
            FunctionName=self.decider()
        )
        return OrchestratorSettings.from_environment(found["Environment"]["Variables"])
