"""The lease to acknowledge writes: the agent renews it, and the application checks it per write.

An application that acknowledges writes without a lease may acknowledge a write that is lost: a
failover may have left its Region while it was frozen or cut off, and the database that it writes to
may no longer be replicated. So, around each write:

    guard = Guard("/run/otherside/lease")
    epoch = guard.epoch()                # raises NotAllowedError: refuse the write
    ... insert, and read the epoch's row in the same transaction; they must be equal ...
    guard.still(epoch)                   # after the commit and before the answer

`lease_agent.py` renews the lease every few seconds, with one strongly consistent read of the state
table. Reading is enough, without contention, because closing the lease includes waiting until every
lease has expired. If the table does not answer at all, the agent reads the pledge: the
orchestrator's promise not to fail over from this side. A refusal by the table is different: it may
be intended. An agent never goes back to a lower epoch than it has read: such a lease comes from a
table that was restored.

The clock also counts while the machine is suspended, and each renewal is valid from before its
request. This module runs on Python 3.9 and has no dependencies.
"""

import json
import os
import time

LEASE_S = 15.0  # validity of a renewal, from before its request
RENEW_S = 5.0
NO_LEASE = "none"
PLEDGE_MARGIN_S = 5.0  # maximum clock difference between a pledge's writer and its store


class NotAllowedError(Exception):
    """Raised when no write may be acknowledged here now."""


def now_s():
    """Return monotonic seconds that include suspend time and are the same in all processes."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def guard_of(path):
    """Return the guard of a lease file, or one that always allows writes if there is no lease."""
    return Unguarded() if path == NO_LEASE else Guard(path)


class Unguarded:
    """The guard for a state table that is not a majority of three Regions.

    Such a table is in one Region: a lease in it would stop the primary whenever the standby's
    Region is down.
    """

    def epoch(self):
        """Return an epoch that every database knows."""
        return 0

    def still(self, epoch):
        """Allow every write."""


class Guard:
    """Checks the lease before an application acknowledges a write."""

    def __init__(self, path):
        """Take the path of the file that the lease agent writes; it is read on demand."""
        self._path = path

    def epoch(self):
        """Return the epoch of the current lease, or raise `NotAllowedError`."""
        held = read(self._path)
        if held is None or now_s() >= held["until_s"]:
            raise NotAllowedError("the lease to acknowledge writes has expired")
        return held["epoch"]

    def still(self, epoch):
        """Raise `NotAllowedError` unless the lease of this epoch is still valid."""
        if self.epoch() != epoch:
            raise NotAllowedError("the writer has moved meanwhile")


def read(path):
    """Return what the lease agent wrote, or None if it is missing or malformed."""
    try:
        with open(path, encoding="utf-8") as file:
            held = json.load(file)
        return {**held, "until_s": float(held["until_s"]), "epoch": int(held["epoch"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path, held):
    """Write the lease file atomically."""
    aside = f"{path}.new"
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(held, file)
    os.replace(aside, path)


class Lease:
    """The lease as its agent maintains it: pure, except for the three callables passed to it.

    `ask` reads the lease from the state table: a mapping with `open`, `epoch` and `side`, or None.
    It raises `refused` if the table refuses, and another OSError if it does not answer. `pledge`
    returns such a mapping with `left_s`, the seconds for which it is still valid, or None, and
    raises OSError, too. `clock` returns seconds.
    """

    def __init__(self, ask, pledge, clock=now_s, refused=()):
        self._ask, self._pledge, self._clock, self._refused = ask, pledge, clock, refused
        self._until_s, self._epoch, self._side = 0.0, 0, None
        self._asked_s, self._reached = 0.0, False
        self._highest = 0

    def renew(self):
        """Try to renew once, and return the current lease.

        If the table is unreachable, the lease continues as long as the pledge excludes a failover
        from this side. If the table refuses, nothing is renewed, and the lease expires.
        """
        began_s = self._clock()
        self._reached = False
        try:
            terms, left_s = self._ask(), LEASE_S
            self._reached = True
        except self._refused:
            self._asked_s = self._clock()
            return self.held()
        except OSError:
            try:
                terms = self._pledge()
            except OSError:
                self._asked_s = self._clock()
                return self.held()
            left_s = terms["left_s"] - PLEDGE_MARGIN_S if terms else 0.0
        self._asked_s = self._clock()
        if terms is not None:
            # Epochs only rise: a lower one is from a table that was restored to before a failover,
            # whose lease would let the side that was left acknowledge writes again.
            past, self._highest = terms["epoch"] < self._highest, max(self._highest, terms["epoch"])
            terms = None if past else terms
        if terms is not None and terms["open"] and left_s > 0:
            self._until_s, self._epoch = began_s + min(LEASE_S, left_s), terms["epoch"]
            self._side = terms["side"]
        else:
            self._until_s = 0.0
        return self.held()

    def held(self):
        """Return the lease as it is written to its file."""
        return {
            "until_s": self._until_s,
            "epoch": self._epoch,
            "side": self._side,
            "reached": self._reached,
            "asked_s": self._asked_s,
        }
