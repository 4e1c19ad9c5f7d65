"""The mutation gate: every planted mistake is caught, or green tests mean nothing."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from sim.mutants import MUTANTS

SOURCE, TESTS = Path(str(files("otherside"))), Path(__file__).parents[1]
SEEDS = 5000
FIRST = 100
"""Seeds that are tried before the fast tests are: most mistakes are caught within them."""
HUNT = """
import sys
sys.path.insert(0, sys.argv[1])
import otherside
from otherside.sim.script import draw
from otherside.sim.swarm import run
assert otherside.__file__.startswith(sys.argv[1]), otherside.__file__
for seed in range(int(sys.argv[2]), int(sys.argv[3])):
    broken = run(draw(seed)).broken
    if broken:
        print(seed, broken[0])
        break
"""


def test_there_are_a_hundred_mistakes_and_more_and_each_can_still_be_planted():
    """What stands there is what the mutant replaces; a stale one proves nothing."""
    assert len(MUTANTS) >= 100
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1
    for mutant in MUTANTS:
        text = (SOURCE / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.right) == 1, mutant.name
        compile(text.replace(mutant.right, mutant.wrong), mutant.file, "exec")


def hunted(directory, first, last):
    """Return what the simulator finds within some seeds, or a crash: both are noticed."""
    command = [sys.executable, "-c", HUNT, str(directory), str(first), str(last)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    return done.stdout or (done.stderr if done.returncode else "")


def failing(directory):
    """Return what the fast tests of the orchestrator and the lease agent find."""
    rooms = [str(TESTS / name) for name in ("failover", "agent")]
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *rooms]
    done = subprocess.run(
        [*command, "-m", "not slow and not long"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": str(directory)},
    )
    assert done.returncode in {0, 1}, done.stdout[-2000:]
    return done.stdout if done.returncode else ""


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda item: item.name)
def test_a_planted_mistake_does_not_survive(mutant, tmp_path):
    """Within the fast tests and five thousand seeds, in a copy of the source with that change."""
    copy = tmp_path / "otherside"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / mutant.file
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")
    found = hunted(tmp_path, 0, FIRST) or failing(tmp_path) or hunted(tmp_path, FIRST, SEEDS)
    assert found, f"{mutant.name} survived the fast tests and {SEEDS} seeds"
