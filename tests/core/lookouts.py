"""Facts for tests: a healthy world, and the ways in which it is not."""

from dataclasses import replace

from otherside.core.decide import Policy
from otherside.core.facts import DatabaseView, Facts, Reading, Signal, Signals
from otherside.core.topology import FailoverMode, Side

GOOD, BAD, UNKNOWN = Reading.GOOD, Reading.BAD, Reading.UNKNOWN
AUTO = Policy(mode=FailoverMode.AUTO, loss_auto_s=1.0)

HEALTHY = DatabaseView(
    writer=Side.PRIMARY,
    move=None,
    standby_has_instance=True,
    standby_available=True,
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


def facts(at_s, *, database=HEALTHY, loss_s=0.2, readings=None, **more):
    """Return one observation; healthy unless told otherwise."""
    base = Facts(
        at_s=at_s,
        signals=signals(at_s, **(readings or {})),
        database=database,
        loss_estimate_s=loss_s,
        lease_expires_s=None,
        write_verified=None,
        users_on=Side.PRIMARY,
    )
    return replace(base, **more)


def dead(at_s, **more):
    """Return an observation of a primary Region that is gone."""
    return facts(at_s, readings=DEAD, **more)
