"""The orchestrator's view of the simulated truth, through ports that fail by seed.

Every port call takes time, may be killed before or after its effect, may time out on either side of
it, and may find that another invocation ran in the middle of this one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from otherside.core.decide import Decision, Policy
from otherside.core.facts import (
    Command,
    DatabaseView,
    Facts,
    Move,
    MoveUnderWay,
    Progress,
    Reading,
    Signal,
    Signals,
)
from otherside.core.state import Intent, Phase, State, first
from otherside.core.topology import Side
from otherside.orchestrator.ports import ConflictError, UnavailableError
from otherside.sim.truth import LEASE_S, Ill, Truth

T = TypeVar("T")

DNS_LEAVES_S = 40.0
"""How long after a change Route 53 answers by it."""
HEARTBEAT_BAD_S = 10.0
HEARTBEAT_S = 1.0


class KilledError(BaseException):
    """The function ended here. Not an `Exception`: nothing in it may catch this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostility:
    """How likely each trouble is at a port call."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """One revision, and when it was committed."""

    at_s: float
    state: State
    facts: Facts


@dataclass(slots=True, kw_only=True)
class SimulatedWorld:
    """One run's world: the truth, the table, DNS, and what went wrong at the ports."""

    truth: Truth
    random: Random
    hostility: Hostility
    policy: Policy
    advance: Callable[[float], None]
    """Let time pass; the runner's, which also gives people their turn."""
    interrupt: Callable[[], None] = lambda: None
    """Run another invocation, now."""
    log: list[Committed] = field(default_factory=list)
    verified: list[tuple[float, int, Side]] = field(default_factory=list)
    pages: list[tuple[float, str]] = field(default_factory=list)
    command: Command | None = None
    latch: bool = False
    latch_s: float = -1e9
    endpoint_bad_s: float | None = None
    """Since when Route 53 sees the primary's endpoint as bad."""
    verified_epoch: int = -1
    blind_s: float = -1.0
    """When the majority was last found to be out of reach."""
    observed: Facts | None = None
    depth: int = 0
    troubles: set[str] = field(default_factory=set)

    def now_s(self) -> float:
        """Return the time."""
        return self.truth.now_s

    def recall(self) -> State:
        """Return the newest committed revision."""
        return self._port("recall", self._recall)

    def _recall(self) -> State:
        if not self.truth.majority(Side.STANDBY):
            self.blind_s = self.now_s()
            raise UnavailableError
        return self.log[-1].state if self.log else first(0.0)

    def observe(self, state: State) -> Facts:
        """Return what can be seen now."""
        facts = self._port("observe", lambda: self._look(state))
        self.observed = facts
        return facts

    def record(self, state: State) -> None:
        """Commit one revision, if it is the next."""
        facts = self.observed
        assert facts is not None, "nothing is committed that was not observed"
        self._port("record", lambda: self._commit(state, facts))

    def _commit(self, state: State, facts: Facts) -> None:
        if not self.truth.majority(Side.STANDBY):
            raise UnavailableError
        if state.revision != len(self.log) + 1:
            raise ConflictError
        self.log.append(Committed(at_s=self.now_s(), state=state, facts=facts))

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer."""
        self._port("move", lambda: self._call(intent))

    def _call(self, intent: Intent) -> None:
        if not self.truth.up(Side.STANDBY) or self.truth.ill(Ill.STANDBY_CUT):
            raise UnavailableError
        if intent.move is Move.SWITCHOVER and not self.truth.up(self.truth.writer):
            raise UnavailableError
        self.truth.call(intent.move, intent.target, intent.operation)

    def tend(self, decision: Decision) -> None:
        """Publish the latch, verify a write, page."""
        self._port("tend", lambda: self._tend(decision))

    def _tend(self, decision: Decision) -> None:
        if decision.state.latched != self.latch:
            self.latch, self.latch_s = decision.state.latched, self.now_s()
        if decision.verify and self.truth.accepts():
            self.verified_epoch = decision.state.epoch
            self.verified.append((self.now_s(), decision.state.epoch, self.truth.writer))
        if decision.page:
            self.pages.append((self.now_s(), decision.page))

    def users_on(self) -> Side:
        """Return which side DNS answers with: the latch first, then the primary's endpoint."""
        held = self.latch and self.now_s() - self.latch_s >= DNS_LEAVES_S
        bad = self.endpoint_bad_s
        ill = bad is not None and self.now_s() - bad >= DNS_LEAVES_S
        return Side.STANDBY if held or ill else Side.PRIMARY

    def second(self) -> None:
        """Let Route 53 look once, and the old writer find out whether it may renew its lease."""
        truth = self.truth
        state = self.log[-1].state if self.log else first(0.0)
        leaving = state.phase in {Phase.FENCING, Phase.PROMOTE_INTENT, Phase.PROMOTING}
        truth.fenced = Side.PRIMARY if leaving or state.writer is Side.STANDBY else None
        down = not truth.up(Side.PRIMARY) or truth.ill(Ill.APP_DOWN, Ill.APP_DOWN_BOTH)
        if not down:
            self.endpoint_bad_s = None
        elif self.endpoint_bad_s is None:
            self.endpoint_bad_s = self.now_s()

    def _look(self, state: State) -> Facts:
        truth, now_s = self.truth, self.now_s()
        sighted = truth.majority(Side.STANDBY)
        return Facts(
            at_s=now_s,
            signals=self._signals(sighted=sighted),
            database=self._database(sighted=sighted),
            loss_estimate_s=self._loss_s(sighted=sighted),
            lease_expires_s=truth.lease_s if sighted else None,
            write_verified=self.verified_epoch == state.epoch,
            users_on=self.users_on() if sighted else None,
            command=self.command,
        )

    def _signals(self, *, sighted: bool) -> Signals:
        truth = self.truth
        side = self.users_on()
        app_ok = truth.up(side) and not truth.ill(Ill.APP_DOWN_BOTH)
        app_ok = app_ok and not (side is Side.PRIMARY and truth.ill(Ill.APP_DOWN))
        reaches = side is truth.writer or truth.linked()
        write_ok = app_ok and reaches and truth.accepts()
        answers = truth.up(Side.PRIMARY) and not truth.ill(Ill.APP_DOWN, Ill.APP_DOWN_BOTH)
        age_s = self.now_s() - truth.replicated_s
        primary_tells = truth.majority(Side.PRIMARY)
        return Signals(
            standby_canary=self._said(
                write_ok and not truth.ill(Ill.PROBE_BROKEN) and not truth.ill(Ill.STANDBY_CUT)
            ),
            witness_canary=self._said(write_ok, known=sighted and not truth.ill(Ill.WITNESS_GONE)),
            heartbeat=self._said(age_s <= HEARTBEAT_BAD_S + 30.0 * truth.ill(Ill.LAGGING)),
            app_pulse=self._said(primary_tells and answers, known=sighted),
            write_pulse=self._said(
                primary_tells and truth.writer is Side.PRIMARY and truth.accepts(), known=sighted
            ),
            dns_health=self._said(answers, known=not truth.ill(Ill.STANDBY_CUT)),
            control_plane=self._said(
                truth.up(Side.PRIMARY) and not truth.ill(Ill.CONTROL_PLANE_DOWN)
            ),
            self_test=self._said(sighted and not truth.ill(Ill.STANDBY_CUT)),
            standby_app=self._said(not truth.ill(Ill.APP_DOWN_BOTH)),
        )

    def _said(self, good: bool, *, known: bool = True) -> Signal:  # noqa: FBT001 - a reading
        reading = Reading.GOOD if good else Reading.BAD
        if not known or self.random.random() < self.hostility.fail:
            reading = Reading.UNKNOWN
        return Signal(reading=reading, at_s=self.now_s())

    def _database(self, *, sighted: bool) -> DatabaseView | None:
        truth = self.truth
        if not sighted or self.random.random() < self.hostility.fail:
            return None
        moving = truth.moving
        move = None
        if moving is not None:
            progress = Progress.CANCELLING if moving.cancelled else Progress.MOVING
            move = MoveUnderWay(kind=moving.kind, target=moving.target, progress=progress)
        return DatabaseView(
            writer=truth.writer,
            move=move,
            standby_has_instance=True,
            standby_available=truth.up(Side.STANDBY),
            versions_match=True,
            resynced=truth.linked() and self.now_s() >= truth.resync_s,
        )

    def _loss_s(self, *, sighted: bool) -> float | None:
        """Return an upper bound of what a failover now would lose, or `None` where none is known.

        The old writer was last known to live when it last renewed its lease; whatever it
        acknowledged since the newest replicated heartbeat and until then is lost. Where we were
        blind since, the majority may have been lost to both of us: then it could acknowledge for
        as long as its lease ran on, and nobody saw.
        """
        if not sighted:
            return None
        ledger_s = 30.0 if self.truth.ill(Ill.LAGGING) else self.truth.lag_s
        lived_s = self.truth.lease_s - LEASE_S
        unseen_s = LEASE_S if self.blind_s >= lived_s else 0.0
        return max(ledger_s, lived_s - self.truth.replicated_s) + unseen_s + HEARTBEAT_S

    def _port(self, name: str, effect: Callable[[], T]) -> T:
        """Make one call, as hostile as the seed says."""
        self._trouble(name, "before")
        if self._hit("fail", name):
            raise UnavailableError
        result = effect()
        if self._hit("lose", name):
            raise UnavailableError
        self._trouble(name, "after")
        return result

    def _trouble(self, name: str, when: str) -> None:
        """Let time pass around a call; perhaps a great deal, perhaps for ever."""
        if self._hit("kill", f"{name} {when}"):
            raise KilledError
        self.advance(self.random.uniform(0.0, 0.3))
        if self._hit("slow", name):
            self.advance(self.random.uniform(1.0, 10.0))
        # Between two calls, not inside one: what has left the machine can no longer be held back.
        if when == "after" and self.depth == 0 and self._hit("freeze", name):
            for _ in range(self.random.randrange(1, 15)):
                self.advance(60.0)
                self._meanwhile()
        if self._hit("overlap", name):
            self._meanwhile()

    def _meanwhile(self) -> None:
        """Let another invocation run to its end, unless this is one already."""
        if self.depth > 0:
            return
        mine, self.depth = self.observed, self.depth + 1
        try:
            self.interrupt()
        finally:
            self.observed, self.depth = mine, self.depth - 1

    def _hit(self, kind: str, where: str) -> bool:
        chance: float = getattr(self.hostility, kind)
        hit = self.random.random() < chance
        if hit:
            self.troubles.add(f"{kind} {where}")
        return hit
