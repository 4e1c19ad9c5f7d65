"""The decision as a machine that Hypothesis drives: any people, any world, any pace."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from failover.decision.observation_builders import BAD, DEAD, GOOD, HEALTHY, UNKNOWN, observation
from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.decide import decide, veto_reason
from otherside.failover.decision.observation import (
    Command,
    LeaseView,
    Move,
    MoveUnderWay,
    Order,
    Progress,
)
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase, first

SIDES = st.sampled_from(Side)


class Deciding(RuleBasedStateMachine):
    """Aurora obeys or does not, people order this and that, and time passes."""

    @initialize(mode=st.sampled_from(FailoverMode))
    def begin(self, mode):
        """Begin at home, healthy."""
        self.policy = FailoverPolicy(
            mode=mode, loss_auto_s=5.0, stable_s=100.0, precheck_s=10.0, block_s=600.0
        )
        self.state, self.now_s = first(0.0), 0.0
        self.database, self.lease_open = HEALTHY, True
        self.readings, self.users, self.command = {}, Side.PRIMARY, None
        self.called, self.proven = {}, set()

    @rule(seconds=st.sampled_from([1.0, 5.0, 20.0, 59.0, 61.0, 130.0]), looks=st.integers(1, 20))
    def watch(self, seconds, looks):
        """Take some looks, a while apart."""
        for _ in range(looks):
            self.now_s += seconds
            self.look()

    def look(self):
        """Take one look, and let the world do what it is asked."""
        seen = observation(
            self.now_s,
            database=self.database,
            readings=self.readings,
            lease=LeaseView(open=self.lease_open, seen_s=self.now_s),
            users_on=self.users,
            write_verified=self.database is not None and self.database.writer is self.state.writer,
            command=self.command,
        )
        before, decision = self.state, decide(self.state, seen, self.policy)
        self.state = decision.state
        if decision.terms is not None:
            self.lease_open = decision.terms.open
        if decision.move is not None and veto_reason(self.state, seen, self.policy) is None:
            self.called[decision.move.operation] = decision.move
            assert not (decision.move.move is Move.FAILOVER and self.lease_open)
        if before.phase is Phase.VERIFY and seen.write_verified:
            self.proven.add((before.epoch, before.writer))
        if self.state.latched and not before.latched:
            assert (self.state.epoch, Side.STANDBY) in self.proven

    @rule(readings=st.sampled_from([{}, DEAD, {**DEAD, "app_pulse": GOOD, "dns_health": GOOD}]))
    def happen(self, readings):
        """Let something go wrong, or right."""
        self.readings = readings

    @rule(name=st.sampled_from(sorted(DEAD)), reading=st.sampled_from([GOOD, BAD, UNKNOWN]))
    def bend(self, name, reading):
        """Let one signal say something else."""
        self.readings = {**self.readings, name: reading}

    @rule()
    def obey(self):
        """Let Aurora carry out what it was asked last."""
        if self.called and self.database is not None:
            target = list(self.called.values())[-1].target
            self.database = replace(self.database, writer=target, move=None)

    @rule(kind=st.sampled_from(Move), to=SIDES, progress=st.sampled_from(Progress))
    def report(self, kind, to, progress):
        """Let Aurora say that something moves."""
        if self.database is not None:
            move = MoveUnderWay(kind=kind, target=to, progress=progress)
            self.database = replace(self.database, move=move)

    @rule()
    def rest(self):
        """Let Aurora have nothing under way, and everybody follow."""
        base = self.database or HEALTHY
        self.database = replace(base, move=None, resynced=True)

    @rule()
    def hide(self):
        """Let the control plane fall silent."""
        self.database = None

    @rule(side=SIDES)
    def lead(self, side):
        """Let DNS lead users somewhere."""
        self.users = side

    @rule(order=st.sampled_from(Order), late=st.integers(0, 2), until_s=st.floats(0, 500))
    def order(self, order, late, until_s):
        """Let a person order something, of this revision or an older one."""
        self.command = Command(
            order=order,
            revision=self.state.revision - late,
            author="ada",
            at_s=self.now_s,
            until_s=self.now_s + until_s,
        )

    @invariant()
    def nothing_goes_home_with_a_loss(self):
        """A failover leads away from home, always."""
        for intent in getattr(self, "called", {}).values():
            assert intent.move is Move.SWITCHOVER or intent.target is Side.STANDBY

    @invariant()
    def observing_calls_nothing(self):
        """In observe mode there is no intent to carry out."""
        if getattr(self, "policy", None) and self.policy.mode is FailoverMode.OBSERVE:
            assert not self.called


TestDeciding = Deciding.TestCase
TestDeciding.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
