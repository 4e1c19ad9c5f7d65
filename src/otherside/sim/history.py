"""What a run leaves behind, for the checkers to read."""

from collections.abc import Iterator
from dataclasses import dataclass

from otherside.core.facts import Order
from otherside.core.policy import Policy
from otherside.core.state import Phase, State, first
from otherside.sim.cloud import Cloud, Committed, Hostility
from otherside.sim.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One run, from outside: the truth, the table, the calls. Nothing here is anybody's opinion."""

    log: tuple[Committed, ...]
    truth: Truth
    cloud: Cloud
    policy: Policy
    hostility: Hostility
    calm: bool
    """Whether every trouble at the ports ended by `HEALED_S`."""
    healed: bool
    """Whether every ill was over by then too, so that people and functions could finish."""
    obedient: bool
    """Whether Aurora does what it is asked, at the latest when it is asked again."""
    diligent: bool
    """Whether somebody did at once whatever waited for a person."""
    rehearsal: tuple[Committed, ...] | None = None
    """What the same disaster led to where acting was allowed; only for runs that observe."""

    @property
    def states(self) -> list[State]:
        """Every revision, the one before the first included."""
        return [first(0.0), *(one.state for one in self.log)]

    def entries(self, phase: Phase) -> Iterator[tuple[State, Committed]]:
        """Yield each commit that enters a phase, with the state before it."""
        before = first(0.0)
        for one in self.log:
            if one.state.phase is phase and before.phase is not phase:
                yield before, one
            before = one.state


def approved(before: State, one: Committed) -> bool:
    """Return whether a person approved this very step, having seen the question."""
    command = one.facts.command
    return (
        command is not None
        and command.order is Order.APPROVE
        and before.entered <= command.revision <= before.revision
    )
