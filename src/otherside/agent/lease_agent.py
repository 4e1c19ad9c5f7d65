"""What keeps the right to acknowledge writes, and says how this side is. It runs beside the app.

Three loops, in a process of its own, so that an application that is broken does not look like a
Region that is:

    lease      every 5 s: ask the state table whether writes may be acknowledged, and write the
               answer where the application looks before each one
    heartbeat  every 1 s: where this side's database is the writer, write the time and the lease's
               epoch into it; where it is not, read how old the newest heartbeat is
    pulse      every 5 s: put into the state table what was found, and whether the app answers

systemd hears from it as long as each of the three goes round, and starts it anew where one does
not.

Its settings are those of the application; `/etc/otherside/app.env` sets them on an instance.
"""

import http.client
import os
import socket
import ssl
import threading
import time
import urllib.parse

from app import TROUBLE, AppSettings, WriterDatabase, prepare_until_done
from aws import ServiceRefusedError, instance_id
from heartbeat import Heartbeat, LeaseStore
from lease import NO_LEASE, RENEW_S, Lease, now_s, write

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


def app_answers(port, path):
    """Return whether the application beside us answers."""
    try:
        return get(f"http://127.0.0.1:{port}", path, "localhost")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


class Watchdog:
    """Tells systemd that every loop goes round, and falls silent where one does not.

    https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    """

    def __init__(self, environment=os.environ):
        """Find where systemd listens, if it does."""
        self._address, self._rounds = environment.get("NOTIFY_SOCKET"), {}
        if self._address and self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    def round(self, name):
        """Note that a loop has gone round once more; tell systemd if all have lately."""
        self._rounds[name] = now_s()
        if all(now_s() - at_s < STUCK_S for at_s in self._rounds.values()):
            self._tell("READY=1\nWATCHDOG=1")

    def _tell(self, text):
        if self._address:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.connect(self._address)
                line.sendall(text.encode())


def every(seconds, work, watchdog):
    """Do something again and again, on time, whatever went wrong the last time."""
    watchdog.round(work.__name__)

    def loop():
        while True:
            began_s = now_s()
            try:
                work()
            except Exception as error:
                print(f"keeper: {work.__name__}: {type(error).__name__}", flush=True)
            watchdog.round(work.__name__)
            time.sleep(max(0.1, seconds - (now_s() - began_s)))

    threading.Thread(target=loop, daemon=True).start()


def named(side, environment):
    """Return the place of this keeper's pulse: its side, and which instance it runs on."""
    try:
        return f"{side}#{instance_id(environment)}"
    except OSError:
        return f"{side}#{socket.gethostname()}"


def main(environment=os.environ):
    """Keep everything until stopped."""
    settings = AppSettings(environment)
    database = WriterDatabase(settings)
    store, heart = LeaseStore(environment), Heartbeat(database, TROUBLE)
    path, side = settings.lease_file, environment["APP_SIDE"]
    place, watchdog = named(side, environment), Watchdog(environment)
    lease = Lease(store.lease, store.pledge, refused=ServiceRefusedError)

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
        store.pulse(place, {"at_s": time.time(), "app_ok": alive, **heart.found()})

    made = (database, SCHEMA, RIGHTS)
    threading.Thread(target=prepare_until_done, args=made, daemon=True).start()
    every(RENEW_S, renew, watchdog)
    every(BEAT_S, beat, watchdog)
    every(PULSE_S, pulse, watchdog)
    threading.Event().wait()


if __name__ == "__main__":
    main()
