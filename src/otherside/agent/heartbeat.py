"""What a keeper knows and says: of the state table, of the pledge, and of the database's heartbeat.

Nothing here waits, and time is given: the keeper runs it beside the application, and the simulator
of the orchestrator runs the very same.
"""

import collections
import os
import time

from aws import Credentials, ServiceRefusedError, dynamodb, s3_object
from lease import RENEW_S, now_s

LAG_KEPT_S = 300.0
WROTE_LATELY_S = 10.0
PLEDGE_KEY = "pledge.json"


class LeaseStore:
    """The state table, at whichever Region's endpoint answers."""

    def __init__(self, environment=os.environ, ask=dynamodb, fetch=s3_object):
        """Read where it is; `ask` makes a call of DynamoDB, `fetch` gets an object of S3."""
        self._ask, self._fetch = ask, fetch
        self._table = environment["STATE_TABLE"]
        self._regions = environment["STATE_REGIONS"].split(",")
        self._application = environment["APP_NAME"]
        self._environment = environment
        self._credentials = Credentials(environment)

    def lease(self):
        """Return the lease's terms, read from a majority; OSError where nobody answers."""
        answer = self._call(
            "GetItem", {"Key": self._key("lease", "newest"), "ConsistentRead": True}
        )
        item = answer.get("Item")
        try:
            return item and {
                "open": item["open"]["BOOL"] is True,
                "epoch": int(item["epoch"]["N"]),
                "side": item["side"]["S"],
            }
        except (KeyError, TypeError, ValueError):
            return None  # broken: nobody may go by it, and the orchestrator writes it anew

    def pulse(self, place, values):
        """Put down how a side is, as this keeper sees it; each keeper has a place of its own."""
        known = {name: value for name, value in values.items() if value is not None}
        item = {
            name: {"BOOL": value} if isinstance(value, bool) else {"N": repr(value)}
            for name, value in known.items()
        }
        self._call("PutItem", {"Item": {**self._key("pulse", place), **item}})

    def pledge(self):
        """Return the orchestrator's word, or None where there is none; OSError as in `lease`."""
        bucket, region = self._environment["PLEDGE_BUCKET"], self._environment["PLEDGE_REGION"]
        found, at_s = self._fetch(bucket, PLEDGE_KEY, region, self._credentials, self._environment)
        try:
            return {
                "open": found["open"] is True and found["schema"] == 1,
                "epoch": int(found["epoch"]),
                "side": str(found["side"]),
                "left_s": float(found["until_s"]) - at_s,
            }
        except (KeyError, TypeError, ValueError):
            return None

    def _key(self, shelf, sort):
        return {
            "application": {"S": f"{self._application}/{shelf}"},
            "revision": {"S": sort},
        }

    def _call(self, operation, arguments):
        """Ask this Region's copy, and the other's where that is out of reach.

        One that refuses is asked no further: its answer counts, whatever the other one does.
        """
        trouble = OSError(f"{operation}: no Region to ask")
        for region in self._regions:
            try:
                asked = {"TableName": self._table, **arguments}
                return self._ask(operation, region, asked, self._credentials, self._environment)
            except ServiceRefusedError:
                raise
            except OSError as error:
                trouble = error
        raise trouble


class Heartbeat:
    """The heartbeat in the database, and what is known of it."""

    def __init__(self, database, trouble, clock=now_s, wall=time.time):
        """Keep the database, and which errors it may raise; nothing is known yet."""
        self._database, self._trouble, self._clock, self._wall = database, trouble, clock, wall
        self._lags, self._tried_s = collections.deque(), float("-inf")
        self.writes_ok = self.reads_ok = None
        self.wrote_s = self.wrote_epoch = self.beat_s = self.beat_epoch = None

    def beat(self, epoch):
        """Write one heartbeat if this side is the writer, else look at the newest one."""
        # Where it is not, its own endpoint leads nowhere: that is worth a try now and then.
        due = self.writes_ok or self._clock() - self._tried_s >= RENEW_S
        if due and self._write(epoch):
            return
        try:
            with self._database.cursor("reader") as cursor:
                cursor.execute("select beat_s, epoch from otherside_heartbeat")
                row = cursor.fetchone()
            self.reads_ok = True
        except self._trouble:
            self.reads_ok = False
            return
        if row is not None and row[0] != self.beat_s:
            # How old the first one is says when it was written, and not how long it travelled.
            if self.beat_s is not None:
                self._note_lag(self._wall() - row[0])
            self.beat_s, self.beat_epoch = row[0], row[1]

    def _write(self, epoch):
        """Write the time and the epoch through this side's own endpoint, and read them back."""
        self._tried_s = self._clock()
        try:
            with self._database.cursor("local") as cursor:
                cursor.execute("select pg_is_in_recovery()")
                if cursor.fetchone()[0]:
                    self.writes_ok = False
                    return False
                cursor.execute(
                    "insert into otherside_heartbeat (beat_s, epoch) values (%s, %s)"
                    " on conflict (one) do update set beat_s = excluded.beat_s,"
                    " epoch = greatest(otherside_heartbeat.epoch, excluded.epoch)"
                    " returning beat_s, epoch",
                    (self._wall(), epoch),
                )
                beat_s, written = cursor.fetchone()
        except self._trouble:
            self.writes_ok = False
            return False
        self.writes_ok = self.reads_ok = True
        self.wrote_s = self.beat_s = beat_s
        self.wrote_epoch = self.beat_epoch = written
        self._note_lag(0.0)
        return True

    def _note_lag(self, lag_s):
        self._lags.append((self._wall(), max(lag_s, 0.0)))
        while self._lags[0][0] < self._wall() - LAG_KEPT_S:
            self._lags.popleft()

    def found(self):
        """Return what is known, as a pulse."""
        # A lag is noted when a heartbeat arrives: a writer that is dead is not a lagging one. And
        # a commit that hangs says nothing: only a heartbeat that was written lately does.
        lately = self.wrote_s is not None and self._wall() - self.wrote_s < WROTE_LATELY_S
        return {
            "writes_ok": self.writes_ok and lately,
            "reads_ok": self.reads_ok,
            "wrote_s": self.wrote_s,
            "wrote_epoch": self.wrote_epoch,
            "beat_s": self.beat_s,
            "beat_epoch": self.beat_epoch,
            "lag_max_s": max((lag for _, lag in self._lags), default=None),
        }
