"""The ports between the orchestrator and its environment, which is AWS or the simulator.

There are two roles with separate ports: the decider cannot move the writer, and the actuator cannot
decide. Every failure behind a port is one of the errors here. If an answer cannot be read, the
outcome of the call is unknown.
"""

from typing import Protocol

from otherside.failover.decision.decide import Decision
from otherside.failover.decision.observation import Observation
from otherside.failover.decision.state import Intent, State


class ConflictError(Exception):
    """Another run committed this first."""


class UnavailableError(Exception):
    """A call that could not be made, or whose outcome is unknown."""


class RefusedError(UnavailableError):
    """A call that was refused: what it asked for has not happened."""

    def __init__(self, what: str, code: str) -> None:
        """Take the call that was refused, and the other side's error code."""
        super().__init__(f"{what}: {code}")
        self.code = code


class Observer(Protocol):
    """What both roles may do: read the clock and the state, and observe."""

    def now_s(self) -> float:
        """Return the time in seconds; it never runs backwards."""

    def load_state(self) -> State:
        """Return the newest committed revision, read from a majority.

        It is also unavailable if our own clock and the store's differ too much to rely on.
        """

    def observe(self, state: State) -> Observation:
        """Return what can be observed now; the rest is UNKNOWN or `None`, not an error."""


class DeciderPorts(Observer, Protocol):
    """What only the decider may do. Each call may fail with `UnavailableError`."""

    def commit(self, decision: Decision, observation: Observation) -> None:
        """Commit one revision with the observation it was decided on, if it is the next one.

        Raises:
            ConflictError: If the revision exists already.
        """

    def invoke_actuator(self, decision: Decision) -> None:
        """Wake the actuator because there is something to do; it finds out for itself what."""

    def set_lease_terms(self, decision: Decision) -> None:
        """Set the lease to the decision's terms, unless a later revision has set it already."""

    def pledge(self, decision: Decision) -> None:
        """Set the pledge to the same terms, for agents that cannot read the lease."""

    def extend_pledge(self) -> None:
        """Extend a valid pledge while nothing can be committed."""

    def publish_metrics(self, decision: Decision) -> None:
        """Publish that this tick ran, and hold DNS where the state asks for it."""

    def notify(self, decision: Decision) -> None:
        """Notify people of every committed revision that they have not been notified of."""

    def record_failures(self, failed: tuple[str, ...]) -> None:
        """Keep the actions that failed, for the next observation to include."""


class ActuatorPorts(Observer, Protocol):
    """What only the actuator may do. Each call may fail with `UnavailableError`."""

    def claim(self, intent: Intent) -> None:
        """Record that this attempt is being carried out now, once.

        Raises:
            ConflictError: If another run is carrying it out already.
        """

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer. No layer below ever retries the call.

        Raises:
            RefusedError: If Aurora refused.
        """

    def record_answer(self, intent: Intent, *, called: bool, answer: str | None) -> None:
        """Record whether Aurora was called for a claimed attempt, and what it answered.

        A claim without such a record counts as a call with an unknown outcome.
        """

    def raise_capacity(self) -> None:
        """Raise the standby's capacity so that it can serve everyone."""
