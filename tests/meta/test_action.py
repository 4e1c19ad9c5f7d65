"""The GitHub Action: what it runs, and that nothing of its inputs is a command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BAD = 'resource "aws_db_instance" "a" {\n  password = "hunter2hunter2"\n}\n'


def act(tmp_path, **inputs):
    """Run what the action runs; return its exit code, its outputs and what it printed."""
    outputs = tmp_path / "outputs"
    outputs.touch()
    command = Path(sys.executable).with_name("otherside")
    done = subprocess.run(
        ["/bin/bash", ROOT / "tools" / "action.sh"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "GITHUB_OUTPUT": str(outputs),
            "OTHERSIDE": str(command),
            **inputs,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, told, done.stdout + done.stderr


@pytest.fixture
def system(tmp_path):
    """A directory whose name has a space and a quote, with a defect in it."""
    place = tmp_path / "my 'system"
    place.mkdir()
    (place / "main.tf").write_text('provider "aws" {\n  region = "us-east-2"\n}\n' + BAD)
    return place


def test_it_tells_how_many_findings_there_are(tmp_path, system):
    """As annotations, as outputs and by its exit code."""
    code, told, printed = act(tmp_path, PATHS=f"\n  {system}\n", ARGUMENTS="--fail-on\ncritical")
    assert code == 1
    assert told["exit-code"] == "1"
    assert int(told["findings"]) >= 1
    assert "::error" in printed


def test_arguments_are_one_a_line(tmp_path, system):
    """Each is one argument, whatever it contains."""
    code, told, _ = act(tmp_path, PATHS=str(system), ARGUMENTS="--ignore\nDR\n")
    assert (code, told["findings"]) == (0, "0")


def test_it_writes_sarif_where_it_is_asked_to(tmp_path, system):
    """Besides the annotations, and whatever the exit code."""
    _, _, printed = act(tmp_path, PATHS=str(system), SARIF=str(tmp_path / "a b.sarif"))
    assert '"version": "2.1.0"' in (tmp_path / "a b.sarif").read_text(), printed


@pytest.mark.parametrize("more", [{}, {"SARIF": "a.sarif"}])
def test_what_cannot_be_read_is_bad_input(tmp_path, more):
    """Exit code 2, no numbers, the error once, and nothing in an input is run."""
    code, told, printed = act(tmp_path, PATHS="$(touch owned); `touch owned`\nmissing", **more)
    assert printed.count("error: missing: No such file") == 1
    assert code == 2
    assert told["findings"] == ""
    assert "No such file" in printed
    assert not (tmp_path / "owned").exists()


def test_no_input_stands_in_a_script():
    """Inputs reach the shell as environment variables alone."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("file", [ROOT / "action.yml", *WORKFLOWS], ids=lambda file: file.name)
def test_actions_are_pinned_by_commit(file):
    """But the publisher, which asks for its branch."""
    for used in re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8")):
        if used not in {"./", "pypa/gh-action-pypi-publish@release/v1"}:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used), used


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_call_the_verbs_of_the_makefile(file):
    """CI does what a contributor does, with the least rights."""
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    verbs = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            ran = step.get("run", "make test")
            assert ran.startswith("test ") or ran.removeprefix("make ") in verbs, ran
