"""Faults of the simulated world: their kinds, their durations and the failure rates of calls."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What can be wrong with the world for a while."""

    PRIMARY_GONE = "primary-gone"
    STANDBY_GONE = "standby-gone"
    WITNESS_GONE = "witness-gone"
    STORE_DOWN = "store-down"
    """The state table answers no one."""
    WRITER_DOWN = "writer-down"
    APP_DOWN = "app-down"
    APP_DOWN_BOTH = "app-down-both"
    PRIMARY_CUT = "primary-cut"
    """The primary is cut off from everything; clients inside it go on."""
    STANDBY_CUT = "standby-cut"
    LINK_CUT = "link-cut"
    """Between the two Regions, in both directions; both still reach the witness and the world."""
    PRIMARY_TO_STANDBY_CUT = "primary-to-standby-cut"
    STANDBY_TO_PRIMARY_CUT = "standby-to-primary-cut"
    PRIMARY_TO_WITNESS_CUT = "primary-to-witness-cut"
    WITNESS_TO_PRIMARY_CUT = "witness-to-primary-cut"
    STANDBY_TO_WITNESS_CUT = "standby-to-witness-cut"
    WITNESS_TO_STANDBY_CUT = "witness-to-standby-cut"
    PROBE_BROKEN = "probe-broken"
    AGENTS_DEAF = "agents-deaf"
    """The primary's lease agents have died: no pulse, no heartbeat, no renewal."""
    AGENTS_DENIED = "agents-denied"
    """The table refuses the lease agents of both sides, but not the functions."""
    PRIMARY_AGENTS_DENIED = "primary-agents-denied"
    FRONT_DOOR = "front-door"
    """Nothing gets into the primary, from users or the other side; outgoing traffic works."""
    MACHINES_GONE = "machines-gone"
    """Every machine of the primary's application is being replaced; its database is healthy."""
    STANDBY_MACHINES_NEW = "standby-machines-new"
    """Every machine of the standby was just replaced: its lease agents have seen nothing yet."""
    STANDBY_APP_DOWN = "standby-app-down"
    LEASE_DENIED = "lease-denied"
    """The table rejects changes to the lease, because of a policy or a key."""
    PLEDGE_DENIED = "pledge-denied"
    """S3 rejects writes of the pledge."""
    PLEDGE_DOWN = "pledge-down"
    """S3 in the standby's Region answers no one."""
    CLAIM_DENIED = "claim-denied"
    """The actuator may not write its claim, and so does not act."""
    MOVE_DENIED = "move-denied"
    """The actuator has no permission to move the writer."""
    ACTUATOR_DEAD = "actuator-dead"
    """The actuator is woken but does not run."""
    TOPIC_DENIED = "topic-denied"
    LATCH_DENIED = "latch-denied"
    TABLE_LOST = "table-lost"
    """Every item disappears: the table was deleted and created anew."""
    TABLE_RESTORED = "table-restored"
    """Every item is as it was when the backup was made, which is now copied back."""
    NEWER_SCHEMA = "newer-schema"
    """A later version has written the newest revision, and is removed again after a while."""
    LEASE_CORRUPT = "lease-corrupt"
    PULSE_CORRUPT = "pulse-corrupt"
    ANSWERS_GARBLED = "answers-garbled"
    """RDS in the primary's Region sends answers that cannot be parsed."""
    STANDBY_BUSY = "standby-busy"
    """The standby's cluster is being backed up; a failover to it is still possible."""
    STANDBY_STOPPED = "standby-stopped"
    STANDBY_DETACHED = "standby-detached"
    """Someone removes the standby from the global database."""
    SELF_SICK = "self-sick"
    """The functions cannot trust their own observations: outside names do not resolve."""
    BLIND = "no-evidence"
    """No evidence can be gathered at all, although revisions can be read and written."""
    HALF_BLIND = "half-the-evidence"
    """The same, but only for probes and pulses."""
    CONTROL_PLANE_DOWN = "control-plane-down"
    LAGGING = "lagging"
    STANDBY_HEADLESS = "standby-headless"
    """The standby has no instance."""
    VERSION_DRIFT = "version-drift"


HAPPENING = frozenset(
    {
        *(Fault.STANDBY_MACHINES_NEW, Fault.TABLE_LOST, Fault.TABLE_RESTORED),
        *(Fault.LEASE_CORRUPT, Fault.PULSE_CORRUPT),
    }
)
"""Faults that happen once, at the start of their window, and leave lasting effects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultWindow:
    """One fault, from its start to its end."""

    fault: Fault
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """The probability of each trouble: per port call, per invocation, or per message."""

    kill: float = 0.0
    fail: float = 0.0
    """The call has no effect, and the caller learns that it failed."""
    lose: float = 0.0
    """The call has its effect, but the caller does not learn of it."""
    slow: float = 0.0
    freeze: float = 0.0
    """The caller is frozen for minutes, then goes on as if nothing had happened."""
    overlap: float = 0.0
    """Another invocation runs to its end in the middle of this one."""
    blind: float = 0.0
    """One signal of an observation cannot be read."""
    probe_flake: float = 0.0
    """One probe of an observation fails by chance."""
    random_signals: float = 0.0
    """Every signal of an observation is random."""
    stale: float = 0.0
    """The description of the database is up to two minutes old."""
    inconsistent_read: float = 0.0
    """Half of the description is that old."""
    skew: float = 0.0
    """The clock of an invocation is off by up to the allowed skew."""
    step: float = 0.0
    """It is off by a minute."""
    skip: float = 0.0
    """A scheduled tick is skipped."""
    wakeup_lost: float = 0.0
    """The actuator's wake-up call succeeds, but the actuator is not woken."""
    wakeup_duplicated: float = 0.0
    """The actuator is woken several times, late and out of order."""
