"""`otherside sim`: run the orchestrator through simulated disasters, by seed."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from otherside.cli.ignored import refuse_ignored
from otherside.failover.clock import SystemClock
from otherside.failover.decision.state import Phase
from otherside.sim.coverage import Coverage, covered, possible_cells, possible_pairs
from otherside.sim.matrix import Killed, kill, kills
from otherside.sim.script import FAULTS, FOREVER_S, Script, draw
from otherside.sim.swarm import Run, run, shrink

T = TypeVar("T")
R = TypeVar("R")

BATCH = 50
SHOWN_MAX = 3


@click.command()
@click.option("--seeds", default=1000, show_default=True, help="How many seeds to run.")
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option(
    "--faults",
    metavar="CLASS,...",
    help="Use only these fault classes; --faults list prints them all.",
)
@click.option(
    "--matrix", is_flag=True, help="Kill a function at each step of each scenario instead."
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first seed that breaks an invariant.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def sim(
    *, seeds: int, seed: int, faults: str | None, matrix: bool, fail_fast: bool, as_json: bool
) -> None:
    """Run the orchestrator's real decision code and loops through random disasters, by seed.

    Every run ends by checking invariants against what really happened. A seed that breaks one is
    shown with the smallest script that still breaks it; the same seed gives the same run.

    \b
    Examples:
      otherside sim --seeds 100000
      otherside sim --seed 4711 --seeds 1
      otherside sim --faults primary-gone,kill,stale
      otherside sim --matrix

    Exit codes: 0 every invariant held, 1 an invariant broke, 2 bad usage.
    """
    if seeds < 1:
        msg = "--seeds must be 1 or more"
        raise click.UsageError(msg)
    if faults == "list":
        click.echo("\n".join(FAULTS))
        return
    if matrix:
        refuse_ignored(("seeds", "seed", "faults", "fail_fast"), "--matrix does not take {option}")
        sys.exit(_run_matrix(as_json=as_json))
    classes = _classes(faults)
    machine = SystemClock()
    started_s = machine.monotonic_s()
    coverage = _run_all(range(seed, seed + seeds), classes, fail_fast=fail_fast, quiet=as_json)
    spent_s = machine.monotonic_s() - started_s
    if as_json:
        click.echo(json.dumps(_document(coverage, seed, spent_s), indent=2, sort_keys=True))
    else:
        _show(coverage, classes, spent_s)
    sys.exit(1 if coverage.failed else 0)


def _classes(faults: str | None) -> tuple[str, ...]:
    if faults is None:
        return FAULTS
    asked = tuple(part.strip() for part in faults.split(",") if part.strip())
    unknown = [item for item in asked if item not in FAULTS]
    if unknown or not asked:
        msg = f"unknown fault class: {', '.join(unknown) or faults!r}; try --faults list"
        raise click.UsageError(msg)
    return asked


def _run_all(
    seeds: Iterable[int], classes: tuple[str, ...], *, fail_fast: bool, quiet: bool
) -> Coverage:
    """Run seeds on every core, in batches handed out as earlier ones finish."""
    numbers = list(seeds)
    batches = [numbers[i : i + BATCH] for i in range(0, len(numbers), BATCH)]
    total = Coverage()
    work = partial(_run_batch, classes=classes)
    for part in _spread(work, batches, "seeds", quiet=quiet):
        total.add(part)
        if fail_fast and total.failed:
            break
    return total


def _spread(work: Callable[[T], R], batches: list[T], what: str, *, quiet: bool) -> Iterator[R]:
    """Yield results as they complete, with a progress bar on a terminal; stop with the caller."""
    shown = Console(stderr=True)
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=shown,
        disable=quiet or not shown.is_terminal,
    )
    cores = os.cpu_count() or 1
    waiting = iter(batches)
    with ProcessPoolExecutor(cores) as pool, bar:
        task = bar.add_task(what, total=len(batches))
        running: set[Future[R]] = {pool.submit(work, core) for core in islice(waiting, 2 * cores)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for item in done:
                    bar.advance(task)
                    yield item.result()
                running |= {pool.submit(work, item) for item in islice(waiting, len(done))}
        finally:
            pool.shutdown(cancel_futures=True)


def _run_batch(numbers: list[int], classes: tuple[str, ...]) -> Coverage:
    part = Coverage()
    for number in numbers:
        part.count(run(draw(number, classes)))
    return part


def _document(coverage: Coverage, first: int, spent_s: float) -> dict[str, object]:
    return {
        "schema_version": 2,
        "first_seed": first,
        "seeds": coverage.seeds,
        "failovers": coverage.failovers,
        "seeds_per_s": round(coverage.seeds / spent_s, 1),
        "phases": dict(coverage.phases),
        "missed": {
            "transitions": coverage.transitions_missed,
            "cells": coverage.cells_missed,
            "pairs": coverage.pairs_missed,
        },
        "troubles": sorted(coverage.troubles),
        "failed": {str(number): list(texts) for number, texts in coverage.failed.items()},
    }


def _show(coverage: Coverage, classes: tuple[str, ...], spent_s: float) -> None:
    console = Console(highlight=False)
    rate = coverage.seeds / spent_s
    console.print(
        f"{coverage.seeds} seeds, {coverage.failovers} of them with a failover, "
        f"in {spent_s:.1f} s: {rate:.0f} per second"
    )
    console.print("phases reached, by number of seeds:")
    for phase in Phase:
        console.print(f"  {phase:<16} {coverage.phases[phase]}")
    cells = covered(coverage.cells_missed, possible_cells())
    pairs = covered(coverage.pairs_missed, possible_pairs())
    console.print(f"transitions never taken: {len(coverage.transitions_missed)}")
    console.print(f"phase x verdict x mode: {cells}")
    console.print(f"phase x fault class: {pairs}")
    if not coverage.failed:
        console.print("every invariant held")
        return
    numbers = ", ".join(str(number) for number in sorted(coverage.failed))
    console.print(f"{len(coverage.failed)} seeds broke an invariant: {numbers}", soft_wrap=True)
    for number in sorted(coverage.failed)[:SHOWN_MAX]:
        for line in _story(run(shrink(draw(number, classes)))):
            console.print(line, markup=False)


def _story(item: Run) -> Iterator[str]:
    """Yield a run as readable lines."""
    script: Script = item.script
    yield f"\nseed {script.seed}, shrunk:"
    for window in script.windows:
        until = f"{window.to_s:.0f} s" if window.to_s < FOREVER_S else "the end"
        yield f"  {window.fault} from {window.from_s:.0f} s to {until}"
    ports = {name: chance for name, chance in asdict(script.fault_rates).items() if chance}
    yield f"  port faults: {ports or 'none'}; people: {script.people}"
    yield f"  orders: {[f'{order} at {at_s:.0f} s' for at_s, order in script.orders] or 'none'}"
    lines = [
        (commit.at_s, f"#{commit.state.revision} {commit.state.phase}: {commit.state.reason}")
        for commit in item.history.log
    ]
    lines += [
        (call.at_s, f"{call.kind} called as {call.operation}, accepted: {call.accepted}")
        for call in item.history.world_state.calls
    ]
    lines += [
        (move.at_s, f"the writer moves to {move.target}; {move.lost_s:.1f} s of writes are lost")
        for move in item.history.world_state.moves
    ]
    for at_s, text in sorted(lines):
        yield f"  {at_s:6.0f} s  {text}"
    for text in item.broken:
        yield f"  BROKEN: {text}"


def _run_matrix(*, as_json: bool) -> int:
    """Kill a function once at each step of each scenario; return the exit code."""
    cells = list(_spread(_kill_at, list(kills()), "kills", quiet=as_json))
    broken = [cell for cell in cells if cell.broken]
    if as_json:
        document = {
            "schema_version": 1,
            "kills": len(cells),
            "broken": [asdict(cell) for cell in broken],
        }
        click.echo(json.dumps(document, indent=2, sort_keys=True))
    else:
        click.echo(f"{len(cells)} kill points, {len(broken)} of them break an invariant")
        for cell in broken:
            where = f"{cell.call} {cell.when} in {cell.phase}"
            click.echo(f"  {cell.story}: killed at {where}: {'; '.join(cell.broken)}")
    return 1 if broken else 0


def _kill_at(where: tuple[str, int]) -> Killed:
    return kill(*where)
