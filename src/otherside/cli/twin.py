"""`otherside twin`: run two disposable AWS Regions on this machine."""

import contextlib
import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from otherside.cli import twin_doctor, twin_faults
from otherside.cli.twin_choice import chosen, need_twin_extra
from otherside.failover.clock import SystemClock

if TYPE_CHECKING:
    from otherside.program.project import Project
    from otherside.twin.host.registry import RunningTwin
    from otherside.twin.twin import Twin
STOP_S = 30.0
"""How long a twin is waited for that was asked to stop."""


@click.group()
def twin() -> None:
    """Run two AWS Regions on this machine: the API, databases, DNS, functions and instances.

    Nothing leaves the machine, and nothing remains on it afterwards.

    \b
    Examples:
      otherside twin up orders           deploy the project in ./orders and stay up
      otherside twin up --json | jq .    for scripts: one line of JSON once it is ready
      otherside status --watch --twin    in a second terminal: what the orchestrator sees and does
      otherside twin lose us-east-2      in a third one: lose a Region
      otherside twin restore us-east-2
      otherside twin down
    """
    if click.get_current_context().invoked_subcommand != twin_doctor.doctor.name:
        need_twin_extra()


for _command in (*twin_faults.COMMANDS, twin_doctor.doctor):
    twin.add_command(_command)


@twin.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--name", help="What to call the twin. Default: the project's directory.")
@click.option("--stack", help="Stack whose Pulumi.STACK.yaml to read. Default: the only one.")
@click.option("--speed", default=1.0, show_default=True, help="Twin seconds per real second.")
@click.option(
    "--latency",
    type=click.Choice(["modelled", "none"]),
    default="modelled",
    show_default=True,
    help="Model the latencies of AWS's own services, or leave them out.",
)
@click.option(
    "--instances", default=1, show_default=True, help="How many instances of each group really run."
)
@click.option(
    "--delegate",
    "delegated",
    multiple=True,
    metavar="NAME",
    help="Delegate NAME to its hosted zone. Default: the configuration's domain.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once it is ready.")
def up(
    *,
    directory: Path,
    name: str | None,
    stack: str | None,
    speed: float,
    latency: str,
    instances: int,
    delegated: tuple[str, ...],
    as_json: bool,
) -> None:
    """Deploy the Pulumi project in DIRECTORY on a twin, and keep it running until Ctrl-C.

    The program is the one that you would deploy to AWS. Once the twin is up, the command prints
    how to reach everything.

    \b
    Examples:
      otherside twin up
      otherside twin up orders --speed 10
      otherside twin up orders --latency none --json

    Exit codes: 0 stopped by Ctrl-C or `twin down`, 1 it did not start, 2 bad usage or bad input.
    """
    if not 1 <= speed <= 100:  # noqa: PLR2004 - the message names the bounds
        msg = "--speed must be 1 to 100"
        raise click.UsageError(msg)
    from otherside.twin.host.registry import free_name, register  # noqa: PLC0415 - an extra
    from otherside.twin.twin import Twin, TwinSettings  # noqa: PLC0415 - an extra

    project, design, domain = _project(directory, stack)
    settings = TwinSettings(
        regions=_regions(project, design),
        speed=speed,
        latency=latency == "modelled",
        instances_max=instances,
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _interrupt(stop))
    console = Console(stderr=True)
    try:
        with ExitStack() as stack_:
            running = stack_.enter_context(Twin(settings, expected=project))
            for place in running.swept:
                console.print(f"removed what a killed twin had left: {place}")
            called = name or free_name(directory.resolve().name)
            _, file = register(
                running.directory, str(directory.resolve()), name=called, roles=design
            )
            stack_.callback(file.unlink, missing_ok=True)
            for zone in delegated or domain:
                running.do("delegate", name=zone)
                console.print(
                    f"delegated {zone} to its zone on the twin, as the parent domain's owner would"
                )
            _deploy(running, project, console)
            _announce(running, called, design, as_json=as_json)
            while not stop.wait(0.5):
                running.check()
    except KeyboardInterrupt:
        console.print("stopped")
    except Exception as error:
        if isinstance(error, click.ClickException):
            raise
        raise click.ClickException(_one_line(error)) from error


@twin.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def list_(*, as_json: bool) -> None:
    """List the twins that run on this machine.

    Exit codes: 0 at least one is running, 1 none is.
    """
    found = [_known(entry) for entry in _running()]
    if as_json:
        click.echo(json.dumps(found))
    elif not found:
        click.echo("no twin is running; `otherside twin up` starts one")
    else:
        table = Table(box=None, pad_edge=False)
        for column in ("name", "state", "Regions", "lost", "speed", "project"):
            table.add_column(column, overflow="fold")
        for item in found:
            regions, lost = ", ".join(item.get("regions", ())), ", ".join(item.get("lost", ()))
            state = item.get("error") or f"up for {item['real_s']:.0f} s"
            speed = f"{item['speed']:g}" if "speed" in item else "-"
            table.add_row(item["name"], state, regions, lost or "-", speed, item["project"])
        Console(highlight=False).print(table)
    sys.exit(0 if found else 1)


@twin.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def status(*, name: str | None, as_json: bool) -> None:
    """Show the parts of the twin NAME, or of every twin that runs, and the state of each.

    What the orchestrator on it sees and does is shown by `otherside status --twin NAME`.

    \b
    Examples:
      otherside twin status
      otherside twin status orders --json | jq '.[0].databases'

    Exit codes: 0 at least one is running, 1 none is.
    """
    found = [_known(entry) for entry in ([chosen(name)] if name else _running())]
    if as_json:
        click.echo(json.dumps(found))
    else:
        for item in found:
            _show(item)
        if not found:
            click.echo("no twin is running; `otherside twin up` starts one")
    sys.exit(0 if found else 1)


@twin.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Stop all your twins on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def down(*, name: str | None, every: bool, as_json: bool) -> None:
    """Stop the twin NAME, or the only one that runs.

    \b
    Examples:
      otherside twin down
      otherside twin down orders
      otherside twin down --all

    Exit codes: 0 stopped, 1 there is none, several run and none was named, or one did not stop.
    """
    if name and every:
        msg = "name one twin, or --all, not both"
        raise click.UsageError(msg)
    running = _running() if every else [chosen(name)]
    if not running:
        msg = "no twin is running"
        raise click.ClickException(msg)
    left = _stop(running)
    stopped = [entry.name for entry in running if entry not in left]
    if as_json:
        click.echo(json.dumps({"stopped": stopped, "running": [entry.name for entry in left]}))
    else:
        for called in stopped:
            click.echo(f"stopped {called}")
    if left:
        names = ", ".join(f"{entry.name} (process {entry.pid})" for entry in left)
        msg = f"still running after {STOP_S:.0f} s: {names}"
        raise click.ClickException(msg)


def _stop(running: "list[RunningTwin]") -> "list[RunningTwin]":
    """Ask twins to stop, and wait; return those that still run."""
    clock = SystemClock()
    for entry in running:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(entry.pid, signal.SIGTERM)
    deadline_s = clock.monotonic_s() + STOP_S
    while left := [entry for entry in _running() if entry in running]:
        if clock.monotonic_s() > deadline_s:
            break
        clock.sleep(0.1)
    return left


def _running() -> "list[RunningTwin]":
    from otherside.twin.host.registry import entries  # noqa: PLC0415 - an extra

    return entries()


def _known(entry: "RunningTwin") -> dict[str, Any]:
    """Return what a twin says of itself, without its secret, or that it does not answer."""
    from otherside.twin.host.registry import ask  # noqa: PLC0415 - an extra

    try:
        known = ask(entry, "status")
    except OSError as error:
        known = {"error": f"does not answer: {error}"}
    known.pop("secret_access_key", None)
    return {"name": entry.name, "owner": entry.pid, "project": entry.project, **known}


def _interrupt(stop: threading.Event) -> None:
    """Stop at once during start-up, and in order once the twin is up."""
    stop.set()
    raise KeyboardInterrupt


def _project(
    directory: Path, stack: str | None
) -> "tuple[Project, dict[str, str], tuple[str, ...]]":
    """Return the project and, if it has a configuration, its Regions by role and public name."""
    from otherside.config import ConfigError, read_config  # noqa: PLC0415 - after the extra
    from otherside.program.project import ProgramError, read_project  # noqa: PLC0415 - an extra

    try:
        project = read_project(directory, stack)
        design = project.main.parent / "otherside.toml"
        if not design.exists():
            return project, {}, ()
        topology = read_config(design)
        regions = topology.regions
    except (ProgramError, ConfigError) as error:
        raise click.UsageError(str(error)) from None
    known = {
        "primary": regions.primary,
        "standby": regions.standby,
        "witness": regions.witness,
    }
    return project, known, (topology.traffic.domain,)


def _regions(project: "Project", design: dict[str, str]) -> tuple[str, ...]:
    """Return every Region that a program uses: from its configuration, or by declaring it once."""
    from otherside.program.monitor import declare  # noqa: PLC0415 - an extra
    from otherside.regions import CONTROL_REGION, REGIONS  # noqa: PLC0415 - after the extra

    found = list(design.values())
    if not found:
        declared = declare(
            project.run,
            project=project.name,
            stack_name=project.stack,
            config=project.config,
        )
        found = [resource.region for resource in declared.resources if resource.region in REGIONS]
    return tuple(dict.fromkeys([*found, CONTROL_REGION]))


def _deploy(running: "Twin", project: "Project", console: Console) -> None:
    count = 0

    def told(what: str) -> None:
        nonlocal count
        count += 1
        if console.is_terminal:
            status_.update(f"{count} resources; {what}")

    with console.status("starting the twin") as status_:
        made = running.provision(project, told=told)
    console.print(f"{len(made.declaration.resources)} resources in {made.took_s:.1f} s")


def _announce(running: "Twin", called: str, design: dict[str, str], *, as_json: bool) -> None:
    """Print how to reach everything, as text or as JSON."""
    known = {**running.known, **design}
    assert running.provisioned is not None
    exports = dict(running.provisioned.declaration.exports)
    if as_json:
        click.echo(json.dumps({**known, "name": called, "exports": exports}))
        sys.stdout.flush()
        return
    endpoint, region = known["endpoint"], known["regions"][0]
    host, _, port = known["dns"].rpartition(":")
    url = str(exports.get("url", ""))
    name = url.partition("://")[2]
    public = known["https_port"] if url.startswith("https") else known["http_port"]
    click.echo(f"""
The twin {called} is up. Everything runs on this machine, and Ctrl-C removes it.

  otherside status --watch --twin {called}
  otherside twin lose {region} --twin {called}

  export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={region}
  export AWS_ACCESS_KEY_ID={known["access_key_id"]}
  export AWS_SECRET_ACCESS_KEY={known["secret_access_key"]}

  aws rds describe-global-clusters
  dig @{host} -p {port} {name or "NAME"}""")
    if name:
        click.echo(
            f"  curl -k --resolve {name}:{public}:$(dig +short @{host} -p {port} {name})"
            f" {url}:{public}/readyz"
        )
    click.echo(
        f"\nOne real second is {known['speed']:g} twin seconds; AWS's own latencies are"
        f" {'modelled' if known['latency'] == 'modelled' else 'left out'}."
    )


def _show(known: dict[str, Any]) -> None:
    if "error" in known:
        click.echo(f"{known['name']} (process {known['owner']}): {known['error']}")
        return
    owner = f"{known['project']}, process {known['owner']}"
    title = f"{known['name']}: {owner}, up for {known['real_s']:.0f} s"
    table = Table(title=f"{title} ({known['twin_s']:.0f} twin seconds)")
    for column in ("what", "region", "state"):
        table.add_column(column)
    for region in known["regions"]:
        table.add_row("Region", region, "lost" if region in known["lost"] else "up")
    for database in known["databases"]:
        role = "writer" if database["writer"] else "standby"
        table.add_row(
            database["cluster"], database["region"], role if database["running"] else "down"
        )
    for instance in known["instances"]:
        table.add_row(instance["id"], instance["region"], instance["health"] or "not registered")
    Console().print(table)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
