"""One invocation of a function in the simulated world: the shipped code, on modelled clients.

The ports are those of `AwsAdapter`. What lies behind its clients is modelled, and so are the
function's own troubles: every port call takes time, may be killed before or after its effect, may
time out before or after it, and may find that another invocation ran in the middle of it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from otherside.core.topology import Side
from otherside.core.wire_contract import (
    FAILOVER_ACTIVE,
    TRAFFIC_STATES,
    ItemType,
    OrchestratorSettings,
)
from otherside.failover.aws import http_probes
from otherside.failover.aws.adapter import Answers, AwsAdapter, Questions, gather
from otherside.failover.decision.decide import Decision
from otherside.failover.decision.observation import Move, Observation, Reading
from otherside.failover.decision.state import Intent, State
from otherside.failover.ports import UnavailableError
from otherside.sim.faults import Fault
from otherside.sim.lease_agents import APPLICATION
from otherside.sim.modelled_table import ObjectsClient, TableClient, refusal
from otherside.sim.simulated_cloud import (
    ARNS,
    OTHER_VERSION,
    STALE_MAX_S,
    VERSION,
    Claimed,
    Committed,
    SimulatedCloud,
)
from otherside.sim.world_state import P, S

if TYPE_CHECKING:
    from otherside.failover.aws.state_store import HealthReport

T = TypeVar("T")

SKEW_MAX_S, STEP_S = 2.5, 60.0
PUBLIC, STANDBY = "http://public", "http://standby"
WRITE, READ = "/writez", "/readyz"
SETTINGS = OrchestratorSettings(
    application=APPLICATION,
    code="-",
    mode="-",
    loss_max_s="-",
    stable_s="-",
    freezes="none",
    primary_region="p",
    standby_region="s",
    global_cluster="g",
    primary_cluster_arn=ARNS[Side.PRIMARY],
    standby_cluster_arn=ARNS[Side.STANDBY],
    state_table="state",
    pledge_bucket="pledges",
    topic_arn="topic",
    capacity_group="group",
    capacity_min="2",
    public_url=PUBLIC,
    standby_url=STANDBY,
    readiness_path=READ,
    write_path=WRITE,
    traffic_state_name="state",
)
HIDDEN = frozenset({"pulses", "whole", "canary", "standby_app", "standby_write", "control_plane"})
"""Queries that get no answer while no evidence can be gathered."""
HALF_HIDDEN = frozenset({"pulses", "canary"})


class KilledError(BaseException):
    """The function was killed here. Not an `Exception`, so that no code in it can catch this."""


class SimulatedClock:
    """The clock of one invocation, which may be wrong."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        """Draw the clock's error."""
        self._cloud, self.skew_s = cloud, 0.0
        if cloud.hit("skew"):
            self.skew_s = cloud.random.uniform(-SKEW_MAX_S, SKEW_MAX_S)
        if cloud.hit("step"):
            self.skew_s = cloud.random.choice((-STEP_S, STEP_S))

    def now_s(self) -> float:
        """Return the time on this invocation's clock."""
        return self._cloud.world_state.now_s + self.skew_s

    monotonic_s = now_s

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._cloud.advance(seconds)


class SimulatedClients:
    """AWS's clients, as one function with one role has them."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self._cloud, self._truth = cloud, cloud.world_state
        self.calling = ""
        """The operation under which the next move is requested."""

    def _door(self, operation: str, key: tuple[str, str]) -> Callable[[], None]:
        """Guard the table: without a majority it answers no one."""
        world_state, partition = self._truth, key[0]
        if not world_state.majority(S):
            raise refusal("InternalServerError", operation, 500)
        denied = (
            world_state.has(Fault.LEASE_DENIED)
            and operation == "UpdateItem"
            and partition == ItemType.LEASE.of(APPLICATION)
        ) or (
            world_state.has(Fault.CLAIM_DENIED)
            and operation == "PutItem"
            and partition == ItemType.CLAIM.of(APPLICATION)
        )
        if denied:
            raise refusal("AccessDeniedException", operation)
        return lambda: None

    def _shelf(self, operation: str, _key: tuple[str, str]) -> Callable[[], None]:
        """Guard the pledge."""
        world_state = self._truth
        if not world_state.up(S) or world_state.has(Fault.PLEDGE_DOWN):
            raise refusal("ServiceUnavailable", operation, 503)
        if world_state.has(Fault.PLEDGE_DENIED) and operation == "PutObject":
            raise refusal("AccessDenied", operation, 403)
        return lambda: None

    def dynamodb(self, _region: str) -> Any:  # noqa: ANN401 - a client of the SDK's
        """Return a client of the state table."""
        cloud = self._cloud
        stale: Callable[[], float] = lambda: cloud.random.uniform(0.0, 20.0)  # noqa: E731 - short
        return TableClient(cloud.table, self._door, date=cloud.date, stale_s=stale)

    def s3(self, _region: str) -> Any:  # noqa: ANN401 - a client of the SDK's
        """Return a client of the pledge's bucket."""
        return ObjectsClient(self._cloud.objects, self._shelf)

    def rds(self, region: str, *, changing: bool = False) -> "Rds":
        """Return a client of RDS."""
        return Rds(self._cloud, region, self, repeats=0 if changing else 1)

    def autoscaling(self, _region: str, *, changing: bool = False) -> "SimulatedClients":  # noqa: ARG002 - as the real ones
        """Return a client of Auto Scaling."""
        return self

    cloudwatch = functions = sns = autoscaling

    def _need_region(self, operation: str) -> None:
        if not self._truth.up(S):
            raise refusal("ServiceUnavailable", operation, 503)

    def describe_auto_scaling_groups(self, **_: object) -> dict[str, Any]:
        """Return the standby's minimum number of instances."""
        self._need_region("DescribeAutoScalingGroups")
        size = 2 if self._cloud.capacity_raised else 1
        return {"AutoScalingGroups": [{"MinSize": size}]}

    def update_auto_scaling_group(self, **asked: object) -> None:
        """Raise that minimum."""
        self._need_region("UpdateAutoScalingGroup")
        assert asked["MinSize"] == int(SETTINGS.capacity_min)
        self._cloud.capacity_raised = True

    def put_metric_data(self, **asked: Any) -> None:  # noqa: ANN401 - the SDK's own
        """Accept metrics; one of them holds DNS."""
        self._need_region("PutMetricData")
        if self._truth.has(Fault.LATCH_DENIED):
            raise refusal("AccessDenied", "PutMetricData", 403)
        for datum in asked["MetricData"]:
            if datum["MetricName"] == FAILOVER_ACTIVE:
                self._truth.hold(latch=datum["Value"] == 1.0)

    def invoke(self, **asked: object) -> None:
        """Wake the actuator."""
        cloud = self._cloud
        self._need_region("Invoke")
        assert asked["InvocationType"] == "Event"
        if cloud.hit("wakeup_lost") or self._truth.has(Fault.ACTUATOR_DEAD):
            return
        now_s = self._truth.now_s
        cloud.wakes.append(now_s + cloud.random.uniform(0.1, 1.0))
        if cloud.hit("wakeup_duplicated"):
            cloud.wakes += [now_s + cloud.random.uniform(0.0, 60.0) for _ in range(3)]

    def publish(self, **asked: Any) -> None:  # noqa: ANN401 - the SDK's own
        """Notify people."""
        self._need_region("Publish")
        if self._truth.has(Fault.TOPIC_DENIED):
            raise refusal("AuthorizationError", "Publish", 403)
        head, _, text = asked["Message"].partition("\n\n")
        revision = int(head.split("revision ")[1].split(",")[0])
        self._cloud.pages.append((self._truth.now_s, revision, text.strip()))


class Rds:
    """Aurora's control plane in one Region."""

    def __init__(
        self, cloud: SimulatedCloud, region: str, clients: SimulatedClients, repeats: int
    ) -> None:
        """Call one Region; the client itself repeats a failed call up to `repeats` times."""
        self._cloud, self._truth, self._clients = cloud, cloud.world_state, clients
        self._side = Side.PRIMARY if region == "p" else Side.STANDBY
        self._repeats = repeats

    def _need(self, operation: str) -> None:
        world_state = self._truth
        far = self._side is Side.PRIMARY and not (
            world_state.gets_out(P) and world_state.gets_out(S)
        )
        down = self._side is Side.PRIMARY and world_state.has(Fault.CONTROL_PLANE_DOWN)
        if far or down or not world_state.gets_out(S):
            raise refusal("ServiceUnavailable", operation, 503)
        if self._side is Side.PRIMARY and world_state.has(Fault.ANSWERS_GARBLED):
            msg = "an answer that is none"
            raise ValueError(msg)

    def describe_global_clusters(self, **_: object) -> dict[str, Any]:
        """Describe the global cluster, possibly as it was a while ago."""
        cloud = self._cloud
        view = cloud.view()
        self._need("DescribeGlobalClusters")
        then_s = self._truth.now_s - cloud.random.uniform(0.0, STALE_MAX_S)
        if cloud.hit("stale"):
            view = cloud.view_at(then_s)
        elif cloud.hit("inconsistent_read"):
            old = cloud.view_at(then_s)
            half = "GlobalClusterMembers" if cloud.random.random() < 1 / 2 else "FailoverState"
            view = {name: part for name, part in view.items() if name != half}
            view |= {half: old[half]} if half in old else {}
        return {"GlobalClusters": [view]}

    def describe_db_clusters(self, **_: object) -> dict[str, Any]:
        """Describe one side's cluster."""
        world_state, standby = self._truth, self._side is Side.STANDBY
        self._need("DescribeDBClusters")
        status = "available"
        if standby:
            status = "backing-up" if world_state.has(Fault.STANDBY_BUSY) else status
            status = "stopped" if world_state.has(Fault.STANDBY_STOPPED) else status
        headless = standby and world_state.has(Fault.STANDBY_HEADLESS)
        drifted = standby and world_state.has(Fault.VERSION_DRIFT)
        cluster = {
            "Status": status,
            "EngineVersion": OTHER_VERSION if drifted else VERSION,
            "DBClusterMembers": [] if headless else [{}],
        }
        return {"DBClusters": [cluster]}

    def describe_events(self, **_: object) -> dict[str, Any]:
        """Return no events: Aurora's messages about its moves decide nothing."""
        return {"Events": []}

    def failover_global_cluster(self, **asked: object) -> None:
        """Move the writer at once."""
        assert asked["AllowDataLoss"] is True
        self._move(Move.FAILOVER, self._side, asked["TargetDbClusterIdentifier"])

    def switchover_global_cluster(self, **asked: object) -> None:
        """Move the writer without losing anything."""
        self._move(Move.SWITCHOVER, self._side.other, asked["TargetDbClusterIdentifier"])

    def _move(self, kind: Move, target: Side, named: object) -> None:
        world_state, operation = self._truth, f"{kind}"
        self._need(operation)
        if world_state.has(Fault.MOVE_DENIED):
            raise refusal("AccessDenied", operation, 403)
        if named != ARNS[target]:
            raise refusal("InvalidDBClusterStateFault", operation)
        called = 0
        while not world_state.call(kind, target, self._clients.calling):
            called += 1
            if called > self._repeats:
                raise refusal("InvalidGlobalClusterStateFault", operation)


class Eyes:
    """What the functions see from outside: probes and names."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self._cloud, self._truth = cloud, cloud.world_state

    def ask(self, question: http_probes.Question) -> Reading:
        """Answer a probe, which sometimes fails by chance."""
        world_state = self._truth
        if question.url == STANDBY:
            works = world_state.app_runs(Side.STANDBY)
            if question.path == WRITE:
                works = works and world_state.writes_work(Side.STANDBY)
        else:
            users = world_state.users_on()
            works = (
                world_state.outside(users)
                and world_state.writes_work(users)
                and world_state.gets_out(S)
            )
            works = works and not world_state.has(Fault.PROBE_BROKEN)
        return Reading.GOOD if works and not self._cloud.hit("probe_flake") else Reading.BAD

    def users_on(self, _state_name: str) -> Side | None:
        """Return the side that DNS prefers, if names can be resolved at all."""
        return self._truth.users_on() if self._truth.gets_out(S) else None

    def sees_outside(self) -> Reading:
        """Return whether outside names resolve."""
        sees = self._truth.gets_out(S) and not self._truth.has(Fault.SELF_SICK)
        return Reading.GOOD if sees else Reading.BAD


assert set(TRAFFIC_STATES) == set(Side), "names tell a side each"


class SimulatedWorld:
    """The shipped ports, with a platform's troubles around each call."""

    def __init__(self, *, cloud: SimulatedCloud, role: str) -> None:
        """Begin one invocation; `role` is `decider` or `actuator`."""
        self.cloud, self.role = cloud, role
        self._clock, self._clients = SimulatedClock(cloud), SimulatedClients(cloud)
        clients: Any = self._clients
        self._inner = AwsAdapter(
            SETTINGS,
            clients=clients,
            clock=self._clock,
            code="-",
            skew_s=cloud.policy.skew_s,
            ask=self._gather,
            probes=Eyes(cloud),
        )
        self._state: State | None = None

    def now_s(self) -> float:
        """Return the time on this invocation's clock."""
        return self._inner.now_s()

    def load_state(self) -> State:
        """Return the newest committed revision."""
        self._state = self._port("load_state", self._inner.load_state)
        return self._state

    def observe(self, state: State) -> Observation:
        """Return what can be observed now."""
        return self._port("observe", lambda: self._inner.observe(state))

    def commit(self, decision: Decision, observation: Observation) -> None:
        """Commit one revision, if it is the next one."""
        self._port("commit", lambda: self._commit(decision, observation))

    def _commit(self, decision: Decision, observation: Observation) -> None:
        cloud = self.cloud
        assert self._state is not None, "committed before anything was read"
        self._inner.commit(decision, observation)
        cloud.log.append(
            Committed(
                at_s=cloud.world_state.now_s,
                before=self._state,
                state=decision.state,
                observation=observation,
                notice=decision.notice,
                urgent=decision.urgent,
                could_vote=cloud.world_state.majority(S),
            )
        )

    def set_lease_terms(self, decision: Decision) -> None:
        """Set the lease to the decision's terms."""
        self._port("set_lease_terms", lambda: self._set_terms(decision))

    def _set_terms(self, decision: Decision) -> None:
        cloud = self.cloud
        before = cloud.table.changes
        self._inner.set_lease_terms(decision)
        if cloud.table.changes != before:
            cloud.lease_set.append((cloud.world_state.now_s, decision.state.phase))

    def pledge(self, decision: Decision) -> None:
        """Set the pledge to the same terms."""
        self._port("pledge", lambda: self._inner.pledge(decision))

    def extend_pledge(self) -> None:
        """Extend a valid pledge."""
        self._port("extend_pledge", self._inner.extend_pledge)

    def invoke_actuator(self, decision: Decision) -> None:
        """Wake the actuator if there is anything to do."""
        if decision.move is not None or decision.raise_capacity:
            self._port("invoke_actuator", lambda: self._inner.invoke_actuator(decision))

    def publish_metrics(self, decision: Decision) -> None:
        """Hold DNS where the state asks for it."""
        self._port("publish_metrics", lambda: self._inner.publish_metrics(decision))

    def notify(self, decision: Decision) -> None:
        """Notify people of what they have not been notified of."""
        self._port("notify", lambda: self._inner.notify(decision))

    def record_failures(self, failed: tuple[str, ...]) -> None:
        """Keep the actions that failed."""
        self._inner.record_failures(failed)

    def claim(self, intent: Intent) -> None:
        """Record that this attempt is being carried out now, once."""
        self._port("claim", lambda: self._claim(intent))

    def _claim(self, intent: Intent) -> None:
        self._inner.claim(intent)
        self.cloud.claims.append(Claimed(at_s=self.cloud.world_state.now_s, intent=intent))

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer."""
        self._clients.calling = intent.operation
        self._port("move", lambda: self._inner.move(intent))

    def record_answer(self, intent: Intent, *, called: bool, answer: str | None) -> None:
        """Record the outcome of a claimed attempt."""
        self._port(
            "record_answer",
            lambda: self._inner.record_answer(intent, called=called, answer=answer),
        )

    def raise_capacity(self) -> None:
        """Raise the standby's capacity."""
        self._port("raise_capacity", self._inner.raise_capacity)

    # --- what is observed -------------------------------------------------------------------------

    def _gather(self, asked: Questions) -> Answers:
        """Run the queries one after the other; some get no answer, and some get a wrong one."""
        cloud, world_state = self.cloud, self.cloud.world_state
        hidden = (
            HIDDEN
            if world_state.has(Fault.BLIND)
            else HALF_HIDDEN
            if world_state.has(Fault.HALF_BLIND)
            else ()
        )

        def asking(name: str, question: Callable[[], Any]) -> Callable[[], Any]:
            return _silent if name in hidden or cloud.hit("blind") else question

        answers = gather({name: asking(name, question) for name, question in asked.items()})
        if not cloud.hit("random_signals"):
            return answers
        return Answers(known=self._garbled(answers.known), unreadable=answers.unreadable)

    def _garbled(self, known: Any) -> dict[str, Any]:  # noqa: ANN401 - one tick's answers
        """Return random answers, or answers that agree on something false."""
        random = self.cloud.random
        lie = random.choice(("all", "writes", "outside", "control plane", "heart"))
        made = dict(known)
        pulses: dict[str, HealthReport] = dict(known.get("pulses") or {})

        def coin() -> bool:
            return random.random() < 1 / 2

        if lie in {"writes", "outside"} or (lie == "all" and coin()):
            made["canary"] = Reading.BAD
            made["users_on"] = Side.STANDBY if lie != "writes" else made.get("users_on")
            for place, pulse in pulses.items():
                pulses[place] = replace(pulse, writes_ok=False if coin() or lie != "all" else None)
        if lie == "control plane" or (lie == "all" and coin()):
            made["control_plane"] = coin() and lie == "all"
        if lie in {"heart", "writes"} or (lie == "all" and coin()):
            for place, pulse in pulses.items():
                if pulse.beat_s is not None:
                    pulses[place] = replace(pulse, beat_s=pulse.beat_s - 60.0)
        if lie == "all":
            made["standby_app"] = random.choice(list(Reading))
            made["outside"] = random.choice(list(Reading))
        return {**made, "pulses": pulses}

    # --- what happens to the function -------------------------------------------------------------

    def _port(self, name: str, effect: Callable[[], T]) -> T:
        """Make one call, as hostile as the seed makes it."""
        where = f"{self.role} {name}"
        self._trouble(where, "before")
        self._fail(not self.cloud.hit("fail", where))
        result = effect()
        self._fail(not self.cloud.hit("lose", where))
        self._trouble(where, "after")
        return result

    def _fail(self, works: bool) -> None:  # noqa: FBT001 - one question
        if not works:
            msg = "there is no answer"
            raise UnavailableError(msg)

    def _trouble(self, where: str, when: str) -> None:
        """Let time pass around a call: a little, a lot, or for ever if the function is killed."""
        cloud = self.cloud
        cloud.steps.append((where, when, cloud.newest.phase))
        if cloud.kill_at == len(cloud.steps) or cloud.hit("kill", where, when):
            raise KilledError
        if when == "before":
            cloud.advance(cloud.random.uniform(0.0, 0.5))
        if cloud.hit("slow", where):
            cloud.advance(cloud.random.uniform(1.0, 10.0))
        # Freeze only between two calls: a request that has left the machine cannot be held back.
        if when == "after" and cloud.depth == 0 and cloud.hit("freeze", where):
            for _ in range(cloud.random.randrange(1, 15)):
                cloud.advance(60.0)
                self._meanwhile()
        if when == "after" and cloud.hit("overlap", where):
            self._meanwhile()

    def _meanwhile(self) -> None:
        """Run another invocation to its end, unless this is such a one already."""
        cloud = self.cloud
        if cloud.depth > 0:
            return
        cloud.depth += 1
        try:
            cloud.interrupt()
        finally:
            cloud.depth -= 1


def _silent() -> None:
    msg = "nobody answers"
    raise UnavailableError(msg)


def newer(cloud: SimulatedCloud, *, there: bool) -> None:
    """Mark the newest revision as written by a later version of the code, or undo that."""
    keys = sorted(key for key in cloud.table.items if key[0] == APPLICATION)
    if keys:
        item = cloud.table.items[keys[-1]]
        cloud.table.items[keys[-1]] = {**item, "schema": {"N": "99" if there else "2"}}
