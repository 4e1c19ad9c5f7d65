"""Run a scenario in an environment: steady state, strike, timed steps, end condition, repair.

Everything is written to the journal as it happens, and the journal is the only output. However a
drill ends, its faults are repaired and the journal records how it ended.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from otherside.drill.entries import (
    EndEntry,
    Entry,
    HeadEntry,
    SampleEntry,
    StageEntry,
    StepEntry,
    StrikeEntry,
    WriteEntry,
    parse,
)
from otherside.drill.environment import DeploymentRefusedError, Environment, StackChange
from otherside.drill.journal import Journal, JsonLinesFile
from otherside.drill.load import Client, key_prefix
from otherside.drill.measurements import ACKNOWLEDGED
from otherside.drill.recording import SCHEMA, Recording
from otherside.drill.scenario import Scenario, Step
from otherside.failover.clock import Clock, SystemClock

LOOK_REAL_S = 0.2
"""Machine seconds between two polls of the environment."""
STEADY_REAL_S = 90.0
"""Machine seconds within which a stack must become steady."""
STEADY_S = 400.0
"""The same limit in twin seconds: five minutes of lag history, plus a tick or two."""
SAMPLE_S = 2.0
WARM_WRITES = 10
"""Acknowledged writes per client before the strike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Settings of one run."""

    clients: int = 3
    seed: int = 1
    steady_s: float | None = None
    """Twin seconds to become steady; `None` uses the default for a correct stack."""
    anyway: bool = False
    """Strike even if the stack is not steady, so that a sabotaged stack shows its symptom."""


def play(
    scenario: Scenario,
    environment: Environment,
    journal: Journal,
    settings: RunSettings,
    *,
    head: dict[str, Any],
    change: StackChange | None = None,
    up: bool = False,
    machine: Clock | None = None,
) -> Recording:
    """Run one scenario; return its recording.

    The environment is repaired and left up for its owner to close; `up` means that it was already
    up and deployed. `machine` is the machine's own clock.

    Raises:
        KeyboardInterrupt: If the run is interrupted; the journal records it.
        Exception: Any failure of the environment; the journal records it, too.
    """
    player = _Player(scenario, environment, journal, settings, machine or SystemClock())
    try:
        player.play(head, change, up=up)
    except BaseException as error:
        player.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", error)
        raise
    player.end("finished")
    return journal.recording


class _Player:
    """The run of one scenario."""

    def __init__(
        self,
        scenario: Scenario,
        environment: Environment,
        journal: Journal,
        settings: RunSettings,
        machine: Clock,
    ) -> None:
        self._scenario, self._stage, self._machine = scenario, environment, machine
        self._journal, self._settings = journal, settings
        self._clients: list[Client] = []
        self._sampled_s = 0.0
        self._late_s = 0.0
        self._waiting = list(scenario.steps)

    def play(self, head: dict[str, Any], change: StackChange | None, *, up: bool) -> None:
        """Run the scenario and write every journal entry except the last."""
        environment, scenario = self._stage, self._scenario
        if not up:
            environment.open()
        facts = environment.facts()
        self._write(
            parse(
                {
                    "kind": HeadEntry.kind,
                    "at_s": self._now_s(),
                    "schema": SCHEMA,
                    "scenario": scenario.name,
                    "title": scenario.title,
                    "expects": scenario.expectation,
                    "seed": self._settings.seed,
                    "clients": self._settings.clients,
                    "keys": key_prefix(self._settings.seed),
                    **facts,
                    **head,
                }
            )
        )
        if not up and not self._deploy(change):
            return
        for step in scenario.prepare:
            self._act(step)
        if not self._become_steady() and not self._settings.anyway:
            return
        self._start_clients()
        self._write(StrikeEntry(at_s=self._now_s()))
        while not self._enough():
            self._act_on_time()
            self._look()
        self._drain()

    def end(self, how: str, error: BaseException | None = None) -> None:
        """Stop the clients, repair all faults and record how the drill ended, if it ever began."""
        if not self._journal.recording.of(HeadEntry):
            return  # the environment never came up: it has no clock, and the error explains why
        for client in self._clients:
            client.stop()
        for client in self._clients:
            client.join()
        self._clients = []
        text = "" if error is None else f"{type(error).__name__}: {error}"
        with contextlib.suppress(Exception):  # an environment that is gone has nothing to repair
            self._stage.rollback()
        self._write(EndEntry(at_s=self._now_s(), how=how, text=text))

    # --- before the strike ----------------------------------------------------------------------

    def _deploy(self, change: StackChange | None) -> bool:
        self._write(StageEntry(at_s=self._now_s(), state="up", text="two Regions are up"))
        try:
            text = self._stage.deploy(change)
        except DeploymentRefusedError as error:
            self._write(StageEntry(at_s=self._now_s(), state="refused", text=str(error)))
            return False
        self._write(StageEntry(at_s=self._now_s(), state="deployed", text=text))
        return True

    def _become_steady(self) -> bool:
        """Wait until writes work, targets are healthy and the orchestrator reads every signal."""
        out_of_patience = self._patience()
        while (problem := self._stage.unsteady()) is not None:
            if out_of_patience():
                self._write(StageEntry(at_s=self._now_s(), state="unsteady", text=problem))
                return False
            self._look()
        sees = "every signal is readable" if self._stage.decides else "no orchestrator deployed"
        self._write(StageEntry(at_s=self._now_s(), state="steady", text=f"users write, {sees}"))
        return True

    def _patience(self) -> Callable[[], bool]:
        """Return what says whether too much time has passed from now on, by both clocks."""
        given = self._settings.steady_s
        twin_s, real_s = (STEADY_S, STEADY_REAL_S) if given is None else (given, 0.0)
        begun_s, begun_real_s = self._now_s(), self._machine.monotonic_s()
        return lambda: (
            self._now_s() - begun_s > twin_s and self._machine.monotonic_s() - begun_real_s > real_s
        )

    def _start_clients(self) -> None:
        """Start the clients, and wait for the warm-up writes to be acknowledged."""
        settings, door = self._settings, self._stage.door()
        for number in range(1, settings.clients + 1):
            store = JsonLinesFile(self._journal.directory / f"client-{number}.jsonl")
            client = Client(number, door, store, self._journal.share, settings.seed)
            self._clients.append(client)
            client.start()
        out_of_patience = self._patience()
        while self._served() < WARM_WRITES * settings.clients:
            if settings.anyway or out_of_patience():
                return
            self._look()

    def _served(self) -> int:
        return sum(write.status in ACKNOWLEDGED for write in self._journal.recording.of(WriteEntry))

    # --- during the drill -----------------------------------------------------------------------

    def _look(self) -> None:
        """Pause briefly, then record new events and, when due, a sample."""
        begun_s, begun_real_s = self._now_s(), self._machine.monotonic_s()
        self._machine.sleep(LOOK_REAL_S)
        took_real_s = max(LOOK_REAL_S, self._machine.monotonic_s() - begun_real_s)
        late = 1 - LOOK_REAL_S / took_real_s  # this much of what passed, by either clock
        self._late_s = max(self._late_s, late * (self._now_s() - begun_s))
        self._stage.check()
        for entry in self._stage.news():
            self._write(entry)
        if self._now_s() - self._sampled_s >= SAMPLE_S:
            self._sampled_s = self._now_s()
            self._write(self._sample())

    def _sample(self) -> SampleEntry:
        """Return a sample, which says how late the drill itself was since the last one."""
        sample = self._stage.sample()
        late_s, self._late_s = self._late_s, 0.0
        known = sample.late_s is not None
        return replace(
            sample, late_s=round(max(sample.late_s or 0.0, late_s), 2) if known else None
        )

    def _act_on_time(self) -> None:
        """Run every step that is due."""
        for step in list(self._waiting):
            came_s = step.when(self._journal.recording)
            if came_s is not None and self._now_s() >= came_s + step.at_s:
                self._waiting.remove(step)
                self._act(step)

    def _act(self, step: Step) -> None:
        action = step.action
        self._write(StepEntry(at_s=self._now_s(), do=action.verb, how=action.how, text=action.text))
        for entry in self._stage.act(step):
            self._write(entry)

    def _enough(self) -> bool:
        """Return whether the end condition is met or the time limit is reached."""
        recording = self._journal.recording
        strike_s = recording.strike_s
        assert strike_s is not None, "asked before the strike"
        late = self._now_s() - strike_s > self._scenario.lasts_s
        return late or (not self._waiting and self._scenario.stop_when(recording) is not None)

    def _drain(self) -> None:
        """Wait for the last answers, then record the contents of the databases."""
        for client in self._clients:
            client.stop()
        for client in self._clients:
            client.join()
        self._look()
        for entry in self._stage.rows():
            self._write(entry)
        self._write(self._sample())

    # --- writing --------------------------------------------------------------------------------

    def _now_s(self) -> float:
        return self._stage.clock.now_s()

    def _write(self, entry: Entry) -> None:
        self._journal.put(entry)
