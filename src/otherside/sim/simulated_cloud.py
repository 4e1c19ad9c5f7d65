"""What all invocations share: the table, the pledge, wake-ups, and the pager."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from functools import lru_cache
from random import Random
from typing import Any

from otherside.core.topology import Side
from otherside.core.wire_contract import revision_of
from otherside.failover.aws.state_store import StateStore
from otherside.failover.decision.observation import Command, Observation
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Intent, Phase, State, first
from otherside.sim.faults import Fault, FaultRates
from otherside.sim.lease_agents import APPLICATION, LeaseAgents
from otherside.sim.modelled_table import ModelledBucket, ModelledTable, TableClient, refusal
from otherside.sim.world_state import WorldState

STALE_MAX_S = 110.0
"""The maximum age of a description of the database."""
ARNS = {Side.PRIMARY: "arn:aws:rds:p:1:cluster:c", Side.STANDBY: "arn:aws:rds:s:1:cluster:c"}
VERSION, OTHER_VERSION = "17.9", "17.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """One revision, when it was committed, and what it was decided on."""

    at_s: float
    before: State
    """The table's newest state as the decider had read it."""
    state: State
    observation: Observation
    notice: str | None
    urgent: bool
    could_vote: bool
    """Whether the standby's Region had a majority then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An attempt that was claimed before it was carried out."""

    at_s: float
    intent: Intent


@lru_cache(maxsize=1024)
def _http_date(at_s: int) -> str:
    """Return a time as an HTTP header has it, in whole seconds."""
    return formatdate(at_s, usegmt=True)


@dataclass(slots=True, kw_only=True)
class SimulatedCloud:
    """The world of one run: the truth, the table, and what is in flight between functions."""

    world_state: WorldState
    random: Random
    fault_rates: FaultRates
    policy: FailoverPolicy
    machines: Mapping[Side, int]
    """The number of machines on each side."""
    advance: Callable[[float], None] = lambda _: None
    """Let time pass; set by the runner, which also gives people and the actuator their turn."""
    interrupt: Callable[[], None] = lambda: None
    """Run another invocation of the decider or the actuator now."""
    table: ModelledTable = field(init=False)
    objects: ModelledBucket = field(init=False)
    lease_agents: LeaseAgents = field(init=False)
    log: list[Committed] = field(default_factory=list)
    claims: list[Claimed] = field(default_factory=list)
    lease_set: list[tuple[float, Phase]] = field(default_factory=list)
    """When the lease was set, and in which phase that was decided."""
    pages: list[tuple[float, int, str]] = field(default_factory=list)
    wakes: list[float] = field(default_factory=list)
    """When the actuator will be woken."""
    orders: list[tuple[float, Command, str]] = field(default_factory=list)
    """The orders that people gave, each with its immediate result: `given`, or why not."""
    capacity_raised: bool = False
    views: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    depth: int = 0
    kill_at: int | None = None
    """Kill an invocation at this step of the run."""
    steps: list[tuple[str, str, Phase]] = field(default_factory=list)
    """Every moment around a port call: which call, `before` or `after` it, and in which phase."""
    troubles: set[str] = field(default_factory=set)
    """Every trouble that struck, and at which call."""
    struck: set[str] = field(default_factory=set)
    """The troubles of the current invocation."""
    _chances: dict[str, float] = field(init=False)
    """The probability of each trouble that there is at all."""

    def __post_init__(self) -> None:
        """Create what all invocations share."""
        self.hostile(self.fault_rates)
        self.table, self.objects = ModelledTable(lambda: self.world_state.now_s), ModelledBucket()
        self.lease_agents = LeaseAgents(
            world_state=self.world_state,
            table=self.table,
            objects=self.objects,
            machines=self.machines,
            date=self.date,
        )
        self.world_state.lease_agents = self.lease_agents

    def date(self) -> str:
        """Return the store's own time, as an HTTP header."""
        return _http_date(int(self.world_state.now_s))

    @property
    def newest(self) -> State:
        """Return the revision committed last, whether or not the table still holds it."""
        return self.log[-1].state if self.log else first(0.0)

    def seen(self) -> State:
        """Return the newest revision that the table holds now."""
        keys = [key for key in self.table.items if key[0] == APPLICATION]
        if not keys:
            return first(0.0)
        revision = revision_of(max(keys)[1])
        held = self.newest
        if held.revision == revision:
            return held
        found = [committed.state for committed in self.log if committed.state.revision == revision]
        return found[-1]

    def people(self) -> StateStore:
        """Return the table as a person with the command line reaches it."""

        def door(operation: str, _key: object) -> Callable[[], None]:
            if not (self.world_state.majority("primary") or self.world_state.majority("standby")):
                raise refusal("InternalServerError", operation, 500)
            return lambda: None

        client: Any = TableClient(self.table, door, date=self.date, stale_s=float)
        return StateStore(
            client,
            table="state",
            application=APPLICATION,
            clock=self.lease_agents,
            code="-",
            skew_s=1e9,
        )

    @property
    def verified(self) -> list[tuple[float, int, Side]]:
        """Return when which epoch was written and read back on which side."""
        return self.lease_agents.verified

    def hostile(self, fault_rates: FaultRates) -> None:
        """Be as hostile from now on as these rates say."""
        self.fault_rates = fault_rates
        self._chances = {name: chance for name, chance in asdict(fault_rates).items() if chance}

    def hit(self, kind: str, *where: str) -> bool:
        """Return whether a trouble strikes, and remember where it did."""
        chance = self._chances.get(kind)
        if chance is None or self.random.random() >= chance:
            return False
        self.troubles.add(" ".join((kind, *where)))
        self.struck.add(kind)
        return True

    def view(self) -> dict[str, Any]:
        """Return the global database as it is now, and keep that for stale reads."""
        world_state = self.world_state
        detached = world_state.has(Fault.STANDBY_DETACHED)
        members = [
            {
                "DBClusterArn": arn,
                "IsWriter": side is world_state.writer,
                "SynchronizationStatus": "connected" if world_state.follows else "pending-resync",
            }
            for side, arn in ARNS.items()
            if not (detached and side is not world_state.writer)
        ]
        whole: dict[str, Any] = {"EngineVersion": VERSION, "GlobalClusterMembers": members}
        moving = world_state.moving
        if moving is not None:
            status = "failing-over" if moving.kind == "failover" else "switching-over"
            whole["FailoverState"] = {
                "Status": "cancelling" if moving.cancelled else status,
                "ToDbClusterArn": ARNS[moving.target],
                "FromDbClusterArn": ARNS[moving.target.other],
                "IsDataLossAllowed": moving.kind == "failover",
            }
        if not self.views or self.views[-1][1] != whole:
            self.views.append((world_state.now_s, whole))
        return whole

    def view_at(self, at_s: float) -> dict[str, Any]:
        """Return the global database as it was at a given time."""
        known = [view for since_s, view in self.views if since_s <= at_s]
        return known[-1] if known else self.views[0][1]
