"""What `otherside` exports, and that whoever is shown our code is shown nothing else."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import otherside
from otherside.extras import needs

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs" / "guide").glob("*.md")])
PROGRAMS = sorted(
    [*(ROOT / "examples").rglob("*.py"), *(ROOT / "src/otherside/cli/scaffold").glob("*.py.txt")]
)


def imports(text):
    """Return the modules of ours that a program imports from."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "otherside"}


@pytest.mark.parametrize("name", otherside.__all__)
def test_every_public_name_is_there(name):
    """With all extras installed, each name loads."""
    assert getattr(otherside, name) is not None
    assert name in dir(otherside)


def test_a_name_that_is_none_is_an_attribute_error():
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'DisasterRecovry'"):
        otherside.DisasterRecovry  # noqa: B018 - it is asked


@pytest.mark.parametrize(
    ("missing", "name", "extra"),
    [
        ("pulumi", "DisasterRecovery", "infra"),
        ("pulumi_policy", "policy_pack", "policy"),
        ("boto3", "Twin", "twin"),
    ],
)
def test_a_missing_extra_is_named(missing, name, extra):
    """One sentence that says what to install; and what needs nothing still loads."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "import otherside\n"
        "otherside.check_paths, otherside.read_config\n"
        f"try: otherside.{name}\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.stdout == needs(f"otherside.{name}", missing, extra) + "\n"
    assert f"pip install '.[{extra}]'" in done.stdout


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_examples_import_the_public_api_alone(file):
    """Whoever copies one depends on nothing that may move."""
    assert imports(file.read_text(encoding="utf-8").replace("@@NAME@@", "x")) <= {"otherside"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_show_the_public_api_alone(page):
    """Each block of Python in the README and the guides."""
    for block in re.findall(
        r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        assert imports(block) <= {"otherside"}, block


def test_a_scenario_of_ones_own_is_built_and_played(tmp_path, monkeypatch, capsys):
    """By the very program that the guide shows."""
    (block,) = re.findall(
        r"^```python\n(.*?)^```",
        (ROOT / "docs/guide/drill.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    monkeypatch.chdir(tmp_path)
    exec(compile(block.replace('"examples/', f'"{ROOT}/examples/'), "drill.md", "exec"), {})
    verdict, page = capsys.readouterr().out.split()
    assert verdict == "passed"
    assert Path(page).is_file()


def test_the_checker_is_a_function(tmp_path):
    """Findings for what was read, unread for a program, an error for what is no input."""
    (tmp_path / "main.tf").write_text(
        'provider "aws" {\n  region = "us-east-2"\n}\n'
        'resource "aws_db_instance" "a" {\n  password = "hunter2hunter2"\n}\n'
    )
    result = otherside.check_paths([tmp_path], otherside.CheckConfig(select=("DR400",)))
    assert [finding.rule.code for finding in result.findings] == ["DR400"]
    with pytest.raises(otherside.InputError, match="No such file"):
        otherside.check_paths([tmp_path / "missing"])
