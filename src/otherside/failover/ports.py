"""What the orchestrator needs of a world: AWS, or a simulated one.

Two roles, two ports. Whoever decides cannot move the writer, and whoever moves it cannot decide.
Whatever goes wrong behind a port is one of the two errors here: an answer that cannot be read is a
call whose outcome nobody knows.
"""

from typing import Protocol

from otherside.failover.decision.decide import Decision
from otherside.failover.decision.observation import Observation
from otherside.failover.decision.state import Intent, State


class ConflictError(Exception):
    """Somebody else committed this first."""


class UnavailableError(Exception):
    """A call that could not be made, or whose outcome nobody knows."""


class RefusedError(UnavailableError):
    """A call that was answered with a no: what it asked for has not happened."""

    def __init__(self, what: str, code: str) -> None:
        """Keep the other side's own name of the refusal."""
        super().__init__(f"{what}: {code}")
        self.code = code


class Observer(Protocol):
    """What both roles may do: read the time and the state, and look."""

    def now_s(self) -> float:
        """Return the time, in seconds; it never runs backwards."""

    def load_state(self) -> State:
        """Return the newest committed revision, read from a majority.

        Unavailable too where our own clock and the store's are too far apart to count by.
        """

    def observe(self, state: State) -> Observation:
        """Return what can be seen now. What cannot be seen is UNKNOWN or `None`, not an error."""


class DeciderPorts(Observer, Protocol):
    """What only the decider may do. Each call may fail with `UnavailableError`."""

    def commit(self, decision: Decision, observation: Observation) -> None:
        """Commit one revision with what it was decided on, if it is the next.

        Raises:
            ConflictError: If the revision exists already.
        """

    def invoke_actuator(self, decision: Decision) -> None:
        """Tell the actuator that something is to be done. It looks for itself what that is."""

    def set_lease_terms(self, decision: Decision) -> None:
        """Make the lease say what the decision wants, unless a later revision spoke already."""

    def pledge(self, decision: Decision) -> None:
        """Make the pledge say the same, for those who cannot read the lease."""

    def extend_pledge(self) -> None:
        """Let a pledge that holds hold on, where nobody can commit anything."""

    def publish_metrics(self, decision: Decision) -> None:
        """Say that this look was taken, and hold DNS where the state wants it."""

    def notify(self, decision: Decision) -> None:
        """Tell people of every committed revision that they have not been told of."""

    def record_failures(self, failed: tuple[str, ...]) -> None:
        """Keep what could not be done, for the next look to see."""


class ActuatorPorts(Observer, Protocol):
    """What only the actuator may do. Each call may fail with `UnavailableError`."""

    def claim(self, intent: Intent) -> None:
        """Write down that this attempt is carried out now, once.

        Raises:
            ConflictError: If somebody carries it out already.
        """

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer. Never repeated by a layer below.

        Raises:
            RefusedError: If Aurora said no.
        """

    def record_answer(self, intent: Intent, *, called: bool, answer: str | None) -> None:
        """Write down whether Aurora was called for a claimed attempt, and what it answered.

        A claim of which nothing is written down counts as a call that nobody knows the end of.
        """

    def raise_capacity(self) -> None:
        """Let the standby run enough instances to serve everyone."""
