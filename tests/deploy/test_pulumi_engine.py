"""The program through Pulumi's own engine: planned, deployed, unchanged, changed, and deleted.

The engine is Pulumi's; only its provider is a stand-in that takes every input. Without Pulumi's
command one is built by Go; where there is neither, there is nothing to test with.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = "v3.274.1"
BUILD_S = 1800
PASSPHRASE = "only-for-" + "this-test"
GO_MOD = f"""module engine
go 1.25
require (
    github.com/pulumi/pulumi/pkg/v3 {VERSION}
    github.com/pulumi/pulumi/sdk/v3 {VERSION}
)
"""
GO_SOURCE = """//go:build tools

package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
"""
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Return the directory of Pulumi's command: the installed one, or one that Go builds."""
    found = shutil.which("pulumi")
    if found is not None:
        return Path(found).parent
    if shutil.which("go") is None:
        pytest.skip("neither Pulumi's command nor Go is here")
    made = tmp_path_factory.mktemp("engine")
    (made / "go.mod").write_text(GO_MOD)
    (made / "tools.go").write_text(GO_SOURCE)
    version = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={VERSION}"
    package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
    for arguments in (
        ("mod", "tidy"),
        ("build", "-ldflags", version, "-o", str(made / "bin" / "pulumi"), package),
    ):
        subprocess.run(["go", *arguments], cwd=made, check=True, timeout=BUILD_S)
    return made / "bin"


@pytest.fixture(scope="module")
def environment(command, tmp_path_factory):
    """Return the environment of an engine that has a home, a backend and a provider of its own."""
    home = tmp_path_factory.mktemp("home")
    (home / "state").mkdir()
    plugin = home / "plugins" / "resource-aws-v7.51.1"
    plugin.mkdir(parents=True)
    stand_in = Path(__file__).with_name("stand_in_provider.py")
    start = plugin / "pulumi-resource-aws"
    start.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    start.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{command}:{os.environ['PATH']}",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{home}/state",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # no state table answers
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_MAX_ATTEMPTS": "1",
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Copy the standard example, which the engine writes its salt into."""
    copy = tmp_path_factory.mktemp("project") / "standard"
    shutil.copytree(ROOT / "examples" / "standard", copy)
    return copy


@pytest.fixture
def run(environment, project):
    """Run a command of ours, and return its code, its JSON or text, and what it said beside."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "otherside.cli", arguments[0], project.name, *arguments[1:]],
            env=environment,
            cwd=project.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        told = json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout
        return done.returncode, told, done.stderr

    return run


GATES = ("--accept", "state", "--accept", "failover")


def test_a_state_on_this_machine_is_refused(run):
    """Whoever loses the machine, or the Region that it stands in, deploys nothing any more."""
    code, _, said = run("up", "--dry-run", "--json")
    assert code == 1
    assert "`--accept state` goes ahead all the same" in said
    assert "on this machine alone" in said


def test_a_state_table_that_does_not_answer_is_refused(run):
    """A failover may be under way."""
    code, _, said = run("up", "--dry-run", "--json", "--accept", "state")
    assert code == 1
    assert "the state table does not answer" in said


def test_the_program_is_deployed_once_and_unchanged_the_second_time(run):
    """Everything is created by the engine; then there is nothing to change; outputs are shown."""
    code, told, said = run("up", "--dry-run", "--json", *GATES)
    assert code == 0, said
    created = told["planned"]["create"]
    assert set(told["planned"]) == {"create"}
    assert created > 400
    assert told["done"] == {}
    code, told, said = run("up", "--yes", "--json", *GATES)
    assert code == 0, said
    assert told["done"] == {"create": created}
    assert told["outputs"]
    code, told, said = run("up", "--yes", "--json", *GATES)
    assert (code, told["planned"], told["done"]) == (0, {}, {}), said
    code, told, _ = run("outputs", "--json")
    assert code == 0
    assert told


SMALLER = """
import pulumi


def smaller(args):
    if args.name == "orders-prod-standby" and "maxSize" in args.props:
        return pulumi.ResourceTransformResult({**args.props, "maxSize": 10}, args.opts)
    return None


pulumi.runtime.register_resource_transform(smaller)
"""


def test_a_smaller_standby_is_refused(run, project):
    """The engine's own steps say so, before anything is changed; the configuration never would."""
    file = project / "__main__.py"
    before = file.read_text()
    try:
        file.write_text(SMALLER + before)
        code, _, said = run("up", "--yes", "--json", *GATES, "--accept", "findings")
    finally:
        file.write_text(before)
    assert code == 1, said
    assert "this makes the standby smaller than the primary: instances 10 there, 20 here" in said
    assert "`--accept recovery` goes ahead all the same" in said


def test_everything_goes_again_when_that_was_accepted(run, project):
    """What a recovery needs is listed, and nothing is deleted before it was accepted."""
    code, _, said = run("destroy", "--yes", "--json", "--accept", "failover")
    assert (code, "resources are protected" in said) == (1, True), said
    file = project / "otherside.toml"
    file.write_text(f"protect = false\n{file.read_text()}")
    code, told, said = run(
        "up", "--yes", "--json", *GATES, "--accept", "recovery", "--accept", "findings"
    )
    assert code == 0, said
    assert told["gates"]["recovery"], "a protection that goes is told"
    code, _, said = run("destroy", "--yes", "--json", "--accept", "failover")
    assert code == 1, said
    assert "the replication of the database between the Regions goes" in said
    code, told, said = run(
        *("destroy", "--yes", "--json", "--accept", "failover", "--accept", "recovery")
    )
    assert code == 0, said
    assert told["done"]["delete"] > 400
