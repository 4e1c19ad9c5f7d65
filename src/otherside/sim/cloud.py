"""What every invocation shares: the state table, the calls for the actuator, and the pager."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from otherside.core.decide import Terms
from otherside.core.facts import Command, DatabaseView, Facts, MoveUnderWay, Progress
from otherside.core.names import RENEW_S
from otherside.core.policy import Policy
from otherside.core.state import Intent, Phase, State, first
from otherside.core.topology import Side
from otherside.sim.truth import Ill, Truth

STALE_MAX_S = 110.0
"""How old a description of the database can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostility:
    """How likely each trouble is: at a port call, for a whole invocation, or for a message."""

    kill: float = 0.0
    fail: float = 0.0
    """Nothing happens, and the caller is told so."""
    lose: float = 0.0
    """It happens, and the caller is not told."""
    slow: float = 0.0
    freeze: float = 0.0
    """The caller stands still for minutes, and goes on as if nothing had been."""
    overlap: float = 0.0
    """Another invocation runs to its end in the middle of this one."""
    blind: float = 0.0
    """One signal of a look cannot be read."""
    flip: float = 0.0
    """One probe of a look fails by chance."""
    garble: float = 0.0
    """Every signal of a look says anything at all."""
    stale: float = 0.0
    """The database is described as it was up to two minutes ago."""
    torn: float = 0.0
    """Half of the description is that old."""
    skew: float = 0.0
    """The clock of an invocation is wrong by as much as is allowed for."""
    step: float = 0.0
    """It is wrong by a minute."""
    skip: float = 0.0
    """A tick does not come."""
    unwoken: float = 0.0
    """The actuator is not woken, though it was called."""
    rewoken: float = 0.0
    """It is woken several times, late and out of order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """One revision, when it was committed, and what it was decided on."""

    at_s: float
    state: State
    facts: Facts
    notice: str | None
    could_vote: bool
    """Whether the standby's Region had a majority then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An attempt that somebody wrote down before carrying it out."""

    at_s: float
    intent: Intent


@dataclass(slots=True, kw_only=True)
class Cloud:
    """One run's world: the truth, the table, and what is under way between functions."""

    truth: Truth
    random: Random
    hostility: Hostility
    policy: Policy
    advance: Callable[[float], None] = lambda _: None
    """Let time pass; the runner's, which also gives people and the actuator their turn."""
    interrupt: Callable[[], None] = lambda: None
    """Run another invocation of the decider, now."""
    log: list[Committed] = field(default_factory=list)
    claims: list[Claimed] = field(default_factory=list)
    terms: Terms | None = None
    terms_revision: int = -1
    verified: list[tuple[float, int, Side]] = field(default_factory=list)
    told: int = 0
    """Newest revision that people have been told of."""
    pages: list[tuple[float, int, str]] = field(default_factory=list)
    wakes: list[float] = field(default_factory=list)
    """When the actuator is woken next."""
    command: Command | None = None
    freeze: Command | None = None
    capacity_raised: bool = False
    views: list[tuple[float, DatabaseView]] = field(default_factory=list)
    depth: int = 0
    kill_at: int | None = None
    """End an invocation at this step of the run."""
    steps: list[tuple[str, str, Phase]] = field(default_factory=list)
    """Every moment before and after a port call: which, when, and in what phase."""
    troubles: set[str] = field(default_factory=set)
    """Every trouble that struck, and at which call."""
    struck: set[str] = field(default_factory=set)
    """Those of the invocation under way."""

    @property
    def newest(self) -> State:
        """Return the newest committed revision."""
        return self.log[-1].state if self.log else first(0.0)

    def hit(self, kind: str, where: str = "") -> bool:
        """Return whether a trouble strikes, and remember where."""
        chance: float = getattr(self.hostility, kind)
        if not chance or self.random.random() >= chance:
            return False
        self.troubles.add(f"{kind} {where}".strip())
        self.struck.add(kind)
        return True

    def prove(self) -> None:
        """Let the writer's side write a row of the lease's epoch, and read it back."""
        truth, terms = self.truth, self.terms
        if terms is None or not terms.open or terms.side is not truth.writer:
            return
        known = self.verified[-1] if self.verified else None
        if known is not None and known[1:] == (terms.epoch, terms.side):
            return
        if truth.database_writes() and truth.majority(truth.writer):
            self.verified.append((truth.now_s + RENEW_S, terms.epoch, terms.side))

    def view(self) -> DatabaseView:
        """Return the database as it is, and remember it for who reads late."""
        truth = self.truth
        moving = truth.moving
        move = None
        if moving is not None:
            progress = Progress.CANCELLING if moving.cancelled else Progress.MOVING
            move = MoveUnderWay(kind=moving.kind, target=moving.target, progress=progress)
        view = DatabaseView(
            writer=truth.writer,
            move=move,
            standby_has_instance=not truth.ill(Ill.STANDBY_HEADLESS),
            standby_available=truth.up(Side.STANDBY),
            versions_match=not truth.ill(Ill.VERSION_DRIFT),
            resynced=truth.follows,
        )
        if not self.views or self.views[-1][1] != view:
            self.views.append((truth.now_s, view))
        return view

    def view_at(self, at_s: float) -> DatabaseView:
        """Return the database as it was at a moment."""
        known = [view for since_s, view in self.views if since_s <= at_s]
        return known[-1] if known else self.views[0][1]
