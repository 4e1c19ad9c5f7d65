"""Hurt a twin at random moments and print what it left behind: `make faults`.

Each row hurts a running `otherside twin up` or `otherside drill` in one way, several times. After
each, nothing may be left: no process, no directory, no shared memory; what it said is one sentence,
and a drill that was hurt has not passed. Exit code 1 if any of that is not so.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
STACK = str(ROOT / "examples" / "standard")
TWIN = ("twin", "up", STACK, "--speed", "20", "--latency", "none", "--json")
DRILL = ("drill", "lost-region", "--stack", STACK)
GONE_S = 40.0
SPAN_S = 14.0
"""From a start to the end of a deployment, as a rule: moments are chosen in it."""
SMALL_MB = 220
TRACE_LINES = 25
NAME_LENGTH, LINE_LENGTH = 100, 200


@dataclass(slots=True)
class Hurt:
    """What one hurt left behind."""

    left: list[str] = field(default_factory=list)
    said: str = ""
    code: int | None = None
    what: str = ""
    """What was hurt, and how many seconds after the start."""

    def told(self) -> list[str]:
        """Return lines that say what was not well, or none."""
        trace = self.said[self.said.find("Traceback") :].splitlines() if self.traced else []
        lines = [*self.left, *trace[:TRACE_LINES]]
        return [f"  {self.what}: {item}"[:LINE_LENGTH] for item in lines]

    @property
    def traced(self) -> bool:
        """Whether it said a traceback."""
        return "Traceback" in self.said


@dataclass(slots=True)
class Victim:
    """A running command and the directory that everything of it is in."""

    process: "subprocess.Popen[str]"
    place: Path

    def tree(self) -> list[psutil.Process]:
        """Return the command and everything that it has started."""
        try:
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@contextmanager
def a_place() -> Iterator[Path]:
    """Make a directory for temporary files that PostgreSQL's own user may pass through."""
    with tempfile.TemporaryDirectory(prefix="o-", dir="/tmp") as text:
        Path(text).chmod(0o711)
        yield Path(text)


def segments() -> set[str]:
    """Return the machine's shared memory segments, by their IDs."""
    try:
        rows = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return set()
    return {row.split()[1] for row in rows}


@contextmanager
def running(*arguments: str, place: Path, limits: str = "") -> Iterator[Victim]:
    """Run a command with its own directory for temporary files."""
    command = [sys.executable, "-m", "otherside.cli", *arguments]
    if limits:
        command = ["/bin/bash", "-c", f'{limits}; exec "$0" "$@"', *command]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"TMPDIR": str(place), "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(place)},
        cwd=place,
    ) as process:
        try:
            yield Victim(process, place)
        finally:
            process.kill()


def outcome(victim: Victim, before: set[str], *, stop: bool) -> Hurt:
    """End the command, wait, and look for what it left."""
    tree = victim.tree()
    if stop:
        victim.process.send_signal(signal.SIGINT)
    try:
        said, _ = victim.process.communicate(timeout=GONE_S)
    except subprocess.TimeoutExpired:
        running = _names(tree)
        victim.process.kill()
        said, _ = victim.process.communicate()
        return Hurt(["it did not end", f"of it were left: {running}"], said, None)
    gone = psutil.wait_procs(tree, timeout=GONE_S)[1]
    found = Hurt([f"process {item.pid}" for item in gone], said, victim.process.returncode)
    deadline = time.monotonic() + GONE_S
    while time.monotonic() < deadline and _leftovers(victim.place, before):
        time.sleep(0.2)
    found.left += _leftovers(victim.place, before)
    return found


def _names(tree: list[psutil.Process]) -> str:
    """Return what those of a tree that still run are."""
    found = []
    for item in tree:
        with suppress(psutil.Error):  # it has ended, or nobody has waited for it yet
            found.append(" ".join(item.cmdline()).strip()[-NAME_LENGTH:])
    return ", ".join(filter(None, found))


def _leftovers(place: Path, before: set[str]) -> list[str]:
    found = [str(item) for item in place.glob("otherside-twin-*")]
    return [*found, *(f"shared memory {item}" for item in segments() - before)]


def kill_any(victim: Victim, chance: random.Random) -> str:
    """Kill one process of the tree, but for the command itself; return what it was."""
    tree = victim.tree()[1:]
    if not tree:
        return "nothing yet"
    chosen = chance.choice(tree)
    try:
        named = " ".join(chosen.cmdline()).strip()[-NAME_LENGTH:]
        chosen.kill()
    except psutil.NoSuchProcess:
        return "one that had just ended"
    return named


def kill_all(victim: Victim, _: random.Random) -> str:
    """Kill everything at once, the command too: nobody is left to tidy up."""
    for item in (tree := victim.tree()):
        item.suspend()
    for item in reversed(tree):
        item.kill()
    return "everything"


def interrupt(victim: Victim, _: random.Random) -> str:
    """Press Ctrl-C."""
    victim.process.send_signal(signal.SIGINT)
    return "Ctrl-C"


def freeze(victim: Victim, _: random.Random) -> str:
    """Stop everything for a while, as a machine that sleeps does."""
    tree = victim.tree()
    for item in tree:
        item.suspend()
    time.sleep(30)
    for item in reversed(tree):
        if item.is_running():
            item.resume()
    time.sleep(2)
    return "a freeze"


def hurt(
    what: Callable[[Victim, random.Random], str], times: int, chance: random.Random
) -> list[Hurt]:
    """Hurt a twin several times, at moments of chance; sweep after those that nobody could."""
    found = []
    for _ in range(times):
        with a_place() as place:
            before = segments()
            with running(*TWIN, place=place) as victim:
                time.sleep(after_s := chance.uniform(0.2, SPAN_S))
                hit = what(victim, chance)
                if what is kill_all:
                    victim.process.wait()
                    time.sleep(1)
                    with running("twin", "doctor", "--clean", place=place) as doctor:
                        doctor.process.communicate(timeout=GONE_S)
                found.append(outcome(victim, before, stop=what in {kill_any, freeze}))
                found[-1].what = f"{hit} after {after_s:.1f} s"
    return found


def unhurt() -> Hurt:
    """Start a twin, wait until it is up, and stop it: what is not hurt must work."""
    with a_place() as place:
        before = segments()
        with running(*TWIN, place=place) as victim:
            assert victim.process.stdout is not None
            said = ""
            for line in victim.process.stdout:
                said += line
                if line.startswith("{"):
                    break
            found = outcome(victim, before, stop=True)
            if '"endpoint"' not in said or found.code != 0:
                found.left.append("it did not come up")
            return found


def wrong_verdicts(times: int, chance: random.Random) -> list[Hurt]:
    """Kill the cloud or its supervisor under a drill, which must not pass then."""
    found = []
    for _ in range(times):
        with a_place() as place:
            before = segments()
            with running(*DRILL, place=place) as victim:
                time.sleep(chance.uniform(2, 3 * SPAN_S))
                vital = [
                    item
                    for item in victim.tree()[1:]
                    if any(word in " ".join(item.cmdline()) for word in ("twin.main", "supervisor"))
                ]
                if vital:
                    chance.choice(vital).kill()
                result = outcome(victim, before, stop=False)
                if vital and (result.code == 0 or "PASSED The" in result.said):
                    result.left.append("a verdict of passed")
                found.append(result)
    return found


def starved(limits: str) -> Hurt:
    """Start a twin with few file descriptors."""
    with a_place() as place:
        before = segments()
        with running(*TWIN, place=place, limits=limits) as victim:
            time.sleep(SPAN_S)
            return outcome(victim, before, stop=True)


def full_disk() -> Hurt | None:
    """Fill the disk under a running twin; `None` if this user may not mount a small one."""
    place = Path(tempfile.mkdtemp(prefix="o-", dir="/tmp"))
    small = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", str(place)]
    mount = shutil.which("mount")
    done = subprocess.run(small, check=False, capture_output=True) if mount else None
    if done is None or done.returncode:
        place.rmdir()
        return None
    try:
        before = segments()
        with running(*TWIN, place=place) as victim:
            time.sleep(3)
            filler = place / "filler"
            with filler.open("wb") as file, suppress(OSError):  # until there is no room
                while file.write(bytes(1 << 16)):
                    file.flush()
            return outcome(victim, before, stop=False)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S607 - as above
        place.rmdir()


def two_at_once() -> list[Hurt]:
    """Run two twins side by side, and stop both."""
    with a_place() as place:
        before = segments()
        with (
            running(*TWIN, "--name", "a", place=place) as a,
            running(*TWIN, "--name", "b", place=place) as b,
        ):
            time.sleep(2 * SPAN_S)
            alive = [item.process.poll() is None for item in (a, b)]
            for item in (a, b):
                item.process.send_signal(signal.SIGINT)
            results = [outcome(item, before, stop=False) for item in (a, b)]
            if not all(alive):
                results[0].left.append("one of them did not stay up")
            return results


def told(name: str, results: list[Hurt]) -> bool:
    """Print one row of the table; return whether everything was well."""
    left = [item for result in results for item in result.left]
    traces = sum(result.traced for result in results)
    codes = sorted({str(result.code) for result in results})
    last = next((r.said.strip().splitlines()[-1] for r in results if r.said.strip()), "")
    well = not left and not traces
    state = "well" if well else f"LEFT: {', '.join(sorted(set(left)))[:80]} {traces} tracebacks"
    print(f"{name:34} {len(results):>5} {','.join(codes):>9}  {state}  {last[:70]}", flush=True)
    for result in results:
        print("".join(f"{line}\n" for line in result.told()), end="", flush=True)
    return well


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="how many processes are killed")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` ignores it
    chance, few = random.Random(given.seed), max(1, given.kills // 10)  # noqa: S311 - repeatable
    print(f"{'hurt':34} {'times':>5} {'exit':>9}  what was left, and what it said last")
    rows = [
        told("nothing: up and down", [unhurt()]),
        told("kill -9 of one process", hurt(kill_any, given.kills, chance)),
        told("kill -9 of everything, then doctor", hurt(kill_all, few, chance)),
        told("Ctrl-C", hurt(interrupt, few, chance)),
        told("a freeze of 30 s", hurt(freeze, max(1, few // 5), chance)),
        told("a drill without its cloud", wrong_verdicts(few, chance)),
        told("64 file descriptors", [starved("ulimit -n 64")]),
        told("two twins at once", two_at_once()),
    ]
    if (disk := full_disk()) is not None:
        rows.append(told("a disk that fills up", [disk]))
    else:
        print(f"{'a disk that fills up':34} {0:>5} {'':>9}  not run: this user cannot mount one")
    return 0 if all(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
