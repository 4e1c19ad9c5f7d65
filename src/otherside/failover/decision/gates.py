"""What stands in the way of a move: obstacles that nobody overcomes, questions that a person may.

Each gate is one sentence for people, or `None`. Whoever decides and whoever carries out asks the
same ones.
"""

from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.observation import Command, Fitness, Observation, Order, Reading
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import State
from otherside.failover.decision.verdict import Verdict

HOME = Side.PRIMARY
"""Where the writer is by design. Only this side is ever left without being asked."""


def hard_block(state: State, observation: Observation, policy: FailoverPolicy) -> str | None:
    """Return what no approval can overcome."""
    database, now_s = observation.database, observation.at_s
    if database is None:
        return "the database's control plane does not answer"
    if policy.mode is FailoverMode.OBSERVE:
        return f"observing only: would have moved the writer to {HOME.other}"
    if any(start <= now_s < end for start, end in policy.freezes):
        return "frozen by the design: nothing moves in this window"
    if now_s < state.frozen_until_s:
        return f"frozen by a person for another {state.frozen_until_s - now_s:.0f} s"
    if not database.follower_is_member:
        return "the standby is no member of the global database; it cannot be promoted"
    if not database.follower_has_instance:
        return "the standby has no instance; it cannot be promoted"
    if not database.versions_match:
        return "the sides run different versions; Aurora refuses to move"
    if database.fitness is Fitness.UNFIT:
        return f"the standby cannot take over: its state is {database.status}"
    return None


def approval_reason(state: State, observation: Observation, policy: FailoverPolicy) -> str | None:
    """Return what a person has to answer before data may be lost."""
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
    """Return why this may be no disaster, or why moving may help nobody."""
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
    """Return what a failover now would lose, for people."""
    loss = observation.replication
    if loss is None:
        return "nobody can say how much would be lost"
    return (
        f"about {loss.estimate_s:.1f} s of writes would be lost, and {loss.bound_s:.1f} s at the "
        "most"
    )


def unfit_reason(state: State, observation: Observation, policy: FailoverPolicy) -> str | None:
    """Return why a switchover would not be the short pause that it is meant to be."""
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
    """Return how long a deadly verdict must hold: what replaces a part by itself goes first."""
    heals_itself = state.verdict in {Verdict.WRITER_DEAD, Verdict.REGION_SILENT}
    return policy.confirm_s + (policy.in_region_grace_s if heals_itself else 0.0)


def valid_order(
    order: Order, state: State, observation: Observation, policy: FailoverPolicy
) -> Command | None:
    """Return a person's order, if it was given lately by somebody who saw this very phase.

    The revision tells which phase was seen. The time is looked at, too: after a restore of the
    table the same revision may come again.
    """
    command = observation.command
    if command is None or command.order is not order:
        return None
    seen = state.entered <= command.revision <= state.revision
    fresh = -policy.skew_s <= observation.at_s - command.at_s <= policy.order_max_s
    return command if seen and fresh else None


def approval(state: State, observation: Observation, policy: FailoverPolicy) -> Command | None:
    """Return a person's yes to this very question, whether or not it still covers what is lost."""
    return valid_order(Order.APPROVE, state, observation, policy)


def covers(
    command: Command, state: State, observation: Observation, policy: FailoverPolicy
) -> bool:
    """Return whether an approval holds for what would be lost now, and not only for what was shown.

    Whoever was told that nobody can say has said yes to that.
    """
    shown_s = command.loss_s if command.loss_s is not None else state.asked_loss_s
    if shown_s is None:
        return True
    loss = observation.replication
    return loss is not None and loss.estimate_s <= shown_s + policy.loss_slack_s
