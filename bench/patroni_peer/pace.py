"""Our times for machines of one room: those of two Regions, divided by ten, and the window."""

from otherside.agent import lease
from otherside.core.topology import FailoverMode
from otherside.failover.aws import evidence_reader
from otherside.failover.decision.policy import FailoverPolicy

BEAT_S, RENEW_S, PULSE_S, LOOK_S = 0.1, 0.2, 0.3, 0.2
LEASE_S, SKEW_S = 2.0, 0.2
"""How long a renewal lasts; two processes of one machine have one clock."""
SEEN_S = 1.0
"""After how long a silence counts: of heartbeats, and of pulses."""


def scale() -> None:
    """Give the shipped evidence reader and lease these times, in this process."""
    evidence_reader.PULSE_MAX_S = SEEN_S
    evidence_reader.BEAT_MAX_S = SEEN_S
    lease.LEASE_S = LEASE_S


def policy(stall_s: float) -> FailoverPolicy:
    """Return the policy under which a silence of that length, in seconds, moves nothing."""
    window_s = max(stall_s - SEEN_S, LEASE_S + 1.0)
    return FailoverPolicy(
        mode=FailoverMode.AUTO,
        loss_auto_s=5.0,
        confirm_s=window_s + 1.0,
        confirm_unanimous_s=window_s,
        close_early_s=LEASE_S + SKEW_S + 3 * LOOK_S,
        look_gap_max_s=5.0,
        fresh_s=2.0,
        lease_s=LEASE_S,
        skew_s=SKEW_S,
        settle_s=5.0,
        intent_s=10.0,
        precheck_s=0.0,
        fence_max_s=60.0,
    )
