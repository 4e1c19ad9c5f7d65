"""What a run leaves behind, for the checkers to read."""

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
    """One run, from outside: the truth, the table, the calls. Nothing here is anybody's opinion."""

    log: tuple[Committed, ...]
    world_state: WorldState
    cloud: SimulatedCloud
    policy: FailoverPolicy
    fault_rates: FaultRates
    calm_s: float
    """From here on every trouble at the ports has ended."""
    calm: bool
    """Whether every trouble at the ports ended by `HEALED_S`."""
    healed: bool
    """Whether every ill was over by then too, so that people and functions could finish."""
    obedient: bool
    """Whether Aurora does what it is asked, at the latest when it is asked again."""
    diligent: bool
    """Whether somebody did at once whatever waited for a person."""
    machines: tuple[int, int]
    """How many machines each side has."""
    looks: tuple[tuple[float, Tick], ...]
    """Every look that the decider took, and when it was over."""
    rehearsal: tuple[Committed, ...] | None = None
    """What the same disaster led to where acting was allowed; only for runs that observe."""

    @property
    def losses(self) -> list[float]:
        """When the table lost what it held."""
        losses = {Fault.TABLE_LOST, Fault.TABLE_RESTORED} & HAPPENING
        return [at_s for at_s, fault in self.world_state.happened if fault in losses]

    @property
    def lost_s(self) -> float:
        """When it did so last; long ago where it never did."""
        return max(self.losses, default=-1e9)

    @property
    def latches(self) -> list[tuple[float, bool, Side]]:
        """Return whether users were held, each time that it changed, and who wrote then."""
        return self.world_state.latches

    def by_hand_between(self, at_s: float) -> bool:
        """Return whether somebody had moved the writer by hand before a moment."""
        return any(move.by_hand and move.at_s <= at_s for move in self.world_state.moves)

    @property
    def states(self) -> list[State]:
        """Every revision, the one before the first included."""
        return [first(0.0), *(committed.state for committed in self.log)]

    def entries(self, phase: Phase) -> Iterator[tuple[State, Committed]]:
        """Yield each commit that enters a phase, with the state before it."""
        before = first(0.0)
        for committed in self.log:
            if committed.state.phase is phase and before.phase is not phase:
                yield before, committed
            before = committed.state


def approved(before: State, committed: Committed) -> bool:
    """Return whether a person approved this very step, having seen the question."""
    command = committed.observation.command
    return (
        command is not None
        and command.order is Order.APPROVE
        and before.entered <= command.revision <= before.revision
    )
