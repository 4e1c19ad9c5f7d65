"""The lease agents of both sides: the shipped lease, heartbeat and store, in a modelled world."""

import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any, Self

from botocore.exceptions import ClientError

from otherside.core.topology import Side
from otherside.core.wire_contract import PLEDGE_KEY, ItemType
from otherside.failover.aws.state_store import HealthReport, StateStore
from otherside.sim.faults import Fault
from otherside.sim.modelled_table import (
    ModelledBucket,
    ModelledTable,
    ObjectsClient,
    TableClient,
    refusal,
)
from otherside.sim.world_state import Held, P, S, W, WorldState

APPLICATION = "simulated"
_AT = {Side.PRIMARY: "p", Side.STANDBY: "s"}
ROUND_S, SOON_S = 4.0, 1.0
"""The interval between rounds, and how soon an agent learns that the table has changed."""
REGIONS = {"p": P, "s": S}
"""The Regions' names, as the agents' settings have them, and the site that each one is."""


def _shipped(name: str) -> Any:  # noqa: ANN401 - a module, loaded as it is installed on an instance
    """Load a module of the shipped agent."""
    directory = str(files("otherside") / "agent")
    sys.path.insert(0, directory)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(directory)


_AWS, _HEART, _LEASE = _shipped("aws"), _shipped("heartbeat"), _shipped("lease")


@dataclass(slots=True)
class SimulatedInstance:
    """One machine of a side, with its lease agent."""

    side: Side
    name: str
    lease: Any
    store: Any
    heart: Any

    @property
    def place(self) -> str:
        """The place under which it writes its pulse."""
        return f"{self.side}#{self.name}"


@dataclass(slots=True)
class LeaseAgents:
    """All lease agents, and the witness."""

    world_state: WorldState
    table: ModelledTable
    objects: ModelledBucket
    machines: Mapping[Side, int]
    date: Callable[[], str]
    verified: list[tuple[float, int, Side]] = field(default_factory=list)
    """When a side's database first held a row of an epoch that was written and read back there."""
    at_s: float = 0.0
    """The time on every agent's clock."""
    instances: dict[Side, list[SimulatedInstance]] = field(default_factory=dict)
    made: int = 0
    bridging: bool = False
    """Whether any agent relied on the pledge alone in its last round."""
    _held: dict[Side, tuple[Held, ...]] = field(default_factory=dict)
    _seen: int = -1
    _witness: StateStore | None = None

    def __post_init__(self) -> None:
        """Boot every machine."""
        for side in Side:
            self._boot(side)
        self._look_at_leases()
        client: Any = TableClient(self.table, self._witness_door, date=self.date, stale_s=float)
        self._witness = StateStore(
            client, table="state", application=APPLICATION, clock=self, code="-", skew_s=0.0
        )

    def now_s(self) -> float:
        """Return the time as the witness's function reads it."""
        return self.at_s

    monotonic_s = now_s

    def sleep(self, seconds: float) -> None:
        """Return at once: only the world advances time."""

    def _boot(self, side: Side) -> None:
        """Restart the machines of a side, each with a new agent that knows nothing yet."""
        here = REGIONS[_AT[side]]
        environment = {
            "STATE_TABLE": "state",
            "STATE_REGIONS": f"{_AT[side]},{_AT[side.other]}",
            "APP_NAME": APPLICATION,
            "PLEDGE_BUCKET": "pledges",
            "PLEDGE_REGION": _AT[Side.STANDBY],
        }
        made = []
        for _ in range(self.machines[side]):
            self.made += 1
            store = _HEART.LeaseStore(
                environment, partial(self._call, here), partial(self._fetch, here)
            )
            lease = _LEASE.Lease(store.lease, store.pledge, self.now_s, _AWS.ServiceRefusedError)
            database = ModelledDatabase(self.world_state, side)
            heart = _HEART.Heartbeat(database, (OSError,), self.now_s, self.now_s)
            made.append(SimulatedInstance(side, f"i-{self.made}", lease, store, heart))
        self.instances[side] = made

    # --- what an agent reaches ------------------------------------------------------------------

    def _call(
        self, here: str, operation: str, region: str, asked: dict[str, Any], *_: object
    ) -> Any:  # noqa: ANN401 - the answer
        """Make one DynamoDB call, as an instance makes it."""
        world_state, there = self.world_state, REGIONS[region]
        if not (world_state.reaches(here, there) and world_state.majority(there)):
            msg = "nobody answers"
            raise OSError(msg)
        denied = world_state.has(Fault.AGENTS_DENIED) or (
            here == P and world_state.has(Fault.PRIMARY_AGENTS_DENIED)
        )
        if denied:
            msg = "HTTP 400"
            raise _AWS.ServiceRefusedError(msg)
        if operation == "GetItem":
            key = asked["Key"]["application"]["S"], asked["Key"]["revision"]["S"]
            items = (
                self.table.items
                if asked.get("ConsistentRead")
                else self.table.as_of(self.at_s - STALE_S)
            )
            item = items.get(key)
            return {} if item is None else {"Item": item}
        assert operation == "PutItem", operation
        self.table.put(asked["Item"], None, {}, {})
        return {}

    def _fetch(self, here: str, _bucket: str, key: str, region: str, *_: object) -> Any:  # noqa: ANN401 - the answer
        """Get the pledge, as an instance gets it."""
        world_state = self.world_state
        assert key == PLEDGE_KEY, key
        if not world_state.reaches(here, REGIONS[region]) or world_state.has(Fault.PLEDGE_DOWN):
            msg = "nobody answers"
            raise OSError(msg)
        client = ObjectsClient(self.objects, _open_door)
        try:
            found = client.get_object(Bucket="pledges", Key=key)
        except ClientError as error:
            raise _AWS.ServiceRefusedError(str(error)) from None
        return _json(found["Body"].read()), self.at_s

    def _witness_door(self, _operation: str, _key: object) -> Callable[[], None]:
        if not self.world_state.majority(W):
            raise refusal("InternalServerError", "PutItem", 500)
        return _nothing

    # --- what agents do -------------------------------------------------------------------------

    def step(self, until_s: float, *, edge: bool) -> None:
        """Run every agent whose round is due before a given time; rounds are a few seconds apart.

        If the table has changed, they also run before a long span, so that none learns of the
        change only a minute later.
        """
        changed = self.table.changes != self._seen
        if changed and until_s - self.world_state.now_s > ROUND_S:
            self._go_round(self.world_state.now_s)
        if edge or until_s - self.at_s >= (SOON_S if changed else ROUND_S):
            self._go_round(until_s)
            self._seen = self.table.changes

    def _go_round(self, at_s: float) -> None:
        world_state = self.world_state
        self.at_s = at_s
        order = (world_state.writer, world_state.writer.other)
        for side in order:
            deaf = side == P and world_state.has(Fault.AGENTS_DEAF)
            if not world_state.machines_run(side) or deaf:
                continue
            for instance in self.instances[side]:
                self._keep(instance)
        self._look_at_leases()
        if world_state.up(W):
            self._watch()

    def _keep(self, simulated_instance: SimulatedInstance) -> None:
        """Do what an agent does in five seconds."""
        world_state = self.world_state
        with suppress(Exception):  # as `every` does, so that an agent's loop goes on
            simulated_instance.lease.renew()
        held = simulated_instance.lease.held()
        with suppress(Exception):
            simulated_instance.heart.beat(
                held["epoch"] if held["side"] == simulated_instance.side else 0
            )
            found = simulated_instance.heart.found()
            if found["writes_ok"] and found["wrote_epoch"] is not None:
                self._prove(simulated_instance.side, found["wrote_epoch"])
            alive = world_state.app_runs(simulated_instance.side)
            simulated_instance.store.pulse(
                simulated_instance.place, {"at_s": self.at_s, "app_ok": alive, **found}
            )

    def _prove(self, side: Side, epoch: int) -> None:
        known = self.verified[-1] if self.verified else None
        if known is None or known[1:] != (epoch, side):
            self.verified.append((self.at_s, epoch, side))

    def _watch(self) -> None:
        """Do what the witness's function does every ten seconds."""
        world_state, users = self.world_state, self.world_state.users_on()
        works = world_state.outside(users) and world_state.writes_work(users)
        assert self._witness is not None
        with suppress(Exception):
            self._witness.put_pulse("witness", HealthReport(at_s=self.at_s, writes_ok=works))

    def held(self, side: Side) -> Sequence[Held]:
        """Return what the agents of a side hold, as of their last round."""
        return self._held[side]

    def _look_at_leases(self) -> None:
        for side in Side:
            self._held[side] = tuple(
                Held(until_s=held["until_s"], epoch=held["epoch"], bridged=not held["reached"])
                for held in (instance.lease.held() for instance in self.instances[side])
            )
        self.bridging = any(held.bridged for side in Side for held in self._held[side])

    def happen(self, fault: Fault) -> None:
        """Apply the lasting effect of a fault that happens once."""
        match fault:
            case Fault.STANDBY_MACHINES_NEW:
                self._boot(Side.STANDBY)
                self._look_at_leases()
            case Fault.TABLE_LOST:
                self.table.lose()
            case Fault.TABLE_RESTORED:
                self.table.restore()
            case Fault.LEASE_CORRUPT:
                self.table.spoil((ItemType.LEASE.of(APPLICATION), "newest"), "epoch")
            case Fault.PULSE_CORRUPT:
                for key in list(self.table.items):
                    if key[0] == ItemType.PULSE.of(APPLICATION):
                        self.table.spoil(key, "wrote_epoch")
            case _:
                raise AssertionError(fault)


STALE_S = 20.0
"""The maximum age of a read that is not consistent."""


class ModelledDatabase:
    """A side's database as its agent uses it: three statements, recognised by their first words."""

    def __init__(self, world_state: WorldState, side: Side) -> None:
        self._truth, self._side = world_state, side
        self._row: tuple[Any, ...] | None = None

    def __enter__(self) -> Self:
        """Return itself: it is its own cursor."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave every error as it is."""

    def cursor(self, role: str) -> "ModelledDatabase":
        """Return a cursor; the reader is available on both sides, whatever the writer does."""
        world_state, side = self._truth, self._side
        left = side in world_state.left and side is not world_state.writer
        down = side == P and world_state.has(Fault.WRITER_DOWN)
        if not world_state.up(side) or (
            role == "local" and not left and down and side is world_state.writer
        ):
            raise OSError
        return self

    def execute(self, statement: str, values: tuple[float, int] | None = None) -> None:
        """Run one of the three statements."""
        world_state, side = self._truth, self._side
        if statement.startswith("select pg_is_in_recovery"):
            self._row = (side is not world_state.writer and side not in world_state.left,)
        elif statement.startswith("insert into otherside_heartbeat"):
            assert values is not None
            self._row = world_state.beat(side, *values)
        else:
            assert statement.startswith("select beat_s, epoch from otherside_heartbeat"), statement
            self._row = world_state.hearts[side]

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the row of the last statement."""
        return self._row


def _nothing() -> None:
    return None


def _open_door(_operation: str, _key: object) -> Callable[[], None]:
    return _nothing


def _json(body: bytes) -> Any:  # noqa: ANN401 - what lies there
    try:
        return json.loads(body)
    except ValueError:
        raise OSError from None
