"""The orchestrator's functions as Lambda calls them; the decider and the witness each run a loop.

`decide` runs each minute and on events, in the standby's Region. It wakes `act`, the only function
that may move the writer. `watch` runs in the witness's Region, reports what users see from there,
and wakes `decide` when users are no longer served. The event that woke a function is never
evidence: all that is read from it is whether the schedule sent it.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from otherside.core.topology import FailoverMode
from otherside.core.wire_contract import (
    TICK,
    FunctionSettings,
    OrchestratorSettings,
    WitnessSettings,
    decider_name,
)
from otherside.failover.actuator import actuate
from otherside.failover.aws import http_probes
from otherside.failover.aws.adapter import AwsAdapter
from otherside.failover.aws.aws_clients import AwsClients, calling
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
BEGINS_S = 120.0
"""How long something that is not well is looked at every few seconds, and not each minute."""
LEFT_MS = 12_000
"""A new tick starts only if this much of the run is left: it may take that long."""
WATCH_LEFT_MS = 28_000
"""A pause and one more probe round without any answer: the probe, names, the pulse twice, and the
wake-up."""


class Context(Protocol):
    """The part of Lambda's run context that we use."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how much time the run has left."""


_CLIENTS = AwsClients()
"""Created once per warm function: creating a client costs more than a call."""


def decide(event: object, context: Context) -> dict[str, Any]:
    """Run ticks, every few seconds while anything is under way.

    Many runs may be woken at once. A run that is overtaken leaves the rest to the one that overtook
    it. A scheduled run never stops for that, so that one run always remains.
    """
    settings = OrchestratorSettings.from_environment(os.environ)
    code, policy, clock = version_of(settings), policy_of(settings), SystemClock()
    ports = world_of(settings, policy, code, clock)
    ticks = isinstance(event, Mapping) and event.get(TICK) is True
    return look_until_calm(ports, policy, context, clock, settings, code, stubborn=ticks)


def act(_event: object, _context: object) -> dict[str, Any]:
    """Carry out the newest committed intent, unless the actuator's own observation vetoes it."""
    settings = OrchestratorSettings.from_environment(os.environ)
    code, policy = version_of(settings), policy_of(settings)
    said = actuate(world_of(settings, policy, code, SystemClock()), policy)
    _say({"event_id": f"{settings.application}/act", "reason": said, "code": code})
    return {"said": said}


def watch(_event: object, context: Context) -> dict[str, Any]:
    """Try from a third Region what users try, and record the result."""
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
    return watch_for_a_while(store, settings, context, clock, wake=lambda: _wake_decider(settings))


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
    """Run ticks until nothing is under way or the run is nearly over; return the last result.

    A tick that fails does not wait for the next minute, because the writer's move may be under way.
    Nor does one whose actions failed: the next tick learns of it.
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
    """Return whether nothing is under way that a person or a Region waits for.

    What has only just begun is looked at again soon: it may be a Region's first seconds, in which
    too little is bad for a verdict.
    """
    if isinstance(done, TickFailed) or done.failed:
        return False
    state = done.decision.state
    begun_s = state.unwell_since_s
    begins = begun_s is not None and done.observation.at_s - begun_s < BEGINS_S
    return state.phase is Phase.STEADY and state.anchored and not begins


def watch_for_a_while(
    store: StateStore,
    settings: WitnessSettings,
    context: Context,
    clock: Clock,
    *,
    wake: Callable[[], None],
) -> dict[str, Any]:
    """Probe the public name every few seconds until the run is nearly over.

    The first probe that fails wakes the decider, which else looks only each minute; a wake-up that
    fails is tried again after the next probe.
    """
    question = http_probes.Question(
        url=settings.public_url,
        path=settings.write_path,
        name=settings.public_url.partition("://")[2],
    )
    pulses, worked = 0, True
    while True:
        works = http_probes.ask(question) is Reading.GOOD
        # Here too, make sure that the witness itself is not the one that is cut off.
        sighted = works or http_probes.sees_outside() is Reading.GOOD
        try:
            store.put_pulse(
                WITNESS, HealthReport(at_s=clock.now_s(), writes_ok=works if sighted else None)
            )
            pulses += 1
        except UnavailableError as error:
            _say({"event_id": f"{settings.application}/watch", "reason": str(error)})
        try:
            if sighted and worked and not works:
                wake()
            worked = works
        except UnavailableError as error:
            _say({"event_id": f"{settings.application}/watch", "reason": str(error)})
        if context.get_remaining_time_in_millis() < WATCH_LEFT_MS:
            return {"pulses": pulses}
        clock.sleep(WATCH_EVERY_S)


def _wake_decider(settings: WitnessSettings) -> None:
    with calling("waking the decider"):
        _CLIENTS.functions(settings.state_region).invoke(
            FunctionName=decider_name(settings.application), InvocationType="Event"
        )


def world_of(
    settings: OrchestratorSettings, policy: FailoverPolicy, code: str, clock: Clock
) -> AwsAdapter:
    """Return the AWS adapter for these settings."""
    return AwsAdapter(settings, clients=_CLIENTS, clock=clock, code=code, skew_s=policy.skew_s)


def policy_of(settings: OrchestratorSettings) -> FailoverPolicy:
    """Return the failover policy that these settings configure.

    Raises:
        ValueError: If a setting has an invalid value; the message has the value.
    """
    return FailoverPolicy(
        mode=FailoverMode(settings.mode),
        loss_auto_s=float(settings.loss_max_s),
        stable_s=float(settings.stable_s),
        approvers=int(settings.approvers),
        freezes=tuple(
            (float(start), float(end))
            for start, _, end in (
                freeze_window.partition("/") for freeze_window in settings.freeze_windows
            )
        ),
    )


def version_of(settings: FunctionSettings) -> str:
    """Return the versions of code and settings as two digests; every record carries them."""
    known: Mapping[str, str] = settings.to_environment()
    told = json.dumps(dict(known), sort_keys=True).encode()
    return f"{known['OTHERSIDE_CODE']}+{hashlib.sha256(told).hexdigest()[:8]}"


def _say(line: Mapping[str, Any]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201 - Lambda logs what is printed
