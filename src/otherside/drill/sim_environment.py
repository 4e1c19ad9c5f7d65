"""Scenarios on the simulator: the same steps and the same claims, in virtual time.

Each step changes the simulator's world state. The outcome is recorded as a drill would record it
and evaluated by the same claims. Claims that need a deployed stack are left out, and so are
scenarios that have no other claims. To place a step that waits for a condition, the simulation is
rerun with the steps placed so far; it is deterministic.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from otherside.core.topology import FailoverMode, Side, Topology
from otherside.drill.actions import NotSimulatedError
from otherside.drill.assertions import Assertion, within_objectives
from otherside.drill.entries import (
    CallEntry,
    EndEntry,
    Entry,
    HeadEntry,
    RowsEntry,
    SampleEntry,
    StageEntry,
    StrikeEntry,
    TickEntry,
    WriteEntry,
    parse,
)
from otherside.drill.recording import SCHEMA, Recording
from otherside.drill.result import DrillResult, conclude
from otherside.drill.scenario import Scenario
from otherside.drill.simulated_drill import SimulatedDrill
from otherside.failover.decision.observation import Move
from otherside.failover.decision.policy import FailoverPolicy
from otherside.sim.faults import FaultRates, FaultWindow
from otherside.sim.script import FOREVER_S, People, Script
from otherside.sim.swarm import Run, run
from otherside.sim.world_state import BY_HAND

STRIKE_S = 150.0
"""When the disaster strikes; before it, the system is steady."""
WARM_S = 20.0
"""How long users write before the strike."""
PROMOTE_S = 60.0
DATABASES = {Side.PRIMARY: "primary", Side.STANDBY: "standby"}
OPERATIONS = {Move.FAILOVER: "FailoverGlobalCluster", Move.SWITCHOVER: "SwitchoverGlobalCluster"}


def can_simulate(scenario: Scenario) -> bool:
    """Return whether the simulator supports every step and at least one claim of a scenario."""
    steps = (*scenario.prepare, *scenario.steps)
    known = all(step.action.is_simulated() for step in steps)
    return known and bool(claims_of(scenario))


def claims_of(scenario: Scenario) -> tuple[Assertion, ...]:
    """Return the claims that do not need a deployed stack."""
    return tuple(claim for claim in scenario.claims if not claim.stack)


def simulate(scenario: Scenario, topology: Topology, head: Mapping[str, Any]) -> DrillResult:
    """Run a scenario on the simulator and evaluate its claims.

    Raises:
        NotSimulatedError: If it needs something that the simulator does not model.
    """
    if not can_simulate(scenario):
        msg = f"{scenario.name} needs something that the simulator does not model"
        raise NotSimulatedError(msg)
    placed: dict[int, float] = {}
    while True:
        played = run(_script(scenario, placed, topology))
        recording = _recorded(scenario, played, head)
        found = _next(scenario, placed, recording)
        if found is None:
            return conclude(
                recording, (*claims_of(scenario), within_objectives(scenario.may_exceed))
            )
        placed |= found


def _next(
    scenario: Scenario, placed: Mapping[int, float], recording: Recording
) -> dict[int, float] | None:
    """Return the earliest due step that is not yet placed."""
    times = {
        number: came_s + step.at_s
        for number, step in enumerate(scenario.steps)
        if number not in placed and (came_s := step.when(recording)) is not None
    }
    if not times:
        return None
    number = min(times, key=lambda time: (times[time], time))
    return {number: times[number]}


def _script(scenario: Scenario, placed: Mapping[int, float], topology: Topology) -> Script:
    plan = SimulatedDrill()
    for item in scenario.prepare:
        item.action.on_sim(plan, 0.0)
    for number, at_s in sorted(placed.items(), key=lambda item: (item[1], item[0])):
        scenario.steps[number].action.on_sim(plan, at_s)
    windows = tuple(
        FaultWindow(fault=fault, from_s=times[0], to_s=times[1] if len(times) > 1 else FOREVER_S)
        for fault, times in plan.windows.items()
    )
    policy = FailoverPolicy(
        mode=FailoverMode.AUTO,
        loss_auto_s=topology.failover.loss_max_s,
        stable_s=float(scenario.settings.get("stable_s", topology.failover.stable_s)),
        block_s=3600.0,
        remind_s=600.0,
        freezes=((0.0, FOREVER_S),) if plan.frozen else (),
    )
    return Script(
        seed=1,
        run_s=STRIKE_S + scenario.lasts_s,
        calm_s=0.0,
        windows=windows,
        fault_rates=FaultRates(),
        policy=policy,
        promote_s=PROMOTE_S,
        cancels=0,
        refusals=0,
        people=People.NOBODY,
        orders=tuple(sorted(plan.orders)),
        by_hand_s=plan.by_hand_s,
    )


def _recorded(scenario: Scenario, played: Run, head: Mapping[str, Any]) -> Recording:
    """Return the recording that a drill would have made of a run."""
    made = Recording.of_entries(_entries(scenario, played, head))
    made.sort()
    return made


def _entries(scenario: Scenario, played: Run, head: Mapping[str, Any]) -> Iterator[Entry]:
    yield parse(
        {
            "kind": HeadEntry.kind,
            "at_s": 0.0,
            "schema": SCHEMA,
            "scenario": scenario.name,
            "title": scenario.title,
            "expects": scenario.expectation,
            "seed": played.script.seed,
            "clients": 1,
            "keys": "d",
            "speed": 1.0,
            "latency": "modelled",
            "modelled": [
                {"what": "everything", "seconds": 0.0, "source": "simulator, virtual time only"}
            ],
            "versions": {},
            **head,
        }
    )
    yield StageEntry(at_s=STRIKE_S - WARM_S, state="steady", text="initial state")
    yield StrikeEntry(at_s=STRIKE_S)
    yield from _seen(played)
    yield from _written(played)
    yield EndEntry(at_s=played.script.run_s, how="finished")


def _seen(played: Run) -> Iterator[Entry]:
    """Yield observations, calls and samples."""
    for at_s, look in played.looks:
        state = look.decision.state
        yield TickEntry(
            at_s=at_s,
            phase=str(state.phase),
            entered_by=state.entered_by,
            verdict=str(look.decision.verdict),
            reason=look.decision.reason,
            obstacle=look.decision.obstacle,
            event_id=f"simulated/{state.revision}",
            loss_bound_s=state.loss_bound_s,
            loss_estimate_s=state.loss_estimate_s,
            epoch=state.epoch,
        )
    for call in played.history.world_state.calls:
        who = "user/provisioner" if call.operation == BY_HAND else "role/actuator"
        yield CallEntry(
            at_s=call.at_s,
            service="rds",
            operation=OPERATIONS[call.kind],
            region=str(call.target),
            principal=f"arn:aws:sts::123456789012:{who}",
            status=200 if call.accepted else 400,
            refused=False,
            error="" if call.accepted else "refused",
        )
    for at_s, writer, users in played.samples:
        yield SampleEntry(
            at_s=at_s,
            serves=DATABASES[users],
            writer=DATABASES[writer],
            lag_s=None,
            lost=[],
            healthy=1,
            instances=1,
        )


def _written(played: Run) -> Iterator[Entry]:
    """Yield one write per second as its user saw it, then the writer's rows at the end."""
    world_state = played.history.world_state
    kept: list[list[str]] = []
    for number in range(int(STRIKE_S - WARM_S), int(played.script.run_s)):
        at_s = float(number)
        span = next((s for s in world_state.rows if s.public and s.from_s <= at_s < s.to_s), None)
        key = f"d-{number:06}"
        yield WriteEntry(
            at_s=at_s,
            client=1,
            key=key,
            sha256=key,
            sent_s=at_s,
            status=0 if span is None else 201,
            region=None if span is None else str(span.on),
            error="no side acknowledges" if span is None else None,
        )
        if span is not None and not _is_lost(played, span.on, at_s):
            kept.append([key, key])
    side = DATABASES[world_state.writer]
    yield RowsEntry(at_s=played.script.run_s, cluster=side, side=side, writer=True, rows=kept)


def _is_lost(played: Run, on: Side, at_s: float) -> bool:
    """Return whether a later move lost this write."""
    world_state = played.history.world_state
    return any(
        move.target is not on
        and at_s < move.at_s
        and world_state.acknowledged_s(on, at_s, move.at_s) <= move.lost_s
        for move in world_state.moves
    )
