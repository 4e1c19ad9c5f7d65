"""The lease agent: renews the lease to acknowledge writes, and reports this side's health.

It runs beside the application, in its own process, so that a broken application does not look like
a broken Region. It has three loops:

    lease      every 5 s: ask the state table whether writes may be acknowledged, and write the
               answer to the file that the application reads before each write
    heartbeat  every 1 s: if this side's database is the writer, write the time and the lease's
               epoch into it; if not, read how old the newest heartbeat is
    pulse      every 5 s: write its observations, and whether the app answers, to the state table

It notifies systemd's watchdog while all three loops run; if one of them stops, systemd restarts it.

Its settings are those of the application; on an instance, `/etc/otherside/app.env` sets them.
"""

import http.client
import os
import socket
import ssl
import threading
import time
import urllib.parse

from aws import ServiceRefusedError, instance_id
from heartbeat import Heartbeat, LeaseStore
from lease import NO_LEASE, RENEW_S, Lease, now_s, write
from service import TROUBLE, AppSettings, WriterDatabase, prepare_until_done

BEAT_S = 1.0
PULSE_S = 5.0
STUCK_S = 60.0
SCHEMA = """
create table if not exists otherside_heartbeat (
    one boolean primary key default true check (one),
    beat_s double precision not null,
    epoch bigint not null
)
"""
RIGHTS = ("select, insert, update on otherside_heartbeat",)


def get(url, path, name, timeout_s=2.0):
    """Return (status, body) of one GET request; certificates are checked for the public name."""
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


def app_answers(port, path):
    """Return whether the application on this instance answers."""
    try:
        return get(f"http://127.0.0.1:{port}", path, "localhost")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


class Watchdog:
    """Notifies systemd while every loop runs, and stops when one hangs.

    https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    """

    def __init__(self, environment=os.environ):
        """Read the address of systemd's socket, if there is one."""
        self._address, self._rounds = environment.get("NOTIFY_SOCKET"), {}
        if self._address and self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    def round(self, name):
        """Record a round of a loop; notify systemd if all loops have run recently."""
        self._rounds[name] = now_s()
        if all(now_s() - at_s < STUCK_S for at_s in self._rounds.values()):
            self._tell("READY=1\nWATCHDOG=1")

    def _tell(self, text):
        if self._address:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.connect(self._address)
                line.sendall(text.encode())


def every(seconds, work, watchdog):
    """Run `work` in a thread every few seconds, even after an error."""
    watchdog.round(work.__name__)

    def loop():
        while True:
            began_s = now_s()
            try:
                work()
            except Exception as error:
                print(f"lease agent: {work.__name__}: {type(error).__name__}", flush=True)
            watchdog.round(work.__name__)
            time.sleep(max(0.1, seconds - (now_s() - began_s)))

    threading.Thread(target=loop, daemon=True).start()


def named(side, environment):
    """Return the key of this agent's pulse: its side and its instance."""
    try:
        return f"{side}#{instance_id(environment)}"
    except OSError:
        return f"{side}#{socket.gethostname()}"


def main(environment=os.environ):
    """Run the three loops until stopped."""
    settings = AppSettings(environment)
    database = WriterDatabase(settings)
    store, heart = LeaseStore(environment), Heartbeat(database, TROUBLE)
    path, side = settings.lease_file, environment["APP_SIDE"]
    place, watchdog = named(side, environment), Watchdog(environment)
    lease = Lease(store.lease, store.pledge, refused=ServiceRefusedError)

    def renew():
        held = lease.renew()  # without a lease file, too: the heartbeat needs the epoch
        if path != NO_LEASE:
            write(path, held)

    def beat():
        # Write the epoch only on the side that holds the lease. The side that a failover left must
        # never get it: the epoch distinguishes its database from the one that took over.
        held = lease.held()
        heart.beat(held["epoch"] if held["side"] == side else 0)

    def pulse():
        alive = app_answers(settings.port, settings.health_path)
        store.pulse(place, {"at_s": time.time(), "app_ok": alive, **heart.found()})

    made = (database, SCHEMA, RIGHTS)
    threading.Thread(target=prepare_until_done, args=made, daemon=True).start()
    every(RENEW_S, renew, watchdog)
    every(BEAT_S, beat, watchdog)
    every(PULSE_S, pulse, watchdog)
    threading.Event().wait()


if __name__ == "__main__":
    main()
