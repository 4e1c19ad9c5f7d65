"""Choose how fast a twin may run on this machine, by a short measurement of it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from otherside.failover.clock import Clock

SPEED_MIN, SPEED_MAX = 2.0, 7.0
"""Above the upper bound, a drill waits for AWS's modelled latencies and not for the processor."""
_WORKERS = 2
"""A twin keeps about two processors busy while it boots and while it fails over."""
_ROUNDS = 240_000
_REFERENCE_S = 0.08
"""What the work takes on two free cores on which drills run well at the highest speed."""


def default_speed(clock: Clock) -> float:
    """Return a speed that this machine keeps up with now, in twin seconds per real second.

    Work is done on as many cores as a twin keeps busy; what else runs there makes it slower.
    """
    started_s = clock.monotonic_s()
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(_work, range(_WORKERS)))
    took_s = max(1e-6, clock.monotonic_s() - started_s)
    return round(min(SPEED_MAX, max(SPEED_MIN, SPEED_MAX * _REFERENCE_S / took_s)), 1)


def _work(number: int) -> bytes:
    """Hash, which leaves the interpreter's lock to the other workers."""
    return hashlib.pbkdf2_hmac("sha256", b"otherside", bytes([number]), _ROUNDS)
