"""One invocation's view of the simulated truth, through ports that fail by seed.

Every port call takes time, may be killed before or after its effect, may time out on either side of
it, and may find that another invocation ran in the middle of this one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from otherside.core.decide import Decision
from otherside.core.facts import (
    DatabaseView,
    Facts,
    Lease,
    Move,
    Reading,
    Replication,
    Signal,
    Signals,
)
from otherside.core.state import Intent, State
from otherside.core.topology import Side
from otherside.orchestrator.ports import ConflictError, UnavailableError
from otherside.sim.cloud import STALE_MAX_S, Claimed, Cloud, Committed
from otherside.sim.truth import Ill, P, S, W

T = TypeVar("T")

_OUTSIDE = dict.fromkeys(("standby_canary", "witness_canary", "dns_health"), Reading.BAD)
_WRITES = dict.fromkeys(
    ("standby_canary", "witness_canary", "heartbeat", "write_pulse"), Reading.BAD
)
LIES: tuple[dict[str, Reading], ...] = (
    _WRITES,
    _OUTSIDE,
    {**_OUTSIDE, "standby_app": Reading.BAD},
    {"control_plane": Reading.BAD},
    {"heartbeat": Reading.BAD},
)
"""What signals may say together: a dead writer, a broken application here or on both sides, …"""
HEARTBEAT_BAD_S = 10.0
SKEW_MAX_S, STEP_S = 2.5, 60.0


class KilledError(BaseException):
    """The function ended here. Not an `Exception`: nothing in it may catch this."""


def _need(what: str, *, holds: bool) -> None:
    if not holds:
        msg = f"there is not {what}"
        raise UnavailableError(msg)


@dataclass(slots=True, kw_only=True)
class SimulatedWorld:
    """The world, as one invocation of a function finds it."""

    cloud: Cloud
    role: str
    """`decider` or `actuator`."""
    skew_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Draw how wrong this invocation's clock is."""
        cloud = self.cloud
        self.skew_s = 0.0
        if cloud.hit("skew"):
            self.skew_s = cloud.random.uniform(-SKEW_MAX_S, SKEW_MAX_S)
        if cloud.hit("step"):
            self.skew_s = cloud.random.choice((-STEP_S, STEP_S))

    def now_s(self) -> float:
        """Return the time, as this invocation's clock has it."""
        return self.cloud.truth.now_s + self.skew_s

    def recall(self) -> State:
        """Return the newest committed revision."""
        return self._port("recall", self._recall)

    def _recall(self) -> State:
        self._need_store()
        fits = abs(self.skew_s) <= self.cloud.policy.skew_s
        _need("a clock that fits the store's", holds=fits)
        return self.cloud.newest

    def _need_store(self) -> None:
        _need("a majority", holds=self.cloud.truth.majority(S))

    def observe(self, state: State) -> Facts:
        """Return what can be seen now."""
        return self._port("observe", lambda: self._look(state))

    def record(self, decision: Decision, facts: Facts) -> None:
        """Commit one revision, if it is the next."""
        self._port("record", lambda: self._commit(decision, facts))

    def _commit(self, decision: Decision, facts: Facts) -> None:
        self._need_store()
        cloud, state = self.cloud, decision.state
        if state.revision != len(cloud.log) + 1:
            raise ConflictError
        cloud.log.append(
            Committed(
                at_s=cloud.truth.now_s,
                state=state,
                facts=facts,
                notice=decision.notice,
                could_vote=cloud.truth.majority(S),
            )
        )

    def set_terms(self, decision: Decision) -> None:
        """Make the lease say what the decision wants."""
        self._port("set_terms", lambda: self._set_terms(decision))

    def _set_terms(self, decision: Decision) -> None:
        self._need_store()
        cloud = self.cloud
        newer = decision.state.revision >= cloud.terms_revision
        if decision.terms is None or not newer or decision.terms == cloud.terms:
            return
        cloud.terms, cloud.terms_revision = decision.terms, decision.state.revision
        cloud.truth.lease_open = decision.terms.open

    def wake(self, decision: Decision) -> None:
        """Tell the actuator, if there is anything to do."""
        if decision.move is not None or decision.raise_capacity:
            self._port("wake", self._wake)

    def _wake(self) -> None:
        cloud = self.cloud
        _need("the function", holds=cloud.truth.up(S))
        if cloud.hit("unwoken"):
            return
        now_s = cloud.truth.now_s
        cloud.wakes.append(now_s + cloud.random.uniform(0.1, 1.0))
        if cloud.hit("rewoken"):
            cloud.wakes += [now_s + cloud.random.uniform(0.0, 60.0) for _ in range(3)]

    def publish(self, decision: Decision) -> None:
        """Hold DNS where the state wants it."""
        self._port("publish", lambda: self._publish(decision))

    def _publish(self, decision: Decision) -> None:
        _need("the Region", holds=self.cloud.truth.up(S))
        self.cloud.truth.hold(latch=decision.state.latched)

    def tell(self, decision: Decision) -> None:
        """Tell people of what they have not been told of."""
        self._port("tell", lambda: self._tell(decision))

    def _tell(self, decision: Decision) -> None:
        self._need_store()
        cloud = self.cloud
        for one in cloud.log[cloud.told : decision.state.revision]:
            if one.notice is not None:
                cloud.pages.append((cloud.truth.now_s, one.state.revision, one.notice))
        cloud.told = max(cloud.told, decision.state.revision)

    def claim(self, intent: Intent) -> None:
        """Write down that this attempt is carried out now, once."""
        self._port("claim", lambda: self._claim(intent))

    def _claim(self, intent: Intent) -> None:
        self._need_store()
        cloud = self.cloud
        if any(one.intent.operation == intent.operation for one in cloud.claims):
            raise ConflictError
        cloud.claims.append(Claimed(at_s=cloud.truth.now_s, intent=intent))

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer."""
        self._port("move", lambda: self._call(intent))

    def _call(self, intent: Intent) -> None:
        truth = self.cloud.truth
        _need("the endpoint", holds=truth.outside(S))
        near = intent.move is Move.FAILOVER or truth.reaches(S, truth.writer)
        _need("the writer's endpoint", holds=near)
        truth.call(intent.move, intent.target, intent.operation)

    def raise_capacity(self) -> None:
        """Let the standby run enough instances."""
        self._port("raise_capacity", self._raise_capacity)

    def _raise_capacity(self) -> None:
        _need("the Region", holds=self.cloud.truth.up(S))
        self.cloud.capacity_raised = True

    def _look(self, state: State) -> Facts:
        cloud, truth = self.cloud, self.cloud.truth
        sighted = truth.majority(S)
        cloud.prove()
        at_s = self.now_s()
        return Facts(
            at_s=at_s,
            signals=self._signals(sighted=sighted),
            database=self._database(sighted=truth.outside(S)),
            replication=self._replication() if sighted else None,
            lease=Lease(open=truth.lease_open, seen_s=at_s) if sighted else None,
            write_verified=any(
                proven_s <= truth.now_s and (epoch, side) == (state.epoch, state.writer)
                for proven_s, epoch, side in cloud.verified
            ),
            users_on=truth.users_on() if truth.outside(S) else None,
            capacity_short=not cloud.capacity_raised,
            command=cloud.command if sighted else None,
            freeze=cloud.freeze if sighted else None,
        )

    def _replication(self) -> Replication | None:
        truth = self.cloud.truth
        if truth.ill(Ill.BLIND, Ill.HALF_BLIND) or self.cloud.hit("blind"):
            return None
        return Replication(
            replicated_s=truth.replicated_s,
            lived_s=truth.lived_s,
            lag_max_s=truth.lag_max_s(),
        )

    def _signals(self, *, sighted: bool) -> Signals:
        truth = self.cloud.truth
        if self.cloud.hit("garble"):
            return self._garbled()
        users = truth.users_on()
        write_ok = truth.outside(users) and truth.writes_work(users)
        answers = truth.app_runs(Side.PRIMARY) and truth.outside(P)
        age_s = truth.now_s - truth.replicated_s
        deaf = truth.ill(Ill.KEEPERS_DEAF)
        reports = truth.majority(P) and not deaf
        beats = age_s <= HEARTBEAT_BAD_S + 30.0 * truth.ill(Ill.LAGGING)
        writes = truth.writer is Side.PRIMARY and truth.database_writes()
        eyes = not truth.ill(Ill.BLIND)
        told = sighted and eyes and not truth.ill(Ill.HALF_BLIND)
        seen = truth.outside(S)
        witness = truth.up(W) and truth.reaches(W, S)
        return Signals(
            standby_canary=self._probed(
                write_ok and seen and not truth.ill(Ill.PROBE_BROKEN),
                known=eyes and not truth.ill(Ill.HALF_BLIND),
            ),
            witness_canary=self._probed(write_ok, known=told and witness),
            heartbeat=self._said(beats, known=truth.up(S) and eyes),
            app_pulse=self._said(reports and answers, known=told),
            write_pulse=self._said(reports and writes, known=told),
            dns_health=self._probed(answers, known=seen and eyes),
            control_plane=self._said(
                truth.up(P) and not truth.ill(Ill.CONTROL_PLANE_DOWN), known=eyes
            ),
            self_test=self._said(sighted and seen and not truth.ill(Ill.SELF_SICK)),
            standby_app=self._said(truth.app_runs(Side.STANDBY), known=eyes),
        )

    def _garbled(self) -> Signals:
        """Return signals that say anything, or together something that is not so."""
        readings, random = list(Reading), self.cloud.random
        said = {name: random.choice(readings) for name in Signals.__slots__}
        if random.random() < 1 / 2:
            said = {**dict.fromkeys(Signals.__slots__, Reading.GOOD), **random.choice(LIES)}
        return Signals(
            **{name: Signal(reading=one, at_s=self.now_s()) for name, one in said.items()}
        )

    def _probed(self, good: bool, *, known: bool = True) -> Signal:  # noqa: FBT001 - a reading
        return self._said(good and not self.cloud.hit("flip"), known=known)

    def _said(self, good: bool, *, known: bool = True) -> Signal:  # noqa: FBT001 - a reading
        reading = Reading.GOOD if good else Reading.BAD
        if not known or self.cloud.hit("blind"):
            reading = Reading.UNKNOWN
        return Signal(reading=reading, at_s=self.now_s())

    def _database(self, *, sighted: bool) -> DatabaseView | None:
        cloud = self.cloud
        view = cloud.view()
        if not sighted or cloud.hit("blind"):
            return None
        then_s = cloud.truth.now_s - cloud.random.uniform(0.0, STALE_MAX_S)
        if cloud.hit("stale"):
            return cloud.view_at(then_s)
        if cloud.hit("torn"):
            old = cloud.view_at(then_s)
            half = {"writer": old.writer} if cloud.random.random() < 1 / 2 else {"move": old.move}
            return replace(view, **half)
        return view

    def _port(self, name: str, effect: Callable[[], T]) -> T:
        """Make one call, as hostile as the seed says."""
        where = f"{self.role} {name}"
        self._trouble(where, "before")
        _need("a call that works", holds=not self.cloud.hit("fail", where))
        result = effect()
        _need("an answer", holds=not self.cloud.hit("lose", where))
        self._trouble(where, "after")
        return result

    def _trouble(self, where: str, when: str) -> None:
        """Let time pass around a call; perhaps a great deal, perhaps for ever."""
        cloud = self.cloud
        cloud.steps.append((where, when, cloud.newest.phase))
        if cloud.kill_at == len(cloud.steps) or cloud.hit("kill", f"{where} {when}"):
            raise KilledError
        if when == "before":
            cloud.advance(cloud.random.uniform(0.0, 0.5))
        if cloud.hit("slow", where):
            cloud.advance(cloud.random.uniform(1.0, 10.0))
        # Between two calls, not inside one: what has left the machine can no longer be held back.
        if when == "after" and cloud.depth == 0 and cloud.hit("freeze", where):
            for _ in range(cloud.random.randrange(1, 15)):
                cloud.advance(60.0)
                self._meanwhile()
        if when == "after" and cloud.hit("overlap", where):
            self._meanwhile()

    def _meanwhile(self) -> None:
        """Let another invocation run to its end, unless this is one already."""
        cloud = self.cloud
        if cloud.depth > 0:
            return
        cloud.depth += 1
        try:
            cloud.interrupt()
        finally:
            cloud.depth -= 1
