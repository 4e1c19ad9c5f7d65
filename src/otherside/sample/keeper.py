"""What keeps the right to acknowledge writes, and says how this side is. It runs beside the app.

Three loops, in a process of its own, so that an application that is broken does not look like a
Region that is:

    lease      every 5 s: ask the state table whether writes may be acknowledged, and write the
               answer where the application looks before each one
    heartbeat  every 1 s: where this side's database is the writer, write the time and the lease's
               epoch into it; where it is not, read how old the newest heartbeat is
    pulse      every 5 s: put into the state table what was found, and whether the app answers

Its settings are those of the application; `/etc/otherside/app.env` sets them on an instance.
"""

import collections
import http.client
import json
import os
import socket
import ssl
import threading
import time
import urllib.parse

from app import TROUBLE, Database, Settings, prepare_until_done
from aws import Credentials, dynamodb
from lease import NO_LEASE, RENEW_S, Lease, now_s, write

BEAT_S = 1.0
PULSE_S = 5.0
LAG_KEPT_S = 300.0
WROTE_LATELY_S = 10.0
SCHEMA = """
create table if not exists otherside_heartbeat (
    one boolean primary key default true check (one),
    beat_s double precision not null,
    epoch bigint not null
)
"""
RIGHTS = ("select, insert, update on otherside_heartbeat",)


class Store:
    """The state table, at whichever Region's endpoint answers."""

    def __init__(self, environment):
        """Read where it is."""
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
        if item is None:
            return None
        return {
            "open": item["open"]["BOOL"],
            "epoch": int(item["epoch"]["N"]),
            "side": item["side"]["S"],
        }

    def pulse(self, side, values):
        """Put down how a side is."""
        known = {name: value for name, value in values.items() if value is not None}
        self._call(
            "UpdateItem",  # what another instance knows and this one does not yet is kept
            {
                "Key": self._key("pulse", side),
                "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in known),
                "ExpressionAttributeValues": {
                    f":{name}": {"BOOL": value} if isinstance(value, bool) else {"N": repr(value)}
                    for name, value in known.items()
                },
            },
        )

    def _key(self, shelf, sort):
        return {
            "application": {"S": f"{self._application}/{shelf}"},
            "revision": {"S": sort},
        }

    def _call(self, operation, arguments):
        """Ask this Region's copy, and the other's where that is out of reach."""
        trouble = OSError(f"{operation}: no Region to ask")
        for region in self._regions:
            try:
                asked = {"TableName": self._table, **arguments}
                return dynamodb(operation, region, asked, self._credentials, self._environment)
            except OSError as error:
                trouble = error
        raise trouble


class Heart:
    """The heartbeat in the database, and what is known of it."""

    def __init__(self, database):
        """Keep the database; nothing is known yet."""
        self._database, self._lags, self._tried_s = database, collections.deque(), 0.0
        self.writes_ok = self.reads_ok = None
        self.wrote_s = self.wrote_epoch = self.beat_s = None

    def beat(self, epoch):
        """Write one heartbeat if this side is the writer, else look at the newest one."""
        # Where it is not, its own endpoint leads nowhere: that is worth a try now and then.
        due = self.writes_ok or now_s() - self._tried_s >= RENEW_S
        if due and self._write(epoch):
            return
        try:
            with self._database.cursor("reader") as cursor:
                cursor.execute("select beat_s from otherside_heartbeat")
                row = cursor.fetchone()
            self.reads_ok = True
        except TROUBLE:
            self.reads_ok = False
            return
        if row is not None and row[0] != self.beat_s:
            self._note_lag(time.time() - row[0])
            self.beat_s = row[0]

    def _write(self, epoch):
        """Write the time and the epoch through this side's own endpoint, and read them back."""
        self._tried_s = now_s()
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
                    (time.time(), epoch),
                )
                beat_s, written = cursor.fetchone()
        except TROUBLE:
            self.writes_ok = False
            return False
        self.writes_ok = self.reads_ok = True
        self.wrote_s = self.beat_s = beat_s
        self.wrote_epoch = written
        self._note_lag(0.0)
        return True

    def _note_lag(self, lag_s):
        self._lags.append((time.time(), max(lag_s, 0.0)))
        while self._lags[0][0] < time.time() - LAG_KEPT_S:
            self._lags.popleft()

    def found(self):
        """Return what is known, as a pulse."""
        # A lag is noted when a heartbeat arrives: a writer that is dead is not a lagging one. And
        # a commit that hangs says nothing: only a heartbeat that was written lately does.
        lately = self.wrote_s is not None and time.time() - self.wrote_s < WROTE_LATELY_S
        return {
            "writes_ok": self.writes_ok and lately,
            "reads_ok": self.reads_ok,
            "wrote_s": self.wrote_s,
            "wrote_epoch": self.wrote_epoch,
            "beat_s": self.beat_s,
            "lag_max_s": max((lag for _, lag in self._lags), default=None),
        }


def get(url, path, name, timeout_s=2.0):
    """Return (status, body) of one question; certificates are for the public name."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        port = parts.port or 443
        plain = socket.create_connection((parts.hostname, port), timeout_s)
        connection = http.client.HTTPSConnection(parts.hostname, port, timeout=timeout_s)
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=name)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Host": name})
        answer = connection.getresponse()
        return answer.status, answer.read(4096)
    finally:
        connection.close()


def peer_is_blind(url, name):
    """Return whether the other side says that it cannot reach the state table either."""
    try:
        status, body = get(url, "/leasez", name)
        return status == 200 and json.loads(body).get("store") == "lost"
    except (OSError, ValueError, http.client.HTTPException):
        return False


def app_answers(port, path):
    """Return whether the application beside us answers."""
    try:
        return get(f"http://127.0.0.1:{port}", path, "localhost")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def every(seconds, work):
    """Do something again and again, on time, whatever went wrong the last time."""

    def loop():
        while True:
            began_s = now_s()
            try:
                work()
            except Exception as error:
                print(f"keeper: {work.__name__}: {type(error).__name__}", flush=True)
            time.sleep(max(0.1, seconds - (now_s() - began_s)))

    threading.Thread(target=loop, daemon=True).start()


def main(environment=os.environ):
    """Keep everything until stopped."""
    settings = Settings(environment)
    database = Database(settings)
    store, heart = Store(environment), Heart(database)
    path, side = settings.lease_file, environment["APP_SIDE"]
    name, peer = environment["APP_DOMAIN"], environment["APP_PEER_URL"]
    lease = Lease(store.lease, lambda: peer_is_blind(peer, name))

    def renew():
        held = lease.renew()  # asked for its epoch, too, where nobody needs its permission
        if path != NO_LEASE:
            write(path, held)

    def beat():
        # Only the side that the lease is of learns its epoch: the one that was left must never
        # hear of it, for by that its database is told from the one that took over.
        held = lease.held()
        heart.beat(held["epoch"] if held["side"] == side else 0)

    def pulse():
        alive = app_answers(settings.port, settings.health_path)
        store.pulse(side, {"at_s": time.time(), "app_ok": alive, **heart.found()})

    made = (database, SCHEMA, RIGHTS)
    threading.Thread(target=prepare_until_done, args=made, daemon=True).start()
    every(RENEW_S, renew)
    every(BEAT_S, beat)
    every(PULSE_S, pulse)
    threading.Event().wait()


if __name__ == "__main__":
    main()
