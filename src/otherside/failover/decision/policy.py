"""What may happen by itself, and how long is long enough."""

from dataclasses import dataclass

from otherside.core.topology import FailoverMode
from otherside.core.wire_contract import LEASE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverPolicy:
    """What may happen by itself, and how long is long enough. Times in seconds."""

    mode: FailoverMode
    loss_auto_s: float
    """Most that a failover may lose, by estimate, without asking."""
    confirm_s: float = 60.0
    """Longer than the 43 s blip that once split GitHub's databases in two."""
    in_region_grace_s: float = 120.0
    """How long Aurora may take to replace a dead writer inside its own Region, or Auto Scaling a
    machine."""
    look_gap_max_s: float = 90.0
    """Looks further apart than this do not confirm one another."""
    fresh_s: float = 20.0
    suspect_max_s: float = 600.0
    lease_s: float = LEASE_S
    skew_s: float = 5.0
    """Farthest that two clocks may be apart, and that one call may be on its way."""
    settle_s: float = 120.0
    """How old a description of the database may be: AWS promises none that is newer."""
    intent_s: float = 15.0
    actor_s: float = 58.0
    """Longest that a function runs: how late an actor of the last intent can still call."""
    attempts_max: int = 3
    """How often Aurora is called, for one epoch; what was never called does not count."""
    uncalled_max: int = 5
    """How many intents in a row may find nobody who carries them out."""
    declined_pause_s: float = 120.0
    """How long after Aurora's last refusal it is asked again."""
    fence_max_s: float = 300.0
    """How long closing the lease is tried before it is given up, and tried anew."""
    promote_max_s: float = 900.0
    switch_max_s: float = 300.0
    """Longest that a switchover may take: it waits for a healthy primary, and that one may die."""
    switch_stuck_s: float = 60.0
    """How long a switchover may stand still beside a dead Region before a person is asked."""
    block_s: float = 3600.0
    order_max_s: float = 900.0
    """How old an order may be: after that its author may think otherwise."""
    loss_slack_s: float = 1.0
    """How much more than what its author was told may be lost by an approval."""
    blind_max_s: float = 300.0
    """How long too little may be seen before somebody is told."""
    failing_max_s: float = 60.0
    """How long something may fail before somebody is told."""
    flaps_max: int = 3
    flap_window_s: float = 900.0
    """More suspicions than that within this are one notice, until it has been quiet for as long."""
    stable_s: float = 86_400.0
    precheck_s: float = 30.0
    precheck_max_s: float = 300.0
    switch_lag_max_s: float = 3.0
    """Lag at which a switchover's pause grows too long. A heartbeat comes each second and is looked
    for each second, so two seconds are the grain of what is known and no lag at all."""
    remind_s: float = 600.0
    """How often a person is told again that something waits for a person."""
    freezes: tuple[tuple[float, float], ...] = ()
    """Windows in which nothing moves, from and to."""
