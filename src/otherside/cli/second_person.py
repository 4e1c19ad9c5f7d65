"""Orders that two people have to give: who has signed already, and the next signature."""

from typing import TYPE_CHECKING

import click

from otherside.cli.state_table import OpenedTable
from otherside.failover.decision.observation import BY_TWO, Command, Order

if TYPE_CHECKING:
    from otherside.failover.aws.caller_proof import CallerProof

UNKNOWN = "unknown caller"


def needs_two(opened: OpenedTable, wanted: Order) -> bool:
    """Return whether an order has to be given by two people."""
    return opened.topology.failover.approvers > 1 and wanted in BY_TWO


def is_second(opened: OpenedTable, wanted: Order, over: Command | None, author: str) -> bool:
    """Return whether somebody else has given this order in this phase, a short while ago.

    Raises:
        click.ClickException: If it was this very principal.
    """
    state, now_s = opened.state, opened.operator.clock.now_s()
    _principal(author)  # refused before anything is written
    if over is None or over.order is not wanted or not over.author:
        return False
    if not state.entered <= over.revision <= state.revision or now_s - over.at_s > _counts_s():
        return False
    if _principal(over.author) == _principal(author):
        msg = f"{author} has given this order already: another person has to give it, too"
        raise click.ClickException(msg)
    return True


def sign(opened: OpenedTable, wanted: Order, revision: int) -> "CallerProof":
    """Return the caller's signature under an order.

    Raises:
        click.ClickException: If there are no credentials to sign with.
    """
    import boto3  # noqa: PLC0415 - an extra

    from otherside.failover.operator import signature  # noqa: PLC0415 - the same

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        msg = "no AWS credentials to sign the order with"
        raise click.ClickException(msg)
    region = opened.topology.regions.standby
    return signature(
        credentials.get_frozen_credentials(),
        opened.clients.sts_endpoint(region),
        region,
        opened.topology.prefix,
        wanted,
        opened.state,
        revision,
    )


def _principal(arn: str) -> str:
    from otherside.failover.aws.caller_proof import principal_of  # noqa: PLC0415 - an extra

    named = principal_of(arn)
    if named is None:
        msg = f"{arn} cannot give it: use an IAM user or a role, which STS names as one person"
        raise click.ClickException(msg)
    return named


def _counts_s() -> float:
    from otherside.failover.aws.caller_proof import VALID_S  # noqa: PLC0415 - an extra

    return float(VALID_S)
