"""How disasters are played in tests, and what is asked of what came of them."""

import datetime as dt
import sys
from pathlib import Path

from otherside.drill.catalogue import CATALOGUE
from otherside.drill.detection_check import prove_one
from otherside.drill.outcome import Outcome
from otherside.drill.suite import SuiteOptions, run_suite
from otherside.drill.target import read_target

STANDARD = Path(__file__).parents[2] / "examples" / "standard"
COMMAND = str(Path(sys.executable).with_name("otherside"))
KNOWN = {item.name: item for item in CATALOGUE}
SPEED = 7.0
"""The most: other tests run on the same machine meanwhile, and a twin slows down for them."""


def options(directory, *, speed=SPEED):
    """Return how a drill is played in a test."""
    return SuiteOptions(
        speed=speed,
        latency=True,
        seed=1,
        clients=2,
        directory=directory,
        started=dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
    )


def play(directory, *names, **more):
    """Play scenarios; return what each came to."""
    scenarios = [KNOWN[name] for name in names]
    return list(run_suite(scenarios, read_target(STANDARD), options(directory, **more)))


def noticed(failure, directory):
    """Bring a failure back on a twin of its own, and see that it is noticed by its own symptom."""
    proof = prove_one(failure, read_target(STANDARD), options(directory))
    assert proof.missed == ()
    assert proof.good, proof.observed


def complaints(result):
    """Return every claim that did not pass, and why."""
    return [
        f"{other_result.verdict}: {other_result.claim}: {other_result.reason}"
        for other_result in result.found
        if other_result.verdict is not Outcome.PASSED
    ]


def judged(done):
    """Return what did not pass, and the reports of those drills for whoever reads that."""
    found = {item.scenario.name: complaints(item.result) for item in done}
    reports = [
        item.page.with_suffix(".md").read_text() for item in done if found[item.scenario.name]
    ]
    return {name: each for name, each in found.items() if each}, "\n".join(reports)
