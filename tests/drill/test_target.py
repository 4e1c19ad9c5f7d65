"""What a drill says of the stack that it was run on."""

import shutil
from pathlib import Path

import pytest

from otherside.drill.target import read_target

STANDARD = Path(__file__).parents[2] / "examples" / "standard"


@pytest.fixture
def project(tmp_path):
    """A copy of an example."""
    place = tmp_path / "standard"
    shutil.copytree(STANDARD, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.mark.parametrize(
    "file",
    [
        "drills/2026-01-31T120000/blip/report.json",
        ".venv/lib/library.py",
        "__pycache__/x.py",
        "node_modules/x/package.json",
    ],
)
def test_what_tools_and_drills_leave_behind_is_no_source(project, file):
    """Or the digest would name another version after each drill."""
    before = read_target(project).digest
    (project / file).parent.mkdir(parents=True)
    (project / file).write_text("{}")
    assert read_target(project).digest == before


def test_a_report_in_a_directory_of_any_name_is_no_source(project):
    """By the journal beside it."""
    before = read_target(project).digest
    (project / "game-day").mkdir()
    (project / "game-day" / "journal.jsonl").write_text("")
    (project / "game-day" / "report.json").write_text("{}")
    assert read_target(project).digest == before


def test_every_source_counts(project):
    """Whatever determines what is deployed."""
    before = read_target(project).digest
    (project / "app").mkdir(exist_ok=True)
    (project / "app" / "more.py").write_text("")
    assert read_target(project).digest != before
