"""Run moto's own tests against plain moto and against a twin, and print both beside one another.

    python bench/moto_tests/run.py sts route53
    python bench/moto_tests/run.py --verbose kms

What moto's tests ask is what public clients ask. A test that passes on plain moto and not on the
twin is a difference: the twin refuses what AWS refuses and moto does not, or it is a fault of ours.
`differences.toml` says of each why it is right; one that it does not explain is printed, and ends
the comparison with 1. `--verbose` names each difference, with what it met and why.

moto's tests are not one of our dependencies: the first run takes them from moto's source archive,
in the version that is installed, and keeps them with what they need in `.venv/.moto-tests`.
"""

import argparse
import contextlib
import importlib.metadata
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

HERE = Path(__file__).parent
HOME = HERE.parents[1] / ".venv" / ".moto-tests"
NEEDED = ("freezegun", "pytest-order", "aws-sam-translator")
SERVICES = (
    *("sts", "iam", "kms", "secretsmanager", "events", "route53", "cloudwatch", "dynamodb", "s3"),
    *("sqs", "sns", "awslambda", "rds", "backup", "elbv2", "autoscaling"),
    "resourcegroupstaggingapi",
)
PORT = 5000
"""Some of the tests name it."""
LIMIT_S = 900
WHY_MAX = 200
Outcomes = dict[str, str]
"""By test: empty if it passed, what it met if it did not. What was skipped is left out."""


def prepare() -> Path:
    """Return the directory that holds moto's tests, after fetching them if need be."""
    version = importlib.metadata.version("moto")
    tests = HOME / f"moto-{version}"
    if not (tests / "tests").is_dir():
        print(f"fetching the tests of moto {version} into {HOME}", file=sys.stderr)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        fetch = ["download", "--no-deps", "--no-binary", "moto", "--no-build-isolation"]
        subprocess.run([*pip, *fetch, "--dest", HOME, f"moto=={version}"], check=True)
        with tarfile.open(HOME / f"moto-{version}.tar.gz") as archive:
            wanted = [item for item in archive if item.name.startswith(f"moto-{version}/tests/")]
            archive.extractall(HOME, wanted, filter="data")
        extra = ["install", "--no-deps", "--target", HOME / "needed", *NEEDED]
        subprocess.run([*pip, *extra], check=True)
    return tests


@contextlib.contextmanager
def server(kind: str) -> Iterator[None]:
    """Have plain moto or a twin answer on the port."""
    plain = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(PORT)]
    twin = [sys.executable, str(HERE / "twin_server.py"), str(PORT)]
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    process = subprocess.Popen(
        plain if kind == "moto" else twin,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline_s = time.monotonic() + 60
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline_s:
                sys.exit(f"{kind} did not come up on port {PORT}: is it taken?")
            time.sleep(0.2)
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()  # the twin ends with it
        if kind == "moto":
            process.terminate()
        process.wait(60)


def answers() -> bool:
    """Return whether something answers on the port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/moto-api/data.json", timeout=2):
            return True
    except OSError:
        return False


def outcomes(kind: str, service: str, tests: Path) -> Outcomes:
    """Run a service's tests; return what came of each."""
    report = HOME / f"{kind}-{service}.xml"
    report.unlink(missing_ok=True)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "TEST_SERVER_MODE": "true",
        "TEST_SERVER_MODE_ENDPOINT": f"http://127.0.0.1:{PORT}",
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HOME / "needed")]),
    }
    options = ["-q", "-p", "plugin", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *options, f"--rootdir={tests}"),
            *(f"--junitxml={report}", f"tests/test_{service}"),
        ],
        cwd=tests,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode not in {0, 1} or not report.exists():
        last = "\n".join(done.stdout.splitlines()[-10:])
        sys.exit(f"the tests of {service} could not be run beside {kind}:\n{last}")
    return read(report)


def read(report: Path) -> Outcomes:
    """Return the outcomes in a report of pytest's."""
    found = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        if case.find("skipped") is not None:
            continue
        bad = [item for item in case if item.tag in {"failure", "error"}]
        text = (bad[0].text or bad[0].get("message") or "failed") if bad else ""
        said = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
        where = str(case.get("classname")).rpartition(".")[2]
        found[f"{where}::{case.get('name')}"] = " | ".join(said[:2])[:WHY_MAX] or text[-WHY_MAX:]
    return found


def explained(service: str, difference: str) -> str:
    """Return why a difference is right, or nothing."""
    known = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))["difference"]
    fitting = (
        str(each["why"])
        for each in known
        if service in each["services"] and re.search(each["match"], difference)
    )
    return next(fitting, "")


def passed(found: Outcomes) -> int:
    """Return how many passed."""
    return sum(1 for why in found.values() if not why)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=", ".join(SERVICES))
    parser.add_argument("--verbose", action="store_true", help="name each difference")
    asked = parser.parse_args()
    strange = set(asked.services) - set(SERVICES)
    if strange:
        parser.error(f"no such service: {', '.join(sorted(strange))}; {', '.join(SERVICES)}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError as error:
            parser.error(f"port {PORT}, which moto's tests name, is taken: {error.strerror}")
    tests = prepare()
    services = asked.services or SERVICES
    found: dict[tuple[str, str], Outcomes] = {}
    for kind in ("moto", "twin"):
        with server(kind):
            for service in services:
                found[kind, service] = outcomes(kind, service, tests)
                print(f"{kind} {service}: {passed(found[kind, service])}", file=sys.stderr)
    head = f"{'moto own tests that pass on':<32}{'plain moto':>12}{'twin':>8}{'lost':>8}"
    print(f"{head}{'unexplained':>13}")
    wrong = 0
    for service in services:
        plain, twin = found["moto", service], found["twin", service]
        lost = {name: twin.get(name, "it did not end") for name in plain if not plain[name]}
        lost = {name: why for name, why in lost.items() if why}
        reasons = {name: explained(service, f"{name}: {why}") for name, why in lost.items()}
        unknown = [name for name, reason in reasons.items() if not reason]
        wrong += len(unknown)
        row = f"{service:<32}{passed(plain):>12}{passed(twin):>8}{len(lost):>8}{len(unknown):>13}"
        print(row)
        for name, why in lost.items():
            if asked.verbose or not reasons[name]:
                print(f"    {name}: {why}\n        {reasons[name] or 'UNEXPLAINED'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
