"""The house's own rules, kept by a test."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def python(*arguments):
    """Run Python in the checkout; return what became of it."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_data_flows_one_way(monkeypatch):
    """The import contracts hold."""
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


@pytest.mark.slow  # `make check` asks by itself
def test_the_reference_is_what_the_code_says():
    """Generated pages are fresh."""
    done = python("tools/docs.py", "--check")
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("file", TESTS, ids=lambda item: item.stem)
def test_every_test_says_what_it_claims(file):
    """A sentence in each docstring."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), node.name


@pytest.mark.parametrize("file", SOURCES, ids=lambda item: item.relative_to(ROOT).as_posix())
def test_every_function_fits_a_screen(file):
    """Seventy lines, and every module opens with its job."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno <= 72, node.name


GUESTS = [
    *(ROOT / "src/otherside/twin/guest").rglob("*.py"),
    ROOT / "src/otherside/twin/host/supervisor.py",
]


@pytest.mark.parametrize("file", GUESTS, ids=lambda file: file.name)
def test_what_runs_beside_a_guest_loads_the_standard_library_alone(file):
    """A list of what may be loaded, and none of what may not."""
    own = {
        "otherside",
        "psycopg",
        "twin_line",
    }  # psycopg2 is shown as psycopg, where it is installed
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names | own, name
            if name.startswith("otherside"):
                assert name.startswith("otherside.twin.guest"), name


FORMER = {
    "Ground",
    "Happening",
    "Trail",
    "Asked",
    "Holder",
    "Extension",
    "keys_behind",
    "Kept",
    "Watching",
    "Whole",
    "DatabaseDoor",
    "Geography",
    "Nursery",
    "nursery",
    "Zygote",
    "zygote",
    "Warp",
    "Birth",
    "Hands",
    "Moment",
    "Claim",
    "TwinStage",
    "Story",
    "Rehearsed",
    "Breaker",
    "Ill",
    "Spell",
    "Hostility",
    "NASTY",
    "Truth",
    "Facts",
    "Heard",
    "Ledger",
    "Shelf",
    "Pulse",
    "AwsWorld",
    "Declared",
    "DeclareError",
    "DesignError",
    "Undecided",
    "Excused",
    "Unsure",
    "Access",
    "Balancers",
    "Bus",
    "Checkers",
    "Cloud",
    "Door",
    "Gateway",
    "Look",
    "Lost",
    "Proof",
    "Stage",
    "Subject",
    "Terms",
    "Wanted",
    "deafen",
    "behead",
    "misdirect",
    "objection",
    "recall",
    "rehearse",
    "_heed",
    "_remember",
    "happenings",
    "keeper",
    "keepers",
    "spells",
    "ills",
    "unwoken",
    "rewoken",
    "one",
}
"""Names that were ours alone, until the field's own replaced them: they do not come back."""
NAMED = sorted(
    path for room in ("src", "tests", "tools", "bench") for path in (ROOT / room).rglob("*.py")
)


@pytest.mark.parametrize("file", NAMED, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_names_are_the_fields_own(file):
    """No class, function, argument or variable has a former name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name):
            found.add(node.id)
    assert not found & FORMER


def test_a_class_name_stands_for_one_thing():
    """No two modules define a class of one name."""
    defined = {}
    for file in SOURCES:
        if "check/rules" in file.as_posix():
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                defined.setdefault(node.name, set()).add(file.relative_to(ROOT).as_posix())
    assert {name: files for name, files in defined.items() if len(files) > 1} == {}


SAME_MODULE = {
    "app": "the twin's composition, and the sample application that is copied to instances",
    "faults": "of the AWS API on the twin, and of the simulated world",
    "history": "what really happened in a simulated run, and the command of that name",
    "provider": "one a service, by design",
    "provision": "one a service, by design",
    "schema": "of the checker's graph, and the command of that name",
    "twin": "the twin, and the command of that name",
}
"""Names of several modules, and why."""


def test_a_module_name_stands_for_one_thing():
    """But for those that are explained."""
    lying = {}
    for file in SOURCES:
        if file.stem not in {"__init__", "__main__"} and "check/rules" not in file.as_posix():
            lying.setdefault(file.stem, []).append(file.relative_to(ROOT).as_posix())
    shared = {name for name, files in lying.items() if len(files) > 1}
    assert shared == set(SAME_MODULE)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-site.lock"])
def test_the_lock_names_no_registry_and_hashes_everything(lock):
    """Any index serves, and none can serve something else."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?:|--index|--find", text)
    pins = re.findall(r"^[a-z0-9][\w.\[\],-]*==", text, re.MULTILINE)
    assert len(pins) > 15
    assert len(re.split(r"^[a-z0-9][\w.\[\],-]*==", text, flags=re.MULTILINE)[1:]) == len(pins)
    assert text.count("--hash=sha256:") >= len(pins)


def test_each_exception_carries_its_reason():
    """A suppressed rule says why, behind a dash or a second hash."""
    bare = re.compile(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\])\s*$", re.MULTILINE)
    wrong = [
        f"{source}: {m[0]}" for source in SOURCES for m in bare.finditer(source.read_text("utf-8"))
    ]
    assert wrong == []


def test_the_command_runs_without_the_extras():
    """The base install reads designs and prints help; what needs more says what it needs."""
    code = (
        "import sys\n"
        "for name in ('pulumi', 'pulumi_aws', 'boto3', 'yaml'): sys.modules[name] = None\n"
        "from otherside.cli import main\n"
        "main(['preview', 'examples/minimal'])\n"
    )
    done = python("-c", code)
    assert done.returncode == 2
    assert "pip install '.[infra]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_names_the_machine_it_was_written_on():
    """No absolute path of a checkout, no home directory."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    private = re.compile(rb"/(root|home)/[a-z]")
    tracked = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert [str(item) for item in tracked if private.search(item.read_bytes())] == []
