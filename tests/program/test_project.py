"""A Pulumi project on disk, and what of it is loaded ahead."""

import sys

import pytest

from otherside.program.project import read_project

PROGRAM = """
import json
import own_module
import pulumi
import pulumi_random_and_missing
from otherside.regions import REGIONS

raise SystemExit("it was run")
"""


@pytest.fixture
def project(tmp_path):
    """Return how a project of one program is made."""

    def make(text):
        (tmp_path / "Pulumi.yaml").write_text("name: made\nruntime: python\n")
        (tmp_path / "__main__.py").write_text(text)
        (tmp_path / "own_module.py").write_text("raise SystemExit('it was run')")
        return read_project(tmp_path)

    return make


def test_libraries_are_loaded_and_nothing_of_its_own_is_run(project, monkeypatch):
    """A module of its own may declare resources, and one that is missing is its own to tell."""
    monkeypatch.delitem(sys.modules, "otherside.regions")
    project(PROGRAM).load()
    assert "otherside.regions" in sys.modules
    assert "own_module" not in sys.modules


@pytest.mark.parametrize("text", ["import (", "\0", "import pulumi.no_such_module\n"])
def test_a_program_that_cannot_be_read_is_none_of_loadings_business(project, text):
    """It fails where it is run, with its own words."""
    project(text).load()


@pytest.mark.parametrize("main", ["tap.py", "app", "."])
def test_main_is_a_file_or_a_directory_as_for_pulumi(tmp_path, main):
    """Most programs in Python that are published name a file."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: made\nruntime: python\nmain: {main}\n")
    (tmp_path / "app").mkdir()
    for file in ("tap.py", "__main__.py", "app/__main__.py"):
        (tmp_path / file).write_text("")
    wanted = tmp_path / {"tap.py": "tap.py", "app": "app/__main__.py", ".": "__main__.py"}[main]
    assert read_project(tmp_path).main == wanted
