"""The record that a run leaves behind for the invariants to check."""

from collections.abc import Iterator
from dataclasses import dataclass

from otherside.core.topology import Side
from otherside.failover.controller import Tick
from otherside.failover.decision.observation import Order
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase, State, first
from otherside.sim.faults import HAPPENING, Fault, FaultRates
from otherside.sim.simulated_cloud import Committed, SimulatedCloud
from otherside.sim.world_state import WorldState


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One run, seen from outside: the truth, the table and the calls, but no one's belief."""

    log: tuple[Committed, ...]
    world_state: WorldState
    cloud: SimulatedCloud
    policy: FailoverPolicy
    fault_rates: FaultRates
    calm_s: float
    """When all troubles at the ports have ended."""
    calm: bool
    """Whether all troubles at the ports had ended by `HEALED_S`."""
    healed: bool
    """Whether all faults had ended by then too, so that people and functions could finish."""
    obedient: bool
    """Whether Aurora does what it is asked, at the latest when asked a second time."""
    diligent: bool
    """Whether someone acted promptly whenever a phase waited for a person."""
    looks: tuple[tuple[float, Tick], ...]
    """Every tick of the decider, with the time at which it ended."""
    rehearsal: tuple[Committed, ...] | None = None
    """What the same disaster leads to when acting is allowed; only for runs that observe."""

    @property
    def losses(self) -> list[float]:
        """The times at which the table lost its contents."""
        losses = {Fault.TABLE_LOST, Fault.TABLE_RESTORED} & HAPPENING
        return [at_s for at_s, fault in self.world_state.happened if fault in losses]

    @property
    def lost_s(self) -> float:
        """The time of the last such loss; long ago if there was none."""
        return max(self.losses, default=-1e9)

    @property
    def latches(self) -> list[tuple[float, bool, Side]]:
        """Every change of the latch: when, whether users were held, and who was the writer."""
        return self.world_state.latches

    def moved_by_hand_before(self, at_s: float) -> bool:
        """Return whether someone had moved the writer by hand before a given time."""
        return any(move.by_hand and move.at_s <= at_s for move in self.world_state.moves)

    @property
    def states(self) -> list[State]:
        """Every revision, including the one before the first."""
        return [first(0.0), *(committed.state for committed in self.log)]

    def entries(self, phase: Phase) -> Iterator[tuple[State, Committed]]:
        """Yield each commit that enters a phase, with the state before it."""
        before = first(0.0)
        for committed in self.log:
            if committed.state.phase is phase and before.phase is not phase:
                yield before, committed
            before = committed.state


def approved(before: State, committed: Committed) -> bool:
    """Return whether a person approved this step after seeing the question."""
    command = committed.observation.command
    return (
        command is not None
        and command.order is Order.APPROVE
        and before.entered <= command.revision <= before.revision
    )
