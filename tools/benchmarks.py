"""Run every benchmark, one after the other, and keep what they print: `make bench`.

The page says on which machine that was: numbers of two machines are not compared, and those of one
page come from one run. A benchmark that fails leaves the page as it was.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
BENCHES = {
    "preview": "A preview of our program, beside Pulumi's own mocks",
    "functions": "What Lambda loads, beside the SDK alone",
    "twin": "A twin, beside moto's server",
    "check": "The check, beside checkov and cfn-lint",
    "precision": "False alarms and misses of the check, on the corpus of the tests",
    "recovery": "Recovery, in the simulator",
}
"""Each script of `bench/`, and what it compares."""
APART = {"failover_vs_patroni": "docs/reference/patroni.md"}
"""Scripts that take an hour, and keep their own page by `--write`."""
HEAD = """# Benchmarks

Measured on {day} by `make bench`, on {machine}, with CPython {python} and otherside {ours}. Every
table is from one run of one script in `bench/`, which says what is compared and how; peer and we
take turns on that machine. Do not compare these numbers with those of another machine.
"""


def machine() -> str:
    """Return what a reader needs to know of this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return f"{cores} cores of {names[0] if names else platform.machine()}"


def measured(name: str) -> str:
    """Run one benchmark and return what it printed."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / f"{name}.py")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"bench/{name}.py failed with {done.returncode}; {PAGE.name} is as it was")
    print(f"{name}: {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    return done.stdout.strip()


def main() -> None:
    """Write the page anew, or print what some of the benchmarks say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, and only printed")
    asked = parser.parse_args()
    unknown = set(asked.names) - BENCHES.keys()
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(BENCHES)}")
    if asked.names:
        for name in asked.names:
            print(measured(name))
        return
    head = HEAD.format(
        day=time.strftime("%Y-%m-%d"),
        machine=machine(),
        python=platform.python_version(),
        ours=version("otherside"),
    )
    parts = [
        f"## {title}\n\n`bench/{name}.py`\n\n```text\n{measured(name)}\n```\n"
        for name, title in BENCHES.items()
    ]
    PAGE.write_text("\n".join([head, *parts]), encoding="utf-8")


if __name__ == "__main__":
    main()
