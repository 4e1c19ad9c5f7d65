"""`otherside order`: orders that only a person may give the orchestrator."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otherside.cli.ignored import refuse_ignored, refuse_questions
from otherside.cli.second_person import is_second, needs_two, sign
from otherside.cli.state_table import (
    OpenedTable,
    caller,
    config_option,
    on_twin_option,
    open_table,
)
from otherside.config.document import duration_s
from otherside.core.topology import FailoverMode
from otherside.failover.decision.observation import BY_TWO, Command, Order
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase, State
from otherside.failover.decision.transitions import HEEDED_IN
from otherside.failover.ports import ConflictError, UnavailableError
from otherside.operate.next_step import is_scheduled

if TYPE_CHECKING:
    from otherside.failover.aws.caller_proof import CallerProof

ORDERS = [str(item) for item in Order]
MEANS = {
    Order.SWITCHOVER: "move the writer to the other side without losing data",
    Order.ABORT: "call off a switchover that is scheduled or being checked",
    Order.APPROVE: "move the writer to the standby; writes that were not replicated are lost",
    Order.DENY: "keep the writer; you are not asked again until it has been seen alive",
    Order.RESUME: "continue as if nothing had happened, with the writer on the primary",
    Order.ADOPT: "accept the writer's location as Aurora reports it",
    Order.PROCEED: "continue without the proof that the orchestrator waits for, at your own risk",
    Order.HALT: "stop the orchestrator from acting on its own until a person resumes or adopts",
    Order.SIGN_RECONCILIATION: "confirm that you know what became of the lost writes",
    Order.FREEZE: "move nothing until the freeze ends",
}
SECOND = (
    "One of two: nothing happens until another person runs `otherside order {order}`, within a "
    "quarter of an hour and in the same phase."
)
FOLLOW_S = FailoverPolicy(mode=FailoverMode.AUTO, loss_auto_s=0.0).order_max_s
"""How long an order is followed: as long as it counts."""
POLL_S = 2.0
SCHEDULED_MAX_S = 14 * 86_400.0
"""How far ahead a switchover may be scheduled: by then its author should look again."""
AT_REST = frozenset(
    {
        *(Phase.STEADY, Phase.FAILED_OVER, Phase.REJOINED, Phase.FAILBACK_READY),
        *(Phase.HALTED, Phase.BLOCKED, Phase.AWAIT_APPROVAL),
    }
)
"""Phases in which nothing is under way."""


@click.command()
@click.argument("what", type=click.Choice(ORDERS))
@config_option
@on_twin_option
@click.option(
    "--until", help="End of a freeze: 2h from now, a time such as 2026-12-24T18:00Z, or now."
)
@click.option(
    "--at",
    help="When a switchover begins: 2h from now, or a time such as 2026-12-24T22:00Z.",
)
@click.option("--revision", type=int, help="The revision that you saw. Default: the newest.")
@click.option("--yes", is_flag=True, help="Skip the confirmation; for scripts.")
@click.option("--dry-run", is_flag=True, help="Show what the order would mean now; write nothing.")
@click.option("--wait", is_flag=True, help="Follow until the orchestrator is at rest again.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON; needs --yes.")
def order(
    *,
    what: str,
    design: Path | None,
    twin_name: str | None,
    until: str | None,
    at: str | None,
    revision: int | None,
    yes: bool,
    dry_run: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Give the orchestrator an order; it acts on it at its next tick.

    The order is bound to the phase you saw and expires after a quarter of an hour; it is ignored
    if the orchestrator has left that phase. The command writes the order to the state table under
    your own identity. If two people give orders at the same time, one of them gets an error.

    \b
    Examples:
      otherside order approve
      otherside order freeze --until 2h
      otherside order switchover --dry-run
      otherside order switchover --yes --wait
      otherside order switchover --at 2026-12-24T22:00Z
      otherside order switchover --yes --wait --json
      otherside order abort

    Where the configuration asks for two people (`failover.approvers = 2`), the second gives the
    same order as another IAM principal; the orchestrator has STS name both.

    It is safe to interrupt --wait, and to repeat the command: the order is given once.

    Exit codes: 0 order written (and at rest again), 1 it does not apply, was not heeded or the
    table does not answer, 2 bad usage.
    """
    if dry_run:
        refuse_ignored(("yes", "wait"), "--dry-run gives no order: leave {option} out")
    refuse_questions(as_json=as_json, answered=yes or dry_run, instead="add --yes, or --dry-run")
    wanted = Order(what)
    opened = open_table(design, twin_name)
    state, now_s = opened.state, opened.operator.clock.now_s()
    until_s, at_s = _until_s(wanted, until, now_s), _begins_s(wanted, at, now_s)
    if at_s is not None and needs_two(opened, wanted):
        msg = "--at: two people give this order, and STS vouches for them for a quarter of an hour"
        raise click.UsageError(msg)
    try:
        seen = state.revision if revision is None else revision
        over = opened.operator.last(wanted)
        _check(wanted, state, seen)
        if wanted is Order.ABORT and not _can_abort(opened, over, now_s):
            msg = "no switchover is scheduled or being checked: there is nothing to call off"
            raise click.ClickException(msg)
        _tell_of_the_last(over, state, now_s)
        if dry_run:
            _consequence(opened, wanted, as_json=as_json)
            return
        given = {"order": wanted, "revision": seen, "at_s": at_s, "until_s": until_s}
        given["author"] = _give(opened, over, given, yes=yes, quiet=as_json)
    except (ConflictError, UnavailableError) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(_tell_the_outcome(opened, wanted, given, wait=wait, as_json=as_json))


def _give(
    opened: OpenedTable, over: Command | None, given: dict[str, Any], *, yes: bool, quiet: bool
) -> str:
    """Ask whether it is meant, and give the order; return its author."""
    wanted, state = given["order"], opened.state
    if not yes:
        click.echo(f"{opened.topology.prefix} is {state.phase}: {state.reason}")
        _confirm(wanted, opened.topology.prefix)
    author = caller(opened.region)
    waits, proofs = _signatures(opened, wanted, over, author, given["revision"])
    terms = {name: given[name] for name in ("revision", "until_s", "at_s")}
    opened.operator.give(wanted, state, author=author, over=over, proofs=proofs, **terms)
    if waits:
        click.echo(SECOND.format(order=wanted), err=quiet)
    return author


def _confirm(wanted: Order, application: str) -> None:
    """Ask whether it is meant; what may move the writer or lose writes is confirmed by a name.

    Raises:
        click.Abort: If it is not.
    """
    if wanted not in BY_TWO:
        click.confirm(f"{wanted}: {MEANS[wanted]}. Continue?", abort=True)
    elif click.prompt(f"{wanted}: {MEANS[wanted]}. Type {application} to go on") != application:
        raise click.Abort


def _signatures(
    opened: OpenedTable, wanted: Order, over: Command | None, author: str, revision: int
) -> "tuple[bool, tuple[CallerProof, ...]]":
    """Return whether a second person still has to give an order, and who has signed it."""
    if not needs_two(opened, wanted):
        return False, ()
    second = is_second(opened, wanted, over, author)
    signed = sign(opened, wanted, revision)
    return not second, (*(opened.operator.proofs() if second else ()), signed)


def _tell_the_outcome(
    opened: OpenedTable, wanted: Order, given: dict[str, Any], *, wait: bool, as_json: bool
) -> int:
    """Say that an order was written and, if asked, what came of it; return the exit code."""
    phase, at_s = opened.state.phase, given["at_s"]
    later = f", from {_moment(at_s)} on, if the phase is still {phase} then" if at_s else ""
    said = f"Order written for revision {given['revision']}{later}."
    click.echo(f"{said} `otherside status` shows the outcome.", err=as_json)
    heeded = None
    if wait and not (wanted is Order.ABORT and phase in AT_REST):
        begins_s = at_s or opened.operator.clock.now_s()
        heeded = _follow(opened, wanted, given["until_s"], begins_s, quiet=as_json)
    if as_json:
        click.echo(json.dumps({**given, "written": True, "succeeded": heeded}))
    return 1 if heeded is False else 0


def _can_abort(opened: OpenedTable, over: Command | None, now_s: float) -> bool:
    """Return whether a switchover is scheduled, waits for a second person, or is being checked."""
    state = opened.state
    if over is not None and over.order is Order.SWITCHOVER:
        half = needs_two(opened, Order.SWITCHOVER) and state.entered <= over.revision
        if half or is_scheduled(over, state, now_s):
            return True
    return state.phase is Phase.SWITCH_PRECHECK


def _tell_of_the_last(over: Command | None, state: State, now_s: float) -> None:
    """Say what order stands in this phase, for the new one takes its place."""
    if over is None or not over.author or not state.entered <= over.revision <= state.revision:
        return
    if is_scheduled(over, state, now_s):
        said = f"{over.author} scheduled a switchover for {_moment(over.at_s)}: this replaces it."
    else:
        said = f"{over.author} has already ordered {over.order} in this phase."
    click.echo(said, err=True)


def _consequence(opened: OpenedTable, wanted: Order, *, as_json: bool) -> None:
    """Say on which facts an order would be heeded now, and what it would do."""
    state = opened.state
    if as_json:
        facts = {"phase": state.phase, "reason": state.reason, "writer": state.writer}
        loss_s = state.asked_loss_s if wanted is Order.APPROVE else None
        more = {"epoch": state.epoch, "loss_s": loss_s, "would": MEANS[wanted], "written": False}
        click.echo(json.dumps({"order": wanted, "revision": state.revision, **facts, **more}))
        return
    click.echo(f"{opened.topology.prefix} is {state.phase}: {state.reason}")
    click.echo(f"the writer is on {state.writer}, in epoch {state.epoch}")
    if wanted is Order.APPROVE:
        loss_s = state.asked_loss_s
        lost = "an unknown time" if loss_s is None else f"about {loss_s:.1f} s"
        click.echo(f"approved would be the loss of {lost} of writes, and at most one second more")
    click.echo(f"{wanted} would {MEANS[wanted]}")
    click.echo("nothing was written")


def _follow(
    opened: OpenedTable, wanted: Order, until_s: float | None, begins_s: float, *, quiet: bool
) -> bool:
    """Print each new revision until the order was heeded and nothing is under way.

    Returns whether it was; an order is ignored once it is older than it may be.
    """
    clock, before = opened.operator.clock, opened.state
    shown = before.revision
    while clock.now_s() < begins_s + FOLLOW_S:
        clock.sleep(POLL_S)
        try:
            now = opened.refreshed().state
        except click.ClickException as error:
            click.echo(f"unreadable just now: {error.message}", err=True)
            continue
        if now.revision != shown:
            click.echo(f"  #{now.revision} {now.phase}: {now.reason}", err=quiet)
            shown = now.revision
        if now.revision > before.revision and now.phase in AT_REST:
            frozen = until_s is not None and now.frozen_until_s == until_s
            if frozen if wanted is Order.FREEZE else now.entered > before.revision:
                return _has_succeeded(wanted, before, now)
    click.echo(f"{wanted} was not heeded within {FOLLOW_S:.0f} s", err=True)
    return False


def _has_succeeded(wanted: Order, before: State, now: State) -> bool:
    """Return whether an order that was heeded has done what it is for, once all is at rest."""
    if wanted is Order.SWITCHOVER:
        return now.phase is not Phase.HALTED and now.writer is not before.writer
    if wanted is Order.ABORT:
        return now.writer is before.writer
    if wanted is Order.APPROVE:
        return now.phase not in {Phase.HALTED, Phase.AWAIT_APPROVAL, Phase.BLOCKED}
    return now.phase is not Phase.HALTED or wanted is Order.HALT


def _until_s(wanted: Order, until: str | None, now_s: float) -> float | None:
    """Return the end of a freeze, in seconds since 1970."""
    if wanted is not Order.FREEZE:
        if until is not None:
            msg = "--until applies only to freeze"
            raise click.UsageError(msg)
        return None
    if until is None:
        msg = "a freeze needs an end: pass --until 2h, or --until now to end one"
        raise click.UsageError(msg)
    if until == "now":
        return now_s
    for read in (lambda text: now_s + duration_s(text), _moment_s):
        try:
            return read(until)
        except (ValueError, KeyError):
            continue
    msg = f"--until {until}: neither a duration such as 2h nor a time such as 2026-12-24T18:00Z"
    raise click.UsageError(msg)


def _begins_s(wanted: Order, at: str | None, now_s: float) -> float | None:
    """Return when a switchover is to begin, in seconds since 1970, if not now."""
    if at is None:
        return None
    if wanted is not Order.SWITCHOVER:
        msg = "--at applies only to switchover"
        raise click.UsageError(msg)
    for read in (lambda text: now_s + duration_s(text), _moment_s):
        try:
            found = read(at)
        except (ValueError, KeyError):
            continue
        if now_s < found <= now_s + SCHEDULED_MAX_S:
            return found
        msg = (
            f"--at {at}: a switchover is scheduled for the next {SCHEDULED_MAX_S / 86400:.0f} days"
        )
        raise click.UsageError(msg)
    msg = f"--at {at}: neither a duration such as 2h nor a time such as 2026-12-24T22:00Z"
    raise click.UsageError(msg)


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _moment_s(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = "the time needs a time zone"
        raise ValueError(msg)
    return moment.timestamp()


def _check(wanted: Order, state: State, seen: int) -> None:
    """Refuse an order that would have no effect."""
    waits = HEEDED_IN[wanted]
    if state.phase not in waits:
        phases = " or ".join(sorted(str(wait) for wait in waits))
        msg = f"{wanted} applies only in {phases}; the phase is {state.phase}: {state.reason}"
        raise click.ClickException(msg)
    if wanted is Order.APPROVE and state.phase is Phase.BLOCKED and not state.denied:
        msg = f"an approval does not remove this obstacle: {state.reason}"
        raise click.ClickException(msg)
    if not state.entered <= seen <= state.revision:
        msg = f"revision {seen} is not in this phase, which began at revision {state.entered}"
        raise click.ClickException(msg)
