"""Every option of every command changes something, or is refused: none is silently ignored.

An option is proven here by two runs that differ in nothing else, or it is named beside the test
that proves it where a table, a twin or a recording is at hand.
"""

import ast
import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from otherside.cli import main

TESTS = Path(__file__).parents[1]

PASSWORD = "correct" + "-horse-battery"
STACK = f"""
provider "aws" {{
  region = "us-east-2"
}}
provider "aws" {{
  alias  = "west"
  region = "us-west-2"
}}
resource "aws_rds_cluster" "a" {{
  cluster_identifier = "a"
  engine             = "aurora-postgresql"
  master_username    = "admin"
  master_password    = "{PASSWORD}"
}}
resource "aws_s3_bucket" "b" {{
  provider = aws.west
  bucket   = "b" # otherside: ignore DR005 agreed in RISK-1
}}
module "unread" {{
  source  = "example/unread/aws"
  version = "1.0.0"
}}
"""
TEMPLATE = """
Parameters:
  Protected: {Type: String}
Resources:
  A:
    Type: AWS::RDS::DBCluster
    Properties:
      Engine: aurora-postgresql
      MasterUsername: admin
      MasterUserPassword: !Ref Protected
      DeletionProtection: !Ref Protected
"""
PROGRAM = """
import pulumi, pulumi_aws as aws
here = pulumi.get_stack()
other = pulumi.StackReference("acme/network/prod")
aws.s3.Bucket(f"b-{here}", bucket=other.get_output("name"))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Write what the commands are run on, once."""
    place = tmp_path_factory.mktemp("project")
    (place / "main.tf").write_text(STACK)
    (place / "template.yaml").write_text(TEMPLATE)
    for name in ("prod", "staging"):
        (place / "layouts" / name).mkdir(parents=True)
        (place / "layouts" / name / "main.tf").write_text(STACK)
    (place / "settings.toml").write_text('[check]\nignore = ["DR001"]\n')
    (place / "answers.json").write_text(
        json.dumps({"stacks": {"acme/network/prod": {"name": "told"}}})
    )
    (place / "design.toml").write_text(
        'name = "orders"\n[traffic]\ndomain = "orders.example.com"\n'
    )
    program = place / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: orders\nruntime: python\n")
    (program / "Pulumi.dev.yaml").write_text("config:\n  aws:region: us-east-2\n")
    (program / "Pulumi.prod.yaml").write_text("config:\n  aws:region: us-west-2\n")
    (program / "__main__.py").write_text(PROGRAM)
    done = CliRunner().invoke(main, ["init", str(place / "ours"), "--domain", "orders.example.com"])
    assert done.exit_code == 0, done.output
    (place / "ours" / "Pulumi.other.yaml").write_text(
        (place / "ours" / "Pulumi.prod.yaml").read_text()
    )
    return place


class EnoughError(Exception):
    """What the edge was asked for has been noted: nothing is started."""


@pytest.fixture
def asked(monkeypatch):
    """Note what the edges that cost minutes would be asked to do."""
    from otherside.cli import drill, twin  # noqa: PLC0415 - extras
    from otherside.drill import suite  # noqa: PLC0415 - extras
    from otherside.twin import twin as machines  # noqa: PLC0415 - extras
    from otherside.twin.host import registry, twin_directory  # noqa: PLC0415 - extras

    notes = []

    def run_suite(scenarios, target, options, _told):
        told = dataclasses.asdict(options)
        del told["started"], told["directory"]
        notes.append(([item.name for item in scenarios], target.place, told))
        raise EnoughError

    class Noted:
        """A twin that notes what it is told."""

        directory = "/nowhere"
        swept = ()

        def __init__(self, settings, expected=None):
            notes.append((settings, expected and sorted(expected.config)))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def do(self, what, **how):
            notes.append((what, how))

    def announce(_running, called, _design, *, as_json):
        notes.append((called, as_json))
        raise EnoughError

    def register(_directory, _project, *, name, roles):
        notes.append((name, roles))
        return None, Path("nothing-to-remove")

    monkeypatch.setattr(suite, "run_suite", run_suite)
    monkeypatch.setattr(machines, "Twin", Noted)
    monkeypatch.setattr(registry, "register", register)
    monkeypatch.setattr(twin, "_deploy", lambda *_: None)
    monkeypatch.setattr(twin, "_announce", announce)
    left = twin_directory.Leftover(Path("left-behind"), (7,))
    monkeypatch.setattr(twin_directory, "leftovers", lambda: [left])
    monkeypatch.setattr(twin_directory, "remove", notes.append)
    monkeypatch.setattr(drill.signal, "signal", lambda *_: None)
    return notes


def outcome(arguments, asked, scratch):
    """Run a command; return all that it changed: its code, output, files and demands."""
    asked.clear()
    done = CliRunner().invoke(main, arguments)
    expected = (SystemExit, EnoughError, type(None))
    assert isinstance(done.exception, expected), (arguments, done.exception)
    files = {
        str(file.relative_to(scratch)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(scratch.rglob("*"))
        if file.is_file()
    }
    return done.exit_code, done.output, repr(asked), files


STRICT = ("check", "main.tf", "--select", "DR001")
INIT = ("init", "new")
DRILL = ("drill", "--stack", "ours", "--speed", "2", "--stack-name", "prod")
UP = ("twin", "up", "ours", "--stack", "prod")
PAIRS = [
    ("init", "--name", (*INIT, "--domain", "a.example.com"), ("billing",)),
    ("init", "--domain", INIT, ("billing.example.com",)),
    ("init", "--json", (*INIT, "--domain", "a.example.com"), ()),
    ("check", "--format", ("check", "main.tf"), ("json",)),
    ("check", "--json", ("check", "main.tf"), ()),
    ("check", "--output", ("check", "main.tf"), ("report.txt",)),
    ("check", "--fail-on", STRICT, ("never",)),
    ("check", "--select", ("check", "main.tf"), ("DR001",)),
    ("check", "--ignore", ("check", "main.tf"), ("DR001",)),
    ("check", "--exclude", ("check", "."), ("*.tf",)),
    ("check", "--region", ("check", "template.yaml"), ("us-east-1",)),
    ("check", "--parameters", ("check", "template.yaml"), ("Protected=true",)),
    ("check", "--system", ("check", "layouts"), ("prod",)),
    ("check", "--one-system", ("check", "layouts"), ()),
    ("check", "--stack", ("check", "program", "--run-programs"), ("prod",)),
    ("check", "--run-programs", ("check", "program", "--stack", "dev"), ()),
    (
        "check",
        "--run-timeout",
        ("check", "program", "--stack", "dev", "--run-programs"),
        ("0.001",),
    ),
    (
        "check",
        "--answers",
        ("check", "program", "--stack", "dev", "--run-programs"),
        ("answers.json",),
    ),
    ("check", "--no-run", ("check", "program", "--stack", "dev", "--run-programs"), ()),
    ("check", "--single-region-ok", ("check", "template.yaml", "--region", "us-east-1"), ()),
    ("check", "--strict", (*STRICT, "--fail-on", "never"), ()),
    ("check", "--baseline", ("check", "main.tf"), ("no-such-baseline.json",)),
    ("check", "--write-baseline", ("check", "main.tf"), ("new-baseline.json",)),
    ("check", "--config", ("check", "main.tf"), ("settings.toml",)),
    ("check", "--compliance", ("check", "main.tf"), ()),
    ("check", "--compact", ("check", "main.tf"), ()),
    ("check", "--explain-fix", ("check", "main.tf"), ()),
    ("check", "--fix", ("check", "main.tf"), ()),
    ("check", "--verbose", ("check", "main.tf"), ()),
    ("rules", "--json", ("rules",), ()),
    ("explain", "--json", ("explain", "DR001"), ()),
    ("explain", "--dialect", ("explain", "DR001"), ("pulumi",)),
    ("preview", "--stack", ("preview", "ours"), ("prod",)),
    ("preview", "--json", ("preview", "ours", "--stack", "prod"), ()),
    ("preview", "--graph", ("preview", "ours", "--stack", "prod"), ("dot",)),
    ("preview", "--verbose", ("preview", "ours", "--stack", "prod"), ()),
    ("sim", "--seeds", ("sim", "--json", "--seeds", "2"), ("3",)),
    ("sim", "--seed", ("sim", "--seeds", "3", "--json"), ("7",)),
    ("sim", "--faults", ("sim", "--seeds", "3"), ("list",)),
    ("sim", "--json", ("sim", "--seeds", "3"), ()),
    ("sim", "--matrix", ("sim", "--seeds", "3"), ()),
    ("drill", "--stack", ("drill", "--list"), ("ours",)),
    ("drill", "--stack-name", ("drill", "--stack", "ours"), ("prod",)),
    ("drill", "--list", ("drill", "--stack", "program"), ()),
    ("drill", "--sabotage", DRILL, ("99",)),
    ("drill", "--on", ("drill", "--stack", "ours", "--stack-name", "prod"), ("sim",)),
    ("drill", "--speed", ("drill", "--stack", "ours", "--stack-name", "prod"), ("3",)),
    ("drill", "--latency", DRILL, ("none",)),
    ("drill", "--seed", DRILL, ("9",)),
    ("drill", "--clients", DRILL, ("9",)),
    ("drill", "--repeat", DRILL, ("2",)),
    ("drill", "--report", ("drill", "--list"), ("there",)),
    ("drill", "--json", ("drill", "--list"), ("list.json",)),
    ("drill", "--json-shape", ("drill", "--list"), ("1",)),
    ("drill", "--keep", ("drill", "--list"), ()),
    ("drill", "--timings", ("drill", "--list"), ()),
    ("twin doctor", "--clean", ("twin", "doctor"), ()),
    ("twin doctor", "--json", ("twin", "doctor"), ()),
    ("twin up", "--name", UP, ("another",)),
    ("twin up", "--stack", ("twin", "up", "ours"), ("prod",)),
    ("twin up", "--speed", UP, ("9",)),
    ("twin up", "--latency", UP, ("none",)),
    ("twin up", "--instances", UP, ("2",)),
    ("twin up", "--delegate", UP, ("elsewhere.example.com",)),
    ("twin up", "--json", UP, ()),
    ("status", "--config", ("status",), ("no-such-design.toml",)),
    ("readiness", "--config", ("readiness",), ("no-such-design.toml",)),
    ("history", "--config", ("history",), ("no-such-design.toml",)),
    ("order", "--config", ("order", "halt"), ("no-such-design.toml",)),
    ("breakglass", "--config", ("breakglass",), ("no-such-design.toml",)),
    ("console", "--config", ("console",), ("no-such-design.toml",)),
    ("console", "--twin", ("console",), ("nobody",)),
    ("console", "--port", ("console",), ("70000",)),
    ("status", "--twin", ("status",), ("nobody",)),
    ("readiness", "--twin", ("readiness",), ("nobody",)),
    ("history", "--twin", ("history",), ("nobody",)),
    ("order", "--twin", ("order", "halt"), ("nobody",)),
    ("breakglass", "--twin", ("breakglass",), ("nobody",)),
]
"""The command, the option, a run without it, and the value that the other run gives it."""


@pytest.mark.parametrize(
    ("command", "option", "without", "value"), PAIRS, ids=[f"{c} {o}" for c, o, *_ in PAIRS]
)
def test_an_option_changes_something(
    command, option, without, value, asked, project, tmp_path, monkeypatch
):
    """Two runs that differ in one option alone differ in code, output, files or demands."""
    seen = []
    for name, arguments in (("without", without), ("with", (*without, option, *value))):
        scratch = tmp_path / name
        shutil.copytree(project, scratch)
        monkeypatch.chdir(scratch)
        code, text, demands, files = outcome(arguments, asked, scratch)
        seen.append((code, text.replace(str(scratch), ""), demands, files))
    assert command.split() == list(without[: len(command.split())])
    assert seen[0] != seen[1]


TWIN, OPERATE = "cli/test_twin.py", "cli/test_operate.py"
TRAIL = "test_history_shows_the_trail_and_bundles_it"
DEPLOY = "cli/test_deploy.py"
TESTED = {
    (DEPLOY, "test_a_machine_gets_one_document_and_is_never_asked"): [
        "up --json",
        "up --yes",
        "refresh --json",
        "destroy --json",
    ],
    (DEPLOY, "test_a_dry_run_deploys_nothing"): ["up --dry-run"],
    (DEPLOY, "test_nothing_is_changed_while_a_failover_is_under_way"): [
        f"{verb} {option}"
        for verb in ("up", "refresh", "destroy")
        for option in ("--accept", "--yes")
        if (verb, option) != ("up", "--yes")
    ],
    (DEPLOY, "test_outputs_hide_secrets_unless_asked"): [
        "outputs --json",
        "outputs --show-secrets",
    ],
    (DEPLOY, "test_without_pulumis_command_it_is_said_where_to_get_it"): [
        f"{verb} --stack" for verb in ("up", "refresh", "destroy", "outputs")
    ],
    ("cli/test_cli.py", "test_sim_tells_a_seed_that_breaks_in_plain_words"): ["sim --fail-fast"],
    ("cli/test_drill.py", "test_a_report_is_made_of_a_journal_that_was_cut_short"): [
        "report --output",
        "report --bundle",
        "report --json",
    ],
    (TWIN, "test_each_command_takes_a_name_and_speaks_to_machines"): [
        f"twin {verb} {option}"
        for verb in ("cut", "fault", "heal", "lose", "restore", "start", "stop")
        for option in ("--json", "--twin")
    ],
    (TWIN, "test_down_stops_a_twin_and_waits_for_it"): ["twin down --json"],
    (TWIN, "test_of_several_twins_one_has_to_be_named"): ["twin down --all"],
    (TWIN, "test_links_are_cut_and_healed"): ["twin cut --one-way"],
    (TWIN, "test_a_fault_of_the_api_is_injected_and_removed"): [
        "twin fault --mode",
        "twin fault --in",
    ],
    (TWIN, "test_a_fault_is_for_the_calls_that_were_named"): [
        "twin fault --service",
        "twin fault --operation",
        "twin fault --from",
        "twin fault --seconds",
    ],
    (TWIN, "test_a_twin_is_listed_with_its_speed_and_what_is_lost"): [
        "twin list --json",
        "twin status --json",
    ],
    (OPERATE, "test_status_refuses_what_it_would_ignore"): [
        "status --watch",
        "status --every",
        "status --last",
    ],
    ("cli/test_console.py", "test_the_command_serves_until_it_is_stopped"): ["console --json"],
    (OPERATE, "test_status_tells_where_it_stands_and_what_each_side_says"): ["status --json"],
    (OPERATE, "test_readiness_refuses_what_it_would_ignore"): [
        "readiness --global-cluster",
        "readiness --tag",
        "readiness --region",
        "readiness --only",
    ],
    (OPERATE, "test_readiness_lists_its_checks_without_asking_anybody"): [
        "readiness --list",
        "readiness --json",
    ],
    (OPERATE, "test_history_refuses_what_it_would_ignore"): ["history --last"],
    (OPERATE, TRAIL): [
        "history --since",
        "history --phase",
        "history --bundle",
        "history --json",
        "verify --digest",
        "verify --json",
    ],
    ("twin/test_stack.py", "test_an_operator_sees_both_sides_and_gives_an_order"): [
        "history --replay"
    ],
    (OPERATE, "test_a_freeze_has_an_end"): ["order --until"],
    (OPERATE, "test_a_switchover_is_scheduled_shown_and_called_off"): ["order --at"],
    (OPERATE, "test_an_order_is_asked_about_and_given"): ["order --yes"],
    (OPERATE, "test_a_dry_run_says_what_an_order_would_mean_and_writes_nothing"): [
        "order --dry-run"
    ],
    (OPERATE, "test_an_order_is_followed_until_all_is_at_rest"): ["order --wait"],
    (OPERATE, "test_an_order_is_told_to_machines"): ["order --json"],
    (OPERATE, "test_an_order_that_would_mean_nothing_is_not_given"): ["order --revision"],
    (OPERATE, "test_a_person_lets_the_standby_go_on_without_the_table"): ["breakglass --for"],
    (OPERATE, "test_a_agent_that_hears_nothing_of_the_table_goes_by_a_persons_word"): [
        "breakglass --close"
    ],
    (OPERATE, "test_without_an_earlier_word_a_person_says_the_epoch"): [
        "breakglass --epoch",
        "breakglass --yes",
        "breakglass --json",
    ],
    (OPERATE, "test_while_the_table_answers_an_order_is_enough"): ["breakglass --force"],
}
PROVEN = {option: test for test, options in TESTED.items() for option in options}
"""Options that a test with a table, a twin or a recording at hand proves."""


def options():
    """Return every option of every command, as `command --option`."""
    found = set()

    def walk(command, path):
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                walk(inner, [*path, name])
            return
        for item in command.params:
            if isinstance(item, click.Option):
                found.add(" ".join([*path, max(item.opts, key=len)]))

    context = click.Context(main)
    for name in main.list_commands(context):
        walk(main.get_command(context, name), [name])
    return found


def test_every_option_is_proven():
    """A new option comes with its proof, and a proof goes with its option."""
    proven = {f"{command} {option}" for command, option, *_ in PAIRS} | set(PROVEN)
    assert options() - proven == set()
    assert proven - options() == set()


@pytest.mark.parametrize("option", PROVEN)
def test_the_proof_of_an_option_uses_it(option):
    """The named test is there, and it, or what it is parametrized with, gives the option."""
    file, name = PROVEN[option]
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if getattr(node, "name", "") == name]
    texts = {node.value for node in ast.walk(found) if isinstance(node, ast.Constant)}
    command, _, flag = option.rpartition(" ")
    assert any(flag in str(text) for text in texts)
    # A table of refused uses stands beside a test of one command, which names the command alone.
    assert any(command.split()[-1] in str(text) for text in texts)


def test_what_prints_for_people_prints_for_machines():
    """Every command has `--json`, or is a format's own command."""
    found = options()
    commands = {option.rpartition(" ")[0] for option in found} | {"schema"}
    silent = {command for command in commands if f"{command} --json" not in found}
    assert silent == {"schema"}  # prints JSON and nothing else
