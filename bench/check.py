"""Compare `otherside check` with checkov and cfn-lint on the same files, in one run.

The files are our own stack as a plan and as templates: intact, and with each of the fifteen
failures in it. A checker finds a failure if it reports something on the broken stack that it does
not report on the intact one. Growth is measured on plans of many such stacks, each its own module.

checkov is not one of our dependencies: the first run installs it into `.venv/.checkov`, or
`--checkov PROGRAM` names it; without it, the table has no column for it. The benchmark takes about
five to ten minutes, one of them for otherside; `--quick` skips the large plans.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT / "tests")  # in the place of this directory, whose `check` is this file

from check import dialect_writer as writing  # noqa: E402 - the path comes first
from check.stack_mutations import BREAKS, NOT_IN, Broken  # noqa: E402 - as above
from check.stack_under_test import exported, graph_of, specs_of  # noqa: E402 - as above
from check.test_stack_mutations import written  # noqa: E402 - as above

FIFTEEN = [f"DR{number:03}" for number in range(1, 16)]
SIZES = (1_000, 10_000, 100_000)
LIMIT_S = 300
Found = Callable[[str], set[str]]


@dataclass(frozen=True)
class Run:
    """Result of one run of a checker."""

    seconds: float
    peak_mb: float
    found: set[str]
    """What it reports: rules and resources."""

    def __str__(self) -> str:
        """Return seconds and megabytes."""
        return f"{self.seconds:7.2f} s {self.peak_mb:6.0f} MB"


SHIM = """
import os, resource, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stderr=subprocess.DEVNULL)
resource.prlimit(child.pid, resource.RLIMIT_CPU, (int(sys.argv[1]),) * 2)
_, status, usage = os.wait4(child.pid, 0)
print(os.WIFSIGNALED(status), usage.ru_maxrss, file=sys.stderr)
"""
"""Starts a checker from a small process: a child's peak is never below its parent's memory."""


def run(command: list[str], read: Found) -> Run | None:
    """Run a checker in its own process; return `None` if it exceeds the time limit."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-S", "-c", SHIM, str(LIMIT_S), *command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )
    seconds = time.perf_counter() - start
    killed, peak_kb = done.stderr.split()[-2:]
    return None if killed == "True" else Run(seconds, int(peak_kb) / 1024, read(done.stdout))


def ours_says(text: str) -> set[str]:
    """Return otherside's findings on a stack."""
    return {f"{finding['code']} {finding['resource']}" for finding in json.loads(text)["findings"]}


def checkov_says(text: str) -> set[str]:
    """Return checkov's failed checks and their resources."""
    document = json.loads(text[text.index("[" if text.lstrip()[:1] == "[" else "{") :])
    reports = document if isinstance(document, list) else [document]
    return {
        f"{check['check_id']} {check['resource']}"
        for report in reports
        for check in report.get("results", {}).get("failed_checks", [])
    }


def cfn_lint_says(text: str) -> set[str]:
    """Return cfn-lint's errors and warnings and their locations."""
    return {
        f"{load['Rule']['Id']} {'/'.join(str(step) for step in load['Location']['Path'] or [])}"
        for load in json.loads(text or "[]")
        if load["Level"] in {"Error", "Warning"}
    }


def checkov_program(given: str | None) -> str | None:
    """Return the path of checkov, installing it if necessary, or `None`."""
    if given:
        return given
    home = ROOT / ".venv" / ".checkov"
    program = home / "bin" / "checkov"
    if not program.exists():
        print("installing checkov into .venv/.checkov", file=sys.stderr)
        venv.create(home, with_pip=True)
        install = [str(home / "bin" / "pip"), "install", "--quiet", "checkov"]
        if subprocess.run(install, check=False).returncode:
            return None
    return str(program)


def plan_of(broken: Broken) -> dict[str, Any]:
    """Return a stack as a plan."""
    document: dict[str, Any] = writing.Terraform(list(broken.specs.values())).document()
    for resource_change in document["resource_changes"]:
        resource_change["change"]["before"] = None
    document["planned_values"] = planned(document["resource_changes"])
    return document


def planned(changes: list[Any]) -> dict[str, Any]:
    """Return the part of a plan that repeats each resource, which is what checkov reads."""
    resources = [
        {
            **{key: change[key] for key in ("address", "mode", "type", "name")},
            "values": change["change"]["after"] or {},
        }
        for change in changes
        if change["mode"] == "managed"
    ]
    return {"root_module": {"resources": resources}}


def templates_of(broken: Broken, directory: Path) -> list[Path]:
    """Write a stack as a template for each Region."""
    specs = written(broken.specs.values(), "cloudformation")
    files = []
    for region, document in writing.CloudFormation(specs).documents().items():
        files.append(directory / f"{region}.json")
        files[-1].write_text(json.dumps(document))
    return files


def commands(directory: Path, checkov: str | None) -> dict[str, tuple[list[str], Found]]:
    """Return each checker's command line for the files in a directory."""
    plan = str(directory / "plan.json")
    templates = sorted(str(path) for path in directory.glob("us-*.json"))
    regions = [
        word for template in templates for word in ("--region", f"{template}={Path(template).stem}")
    ]
    python = [sys.executable, "-m"]
    found: dict[str, tuple[list[str], Found]] = {
        "otherside, plan": (
            [*python, "otherside.cli", "check", plan, "--format", "json"],
            ours_says,
        ),
        "otherside, templates": (
            [*python, "otherside.cli", "check", *templates, *regions, "--format", "json"],
            ours_says,
        ),
        "cfn-lint, templates": (
            [str(Path(sys.executable).parent / "cfn-lint"), *templates, "--format", "json"],
            cfn_lint_says,
        ),
    }
    if checkov is not None:
        quiet = ["--output", "json", "--compact", "--quiet", "--skip-download"]
        found["checkov, plan"] = ([checkov, "--file", plan, *quiet], checkov_says)
        files = [word for template in templates for word in ("--file", template)]
        found["checkov, templates"] = ([checkov, *files, *quiet], checkov_says)
    return found


def fifteen(specs: list[Any], checkov: str | None) -> None:
    """Print which of the fifteen failures each checker finds, with its time and memory."""
    with tempfile.TemporaryDirectory() as parent:
        whole = Path(parent, "whole")
        whole.mkdir()
        base = Broken(pickle.dumps(specs))
        (whole / "plan.json").write_text(json.dumps(plan_of(base)))
        templates_of(base, whole)
        before = {name: run(*command) for name, command in commands(whole, checkov).items()}
        names = list(before)
        print(f"{'our own stack, intact':<24}" + "".join(f"{name:>24}" for name in names))
        print(f"{'time and peak memory':<24}" + "".join(f"{before[n]!s:>24}" for n in names))
        noise = [len(item.found) if item else 0 for item in before.values()]
        print(f"{'findings':<24}" + "".join(f"{count:>24}" for count in noise), flush=True)
        hits = dict.fromkeys(names, 0)
        for code in FIFTEEN:
            place = Path(parent, code)
            place.mkdir()
            broken = Broken(pickle.dumps(specs))
            BREAKS[code](broken)
            (place / "plan.json").write_text(json.dumps(plan_of(broken)))
            templates_of(broken, place)
            row = ""
            for name, command in commands(place, checkov).items():
                if "templates" in name and "cloudformation" in NOT_IN.get(code, {}):
                    row += f"{'cannot be written':>24}"
                    continue
                after, first = run(*command), before[name]
                new = after.found - first.found if after and first else set()
                hits[name] += bool(new)
                row += f"{', '.join(sorted({each.split()[0] for each in new})) or '-':>24}"
            print(f"{code:<24}{row}", flush=True)
        print(f"{'found of 15':<24}" + "".join(f"{hits[name]:>24}" for name in names))


def many(specs: list[Any], size: int, file: Path) -> int:
    """Write a plan of about `size` resources: copies of our stack, each its own module."""
    base = plan_of(Broken(pickle.dumps(specs)))
    count = max(1, round(size / len(base["resource_changes"])))
    large = writing.repeated(base, count)
    large["planned_values"] = planned(large["resource_changes"])
    file.write_text(json.dumps(large))
    return len(large["resource_changes"])


def growth(specs: list[Any], checkov: str | None) -> None:
    """Print time and memory by size of the plan."""
    print(f"\n{'growth, plans of':<24}{'otherside':>24}{'checkov':>24}")
    with tempfile.TemporaryDirectory() as parent:
        for size in SIZES:
            file = Path(parent, "plan.json")
            count = many(specs, size, file)
            row = f"{f'{count:,} resources':<24}"
            found = commands(Path(parent), checkov)
            for name in ("otherside, plan", "checkov, plan"):
                if name not in found or (size > SIZES[1] and name.startswith("checkov")):
                    row += f"{'not run':>24}"
                    continue
                item = run(*found[name])
                row += f"{item!s:>24}" if item else f"{f'stopped, {LIMIT_S} s of CPU':>24}"
            print(row, flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkov", help="checkov's program; default: installed into .venv/.checkov"
    )
    parser.add_argument("--quick", action="store_true", help="skip the large plans")
    asked = parser.parse_args()
    checkov = checkov_program(asked.checkov)
    specs = specs_of(graph_of(exported()))
    fifteen(specs, checkov)
    if not asked.quick:
        growth(specs, checkov)


if __name__ == "__main__":
    main()
