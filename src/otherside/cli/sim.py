"""`otherside sim`: run the orchestrator's decision through simulated disasters, seed by seed."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice

import click
from rich.console import Console
from rich.progress import track

from otherside.core.state import Phase
from otherside.sim.swarm import Run, Script, draw, run, shrink

BATCH = 50
SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What some seeds came to."""

    seeds: int
    phases: Counter[str]
    troubles: Counter[str]
    failed: dict[int, tuple[str, ...]]


@click.command()
@click.option("--seeds", default=1000, show_default=True, help="How many seeds to run.")
@click.option("--seed", default=0, show_default=True, help="The first of them.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def sim(seeds: int, seed: int, *, as_json: bool) -> None:
    """Draw disasters by seed and run the orchestrator's real decision and loop through each.

    Every run ends with invariants over what really happened. A seed that breaks one is shown with
    the smallest script that still does; the same seed does the same again.

    \b
    Examples:
      otherside sim --seeds 10000
      otherside sim --seed 4711 --seeds 1

    Exit codes: 0 nothing broke, 1 an invariant broke, 2 bad usage.
    """
    if seeds < 1:
        msg = "--seeds must be 1 or more"
        raise click.UsageError(msg)
    started_s = time.monotonic()
    tally = _run_all(seed, seeds, quiet=as_json)
    spent_s = time.monotonic() - started_s
    if as_json:
        click.echo(json.dumps(_document(tally, seed, spent_s), indent=2, sort_keys=True))
    else:
        _show(tally, spent_s)
    sys.exit(1 if tally.failed else 0)


def _run_all(first: int, count: int, *, quiet: bool) -> Tally:
    numbers = iter(range(first, first + count))
    batches = list(iter(lambda: list(islice(numbers, BATCH)), []))
    shown = Console(stderr=True)
    tallies: list[Tally] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results: Iterable[Tally] = pool.map(_run_batch, batches)
        if not quiet and shown.is_terminal:
            results = track(results, "seeds", total=len(batches), console=shown)
        tallies += results
    return Tally(
        seeds=sum(one.seeds for one in tallies),
        phases=sum((one.phases for one in tallies), Counter()),
        troubles=sum((one.troubles for one in tallies), Counter()),
        failed={number: texts for one in tallies for number, texts in one.failed.items()},
    )


def _run_batch(numbers: list[int]) -> Tally:
    runs = [(number, run(draw(number))) for number in numbers]
    return Tally(
        seeds=len(runs),
        phases=Counter(str(phase) for _, one in runs for phase in one.phases),
        troubles=Counter(t for _, one in runs for t in one.history.world.troubles),
        failed={number: one.broken for number, one in runs if one.broken},
    )


def _document(tally: Tally, first: int, spent_s: float) -> dict[str, object]:
    return {
        "schema_version": 1,
        "first_seed": first,
        "seeds": tally.seeds,
        "seeds_per_s": round(tally.seeds / spent_s, 1),
        "phases": dict(tally.phases),
        "troubles": dict(tally.troubles),
        "failed": {str(number): list(texts) for number, texts in tally.failed.items()},
    }


def _show(tally: Tally, spent_s: float) -> None:
    console = Console(highlight=False)
    rate = tally.seeds / spent_s
    console.print(f"{tally.seeds} seeds in {spent_s:.1f} s, {rate:.0f} a second")
    console.print("phases reached, in how many seeds:")
    for phase in Phase:
        console.print(f"  {phase:<16} {tally.phases[phase]}")
    console.print(f"kinds of trouble at the ports: {len(tally.troubles)}")
    if not tally.failed:
        console.print("no invariant broke")
        return
    console.print(f"{len(tally.failed)} seeds broke an invariant")
    for number in sorted(tally.failed)[:SHOWN_MAX]:
        for line in _story(run(shrink(draw(number)))):
            console.print(line, markup=False)


def _story(one: Run) -> Iterator[str]:
    """Yield a run in plain words."""
    script: Script = one.script
    yield f"\nseed {script.seed}, shrunk:"
    for spell in script.spells:
        until = f"{spell.to_s:.0f} s" if spell.to_s < 1e6 else "the end"  # noqa: PLR2004 - for ever
        yield f"  {spell.ill} from {spell.from_s:.0f} s to {until}"
    ports = {name: chance for name, chance in asdict(script.hostility).items() if chance}
    yield f"  at the ports: {ports or 'nothing'}; orders: {script.orders or 'none'}"
    for commit in one.history.log:
        state = commit.state
        yield f"  {commit.at_s:6.0f} s  #{state.revision} {state.phase}: {state.reason}"
    for call in one.history.truth.calls:
        yield f"  {call.at_s:6.0f} s  {call.kind} called as {call.operation}: {call.accepted}"
    for text in one.broken:
        yield f"  BROKEN: {text}"
