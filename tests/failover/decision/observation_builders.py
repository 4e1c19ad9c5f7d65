"""Facts for tests: a healthy world, and the ways in which it is not."""

from dataclasses import replace

from otherside.core.topology import FailoverMode, Side
from otherside.failover.decision.observation import (
    DatabaseView,
    Fitness,
    LeaseView,
    Observation,
    Reading,
    Replication,
    Signal,
    Signals,
)
from otherside.failover.decision.policy import FailoverPolicy

GOOD, BAD, UNKNOWN = Reading.GOOD, Reading.BAD, Reading.UNKNOWN
AUTO = FailoverPolicy(mode=FailoverMode.AUTO, loss_auto_s=5.0)

HEALTHY = DatabaseView(
    writer=Side.PRIMARY,
    move=None,
    follower_is_member=True,
    follower_has_instance=True,
    fitness=Fitness.FIT,
    status="available",
    versions_match=True,
    resynced=True,
)
DEAD = {
    "standby_canary": BAD,
    "witness_canary": BAD,
    "heartbeat": BAD,
    "app_pulse": BAD,
    "write_pulse": BAD,
    "dns_health": BAD,
    "control_plane": BAD,
}


def signals(at_s, **readings):
    """Return signals that are all good, but for some."""
    names = Signals.__slots__
    return Signals(**{n: Signal(reading=readings.get(n, GOOD), at_s=at_s) for n in names})


def following(at_s, lag_s):
    """Return how far the standby follows; `None` where nobody can say."""
    if lag_s is None:
        return None
    return Replication(replicated_s=at_s - lag_s, lived_s=at_s, lag_max_s=lag_s)


def lives(readings):
    """Return whether these readings tell of a writer that writes."""
    ways = ("standby_canary", "witness_canary", "heartbeat", "write_pulse")
    return any(readings.get(way, GOOD) is GOOD for way in ways)


def observation(at_s, *, database=HEALTHY, lag_s=0.2, readings=None, **more):
    """Return one observation; healthy unless told otherwise."""
    base = Observation(
        at_s=at_s,
        signals=signals(at_s, **(readings or {})),
        database=database,
        replication=following(at_s if lives(readings or {}) else 0.0, lag_s),
        lease=LeaseView(open=False, seen_s=at_s),
        write_verified=None,
        users_on=Side.PRIMARY,
        epoch_seen=0,
        pledge_epoch=0,
        machines=2,
        attempts=(),
    )
    return replace(base, **more)


def dead(at_s, **more):
    """Return an observation of a primary Region that is gone."""
    return observation(at_s, readings=DEAD, **more)
