"""`otherside drill`: kill a Region under load, and measure RTO and RPO."""

import contextlib
import datetime as dt
import difflib
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from rich.console import Console
from rich.table import Table

from otherside.cli.ignored import refuse_ignored
from otherside.cli.output_file import write_whole
from otherside.extras import TWIN, hint, missing

if TYPE_CHECKING:
    from otherside.drill.entries import Entry
    from otherside.drill.scenario import Scenario
    from otherside.drill.suite import SuiteOptions, SuiteResult
    from otherside.drill.target import DrillTarget

DEFAULT = "lost-region"
SPEED, SPEED_MAX = 7.0, 100.0
"""Twin seconds per real second: the default, above which a drill is not shorter, and the limit."""
INTERRUPTED = 130
"""The conventional exit code after Ctrl-C."""
COLOURS = {"passed": "green", "failed": "red", "unknown": "yellow"}


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--stack",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default=True,
    help="Directory of the Pulumi program, with its otherside.toml.",
)
@click.option("--stack-name", help="Stack whose Pulumi.NAME.yaml to read. Default: the only one.")
@click.option(
    "--list", "list_them", is_flag=True, help="List the scenarios, and what each expects."
)
@click.option(
    "--sabotage", help="Break the stack with the fifteen failures: numbers such as 3,9, or all."
)
@click.option(
    "--on",
    type=click.Choice(["twin", "sim"]),
    default="twin",
    show_default=True,
    help="Run on a twin, or run only the decision in the simulator, within a second.",
)
@click.option(
    "--speed",
    type=float,
    help=f"Twin seconds per real second, at the most; less while a machine is late. [{SPEED:g}]",
)
@click.option(
    "--latency",
    type=click.Choice(["modelled", "none"]),
    default="modelled",
    show_default=True,
    help="Model the latencies of AWS's own services, or leave them out.",
)
@click.option("--seed", default=1, show_default=True, help="Random seed of the clients' writes.")
@click.option("--clients", default=3, show_default=True, help="How many clients write and read.")
@click.option("--repeat", default=1, show_default=True, help="Run N times and show percentiles.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for recordings and reports. Default: drills/TIMESTAMP.",
)
@click.option("--json", "json_file", help="Write results as JSON to FILE; - is standard output.")
@click.option(
    "--json-shape",
    type=click.Choice(["1", "2"]),
    default="2",
    show_default=True,
    help="Shape 1 is of before 0.2: one drill as an object, several as a list; until 0.3.",
)
@click.option("--keep", is_flag=True, help="Keep the last twin up until Ctrl-C.")
@click.option("--timings", is_flag=True, help="Show where the seconds of the drill went.")
def drill(
    *,
    scenarios: tuple[str, ...],
    stack: Path,
    stack_name: str | None,
    list_them: bool,
    sabotage: str | None,
    on: str,
    speed: float | None,
    latency: str,
    seed: int,
    clients: int,
    repeat: int,
    report: Path | None,
    json_file: str | None,
    json_shape: str,
    keep: bool,
    timings: bool,
) -> None:
    """Kill a Region under load, and measure RTO and RPO against the objectives.

    The drill deploys the stack on a twin: two AWS Regions on this machine. Clients write and read
    through the stack's public name and keep their own ledgers. Once the steady state is proven,
    the disaster strikes. Assertions are evaluated only from client ledgers and database contents.
    The default SCENARIO is lost-region.

    \b
    Examples:
      otherside drill                          lose a Region of the stack in this directory
      otherside drill --list
      otherside drill blip broken-probe        faults that must not cause a failover
      otherside drill --repeat 20 --json -     show how far the numbers spread
      otherside drill --sabotage all           prove that each of the fifteen failures is detected
      otherside drill --on sim all             the same assertions, in virtual time

    Exit codes: 0 every assertion passed, 1 one failed, 2 bad usage or bad input, 3 one is unknown.
    """
    if list_them:
        others = set(click.get_current_context().params) - {"list_them", "json_file"}
        refuse_ignored(sorted(others), "--list does not take {option}")
        _list(json_file)
        return
    _need_extra()
    _check(speed=speed, clients=clients, repeat=repeat)
    if json_file is None:
        refuse_ignored(("json_shape",), "{option} needs --json")
    _refuse_ignored(on, sabotaged=sabotage is not None)
    chosen = _chosen(scenarios) * repeat
    target = _target(stack, stack_name)
    asked_speed = 1.0 if on == "sim" else speed  # virtual time has no machine to measure
    options = _options(
        speed=asked_speed, latency=latency, seed=seed, clients=clients, directory=report
    )
    console = Console(stderr=json_file == "-", highlight=False, soft_wrap=not sys.stdout.isatty())
    with _told(options.directory, console), _interruptible():
        output = JsonOutput(json_file, json_shape)
        if on == "sim":
            sys.exit(_simulate(chosen, target, options, console, output))
        if sabotage is not None:
            sys.exit(_sabotage(sabotage, target, options, console, json_file))
        shown = {"keep": keep, "timings": timings}
        sys.exit(_rehearse(chosen, target, options, console, output=output, **shown))


def _target(stack: Path, stack_name: str | None) -> "DrillTarget":
    from otherside.drill.target import TargetError, read_target  # noqa: PLC0415 - an extra

    try:
        return read_target(stack, stack_name)
    except TargetError as error:
        raise click.UsageError(str(error)) from None


def _options(
    *, speed: float | None, latency: str, seed: int, clients: int, directory: Path | None
) -> "SuiteOptions":
    from otherside.drill.suite import SuiteOptions  # noqa: PLC0415 - an extra

    started = dt.datetime.now(dt.UTC)  # noqa: TID251 - when the command started
    return SuiteOptions(
        speed=speed or SPEED,
        latency=latency == "modelled",
        seed=seed,
        clients=clients,
        directory=directory or Path("drills") / f"{started:%Y-%m-%dT%H%M%S}",
        started=started,
    )


@contextlib.contextmanager
def _told(directory: Path, console: Console) -> Iterator[None]:
    """Turn an early end into one line with the cause, and where the recording is."""
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"interrupted; the recording so far is in {directory}")
        sys.exit(INTERRUPTED)
    except click.ClickException:
        raise
    except FileExistsError as error:
        raise click.UsageError(str(error)) from None
    except Exception as error:
        msg = f"{type(error).__name__}: {error}"
        raise click.ClickException(msg) from error


def _simulate(
    chosen: Sequence["Scenario"],
    target: "DrillTarget",
    options: "SuiteOptions",
    console: Console,
    output: "JsonOutput",
) -> int:
    """Run the scenarios that the simulator supports; list those that it does not."""
    from otherside.drill.outcome import EXIT_CODES, worst  # noqa: PLC0415 - an extra
    from otherside.drill.sim_environment import can_simulate  # noqa: PLC0415 - an extra
    from otherside.drill.suite import simulated  # noqa: PLC0415 - an extra

    able = [scenario for scenario in chosen if can_simulate(scenario)]
    unable = [scenario.name for scenario in chosen if scenario not in able]
    if unable:
        console.print(f"needs a twin: {', '.join(unable)}")
    if not able:
        msg = "none of these can be simulated; run them on a twin"
        raise click.UsageError(msg)
    done = list(simulated(able, target, options))
    for item in done:
        show(item, console)
    output.write(done)
    _show_many(done, console, options.directory)
    return EXIT_CODES[worst(item.result.verdict for item in done)]


def _sabotage(
    which: str,
    target: "DrillTarget",
    options: "SuiteOptions",
    console: Console,
    json_file: str | None,
) -> int:
    """Inject the failures; return 0 if the drill detected each by its own symptom."""
    from otherside.cli.sabotage import sabotaged  # noqa: PLC0415 - an extra
    from otherside.drill.detection_check import as_json  # noqa: PLC0415 - an extra

    proofs = sabotaged(which, target, options, console)
    if json_file is not None:
        write_json(as_json(proofs), json_file)
    return 0 if all(proof.good for proof in proofs) else 1


def _rehearse(
    chosen: Sequence["Scenario"],
    target: "DrillTarget",
    options: "SuiteOptions",
    console: Console,
    *,
    output: "JsonOutput",
    keep: bool,
    timings: bool,
) -> int:
    """Run the chosen scenarios; return the exit code."""
    from otherside.cli.drill_timings import DrillTimings  # noqa: PLC0415 - an extra
    from otherside.cli.live_display import LiveDisplay  # noqa: PLC0415 - an extra
    from otherside.drill.outcome import EXIT_CODES, worst  # noqa: PLC0415 - an extra
    from otherside.drill.suite import run_suite  # noqa: PLC0415 - an extra

    done: list[SuiteResult] = []
    spent = DrillTimings()
    try:
        with LiveDisplay(console) as live:

            def tell(entry: "Entry") -> None:
                spent.follow(entry)
                live.tell(entry)

            for item in run_suite(chosen, target, options, tell):
                live.pause()
                done.append(item)
                show(item, console)
                if keep and len(done) == len(chosen):
                    _hold(item, console)
    finally:
        output.write(done)
    spent.end()
    if timings:
        console.print(spent.table())
    if len(done) > 1:
        _show_many(done, console, options.directory)
    return EXIT_CODES[worst(item.result.verdict for item in done)]


def show(suite_result: "SuiteResult", console: Console) -> None:
    """Print the result of a drill."""
    from otherside.drill.report.words import loss, span, split  # noqa: PLC0415 - an extra

    result, head = suite_result.result, suite_result.result.recording.head
    measures = result.measures
    colour = COLOURS[result.verdict]
    console.print()
    console.print(f"[bold {colour}]{result.verdict.upper()}[/] {suite_result.scenario.title}")
    for name, measured_s, objective_s in (
        ("RTO, writes", measures.rto_write_s, head.rto_s),
        ("RTO, reads", measures.rto_read_s, head.rto_s),
        ("RPO", measures.rpo_s, head.rpo_s),
    ):
        missed = measured_s is not None and measured_s > objective_s
        mark = "   [red]objective missed[/]" if missed else ""
        console.print(f"  {name:13} {span(measured_s):>8}   of {span(objective_s)}{mark}")
    console.print(f"  writes lost   {loss(measures)} acknowledged")
    if result.recovery:
        console.print(f"  recovery      {split(result.recovery)} s")
    console.print()
    for found in result.found:
        word = f"[{COLOURS[found.verdict]}]{found.verdict.upper():8}[/]"
        console.print(f"  {word} {found.claim}: [dim]{found.reason}[/]", markup=True)
    if not result.instrument.kept_time:
        console.print(f"  [yellow]{result.instrument.advice}[/]")
    virtual = suite_result.environment is None
    speed = "in virtual time, with one write per second"
    if not virtual:
        speed = f"one real second was {result.recording.speed_text} twin seconds"
    modelled = sum(1 for _ in head.modelled)
    if modelled and not virtual:
        speed += f"; {modelled} AWS latencies are modelled and listed in the report"
    console.print(f"\n  [dim]{speed}[/]")
    console.print(f"  [dim]report: {suite_result.page}[/]\n")


def _show_many(done: Sequence["SuiteResult"], console: Console, directory: Path) -> None:
    """Print several drills as a table, and the spread of repeated ones."""
    from otherside.drill.report import write_index  # noqa: PLC0415 - an extra
    from otherside.drill.report.words import loss, rto_spread, span  # noqa: PLC0415 - an extra

    table = Table(box=None, pad_edge=False)
    for column in ("scenario", "verdict", "RTO writes", "RTO reads", "RPO", "lost"):
        table.add_column(column)
    for item in done:
        measures, verdict = item.result.measures, item.result.verdict
        table.add_row(
            item.scenario.name,
            f"[{COLOURS[verdict]}]{verdict}[/]",
            span(measures.rto_write_s),
            span(measures.rto_read_s),
            span(measures.rpo_s),
            loss(measures),
        )
    console.print(table)
    for name, values in rto_spread([item.result for item in done]).items():
        console.print(f"{name}: {values}")
    if len(done) > 1:
        file = write_index([(item.result, item.page) for item in done], directory)
        console.print(f"[dim]all of them: {file}[/]")


def _hold(suite_result: "SuiteResult", console: Console) -> None:
    """Keep a twin up for inspection, until a signal arrives."""
    twin = getattr(suite_result.environment, "twin", None)
    known = twin.known if twin is not None else {}
    console.print(f"the twin stays up until Ctrl-C: endpoint {known.get('endpoint')}")
    console.print(f"  export AWS_ENDPOINT_URL={known.get('endpoint')}")
    console.print(f"  export AWS_ACCESS_KEY_ID={known.get('access_key_id')}")
    console.print(f"  export AWS_SECRET_ACCESS_KEY={known.get('secret_access_key')}")
    signal.pause()


def _list(json_file: str | None) -> None:
    from otherside.drill.catalogue import CATALOGUE  # noqa: PLC0415 - an extra

    if json_file is not None:
        told = [{"name": s.name, "title": s.title, "expects": s.expectation} for s in CATALOGUE]
        write_json(told, json_file)
        return
    for scenario in CATALOGUE:
        click.echo(f"{scenario.name}\n    {scenario.title}\n    {scenario.expectation}")


def _chosen(names: Sequence[str]) -> list["Scenario"]:
    from otherside.drill.catalogue import CATALOGUE  # noqa: PLC0415 - an extra

    known = {item.name: item for item in CATALOGUE}
    if "all" in names:
        return list(CATALOGUE)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            msg = f"unknown scenario {name}; {hint}`otherside drill --list` lists all {len(known)}"
            raise click.UsageError(msg)
    return [known[name] for name in names or (DEFAULT,)]


_OF_TWIN = ("sabotage", "speed", "latency", "seed", "clients", "repeat", "keep", "timings")
"""Options that a simulated drill has no use for: its runs are alike, and take no time."""
_NOT_OF_SABOTAGE = ("scenarios", "repeat", "keep", "json_shape")
"""Options that a sabotage has no use for: it chooses the scenario that shows the symptom."""


def _refuse_ignored(on: str, *, sabotaged: bool) -> None:
    """Refuse options that would be ignored: a drill that was not run as asked proves nothing."""
    if on == "sim":
        refuse_ignored(_OF_TWIN, "{option} needs --on twin")
    if sabotaged:
        why = "each failure has the scenario that shows it"
        refuse_ignored(_NOT_OF_SABOTAGE, f"--sabotage does not take {{option}}: {why}")


def _check(*, speed: float | None, clients: int, repeat: int) -> None:
    if speed is not None and not 1 <= speed <= SPEED_MAX:
        msg = "--speed must be 1 to 100"
        raise click.UsageError(msg)
    if clients < 1 or repeat < 1:
        msg = "--clients and --repeat must be 1 or more"
        raise click.UsageError(msg)


@dataclass(frozen=True, slots=True)
class JsonOutput:
    """Where the results go as JSON, and in which shape."""

    file: str | None
    """`None` for nowhere, `-` for standard output."""
    shape: str

    def write(self, done: Sequence["SuiteResult"]) -> None:
        """Write one document: always a list of drills, unless the former shape was asked for."""
        if self.file is None or not done:
            return
        from otherside.drill.outcome import worst  # noqa: PLC0415 - an extra
        from otherside.drill.result import as_json  # noqa: PLC0415 - an extra

        drills = [as_json(item.result) for item in done]
        if self.shape == "1":
            click.echo("--json-shape 1 goes away in 0.3", err=True)
            write_json(drills[0] if len(drills) == 1 else drills, self.file)
            return
        outcome = worst(item.result.verdict for item in done)
        write_json({"schema_version": 2, "outcome": outcome, "drills": drills}, self.file)


def write_json(told: object, file: str) -> None:
    """Write JSON to a file atomically; `-` is standard output."""
    text = json.dumps(told, indent=2)
    if file == "-":
        click.echo(text)
        return
    try:
        write_whole(f"{text}\n", Path(file))
    except OSError as error:
        msg = f"{file}: cannot be written: {error.strerror}"
        raise click.ClickException(msg) from None


def _need_extra() -> None:
    if absent := missing((*TWIN, "jinja2")):
        msg = f"a drill needs {absent}: {hint('drill')}"
        raise click.UsageError(msg)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turn each signal that ends a program into an interrupt, for as long as a drill runs."""
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> NoReturn:
    """Say at once that the signal was heard: ending a twin takes seconds."""
    del number, frame
    with contextlib.suppress(OSError):  # a terminal that is gone reads no line
        os.write(sys.stderr.fileno(), b"\ninterrupted: ending the drill and its twin\n")
    raise KeyboardInterrupt
