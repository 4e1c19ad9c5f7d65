"""What the orchestrator needs of a world: AWS, or a simulated one."""

from typing import Protocol

from otherside.core.decide import Decision
from otherside.core.facts import Facts
from otherside.core.state import Intent, State


class ConflictError(Exception):
    """Somebody else committed this revision first."""


class UnavailableError(Exception):
    """A call that could not be made, or whose outcome nobody knows."""


class World(Protocol):
    """Everything outside. Each call may fail with `UnavailableError`."""

    def now_s(self) -> float:
        """Return the time, in seconds."""

    def recall(self) -> State:
        """Return the newest committed revision, read from a majority."""

    def observe(self, state: State) -> Facts:
        """Return what can be seen now. What cannot be seen is UNKNOWN or `None`, not an error."""

    def record(self, state: State) -> None:
        """Commit one revision, if it is the next.

        Raises:
            ConflictError: If the revision exists already.
        """

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer. Never repeated by a layer below."""

    def tend(self, decision: Decision) -> None:
        """Do all else that a committed decision asks for; every part is safe to repeat."""
