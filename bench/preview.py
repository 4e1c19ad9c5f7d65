"""Compare `otherside preview` with Pulumi's own mocks on the same program, in one run.

Both run the standard stack in a fresh process. Pulumi's mocks are what a test of the same program
would otherwise use: they resolve nothing that AWS generates, and print nothing.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 7
OURS = "from otherside.cli import main; main(['preview', '{directory}', '--json'])"
IMPORTS = "import otherside.components.disaster_recovery"
PEER = """
import asyncio, pulumi, runpy, os
from pulumi.runtime.stack import run_pulumi_func
loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop)
class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return args.name, {{**args.inputs, "arn": "arn:aws:x:us-east-2:123456789012:y/" + args.name,
            "arnSuffix": "x", "dnsName": "x", "endpoint": "x", "readerEndpoint": "x", "zoneId": "x",
            "clusterResourceId": "x", "latestVersion": 1, "url": "x", "bucket": args.name,
            "nameServers": ["x"], "domainValidationOptions": [{{"resourceRecordName": "x",
                "resourceRecordType": "CNAME", "resourceRecordValue": "x"}}]}}
    def call(self, args):
        return {{"names": ["a", "b", "c", "d"], "accountId": "123456789012", "value": "ami-1",
            "randomPassword": "x", "arn": "arn:aws:iam::1:root"}}
pulumi.runtime.set_mocks(Mocks(), preview=False)
os.chdir('{directory}')
def program(): runpy.run_path('__main__.py', run_name='__main__') and None
loop.run_until_complete(run_pulumi_func(program))
"""


def timed(code: str) -> list[float]:
    """Run code in fresh processes; return the seconds that each took."""
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return seconds


def row(name: str, seconds: list[float]) -> str:
    """Return one line of the table."""
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    return f"{name:<38} {low:6.2f} {middle:6.2f} {high:6.2f}"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as parent:
        directory = Path(parent) / "orders"
        asked = ["init", str(directory), "--domain", "orders.example.com"]
        init = f"from otherside.cli import main; main({asked})"
        subprocess.run([sys.executable, "-c", init], check=True, capture_output=True)
        print(f"seconds over {RUNS} fresh processes           min median    max")
        print(row("imports alone", timed(IMPORTS)))
        print(row("Pulumi's own mocks, no output", timed(PEER.format(directory=directory))))
        print(row("otherside preview --json", timed(OURS.format(directory=directory))))
        print("target: 3 s for the whole stack, with output")


if __name__ == "__main__":
    main()
