"""Several scenarios in a row, each with a journal and a report; twins are shared where safe."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from otherside.core.wire_contract import environment_name
from otherside.drill.environment import Action, Environment
from otherside.drill.journal import Journal, refuse_taken
from otherside.drill.outcome import Outcome
from otherside.drill.recording import Entry, Recording
from otherside.drill.report import write_report
from otherside.drill.result import DrillResult, conclude
from otherside.drill.runner import RunSettings, play
from otherside.drill.scenario import Scenario
from otherside.drill.sim_environment import simulate
from otherside.drill.target import DrillTarget
from otherside.drill.twin_environment import FUNCTION, TwinEnvironment
from otherside.program.monitor import RegisteredResource

SuiteProgress = Callable[[Entry], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOptions:
    """How scenarios are rehearsed."""

    speed: float
    latency: bool
    seed: int
    clients: int
    directory: Path
    """Where recordings go, one directory each."""
    started: dt.datetime
    """When somebody asked for it: recordings are named by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """One drill that is over."""

    scenario: Scenario
    result: DrillResult
    page: Path
    """Where its report is."""
    environment: Environment | None
    """Still up: it is taken down, or used again, when the next one is asked for. The simulator
    has none."""


def run_suite(
    scenarios: Sequence[Scenario],
    target: DrillTarget,
    options: SuiteOptions,
    told: SuiteProgress = lambda _: None,
    *,
    change: Action | None = None,
    anyway: bool = False,
    steady_real_s: float | None = None,
) -> Iterator[SuiteResult]:
    """Play scenarios one after another; yield each as it is over.

    A twin is used again where the scenario before it left the stack as it was, and proved it.

    Raises:
        FileExistsError: If a directory for one of them holds a journal.
        KeyboardInterrupt: If somebody interrupts it; what was recorded is kept and says so.
        TwinError: If a twin does not come up or ends by itself.
    """
    held: Environment | None = None
    places = _places(scenarios, options.directory)
    for place in places:
        refuse_taken(place)  # all of them, before anything starts
    try:
        for number, scenario in enumerate(scenarios):
            speed = min(options.speed, scenario.speed_max)
            apart = scenario.settings or (held is not None and held.facts()["speed"] != speed)
            if held is not None and apart:
                held.close()
                held = None
            up = held is not None
            environment = held or TwinEnvironment(target, speed=speed, latency=options.latency)
            held = environment
            directory = places[number]
            head = _head(target, options)
            settings = RunSettings(
                clients=options.clients,
                seed=options.seed + number,
                steady_real_s=steady_real_s,
                anyway=anyway,
            )
            with Journal(directory, told) as journal:
                try:
                    changed = _with_settings(scenario, change)
                    play(scenario, environment, journal, settings, head=head, change=changed, up=up)
                except BaseException:
                    _keep(journal.recording, scenario, directory)
                    raise
                result = conclude(journal.recording, scenario.claims)
                page = write_report(result, directory)
            yield SuiteResult(scenario=scenario, result=result, page=page, environment=environment)
            if not scenario.reusable or result.verdict is not Outcome.PASSED:
                environment.close()
                held = None
    finally:
        if held is not None:
            held.close()


def simulated(
    scenarios: Sequence[Scenario], target: DrillTarget, options: SuiteOptions
) -> Iterator[SuiteResult]:
    """Play scenarios on the simulator, in virtual time; yield each as it is over.

    Raises:
        NotSimulatedError: If one of them is about what the simulator does not have.
    """
    places = _places(scenarios, options.directory)
    for scenario, directory in zip(scenarios, places, strict=True):
        result = simulate(scenario, target.topology, _head(target, options))
        page = write_report(result, directory)
        yield SuiteResult(scenario=scenario, result=result, page=page, environment=None)


def _with_settings(scenario: Scenario, change: Action | None) -> Action | None:
    """Return a change of the stack that gives the orchestrator the scenario's settings, too."""
    if not scenario.settings:
        return change
    given = {environment_name(name): text for name, text in scenario.settings.items()}

    def changed(registered_resource: RegisteredResource) -> RegisteredResource | None:
        known = (registered_resource.inputs.get("environment") or {}).get("variables", {})
        if registered_resource.type == FUNCTION and set(given) <= set(known):
            environment = {"variables": {**known, **given}}
            registered_resource = replace(
                registered_resource,
                inputs={**registered_resource.inputs, "environment": environment},
            )
        return registered_resource if change is None else change(registered_resource)

    return changed


def _keep(recording: Recording, scenario: Scenario, directory: Path) -> None:
    """Write the report of a drill that was cut short, if it had begun."""
    if recording.of("drill"):
        write_report(conclude(recording, scenario.claims), directory)


def _places(scenarios: Sequence[Scenario], directory: Path) -> list[Path]:
    """Return where the report of each scenario goes, and what was recorded of it."""
    if len(scenarios) == 1:
        return [directory / scenarios[0].name]
    return [
        directory / f"{number:02}-{scenario.name}" for number, scenario in enumerate(scenarios, 1)
    ]


def _head(target: DrillTarget, options: SuiteOptions) -> dict[str, Any]:
    """Return what a recording says of what is drilled."""
    return {
        "place": target.place,
        "digest": target.digest,
        "regions": dict(target.regions),
        "rto_s": target.rto_s,
        "rpo_s": target.rpo_s,
        "started_at": options.started.isoformat(timespec="seconds"),
    }
