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
