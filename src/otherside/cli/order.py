"""`otherside order`: what only a person may ask of the orchestrator."""

from datetime import datetime
from pathlib import Path

import click

from otherside.cli.state_table import caller, open_table
from otherside.cli.status import DESIGN
from otherside.config.document import duration_s
from otherside.failover.decision.observation import Command, Order
from otherside.failover.decision.state import Phase, State
from otherside.failover.decision.transitions import HEEDED_IN
from otherside.failover.ports import ConflictError, UnavailableError

ORDERS = [str(item) for item in Order]
MEANS = {
    Order.SWITCHOVER: "the writer moves to the other side, losing nothing",
    Order.APPROVE: "the writer moves to the standby, and what was not replicated is lost",
    Order.DENY: "the writer stays, and nobody is asked again until it has been seen to live",
    Order.RESUME: "the orchestrator goes on as if nothing had happened, the writer at home",
    Order.ADOPT: "the orchestrator takes the writer to be where Aurora says that it is",
    Order.PROCEED: "the orchestrator goes on without the proof that it waits for, at your own risk",
    Order.HALT: "the orchestrator does nothing more by itself until somebody resumes or adopts",
    Order.SIGN_RECONCILIATION: "you know what became of the writes that were lost",
    Order.FREEZE: "nothing moves until then",
}


@click.command()
@click.argument("what", type=click.Choice(ORDERS))
@click.option("--design", type=DESIGN, default=Path("otherside.toml"), show_default=True)
@click.option("--until", help="End of a freeze: 2h from now, a moment like 2026-12-24T18:00Z, now.")
@click.option("--revision", type=int, help="The revision that you have seen. Default: the newest.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def order(what: str, design: Path, until: str | None, revision: int | None, *, yes: bool) -> None:
    """Give the orchestrator an order; its next look heeds it.

    An order counts for the phase that you saw, and for a quarter of an hour: if the orchestrator
    has gone on meanwhile, it means nothing. It is written into the state table under your own
    identity; if somebody else orders at the same time, one of you is told so.

    \b
    Examples:
      otherside order approve
      otherside order freeze --until 2h
      otherside order switchover --yes

    Exit codes: 0 given, 1 nothing waits for it or the table does not answer, 2 bad usage.
    """
    wanted = Order(what)
    opened = open_table(design)
    state, until_s = opened.state, _until_s(wanted, until, opened.clock.now_s())
    try:
        seen = state.revision if revision is None else revision
        over = opened.store.freeze() if wanted is Order.FREEZE else opened.store.command()
        _check(wanted, state, seen)
        if over is not None and over.author and state.entered <= over.revision <= state.revision:
            click.echo(f"{over.author} has ordered {over.order} here already.", err=True)
        if not yes:
            click.echo(f"{opened.topology.prefix} is {state.phase}: {state.reason}")
            click.confirm(f"{what}: {MEANS[wanted]}. Go on?", abort=True)
        opened.store.order(
            Command(
                order=wanted,
                revision=seen,
                author=caller(opened.region),
                at_s=opened.clock.now_s(),
                until_s=until_s,
                loss_s=state.asked_loss_s if wanted is Order.APPROVE else None,
            ),
            over=over,
        )
    except (ConflictError, UnavailableError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Ordered for revision {seen}. `otherside status` shows what comes of it.")


def _until_s(wanted: Order, until: str | None, now_s: float) -> float | None:
    """Return the end of a freeze, in seconds since 1970."""
    if wanted is not Order.FREEZE:
        if until is not None:
            msg = "--until belongs to freeze"
            raise click.UsageError(msg)
        return None
    if until is None:
        msg = "a freeze ends some time: give --until 2h, or --until now to end one"
        raise click.UsageError(msg)
    if until == "now":
        return now_s
    for read in (lambda text: now_s + duration_s(text), _moment_s):
        try:
            return read(until)
        except (ValueError, KeyError):
            continue
    msg = f"--until {until}: neither a duration like 2h nor a moment like 2026-12-24T18:00Z"
    raise click.UsageError(msg)


def _moment_s(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = "a moment without a time zone is several"
        raise ValueError(msg)
    return moment.timestamp()


def _check(wanted: Order, state: State, seen: int) -> None:
    """Say so where an order would mean nothing, rather than give it."""
    waits = HEEDED_IN[wanted]
    if state.phase not in waits:
        phases = " or ".join(sorted(str(wait) for wait in waits))
        msg = f"{wanted} means something in {phases}; it is {state.phase}: {state.reason}"
        raise click.ClickException(msg)
    if wanted is Order.APPROVE and state.phase is Phase.BLOCKED and not state.denied:
        msg = f"no approval helps against this: {state.reason}"
        raise click.ClickException(msg)
    if not state.entered <= seen <= state.revision:
        msg = f"revision {seen} is not of this phase, which revision {state.entered} entered"
        raise click.ClickException(msg)
