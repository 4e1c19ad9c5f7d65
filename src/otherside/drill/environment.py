"""The environment interface of a drill; it keeps the runner independent of twins."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from otherside.drill.entries import Entry, SampleEntry
from otherside.drill.load import Endpoint, LoadClock
from otherside.drill.scenario import Step
from otherside.program.monitor import Transform

StackChange = Transform
"""Changes what the stack declares, before it is deployed."""


class DeploymentRefusedError(Exception):
    """The stack could not be deployed; the message names the resource and the cause."""


class Environment(Protocol):
    """Where a scenario runs: two Regions in which faults can be injected."""

    @property
    def clock(self) -> LoadClock:
        """The environment's clock."""

    def open(self) -> None:
        """Start the environment, with nothing deployed."""

    def deploy(self, change: StackChange | None) -> str:
        """Deploy the stack; return a human-readable summary of what was deployed.

        Raises:
            DeploymentRefusedError: If it cannot be deployed.
        """

    @property
    def decides(self) -> bool:
        """Whether the deployed stack has an otherside orchestrator."""

    def unsteady(self) -> str | None:
        """Return why the stack is not steady, or `None` if it is."""

    def door(self) -> Endpoint:
        """Return the endpoint through which users reach the application."""

    def news(self) -> Iterable[Entry]:
        """Return the events since the previous call."""

    def sample(self) -> SampleEntry:
        """Return the serving side, the writer's side and the replication lag of the standby."""

    def act(self, step: Step) -> Iterable[Entry]:
        """Run a step; return extra journal entries beyond the step itself."""

    def rows(self) -> Iterable[Entry]:
        """Return the rows of every running database."""

    def rollback(self) -> None:
        """Repair every remaining fault."""

    def check(self) -> None:
        """Raise if the environment has ended unexpectedly."""

    def close(self) -> None:
        """Shut the environment down and leave nothing behind."""

    def facts(self) -> Mapping[str, Any]:
        """Return the recorded facts about the environment: speed, latency, versions."""
