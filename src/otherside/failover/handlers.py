"""The functions of the orchestrator, as Lambda calls them: each a loop of looks.

`decide` runs each minute and on events, in the standby's Region. `act` is woken by it and is the
only one that may move the writer. `watch` runs in the witness's Region and tells what users see
from there. What woke a function is never evidence: of an event no more is read than whether it is
the tick's.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, Protocol

from otherside.core.topology import FailoverMode
from otherside.core.wire_contract import (
    TICK,
    FunctionSettings,
    OrchestratorSettings,
    WitnessSettings,
)
from otherside.failover.actuator import actuate
from otherside.failover.aws import http_probes
from otherside.failover.aws.adapter import AwsAdapter
from otherside.failover.aws.aws_clients import AwsClients
from otherside.failover.aws.evidence_reader import WITNESS
from otherside.failover.aws.state_store import HealthReport, StateStore
from otherside.failover.clock import Clock, SystemClock
from otherside.failover.controller import Tick, TickFailed, reconcile_once
from otherside.failover.decision.observation import Reading
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase
from otherside.failover.ports import DeciderPorts, UnavailableError
from otherside.failover.telemetry import failure_line, look_line

LOOK_EVERY_S = 3.0
WATCH_EVERY_S = 10.0
LEFT_MS = 12_000
"""A new look is begun only with this much of a run left: it may take that long."""
WATCH_LEFT_MS = 24_000
"""A pause, and one more watch in which nothing answers: the probe, names, and the pulse twice."""


class Context(Protocol):
    """What Lambda says of a run."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the run may still take."""


_CLIENTS = AwsClients()
"""Made once for a warm function: making a client costs more than calling it."""


def decide(event: object, context: Context) -> dict[str, Any]:
    """Look, and keep looking every few seconds while anything is under way.

    Many runs may be woken at once. Whoever is overtaken leaves the rest to who overtook it, but for
    the tick, which is never left without one.
    """
    settings = OrchestratorSettings.from_environment(os.environ)
    code, policy, clock = version_of(settings), policy_of(settings), SystemClock()
    ports = world_of(settings, policy, code, clock)
    ticks = isinstance(event, Mapping) and event.get(TICK) is True
    return look_until_calm(ports, policy, context, clock, settings, code, stubborn=ticks)


def act(_event: object, _context: object) -> dict[str, Any]:
    """Carry out the newest committed intent, if nothing that we see speaks against it."""
    settings = OrchestratorSettings.from_environment(os.environ)
    code, policy = version_of(settings), policy_of(settings)
    said = actuate(world_of(settings, policy, code, SystemClock()), policy)
    _say({"event_id": f"{settings.application}/act", "reason": said, "code": code})
    return {"said": said}


def watch(_event: object, context: Context) -> dict[str, Any]:
    """Try what users try, from a third Region, and write down what came of it."""
    settings = WitnessSettings.from_environment(os.environ)
    code, clock = version_of(settings), SystemClock()
    store = StateStore(
        _CLIENTS.dynamodb(settings.state_region),
        table=settings.state_table,
        application=settings.application,
        clock=clock,
        code=code,
        skew_s=0.0,
    )
    return watch_for_a_while(store, settings, context, clock)


def look_until_calm(
    ports: DeciderPorts,
    policy: FailoverPolicy,
    context: Context,
    clock: Clock,
    settings: OrchestratorSettings,
    code: str,
    *,
    stubborn: bool = True,
) -> dict[str, Any]:
    """Take looks until nothing is under way or the run is nearly over; return the last one.

    A look that fails is no reason to wait for the next minute: whatever is under way may be the
    writer's move. Nor is one whose wishes failed: the next look hears of it.
    """
    looks = 0
    while True:
        looks += 1
        done = reconcile_once(ports, policy)
        now_s = clock.now_s()
        if isinstance(done, Tick):
            said = done.decision.reason
            line = look_line(done, settings.application, at_s=now_s, code=code)
        else:
            said = done.why
            line = failure_line(said, settings.application, at_s=now_s, code=code)
        _say(line)
        over = _is_calm(done) or (not stubborn and isinstance(done, TickFailed) and done.overtaken)
        if over or context.get_remaining_time_in_millis() < LEFT_MS:
            return {"looks": looks, "said": said}
        clock.sleep(LOOK_EVERY_S)


def _is_calm(done: Tick | TickFailed) -> bool:
    """Return whether nothing is under way that a person or a Region waits for."""
    if isinstance(done, TickFailed) or done.failed:
        return False
    state = done.decision.state
    return state.phase is Phase.STEADY and state.anchored


def watch_for_a_while(
    store: StateStore, settings: WitnessSettings, context: Context, clock: Clock
) -> dict[str, Any]:
    """Ask the public name every few seconds until the run is nearly over."""
    question = http_probes.Question(
        url=settings.public_url,
        path=settings.write_path,
        name=settings.public_url.partition("://")[2],
    )
    pulses = 0
    while True:
        works = http_probes.ask(question) is Reading.GOOD
        # From here too it must be seen that it is not us who see nothing.
        sighted = works or http_probes.sees_outside() is Reading.GOOD
        try:
            store.put_pulse(
                WITNESS, HealthReport(at_s=clock.now_s(), writes_ok=works if sighted else None)
            )
            pulses += 1
        except UnavailableError as error:
            _say({"event_id": f"{settings.application}/watch", "reason": str(error)})
        if context.get_remaining_time_in_millis() < WATCH_LEFT_MS:
            return {"pulses": pulses}
        clock.sleep(WATCH_EVERY_S)


def world_of(
    settings: OrchestratorSettings, policy: FailoverPolicy, code: str, clock: Clock
) -> AwsAdapter:
    """Return the world that these settings describe."""
    return AwsAdapter(settings, clients=_CLIENTS, clock=clock, code=code, skew_s=policy.skew_s)


def policy_of(settings: OrchestratorSettings) -> FailoverPolicy:
    """Return what the design allows.

    Raises:
        ValueError: If a setting is not what its name says; it names the setting's value.
    """
    return FailoverPolicy(
        mode=FailoverMode(settings.mode),
        loss_auto_s=float(settings.loss_max_s),
        stable_s=float(settings.stable_s),
        freezes=tuple(
            (float(start), float(end))
            for start, _, end in (
                freeze_window.partition("/") for freeze_window in settings.freeze_windows
            )
        ),
    )


def version_of(settings: FunctionSettings) -> str:
    """Return which code runs with which settings, as two digests: every record carries it."""
    known: Mapping[str, str] = settings.to_environment()
    told = json.dumps(dict(known), sort_keys=True).encode()
    return f"{known['OTHERSIDE_CODE']}+{hashlib.sha256(told).hexdigest()[:8]}"


def _say(line: Mapping[str, Any]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201 - Lambda's log is what is printed
