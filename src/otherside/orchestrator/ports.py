"""What the orchestrator needs of a world: AWS, or a simulated one."""

from typing import Protocol

from otherside.core.decide import Decision
from otherside.core.facts import Facts
from otherside.core.state import Intent, State


class ConflictError(Exception):
    """Somebody else committed this first."""


class UnavailableError(Exception):
    """A call that could not be made, or whose outcome nobody knows."""


class World(Protocol):
    """Everything outside. Each call may fail with `UnavailableError`.

    The decider may do all of it but the last three, which are the actuator's.
    """

    def now_s(self) -> float:
        """Return the time, in seconds; it never runs backwards."""

    def recall(self) -> State:
        """Return the newest committed revision, read from a majority.

        Unavailable too where our own clock and the store's are too far apart to count by.
        """

    def observe(self, state: State) -> Facts:
        """Return what can be seen now. What cannot be seen is UNKNOWN or `None`, not an error."""

    def record(self, decision: Decision, facts: Facts) -> None:
        """Commit one revision with what it was decided on, if it is the next.

        Raises:
            ConflictError: If the revision exists already.
        """

    def wake(self, decision: Decision) -> None:
        """Tell the actuator that something is to be done. It looks for itself what that is."""

    def set_terms(self, decision: Decision) -> None:
        """Make the lease say what the decision wants, unless a later revision spoke already."""

    def publish(self, decision: Decision) -> None:
        """Say that this look was taken, and hold DNS where the state wants it."""

    def tell(self, decision: Decision) -> None:
        """Tell people of every committed revision that they have not been told of."""

    def claim(self, intent: Intent) -> None:
        """Write down that this attempt is carried out now, once.

        Raises:
            ConflictError: If somebody carries it out already.
        """

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer. Never repeated by a layer below."""

    def raise_capacity(self) -> None:
        """Let the standby run enough instances to serve everyone."""
