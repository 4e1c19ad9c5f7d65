"""A benchmark that does not start measures nothing, and nobody notices until somebody asks it."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = sorted(Path(__file__).parents[2].glob("bench/*.py"))
LOAD = (
    "import runpy, sys; sys.path[0] = sys.argv[2]; runpy.run_path(sys.argv[1], run_name='loaded')"
)


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.stem)
def test_every_benchmark_loads_as_a_program_of_its_own(bench):
    """With its own directory first on the path, where its name hides others."""
    command = [sys.executable, "-c", LOAD, str(bench), str(bench.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_benchmark_is_on_the_page():
    """`make bench` runs each of them, and the page says what each compares."""
    tool = Path(__file__).parents[2] / "tools" / "benchmarks.py"
    known = runpy.run_path(str(tool))
    assert {*known["BENCHES"], *known["APART"]} == {bench.stem for bench in BENCHES}
    for name, page in known["APART"].items():
        assert f"bench/{name}.py" in (tool.parents[1] / page).read_text(encoding="utf-8")


def test_a_benchmark_that_there_is_not_is_refused_by_name():
    """With those that there are."""
    tool = Path(__file__).parents[2] / "tools" / "benchmarks.py"
    command = [sys.executable, str(tool), "drill"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no benchmark drill: there are preview, functions" in done.stderr
