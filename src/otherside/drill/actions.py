"""Actions of scenarios: what each does on a twin, what it does on the simulator, one class each.

`FaultInjector.rollback` undoes the faults that registered a repair, newest first. A scenario whose
actions change the stack for good is not `reusable`: its twin is taken down after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from otherside.drill.entries import Entry
from otherside.drill.simulated_drill import BOOT_S, CUT_OFF, GONE, ONE_WAY, SimulatedDrill
from otherside.sim.faults import Fault

if TYPE_CHECKING:
    from otherside.drill.fault_injector import (
        FaultInjector,
    )  # what a list of scenarios does without


class NotSimulatedError(Exception):
    """The scenario needs something that the simulator does not model."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action on an environment: a fault, a repair or an operator's order."""

    verb: ClassVar[str] = ""
    """How the journal names it."""

    @property
    def how(self) -> dict[str, Any]:
        """Its arguments, without those that are left at their defaults."""
        known = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in known if value != field.default}

    @property
    def text(self) -> str:
        """The action as human-readable text."""
        return " ".join([self.verb.replace("_", " "), *map(str, self.how.values())])

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin; return the extra journal entries that it produces."""
        raise NotImplementedError

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill.

        Raises:
            NotSimulatedError: If the simulator does not model it.
        """
        del plan, at_s
        raise NotSimulatedError(self.text)

    @classmethod
    def is_simulated(cls) -> bool:
        """Return whether the simulator models it."""
        return cls.on_sim is not Action.on_sim


def _stopped(side: str, unit: str) -> Fault:
    """Return what a stopped service is on the simulator; no scenario stops the standby's alone."""
    if unit != "app":
        return Fault.AGENTS_DEAF
    return Fault.APP_DOWN if side == "primary" else Fault.APP_DOWN_BOTH


@dataclass(frozen=True, slots=True)
class LoseRegion(Action):
    """Take down a Region and everything in it."""

    verb: ClassVar[str] = "lose"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.lose_region(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(GONE[self.side], at_s)


@dataclass(frozen=True, slots=True)
class RestoreRegion(Action):
    """Bring a lost Region back."""

    verb: ClassVar[str] = "restore"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.restore_region(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.end(GONE[self.side], at_s)


@dataclass(frozen=True, slots=True)
class CutPath(Action):
    """Cut the network path from one side to another."""

    verb: ClassVar[str] = "cut"

    source: str
    target: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.cut_path(self.source, self.target)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(ONE_WAY[self.source, self.target], at_s)


@dataclass(frozen=True, slots=True)
class IsolateRegion(Action):
    """Cut all network paths to and from a Region."""

    verb: ClassVar[str] = "isolate"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.isolate_region(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(CUT_OFF[self.side], at_s)


@dataclass(frozen=True, slots=True)
class ReconnectRegion(Action):
    """Reconnect an isolated Region."""

    verb: ClassVar[str] = "connect"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.reconnect_region(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.end(CUT_OFF[self.side], at_s)


@dataclass(frozen=True, slots=True)
class AddLatency(Action):
    """Delay one direction of a link; replication lags by as much."""

    verb: ClassVar[str] = "slow"

    source: str
    target: str
    delay_s: float

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.add_latency(self.source, self.target, self.delay_s)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.LAGGING, at_s)


@dataclass(frozen=True, slots=True)
class InjectApiFault(Action):
    """Inject a named fault into the AWS API."""

    verb: ClassVar[str] = "fault"

    name: str
    side: str = ""
    source: str = ""
    region: str = ""
    service: str = ""
    operation: str = ""
    mode: str = "refuse"

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.inject_api_fault(**self.how)
        return ()


@dataclass(frozen=True, slots=True)
class ClearApiFault(Action):
    """Remove a fault from the AWS API, by its name."""

    verb: ClassVar[str] = "heal"

    name: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.clear_api_fault(self.name)
        return ()


@dataclass(frozen=True, slots=True)
class BreakHealthCheckPath(Action):
    """Point the primary's health check at another path, as a mistaken change would."""

    verb: ClassVar[str] = "misdirect"

    path: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.break_health_check_path(self.path)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.PROBE_BROKEN, at_s)


@dataclass(frozen=True, slots=True)
class StopUnit(Action):
    """Stop a service, `app` or `agent`, on every instance of a side."""

    verb: ClassVar[str] = "stop"

    side: str
    unit: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.stop_unit(self.side, self.unit)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(_stopped(self.side, self.unit), at_s)


@dataclass(frozen=True, slots=True)
class StartUnit(Action):
    """Start a service that was stopped."""

    verb: ClassVar[str] = "start"

    side: str
    unit: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.start_unit(self.side, self.unit)
        return ()


@dataclass(frozen=True, slots=True)
class RefreshInstances(Action):
    """Replace every instance of a side, as an instance refresh does."""

    verb: ClassVar[str] = "refresh"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.refresh_instances(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.MACHINES_GONE, at_s)
        plan.end(Fault.MACHINES_GONE, at_s + BOOT_S)


@dataclass(frozen=True, slots=True)
class KillFunction(Action):
    """Kill the running environments of a Lambda function."""

    verb: ClassVar[str] = "kill"

    role: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.kill_function(self.role)
        return ()


@dataclass(frozen=True, slots=True)
class InvokeFunction(Action):
    """Invoke a function several times at once."""

    verb: ClassVar[str] = "wake"

    role: str
    times: int

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.invoke_function(self.role, self.times)
        return ()


@dataclass(frozen=True, slots=True)
class DisableEventRules(Action):
    """Disable every event rule that starts the orchestrator."""

    verb: ClassVar[str] = "deafen"

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.disable_event_rules()
        return ()


@dataclass(frozen=True, slots=True)
class GiveOrder(Action):
    """Give the orchestrator an order, or freeze it until a time from now."""

    verb: ClassVar[str] = "order"

    what: str
    until_s: float | None = None

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.give_order(self.what, self.until_s)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.order(at_s, self.what, self.until_s)


@dataclass(frozen=True, slots=True)
class LoseStateTable(Action):
    """Delete the orchestrator's items from the state table."""

    verb: ClassVar[str] = "forget"

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.lose_state_table()
        return ()


@dataclass(frozen=True, slots=True)
class GrantByHand(Action):
    """Grant the standby the right to write by hand, while the state table is down."""

    verb: ClassVar[str] = "break_glass"

    for_s: float

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.break_glass(self.for_s)
        return ()


@dataclass(frozen=True, slots=True)
class HoldLatch(Action):
    """Publish the latch's metric by hand."""

    verb: ClassVar[str] = "hold"

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.hold_latch()
        return ()


@dataclass(frozen=True, slots=True)
class StopDatabase(Action):
    """Stop a side's database server; nothing replaces it."""

    verb: ClassVar[str] = "stop_database"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.stop_database(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.WRITER_DOWN, at_s)


@dataclass(frozen=True, slots=True)
class MoveByHand(Action):
    """Move the writer as a person would, past the orchestrator."""

    verb: ClassVar[str] = "move_by_hand"

    target: str
    lossy: bool

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.move_by_hand(self.target, lossy=self.lossy)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.by_hand_s = at_s


@dataclass(frozen=True, slots=True)
class DeleteInstance(Action):
    """Delete a cluster's only instance."""

    verb: ClassVar[str] = "behead"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.delete_instance(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.STANDBY_HEADLESS, at_s)


@dataclass(frozen=True, slots=True)
class DetachCluster(Action):
    """Remove a cluster from the global cluster."""

    verb: ClassVar[str] = "detach"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.detach_cluster(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.STANDBY_DETACHED, at_s)


@dataclass(frozen=True, slots=True)
class OccupyCluster(Action):
    """Keep a cluster in a status of Aurora's own work, such as `backing-up`."""

    verb: ClassVar[str] = "occupy"

    side: str
    status: str
    for_s: float

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.occupy_cluster(self.side, self.status, self.for_s)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.STANDBY_BUSY, at_s)


@dataclass(frozen=True, slots=True)
class SetEngineVersion(Action):
    """Change a cluster's engine version."""

    verb: ClassVar[str] = "skew"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.set_engine_version(self.side)
        return ()

    def on_sim(self, plan: SimulatedDrill, at_s: float) -> None:
        """Add it to a simulated drill."""
        plan.begin(Fault.VERSION_DRIFT, at_s)


@dataclass(frozen=True, slots=True)
class RotateSecret(Action):
    """Rotate the master secret."""

    verb: ClassVar[str] = "rotate"

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.rotate_secret()
        return ()


@dataclass(frozen=True, slots=True)
class ReduceCapacity(Action):
    """Reduce a side's Auto Scaling group."""

    verb: ClassVar[str] = "shrink"

    side: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        injector.reduce_capacity(self.side)
        return ()


@dataclass(frozen=True, slots=True)
class AskProbe(Action):
    """Ask the deployed stack a question; the answer is an entry of the journal."""

    verb: ClassVar[str] = "ask"

    probe: str

    def on_twin(self, injector: "FaultInjector") -> Iterable[Entry]:
        """Carry it out on a twin."""
        return injector.ask(self.probe)
