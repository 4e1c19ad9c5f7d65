"""The overview of a deployed stack as one screen of text."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from otherside.core.topology import Side
from otherside.failover.aws.global_cluster import UNFIT
from otherside.failover.decision.state import Phase
from otherside.operate.overview import SIGNALS, Overview
from otherside.operate.reading import Fact

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60
"""The most values that a sparkline shows: an hour, one for each minute."""
_STYLES = {"good": "green", "bad": "bold red", "unknown": "yellow"}
_CALM = {Phase.STEADY, Phase.FAILED_OVER, Phase.REJOINED, Phase.FAILBACK_READY}


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDrill:
    """The newest report of a drill in a directory."""

    file: Path
    scenario: str
    verdict: str
    rto_write_s: float | None
    rpo_s: float | None
    age_s: float

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-serializable data."""
        return {**asdict(self), "file": str(self.file)}


def last_drill(directory: Path, now_s: float) -> LastDrill | None:
    """Return the newest drill whose report lies below a directory, or `None`."""
    return next(iter(last_drills(directory, now_s, 1)), None)


def last_drills(directory: Path, now_s: float, most: int) -> list[LastDrill]:
    """Return the newest drills whose reports lie below a directory, the newest first."""
    try:
        reports = [(file.stat().st_mtime, file) for file in directory.rglob("report.json")]
    except OSError:
        return []
    read = (_read_drill(file, now_s - at_s) for at_s, file in sorted(reports, reverse=True)[:most])
    return [drill for drill in read if drill is not None]


def _read_drill(file: Path, age_s: float) -> LastDrill | None:
    """Return what a report says; `None` if it is no report."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return LastDrill(
            file=file,
            scenario=str(known["scenario"]),
            verdict=str(known["verdict"]),
            rto_write_s=known["rto_write_s"],
            rpo_s=known["rpo_s"],
            age_s=age_s,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def document(seen: Overview, drill: LastDrill | None, where: str) -> dict[str, Any]:
    """Return the overview as JSON-serializable data; `null` and a reason for what is unknown."""
    return {
        "schema_version": 1,
        "application": seen.application,
        "where": where,
        "at_s": seen.at_s,
        "state": asdict(seen.state),
        "regions": seen.regions,
        "region": seen.region,
        "next_step": seen.next_step,
        "in_the_way": list(seen.in_the_way),
        "lease": seen.lease,
        "attempts": list(seen.attempts),
        "pulses": seen.pulses,
        "revisions": list(seen.revisions),
        "tick": _plain(seen.tick),
        "database": _plain(seen.database),
        "members": {side: _plain(fact) for side, fact in seen.members.items()},
        "lag_history_s": _plain(seen.lag_history_s),
        "users_on": _plain(seen.users_on),
        "addresses": _plain(seen.addresses),
        "capacity": {side: _plain(fact) for side, fact in seen.capacity.items()},
        "backups": {side: _plain(fact) for side, fact in seen.backups.items()},
        "unread": seen.unread,
        "last_drill": None if drill is None else drill.as_json(),
    }


def _plain(fact: Fact[Any]) -> Any:  # noqa: ANN401 - JSON
    value = fact.value
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def screen(seen: Overview, drill: LastDrill | None, where: str) -> RenderableType:
    """Return the overview, laid out for people."""
    return Group(
        _heading(seen, where),
        _sides(seen),
        _signals(seen),
        _decision(seen),
        *_revisions(seen),
        *_trouble(seen),
        _drill(drill),
    )


def _heading(seen: Overview, where: str) -> Text:
    state = seen.state
    style = "bold green" if state.phase is Phase.STEADY else "bold yellow"
    if state.phase not in _CALM:
        style = "bold red"
    heading = Text(f"{seen.application} on {where}: ", style="bold")
    heading.append(str(state.phase), style=style)
    if state.revision:
        heading.append(f" for {span(seen.at_s - state.since_s)}, revision {state.revision}")
    return heading


def _sides(seen: Overview) -> Table:
    """Return one column for each side and one row for each question about it."""
    table = Table(box=None, pad_edge=False, show_header=True)
    table.add_column("")
    for side in Side:
        table.add_column(f"{side} {seen.regions[side]}", overflow="fold")
    rows = {
        "writes": [_writes(seen, side) for side in Side],
        "users": [_users(seen, side) for side in Side],
        "database": [_member(seen, side) for side in Side],
        "instances": [_capacity(seen, side) for side in Side],
        "reports": [_pulse(seen, side) for side in Side],
        "newest backup": [_backup(seen, side) for side in Side],
    }
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table


def _writes(seen: Overview, side: Side) -> Text:
    member, database = seen.members[side].value, seen.database.value
    if database is not None and member is not None and database.writer is not None:
        if database.moving_to == member.region:
            return Text("becoming the writer", style="bold yellow")
        return (
            Text("the writer", style="bold green")
            if database.writer == member.region
            else Text("-")
        )
    ours = seen.state.writer is side
    return Text("the writer, by the orchestrator's state" if ours else "-", style="yellow")


def _users(seen: Overview, side: Side) -> Text:
    if seen.users_on.value is None:
        return Text("unknown", style="yellow")
    if seen.users_on.value is not side:
        return Text("-")
    held = ", held here" if seen.state.latched and side is Side.STANDBY else ""
    return Text(f"DNS sends them here{held}", style="green")


def _member(seen: Overview, side: Side) -> Text:
    member = seen.members[side].value
    if member is None:
        return Text("unknown", style="yellow")
    text = f"{member.status}, {member.instances} instances, {member.version}"
    if member.status in UNFIT or not member.instances:
        return Text(text, style="bold red")
    return Text(text, style="" if member.status == "available" else "yellow")


def _capacity(seen: Overview, side: Side) -> Text:
    capacity = seen.capacity[side].value
    if capacity is None:
        return Text("unknown", style="yellow")
    short = capacity.in_service < capacity.desired
    text = f"{capacity.in_service} of {capacity.desired} in service, at most {capacity.maximum}"
    return Text(text, style="yellow" if short else "")


def _pulse(seen: Overview, side: Side) -> Text:
    """Return the newest report of a side's lease agents."""
    reports = [report for place, report in seen.pulses.items() if place.partition("#")[0] == side]
    if not reports:
        return Text("none", style="yellow")
    newest = min(reports, key=lambda report: float(report["age_s"]))
    words = [
        f"{name} {_word(newest[key])}"
        for name, key in (("app", "app_ok"), ("writes", "writes_ok"), ("reads", "reads_ok"))
        if newest[key] is not None
    ]
    old = float(newest["age_s"]) > 20  # noqa: PLR2004 - four renewals of the lease
    text = f"{', '.join(words) or 'nothing'} {span(newest['age_s'])} ago"
    return Text(text, style="bold red" if old else "")


def _backup(seen: Overview, side: Side) -> Text:
    fact = seen.backups[side]
    if fact.missing:
        return Text("unknown", style="yellow")
    if fact.value is None:
        return Text("none", style="yellow")
    return Text(f"{span(seen.at_s - fact.value.at_s)} old")


def _signals(seen: Overview) -> RenderableType:
    tick = seen.tick.value
    if tick is None:
        return Text("signals: unknown, no tick of the decider was read", style="yellow")
    table = Table(box=None, pad_edge=False, show_header=True)
    for column in ("signal", "value", "age", "source"):
        table.add_column(column, no_wrap=column in {"value", "age"}, overflow="fold")
    age = span(seen.at_s - tick.at_s)
    for name, source in SIGNALS.items():
        value = tick.signals[name]
        table.add_row(name.replace("_", " "), Text(value, style=_STYLES[value]), age, source)
    return table


def _decision(seen: Overview) -> Table:
    """Return what the orchestrator thinks, what it would do, and how much is at stake."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    tick = seen.tick.value
    if tick is not None:
        table.add_row("verdict", tick.verdict)
    table.add_row("because", tick.reason if tick is not None else seen.state.reason)
    table.add_row("next", seen.next_step)
    waits = Text("; ".join(seen.in_the_way), style="yellow")
    if not seen.in_the_way:
        unread = Text("unknown: no tick of the decider was read", style="yellow")
        waits = unread if tick is None else Text("nothing", style="green")
    table.add_row("in the way of a failover", waits)
    lease = seen.lease
    if lease is not None:
        said = "open" if lease["open"] else "closed: no side may acknowledge writes"
        table.add_row("lease", f"{said}, {lease['side']}, epoch {lease['epoch']}")
    for attempt in seen.attempts:
        answer = attempt["answer"] or "no answer"
        asked = f"Aurora was called: {answer}" if attempt["called"] else "claimed, but not called"
        table.add_row("attempt", f"{attempt['operation']}: {asked}")
    table.add_row("replication lag", _lag(seen))
    if seen.addresses.value:
        table.add_row("public name", ", ".join(seen.addresses.value))
    return table


def _lag(seen: Overview) -> str:
    history, tick = seen.lag_history_s.value, seen.tick.value
    now = (
        f"a failover now would lose {tick.lag_s:.1f} s; " if tick and tick.lag_s is not None else ""
    )
    if not history:
        return f"{now}Aurora's own metric has no value of the last hour"
    return f"{now}Aurora's, last hour, to {max(history):.2f} s: {sparkline(history)}"


def _revisions(seen: Overview) -> list[Text]:
    return [
        Text(f"  #{revision['event_id']} {revision['phase']}: {revision['reason']}")
        for revision in seen.revisions
    ]


def _trouble(seen: Overview) -> list[RenderableType]:
    """Return what fails and what could not be read."""
    tick = seen.tick.value
    failing = [*seen.state.failing, *(tick.failed if tick else ())]
    lines = [Text(f"failing: {text}", style="bold red") for text in dict.fromkeys(failing)]
    unread = [*seen.unread, *(tick.unreadable if tick else ())]
    lines += [Text(f"unknown: {text}", style="yellow") for text in dict.fromkeys(unread)]
    return [Panel(Group(*lines), title="trouble", title_align="left")] if lines else []


def _drill(drill: LastDrill | None) -> Text:
    if drill is None:
        return Text("last drill: none is recorded here; `otherside drill` runs one", style="dim")
    measured = "".join(
        f", {name} {value:.1f} s"
        for name, value in (("RTO for writes", drill.rto_write_s), ("RPO", drill.rpo_s))
        if value is not None
    )
    text = f"last drill: {drill.scenario} {drill.verdict} {span(drill.age_s)} ago{measured}"
    return Text(text, style="" if drill.verdict == "passed" else "red")


def sparkline(values: Sequence[float]) -> str:
    """Return one character for each of the last values, from the lowest bar (0) to the highest."""
    shown = list(values)[-WIDTH:]
    top = max(shown, default=0.0)
    if top <= 0:
        return BARS[0] * len(shown)
    return "".join(BARS[min(len(BARS) - 1, int(value / top * len(BARS)))] for value in shown)


def span(seconds: float) -> str:
    """Return a duration for people: `8 s`, `3 min 20 s`, `5 h 10 min`, `12 days`."""
    whole = max(0, round(seconds))
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days > 1:
        return f"{days} days"
    if hours:
        return f"{days * 24 + hours_left} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def _word(known: bool) -> str:  # noqa: FBT001 - a reading
    return "yes" if known else "no"
