"""Drills that end before their disaster: refused deployments, and somebody's Ctrl-C.

They prove nothing about time, so they may be played beside others; `test_drills.py` may not.
"""

import os
import signal
import subprocess
import time

import psutil
import pytest

from drill.drill_helpers import COMMAND, STANDARD, noticed
from otherside.drill.known_failures import FAILURES
from otherside.drill.recording import Recording

REFUSED = [failure for failure in FAILURES if failure.number in {5, 13}]


@pytest.mark.slow
@pytest.mark.parametrize("failure", REFUSED, ids=lambda item: item.key)
def test_a_sabotage_is_refused_with_its_own_symptom(failure, tmp_path):
    """The deployment itself says what is wrong."""
    noticed(failure, tmp_path)


def start(directory):
    """Start a drill as a person would; return the process."""
    return subprocess.Popen(
        [
            *(COMMAND, "drill", "--stack", str(STANDARD)),
            *("--report", str(directory), "--speed", "8"),
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
    process = start(tmp_path)
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
    deadline_s = time.monotonic() + 60
    while any(child.is_running() for child in family) and time.monotonic() < deadline_s:
        time.sleep(0.1)
