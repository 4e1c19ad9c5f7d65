"""Run what the documents show of a drill, and keep what came of it: `make evidence`.

Numbers in the documents are this machine's, from one run of the very commands that are shown.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "docs" / "reference" / "evidence.json"
STACK = "examples/standard"
COMMAND = Path(sys.executable).with_name("otherside")


def drill(*arguments: str) -> tuple[int, str, Any]:
    """Run a drill; return its exit code, what it printed, and its JSON."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "result.json"
        done = subprocess.run(  # noqa: S603 - our own command
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
    return done.returncode, printed, told


def main() -> int:
    """Run both, and write what they came to; return 1 if either was not as it should be."""
    code, printed, told = drill()
    sabotage_code, _, table = drill("--sabotage", "all")
    kept = {
        "drill": {
            "printed": [line.rstrip() for line in printed.splitlines()],
            "verdict": told["verdict"],
            "rto_write_s": told["rto_write_s"],
            "rto_read_s": told["rto_read_s"],
            "rpo_s": told["rpo_s"],
        },
        "sabotage": table,
    }
    EVIDENCE.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {EVIDENCE.relative_to(ROOT)}; `make docs` shows it")
    return code or sabotage_code


if __name__ == "__main__":
    sys.exit(main())
