"""The runner on a stage of values: order, time, steadiness, and whatever ends a drill early."""

import dataclasses

import pytest

from drill.journal_builders import head, look
from otherside.drill.actions import LoseRegion, RestoreRegion
from otherside.drill.assertions import NOTHING_MOVED
from otherside.drill.conditions import later, phase
from otherside.drill.entries import RowsEntry, SampleEntry, StageEntry, StepEntry, TickEntry, parse
from otherside.drill.environment import DeploymentRefusedError
from otherside.drill.journal import Journal
from otherside.drill.recording import Recording
from otherside.drill.runner import RunSettings, play
from otherside.drill.scenario import Scenario, Step
from otherside.drill.twin_environment import unready

SPEED = 10.0


class ManualClock:
    """The machine's clock, which goes on when somebody waits; the twin's is faster."""

    def __init__(self):
        self.at_s = 0.0

    def monotonic_s(self):
        """Return the machine's seconds."""
        return self.at_s

    def sleep(self, seconds):
        """Go on."""
        self.at_s += seconds

    def now_s(self):
        """Return twin seconds."""
        return 1e6 + self.at_s * SPEED

    def real_s(self, twin_s):
        """Return how long a span takes here."""
        return twin_s / SPEED


@dataclasses.dataclass
class FakeStage:
    """A stage that remembers what was done to it."""

    decides: bool = True
    problems: list = dataclasses.field(default_factory=list)
    refused: str = ""
    fails: BaseException | None = None
    done: list = dataclasses.field(default_factory=list)
    clock: ManualClock = dataclasses.field(default_factory=ManualClock)

    def open(self):
        """Note it."""
        self.done.append("open")

    def deploy(self, change):
        """Deploy, or refuse."""
        del change
        self.done.append("deploy")
        if self.refused:
            raise DeploymentRefusedError(self.refused)
        return "3 resources"

    def unsteady(self):
        """Return the next problem."""
        return self.problems.pop(0) if self.problems else None

    def door(self):
        """Return nothing: there are no clients."""
        return

    def news(self):
        """Suspect what was lost."""
        if "act lose" in self.done:
            yield parse({**look(0, "suspect"), "at_s": self.clock.now_s()})

    def sample(self):
        """Return that all is well."""
        return SampleEntry(
            at_s=self.clock.now_s(),
            serves="primary",
            writer="primary",
            lag_s=0.1,
            lost=[],
            healthy=1,
            instances=1,
        )

    def act(self, item):
        """Note a step, or fail."""
        self.done.append(f"act {item.action.verb}")
        if self.fails is not None:
            raise self.fails
        return ()

    def rows(self):
        """Return that nothing was written."""
        yield RowsEntry(at_s=self.clock.now_s(), cluster="c", side="primary", writer=True, rows=[])

    def rollback(self):
        """Note it."""
        self.done.append("rollback")

    def check(self):
        """Be up."""
        return

    def close(self):
        """Note it."""
        self.done.append("close")

    def facts(self):
        """Return what a recording says."""
        return {"speed": SPEED, "latency": "none", "modelled": [], "versions": {}}


SCENARIO = Scenario(
    name="fake",
    title="Something happens.",
    expectation="Nothing comes of it.",
    steps=(
        Step(LoseRegion("primary"), at_s=10),
        Step(RestoreRegion("primary"), at_s=20, when=phase("suspect")),
    ),
    claims=(NOTHING_MOVED,),
    stop_when=later(60),
    lasts_s=120,
)
KNOWN = {"kind", "at_s", "schema", "scenario", "title", "expects", "seed", "clients", "keys"}
HEAD = {k: v for k, v in head().items() if k not in KNOWN | set(FakeStage().facts())}


def played(tmp_path, environment, *, scenario=SCENARIO, machine=None, **settings):
    """Play a scenario without clients; return what was recorded."""
    with Journal(tmp_path) as journal:
        play(
            scenario,
            environment,
            journal,
            RunSettings(clients=0, **settings),
            head=HEAD,
            machine=machine or environment.clock,
        )
    return Recording.read(tmp_path)


def kinds(recording):
    """Return what was written, in its order."""
    kinds = [entry.kind for entry in recording.all()]
    return [kind for kind in kinds if kind not in {"sample", "look"}]


def test_a_drill_is_written_down_in_its_order(tmp_path):
    """Up, deployed, steady, strike, steps, rows, end."""
    environment = FakeStage(problems=["not yet", "not yet"])
    recording = played(tmp_path, environment)
    assert kinds(recording) == [
        *("drill", "stage", "stage", "stage", "strike", "step", "step", "rows", "end")
    ]
    assert recording.ended == "finished"
    assert environment.done == ["open", "deploy", "act lose", "act restore", "rollback"]


def test_steps_are_done_on_time_and_after_what_they_wait_for(tmp_path):
    """In twin seconds, and never before."""
    recording = played(tmp_path, FakeStage())
    lose, restore = recording.of(StepEntry)
    assert lose.at_s - recording.strike_s >= 10
    suspected_s = next(recording.since_strike(TickEntry)).at_s
    assert restore.at_s - suspected_s >= 20


def test_a_drill_ends_though_what_it_waits_for_never_comes(tmp_path):
    """The scenario's own limit."""
    never = dataclasses.replace(SCENARIO, stop_when=phase("failed-over"), lasts_s=40)
    recording = played(tmp_path, FakeStage(), scenario=never)
    assert recording.ended == "finished"


def test_a_stack_that_is_not_steady_is_not_struck(tmp_path):
    """Nothing that would follow were the disaster's doing; why is written down."""
    environment = FakeStage(problems=["no write works"] * 1000)
    recording = played(tmp_path, environment, steady_s=0.5)
    assert recording.strike_s is None
    assert recording.of(StageEntry)[-1].state == "unsteady"
    assert recording.of(StageEntry)[-1].text == "no write works"
    assert "act lose" not in environment.done


def test_a_sabotaged_stack_is_struck_all_the_same(tmp_path):
    """That is how its symptom shows."""
    environment = FakeStage(problems=["no write works"] * 1000)
    recording = played(tmp_path, environment, steady_s=0.3, anyway=True)
    assert recording.strike_s is not None
    assert not recording.steady


def test_a_deployment_that_is_refused_ends_the_drill(tmp_path):
    """With the reason, and without a disaster."""
    recording = played(tmp_path, FakeStage(refused="no such property"))
    last = recording.of(StageEntry)[-1]
    assert (last.state, last.text) == ("refused", "no such property")
    assert recording.ended == "finished"


@pytest.mark.parametrize(
    ("error", "how"), [(KeyboardInterrupt(), "interrupted"), (OSError("gone"), "failed")]
)
def test_whatever_ends_a_drill_early_is_in_its_journal(tmp_path, error, how):
    """The stage is mended, the journal says how it ended, and the error goes on."""
    environment = FakeStage(fails=error)
    with pytest.raises(type(error)):
        played(tmp_path, environment)
    recording = Recording.read(tmp_path)
    assert recording.ended == how
    assert environment.done[-1] == "rollback"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("no room")])
def test_a_stage_that_never_came_up_says_why(tmp_path, error):
    """Its own error goes on, and none about a clock that it never had."""

    class Down(FakeStage):
        """A stage that does not come up."""

        clock = property(lambda _: {}["clock"], lambda *_: None)

        def open(self):
            """Fail."""
            raise error

    with pytest.raises(type(error)):
        played(tmp_path, Down(), machine=ManualClock())


def test_a_stage_that_is_up_is_not_deployed_again(tmp_path):
    """The next scenario on the same twin."""
    environment = FakeStage()
    with Journal(tmp_path) as journal:
        play(
            SCENARIO,
            environment,
            journal,
            RunSettings(clients=0),
            head=HEAD,
            up=True,
            machine=environment.clock,
        )
    assert "deploy" not in environment.done


def test_a_standby_that_lagged_is_no_steady_state():
    """A loss would rightly ask a person, so a drill of it waits until the lag is forgotten."""

    def tick(*given, **more):
        return parse(look(*given, **more))

    well = tick(0, "steady", verdict="healthy", now_s=4.9)
    assert unready(well, 5.0) is None
    assert "8.6 s of writes" in unready(tick(0, "steady", verdict="healthy", now_s=8.6), 5.0)
    assert unready(tick(0, "steady", verdict="healthy"), 5.0) is None, "not known: not for this"
    assert "bad signals heartbeat" in unready(tick(0, "suspect"), 5.0)
    assert unready(None, 5.0) == "the orchestrator has not run yet"


@pytest.mark.parametrize(
    ("decides", "sees"),
    [(True, "every signal is readable"), (False, "no orchestrator deployed")],
)
def test_a_stack_is_not_said_to_have_an_orchestrator_that_it_has_not(tmp_path, decides, sees):
    """The story is true of any stack."""
    recording = played(tmp_path, FakeStage(decides=decides))
    assert recording.of(StageEntry)[-1].text == f"users write, {sees}"
