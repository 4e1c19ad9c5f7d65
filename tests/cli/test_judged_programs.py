"""A check never runs what it judges unless it is asked to, and never where it judges."""

import json
import os
import time

import pytest
from click.testing import CliRunner

from otherside.cli import main

PROJECT = "name: judged\nruntime: python\n"
TEMPLATE = {
    "Resources": {
        "D": {
            "Type": "AWS::RDS::DBCluster",
            "Properties": {"Engine": "aurora-postgresql", "MasterUserPassword": "hunter2hunter2"},
        }
    }
}
GOOD = """
import pulumi_aws as aws
aws.s3.Bucket("data", opts=None)
"""


@pytest.fixture
def judged(tmp_path):
    """Return what writes a program beside a template with a plain password."""

    def write(program):
        (tmp_path / "Pulumi.yaml").write_text(PROJECT)
        (tmp_path / "__main__.py").write_text(program)
        (tmp_path / "t.json").write_text(json.dumps(TEMPLATE))
        return tmp_path

    return write


def check(*arguments):
    """Run a check; return its exit code, and what it says to machines."""
    done = CliRunner().invoke(main, ["check", *map(str, arguments), "--format", "json"])
    assert "Traceback" not in done.output
    return done.exit_code, json.loads(done.stdout)


def codes(document):
    """Return the findings' codes."""
    return {finding["code"] for finding in document["findings"]}


@pytest.mark.parametrize(
    "program",
    [
        "import os; os._exit(0)",
        "while True: pass",
        "import otherside.cli.check as c; c.run_check = None",
        "open('was-run', 'w').close()",
    ],
)
def test_a_program_is_not_run_and_is_unknown_by_name(judged, program):
    """Whatever it would have done, the verdict on the rest stands, and says what was not read."""
    directory = judged(program)
    code, document = check(directory)
    assert code == 1
    assert "DR001" in codes(document)
    assert [
        finding["resource"] for finding in document["unknown"] if finding["code"] == "unread"
    ] == [str(directory)]
    assert not (directory / "was-run").exists()


def test_what_was_not_read_fails_where_nothing_may_be_unknown(judged):
    """And where nothing else was read, there is nothing to pass."""
    directory = judged(GOOD)
    (directory / "t.json").write_text('{"Resources": {"B": {"Type": "AWS::SNS::Topic"}}}')
    strict = ("--strict", "--fail-on", "never", "--single-region-ok")
    assert check(directory, *strict)[0] == 1
    (directory / "t.json").unlink()
    done = CliRunner().invoke(main, ["check", str(directory)])
    assert done.exit_code == 2
    assert "not read: " in done.stdout
    assert "no finding in what was read" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os._exit(0)", "exited with 0 and without an answer"),
        ("raise SystemExit(7)", "exited with 7"),
        ("print(undefined)", "NameError"),
        ("while True: pass", "did not end within 8 s"),
    ],
)
def test_a_program_that_is_run_ends_nothing_but_itself(judged, program, words):
    """One clear problem, and every finding of the rest."""
    began_s = time.monotonic()
    code, document = check(judged(program), "--run-programs", "--run-timeout", "8")
    assert code == 2
    assert "DR001" in codes(document)
    assert [problem for problem in document["problems"] if words in problem]
    assert time.monotonic() - began_s < 60


@pytest.mark.slow
def test_a_program_that_is_run_changes_nothing_of_the_judgement(judged):
    """Its process is another one."""
    program = "import otherside.check.engine as e, otherside.cli.check as c\n"
    program += "c.run_check = lambda g, cfg: e.Result()\n" + GOOD
    code, document = check(judged(program), "--run-programs")
    assert (code, "DR001" in codes(document)) == (1, True)
    assert not [item for item in document["unknown"] if item["code"] == "unread"]


@pytest.mark.slow
def test_a_program_that_is_run_gets_no_credentials(judged, monkeypatch):
    """Nor a home with some, nor anything else of the environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-you")
    monkeypatch.setenv("GITHUB_TOKEN", "nor-this")
    program = (
        "import os, pathlib\n"
        "known = {**os.environ, 'home': str(list(pathlib.Path.home().iterdir()))}\n"
        "raise RuntimeError(' '.join(f'{k}={v}' for k, v in known.items()))\n"
    )
    _, document = check(judged(program), "--run-programs")
    said = " ".join(document["problems"])
    assert "not-for-you" not in said
    assert "nor-this" not in said
    assert "GITHUB" not in said
    assert f"HOME={os.environ['HOME']} " not in said


@pytest.mark.slow
def test_a_configuration_confirms_what_the_command_line_names(judged, tmp_path):
    """Only one that is named itself: what lies in the directory that is judged confirms nothing."""
    directory = judged(GOOD)
    (directory / "otherside.toml").write_text("[check]\nrun_programs = true\n")
    _, document = check(directory)
    assert [item for item in document["unknown"] if item["code"] == "unread"]
    elsewhere = tmp_path.parent / f"{tmp_path.name}.toml"
    elsewhere.write_text("[check]\nrun_programs = true\n")
    _, document = check(directory, "--config", elsewhere)
    assert not [item for item in document["unknown"] if item["code"] == "unread"]
    _, document = check(directory.parent, "--config", elsewhere)
    assert [item for item in document["unknown"] if item["code"] == "unread"]


FOREIGN = """
import pulumi_aws as aws
vpc = aws.ec2.get_vpc(default=True)
aws.rds.Cluster("d", engine="aurora-postgresql", master_username="a", master_password=vpc.id + "x")
"""


def test_what_nobody_answers_is_unknown_and_what_is_answered_is_judged(judged, tmp_path):
    """A password made of an imagined identifier is none that a rule may accuse; a given one is."""
    directory = judged(FOREIGN)
    (directory / "t.json").unlink()
    assert "DR001" not in codes(check(directory, "--run-programs")[1])
    answers = tmp_path / "answers.yaml"
    answers.write_text('data: {"aws:ec2/getVpc:getVpc": {id: hunter2hunter2}}')
    assert "DR001" in codes(check(directory, "--run-programs", "--answers", answers)[1])


def test_answers_without_a_program_that_runs_are_refused(judged):
    """An option that does nothing would look as if it had."""
    directory = judged(GOOD)
    (directory / "answers.yaml").write_text("{}")
    asked = ["check", str(directory), "--answers", str(directory / "answers.yaml")]
    done = CliRunner().invoke(main, asked)
    assert (done.exit_code, "add --run-programs" in done.output) == (2, True)


SIDE = """
import pulumi, pulumi_aws as aws
aws.rds.GlobalCluster("g", global_cluster_identifier="orders")
aws.rds.Cluster("c", cluster_identifier="orders", engine="aurora-postgresql",
    master_username="admin", master_password="correct" + "-horse-battery")
"""


def test_stacks_that_are_a_region_each_are_judged_as_what_recovers_together(judged):
    """Alone, each lacks another Region; given together, none does, and each still has its own."""
    directory = judged(SIDE)
    (directory / "t.json").unlink()
    for stack, region in (("east", "us-east-1"), ("west", "us-west-2")):
        (directory / f"Pulumi.{stack}.yaml").write_text(f"config:\n  aws:region: {region}\n")
    _, alone = check(directory, "--run-programs", "--stack", "east")
    assert "DR400" in codes(alone)
    _, both = check(directory, "--run-programs", "--stack", "east", "--stack", "west")
    assert "DR400" not in codes(both)
    passwords = [each["resource"] for each in both["findings"] if each["code"] == "DR001"]
    assert sorted(name.split(":")[2] for name in passwords) == ["east", "west"]
    assert both["problems"] == []
    _, none = check(directory, "--run-programs")
    assert "name one with --stack" in str(none["problems"])


NETWORK = """
import pulumi, pulumi_aws as aws
east = aws.Provider("east", region="us-east-1")
west = aws.Provider("west", region="us-west-2")
near = aws.ec2.Vpc("near", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(provider=east))
far = aws.ec2.Vpc("far", cidr_block="10.1.0.0/16", opts=pulumi.ResourceOptions(provider=west))
pulumi.export("near", near.id)
pulumi.export("far", far.id)
pulumi.export("password", pulumi.Output.secret("hunter2hunter2"))
"""
PEERING = """
import pulumi, pulumi_aws as aws
east = aws.Provider("east", region="us-east-1")
network = pulumi.StackReference(f"org/network/{pulumi.get_stack()}")
aws.ec2.VpcPeeringConnection("across", vpc_id=network.require_output("near"),
    peer_vpc_id=network.get_output("far"), peer_region=REGION,
    opts=pulumi.ResourceOptions(provider=east))
"""


def laid_out(place, **programs):
    """Write programs, one directory each, and return the directories."""
    for name, program in programs.items():
        (place / name).mkdir(exist_ok=True)
        (place / name / "Pulumi.yaml").write_text(PROJECT.replace("judged", name))
        (place / name / "__main__.py").write_text(program)
    return [place / name for name in programs]


TOGETHER = ("--select", "DR004", "--one-system", "--run-programs")


def unread(document):
    """Return why something was not read, as one text."""
    return " ".join(item["reason"] for item in document["unknown"] if item["code"] == "unread")


def test_a_program_gets_the_outputs_of_the_program_that_it_refers_to(tmp_path):
    """So that what lies between the two is judged."""
    whole = laid_out(tmp_path, network=NETWORK, peering=PEERING.replace("REGION", '"us-west-2"'))
    code, together = check(*whole, *TOGETHER)
    assert [item["message"] for item in together["findings"]] == [
        "nobody accepts it: it stays in pending-acceptance"
    ]
    assert (code, unread(together)) == (1, "")
    _, alone = check(tmp_path / "peering", *TOGETHER)
    assert "the output near of the stack org/network/preview was imagined" in unread(alone)


def test_a_secret_of_another_program_is_not_passed_on(tmp_path):
    """It is imagined, as it is where nothing of that program was read."""
    asked = 'network.get_output("password").apply(lambda _: "us-west-2")'
    whole = laid_out(tmp_path, network=NETWORK, peering=PEERING.replace("REGION", asked))
    _, together = check(*whole, *TOGETHER)
    assert unread(together) == "the output password of the stack org/network/preview was imagined"
    assert "hunter2" not in json.dumps(together)


def test_programs_that_refer_to_one_another_end(tmp_path):
    """Nobody knows the first value."""
    program = """
import pulumi
other = pulumi.StackReference(f"org/{OTHER}/{pulumi.get_stack()}")
pulumi.export("value", other.get_output("value"))
"""
    two = {name: program.replace("OTHER", f"'{other}'") for name, other in (("a", "b"), ("b", "a"))}
    _, document = check(*laid_out(tmp_path, **two), *TOGETHER)
    assert document["problems"] == []
    assert len([item for item in document["unknown"] if item["code"] == "unread"]) == 2


@pytest.mark.parametrize("main_", ["", "main: infra/\n"], ids=["beside", "in-main"])
def test_a_bundle_is_where_the_program_runs_and_not_where_the_check_does(tmp_path, main_):
    """As Pulumi has it: `main` is the working directory of the program."""
    program = tmp_path / "stack" / ("infra" if main_ else "")
    (program / "code").mkdir(parents=True)
    (tmp_path / "stack" / "Pulumi.yaml").write_text(PROJECT + main_)
    (program / "code" / "handler.py").write_text("def main(event, context):\n    return event\n")
    (program / "__main__.py").write_text(
        "import pulumi, pulumi_aws as aws\n"
        "role = aws.iam.Role('r', assume_role_policy='{}')\n"
        "aws.lambda_.Function('failover', runtime='python3.13', handler='failover.main',\n"
        "    role=role.arn, code=pulumi.FileArchive('./code'), region='us-west-2')\n"
    )
    _, document = check(tmp_path / "stack", "--run-programs", "--select", "DR012")
    (found,) = document["findings"]
    assert found["message"] == "its handler is failover.main, and its bundle has no failover.py"


def test_an_archive_at_a_point_is_at_the_root_of_its_bundle(tmp_path):
    """Pulumi's own templates write `AssetArchive({".": FileArchive("./app")})`."""
    (tmp_path / "app").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "app" / "app.py").write_text("def handler(event, context):\n    return event\n")
    for handler, found in (("app.handler", 0), ("index.handler", 1)):
        (tmp_path / "__main__.py").write_text(
            "import pulumi, pulumi_aws as aws\n"
            "role = aws.iam.Role('r', assume_role_policy='{}')\n"
            f"aws.lambda_.Function('status', runtime='python3.13', handler='{handler}',\n"
            "    role=role.arn, region='us-west-2',\n"
            "    code=pulumi.AssetArchive({'.': pulumi.FileArchive('./app')}))\n"
        )
        _, document = check(tmp_path, "--run-programs", "--select", "DR012")
        assert len(document["findings"]) == found
