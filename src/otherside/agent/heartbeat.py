"""The lease agent's access to the state table, to the pledge, and to the database's heartbeat.

Nothing here waits, and clocks are passed in: the lease agent runs this code beside the application,
and the orchestrator's simulator runs the same code.
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
    """The state table, through whichever Region's endpoint answers."""

    def __init__(self, environment=os.environ, ask=dynamodb, fetch=s3_object):
        """Read where it is; `ask` makes a DynamoDB call, `fetch` gets an S3 object."""
        self._ask, self._fetch = ask, fetch
        self._table = environment["STATE_TABLE"]
        self._regions = environment["STATE_REGIONS"].split(",")
        self._application = environment["APP_NAME"]
        self._environment = environment
        self._credentials = Credentials(environment)

    def lease(self):
        """Return the lease's terms, read from a majority; raise OSError if no Region answers."""
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
            return None  # malformed: it must not be used, and the orchestrator rewrites it

    def pulse(self, place, values):
        """Write this agent's view of its side's health; each agent has its own item."""
        known = {name: value for name, value in values.items() if value is not None}
        item = {
            name: {"BOOL": value} if isinstance(value, bool) else {"N": repr(value)}
            for name, value in known.items()
        }
        self._call("PutItem", {"Item": {**self._key("pulse", place), **item}})

    def pledge(self):
        """Return the orchestrator's pledge, or None if there is none; OSError as in `lease`."""
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
        """Call this Region's replica, or another Region's if this one is unreachable.

        A refusal is final: no other replica is asked.
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
    """Writes or reads the heartbeat in the database, and keeps what it has observed."""

    def __init__(self, database, trouble, clock=now_s, wall=time.time):
        """Take the database, and the errors that it may raise."""
        self._database, self._trouble, self._clock, self._wall = database, trouble, clock, wall
        self._lags, self._tried_s = collections.deque(), float("-inf")
        self.writes_ok = self.reads_ok = None
        self.wrote_s = self.wrote_epoch = self.beat_s = self.beat_epoch = None

    def beat(self, epoch):
        """Write one heartbeat if this side is the writer, else read the newest one."""
        # If it is not, its own endpoint leads nowhere, so retry only now and then.
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
            # The age of the first one shows when it was written, not how long it took to replicate.
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
        at_s, lag_s = self._wall(), max(lag_s, 0.0)
        # Only lags that no later one exceeds: the first of them is the longest, always.
        while self._lags and self._lags[-1][1] <= lag_s:
            self._lags.pop()
        self._lags.append((at_s, lag_s))
        while self._lags[0][0] < at_s - LAG_KEPT_S:
            self._lags.popleft()

    def found(self):
        """Return the observations, as the fields of a pulse."""
        # Lag is recorded only when a heartbeat arrives: a dead writer does not count as lag. And a
        # commit that hangs proves nothing: writes are fine only if a recent heartbeat was written.
        lately = self.wrote_s is not None and self._wall() - self.wrote_s < WROTE_LATELY_S
        return {
            "writes_ok": self.writes_ok and lately,
            "reads_ok": self.reads_ok,
            "wrote_s": self.wrote_s,
            "wrote_epoch": self.wrote_epoch,
            "beat_s": self.beat_s,
            "beat_epoch": self.beat_epoch,
            "lag_max_s": self._lags[0][1] if self._lags else None,
        }
