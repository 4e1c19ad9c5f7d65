"""What a set of runs has covered: a run in which nothing happens proves nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from otherside.core.topology import FailoverMode
from otherside.failover.decision.state import Phase
from otherside.failover.decision.transitions import TRANSITIONS
from otherside.failover.decision.verdict import Verdict
from otherside.sim.faults import Fault
from otherside.sim.script import TROUBLES
from otherside.sim.swarm import Run

Cell = tuple[str, str, str]
CellPair = tuple[str, str]

_WAKING = frozenset({Phase.PROMOTE_INTENT, Phase.PROMOTING, Phase.VERIFY, Phase.SHIFT})
_FORBIDDEN_TO_OBSERVERS = frozenset(
    {
        *(Phase.AWAIT_APPROVAL, Phase.FENCING, Phase.PROMOTE_INTENT, Phase.PROMOTING),
        *(Phase.SWITCH_INTENT, Phase.SWITCHING),
    }
)
"""Phases that OBSERVE mode never reaches, because it moves nothing."""


def possible_cells() -> frozenset[Cell]:
    """Return every possible combination of phase, verdict and mode."""
    return frozenset(
        (phase, verdict, mode)
        for phase in Phase
        for verdict in Verdict
        for mode in FailoverMode
        if not (mode is FailoverMode.OBSERVE and phase in _FORBIDDEN_TO_OBSERVERS)
    )


def possible_pairs() -> frozenset[CellPair]:
    """Return every possible combination of phase and class of fault.

    The actuator's wake-up can be lost only where it is sent: in a phase that sends it, or in one
    that leads to such a phase.
    """
    woken = {
        phase
        for phase in Phase
        if phase in _WAKING or not _WAKING.isdisjoint(TRANSITIONS[phase].values())
    }
    return frozenset(
        (phase, kind)
        for phase in Phase
        for kind in (*TROUBLES, *Fault)
        if kind not in {"wakeup_lost", "wakeup_duplicated"} or phase in woken
    )


@dataclass(slots=True, kw_only=True)
class Coverage:
    """The combined results of some runs."""

    seeds: int = 0
    failovers: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    transitions: set[CellPair] = field(default_factory=set)
    cells: set[Cell] = field(default_factory=set)
    pairs: set[CellPair] = field(default_factory=set)
    troubles: set[str] = field(default_factory=set)
    failed: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def count(self, run: Run) -> None:
        """Add one run."""
        states = run.history.states
        self.seeds += 1
        self.failovers += any(move.kind == "failover" for move in run.history.world_state.moves)
        self.phases.update({state.phase for state in states})
        self.transitions |= {
            (before.phase, after.phase)
            for before, after in pairwise(states)
            if before.phase is not after.phase
        }
        self.cells |= run.cells
        self.pairs |= run.pairs
        self.troubles |= run.history.cloud.troubles
        if run.broken:
            self.failed[run.script.seed] = run.broken

    def add(self, other: "Coverage") -> None:
        """Add the results of another batch of runs."""
        self.seeds += other.seeds
        self.failovers += other.failovers
        self.phases += other.phases
        self.transitions |= other.transitions
        self.cells |= other.cells
        self.pairs |= other.pairs
        self.troubles |= other.troubles
        self.failed |= other.failed

    @property
    def transitions_missed(self) -> list[CellPair]:
        """Return the transitions of the table that no run took."""
        ways = {(a, b) for a, row in TRANSITIONS.items() for b in row.values() if a is not b}
        return sorted(ways - self.transitions)

    @property
    def cells_missed(self) -> list[Cell]:
        """Return the combinations of phase, verdict and mode that no run met."""
        return sorted(possible_cells() - self.cells)

    @property
    def pairs_missed(self) -> list[CellPair]:
        """Return the combinations of phase and class of fault that no run met."""
        return sorted(possible_pairs() - self.pairs)


def covered(missed: Iterable[object], possible: Iterable[object]) -> str:
    """Return how many of all possible items were met, as text: `412 of 430`."""
    total = len(list(possible))
    return f"{total - len(list(missed))} of {total}"
