"""Run several scenarios in a row, each with a journal and a report; reuse twins where safe."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from otherside.core.wire_contract import environment_name
from otherside.drill.entries import Entry, HeadEntry
from otherside.drill.environment import Environment, StackChange
from otherside.drill.journal import Journal, refuse_taken, write_journal
from otherside.drill.outcome import Outcome
from otherside.drill.recording import Recording
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
    """Settings shared by all scenarios of a suite."""

    speed: float
    latency: bool
    seed: int
    clients: int
    directory: Path
    """Parent directory of the recordings, one subdirectory each."""
    started: dt.datetime
    """When the suite was started; the default directory of recordings is named after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """One finished drill."""

    scenario: Scenario
    result: DrillResult
    page: Path
    """Path of its HTML report."""
    environment: Environment | None
    """The environment, still up: requesting the next result closes or reuses it. `None` for the
    simulator."""


def run_suite(
    scenarios: Sequence[Scenario],
    target: DrillTarget,
    options: SuiteOptions,
    told: SuiteProgress = lambda _: None,
    *,
    change: StackChange | None = None,
    anyway: bool = False,
    steady_s: float | None = None,
) -> Iterator[SuiteResult]:
    """Run scenarios one after another; yield each result as the drill finishes.

    A twin is reused if the previous scenario is marked reusable and passed.

    Raises:
        FileExistsError: If a scenario's directory already holds a journal.
        KeyboardInterrupt: If the run is interrupted; the recording is kept and marked as such.
        TwinError: If a twin does not come up or ends unexpectedly.
    """
    held: Environment | None = None
    head = _head(target, options)
    places = _places(scenarios, options.directory)
    for place in places:
        refuse_taken(place)  # check all of them before anything starts
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
            settings = RunSettings(
                clients=options.clients,
                seed=options.seed + number,
                steady_s=steady_s,
                anyway=anyway,
            )
            with Journal(directory, told) as journal:
                try:
                    changed = _with_settings(scenario, change)
                    play(scenario, environment, journal, settings, head=head, change=changed, up=up)
                except BaseException:
                    _keep(journal.recording, scenario, directory)
                    raise
                result = conclude(journal.recording, scenario.all_claims)
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
    """Run scenarios on the simulator, in virtual time; yield each result as it finishes.

    Raises:
        NotSimulatedError: If one of them needs something that the simulator does not model.
        FileExistsError: If a directory has a journal; a recording is never overwritten.
    """
    head = _head(target, options)
    places = _places(scenarios, options.directory)
    for directory in places:
        refuse_taken(directory)
    for scenario, directory in zip(scenarios, places, strict=True):
        result = simulate(scenario, target.topology, head)
        write_journal(result.recording, directory)
        page = write_report(result, directory)
        yield SuiteResult(scenario=scenario, result=result, page=page, environment=None)


def _with_settings(scenario: Scenario, change: StackChange | None) -> StackChange | None:
    """Return `change` extended to apply the scenario's settings to the orchestrator."""
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
    """Write the report of an interrupted drill, if it had begun."""
    if recording.of(HeadEntry):
        write_report(conclude(recording, scenario.all_claims), directory)


def _places(scenarios: Sequence[Scenario], directory: Path) -> list[Path]:
    """Return the directory of each scenario's recording and report."""
    if len(scenarios) == 1:
        return [directory / scenarios[0].name]
    return [
        directory / f"{number:02}-{scenario.name}" for number, scenario in enumerate(scenarios, 1)
    ]


def _head(target: DrillTarget, options: SuiteOptions) -> dict[str, Any]:
    """Return the journal header fields that describe the target."""
    return {
        "place": target.place,
        "digest": target.digest,
        "regions": dict(target.regions),
        "rto_s": target.rto_s,
        "rpo_s": target.rpo_s,
        "started_at": options.started.isoformat(timespec="seconds"),
    }
