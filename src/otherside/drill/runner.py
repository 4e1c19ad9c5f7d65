"""Play a scenario on a stage: steady state, strike, steps on time, enough seen, everything mended.

Everything is written into a journal as it happens, and the journal is the only output. However a
drill ends, the stage is taken down and the journal says how.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from otherside.drill.environment import Action, ActionRefusedError, Environment
from otherside.drill.journal import Journal, JsonLinesFile
from otherside.drill.load import Client, key_prefix
from otherside.drill.measurements import ACKNOWLEDGED
from otherside.drill.recording import SCHEMA, Recording
from otherside.drill.scenario import Scenario, Step

LOOK_REAL_S = 0.2
"""The machine's seconds between two looks at the stage."""
STEADY_REAL_S = 90.0
"""The machine's seconds in which a stack must become steady."""
STEADY_S = 400.0
"""The twin's seconds in which it must: five minutes of lag are kept in mind, and a look or two."""
SAMPLE_S = 2.0
WARM_WRITES = 10
"""Acknowledged writes of each client before anything strikes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How a drill is played."""

    clients: int = 3
    seed: int = 1
    steady_real_s: float | None = None
    """The machine's seconds to become steady in; `None`: as long as a good stack may take."""
    anyway: bool = False
    """Strike although the stack is not steady: how a sabotaged one shows its symptom."""


def play(
    scenario: Scenario,
    environment: Environment,
    journal: Journal,
    settings: RunSettings,
    *,
    head: dict[str, Any],
    change: Action | None = None,
    up: bool = False,
) -> Recording:
    """Play one scenario; return what was recorded.

    The stage is left up, for whoever opened it, and mended; `up` says that it was already up and
    deployed.

    Raises:
        KeyboardInterrupt: If somebody interrupts it; the journal says so.
        Exception: Whatever the stage fails with; the journal says so, too.
    """
    player = _Player(scenario, environment, journal, settings)
    try:
        player.play(head, change, up=up)
    except BaseException as error:
        player.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", error)
        raise
    player.end("finished")
    return journal.recording


class _Player:
    """One scenario being played."""

    def __init__(
        self, scenario: Scenario, environment: Environment, journal: Journal, settings: RunSettings
    ) -> None:
        self._scenario, self._stage = scenario, environment
        self._journal, self._settings = journal, settings
        self._clients: list[Client] = []
        self._sampled_s = 0.0
        self._waiting = list(scenario.steps)

    def play(self, head: dict[str, Any], change: Action | None, *, up: bool) -> None:
        """Play it from the first line to the last but one."""
        environment, scenario = self._stage, self._scenario
        if not up:
            environment.open()
        self._put(
            "drill",
            schema=SCHEMA,
            scenario=scenario.name,
            title=scenario.title,
            expects=scenario.expectation,
            seed=self._settings.seed,
            clients=self._settings.clients,
            keys=key_prefix(self._settings.seed),
            **environment.facts(),
            **head,
        )
        if not up and not self._deploy(change):
            return
        for step in scenario.prepare:
            self._act(step)
        if not self._become_steady() and not self._settings.anyway:
            return
        self._start_clients()
        self._put("strike")
        while not self._enough():
            self._act_on_time()
            self._look()
        self._drain()

    def end(self, how: str, error: BaseException | None = None) -> None:
        """Stop the clients, mend everything, and say how it ended, if it ever began."""
        if not self._journal.recording.of("drill"):
            return  # the stage never came up: it has no clock, and why is the error's to say
        for client in self._clients:
            client.stop()
        for client in self._clients:
            client.join()
        self._clients = []
        text = "" if error is None else f"{type(error).__name__}: {error}"
        with contextlib.suppress(Exception):  # a stage that is gone has nothing to mend
            self._stage.mend()
        self._journal.put("end", self._now_s(), how=how, text=text)

    # --- before ---------------------------------------------------------------------------------

    def _deploy(self, change: Action | None) -> bool:
        self._put("stage", state="up", text="two Regions are up")
        try:
            text = self._stage.deploy(change)
        except ActionRefusedError as error:
            self._put("stage", state="refused", text=str(error))
            return False
        self._put("stage", state="deployed", text=text)
        return True

    def _become_steady(self) -> bool:
        """Wait until users write, everybody is healthy and the orchestrator sees everything."""
        deadline_s = time.monotonic() + self._patience_s()
        while (problem := self._stage.unsteady()) is not None:
            if time.monotonic() > deadline_s:
                self._put("stage", state="unsteady", text=problem)
                return False
            self._look()
        sees = "the orchestrator sees everything" if self._stage.decides else "nobody decides here"
        self._put("stage", state="steady", text=f"users write, {sees}")
        return True

    def _patience_s(self) -> float:
        given = self._settings.steady_real_s
        if given is not None:
            return given
        return max(STEADY_REAL_S, STEADY_S / float(self._stage.facts()["speed"]))

    def _start_clients(self) -> None:
        """Start the users, and wait until each was served."""
        settings, door = self._settings, self._stage.door()
        for number in range(1, settings.clients + 1):
            store = JsonLinesFile(self._journal.directory / f"client-{number}.jsonl")
            client = Client(number, door, store, self._journal.share, settings.seed)
            self._clients.append(client)
            client.start()
        deadline_s = time.monotonic() + (0 if settings.anyway else self._patience_s())
        while self._served() < WARM_WRITES * settings.clients and time.monotonic() < deadline_s:
            self._look()

    def _served(self) -> int:
        return sum(write["status"] in ACKNOWLEDGED for write in self._journal.recording.of("write"))

    # --- meanwhile ------------------------------------------------------------------------------

    def _look(self) -> None:
        """Write down what is new, after a breath."""
        time.sleep(LOOK_REAL_S)  # noqa: TID251 - the machine's time, and this is its edge
        self._stage.check()
        for entry in self._stage.news():
            self._write(entry)
        if self._now_s() - self._sampled_s >= SAMPLE_S:
            self._sampled_s = self._now_s()
            self._write(self._stage.sample())

    def _act_on_time(self) -> None:
        """Do every step whose moment has come."""
        for step in list(self._waiting):
            came_s = step.when(self._journal.recording)
            if came_s is not None and self._now_s() >= came_s + step.at_s:
                self._waiting.remove(step)
                self._act(step)

    def _act(self, step: Step) -> None:
        self._put("step", do=step.do, how=dict(step.how), text=step.text)
        for entry in self._stage.act(step):
            self._write(entry)

    def _enough(self) -> bool:
        """Return whether everything was seen, or the time is up."""
        recording = self._journal.recording
        strike_s = recording.strike_s
        assert strike_s is not None, "asked before the strike"
        late = self._now_s() - strike_s > self._scenario.lasts_s
        return late or (not self._waiting and self._scenario.stop_when(recording) is not None)

    def _drain(self) -> None:
        """Let the last answers come, then look into the databases."""
        for client in self._clients:
            client.stop()
        for client in self._clients:
            client.join()
        self._look()
        for entry in self._stage.rows():
            self._write(entry)
        self._write(self._stage.sample())

    # --- writing --------------------------------------------------------------------------------

    def _now_s(self) -> float:
        return self._stage.clock.now_s()

    def _put(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        self._journal.put(kind, self._now_s(), **fields)

    def _write(self, entry: Any) -> None:  # noqa: ANN401 - JSON
        fields = {key: value for key, value in entry.items() if key not in {"kind", "at_s"}}
        self._journal.put(str(entry["kind"]), float(entry["at_s"]), **fields)


@contextlib.contextmanager
def opened(environment: Environment) -> Iterator[Environment]:
    """Take a stage down at the end, whatever happened on it."""
    try:
        yield environment
    finally:
        environment.close()
