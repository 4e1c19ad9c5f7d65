"""The command, as a person and a machine meet it: arguments in, output and exit code out."""

import dataclasses
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from otherside.cli import COMMANDS, main
from otherside.config import read_config

ROOT = Path(__file__).parents[2]
NAMED = ("--domain", "orders.example.com")


def run(*arguments, check=0):
    """Run the command in this process; return its output and its errors."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == check, result.output + result.stderr
    return result


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Write a project, once."""
    directory = tmp_path_factory.mktemp("projects") / "orders"
    run("init", directory, *NAMED)
    return directory


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    """What it does, and a line to copy."""
    text = run(name, "--help").output
    assert f"otherside {name}" in text
    assert "Example" in text


def test_a_mistyped_command_is_told_what_it_may_mean():
    """And is bad usage."""
    assert "Did you mean 'preview'?" in run("preveiw", check=2).stderr


def test_help_and_version_import_no_pulumi():
    """The base install must not need it, and nobody should wait for it."""
    code = (
        "import sys\nfrom otherside.cli import main\n"
        "try: main(['preview', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit('pulumi' in sys.modules or 'boto3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0


def test_init_writes_a_project_that_is_a_valid_design(project):
    """What is written can be read, and says its name."""
    design = read_config(project / "otherside.toml")
    assert design.name == "orders"
    assert design.compute.application == str(project / "app")
    assert (project / "app" / "app.py").is_file()


def test_init_overwrites_nothing(project):
    """All or nothing, and the files that are in the way are named."""
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert "has otherside.toml" in run("init", project, *NAMED, check=2).stderr
    assert before == {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_init_leaves_nothing_behind_where_it_cannot_write(tmp_path):
    """A file in the place of the directory's parent."""
    (tmp_path / "file").write_text("")
    run("init", tmp_path / "file" / "orders", *NAMED, check=2)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_init_into_an_existing_directory_adds_to_it(tmp_path):
    """What stands there already stays."""
    (tmp_path / "notes.txt").write_text("mine")
    run("init", tmp_path, "--name", "orders", *NAMED)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert read_config(tmp_path / "otherside.toml").name == "orders"
    assert "drills/" in (tmp_path / ".gitignore").read_text().splitlines()
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / ".gitignore").write_text("mine")
    run("init", tmp_path / "again", "--name", "orders", *NAMED)
    assert (tmp_path / "again" / ".gitignore").read_text() == "mine"


@pytest.mark.parametrize("name", ["Orders", "1st", "a--b", "x" * 21])
def test_init_refuses_a_name_that_aws_would(tmp_path, name):
    """Before anything is written."""
    assert (
        "is not a valid application name"
        in run("init", tmp_path / "p", "--name", name, check=2).stderr
    )
    assert not (tmp_path / "p").exists()


def test_preview_shows_regions_and_components(project):
    """Counts by component, under each Region; the global ones last."""
    text = run("preview", project).stdout
    for word in ("us-east-2", "us-west-2", "us-east-1", "global", "ReplicatedDatabase", "exports"):
        assert word in text
    assert "orders-prod-us-east-2-0" not in text
    assert "\x1b[" not in text, "colour belongs on a terminal only"


@pytest.mark.slow
def test_preview_names_resources_when_asked(project):
    """One line for each."""
    assert "ClusterInstance  orders-prod-database-primary-0" in run("preview", project, "-v").stdout


def test_preview_json_is_the_whole_graph(project):
    """Every resource with its registered inputs, and no secret among them."""
    document = json.loads(run("preview", project, "--json").stdout)
    assert document["schema_version"] == 1
    resources = {resource["urn"]: resource for resource in document["resources"]}
    keys = {"urn", "type", "name", "region", "component", "inputs", "dependencies"}
    assert all(set(resource) == keys for resource in resources.values())
    (cluster,) = [
        resource
        for resource in resources.values()
        if resource["type"] == "aws:rds/cluster:Cluster" and resource["region"] == "us-east-2"
    ]
    assert cluster["inputs"]["masterPasswordWo"] == "[secret]"
    assert cluster["inputs"]["clusterIdentifier"] == "orders-prod-us-east-2"
    assert set(cluster["dependencies"]) <= set(resources)
    assert "Imagined0Secret" not in json.dumps(document)


@pytest.mark.slow
def test_preview_json_is_the_same_each_time(project):
    """Machines compare."""
    command = [sys.executable, "-m", "otherside.cli", "preview", str(project), "--json"]
    first, second = (
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1")
    )
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize(("form", "word"), [("mermaid", "flowchart LR"), ("dot", "digraph")])
def test_preview_draws_a_graph_of_components(project, form, word):
    """Regions around components, arrows for what waits for what."""
    text = run("preview", project, "--graph", form).stdout
    assert text.startswith(word)
    assert "us_west_2_FailoverOrchestrator" in text


def test_preview_takes_one_form_at_a_time(project):
    """Two at once is bad usage."""
    run("preview", project, "--json", "--graph", "dot", check=2)


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ({}, 2, ["Pulumi.yaml: no such file"]),
        ({"Pulumi.yaml": "a: [", "__main__.py": ""}, 2, ["Pulumi.yaml: cannot be read"]),
        ({"Pulumi.yaml": "- a", "__main__.py": ""}, 2, ["not a table"]),
        ({"Pulumi.yaml": "name: a\nruntime: nodejs"}, 2, ["only Python programs"]),
        ({"Pulumi.yaml": "name: a\nruntime: python"}, 2, ["__main__.py: the program"]),
        (
            {
                "Pulumi.yaml": "name: a\nruntime: python",
                "__main__.py": "x = 1\nraise ValueError('no')",
            },
            1,
            ["__main__.py:2: the program raised ValueError: no"],
        ),
        (
            {
                "Pulumi.yaml": "name: a\nruntime: python",
                "__main__.py": (
                    "from otherside.components.disaster_recovery import DisasterRecovery\n"
                    "DisasterRecovery.from_config()"
                ),
                "otherside.toml": "name = 'a'\nzones = 3",
            },
            2,
            ["otherside.toml:1: name", "otherside.toml:2: zones: is not a valid key"],
        ),
        (
            {
                "Pulumi.yaml": "name: a\nruntime: python",
                "Pulumi.dev.yaml": "config: {'pulumi:disable-default-providers': [aws]}",
                "__main__.py": "import pulumi_aws as aws\naws.sns.Topic('t')",
            },
            2,
            ["no provider was passed to it"],
        ),
        (
            {
                "Pulumi.yaml": "name: a\nruntime: python",
                "__main__.py": "import pulumi_aws as aws\naws.get_ip_ranges(services=['ec2'])",
            },
            2,
            ["getIpRanges", "no mock answer"],
        ),
        (
            {
                "Pulumi.yaml": "name: a\nruntime: python",
                "__main__.py": "import pulumi_aws as aws\n[aws.sns.Topic('t') for _ in 'ab']",
            },
            2,
            ["two resources have this URN"],
        ),
    ],
    ids=lambda _: None,
)
def test_preview_says_what_is_wrong_and_where(tmp_path, files, code, words):
    """One clear error, never a traceback."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    result = run("preview", tmp_path, check=code)
    assert result.output == result.stderr or not result.stdout
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.output


PROJECT = {"Pulumi.yaml": "name: a\nruntime: python"}
TOPIC = "import pulumi, pulumi_aws as aws\n"


def previewed(directory, program, *arguments, check=0, **files):
    """Preview a program of a few lines."""
    for name, text in {**PROJECT, "__main__.py": program, **files}.items():
        (directory / name).write_text(text)
    return run("preview", directory, *arguments, check=check)


def test_a_program_that_exits_has_ended(tmp_path):
    """Without an error it is shown; with one it says so."""
    result = previewed(tmp_path, TOPIC + "aws.sns.Topic('t')\nimport sys; sys.exit(0)")
    assert "Topic 1" in result.stdout
    failed = previewed(tmp_path, "import sys; sys.exit(3)", check=2)
    assert "the program exited with 3" in failed.stderr


def test_what_a_program_prints_is_no_part_of_the_answer(tmp_path):
    """Machines read standard output."""
    program = TOPIC + "print('hello')\naws.sns.Topic('t')"
    assert json.loads(previewed(tmp_path, program, "--json").stdout)["resources"]


def test_a_stack_has_to_be_named_where_there_are_several(tmp_path):
    """Or its settings, and the ban of default providers among them, would be dropped."""
    strict = "config: {'pulumi:disable-default-providers': [aws]}"
    files = {"Pulumi.dev.yaml": strict, "Pulumi.prod.yaml": strict}
    program = TOPIC + "aws.sns.Topic('t')"
    assert "dev, prod" in previewed(tmp_path, program, check=2, **files).stderr
    assert "has no stack prd" in run("preview", tmp_path, "--stack", "prd", check=2).stderr
    assert "no provider" in run("preview", tmp_path, "--stack", "prod", check=2).stderr


def test_the_default_provider_is_banned_from_data_sources_too(tmp_path):
    """Where the stack says so."""
    strict = {"Pulumi.dev.yaml": "config: {'pulumi:disable-default-providers': [aws]}"}
    for program in ("aws.get_region()", "aws.ec2.Vpc.get('v', 'vpc-1')"):
        assert "no provider" in previewed(tmp_path, TOPIC + program, check=2, **strict).stderr


def test_a_resource_is_counted_wherever_it_is(tmp_path):
    """In the Region of the settings, or elsewhere where nobody named one."""
    program = TOPIC + "aws.sns.Topic('t')"
    assert "elsewhere  (1)" in previewed(tmp_path, program).stdout
    here = {"Pulumi.dev.yaml": "config: {'aws:region': eu-west-1}"}
    assert "eu-west-1  (1)" in previewed(tmp_path, program, **here).stdout


@pytest.mark.parametrize(
    "program",
    [
        "pulumi.export('x', aws.sns.Topic('t', name=pulumi.Output.secret('SEKRIT')).arn)",
        (
            "v = pulumi.Output.secret('SEKRIT')\n"
            "pulumi.export('x', aws.ssm.Parameter.get('p', 'i', value=v).value)"
        ),
        "pulumi.export('x', pulumi.Output.secret('SEKRIT'))",
        "aws.sns.Topic('t', display_name=pulumi.Output.secret('SEKRIT'))",
    ],
)
def test_a_secret_is_never_shown(tmp_path, program):
    """Not where it was given, nor in what would be made of it."""
    assert "SEKRIT" not in previewed(tmp_path, TOPIC + program, "--json").stdout


def test_another_stacks_outputs_are_refused(tmp_path):
    """Nobody here knows them, and a guess would be wrong."""
    program = TOPIC + "pulumi.export('x', pulumi.StackReference('o/p/s').get_output('y'))"
    assert "another stack are not available" in previewed(tmp_path, program, check=2).stderr


CHANGE = """
def change(args):
    if args.type_ != "aws:sns/topic:Topic":
        return None
    return pulumi.ResourceTransformResult({**args.props, "displayName": "changed"}, args.opts)
"""


@pytest.mark.parametrize(
    "program",
    [
        "aws.sns.Topic('t', opts=pulumi.ResourceOptions(transforms=[change]))",
        "pulumi.runtime.register_resource_transform(change)\naws.sns.Topic('t')",
        """
options = pulumi.ResourceOptions(transforms=[change])
around = pulumi.ComponentResource('my:index:Around', 'around', None, options)
aws.sns.Topic('t', opts=pulumi.ResourceOptions(parent=around))
""",
    ],
)
def test_transforms_apply(tmp_path, program):
    """A resource's own, those of the components around it, and the stack's."""
    shown = previewed(tmp_path, TOPIC + CHANGE + program, "--json").stdout
    (topic,) = [
        resource
        for resource in json.loads(shown)["resources"]
        if resource["type"].endswith(":Topic")
    ]
    assert topic["inputs"]["displayName"] == "changed"


def test_a_transform_that_changes_options_is_refused(tmp_path):
    """Whom a resource waits for, or where it goes, cannot be followed here."""
    program = """
def protect(args):
    return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions(protect=True))
aws.sns.Topic('t', opts=pulumi.ResourceOptions(transforms=[protect]))
"""
    failed = previewed(tmp_path, TOPIC + program, check=2)
    assert "a transform changes its options" in failed.stderr


def test_preview_reads_the_stacks_settings(tmp_path):
    """Project and stack settings reach the program; an encrypted one is hidden, not decrypted."""
    (tmp_path / "Pulumi.yaml").write_text(
        "name: a\nruntime: {name: python}\nconfig: {size: 3, 'a:shape': {value: round}}"
    )
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'a:size': 4, 'a:key': {secure: v1:x}}")
    (tmp_path / "__main__.py").write_text(
        "import pulumi\nc = pulumi.Config()\n"
        "pulumi.export('all', f\"{c.require_int('size')} {c.require('shape')} {c.require('key')}\")"
    )
    assert "all = 4 round [secret]" in run("preview", tmp_path).stdout


def test_schema_is_the_published_one():
    """What the command prints is what the repository publishes."""
    published = (ROOT / "docs" / "reference" / "otherside.schema.json").read_text()
    assert json.loads(run("schema").stdout) == json.loads(published)


def test_sim_names_its_classes_of_fault_and_draws_only_some():
    """By the names that it lists; an unknown one is named."""
    listed = run("sim", "--faults", "list").output.split()
    assert {"kill", "stale", "primary-gone", "by-hand"} <= set(listed)
    done = run("sim", "--seeds", "20", "--faults", "primary-gone,kill", "--json")
    document = json.loads(done.stdout)
    assert (document["seeds"], document["failed"]) == (20, {})
    assert {trouble.split(" ")[0] for trouble in document["troubles"]} <= {"kill"}
    wrong = run("sim", "--faults", "kil", check=2)
    assert "unknown fault class: 'kil'" in wrong.stderr


@pytest.mark.parametrize("more", [("--seeds", "5"), ("--faults", "kill"), ("--fail-fast",)])
def test_what_the_matrix_would_ignore_is_refused(more):
    """It kills a function at every moment of its own scenarios."""
    assert f"--matrix does not take {more[0]}" in run("sim", "--matrix", *more, check=2).output


def test_sim_tells_a_seed_that_breaks_in_plain_words(monkeypatch):
    """With the smallest script that still does, and exit code 1; at the first one, if so asked."""
    sim = importlib.import_module("otherside.cli.sim")
    play, played = sim.run, []

    def broken(script):
        if not played:  # what a seed does is of no interest here: one plays for all
            played.append(play(script))
        return dataclasses.replace(played[0], script=script, broken=("I0: planted",))

    monkeypatch.setattr(sim, "run", broken)
    monkeypatch.setattr(sim, "shrink", lambda script: script)
    monkeypatch.setattr(sim, "_spread", lambda work, batches, *_, **__: map(work, batches))
    done = run("sim", "--seeds", "200", "--seed", "7", "--fail-fast", check=1)
    assert done.output.startswith("50 seeds")
    assert "seed 7, shrunk:" in done.output
    assert "BROKEN: I0: planted" in done.output


def test_preview_names_a_configuration_from_where_it_was_asked(tmp_path, monkeypatch):
    """An editor jumps to `orders/otherside.toml:4`, and to no file of another directory."""
    project = tmp_path / "orders"
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "orders", "--domain", "o.example.com"]).exit_code == 0
    (project / "otherside.toml").write_text('name = "orders"\n[objectives]\nrto = "5 minutes"\n')
    done = CliRunner().invoke(main, ["preview", "orders"])
    assert done.exit_code == 2
    assert "orders/otherside.toml:3: objectives.rto" in done.stderr
    assert "must be a duration such as 300s, 5m or 1h" in done.stderr


def test_init_says_a_command_that_can_be_pasted(tmp_path, monkeypatch):
    """Whatever the directory is called."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["init", "My App!", "--domain", "o.example.com"])
    assert done.stdout.splitlines()[-1] == "Next: otherside preview 'My App!'"


def test_a_mistyped_scenario_is_told_what_it_may_mean():
    """And where all of them are."""
    done = CliRunner().invoke(main, ["drill", "lost-regoin"])
    assert done.exit_code == 2
    assert "did you mean lost-region? `otherside drill --list` lists all" in done.output
