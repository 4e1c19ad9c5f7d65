"""Gates before a move: hard blocks that no one can lift, and questions that a person can answer.

Each gate is `None` or one sentence for people; a hard block has a code for programs as well. The
decider and the actuator check the same gates.
"""

from enum import StrEnum
from typing import NamedTuple

from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.observation import (
    BY_TWO,
    Command,
    DatabaseView,
    Fitness,
    Observation,
    Order,
    Reading,
)
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import State
from otherside.failover.decision.verdict import Verdict

HOME = Side.PRIMARY
"""The side where the writer belongs. Only this side is ever left without asking a person."""


class Obstacle(StrEnum):
    """What forbids every move of the writer to the standby, whoever approves it."""

    DATABASE_SILENT = "database-silent"
    OBSERVING = "observing"
    FROZEN_BY_CONFIGURATION = "frozen-by-configuration"
    FROZEN_BY_ORDER = "frozen-by-order"
    STANDBY_DETACHED = "standby-detached"
    STANDBY_HEADLESS = "standby-headless"
    VERSION_SKEW = "version-skew"
    JUST_MOVED = "just-moved"
    STANDBY_UNFIT = "standby-unfit"


class HardBlock(NamedTuple):
    """An obstacle that no approval can lift, for programs and for people."""

    obstacle: Obstacle
    reason: str


def hard_block(state: State, observation: Observation, policy: FailoverPolicy) -> HardBlock | None:
    """Return the obstacle that no approval can lift, or `None`."""
    database, now_s = observation.database, observation.at_s
    if database is None:
        return HardBlock(Obstacle.DATABASE_SILENT, "the database's control plane does not answer")
    if policy.mode is FailoverMode.OBSERVE:
        return HardBlock(
            Obstacle.OBSERVING, f"observing only: would have moved the writer to {HOME.other}"
        )
    if any(start <= now_s < end for start, end in policy.freezes):
        return HardBlock(
            Obstacle.FROZEN_BY_CONFIGURATION,
            "frozen by the configuration: nothing moves in this window",
        )
    if now_s < state.frozen_until_s:
        return HardBlock(
            Obstacle.FROZEN_BY_ORDER,
            f"frozen by a person for another {state.frozen_until_s - now_s:.0f} s",
        )
    if now_s - state.moved_s <= policy.settle_s:
        return HardBlock(
            Obstacle.JUST_MOVED,
            "the writer has only just moved: Aurora may still describe how it was before, which "
            "would pass for the next move",
        )
    return _standby_block(database)


def _standby_block(database: DatabaseView) -> HardBlock | None:
    """Return why Aurora would not promote the standby's cluster, or `None`."""
    if not database.follower_is_member:
        return HardBlock(
            Obstacle.STANDBY_DETACHED,
            "the standby is no member of the global database; it cannot be promoted",
        )
    if not database.follower_has_instance:
        return HardBlock(
            Obstacle.STANDBY_HEADLESS, "the standby has no instance; it cannot be promoted"
        )
    if not database.versions_match:
        return HardBlock(
            Obstacle.VERSION_SKEW, "the sides run different versions; Aurora refuses to move"
        )
    if database.fitness is Fitness.UNFIT:
        return HardBlock(
            Obstacle.STANDBY_UNFIT,
            f"the standby cannot take over: its state is {database.status}",
        )
    return None


def approval_reason(state: State, observation: Observation, policy: FailoverPolicy) -> str | None:
    """Return what a person has to approve before data may be lost, or `None`."""
    if policy.mode is FailoverMode.APPROVE:
        return f"confirmed; approval is asked for by design; {loss_of(observation)}"
    doubt = _doubt(state, observation)
    if doubt is not None:
        return f"confirmed; {doubt}; {loss_of(observation)}"
    loss = observation.replication
    if loss is None:
        return f"confirmed; {loss_of(observation)}"
    if loss.estimate_s > policy.loss_auto_s:
        return f"confirmed; {loss_of(observation)}, more than {policy.loss_auto_s:.1f} s"
    if observation.at_s < state.block_until_s:
        return "confirmed; the last move was less than an hour ago"
    return None


def _doubt(state: State, observation: Observation) -> str | None:
    """Return why this may not be a disaster, or why a move may not help."""
    if state.verdict is Verdict.REGION_SILENT:
        return "everything is silent but RDS in the Region: its machines may be being replaced"
    rds = observation.signals.control_plane.reading
    if observation.machines is not None and observation.machines <= 1 and rds is not Reading.BAD:
        return "every witness of the primary is one machine"
    if observation.signals.standby_app.reading is Reading.BAD:
        return "the standby's application does not answer"
    if observation.database is not None and observation.database.move is not None:
        return "a switchover of ours stands still"
    return None


def loss_of(observation: Observation) -> str:
    """Return what a failover now would lose, as text for people."""
    loss = observation.replication
    if loss is None:
        return "nobody can say how much would be lost"
    return (
        f"about {loss.estimate_s:.1f} s of writes would be lost, and {loss.bound_s:.1f} s at the "
        "most"
    )


def unfit_reason(state: State, observation: Observation, policy: FailoverPolicy) -> str | None:
    """Return why a switchover would not be the short pause that it should be, or `None`."""
    if state.writer is HOME and state.verdict is not Verdict.HEALTHY:
        return f"the evidence says {state.verdict}"
    if observation.database is None or not observation.database.resynced:
        return "the other side does not follow"
    if observation.replication is None:
        return "nobody can say how far the other side lags"
    if observation.replication.lag_max_s > policy.switch_lag_max_s:
        return f"replication lags by {observation.replication.lag_max_s:.1f} s"
    return None


def needed_s(state: State, policy: FailoverPolicy) -> float:
    """Return how long a deadly verdict must hold; in-Region repair gets its time first."""
    if state.verdict in {Verdict.WRITER_DEAD, Verdict.REGION_SILENT}:
        return policy.confirm_s + policy.in_region_grace_s
    return policy.confirm_unanimous_s if state.unanimous else policy.confirm_s


def valid_order(
    order: Order, state: State, observation: Observation, policy: FailoverPolicy
) -> Command | None:
    """Return a person's order if it is recent and its author saw the current phase.

    The revision shows which phase the author saw. The time is checked too, because the same
    revision may occur again after a restore of the table. Where two people are asked for, an order
    that STS does not confirm for both is none.
    """
    command = observation.command
    if command is None or command.order is not order:
        return None
    seen = state.entered <= command.revision <= state.revision
    fresh = -policy.skew_s <= observation.at_s - command.at_s <= policy.order_max_s
    enough = policy.approvers == 1 or order not in BY_TWO
    enough = enough or len(set(command.confirmed_by)) >= policy.approvers
    return command if seen and fresh and enough else None


def approval(state: State, observation: Observation, policy: FailoverPolicy) -> Command | None:
    """Return an approval of the current question, whether or not it still covers the loss."""
    return valid_order(Order.APPROVE, state, observation, policy)


def covers(
    command: Command, state: State, observation: Observation, policy: FailoverPolicy
) -> bool:
    """Return whether an approval covers what would be lost now, not only what was shown.

    A person who approved an unknown loss has approved any loss.
    """
    shown_s = command.loss_s if command.loss_s is not None else state.asked_loss_s
    if shown_s is None:
        return True
    loss = observation.replication
    return loss is not None and loss.estimate_s <= shown_s + policy.loss_slack_s
