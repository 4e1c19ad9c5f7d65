"""Our decision, lease and ports beside Patroni with etcd, over two local PostgreSQL servers.

    python bench/failover_vs_patroni.py
    python bench/failover_vs_patroni.py --rounds 3 --only ours
    python bench/failover_vs_patroni.py --write

Each round is a pair of servers of its own with an application on each node, which writes a row each
ten milliseconds and notes what it acknowledged. A node is killed with all of its processes (`kill
-9`) at a random moment, frozen and thawed (SIGSTOP, SIGCONT), or asked to hand over. `etcd` is
Debian's package etcd-server; Patroni is installed beside the environment by the first run.

What is not comparable: our times are made for two Regions and are divided by ten here; Patroni's
members watch their own node, and ours are watched from outside, by three parties of one machine;
Patroni restarts, rewinds and rejoins servers, which Aurora does where we run.
"""

import argparse
import contextlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "patroni_peer"))
from machines import HERE, Workspace, family, is_writer, longest_gap_s, lost, query, strike, until
from ours import Ours
from theirs import DEFAULT, TIGHTEST, VERSION, Theirs

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "patroni.md"
Pair = Ours | Theirs
SETTLE_S, PHASE_S = 4.0, 10.0
"""A moment within the longest loop of any of them."""
STALLS_S = (16.0, 18.0, 20.0, 22.0, 25.0, 28.0, 31.0)
"""Freezes to try, each at `TRIES` random moments, until one moves the writer."""
TRIES = 2


@dataclass
class Found:
    """What was measured of one system."""

    name: str
    gone_s: list[float] = field(default_factory=list)
    switched_s: list[float] = field(default_factory=list)
    thawed_lost: list[int] = field(default_factory=list)
    ridden_s: float = 0.0
    """The longest freeze after which the writer was where it had been, each time."""

    def line(self) -> str:
        """Return it as a row of the table."""
        gone = f"{statistics.median(self.gone_s):.1f} s, {max(self.gone_s):.1f} s"
        switched = f"{statistics.median(self.switched_s):.2f} s"
        rows = f"{max(self.thawed_lost)} in {len(self.thawed_lost)}"
        return f"{self.name:<24}{self.ridden_s:>10.0f} s{gone:>20}{rows:>14}{switched:>14}"


@contextlib.contextmanager
def pair_of(make: Callable[[Workspace], Pair]) -> Iterator[Pair]:
    """Return a pair of servers with applications that write, and remove it."""
    directory = Path(tempfile.mkdtemp(prefix="otherside-bench-"))
    directory.chmod(0o755)
    workspace = Workspace(directory)
    try:
        pair = make(workspace)
        time.sleep(SETTLE_S + random.uniform(0, PHASE_S))  # noqa: S311 - a phase
        yield pair
    finally:
        workspace.clear()


def node(pair: Pair, name: str) -> list[int]:
    """Return every process of a node."""
    pids = [pid for process in pair.nodes[name] for pid in family(process.pid)]
    servers = pair.workspace.server(name)
    if not servers:
        sys.exit(f"{name} has no server that could be struck")
    return list(dict.fromkeys([*pids, *servers]))


def killed(make: Callable[[Workspace], Pair]) -> float:
    """Return for how long no write was acknowledged after the writer's node was killed."""
    with pair_of(make) as pair:
        at_s = time.monotonic()
        strike(node(pair, pair.leader), signal.SIGKILL)
        until(lambda: is_writer(pair.ports[pair.other]), 120, "the other one writes")
        until(lambda: any(t > at_s + 1 for t, _ in pair.acks[pair.other]), 60, "a write")
        return longest_gap_s(list(pair.acks.values()), at_s, time.monotonic())


def frozen(make: Callable[[Workspace], Pair], seconds: float) -> bool:
    """Return whether a freeze of this length moved the writer."""
    with pair_of(make) as pair:
        pids = node(pair, pair.leader)
        strike(pids, signal.SIGSTOP)
        time.sleep(seconds)
        strike(pids, signal.SIGCONT)
        time.sleep(6)
        until(lambda: query(pair.ports[pair.other], "select 1"), 20, "the other one answers")
        return is_writer(pair.ports[pair.other])


def thawed(make: Callable[[Workspace], Pair]) -> int:
    """Return how many acknowledged rows are lost after a freeze that outlasted a failover."""
    with pair_of(make) as pair:
        pids = node(pair, pair.leader)
        strike(pids, signal.SIGSTOP)
        until(lambda: is_writer(pair.ports[pair.other]), 120, "the other one writes")
        time.sleep(3)
        strike(pids, signal.SIGCONT)
        time.sleep(8)
        return lost(list(pair.acks.values()), pair.ports[pair.other])


def switched(make: Callable[[Workspace], Pair]) -> float:
    """Return for how long no write was acknowledged during a planned switchover."""
    with pair_of(make) as pair:
        at_s = time.monotonic()
        pair.switch()
        until(lambda: any(t > at_s + 1 for t, _ in pair.acks[pair.other]), 60, "a write")
        time.sleep(1)
        return longest_gap_s(list(pair.acks.values()), at_s, time.monotonic())


def measure(name: str, make: Callable[[Workspace], Pair], rounds: int) -> Found:
    """Measure one system."""
    found = Found(name)
    for number in range(rounds):
        found.gone_s.append(killed(make))
        print(f"{name}: killed {number + 1}: {found.gone_s[-1]:.1f} s", file=sys.stderr)
    for number in range(max(1, rounds // 3)):
        found.thawed_lost.append(thawed(make))
        found.switched_s.append(switched(make))
        said = f"lost {found.thawed_lost[-1]}, switched in {found.switched_s[-1]:.2f} s"
        print(f"{name}: thawed {number + 1}: {said}", file=sys.stderr)
    for seconds in STALLS_S:
        moved = any(frozen(make, seconds) for _ in range(TRIES))
        print(f"{name}: frozen {seconds:.0f} s: {'moved' if moved else 'stayed'}", file=sys.stderr)
        if moved:
            break
        found.ridden_s = seconds
    return found


def etcd_version() -> str:
    """Return the version of the etcd that is installed."""
    program = shutil.which("etcd") or "etcd"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0].rpartition(" ")[2]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10, help="how often each node is killed")
    parser.add_argument("--only", help="one of: ours, default, tightest")
    parser.add_argument("--write", action="store_true", help="write docs/reference/patroni.md")
    parser.add_argument("--stall", type=float, default=20.0, help="our stall tolerance in seconds")
    asked = parser.parse_args()
    systems: dict[str, tuple[str, Callable[[Workspace], Pair]]] = {
        "ours": (f"otherside, {asked.stall:.0f} s", lambda workspace: Ours(workspace, asked.stall)),
        "tightest": (TIGHTEST.name, lambda workspace: Theirs(workspace, TIGHTEST)),
        "default": (DEFAULT.name, lambda workspace: Theirs(workspace, DEFAULT)),
    }
    wanted = [asked.only] if asked.only else list(systems)
    if not set(wanted) <= systems.keys():
        parser.error(f"--only is one of {', '.join(systems)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    found = [measure(*systems[name], asked.rounds) for name in wanted]
    head = f"{'':<24}{'ridden out':>12}{'gone: median, max':>20}{'lost, thawed':>14}"
    table = "\n".join([f"{head}{'switchover':>14}", *(each.line() for each in found)])
    print(table)
    if asked.write:
        told = {
            "day": time.strftime("%Y-%m-%d"),
            "rounds": asked.rounds,
            "etcd": etcd_version(),
            "patroni": VERSION,
            "table": table,
        }
        template = (HERE / "page.md").read_text(encoding="utf-8")
        PAGE.write_text(template.format(**told), encoding="utf-8")


if __name__ == "__main__":
    main()
