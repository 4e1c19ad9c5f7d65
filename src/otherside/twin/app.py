"""The cloud of one twin, in a process of its own: every part, joined in one place.

It is told what it is on its standard input, says where it is on its standard output once it is up,
answers requests of its owner on both, and ends when its standard input does. The clock is bent
before anything else is imported.
"""

import gc
import json
import os
import sys

from otherside.twin.guest.scaled_clock import Warp, install, real_sleep
from otherside.twin.host.sdk_preload import defer_offerings, share_models

if __name__ == "__main__":
    gc.disable()  # until everything is imported: none of it is garbage, and looking costs a third
    _told = json.loads(sys.stdin.readline())
    _warp = Warp.starting_now(float(_told["speed"]))
    install(_warp)
    share_models()
    defer_offerings()

import asyncio
import contextlib
import logging
import secrets
import shutil
import threading
import warnings
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from otherside.twin.context import Ground
from otherside.twin.control import Control
from otherside.twin.gateway.app import Door
from otherside.twin.gateway.authorizer import Access, Holder
from otherside.twin.gateway.faults import GLOBAL, Faults
from otherside.twin.gateway.moto_apps import Backends
from otherside.twin.gateway.server import serving
from otherside.twin.host.processes import Processes
from otherside.twin.host.registry import CONTROL
from otherside.twin.latency import Latency
from otherside.twin.net.addresses import Addresses, free_port
from otherside.twin.net.certificates import Authority
from otherside.twin.net.egress_proxy import Gateway
from otherside.twin.net.partitions import CONTROL_REGION
from otherside.twin.net.reachability import Interface, Network, Source
from otherside.twin.services.autoscaling.provider import Groups
from otherside.twin.services.backup.provider import Backups
from otherside.twin.services.backup.settings import Kept
from otherside.twin.services.base import Extension
from otherside.twin.services.cloudwatch.alarms import Alarms, Metrics
from otherside.twin.services.cloudwatch.metric_streams import Streams
from otherside.twin.services.cloudwatch.provider import Watching
from otherside.twin.services.dynamodb.provider import Tables
from otherside.twin.services.ec2.instances import Instances
from otherside.twin.services.ec2.provider import Networks
from otherside.twin.services.elbv2.load_balancer import Balancers
from otherside.twin.services.events.provider import Bus
from otherside.twin.services.iam.provider import Caller, Identity, Keys
from otherside.twin.services.kms.implicit_calls import keys_behind
from otherside.twin.services.lambda_.provider import Functions
from otherside.twin.services.rds.commits import Commits
from otherside.twin.services.rds.endpoint import DatabaseDoor, Endpoint
from otherside.twin.services.rds.lag import measure_lag
from otherside.twin.services.rds.logs import export_logs
from otherside.twin.services.rds.postgres import Postgres
from otherside.twin.services.rds.provider import Aurora
from otherside.twin.services.resource_policies import POLICIES
from otherside.twin.services.route53.health_checks import Checkers
from otherside.twin.services.route53.provider import Checks
from otherside.twin.services.route53.resolver import Resolver
from otherside.twin.services.s3.provider import Objects
from otherside.twin.services.scheduler.provider import Scheduler
from otherside.twin.services.secretsmanager.provider import Secrets

ACCOUNT = "123456789012"
END_S = 15.0
"""The machine's seconds that an end in order may take."""
PROVISIONER = f"arn:aws:iam::{ACCOUNT}:user/provisioner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a cloud is asked to be."""

    regions: tuple[str, ...]
    directory: Path
    speed: float = 1.0
    latency: bool = True
    instances_max: int = 2


@dataclass(slots=True)
class Databases:
    """Where databases are: one address a cluster, the same port in every Region."""

    ground: Ground
    network: Network
    addresses: Addresses
    port: int
    door: DatabaseDoor
    aurora: Aurora
    _known: dict[str, tuple[str, Interface, Any]] = field(default_factory=dict)

    def address(self, name: str, outside: bool) -> str | None:  # noqa: FBT001 - a callback's shape
        """Return an address; empty where a name leads nowhere, `None` where it is none."""
        for whole in self.aurora.wholes().values():
            held = self.aurora.endpoint_of(whole)
            if name == held.lower():
                return self._of(self.aurora.writer_of(whole), outside=outside)
        for arn, (_, _, cluster) in self._known.items():
            if name == str(cluster.reader_endpoint).lower():
                return self._of(arn, outside=outside)
            if name == str(cluster.endpoint).lower():
                # A secondary's own endpoint is inactive: it leads nowhere until it is promoted.
                return self._of(arn, outside=outside) if self.aurora.is_writer(arn) else ""
        return None

    def _of(self, arn: str, *, outside: bool) -> str:
        known = self._known.get(arn)
        if known is None:
            return ""
        return known[0] if outside else known[1].address

    async def run(self) -> None:
        """Give every cluster an address, for as long as the twin lives."""
        while True:
            for arn, region, cluster in self.aurora.clusters():
                if arn not in self._known and cluster.db_subnet_group_name:
                    await self._add(arn, region, cluster)
            await asyncio.sleep(0.2 * self.ground.warp.speed)

    async def _add(self, arn: str, region: str, cluster: Any) -> None:  # noqa: ANN401 - moto's own
        import ipaddress  # noqa: PLC0415 - only here

        from moto.ec2.models import ec2_backends  # noqa: PLC0415 - as above
        from moto.rds.models import rds_backends  # noqa: PLC0415 - as above

        groups = rds_backends[self.ground.account][region].subnet_groups
        group = groups.get(cluster.db_subnet_group_name)
        if group is None:
            return
        address = self.addresses.take(region)
        subnet = ec2_backends[self.ground.account][region].get_subnet(_identifier(group.subnets[0]))
        interface = Interface(
            name=str(cluster.db_cluster_identifier),
            region=region,
            subnet=str(subnet.id),
            # From the end of the subnet: instances begin at its beginning.
            address=str(ipaddress.ip_network(subnet.cidr_block)[-3 - len(self._known)]),
            groups=tuple(cluster.vpc_security_group_ids),
            ports={int(cluster.port): (address, self.port)},
        )
        self._known[arn] = (address, interface, cluster)
        self.network.add(interface)

        def endpoint() -> Endpoint:
            names = [str(cluster.endpoint), str(cluster.reader_endpoint)]
            names += self.aurora.names_of(arn)
            return Endpoint(
                arn=arn,
                region=region,
                resource_id=str(cluster.db_cluster_resource_id),
                iam=bool(cluster.iam_auth),
                names=tuple(one.lower() for one in names),
            )

        await self.door.serve(endpoint, address, self.port)


def _identifier(subnet: Any) -> str:  # noqa: ANN401 - moto's own, in either shape
    return str(subnet["SubnetIdentifier"] if isinstance(subnet, dict) else subnet.id)


class Cloud:
    """Every part of one twin."""

    def __init__(self, wanted: Wanted, warp: Warp) -> None:
        """Join the parts; nothing runs yet."""
        self.wanted = wanted
        self.ground = Ground(ACCOUNT, wanted.regions, warp, Latency(wanted.latency))
        self.addresses = Addresses(wanted.regions)
        self.key_id = "AKIA" + secrets.token_hex(8).upper()
        self.secret = secrets.token_urlsafe(30)
        self.access = Access(
            account=ACCOUNT,
            provisioner=Holder(arn=PROVISIONER, secret=self.secret, provisioner=True),
            provisioner_key=self.key_id,
            resource_policies=dict(POLICIES),
            keys_behind=keys_behind(ACCOUNT),
        )
        self.processes = Processes(wanted.directory)
        self._choose_ports()
        self._join()

    def _choose_ports(self) -> None:
        regional = [self.addresses.api(one) for one in ("", *self.wanted.regions)]
        self.api_port = free_port(regional)
        self.http_port, self.https_port = free_port(regional), free_port(regional)
        self.database_port, self.dns_port = free_port(regional), free_port(regional)

    def _join(self) -> None:
        """Make every part and tell each of those that it needs."""
        ground, access, directory = self.ground, self.access, self.wanted.directory
        self.authority = Authority(directory)
        self.network = Network(ground)
        self.network.endpoints = {
            one: (self.addresses.api(one), self.api_port) for one in self.wanted.regions
        }
        self.faults = Faults()
        self.surroundings: dict[str, dict[str, str]] = {one: {} for one in self.wanted.regions}
        self.gateway = Gateway(ground, self.network, self._resolve, self.addresses.gateway())
        self.functions = Functions(
            ground, access, self.processes, self.gateway, directory / "functions", self.surroundings
        )
        self.bus = Bus(ground, access, self.functions)
        self.scheduler = Scheduler(ground, access, self.bus)
        self.postgres = Postgres(ground, self.processes, directory / "db")
        self.aurora = Aurora(ground, self.postgres, self._emit)
        self.commits = Commits(ground, self.aurora, self.postgres)
        self.metrics = self.functions.metrics = Metrics(ground)
        self.checks, self.watching, self.kept = Checks(ground), Watching(ground), Kept(ground)
        self.alarms = Alarms(
            ground, self.metrics, self._emit, self.bus.act, self.watching.suppressors
        )
        self.tables, self.objects = Tables(ground), Objects(ground, access)
        self.tables.metrics = self.metrics
        self.keys, self.networks = Keys(ground), Networks(ground)
        self.backups = Backups(ground, access, self.kept, self._emit, self.aurora)
        self.checkers = Checkers(
            ground, self.network, self.checks, self.alarms, self.metrics, self._resolve
        )
        self.instances = Instances(
            ground,
            access,
            self.processes,
            self.network,
            self.gateway,
            directory / "instances",
            self.surroundings,
            instances_max=self.wanted.instances_max,
        )
        self.balancers = Balancers(
            ground,
            self.network,
            self.metrics,
            self.authority,
            self.addresses.take,
            {80: self.http_port, 443: self.https_port},
            self.instances.interface,
            inside=self.addresses.gateway(),
        )
        self.instances.balancers = self.balancers
        self.door_of_databases = DatabaseDoor(
            ground, self.postgres, access, self.authority.context(), self._has_instance
        )
        self.databases = Databases(
            ground,
            self.network,
            self.addresses,
            self.database_port,
            self.door_of_databases,
            self.aurora,
        )
        self.resolver = Resolver(
            ground, self.balancers, self.checkers, self.databases.address, self._api
        )
        self.streams = Streams(ground, access, self.watching, self.objects)
        self._open_door()

    def _open_door(self) -> None:
        """Make the front door, and tell it of every part that does something of its own."""
        self.backends = Backends()
        self.door = Door(
            moto=self.backends,
            access=self.access,
            faults=self.faults,
            warp=self.ground.warp,
            sources={address: region for region, address in self._api_addresses().items()},
        )
        for part in self._extensions():
            self.door.operations.update(part.operations())
            self.door.after.update(part.followers())
        self.door.unreachable = self._unreachable

    def expect_stack(self) -> None:
        """Get ready what a stack's first calls would wait for, while its program is loaded."""
        self.postgres.prepare()
        self.processes.prepare_fork()
        threading.Thread(target=self.backends.build, daemon=True).start()

    def _api_addresses(self) -> dict[str, str]:
        return {one: self.addresses.api(one) for one in self.wanted.regions}

    def _extensions(self) -> list[Extension]:
        return [
            Identity(self.ground),
            Caller(self.ground),
            self.keys,
            self.networks,
            self.scheduler,
            Groups(self.ground),
            Secrets(self.ground, self.access, self.functions.invoke_arn),
            self.kept,
            self.tables,
            self.objects,
            self.watching,
            self.checks,
            self.aurora,
            self.commits,
            self.backups,
            self.functions,
            self.bus,
            self.alarms,
            self.balancers,
        ]

    def _api(self, region: str) -> str:
        """Return where the API is asked from: a checker may be in a Region that is not here."""
        return self.addresses.api(region if region in self.wanted.regions else "")

    def _emit(self, region: str, event: dict[str, Any]) -> None:
        self.bus.emit(region, event)

    def _resolve(self, source: Source, name: str) -> list[str]:
        return self.resolver.look_up(source, name)

    def _has_instance(self, endpoint: Endpoint) -> bool:
        return self.aurora.has_instances(endpoint.arn)

    def _unreachable(self, source: str, region: str) -> bool:
        """Return whether a Region's API, or that of all, cannot be reached from somewhere."""
        geography = self.ground.geography
        region = CONTROL_REGION if region == GLOBAL else region
        if region not in self.wanted.regions:
            return False
        return not geography.converse(source, region)

    async def open(self) -> None:
        """Start everything that runs."""
        self.ground.attach(asyncio.get_running_loop())
        await self.processes.open()
        host, port = await self.gateway.open(self.addresses.gateway())
        self.processes.guests = {
            "AWS_EC2_METADATA_DISABLED": "true",
            "SSL_CERT_FILE": str(self.authority.trust),
            "OTHERSIDE_TWIN_GATEWAY": f"{host}:{port}",
            "OTHERSIDE_TWIN_CLOCK": self.ground.warp.to_text(),
        }
        for region in self.wanted.regions:
            self.surroundings[region] |= {
                "AWS_ENDPOINT_URL": f"http://{self.addresses.api(region)}:{self.api_port}",
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                **self.processes.guests,
            }
        await self.resolver.serve(self.addresses.of("", 53), self.dns_port)
        keep = self.ground.keep
        for region in self.wanted.regions:
            for part in (self.alarms, self.balancers, self.instances, self.streams):
                keep(part.run, region)
            keep(self.bus.schedule, region)
            keep(self.scheduler.run, region)
        for forever in (self.keys.delete, self.networks.expire, self.tables.expire):
            keep(forever)
        keep(self.tables.measure)
        keep(self.checkers.run)
        keep(self.databases.run)
        keep(self.functions.follow)
        keep(self.commits.run)
        keep(export_logs, self.ground, self.aurora, self.postgres)
        keep(measure_lag, self.ground, self.aurora, self.postgres, self.metrics)

    async def close(self) -> None:
        """End everything that runs."""
        self.door.stopping.set()
        await self.ground.close()
        for part in (
            *(self.balancers, self.resolver, self.gateway),
            *(self.door_of_databases, self.postgres),
        ):
            await part.close()
        await self.processes.close()

    def describe(self) -> dict[str, Any]:
        """Return where everything is."""
        outside = self.addresses.api()
        return {
            "endpoint": f"http://{outside}:{self.api_port}",
            "dns": f"{self.addresses.of('', 53)}:{self.dns_port}",
            "access_key_id": self.key_id,
            "secret_access_key": self.secret,
            "account": ACCOUNT,
            "regions": list(self.wanted.regions),
            "http_port": self.http_port,
            "https_port": self.https_port,
            "database_port": self.database_port,
            "authority": str(self.authority.trust),
            "speed": self.wanted.speed,
            "clock": self.ground.warp.to_text(),
            "latency": "modelled" if self.wanted.latency else "none",
            "pid": os.getpid(),
        }


def _end_at_once(cloud: Cloud) -> None:
    """End without the nursery: what it started died with it, and what it would remove is left."""
    shutil.rmtree(cloud.wanted.directory, ignore_errors=True)
    os._exit(1)


async def _live(cloud: Cloud, lines: "asyncio.Queue[str | None]") -> None:
    """Open a cloud, answer its owner, and close it when the owner is gone."""
    cloud.processes.on_lost = partial(_end_at_once, cloud)
    await cloud.open()
    control = Control(cloud)
    path = str(cloud.wanted.directory / CONTROL)
    others = await asyncio.start_unix_server(partial(_answer_others, control), path)
    _say({"ready": cloud.describe()})
    try:
        while (line := await lines.get()) is not None:
            asyncio.get_running_loop().create_task(_answer(control, line))
    finally:
        others.close()
        await cloud.close()


async def _answer_others(
    control: Control, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer another process of the same user: one question a line."""
    try:
        while line := await reader.readline():
            writer.write(json.dumps(await _result(control, line.decode()), default=str).encode())
            writer.write(b"\n")
            await writer.drain()
    except (OSError, ValueError):
        return
    finally:
        writer.close()


async def _answer(control: Control, line: str) -> None:
    _say(await _result(control, line))


async def _result(control: Control, line: str) -> dict[str, Any]:
    request = json.loads(line)
    try:
        result = await control.do(request["do"], request.get("with") or {})
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the asker's to know
        return {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
    return {"id": request["id"], "result": result}


_saying = threading.Lock()


def _say(message: dict[str, Any]) -> None:
    with _saying:
        sys.__stdout__.write(json.dumps(message, default=str) + "\n")  # type: ignore[union-attr]  # it is a pipe
        sys.__stdout__.flush()  # type: ignore[union-attr]  # as above


def _listen(loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[str | None]") -> None:
    """Hand on what the owner says; its end is the end of everything."""
    with contextlib.suppress(RuntimeError):
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)
    real_sleep(END_S)
    os._exit(1)  # whatever still hangs: nothing outlives the owner


def main(told: dict[str, Any], warp: Warp) -> None:
    """Run a cloud until its owner is gone."""
    sys.stdout = sys.stderr  # the owner reads the other one
    os.umask(0o077)  # keys and everything else are this user's
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    gc.freeze()
    gc.enable()
    wanted = Wanted(
        regions=tuple(told["regions"]),
        directory=Path(told["directory"]),
        speed=float(told["speed"]),
        latency=bool(told["latency"]),
        instances_max=int(told["instances_max"]),
    )
    cloud = Cloud(wanted, warp)
    addresses = [cloud.addresses.api(), *cloud._api_addresses().values()]  # noqa: SLF001 - our own
    loop = asyncio.new_event_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    threading.Thread(target=_listen, args=(loop, lines), daemon=True).start()
    try:
        with serving(cloud.door, addresses, cloud.api_port):
            loop.run_until_complete(_live(cloud, lines))
    finally:
        loop.close()


if __name__ == "__main__":
    main(_told, _warp)
    os._exit(0)  # threads of the API may still wait for callers that hang
