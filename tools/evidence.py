"""Run the drills that the documents show, and store their results: `make evidence`.

Numbers in the documents come from this machine, from one run of exactly the commands shown.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "docs" / "reference" / "evidence.json"
SAMPLE = ROOT / "docs" / "sample-report" / "report.html"
"""The report that the README shows."""
STACK = "examples/standard"
COMMAND = Path(sys.executable).with_name("otherside")


def drill(*arguments: str) -> tuple[int, str, Any]:
    """Run a drill; return its exit code, what it printed, and its JSON."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "result.json"
        done = subprocess.run(
            [
                *(str(COMMAND), "drill", "--stack", STACK, "--json", str(file)),
                *("--report", str(Path(place) / "report"), *arguments),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        told = json.loads(file.read_text(encoding="utf-8"))
        printed = done.stdout.replace(str(Path(place) / "report"), "drills/2026-01-31T120000")
        page = Path(place) / "report" / "lost-region" / "report.html"
        if page.exists():
            SAMPLE.parent.mkdir(parents=True, exist_ok=True)
            SAMPLE.write_bytes(page.read_bytes())
    return done.returncode, printed, told


def the_drill() -> tuple[int, dict[str, Any]]:
    """Run the default drill."""
    code, printed, told = drill()
    (told,) = told["drills"]
    numbers = ("verdict", "rto_write_s", "rto_read_s", "rpo_s")
    lines = [line.rstrip() for line in printed.splitlines()]
    return code, {"printed": lines, **{name: told[name] for name in numbers}}


def the_sabotage() -> tuple[int, dict[str, Any]]:
    """Run the drill with each failure injected."""
    code, _, table = drill("--sabotage", "all")
    return code, table


PARTS = {"drill": the_drill, "sabotage": the_sabotage}


def main(parts: list[str]) -> int:
    """Run the named parts, or all, and store their results; return the highest exit code."""
    kept = json.loads(EVIDENCE.read_text(encoding="utf-8")) if EVIDENCE.exists() else {}
    worst = 0
    for name in parts or PARTS:
        code, kept[name] = PARTS[name]()
        worst = max(worst, code)
    EVIDENCE.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {EVIDENCE.relative_to(ROOT)}; `make docs` shows it")
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
