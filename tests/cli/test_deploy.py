"""`otherside up`, `refresh`, `destroy` and `outputs`: what they refuse, and what they then do.

The engine is noted here; `tests/deploy/test_pulumi_engine.py` runs Pulumi's own.
"""

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from otherside.cli import deploy_gates, main
from otherside.cli.state_table import NoTableError
from otherside.deploy.planned_step import PlannedStep
from otherside.deploy.pulumi_engine import MISSING, EngineError, Plan, PulumiEngine, _last_words
from otherside.failover.decision.state import Phase, first

EAST = "us-east-2"
STEP = PlannedStep(
    operation="create",
    urn="urn:pulumi:prod::orders::aws:rds/cluster:Cluster::db",
    type="aws:rds/cluster:Cluster",
    region=EAST,
    old={},
    new={"engine": "aurora-postgresql"},
)


@dataclass
class FakeEngine:
    """An engine that does what it is told, and notes it."""

    directory: Path
    url: str = "https://api.pulumi.com"
    steps: tuple = (STEP,)
    held: tuple = ()
    notes: list = field(default_factory=list)
    project = SimpleNamespace(name="orders", stack="prod")

    def backend(self):
        """Return where the state is."""
        return self.url

    def secrets_provider(self):
        """Return nobody's."""
        return ""

    def plan(self):
        """Return the steps that were given."""
        counts = {}
        for step in self.steps:
            counts[step.operation] = counts.get(step.operation, 0) + 1
        return Plan(steps=self.steps, counts=counts)

    plan_destruction = plan

    def protected(self):
        """Return the names that were given."""
        return list(self.held)

    def _do(self, what, tell):
        tell(f"engine: {what}")
        self.notes.append(what)
        return {what: 1}

    def update(self, tell):
        """Note it."""
        return self._do("update", tell)

    def refresh(self, tell):
        """Note it."""
        return self._do("refresh", tell)

    def destroy(self, tell):
        """Note it."""
        return self._do("destroy", tell)

    def outputs(self, *, secrets):
        """Return an endpoint and a secret."""
        return {"endpoint": "orders.example.com", "token": "x" if secrets else "[secret]"}


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Put a fake engine and a steady orchestrator in place."""
    (tmp_path / "otherside.toml").write_text(
        'name = "orders"\n[traffic]\ndomain = "orders.example.com"\n'
    )
    made = FakeEngine(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(PulumiEngine, "open", lambda *_, **__: made)
    monkeypatch.setattr(deploy_gates, "check_program", lambda *_: ([], False))
    stand(monkeypatch, first(0.0))
    return made


def stand(monkeypatch, state):
    """Let the state table hold a state, or not answer."""

    def opened(_):
        if isinstance(state, Exception):
            raise state
        return SimpleNamespace(state=state)

    monkeypatch.setattr(deploy_gates, "open_table", opened)


def run(*arguments, keys=None):
    """Run a command; return its code, its output and what it said beside."""
    done = CliRunner().invoke(main, arguments, input=keys)
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_a_deployment_is_planned_asked_about_and_made(engine):
    """And nothing is made without a yes."""
    code, text, _ = run("up", keys="n\n")
    assert (code, engine.notes) == (1, [])
    assert text.startswith("1 to create\nDeploy orders, stack prod? [y/N]")
    code, text, _ = run("up", keys="y\n")
    assert (code, engine.notes) == (0, ["update"])
    assert "engine: update" in text


def test_a_dry_run_deploys_nothing(engine):
    """It looks at everything."""
    assert run("up", "--dry-run")[:2] == (0, "1 to create\nnothing was deployed\n")
    assert engine.notes == []


def test_where_nothing_changes_nothing_is_asked(engine):
    """A second deployment of the same is over at once."""
    engine.steps = (replace(STEP, operation="same", old=STEP.new),)
    code, text, _ = run("up")
    assert (code, text.endswith("nothing to change\n")) == (0, True)
    assert engine.notes == ["update"], "an export may have changed, which is no resource"


@pytest.mark.usefixtures("engine")
def test_a_machine_gets_one_document_and_is_never_asked():
    """Progress goes to standard error."""
    assert run("up", "--json")[0] == 2
    code, text, said = run("up", "--json", "--yes")
    told = json.loads(text)
    assert (code, told["planned"], told["done"]) == (0, {"create": 1}, {"update": 1})
    assert told["outputs"]["token"] == "[secret]"
    assert "engine: update" in said
    for verb in ("refresh", "destroy"):
        assert run(verb, "--json")[0] == 2


@pytest.mark.parametrize("verb", ["up", "refresh", "destroy"])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            replace(first(0.0), phase=Phase.PROMOTING, reason="the writer moves"),
            "the orchestrator is in phase promoting: the writer moves",
        ),
        (replace(first(0.0), phase=Phase.FAILED_OVER), "in phase failed-over"),
        (NoTableError("us-west-2: no answer"), "the state table does not answer"),
    ],
)
def test_nothing_is_changed_while_a_failover_is_under_way(engine, monkeypatch, verb, state, words):
    """Or while nobody can tell; unless that was accepted, and then it is said all the same."""
    stand(monkeypatch, state)
    code, text, said = run(verb, "--yes")
    assert (code, engine.notes) == (1, [])
    assert words in text
    assert "`--accept failover` goes ahead all the same" in said
    code, text, _ = run(verb, "--yes", "--accept", "failover")
    assert (code, words in text, len(engine.notes)) == (0, True, 1)


def test_before_the_first_deployment_there_is_no_table_and_no_failover(engine, monkeypatch):
    """AWS says that there is none, which is an answer."""
    stand(monkeypatch, NoTableError("no such table", absent=True))
    assert run("up", "--yes")[0] == 0
    (engine.directory / "otherside.toml").unlink()
    assert run("up", "--yes")[0] == 0, "nor has a stack of anybody else's an orchestrator of ours"


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("state", "on this machine alone"),
        ("findings", "DR009 high-dns-ttl"),
        ("recovery", "lost: db: a database cluster with its data goes"),
    ],
)
def test_each_gate_refuses_by_its_name(engine, monkeypatch, gate, words):
    """The refusal names what was found and what to give; accepting another one does not help."""
    if gate == "state":
        engine.url = "file:///var/state"
    elif gate == "findings":
        found = (["DR009 high-dns-ttl: record: 300 s"], True)
        monkeypatch.setattr(deploy_gates, "check_program", lambda *_: found)
    else:
        engine.steps = (replace(STEP, operation="delete", old=STEP.new, new={}),)
    other = next(name for name in deploy_gates.GATES if name != gate)
    code, text, said = run("up", "--yes", "--accept", other)
    assert (code, engine.notes, words in text) == (1, [], True), text
    assert f"`--accept {gate}` goes ahead" in said
    assert run("up", "--yes", "--accept", gate)[0] == 0
    assert engine.notes == ["update"]


def test_findings_below_the_projects_limit_do_not_stop_a_deployment(engine, monkeypatch):
    """The project's settings say from which severity on a check fails."""
    monkeypatch.setattr(deploy_gates, "check_program", lambda *_: (["DR999 low"], False))
    assert run("up", "--yes")[0] == 0
    assert engine.notes == ["update"]


def test_a_stack_is_deleted_by_its_name(engine):
    """A yes is given too easily; what is protected is named before anything goes."""
    assert run("destroy", keys="orders\n")[0] == 1
    assert engine.notes == []
    engine.held = ("table", "vault")
    code, _, said = run("destroy", keys="prod\n")
    assert (code, engine.notes) == (1, [])
    assert "2 resources are protected, table among them" in said
    engine.held = ()
    assert run("destroy", keys="prod\n")[0] == 0
    assert engine.notes == ["destroy"]


def test_a_refresh_is_asked_about(engine):
    """What AWS has becomes what is wanted."""
    assert run("refresh", keys="n\n")[0] == 1
    assert run("refresh", keys="y\n")[0] == 0
    assert json.loads(run("refresh", "--json", "--yes")[1])["done"] == {"refresh": 1}
    assert engine.notes == ["refresh", "refresh"]


def test_a_failover_that_begins_while_nobody_answers_is_seen(engine, monkeypatch):
    """The gate is looked at again after the confirmation."""
    states = [first(0.0), replace(first(0.0), phase=Phase.FENCING)]
    monkeypatch.setattr(deploy_gates, "open_table", lambda _: SimpleNamespace(state=states.pop(0)))
    later = list(states)
    for arguments, keys in ((("up",), "y\n"), (("up", "--yes"), None)):
        states[:] = later
        code, text, _ = run(*arguments, keys=keys)
        assert (code, engine.notes) == (1, []), arguments
        assert "in phase fencing" in text


def test_without_a_configuration_it_is_said_what_was_not_looked_at(engine):
    """A file of another name is no stack without an orchestrator."""
    (engine.directory / "otherside.toml").unlink()
    text = run("up", "--yes")[1]
    assert "failover  not looked at" in text
    assert "the sides are not known" in text


@pytest.mark.usefixtures("engine")
def test_outputs_hide_secrets_unless_asked():
    """For people and for machines."""
    assert run("outputs")[1] == "endpoint  orders.example.com\ntoken     [secret]\n"
    assert json.loads(run("outputs", "--json")[1])["token"] == "[secret]"
    assert json.loads(run("outputs", "--json", "--show-secrets")[1])["token"] == "x"


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Make a project, and take Pulumi's command off the PATH."""
    (tmp_path / "Pulumi.yaml").write_text("name: orders\nruntime: python\n")
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


def test_settings_that_cannot_be_read_are_one_line(engine, monkeypatch):
    """And a project's own baseline and consent count as they do in a check."""
    monkeypatch.undo()
    monkeypatch.setattr(PulumiEngine, "open", lambda *_, **__: engine)
    stand(monkeypatch, first(0.0))
    file = engine.directory / "otherside.toml"
    file.write_text(file.read_text() + "[check]\nfoo = 1\n")
    code, _, said = run("up", str(engine.directory), "--yes")
    assert (code, "check has no setting foo" in said) == (2, True), said


@pytest.mark.parametrize("verb", ["up", "refresh", "destroy", "outputs"])
def test_without_pulumis_command_it_is_said_where_to_get_it(bare, verb):
    """One sentence, and no traceback; a project that is none is named, too."""
    assert run(verb, str(bare), "--stack", "prod") == (1, "", f"Error: {MISSING}\n")
    code, _, said = run(verb, str(bare))
    assert (code, "name one with --stack: dev, prod" in said) == (2, True)
    assert run(verb, str(bare / "nowhere"))[0] == 2


def test_what_the_engine_says_is_told_without_its_frame():
    """Its own errors, once each, and not all of a hundred."""
    assert _last_words("code: 255\n stdout: \n stderr: error: no stack named 'x'\n") == (
        "no stack named 'x'"
    )
    many = "\n".join(f"error: {number}" for number in range(9))
    assert _last_words(f"stdout: {many}\nstderr: \n") == "0; 1; 2; 3; and 5 more"
    assert _last_words("") == "Pulumi failed and said nothing"


def test_an_error_of_the_engine_is_one_line(engine, monkeypatch):
    """Wherever it comes from."""

    def fails():
        msg = "the plan failed"
        raise EngineError(msg)

    monkeypatch.setattr(engine, "plan", fails)
    assert run("up", "--yes")[::2] == (1, "Error: the plan failed\n")


@pytest.mark.parametrize("verb", ["up", "refresh", "destroy", "outputs"])
def test_without_the_extra_it_is_said_how_to_install_it(verb, monkeypatch):
    """One sentence, and no traceback."""
    monkeypatch.setitem(sys.modules, "otherside.deploy.pulumi_engine", None)
    code, _, said = run(verb)
    assert code == 2
    assert "run `pip install '.[infra]'` in your clone of otherside" in said
