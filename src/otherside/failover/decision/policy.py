"""What the orchestrator may do by itself, and its time limits."""

from dataclasses import dataclass

from otherside.core.topology import FailoverMode
from otherside.core.wire_contract import LEASE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverPolicy:
    """What the orchestrator may do by itself, and its time limits. Times in seconds."""

    mode: FailoverMode
    loss_auto_s: float
    """The highest estimated loss at which a failover needs no approval."""
    confirm_s: float = 60.0
    """Longer than the 43 s blip that once split GitHub's databases in two."""
    confirm_unanimous_s: float = 45.0
    """The window while everything that can be seen is bad, by three parties. What ends a blip of
    43 s is seen before it, because nothing counts as bad in the first ten seconds of one."""
    close_early_s: float = 28.0
    """How long before the end of its window a lease is closed if everything in a Region is
    bad: as long as it takes to expire, and two looks. What nobody can use costs nothing, and is
    opened again at the first sign of life."""
    in_region_grace_s: float = 120.0
    """How long Aurora gets to replace a dead writer inside its own Region, or Auto Scaling to
    replace a machine."""
    look_gap_max_s: float = 90.0
    """Observations further apart than this do not confirm each other."""
    fresh_s: float = 20.0
    suspect_max_s: float = 600.0
    lease_s: float = LEASE_S
    skew_s: float = 5.0
    """The most that two clocks may differ, or that one call may take in transit."""
    settle_s: float = 120.0
    """How old a description of the database may be: AWS guarantees nothing newer."""
    intent_s: float = 15.0
    actor_s: float = 58.0
    """The longest that a function runs: how late an actuator of the last intent can still call."""
    attempts_max: int = 3
    """How often Aurora is called for one epoch; attempts that were never called do not count."""
    uncalled_max: int = 8
    """How many intents in a row may expire without any actuator carrying them out."""
    declined_pause_s: float = 120.0
    """How long to wait after Aurora's last refusal before asking again."""
    fence_max_s: float = 300.0
    """How long to try to close the lease before giving up and starting over."""
    promote_max_s: float = 900.0
    switch_max_s: float = 300.0
    """The longest that a switchover may take: it waits for a healthy primary, which may die."""
    switch_stuck_s: float = 60.0
    """How long a switchover may be stuck beside a dead Region before a person is asked."""
    block_s: float = 3600.0
    order_max_s: float = 900.0
    """The maximum age of an order: after that, its author may think differently."""
    approvers: int = 1
    """How many principals have to give an order of `BY_TWO`."""
    loss_slack_s: float = 1.0
    """How much more than the loss shown to its author an approval may cover."""
    blind_max_s: float = 300.0
    """How long evidence may be insufficient before people are notified."""
    failing_max_s: float = 60.0
    """How long something may keep failing before people are notified."""
    flaps_max: int = 3
    flap_window_s: float = 900.0
    """More suspicions than `flaps_max`, each this soon after the last, are one notice, until things
    have been quiet for as long."""
    stable_s: float = 86_400.0
    precheck_s: float = 30.0
    precheck_max_s: float = 300.0
    switch_lag_max_s: float = 3.0
    """The lag at which a switchover's pause grows too long. A heartbeat is written each second and
    read each second, so a difference of two seconds is measurement resolution, not lag."""
    remind_s: float = 600.0
    """How often people are reminded that something waits for a person."""
    freezes: tuple[tuple[float, float], ...] = ()
    """Windows in which nothing moves, each as (start, end)."""
