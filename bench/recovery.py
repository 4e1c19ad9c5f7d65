"""How long writes are gone by kind of disaster, and how often something moves that should not.

The real decision code, loops, adapter and lease agents in the simulator, in virtual time: Aurora's
own minutes are what a row says, and so are modelled. One run a seed: the disaster begins at a
random moment of the schedule. The second table adds troubles of the platform to every call: slow,
lost and failing ones, frozen and killed functions, stale descriptions, wrong clocks.

`--write` puts the tables into docs/reference/recovery.md.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.policy import FailoverPolicy
from otherside.sim.faults import Fault, FaultRates, FaultWindow
from otherside.sim.script import FOREVER_S, People, Script
from otherside.sim.swarm import run

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "recovery.md"
FROM_S, RUN_S, BLIP_S = 120.0, 1200.0, 43.0
HOSTILE = FaultRates(
    kill=0.01,
    fail=0.03,
    lose=0.03,
    slow=0.05,
    freeze=0.002,
    overlap=0.05,
    blind=0.03,
    probe_flake=0.05,
    stale=0.2,
    inconsistent_read=0.1,
    skew=0.5,
    skip=0.05,
    wakeup_lost=0.05,
    wakeup_duplicated=0.05,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disaster:
    """One row: what happens, for how long, and how long Aurora takes to promote."""

    text: str
    fault: Fault
    lasts_s: float = FOREVER_S
    promote_s: float = 60.0


DISASTERS = (
    Disaster(text="Region lost, Aurora takes a minute", fault=Fault.PRIMARY_GONE),
    Disaster(text="Region lost, Aurora takes three", fault=Fault.PRIMARY_GONE, promote_s=180),
    Disaster(text="Region cut off", fault=Fault.PRIMARY_CUT),
    Disaster(text="writer dead, Region alive", fault=Fault.WRITER_DOWN),
)
QUIET = (
    Disaster(text=f"Region gone for {BLIP_S:.0f} s", fault=Fault.PRIMARY_GONE, lasts_s=BLIP_S),
    Disaster(text=f"Region cut off for {BLIP_S:.0f} s", fault=Fault.PRIMARY_CUT, lasts_s=BLIP_S),
    *(
        Disaster(text=f"{fault}", fault=fault)
        for fault in (
            *(Fault.PROBE_BROKEN, Fault.LINK_CUT, Fault.WITNESS_GONE, Fault.CONTROL_PLANE_DOWN),
            *(Fault.APP_DOWN_BOTH, Fault.MACHINES_GONE, Fault.FRONT_DOOR, Fault.STORE_DOWN),
        )
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run came to."""

    moved: bool
    broken: bool
    outage_s: float | None
    """How long no user's write was acknowledged; `None` if that never ended."""


def play(disaster: Disaster, rates: FaultRates, seed: int) -> Result:
    """Run one seed of a disaster."""
    from_s = FROM_S + Random(seed).uniform(0.0, 60.0)  # noqa: S311 - repeatable
    done = run(
        Script(
            seed=seed,
            run_s=RUN_S,
            calm_s=RUN_S,
            windows=(
                FaultWindow(fault=disaster.fault, from_s=from_s, to_s=from_s + disaster.lasts_s),
            ),
            fault_rates=rates,
            policy=FailoverPolicy(mode=FailoverMode.AUTO, loss_auto_s=5.0),
            promote_s=disaster.promote_s,
            cancels=0,
            refusals=0,
            people=People.NOBODY,
            orders=(),
            by_hand_s=None,
        )
    )
    truth = done.history.world_state
    rows = sorted((row.from_s, row.to_s) for row in truth.rows if row.public)
    again = [begun_s for begun_s, _ in rows if begun_s > from_s]
    return Result(
        moved=truth.writer is Side.STANDBY,
        broken=bool(done.broken),
        outage_s=again[0] - _before(rows, again[0]) if again else None,
    )


def _before(rows: Sequence[tuple[float, float]], at_s: float) -> float:
    """Return when users' writes last worked before a moment."""
    return max((end_s for begun_s, end_s in rows if begun_s < at_s), default=0.0)


def row_of(disaster: Disaster, found: Sequence[Result]) -> str:
    """Return a row of the table."""
    seeds = len(found)
    moved = sum(result.moved for result in found)
    broken = sum(result.broken for result in found)
    spans = sorted(result.outage_s for result in found if result.outage_s is not None)
    if not spans:
        return f"| {disaster.text} | {moved} of {seeds} | - | - | - | {broken} |"
    p50, p99 = statistics.median(spans), spans[math.ceil(0.99 * len(spans)) - 1]
    return (
        f"| {disaster.text} | {moved} of {seeds} | {p50:.0f} s | {p99:.0f} s | {spans[-1]:.0f} s "
        f"| {broken} |"
    )


def tables(seeds: int, wrong: list[str]) -> Iterator[str]:
    """Yield the lines of both tables; note what broke an invariant, or moved and should not."""
    head = "| Disaster | Writer moved | Writes gone, p50 | p99 | Longest | Broken invariants |"
    with ProcessPoolExecutor() as pool:
        for title, rates in (("The platform works", FaultRates()), ("It is hostile", HOSTILE)):
            yield from (f"## {title}", "", head, "|---|---:|---:|---:|---:|---:|")
            for disaster in (*DISASTERS, *QUIET):
                found = list(pool.map(partial(play, disaster, rates), range(seeds), chunksize=10))
                moved = disaster in QUIET and any(result.moved for result in found)
                if moved or any(result.broken for result in found):
                    wrong.append(f"{title}: {disaster.text}")
                yield row_of(disaster, found)
            yield ""


def main() -> int:
    """Print the tables, and write the page if asked; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lines: list[str] = []
    wrong: list[str] = []
    for line in tables(asked.seeds, wrong):
        print(line, flush=True)
        lines.append(line)
    if asked.write:
        head = (
            "<!-- Generated by `python bench/recovery.py --write`; edit that. -->\n\n"
            "# Recovery in the simulator\n\n"
            f"{asked.seeds} runs of each row, in virtual time. The decision, the loops, the "
            "adapter and the lease agents are the shipped ones;\nRegions, calls and Aurora are "
            "modelled, and Aurora's own time is what a row says. In the upper rows the writer\nis "
            "to move, in the lower ones nothing may.\n\n"
        )
        PAGE.write_text(head + "\n".join(lines).rstrip() + "\n")
    for text in wrong:
        print(f"WRONG {text}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
