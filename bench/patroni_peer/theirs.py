"""Patroni with etcd over two servers, configured as its documentation shows it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
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
    query,
    unprivileged,
    until,
)

from otherside.twin.services.rds.postgres import binaries

VERSION = "4.1.5"
HOME = Path(sys.prefix) / ".patroni"
"""Where Patroni is installed by the first run: it is none of our dependencies."""


@dataclass(frozen=True)
class Pace:
    """Patroni's own times, in seconds."""

    name: str
    ttl: int
    loop_wait: int
    retry_timeout: int


DEFAULT = Pace("Patroni, default", 30, 10, 10)
TIGHTEST = Pace("Patroni, tightest", 20, 1, 3)
"""The least that it takes: ttl is 20 at least, and loop_wait + 2 * retry_timeout at most that."""


def install() -> str:
    """Install Patroni if need be, and return what runs it."""
    if not (HOME / f"patroni-{VERSION}.dist-info").is_dir():
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        packages = [f"patroni[etcd3]=={VERSION}"]
        subprocess.run(
            [*pip, "install", "--target", str(HOME), *packages],
            check=True,
            stdout=sys.stderr,
            stderr=subprocess.DEVNULL,
        )
    return f"import sys; sys.path.append({str(HOME)!r}); "


class Theirs:
    """Two nodes under Patroni."""

    def __init__(self, workspace: Workspace, pace: Pace) -> None:
        """Start both and wait until one follows the other."""
        self.workspace, self.pace = workspace, pace
        self.begin = install()
        self.etcd = etcd(workspace)
        self.ports = {name: free_port() for name in ("a", "b")}
        self.nodes: dict[str, list[subprocess.Popen[bytes]]] = {}
        self.acks: dict[str, Acknowledged] = {}
        for name, port in self.ports.items():
            self._start(name, port)
            until(lambda port=port: query(port, "select 1"), 60, f"{name} answers")
        self.leader = next(name for name, port in self.ports.items() if is_writer(port))
        self.other = "b" if self.leader == "a" else "a"
        until(lambda: follows(self.ports[self.other]), 60, "one follows the other")
        query(self.ports[self.leader], "create table writes (id text)")
        until(
            lambda: query(self.ports[self.other], "select count(*) + 1 from writes"), 20, "a copy"
        )
        for name, port in self.ports.items():
            self._application(name, port)

    def _start(self, name: str, port: int) -> None:
        directory = self.workspace.directory
        owned(directory / name)
        rest = free_port()
        access = [
            f"host all {USER} 127.0.0.1/32 trust",
            f"host replication {USER} 127.0.0.1/32 trust",
        ]
        settings = {
            "scope": "bench",
            "name": name,
            "restapi": {"listen": f"127.0.0.1:{rest}", "connect_address": f"127.0.0.1:{rest}"},
            "etcd3": {"host": f"127.0.0.1:{self.etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": self.pace.ttl,
                    "loop_wait": self.pace.loop_wait,
                    "retry_timeout": self.pace.retry_timeout,
                    "maximum_lag_on_failover": 1048576,
                    "postgresql": {"use_pg_rewind": True, "parameters": SETTINGS},
                },
                "initdb": [{"encoding": "UTF8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{port}",
                "connect_address": f"127.0.0.1:{port}",
                "data_dir": str(directory / name / "data"),
                "bin_dir": str(binaries()),
                "pgpass": str(directory / name / "pgpass"),
                "pg_hba": [f"local all {USER} trust", *access],
                "authentication": {
                    "superuser": {"username": USER},
                    "replication": {"username": USER},
                    "rewind": {"username": USER},
                },
                "parameters": {"unix_socket_directories": str(directory / name)},
            },
        }
        file = directory / f"{name}.yml"
        file.write_text(yaml.safe_dump(settings))
        code = f"{self.begin}sys.argv = ['patroni', {str(file)!r}]; "
        code += "from patroni.__main__ import main; main()"
        self.nodes[name] = [
            self.workspace.run(f"patroni-{name}", *unprivileged(), sys.executable, "-c", code)
        ]

    def _application(self, name: str, port: int) -> None:
        acks = self.workspace.directory / f"{name}.acks"
        command = (sys.executable, str(HERE / "writer.py"), name, str(port), str(acks))
        self.nodes[name].append(self.workspace.run(f"writer-{name}", *command))
        self.acks[name] = Acknowledged(acks)

    def switch(self) -> None:
        """Have Patroni move the writer in order."""
        ask = ["patronictl", "-c", str(self.workspace.directory / "a.yml"), "switchover", "bench"]
        ask += ["--leader", self.leader, "--candidate", self.other, "--force"]
        code = f"{self.begin}sys.argv = {ask!r}; from patroni.ctl import ctl; ctl()"
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        with (self.workspace.directory / "switch.log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-c", code],
                env=environment,
                check=True,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
