"""What a drill needs of a stage, so that the runner knows nothing of twins."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from otherside.drill.load import Endpoint, LoadClock
from otherside.drill.recording import Entry
from otherside.drill.scenario import Step

Action = Any
"""A transform of resources, as `infra.declare.Transform`."""


class ActionRefusedError(Exception):
    """The stack could not be deployed; the message names resource and cause."""


class Environment(Protocol):
    """Where a scenario is played: two Regions that can be broken."""

    @property
    def clock(self) -> LoadClock:
        """The stage's time."""

    def open(self) -> None:
        """Come up, with nothing deployed."""

    def deploy(self, change: Action | None) -> str:
        """Deploy the stack; return what was deployed, for a person.

        Raises:
            RefusedError: If it cannot be deployed.
        """

    @property
    def decides(self) -> bool:
        """Whether what was deployed has an orchestrator of ours."""

    def unsteady(self) -> str | None:
        """Return what keeps the stack from being steady, or `None` where nothing does."""

    def door(self) -> Endpoint:
        """Return how users reach the application."""

    def news(self) -> Iterable[Entry]:
        """Return what happened since this was asked last."""

    def sample(self) -> Entry:
        """Return who serves, who writes and how far the standby is behind."""

    def act(self, step: Step) -> Iterable[Entry]:
        """Do a step; return what is to be written down besides that it was done."""

    def rows(self) -> Iterable[Entry]:
        """Return what every database that runs holds."""

    def mend(self) -> None:
        """Undo everything that is still broken."""

    def check(self) -> None:
        """Raise if the stage has ended by itself."""

    def close(self) -> None:
        """End everything; without a trace."""

    def facts(self) -> Mapping[str, Any]:
        """Return what a recording says of the stage: speed, latency, versions."""
