"""Disasters, played on twins: the stack recovers, keeps its hands off, and each sabotage shows."""

import base64
import dataclasses
import json
import os
import shutil
import signal
import subprocess

import psutil
import pytest

from drill.drill_helpers import COMMAND, KNOWN, SPEED, STANDARD, judged, noticed, options, play
from otherside.components.disaster_recovery import LEASE_FILE
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.detection_check import prove, prove_together
from otherside.drill.known_failures import FAILURES, inspection
from otherside.drill.outcome import Outcome
from otherside.drill.recording import Recording
from otherside.drill.suite import run_suite
from otherside.drill.target import read_target

QUICK = ["broken-probe", "blip", "lost-region"]
"""The default drill, and two of what must not become a failover; they play on one twin: what mends
fastest first, and nothing after what cannot be mended."""


@pytest.mark.slow
def test_what_is_no_disaster_moves_nothing_and_a_lost_region_everything(tmp_path):
    """On one twin, each mended before the next: everything that is promised holds."""
    done = play(tmp_path, *QUICK)
    found, reports = judged(done)
    assert found == {}, reports
    prove_default(done[-1])


def prove_default(item):
    """Look into what the default drill leaves: its numbers for machines, and its recording."""
    told = json.loads(item.page.with_name("report.json").read_text(encoding="utf-8"))
    assert told["verdict"] == "passed"
    assert 60 < told["rto_write_s"] <= 300
    assert told["writes_acknowledged"] > 30
    assert item.result.measures.outages_write, "a disaster that nobody noticed was none"
    assert Recording.read(item.page.parent).ended == "finished"


@pytest.mark.long
@pytest.mark.parametrize("name", [item.name for item in CATALOGUE if item.name not in QUICK])
def test_a_scenario_comes_to_what_it_expects(name, tmp_path):
    """Each of the others, on a twin of its own."""
    found, reports = judged(play(tmp_path, name))
    assert found == {}, reports


ORCHESTRATOR = "otherside:index:FailoverOrchestrator$"


def without_orchestrator(item):
    """Leave the orchestrator out, and have the application ask no lease that nobody would open."""
    if ORCHESTRATOR in item.urn:
        return None
    if item.type == "aws:ec2/launchTemplate:LaunchTemplate":
        script = base64.b64decode(item.inputs["userData"]).decode()
        assert LEASE_FILE in script
        data = base64.b64encode(script.replace(LEASE_FILE, "none").encode()).decode()
        return dataclasses.replace(item, inputs={**item.inputs, "userData": data})
    return item


@pytest.mark.long
def test_a_stack_without_an_orchestrator_stays_lost(tmp_path):
    """It is drilled all the same: users are led away, and nobody moves the writer."""
    target, lost = read_target(STANDARD), KNOWN["lost-region"]
    (item,) = run_suite([lost], target, options(tmp_path), change=without_orchestrator)
    found = {each.claim: (each.verdict, each.reason) for each in item.result.found}
    report = item.page.with_suffix(".md").read_text()
    assert found["steady before the disaster"][0] is Outcome.PASSED, report
    assert found["steady before the disaster"][1].endswith("no orchestrator deployed"), report
    assert found["writes recover in time"] == (Outcome.FAILED, "writes did not recover"), report
    assert found["users end on the standby"][0] is Outcome.PASSED, report
    assert found["the writer is moved once"][0] is Outcome.FAILED, report


APART = [failure for failure in FAILURES if failure.number in {3, 7}]
TOGETHER = [{1, 2, 4, 8, 11, 12, 14, 15}, {6, 9, 10}]
"""Numbers of failures that touch nothing of one another, and share a twin in the tests."""


@pytest.mark.slow
@pytest.mark.parametrize("failure", APART, ids=lambda item: item.key)
def test_a_sabotage_is_noticed_by_its_own_symptom(failure, tmp_path):
    """The stack is broken in one place, and the claim fails that is about it."""
    noticed(failure, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", TOGETHER, ids=str)
def test_sabotages_that_share_a_twin_are_each_noticed(numbers, tmp_path):
    """Each by its own claim, in its own words."""
    failures = [failure for failure in FAILURES if failure.number in numbers]
    proofs = prove_together(failures, read_target(STANDARD), options(tmp_path))
    assert {proof.failure.key: proof.observed for proof in proofs if not proof.good} == {}


@pytest.mark.long
def test_all_are_noticed_one_by_one_and_the_correct_stack_passes_the_same(tmp_path):
    """Each failure on a twin of its own, and every claim of theirs on the correct stack."""
    proofs = list(prove(FAILURES, read_target(STANDARD), options(tmp_path)))
    assert len(proofs) == 1 + len(FAILURES)
    assert {
        str(proof.failure and proof.failure.key): proof.observed
        for proof in proofs
        if not proof.good
    } == {}


@pytest.mark.long
def test_an_application_of_another_shape_is_drilled_as_its_configuration_says(tmp_path):
    """Orders as JSON instead of entries: written, read back, and counted in the database."""
    target = read_target(STANDARD.parent / "own-application")
    (done,) = run_suite([KNOWN["lost-region"]], target, options(tmp_path), lambda _: None)
    found, reports = judged([done])
    assert found == {}, reports
    measures = done.result.measures
    assert measures.writes_acknowledged > 30
    assert measures.writes_lost == 0


@pytest.mark.long
def test_two_people_approve_and_sts_names_them(tmp_path):
    """The orchestrator on the twin sends both signatures to STS before it moves anything."""
    stack = tmp_path / "stack"
    shutil.copytree(STANDARD, stack)
    design = stack / "otherside.toml"
    design.write_text(design.read_text().replace('mode = "auto"', 'mode = "auto"\napprovers = 2'))
    target = read_target(stack)
    assert target.topology.failover.approvers == 2
    scenario = KNOWN["lagging-then-lost"]
    (done,) = run_suite([scenario], target, options(tmp_path / "drill", speed=5.0), lambda _: None)
    found, reports = judged([done])
    assert found == {}, reports


@pytest.mark.long
def test_the_correct_stack_passes_what_the_sabotages_are_noticed_by(tmp_path):
    """Otherwise a sabotage would prove nothing."""
    target = read_target(STANDARD)
    (done,) = run_suite([inspection(FAILURES)], target, options(tmp_path), lambda _: None)
    found, reports = judged([done])
    assert found == {}, reports


def start(directory):
    """Start a drill as a person would; return the process."""
    return subprocess.Popen(
        [
            *(COMMAND, "drill", "--stack", str(STANDARD)),
            *("--report", str(directory), "--speed", str(SPEED)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def wait_for_strike(process):
    """Wait until the drill has struck."""
    said = []
    for line in process.stdout:
        said.append(line)
        if "lose primary" in line:
            return
    pytest.fail(f"it never struck: {''.join(said)}")


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_a_drill_that_is_interrupted_leaves_a_journal_and_nothing_else(number, tmp_path):
    """No process, no twin; and a report can be made of what was recorded."""
    with start(tmp_path) as process:
        try:
            wait_for_strike(process)
            family = psutil.Process(process.pid).children(recursive=True)
            assert family
            process.send_signal(number)
            process.communicate(timeout=180)
        finally:
            process.kill()
    assert process.returncode == (130 if number is signal.SIGINT else -number)
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    recording = Recording.read(tmp_path / "lost-region")
    assert recording.ended == "interrupted"
    assert recording.strike_s is not None
    done = subprocess.run(
        [COMMAND, "report", str(tmp_path / "lost-region")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("UNKNOWN")
    page = (tmp_path / "lost-region" / "report.html").read_text(encoding="utf-8")
    assert "This drill was interrupted" in page
