"""Our decision, lease and ports over two servers: the shipped core, on local adapters.

A node's agent renews the lease, writes the heartbeat and reports a pulse, as the lease agent of an
instance does. A decider looks and acts beside the standby, and a witness apart from both. What is
local is the adapter: etcd for the state table, HTTP and PostgreSQL's own protocol for the probes.
"""

import contextlib
import http.client
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from etcd_store import Store
from machines import (
    HERE,
    SETTINGS,
    USER,
    Acknowledged,
    Workspace,
    etcd,
    follows,
    free_port,
    is_writer,
    owned,
    program,
    query,
    until,
)
from pace import BEAT_S, LOOK_S, PULSE_S, RENEW_S, policy, scale

from otherside.agent.lease import Guard, Lease, NotAllowedError, write
from otherside.core.topology import Side
from otherside.failover.actuator import actuate
from otherside.failover.aws.evidence_reader import RawObservation, observation
from otherside.failover.aws.record import state_from_text, state_to_text
from otherside.failover.aws.state_store import HealthReport
from otherside.failover.controller import TickFailed, reconcile_once
from otherside.failover.decision.decide import Decision
from otherside.failover.decision.observation import (
    Attempt,
    Command,
    DatabaseView,
    Fitness,
    LeaseView,
    Move,
    Observation,
    Order,
    Reading,
)
from otherside.failover.decision.state import Intent, State, first
from otherside.failover.ports import UnavailableError

SIDES = {"a": Side.PRIMARY, "b": Side.STANDBY}
PROBE_S = 0.4
LAG_KEPT_S = 300.0


def database(port: int) -> psycopg.Connection:
    """Connect to a server, as the agent and the decider do."""
    address = f"host=127.0.0.1 port={port} user={USER} dbname=postgres connect_timeout=2"
    return psycopg.connect(f"{address} options='-c statement_timeout=500'", autocommit=True)


def asks(port: int, path: str) -> Reading:
    """Return what a node's application says of itself, or that it does not answer."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_S)
    try:
        with contextlib.closing(line):
            line.request("GET", path)
            return Reading.GOOD if line.getresponse().status == 200 else Reading.BAD  # noqa: PLR2004
    except (OSError, http.client.HTTPException):
        return Reading.BAD


def every(seconds: float, work: Callable[[], None]) -> None:
    """Do something again and again, even after an error."""

    def loop() -> None:
        while True:
            began_s = time.monotonic()
            try:
                work()
            except (OSError, psycopg.Error, UnavailableError, NotAllowedError) as error:
                print(f"{work.__name__}: {type(error).__name__}: {error}", flush=True)
            time.sleep(max(0.02, seconds - (time.monotonic() - began_s)))

    threading.Thread(target=loop, daemon=True).start()


class Agent:
    """A node's lease agent, and the page by which its application is probed."""

    def __init__(self, name: str, store: Store, port: int, lease_file: str) -> None:
        """Take where everything is."""
        self.name, self.side, self.store = name, SIDES[name], store
        self.port, self.file = port, lease_file
        self.lease = Lease(self._terms, lambda: None)
        self.report: dict[str, Any] = {"reads_ok": None}
        self._line: psycopg.Connection | None = None
        self._newest_s = 0.0
        self._lags: deque[tuple[float, float]] = deque()

    def _terms(self) -> dict[str, Any] | None:
        try:
            found = self.store.get("lease").get("lease")
        except UnavailableError as error:
            raise OSError(str(error)) from error
        return found[0] if found else None

    def renew(self) -> None:
        """Renew the lease and write its file."""
        write(self.file, self.lease.renew())

    def beat(self) -> None:
        """Write the heartbeat if this side's database is the writer; else read the newest."""
        if self._line is None or self._line.closed:
            self._line = database(self.port)
        try:
            self._beat(self._line)
        except psycopg.Error:
            self._line.close()
            self.report |= {"writes_ok": False, "reads_ok": False}
            raise

    def _beat(self, line: psycopg.Connection) -> None:
        held, at_s = self.lease.held(), time.time()
        row = line.execute("select pg_is_in_recovery()").fetchone()
        if row is not None and row[0] is False:
            epoch = held["epoch"] if held["side"] == self.side else 0
            told = line.execute(
                "update otherside_heartbeat set beat_s = %s, epoch = greatest(epoch, %s)"
                " returning epoch",
                (at_s, epoch),
            ).fetchone()
            known = told[0] if told else 0
            self.report |= {"writes_ok": True, "wrote_s": at_s, "wrote_epoch": known}
            self.report |= {"beat_s": at_s, "beat_epoch": known, "reads_ok": True}
            return
        newest = line.execute("select beat_s, epoch from otherside_heartbeat").fetchone()
        if newest is not None:
            self._measure_lag(at_s, newest[0])
            self.report |= {"beat_s": newest[0], "beat_epoch": newest[1], "reads_ok": True}
            self.report |= {"writes_ok": False}

    def _measure_lag(self, at_s: float, newest_s: float) -> None:
        """Keep how late heartbeats arrive: one that is not there yet says nothing of a lag."""
        if newest_s != self._newest_s and newest_s:
            self._newest_s = newest_s
            self._lags.append((at_s, at_s - newest_s))
        while self._lags and self._lags[0][0] < at_s - LAG_KEPT_S:
            self._lags.popleft()
        if self._lags:
            self.report["lag_max_s"] = max(lag_s for _, lag_s in self._lags)

    def pulse(self) -> None:
        """Report what was found."""
        self.store.put(
            f"pulse/{self.side}#{self.name}", {"at_s": time.time(), "app_ok": True, **self.report}
        )

    def page(self, port: int) -> None:
        """Answer probes: `/writez` writes a row under the lease, `/readyz` reads one."""
        agent = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if agent.serves(self.path) else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def serves(self, path: str) -> bool:
        """Return whether a read or a write works now; a probe's row needs no lease to be tried."""
        try:
            with database(self.port) as line:
                if path == "/writez":
                    guard = Guard(self.file)
                    epoch = guard.epoch()
                    line.execute("insert into writes values ('probe') on conflict do nothing")
                    guard.still(epoch)
                else:
                    line.execute("select 1")
        except (psycopg.Error, NotAllowedError):
            return False
        return True


def agent(name: str, store: str, port: str, lease_file: str, page: str) -> None:
    """Run a node's agent until killed."""
    scale()
    runs = Agent(name, Store(int(store)), int(port), lease_file)
    runs.page(int(page))
    every(RENEW_S, runs.renew)
    every(BEAT_S, runs.beat)
    every(PULSE_S, runs.pulse)
    threading.Event().wait()


def witness(store: str, *pages: str) -> None:
    """Try a write through the name that users have, from a process of nobody's node."""
    kept = Store(int(store))

    def look() -> None:
        held = kept.get("latch").get("latch")
        page = int(pages[1 if held and held[0] else 0])
        kept.put("health", asks(int(pages[0]), "/readyz") is Reading.GOOD)
        works = asks(page, "/writez") is Reading.GOOD
        kept.put("pulse/witness", {"at_s": time.time(), "writes_ok": works})

    every(PULSE_S, look)
    threading.Event().wait()


class LocalPorts:
    """Both roles' ports, beside the standby."""

    def __init__(self, store: Store, place: dict[str, Any]) -> None:
        """Take where everything is; `place` has the ports and directories of the nodes."""
        self.store, self.place = store, place
        self.revision = 0
        self.invoke: Callable[[], None] = lambda: None

    def now_s(self) -> float:
        """Return the time."""
        return time.time()

    def load_state(self) -> State:
        """Return the newest revision."""
        found = self.store.get("state").get("state")
        self.revision = found[1] if found else 0
        return state_from_text(found[0]) if found else first(self.now_s())

    def commit(self, decision: Decision, _observation: Observation) -> None:
        """Commit a revision if nobody else has."""
        self.store.put_if("state", state_to_text(decision.state), self.revision)
        line = f"{self.now_s():.2f} {decision.state.phase} {decision.state.reason}"
        print(line, flush=True)

    def observe(self, state: State) -> Observation:
        """Look at everything; what does not answer in time is bad, or unknown."""
        known, at_s = self.store.get("a"), self.now_s()
        for prefix in ("h", "l", "o", "p"):
            known |= self.store.get(prefix)
        pages, writer = self.place["pages"], state.writer
        reached: dict[str, Reading] = {}

        def ask(name: str, port: int, path: str) -> None:
            reached[name] = asks(port, path)

        latched = bool(known.get("latch", (False, 0))[0])
        asked = [
            ("canary", pages[1 if latched else 0], "/writez"),
            ("standby", pages[1], "/readyz"),
            ("write", pages[1 if writer is Side.STANDBY else 0], "/writez"),
        ]
        threads = [threading.Thread(target=ask, args=each) for each in asked]
        for thread in threads:
            thread.start()
        control = answers(self.place["ports"][0])
        view = self._view()
        for thread in threads:
            thread.join()
        held = known.get("lease", (None, 0))[0]
        healthy = bool(known.get("health", (True, 0))[0])
        pulses = {
            key.removeprefix("pulse/"): HealthReport(**value)
            for key, (value, _) in known.items()
            if key.startswith("pulse/")
        }
        order = known.get("order", (None, 0))[0]
        raw = RawObservation(
            at_s=at_s,
            pulses=pulses,
            lease=LeaseView(open=bool(held and held["open"]), seen_s=at_s) if held else None,
            command=Command(**{**order, "order": Order(order["order"])}) if order else None,
            freeze=None,
            database=view,
            control_plane=control,
            canary=reached["canary"],
            standby_app=reached["standby"],
            standby_write=reached["write"],
            users_on=Side.STANDBY if latched or not healthy else Side.PRIMARY,
            outside=Reading.GOOD,
            capacity_short=False,
            pledge_epoch=int(known.get("pledge", (0, 0))[0]),
            attempts=self._attempts(known, state.epoch),
            failing=(),
            unreadable=(),
            aurora=(),
        )
        return replace(observation(state, raw), machines=2)

    def _attempts(self, known: dict[str, tuple[Any, int]], epoch: int) -> tuple[Attempt, ...]:
        return tuple(
            Attempt(operation=value["operation"], called=value["called"], answer=value["answer"])
            for key, (value, _) in known.items()
            if key.startswith(f"attempt/{epoch}.")
        )

    def _view(self) -> DatabaseView | None:
        """Describe the pair as the standby's server sees it."""
        try:
            moved = is_writer(self.place["ports"][1])
            status = query(self.place["ports"][1], "select status from pg_stat_wal_receiver")
        except (psycopg.Error, OSError):
            return None
        return DatabaseView(
            writer=Side.STANDBY if moved else Side.PRIMARY,
            move=None,
            follower_is_member=True,
            follower_has_instance=True,
            fitness=Fitness.FIT,
            status="available",
            versions_match=True,
            resynced=not moved and status == "streaming",
        )

    def invoke_actuator(self, decision: Decision) -> None:
        """Wake the actuator."""
        if decision.move is not None:
            self.invoke()

    def set_lease_terms(self, decision: Decision) -> None:
        """Set the lease."""
        terms = decision.terms
        if terms is not None:
            wanted = {"open": terms.open, "epoch": terms.epoch, "side": terms.side}
            if self.store.get("lease").get("lease", (None, 0))[0] != wanted:
                self.store.put("lease", wanted)

    def pledge(self, decision: Decision) -> None:
        """Remember the epoch beside the state."""
        if decision.terms is not None and decision.changed:
            self.store.put("pledge", decision.terms.epoch)

    def extend_pledge(self) -> None:
        """Nothing reads a pledge here: etcd is one process, and there for both or for nobody."""

    def publish_metrics(self, decision: Decision) -> None:
        """Hold users where the state asks for it."""
        if decision.changed and decision.latch is not None:
            self.store.put("latch", decision.latch)

    def notify(self, decision: Decision) -> None:
        """Print what people would be told."""
        if decision.notice:
            print(f"notice: {decision.notice}", flush=True)

    def record_failures(self, failed: tuple[str, ...]) -> None:
        """Print what failed."""
        if failed:
            print(f"failed: {failed}", flush=True)

    def claim(self, intent: Intent) -> None:
        """Claim an attempt once."""
        value = {"operation": intent.operation, "called": True, "answer": None}
        self.store.put_if(f"attempt/{intent.operation}", value, 0)

    def record_answer(self, intent: Intent, *, called: bool, answer: str | None) -> None:
        """Record what became of it."""
        value = {"operation": intent.operation, "called": called, "answer": answer}
        self.store.put(f"attempt/{intent.operation}", value)

    def move(self, intent: Intent) -> None:
        """Promote the standby; in order, after the primary has stopped and sent everything."""
        try:
            if intent.move is Move.SWITCHOVER:
                query(self.place["ports"][0], "checkpoint")
                stop = [*self.place["pg_ctl"], "-D", self.place["data"], "stop", "-m", "fast"]
                subprocess.run([*stop, "-s"], check=True, timeout=30)
            query(self.place["ports"][1], "select pg_promote(true, 10)")
        except (psycopg.Error, subprocess.SubprocessError) as error:
            raise UnavailableError(str(error)) from error

    def raise_capacity(self) -> None:
        """There is nothing to raise."""


def answers(port: int) -> bool:
    """Return whether a server's own process answers, as RDS would say of a Region.

    It is asked whether it speaks TLS, which it answers with one letter before anything else.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), PROBE_S) as line:
            line.settimeout(PROBE_S)
            line.sendall(struct.pack("!II", 8, 80877103))
            return line.recv(1) in {b"S", b"N"}
    except OSError:
        return False


def decider(store: str, place: str, stall_s: str) -> None:
    """Look and act until killed; the actuator runs beside the decider, on ports of its own."""
    scale()
    limits = policy(float(stall_s))
    ports = LocalPorts(Store(int(store)), json.loads(Path(place).read_text()))
    actor = LocalPorts(Store(int(store)), ports.place)
    busy = threading.Lock()

    def act() -> None:
        with busy:
            print(actuate(actor, limits), flush=True)

    def invoke() -> None:
        if not busy.locked():
            threading.Thread(target=act, daemon=True).start()

    ports.invoke = invoke
    while True:
        began_s = time.monotonic()
        found = reconcile_once(ports, limits)
        if isinstance(found, TickFailed):
            print(found, flush=True)
        time.sleep(max(0.02, LOOK_S - (time.monotonic() - began_s)))


class Ours:
    """Two nodes under our decision."""

    def __init__(self, workspace: Workspace, stall_s: float) -> None:
        """Start both and wait until the lease is held."""
        self.workspace = workspace
        self.etcd = etcd(workspace)
        self.store = Store(self.etcd)
        self.ports = {name: free_port() for name in ("a", "b")}
        pages = {name: free_port() for name in ("a", "b")}
        self.nodes: dict[str, list[subprocess.Popen[bytes]]] = {"a": [], "b": []}
        self.acks: dict[str, Acknowledged] = {}
        self.leader, self.other = "a", "b"
        self._servers()
        for name in self.ports:
            self._node(name, pages[name])
        place = workspace.directory / "place.json"
        known = {
            "ports": list(self.ports.values()),
            "pages": list(pages.values()),
            "pg_ctl": program("pg_ctl"),
            "data": str(workspace.directory / "a" / "data"),
        }
        place.write_text(json.dumps(known))
        me = (sys.executable, str(Path(__file__)))
        workspace.run("witness", *me, "witness", str(self.etcd), *map(str, pages.values()))
        workspace.run("decider", *me, "decider", str(self.etcd), str(place), str(stall_s))
        until(lambda: next(iter(self.acks["a"]), None), 30, "a write was acknowledged")

    def _servers(self) -> None:
        directory = self.workspace.directory
        for name in self.ports:
            owned(directory / name)
        data = directory / "a" / "data"
        trust = ("--auth", "trust", "-U", USER)
        self._run("initdb", "-D", str(data), *trust, "-E", "UTF8", "-k", "--no-instructions", "-N")
        self._configure("a", data)
        self._start("a")
        with database(self.ports["a"]) as line:
            line.execute("create table writes (id text)")
            line.execute("create table otherside_heartbeat (beat_s float8, epoch bigint)")
            line.execute("insert into otherside_heartbeat values (0, 0)")
        copy = directory / "b" / "data"
        source = f"host=127.0.0.1 port={self.ports['a']} user={USER}"
        self._run(
            "pg_basebackup", "-D", str(copy), "-d", source, "-R", "-X", "stream", "-c", "fast"
        )
        self._configure("b", copy)
        self._start("b")
        until(lambda: follows(self.ports["b"]), 20, "one follows the other")

    def _run(self, name: str, *arguments: str) -> None:
        with (self.workspace.directory / "setup.log").open("ab") as log:
            command = [*program(name), *arguments]
            subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)

    def _configure(self, name: str, data: Path) -> None:
        own = {
            **SETTINGS,
            "port": str(self.ports[name]),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(data.parent),
        }
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in own.items())

    def _start(self, name: str) -> None:
        data = self.workspace.directory / name / "data"
        self.nodes[name].append(
            self.workspace.run(f"postgres-{name}", *program("postgres"), "-D", str(data))
        )
        until(lambda: query(self.ports[name], "select 1"), 20, f"{name} answers")

    def _node(self, name: str, page: int) -> None:
        lease = str(self.workspace.directory / f"{name}.lease")
        acks, port = self.workspace.directory / f"{name}.acks", str(self.ports[name])
        store = str(self.etcd)
        me = (sys.executable, str(Path(__file__)), "agent", name, store, port, lease, str(page))
        self.nodes[name].append(self.workspace.run(f"agent-{name}", *me))
        wrote = (sys.executable, str(HERE / "writer.py"), name, port, str(acks), lease)
        self.nodes[name].append(self.workspace.run(f"writer-{name}", *wrote))
        self.acks[name] = Acknowledged(acks)

    def switch(self) -> None:
        """Have the writer moved in order."""
        state = state_from_text(self.store.get("state")["state"][0])
        order = {"order": "switchover", "revision": state.revision, "author": "bench"}
        self.store.put("order", {**order, "at_s": time.time()})
        until(lambda: is_writer(self.ports[self.other]), 60, "the writer has moved")


if __name__ == "__main__":
    roles: dict[str, Callable[..., None]] = {"agent": agent, "witness": witness, "decider": decider}
    os.environ["PYTHONUNBUFFERED"] = "1"
    roles[sys.argv[1]](*sys.argv[2:])
