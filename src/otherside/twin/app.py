"""All parts of one twin, and how they are wired together."""

import asyncio
import os
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

from otherside.regions import CONTROL_REGION
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import ApiGateway
from otherside.twin.gateway.authorizer import Authorizer, Principal
from otherside.twin.gateway.faults import GLOBAL, ApiFaults
from otherside.twin.gateway.moto_apps import MotoApps
from otherside.twin.guest.scaled_clock import VARIABLE as CLOCK_VARIABLE
from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.host.processes import Processes
from otherside.twin.json_types import JsonObject
from otherside.twin.latency import Latency
from otherside.twin.net.addresses import Addresses, free_port
from otherside.twin.net.certificates import CertificateAuthority
from otherside.twin.net.egress_proxy import EgressProxy
from otherside.twin.net.reachability import Interface, Reachability, Source
from otherside.twin.pace import Pace
from otherside.twin.services.alarm_actions import AlarmActions
from otherside.twin.services.autoscaling.provider import AutoScalingProvider
from otherside.twin.services.backup.provider import BackupProvider
from otherside.twin.services.backup.settings import BackupSettingsProvider
from otherside.twin.services.base import ServiceProvider
from otherside.twin.services.cloudwatch.alarms import Alarms
from otherside.twin.services.cloudwatch.metric_streams import MetricStreams
from otherside.twin.services.cloudwatch.metrics import Metrics
from otherside.twin.services.cloudwatch.provider import CloudWatchProvider
from otherside.twin.services.dynamodb.provider import DynamoDbProvider
from otherside.twin.services.ec2.instances import Instances
from otherside.twin.services.ec2.provider import Ec2Provider
from otherside.twin.services.elbv2.load_balancer import LoadBalancers
from otherside.twin.services.events.provider import EventBridgeProvider
from otherside.twin.services.iam.provider import IamProvider
from otherside.twin.services.kms.implicit_calls import kms_calls_of
from otherside.twin.services.kms.provider import KmsProvider
from otherside.twin.services.lambda_.destinations import Destinations
from otherside.twin.services.lambda_.provider import LambdaProvider
from otherside.twin.services.rds.cluster_addresses import DatabaseAddresses
from otherside.twin.services.rds.commits import Commits
from otherside.twin.services.rds.endpoint import DatabaseEndpoint, DatabaseProxy
from otherside.twin.services.rds.lag import measure_lag
from otherside.twin.services.rds.logs import export_logs
from otherside.twin.services.rds.postgres import Postgres
from otherside.twin.services.rds.provider import RdsProvider
from otherside.twin.services.resource_policies import POLICIES
from otherside.twin.services.route53.health_checks import HealthCheckers
from otherside.twin.services.route53.provider import Route53Provider
from otherside.twin.services.route53.resolver import Resolver
from otherside.twin.services.s3.provider import S3Provider
from otherside.twin.services.scheduler.provider import Scheduler
from otherside.twin.services.secretsmanager.provider import SecretsManagerProvider
from otherside.twin.services.service_access import ServiceAccess
from otherside.twin.services.sns.provider import SnsProvider
from otherside.twin.services.sqs.provider import Queues
from otherside.twin.services.sts.provider import StsProvider

ACCOUNT = "123456789012"
PROVISIONER = f"arn:aws:iam::{ACCOUNT}:user/provisioner"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinAppSettings:
    """Settings of one twin's process."""

    regions: tuple[str, ...]
    directory: Path
    speed: float = 1.0
    latency: bool = True
    instances_max: int = 2


class TwinApp:
    """All parts of one twin."""

    def __init__(self, wanted: TwinAppSettings, clock: ScaledClock) -> None:
        """Wire up the parts; `open` starts them."""
        self.wanted = wanted
        self.context = TwinContext(ACCOUNT, wanted.regions, clock, Latency(wanted.latency))
        self.pace = Pace(clock)
        self.addresses = Addresses(wanted.regions)
        self.key_id = "AKIA" + secrets.token_hex(8).upper()
        self.secret = secrets.token_urlsafe(30)
        self.authorizer = Authorizer(
            account=ACCOUNT,
            provisioner=Principal(arn=PROVISIONER, secret=self.secret, provisioner=True),
            provisioner_key=self.key_id,
            resource_policies=dict(POLICIES),
            kms_calls_of=kms_calls_of(ACCOUNT),
        )
        self.processes = Processes(wanted.directory)
        self._choose_ports()
        self._join()

    def _choose_ports(self) -> None:
        regional = [self.addresses.api(region) for region in ("", *self.wanted.regions)]
        self.api_port = free_port(regional)
        self.http_port, self.https_port = free_port(regional), free_port(regional)
        self.database_port, self.dns_port = free_port(regional), free_port(regional)
        self.door_port = free_port(regional)

    def _join(self) -> None:
        """Create every part and pass it the parts that it needs."""
        context, authorizer, directory = self.context, self.authorizer, self.wanted.directory
        self.authority = CertificateAuthority(directory)
        endpoints = {
            region: (self.addresses.api(region), self.api_port) for region in self.wanted.regions
        }
        self.network = Reachability(context, endpoints)
        self.faults = ApiFaults()
        self.region_environments: dict[str, dict[str, str]] = {
            region: {} for region in self.wanted.regions
        }
        self.egress_proxy = EgressProxy(
            context, self.network, self._resolve, self.addresses.gateway(), self._door
        )
        self.metrics = Metrics(context)
        services = ServiceAccess(context, authorizer)
        self._create_functions_and_events(services)
        self._create_databases()
        self.checks, self.cloudwatch, self.backup_settings = (
            Route53Provider(context),
            CloudWatchProvider(context),
            BackupSettingsProvider(context),
        )
        actions = AlarmActions(context, services, self.topics, self.functions)
        self.alarms = Alarms(
            context, self.metrics, self._emit, actions.act, self.cloudwatch.suppressors
        )
        self.tables, self.objects = (
            DynamoDbProvider(context, self.metrics),
            S3Provider(context, authorizer),
        )
        self.keys, self.networks = KmsProvider(context, authorizer), Ec2Provider(context)
        self.backups = BackupProvider(
            context, authorizer, self.backup_settings, self._emit, self.rds
        )
        self.health_checkers = HealthCheckers(
            context, self.network, self.checks, self.alarms, self.metrics, self._resolve
        )
        self.load_balancers = LoadBalancers(
            context,
            self.network,
            self.metrics,
            self.authority,
            self.addresses.take,
            {80: self.http_port, 443: self.https_port},
            self._interface_of,
            inside=self.addresses.gateway(),
        )
        self.instances = Instances(
            context,
            authorizer,
            self.processes,
            self.network,
            self.egress_proxy,
            directory / "instances",
            self.region_environments,
            self.load_balancers,
            instances_max=self.wanted.instances_max,
        )
        self.resolver = Resolver(
            context, self.load_balancers, self.health_checkers, self.databases.address, self._api
        )
        self.streams = MetricStreams(context, authorizer, self.cloudwatch, self.objects)
        self._create_gateway()

    def _create_functions_and_events(self, services: ServiceAccess) -> None:
        context, authorizer, directory = self.context, self.authorizer, self.wanted.directory
        queues = Queues(context, services)
        self.topics = SnsProvider(context, authorizer, services)
        self.functions = LambdaProvider(
            context,
            authorizer,
            self.processes,
            self.egress_proxy,
            directory / "functions",
            self.region_environments,
            self.metrics,
            Destinations(context, authorizer, queues, self.topics),
        )
        self.event_bridge = EventBridgeProvider(
            context, authorizer, services, self.functions, queues, self.topics
        )
        self.scheduler = Scheduler(
            context, authorizer, self.functions, queues, self.topics, self.event_bridge
        )

    def _create_databases(self) -> None:
        context, authorizer, directory = self.context, self.authorizer, self.wanted.directory
        self.postgres = Postgres(context, self.processes, directory / "db")
        self.rds = RdsProvider(context, self.postgres, self._emit)
        self.commits = Commits(context, self.rds, self.postgres)
        self.database_proxy = DatabaseProxy(
            context, self.postgres, authorizer, self.authority.context, self._has_instance
        )
        self.databases = DatabaseAddresses(
            context,
            self.network,
            self.addresses,
            self.database_port,
            self.database_proxy,
            self.rds,
        )

    def _create_gateway(self) -> None:
        """Create the API gateway, and register the operations that the parts implement."""
        self.backends = MotoApps()
        self.api_gateway = ApiGateway(
            moto=self.backends,
            authorizer=self.authorizer,
            faults=self.faults,
            clock=self.context.clock,
            sources={address: region for region, address in self.api_addresses().items()},
            unreachable=self._unreachable,
        )
        for part in self._extensions():
            self.api_gateway.operations.update(part.operations())
            self.api_gateway.after.update(part.followers())

    def expect_stack(self) -> None:
        """Prepare what a stack's first calls would wait for, while its program is loading."""
        self.postgres.prepare()
        self.processes.prepare_fork()
        threading.Thread(target=self.backends.build, daemon=True).start()

    def api_addresses(self) -> dict[str, str]:
        """Return the API address of each Region."""
        return {region: self.addresses.api(region) for region in self.wanted.regions}

    def _extensions(self) -> list[ServiceProvider]:
        return [
            IamProvider(self.context, self.authorizer),
            StsProvider(self.context, self.authorizer),
            self.keys,
            self.networks,
            self.scheduler,
            AutoScalingProvider(self.context),
            SecretsManagerProvider(self.context, self.authorizer, self.functions.invoke_arn),
            self.backup_settings,
            self.tables,
            self.objects,
            self.cloudwatch,
            self.checks,
            self.rds,
            self.commits,
            self.backups,
            self.functions,
            self.topics,
            self.event_bridge,
            self.alarms,
            self.load_balancers,
        ]

    def _api(self, region: str) -> str:
        """Return a Region's API address, or the outside one for a Region that the twin lacks."""
        return self.addresses.api(region if region in self.wanted.regions else "")

    def _interface_of(self, instance: str) -> Interface | None:
        return self.instances.interface(instance)

    def _emit(self, region: str, event: JsonObject) -> None:
        self.event_bridge.emit(region, event)

    def _resolve(self, source: Source, name: str) -> list[str]:
        return self.resolver.look_up(source, name)

    def _door(self) -> tuple[str, int]:
        return self.addresses.door(), self.door_port

    def _has_instance(self, endpoint: DatabaseEndpoint) -> bool:
        return self.rds.has_instances(endpoint.arn)

    def _unreachable(self, source: str, region: str) -> bool:
        """Return whether a Region's API, or the global one, is unreachable from `source`."""
        partitions = self.context.partitions
        region = CONTROL_REGION if region == GLOBAL else region
        if region not in self.wanted.regions:
            return False
        return not partitions.converse(source, region)

    async def open(self) -> None:
        """Start all processes, servers and background tasks."""
        self.context.attach(asyncio.get_running_loop())
        await self.processes.open()
        host, port = await self.egress_proxy.open(self.addresses.gateway())
        self.processes.ports = port, self.door_port
        self.processes.shown = (self.authority.trust, Path(self.context.clock.to_text()))
        self.processes.guests = {
            "AWS_EC2_METADATA_DISABLED": "true",
            "SSL_CERT_FILE": str(self.authority.trust),
            "OTHERSIDE_TWIN_GATEWAY": f"{host}:{port}",
            CLOCK_VARIABLE: self.context.clock.to_text(),
        }
        for region in self.wanted.regions:
            self.region_environments[region] |= {
                "AWS_ENDPOINT_URL": f"http://{self.addresses.api(region)}:{self.api_port}",
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                **self.processes.guests,
            }
        await self.resolver.serve(self.addresses.of("", 53), self.dns_port)
        run_forever = self.context.run_forever
        for region in self.wanted.regions:
            for part in (self.alarms, self.load_balancers, self.instances, self.streams):
                run_forever(part.run, region)
            run_forever(self.event_bridge.schedule, region)
            run_forever(self.scheduler.run, region)
        for forever in (self.keys.delete, self.networks.expire, self.tables.expire):
            run_forever(forever)
        run_forever(self.tables.measure)
        run_forever(self.pace.keep)
        run_forever(self.health_checkers.run)
        run_forever(self.databases.run)
        run_forever(self.functions.follow)
        run_forever(self.commits.run)
        run_forever(export_logs, self.context, self.rds, self.postgres)
        run_forever(measure_lag, self.context, self.rds, self.postgres, self.metrics)

    async def close(self) -> None:
        """Stop all processes, servers and background tasks."""
        self.api_gateway.stopping.set()
        await self.context.close()
        for part in (
            *(self.load_balancers, self.resolver, self.egress_proxy),
            *(self.database_proxy, self.postgres),
        ):
            await part.close()
        await self.processes.close()

    def describe(self) -> JsonObject:
        """Return the twin's addresses, credentials and settings."""
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
            "speed_now": round(self.context.clock.speed, 1),
            "clock": self.context.clock.to_text(),
            "latency": "modelled" if self.wanted.latency else "none",
            "pid": os.getpid(),
        }
