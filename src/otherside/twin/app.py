"""Every part of one twin, and how the parts are joined."""

import asyncio
import os
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otherside.twin.context import Ground
from otherside.twin.gateway.app import Door
from otherside.twin.gateway.authorizer import Access, Holder
from otherside.twin.gateway.faults import GLOBAL, Faults
from otherside.twin.gateway.moto_apps import Backends
from otherside.twin.guest.scaled_clock import Warp
from otherside.twin.host.processes import Processes
from otherside.twin.latency import Latency
from otherside.twin.net.addresses import Addresses, free_port
from otherside.twin.net.certificates import Authority
from otherside.twin.net.egress_proxy import Gateway
from otherside.twin.net.partitions import CONTROL_REGION
from otherside.twin.net.reachability import Interface, Network, Source
from otherside.twin.services.alarm_actions import AlarmActions
from otherside.twin.services.autoscaling.provider import Groups
from otherside.twin.services.backup.provider import Backups
from otherside.twin.services.backup.settings import Kept
from otherside.twin.services.base import Extension
from otherside.twin.services.cloudwatch.alarms import Alarms
from otherside.twin.services.cloudwatch.metric_streams import Streams
from otherside.twin.services.cloudwatch.metrics import Metrics
from otherside.twin.services.cloudwatch.provider import Watching
from otherside.twin.services.dynamodb.provider import Tables
from otherside.twin.services.ec2.instances import Instances
from otherside.twin.services.ec2.provider import Networks
from otherside.twin.services.elbv2.load_balancer import Balancers
from otherside.twin.services.events.provider import EventBuses
from otherside.twin.services.iam.provider import Identity
from otherside.twin.services.kms.implicit_calls import keys_behind
from otherside.twin.services.kms.provider import Keys
from otherside.twin.services.lambda_.destinations import Destinations
from otherside.twin.services.lambda_.provider import Functions
from otherside.twin.services.rds.addresses import DatabaseAddresses
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
from otherside.twin.services.service_access import ServiceAccess
from otherside.twin.services.sns.provider import Topics
from otherside.twin.services.sqs.provider import Queues
from otherside.twin.services.sts.provider import Caller

ACCOUNT = "123456789012"
PROVISIONER = f"arn:aws:iam::{ACCOUNT}:user/provisioner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a cloud is asked to be."""

    regions: tuple[str, ...]
    directory: Path
    speed: float = 1.0
    latency: bool = True
    instances_max: int = 2


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
        endpoints = {one: (self.addresses.api(one), self.api_port) for one in self.wanted.regions}
        self.network = Network(ground, endpoints)
        self.faults = Faults()
        self.surroundings: dict[str, dict[str, str]] = {one: {} for one in self.wanted.regions}
        self.gateway = Gateway(ground, self.network, self._resolve, self.addresses.gateway())
        self.metrics = Metrics(ground)
        services = ServiceAccess(ground, access)
        self._create_functions_and_events(services)
        self._create_databases()
        self.checks, self.watching, self.kept = Checks(ground), Watching(ground), Kept(ground)
        actions = AlarmActions(ground, services, self.topics, self.functions)
        self.alarms = Alarms(
            ground, self.metrics, self._emit, actions.act, self.watching.suppressors
        )
        self.tables, self.objects = Tables(ground, self.metrics), Objects(ground, access)
        self.keys, self.networks = Keys(ground), Networks(ground)
        self.backups = Backups(ground, access, self.kept, self._emit, self.aurora)
        self.checkers = Checkers(
            ground, self.network, self.checks, self.alarms, self.metrics, self._resolve
        )
        self.balancers = Balancers(
            ground,
            self.network,
            self.metrics,
            self.authority,
            self.addresses.take,
            {80: self.http_port, 443: self.https_port},
            self._interface_of,
            inside=self.addresses.gateway(),
        )
        self.instances = Instances(
            ground,
            access,
            self.processes,
            self.network,
            self.gateway,
            directory / "instances",
            self.surroundings,
            self.balancers,
            instances_max=self.wanted.instances_max,
        )
        self.resolver = Resolver(
            ground, self.balancers, self.checkers, self.databases.address, self._api
        )
        self.streams = Streams(ground, access, self.watching, self.objects)
        self._open_door()

    def _create_functions_and_events(self, services: ServiceAccess) -> None:
        ground, access, directory = self.ground, self.access, self.wanted.directory
        self.functions = Functions(
            ground,
            access,
            self.processes,
            self.gateway,
            directory / "functions",
            self.surroundings,
            self.metrics,
            Destinations(ground, access),
        )
        queues = Queues(ground, services)
        self.topics = Topics(ground, access, services)
        self.bus = EventBuses(ground, access, services, self.functions, queues, self.topics)
        self.scheduler = Scheduler(ground, access, self.functions, queues, self.bus)

    def _create_databases(self) -> None:
        ground, access, directory = self.ground, self.access, self.wanted.directory
        self.postgres = Postgres(ground, self.processes, directory / "db")
        self.aurora = Aurora(ground, self.postgres, self._emit)
        self.commits = Commits(ground, self.aurora, self.postgres)
        self.door_of_databases = DatabaseDoor(
            ground, self.postgres, access, self.authority.context(), self._has_instance
        )
        self.databases = DatabaseAddresses(
            ground,
            self.network,
            self.addresses,
            self.database_port,
            self.door_of_databases,
            self.aurora,
        )

    def _open_door(self) -> None:
        """Make the front door, and tell it of every part that does something of its own."""
        self.backends = Backends()
        self.door = Door(
            moto=self.backends,
            access=self.access,
            faults=self.faults,
            warp=self.ground.warp,
            sources={address: region for region, address in self.api_addresses().items()},
            unreachable=self._unreachable,
        )
        for part in self._extensions():
            self.door.operations.update(part.operations())
            self.door.after.update(part.followers())

    def expect_stack(self) -> None:
        """Get ready what a stack's first calls would wait for, while its program is loaded."""
        self.postgres.prepare()
        self.processes.prepare_fork()
        threading.Thread(target=self.backends.build, daemon=True).start()

    def api_addresses(self) -> dict[str, str]:
        """Return the address of each Region's API."""
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
            self.topics,
            self.bus,
            self.alarms,
            self.balancers,
        ]

    def _api(self, region: str) -> str:
        """Return where the API is asked from: a checker may be in a Region that is not here."""
        return self.addresses.api(region if region in self.wanted.regions else "")

    def _interface_of(self, instance: str) -> Interface | None:
        return self.instances.interface(instance)

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
