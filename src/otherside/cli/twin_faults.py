"""`otherside twin lose`, `cut`, `stop`, `fault` and what undoes them: faults on a running twin."""

import json
from typing import TYPE_CHECKING, Any

import click

from otherside.cli.twin_choice import chosen, told, twin_option

if TYPE_CHECKING:
    from otherside.twin.host.registry import RunningTwin

OUTSIDE = "outside"
json_option = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
MODES = ("refuse", "hang", "unavailable", "throttle", "deny", "slow", "after")
UNITS = ("app", "agent")


@click.command()
@click.argument("region")
@twin_option
@json_option
def lose(*, region: str, name: str | None, as_json: bool) -> None:
    """Lose REGION: everything in it stops answering until `restore`.

    REGION is a Region's name or, if the project has an otherside.toml, its role.

    \b
    Examples:
      otherside twin lose us-east-2
      otherside twin lose primary --twin orders

    Exit codes: 0 done, 1 no such twin, 2 no such Region.
    """
    entry = chosen(name)
    region = _region(entry, region)
    told(entry, "lose", region=region)
    _say(
        entry,
        f"{region} is lost; `otherside twin restore {region}` brings it back",
        as_json=as_json,
    )


@click.command()
@click.argument("region")
@twin_option
@json_option
def restore(*, region: str, name: str | None, as_json: bool) -> None:
    """Bring a lost REGION back.

    Exit codes: 0 done, 1 no such twin, 2 no such Region.
    """
    entry = chosen(name)
    region = _region(entry, region)
    told(entry, "restore", region=region)
    _say(entry, f"{region} is back", as_json=as_json)


@click.command()
@click.argument("source")
@click.argument("target")
@click.option("--one-way", is_flag=True, help="Cut only what SOURCE sends to TARGET.")
@twin_option
@json_option
def cut(*, source: str, target: str, one_way: bool, name: str | None, as_json: bool) -> None:
    """Cut the network between SOURCE and TARGET: two Regions, or a Region and `outside`.

    \b
    Examples:
      otherside twin cut us-east-2 us-west-2
      otherside twin cut primary outside --one-way

    Exit codes: 0 done, 1 no such twin, 2 no such place.
    """
    entry = chosen(name)
    ends = _link(entry, source, target)
    told(entry, "cut", source=ends[0], target=ends[1])
    if not one_way:
        told(entry, "cut", source=ends[1], target=ends[0])
    way = f"from {ends[0]} to {ends[1]}" if one_way else f"between {ends[0]} and {ends[1]}"
    _say(
        entry,
        f"the network {way} is cut; `otherside twin heal` restores it",
        as_json=as_json,
    )


@click.command()
@click.argument("what", nargs=-1)
@twin_option
@json_option
def heal(*, what: tuple[str, ...], name: str | None, as_json: bool) -> None:
    """Restore cut links and remove API faults: all of them, the fault WHAT, or the link WHAT WHAT.

    Lost Regions come back by `restore`, and stopped parts by `start`.

    \b
    Examples:
      otherside twin heal
      otherside twin heal us-east-2 us-west-2
      otherside twin heal no-lambda

    Exit codes: 0 done, 1 no such twin or fault, 2 bad usage.
    """
    entry = chosen(name)
    match what:
        case ():
            links, faults = _list(told(entry, "reconnect")), _faults(entry)
            for fault in faults:
                told(entry, "heal", name=fault)
            healed = ", ".join([*(f"the link from {link}" for link in links), *faults])
            _say(entry, f"healed {healed}" if healed else "nothing to heal", as_json=as_json)
        case (fault,):
            if fault not in _faults(entry):
                known = ", ".join(_faults(entry)) or "none"
                msg = f"no fault is named {fault}; active faults: {known}"
                raise click.ClickException(msg)
            told(entry, "heal", name=fault)
            _say(entry, f"healed {fault}", as_json=as_json)
        case (source, target):
            ends = _link(entry, source, target)
            told(entry, "mend", source=ends[0], target=ends[1])
            told(entry, "mend", source=ends[1], target=ends[0])
            _say(entry, f"{ends[0]} and {ends[1]} reach each other again", as_json=as_json)
        case _:
            msg = "heal takes nothing, one fault or two places"
            raise click.UsageError(msg)


@click.command()
@click.argument("what", type=click.Choice(("database", *UNITS)))
@click.argument("region")
@twin_option
@json_option
def stop(*, what: str, region: str, name: str | None, as_json: bool) -> None:
    """Stop the databases of REGION, or the service `app` or `agent` on its instances.

    \b
    Examples:
      otherside twin stop database us-east-2
      otherside twin stop app primary

    Exit codes: 0 done, 1 no such twin or nothing to stop, 2 bad usage.
    """
    _switch(chosen(name), "stop", what, region, as_json=as_json)


@click.command()
@click.argument("what", type=click.Choice(("database", *UNITS)))
@click.argument("region")
@twin_option
@json_option
def start(*, what: str, region: str, name: str | None, as_json: bool) -> None:
    """Start what `stop` has stopped in REGION.

    Exit codes: 0 done, 1 no such twin or nothing to start, 2 bad usage.
    """
    _switch(chosen(name), "start", what, region, as_json=as_json)


@click.command()
@click.argument("fault_name", metavar="NAME")
@click.option("--mode", type=click.Choice(MODES), default="refuse", show_default=True)
@click.option("--in", "region", help="The Region whose API is called, or `global`. Default: any.")
@click.option("--service", help="The service as botocore names it, such as rds. Default: any.")
@click.option("--operation", help="The operation, such as FailoverGlobalCluster. Default: any.")
@click.option("--from", "source", help="The caller's Region, or `outside`. Default: any.")
@click.option("--seconds", type=float, help="How late the answer is; for --mode slow.")
@twin_option
@json_option
def fault(
    *,
    fault_name: str,
    mode: str,
    name: str | None,
    as_json: bool,
    seconds: float | None,
    **where: str | None,
) -> None:
    """Inject a fault NAME into the AWS API; `otherside twin heal NAME` removes it.

    \b
    Modes: refuse closes the connection, hang never answers, unavailable answers 503, throttle and
    deny answer with the service's own errors, slow answers late, after does it and does not answer.

    \b
    Examples:
      otherside twin fault no-lambda --service lambda --in us-west-2 --mode throttle
      otherside twin fault deny-move --service rds --operation FailoverGlobalCluster --mode deny

    Exit codes: 0 done, 1 no such twin, 2 bad usage.
    """
    if (seconds is not None) != (mode == "slow"):
        msg = "--mode slow needs --seconds, and no other mode takes it"
        raise click.UsageError(msg)
    entry = chosen(name)
    given: dict[str, object] = {key: text for key, text in where.items() if text is not None}
    for key, more in (("region", "global"), ("source", OUTSIDE)):
        if key in given:
            given[key] = _place(entry, str(given[key]), more)
    if seconds is not None:
        given["seconds"] = seconds
    told(entry, "fault", name=fault_name, mode=mode, **given)
    text = ", ".join(f"{key} {value}" for key, value in given.items()) or "every call"
    _say(entry, f"{fault_name}: {mode} for {text}", as_json=as_json)


COMMANDS = (lose, restore, cut, heal, stop, start, fault)


def _switch(entry: "RunningTwin", verb: str, what: str, region: str, *, as_json: bool) -> None:
    """Start or stop databases or services of a Region."""
    region = _region(entry, region)
    known = _status(entry)
    if what == "database":
        there = [item["cluster"] for item in known["databases"] if item["region"] == region]
        for cluster in there:
            told(entry, "database", cluster=cluster, verb=verb)
    else:
        there = [item["id"] for item in known["instances"] if item["region"] == region]
        for instance in there:
            told(entry, "systemctl", instance=instance, verb=verb, unit=what)
    if not there:
        msg = f"there is no {what} in {region}"
        raise click.ClickException(msg)
    done = "stopped" if verb == "stop" else "started"
    _say(entry, f"{done} {what} in {region}: {', '.join(there)}", as_json=as_json)


def _status(entry: "RunningTwin") -> dict[str, Any]:
    known = told(entry, "status")
    assert isinstance(known, dict), known
    return known


def _faults(entry: "RunningTwin") -> list[str]:
    return sorted(_status(entry)["faults"])


def _list(answer: object) -> list[str]:
    assert isinstance(answer, list), answer
    return [str(item) for item in answer]


def _link(entry: "RunningTwin", source: str, target: str) -> tuple[str, str]:
    ends = _place(entry, source, OUTSIDE), _place(entry, target, OUTSIDE)
    if ends[0] == ends[1]:
        msg = f"{source} and {target} are one place"
        raise click.UsageError(msg)
    return ends


def _place(entry: "RunningTwin", named: str, other: str) -> str:
    return named if named == other else _region(entry, named)


def _region(entry: "RunningTwin", named: str) -> str:
    """Return a Region by its role or name.

    Raises:
        click.UsageError: If the twin has none of that name; the message lists what it has.
    """
    known = told(entry, "describe")
    assert isinstance(known, dict), known
    region = entry.region(named)
    if region not in known["regions"]:
        names = [*known["regions"], *entry.roles]
        msg = f"the twin {entry.name} has no Region {named}; it has {', '.join(names)}"
        raise click.UsageError(msg)
    return region


def _say(entry: "RunningTwin", text: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"twin": entry.name, "outcome": text}) if as_json else text)
