"""Measure a twin of the standard stack: time until it is up, time until it serves, and memory.

The baseline is moto's own server, which answers the same API and runs nothing behind it. It is
started in the same run and measured the same way. Memory is each process's proportional share
(PSS), so that shared memory counts once.
"""

import argparse
import json
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

import psutil

from otherside.program.project import read_project
from otherside.twin.twin import Twin, TwinSettings

STANDARD = Path(__file__).parents[1] / "examples" / "standard"
WAIT_S = 120.0
MB = 1 << 20


def memory_mb(pid: int) -> tuple[float, int]:
    """Return the memory share of a process and its descendants, and their number."""
    root = psutil.Process(pid)
    total, count = 0.0, 0
    for child in [root, *root.children(recursive=True)]:
        try:
            total += child.memory_full_info().pss / MB
            count += 1
        except psutil.NoSuchProcess:
            continue
    return total, count


def writes(twin: Twin) -> bool:
    """Return whether the application accepts writes, through the primary's load balancer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host = twin.known["endpoint"].removeprefix("http://").rpartition(":")[0]
    block = host.split(".")[1]
    for last in range(10, 16):
        url = f"https://127.{block}.1.{last}:{twin.known['https_port']}/writez"
        request = urllib.request.Request(url, headers={"Host": "orders.example.com"})
        try:
            with urllib.request.urlopen(request, timeout=3, context=context) as answer:  # noqa: S310 - ours
                return bool(answer.status == HTTPStatus.OK)
        except urllib.error.HTTPError:
            return False
        except OSError:
            continue
    return False


def ours(speed: float) -> dict[str, float]:
    """Return the measurements of one twin."""
    began_s = time.perf_counter()
    project = read_project(STANDARD)
    with Twin(TwinSettings(speed=speed), expected=project) as twin:
        up_s = time.perf_counter() - began_s
        made = twin.provision(project)
        ready_s = time.perf_counter() - began_s
        while not writes(twin) and time.perf_counter() - began_s < WAIT_S:
            time.sleep(0.1)
        serving_s = time.perf_counter() - began_s
        owner, _ = memory_mb(psutil.Process().pid)
        cloud, count = memory_mb(twin.known["pid"])
        began_s = time.perf_counter()
    return {
        "up_s": up_s,
        "resources": float(len(made.declaration.resources)),
        "ready_s": ready_s,
        "serving_s": serving_s,
        "memory_mb": owner,
        "of_it_cloud_mb": cloud,
        "processes": float(count + 1),
        "teardown_s": time.perf_counter() - began_s,
    }


def peer() -> dict[str, float]:
    """Return the measurements of moto's own server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began_s = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() - began_s < WAIT_S:
            with socket.socket() as item:
                if item.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        up_s = time.perf_counter() - began_s
        memory, count = memory_mb(server.pid)
    finally:
        server.terminate()
        server.wait()
    return {"up_s": up_s, "memory_mb": memory, "processes": float(count)}


def main() -> None:
    """Measure both and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {"twin": ours(given.speed), "moto": peer()}
    if given.json:
        print(json.dumps(found))
        return
    print(f"{'':16}{'twin':>12}{'moto server':>14}")
    for name in found["twin"]:
        theirs = found["moto"].get(name)
        shown = "" if theirs is None else f"{theirs:.1f}"
        print(f"{name:16}{found['twin'][name]:12.1f}{shown:>14}")


if __name__ == "__main__":
    main()
