"""Measure what Lambda loads: the bundle's size, and its import time compared with the SDK's.

The baseline is boto3, which every function that calls AWS imports anyway. Both are imported in
fresh processes, in one run, from the archive and without bytecode, as on a cold start.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from otherside.components.bundle import write_bundle
from otherside.core.wire_contract import (
    ACTUATOR_HANDLER,
    DECIDER_HANDLER,
    ROTATION_HANDLER,
    WITNESS_HANDLER,
)

RUNS = 9
CODE = """
import json, sys, time
began = time.perf_counter()
import boto3, botocore.config, botocore.exceptions, urllib3
sdk = time.perf_counter() - began
sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
__import__(sys.argv[2].rpartition(".")[0])
print(json.dumps({"sdk": sdk, "ours": time.perf_counter() - began}))
"""


def measured(archive: Path, handler: str) -> tuple[float, float]:
    """Return the median seconds to import the SDK, and then the handler from the archive."""
    command = [sys.executable, "-B", "-c", CODE, str(archive), handler]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return (
        statistics.median(run["sdk"] for run in runs),
        statistics.median(run["ours"] for run in runs),
    )


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "bundle.zip"
        write_bundle(archive)
        print(f"bundle: {archive.stat().st_size / 1000:.0f} kB; medians of {RUNS} fresh processes")
        print(f"{'function':<12} {'boto3':>8} {'ours':>8}")
        for handler in (DECIDER_HANDLER, ACTUATOR_HANDLER, WITNESS_HANDLER, ROTATION_HANDLER):
            sdk, ours = measured(archive, handler)
            print(f"{handler.rpartition('.')[2]:<12} {sdk:>7.3f}s {ours:>7.3f}s")


if __name__ == "__main__":
    main()
