"""Faults of the simulated world: their kinds, how long they last and how likely calls fail."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What can be wrong with the world for a while."""

    PRIMARY_GONE = "primary-gone"
    STANDBY_GONE = "standby-gone"
    WITNESS_GONE = "witness-gone"
    STORE_DOWN = "store-down"
    """The state table answers nobody."""
    WRITER_DOWN = "writer-down"
    APP_DOWN = "app-down"
    APP_DOWN_BOTH = "app-down-both"
    PRIMARY_CUT = "primary-cut"
    """The primary from everything; its own clients go on."""
    STANDBY_CUT = "standby-cut"
    LINK_CUT = "link-cut"
    """Between the two Regions, both ways; both still reach the witness and the world."""
    PRIMARY_TO_STANDBY_CUT = "primary-to-standby-cut"
    STANDBY_TO_PRIMARY_CUT = "standby-to-primary-cut"
    PRIMARY_TO_WITNESS_CUT = "primary-to-witness-cut"
    WITNESS_TO_PRIMARY_CUT = "witness-to-primary-cut"
    STANDBY_TO_WITNESS_CUT = "standby-to-witness-cut"
    WITNESS_TO_STANDBY_CUT = "witness-to-standby-cut"
    PROBE_BROKEN = "probe-broken"
    KEEPERS_DEAF = "keepers-deaf"
    """Whoever keeps the lease in the primary has died: no pulse, no heartbeat, no renewal."""
    KEEPERS_DENIED = "keepers-denied"
    """The table refuses the keepers of both sides; functions it does not."""
    PRIMARY_KEEPERS_DENIED = "primary-keepers-denied"
    FRONT_DOOR = "front-door"
    """Nothing enters the primary, neither users nor the other side; what is inside gets out."""
    MACHINES_GONE = "machines-gone"
    """Every machine of the primary's application is being replaced; its database is well."""
    STANDBY_MACHINES_NEW = "standby-machines-new"
    """Every machine of the standby was just replaced: its keepers have watched nothing yet."""
    STANDBY_APP_DOWN = "standby-app-down"
    LEASE_DENIED = "lease-denied"
    """The table lets nobody change the lease: a policy, a key."""
    PLEDGE_DENIED = "pledge-denied"
    """S3 lets nobody write the pledge."""
    PLEDGE_DOWN = "pledge-down"
    """S3 in the standby's Region answers nobody."""
    CLAIM_DENIED = "claim-denied"
    """The actuator may not write down that it acts, and so does not."""
    MOVE_DENIED = "move-denied"
    """The actuator may not move the writer."""
    ACTUATOR_DEAD = "actuator-dead"
    """The actuator is woken and does not run."""
    TOPIC_DENIED = "topic-denied"
    LATCH_DENIED = "latch-denied"
    TABLE_LOST = "table-lost"
    """Every item vanishes: the table was deleted and made anew."""
    TABLE_RESTORED = "table-restored"
    """Every item is what it was at the beginning of the disaster: a backup was copied in."""
    NEWER_SCHEMA = "newer-schema"
    """A later version has written the newest revision, and is gone again after a while."""
    LEASE_CORRUPT = "lease-corrupt"
    PULSE_CORRUPT = "pulse-corrupt"
    ANSWERS_GARBLED = "answers-garbled"
    """RDS in the primary's Region answers with what nobody can read."""
    STANDBY_BUSY = "standby-busy"
    """The standby's cluster is being backed up; it can be failed over to."""
    STANDBY_STOPPED = "standby-stopped"
    STANDBY_DETACHED = "standby-detached"
    """Somebody takes the standby out of the global database."""
    SELF_SICK = "self-sick"
    """The functions cannot trust their own eyes: names outside do not resolve."""
    BLIND = "no-evidence"
    """No evidence can be gathered at all, though revisions can be read and written."""
    HALF_BLIND = "half-the-evidence"
    """The same for what probes and pulses say."""
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
"""What happens once, at its beginning, and leaves its mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultWindow:
    """One ill, from one moment to another."""

    fault: Fault
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """How likely each trouble is: at a port call, for a whole invocation, or for a message."""

    kill: float = 0.0
    fail: float = 0.0
    """Nothing happens, and the caller is told so."""
    lose: float = 0.0
    """It happens, and the caller is not told."""
    slow: float = 0.0
    freeze: float = 0.0
    """The caller stands still for minutes, and goes on as if nothing had been."""
    overlap: float = 0.0
    """Another invocation runs to its end in the middle of this one."""
    blind: float = 0.0
    """One signal of a look cannot be read."""
    probe_flake: float = 0.0
    """One probe of a look fails by chance."""
    random_signals: float = 0.0
    """Every signal of a look says anything at all."""
    stale: float = 0.0
    """The database is described as it was up to two minutes ago."""
    inconsistent_read: float = 0.0
    """Half of the description is that old."""
    skew: float = 0.0
    """The clock of an invocation is wrong by as much as is allowed for."""
    step: float = 0.0
    """It is wrong by a minute."""
    skip: float = 0.0
    """A tick does not come."""
    wakeup_lost: float = 0.0
    """The actuator is not woken, though it was called."""
    wakeup_duplicated: float = 0.0
    """It is woken several times, late and out of order."""
