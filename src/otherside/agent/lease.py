"""The right to acknowledge writes: kept by one process, asked for by another before each answer.

An application that acknowledges a write without this right may acknowledge what is lost: its
Region may have been given up while it was frozen, or cut off, and the database that it writes to
may be one that nobody follows any more. So, around each write:

    guard = Guard("/run/otherside/lease")
    epoch = guard.epoch()                # raises NotAllowedError: refuse the write
    ... insert, and read the epoch's row in the same transaction; they must be equal ...
    guard.still(epoch)                   # after the commit and before the answer

`lease_agent.py` renews the lease every few seconds, by one strongly consistent read of the state
table: whoever closes it waits until every lease has run out, so reading is enough and there is no
contention. Where the table does not answer at all, it reads the pledge: the promise of whoever
could give this side up not to do so. A table that answers with a refusal is different: the refusal
may be intended.
The clock is one that counts while a machine is suspended, and each renewal counts from before it
was asked for. It runs on Python 3.9 and needs nothing besides.
"""

import json
import os
import time

LEASE_S = 15.0  # a renewal lasts this long, from before it was asked for
RENEW_S = 5.0
NO_LEASE = "none"
PLEDGE_MARGIN_S = 5.0  # how far the clocks of who gives a pledge and of who keeps it may be apart


class NotAllowedError(Exception):
    """Nobody may acknowledge a write here now."""


def now_s():
    """Return seconds that never run backwards, count a machine's sleep, and hold for everybody."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def guard_of(path):
    """Return the guard over a file, or one that always allows where there is no lease to keep."""
    return Unguarded() if path == NO_LEASE else Guard(path)


class Unguarded:
    """What an application asks where the state table is no majority of three Regions.

    There the table is one Region's: a lease kept in it would stop the primary whenever the
    standby's Region is away.
    """

    def epoch(self):
        """Return an epoch that every database has heard of."""
        return 0

    def still(self, epoch):
        """Allow it."""


class Guard:
    """What an application asks before it acknowledges."""

    def __init__(self, path):
        """Remember where the keeper writes; nothing is read before it is asked for."""
        self._path = path

    def epoch(self):
        """Return the epoch of the lease that holds now, or raise `NotAllowedError`."""
        held = read(self._path)
        if held is None or now_s() >= held["until_s"]:
            raise NotAllowedError("the right to acknowledge writes has run out")
        return held["epoch"]

    def still(self, epoch):
        """Raise `NotAllowedError` unless the lease of this epoch still holds."""
        if self.epoch() != epoch:
            raise NotAllowedError("the writer has moved meanwhile")


def read(path):
    """Return what the keeper wrote, or None where it wrote nothing that can be read."""
    try:
        with open(path, encoding="utf-8") as file:
            held = json.load(file)
        return {**held, "until_s": float(held["until_s"]), "epoch": int(held["epoch"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path, held):
    """Write it whole or not at all."""
    aside = f"{path}.new"
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(held, file)
    os.replace(aside, path)


class Lease:
    """The lease, as its keeper keeps it: pure but for the three things that it is given.

    `ask` reads the lease from the state table: a mapping with `open`, `epoch` and `side`, or None.
    It raises `refused` where the table says no, and another OSError where it says nothing. `pledge`
    returns such a mapping with `left_s`, the seconds for which it still holds, or None, and raises
    OSError likewise. `clock` returns seconds.
    """

    def __init__(self, ask, pledge, clock=now_s, refused=()):
        """Begin without any right."""
        self._ask, self._pledge, self._clock, self._refused = ask, pledge, clock, refused
        self._until_s, self._epoch, self._side = 0.0, 0, None
        self._asked_s, self._reached = 0.0, False

    def renew(self):
        """Ask once, and return what holds now.

        A table that is out of reach is no reason to stop, as long as the pledge says that nobody
        gives this side up. A refusal is: it renews nothing, and the lease runs out.
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
        if terms is not None and terms["open"] and left_s > 0:
            self._until_s, self._epoch = began_s + min(LEASE_S, left_s), terms["epoch"]
            self._side = terms["side"]
        else:
            self._until_s = 0.0
        return self.held()

    def held(self):
        """Return the lease as it is written down."""
        return {
            "until_s": self._until_s,
            "epoch": self._epoch,
            "side": self._side,
            "reached": self._reached,
            "asked_s": self._asked_s,
        }
