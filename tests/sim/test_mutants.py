"""The mutation gate: every planted mistake is caught, or a green simulator means nothing."""

import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from sim.mutants import MUTANTS

SOURCE = Path(str(files("otherside")))
SEEDS = 5000
HUNT = """
import sys
sys.path.insert(0, sys.argv[1])
import otherside
from otherside.sim.script import draw
from otherside.sim.swarm import run
assert otherside.__file__.startswith(sys.argv[1]), otherside.__file__
for seed in range(int(sys.argv[2])):
    broken = run(draw(seed)).broken
    if broken:
        print(seed, broken[0])
        break
"""


def test_there_are_twenty_mistakes_and_more_and_each_can_still_be_planted():
    """What stands there is what the mutant replaces; a stale one proves nothing."""
    assert len(MUTANTS) >= 20
    assert len({one.name for one in MUTANTS}) == len(MUTANTS)
    for one in MUTANTS:
        text = (SOURCE / one.file).read_text(encoding="utf-8")
        assert text.count(one.right) == 1, one.name


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_planted_mistake_does_not_survive(mutant, tmp_path):
    """Within five thousand seeds, in a copy of the source with that one change."""
    copy = tmp_path / "otherside"
    for room in ("core", "orchestrator", "sim"):
        shutil.copytree(SOURCE / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SOURCE / "__init__.py", copy)
    file = copy / mutant.file
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")
    command = [sys.executable, "-c", HUNT, str(tmp_path), str(SEEDS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout, f"{mutant.name} survived {SEEDS} seeds"
