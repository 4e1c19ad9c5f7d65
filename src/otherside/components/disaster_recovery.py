"""The top-level component, which builds two interchangeable Regions from a `Topology`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pulumi
import pulumi_aws as aws

from otherside.components.alert_topic import AlertTopic, AlertTopicArgs
from otherside.components.app_tier import AppTier, AppTierArgs
from otherside.components.backups import Backups, BackupsArgs, BackupSideArgs
from otherside.components.bucket import PrivateBucket, PrivateBucketArgs
from otherside.components.domain import Domain, DomainArgs
from otherside.components.failover_orchestrator import (
    FailoverOrchestrator,
    FailoverOrchestratorArgs,
    OrchestratedArgs,
)
from otherside.components.failover_traffic import FailoverTraffic, FailoverTrafficArgs
from otherside.components.iam_policies import Statement, allow
from otherside.components.keys import Keys, KeysArgs, Purpose
from otherside.components.network import RegionalNetwork, RegionalNetworkArgs, Vpc
from otherside.components.observability import Observability, ObservabilityArgs
from otherside.components.peering import Peering, PeeringArgs
from otherside.components.replicated_bucket import ReplicatedBucket, ReplicatedBucketArgs
from otherside.components.replicated_database import (
    PORT,
    Member,
    MemberArgs,
    ReplicatedDatabase,
    ReplicatedDatabaseArgs,
)
from otherside.components.secrets import Published, Secrets, SecretsArgs
from otherside.components.sites import GLOBAL, connect
from otherside.components.tables import SessionTable, StateTable, StateTableArgs, TableArgs
from otherside.components.witness_canary import WitnessCanary, WitnessCanaryArgs
from otherside.config import read_config
from otherside.core.topology import Pair, Protocol, Side, Topology
from otherside.core.wire_contract import DATABASE_USER, PLEDGE_KEY, ItemType

CONFIG_FILE = "otherside.toml"
LEASE_FILE = "/run/otherside/lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisasterRecoveryArgs:
    """The topology, and existing networks to use, if any."""

    topology: Topology
    networks: Pair[Vpc] | None = None
    """Your own networks. They must be able to reach each other: through a transit gateway, Cloud
    WAN or a peering of your own. `None` creates two networks and peers them."""


class DisasterRecovery(pulumi.ComponentResource):
    """One application in two Regions: networks, database, tiers, traffic, orchestrator, backups."""

    def __init__(
        self, name: str, args: DisasterRecoveryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare all parts, in the order of their dependencies."""
        super().__init__("otherside:index:DisasterRecovery", name, None, opts)
        self._name, self._args, self._topology = name, args, args.topology
        self._sites = connect(args.topology)
        self._part = pulumi.ResourceOptions(parent=self)
        self._keys = self._declare_keys()
        self._topics = self._declare_topics()
        self.networks = args.networks or self._declare_networks()
        self._secrets, self.database = self._declare_database()
        self.sessions = self._declare_sessions()
        self.domain = Domain(
            f"{name}-domain",
            DomainArgs(
                sites=self._sites,
                design=self._topology.traffic,
                topic_arns=self._side_topics(),
                protect=self._topology.protect,
            ),
            opts=self._part,
        )
        self.state = self._declare_state()
        self.pledge = self._declare_pledge()
        self.tiers = self._declare_tiers()
        self.traffic = self._declare_traffic()
        self._alarms = self._declare_observability()
        self.orchestrator = self._declare_orchestrator()
        self.witness = self._declare_witness()
        self.backups = self._declare_backups()
        self.register_outputs(self.summary())

    @classmethod
    def from_config(
        cls, file: str | Path = CONFIG_FILE, *, networks: Pair[Vpc] | None = None
    ) -> Self:
        """Read a configuration file, declare everything in it and export what an operator needs.

        Raises:
            ConfigError: If the configuration cannot be used; the error names every problem.
        """
        topology = read_config(file)
        for note in notes_on(topology):
            pulumi.log.warn(note)
        whole = cls(topology.prefix, DisasterRecoveryArgs(topology=topology, networks=networks))
        for key, value in whole.summary().items():
            pulumi.export(key, value)
        return whole

    def summary(self) -> Mapping[str, pulumi.Input[str]]:
        """Return the names and addresses that an operator needs, none of them secret."""
        servers = self.domain.name_servers
        return {
            **({"name_servers": servers} if servers is not None else {}),
            "url": self._url(self._topology.traffic.domain),
            "writer_endpoint": self.database.writer_endpoint,
            "global_cluster": self.database.global_cluster_id,
            "primary_load_balancer": self.tiers.primary.dns_name,
            "standby_load_balancer": self.tiers.standby.dns_name,
            "primary_url": self.tiers.primary.dns_name.apply(self._url),
            "standby_url": self.tiers.standby.dns_name.apply(self._url),
            "primary_check": self.traffic.primary_check_id,
            "endpoint_check": self.traffic.endpoint_check_id,
            "standby_check": self.traffic.standby_check_id,
            "latch_check": self.traffic.latch_check_id,
            "check_status_command": pulumi.Output.concat(
                "aws route53 get-health-check-status --health-check-id ",
                self.traffic.endpoint_check_id,
            ),
            "traffic_state_name": self.traffic.state_name,
            "lag_metric": self._lag_metric(),
            "topics": pulumi.Output.json_dumps(
                {region: topic.arn for region, topic in self._topics.items()}
            ),
            "dashboards": pulumi.Output.json_dumps(
                {side: f"{self._topology.prefix}-{side}" for side in Side}
            ),
            "decider": self.orchestrator.decider_name,
            "actuator": self.orchestrator.actuator_name,
            "pledge_bucket": self.pledge.name,
            "state_table": self.state.name,
            "recovery_bus": self.orchestrator.bus_arn,
            "primary_vault": self.backups.vault_arns.primary,
            "standby_vault": self.backups.vault_arns.standby,
        }

    def _lag_metric(self) -> pulumi.Output[str]:
        """Return where to find the metric for each side's replication lag while it is a reader."""
        sites = self._sites
        return pulumi.Output.json_dumps(
            {
                side: {
                    "namespace": "AWS/RDS",
                    "metric": "AuroraGlobalDBRPOLag",
                    "region": sites.on(side).region,
                    "dimensions": {
                        "DBClusterIdentifier": self._side_of_database(side).identifier,
                        "SourceRegion": sites.on(side.other).region,
                    },
                }
                for side in Side
            }
        )

    def _url(self, host: str) -> str:
        return f"{self._topology.traffic.protocol}://{host}"

    def _key(self, side: Side, purpose: Purpose) -> pulumi.Output[str]:
        return self._keys[self._sites.on(side).region].arn(purpose)

    def _declare_keys(self) -> dict[str, Keys]:
        """Declare keys by Region: outside the pair for alarms, and for the witness's logs."""
        sites = self._sites
        third = {
            sites.control.region: (Purpose.MESSAGING,),
            sites.witness.region: (Purpose.MESSAGING, Purpose.LOGS),
            sites.primary.region: tuple(Purpose),
            sites.standby.region: tuple(Purpose),
        }
        return {
            site.region: Keys(
                f"{self._name}-keys-{site.region}",
                KeysArgs(
                    site=site,
                    application=self._topology.prefix,
                    purposes=third[site.region],
                    per_purpose=self._topology.key_per_purpose,
                    protect=self._topology.protect,
                ),
                opts=self._part,
            )
            for site in self._sites.distinct
        }

    def _declare_topics(self) -> dict[str, AlertTopic]:
        return {
            site.region: AlertTopic(
                f"{self._name}-alerts-{site.region}",
                AlertTopicArgs(
                    site=site,
                    application=self._topology.prefix,
                    key_arn=self._keys[site.region].arn(Purpose.MESSAGING),
                    emails=self._topology.failover.notify,
                ),
                opts=self._part,
            )
            for site in self._sites.distinct
        }

    def _side_topics(self) -> Pair[pulumi.Output[str]]:
        return Pair(
            primary=self._topics[self._sites.primary.region].arn,
            standby=self._topics[self._sites.standby.region].arn,
        )

    def _declare_networks(self) -> Pair[Vpc]:
        design = self._topology.network
        made = {
            side: RegionalNetwork(
                f"{self._name}-{side}",
                RegionalNetworkArgs(
                    site=self._sites.on(side),
                    cidr=design.cidrs.on(side),
                    zones=design.zones,
                    nat_per_zone=design.nat_per_zone,
                    interface_endpoints=design.interface_endpoints,
                    logs_key_arn=self._key(side, Purpose.LOGS),
                    flow_log_days=self._topology.retention.logs_days,
                ),
                opts=self._part,
            ).vpc
            for side in Side
        }
        networks = Pair(primary=made[Side.PRIMARY], standby=made[Side.STANDBY])
        Peering(
            f"{self._name}-peering",
            PeeringArgs(
                primary=self._sites.primary,
                standby=self._sites.standby,
                primary_vpc=networks.primary,
                standby_vpc=networks.standby,
            ),
            opts=self._part,
        )
        return networks

    def _declare_database(self) -> tuple[Secrets, ReplicatedDatabase]:
        topology, sites = self._topology, self._sites
        secrets = Secrets(
            f"{self._name}-master",
            SecretsArgs(
                primary=sites.primary,
                standby=sites.standby,
                application=topology.prefix,
                primary_key_arn=self._key(Side.PRIMARY, Purpose.SECRETS),
                standby_key_arn=self._key(Side.STANDBY, Purpose.SECRETS),
                logs_key_arn=self._key(Side.PRIMARY, Purpose.LOGS),
                log_days=topology.retention.logs_days,
                protect=topology.protect,
            ),
            opts=self._part,
        )
        database = ReplicatedDatabase(
            f"{self._name}-database",
            ReplicatedDatabaseArgs(
                application=topology.prefix,
                design=topology.database,
                primary=self._member(Side.PRIMARY),
                standby=self._member(Side.STANDBY),
                master_password=secrets.password,
                log_days=topology.retention.logs_days,
                backup_days=topology.retention.database_days,
                protect=topology.protect,
            ),
            opts=self._part,
        )
        secrets.publish(
            Published(
                name=topology.database.name,
                global_cluster=database.global_cluster_id,
                global_cluster_arn=database.global_cluster_arn,
                cluster_arns=[database.primary.arn, database.standby.arn],
                writer_endpoint=database.writer_endpoint,
            )
        )
        return secrets, database

    def _member(self, side: Side) -> MemberArgs:
        return MemberArgs(
            site=self._sites.on(side),
            vpc=self.networks.on(side),
            instances=self._topology.database.instances.on(side),
            data_key_arn=self._key(side, Purpose.DATA),
            logs_key_arn=self._key(side, Purpose.LOGS),
        )

    def _side_of_database(self, side: Side) -> Member:
        return self.database.primary if side is Side.PRIMARY else self.database.standby

    def _declare_sessions(self) -> SessionTable:
        return SessionTable(
            f"{self._name}-sessions",
            TableArgs(
                application=self._topology.prefix,
                primary=self._sites.primary,
                standby=self._sites.standby,
                primary_key_arn=self._key(Side.PRIMARY, Purpose.DATA),
                standby_key_arn=self._key(Side.STANDBY, Purpose.DATA),
                protect=self._topology.protect,
            ),
            opts=self._part,
        )

    def _declare_state(self) -> StateTable:
        regions = self._topology.regions
        return StateTable(
            f"{self._name}-state",
            StateTableArgs(
                application=self._topology.prefix,
                primary=self._sites.primary,
                standby=self._sites.standby,
                primary_key_arn=self._key(Side.PRIMARY, Purpose.DATA),
                standby_key_arn=self._key(Side.STANDBY, Purpose.DATA),
                witness_region=regions.witness if regions.quorum else None,
                protect=self._topology.protect,
            ),
            opts=self._part,
        )

    def _declare_tiers(self) -> Pair[AppTier]:
        """Declare the standby's tier first: what breaks there never reaches the primary."""
        standby = self._declare_tier(Side.STANDBY, after=())
        primary = self._declare_tier(Side.PRIMARY, after=(standby.group,))
        return Pair(primary=primary, standby=standby)

    def _declare_pledge(self) -> PrivateBucket:
        """Declare the bucket of the orchestrator's pledge, separate from the state table.

        It uses S3's own key: the pledge is not secret, and an unusable key of ours must not keep
        the orchestrator from fencing.
        """
        return PrivateBucket(
            f"{self._name}-pledge",
            PrivateBucketArgs(
                site=self._sites.standby,
                name=self._bucket_name("pledge", Side.STANDBY),
                key_arn=None,
                protect=self._topology.protect,
            ),
            opts=self._part,
        )

    def _declare_witness(self) -> WitnessCanary:
        """Declare the canary that probes from the third Region and records the result."""
        topology, site = self._topology, self._sites.witness
        return WitnessCanary(
            f"{self._name}-witness",
            WitnessCanaryArgs(
                application=topology.prefix,
                site=site,
                state_region=self._sites.standby.region,
                state_table=self.state.name,
                state_table_arn=self.state.arn,
                state_key_arn=self._key(Side.STANDBY, Purpose.DATA),
                decider_arn=self.orchestrator.decider_arn,
                public_url=self._url(topology.traffic.domain),
                write_path=topology.compute.write_path,
                logs_key_arn=self._keys[site.region].arn(Purpose.LOGS),
                messaging_key_arn=self._keys[site.region].arn(Purpose.MESSAGING),
                topic_arn=self._topics[site.region].arn,
                log_days=topology.retention.logs_days,
            ),
            opts=self._part,
        )

    def _declare_tier(self, side: Side, after: Sequence[pulumi.Resource]) -> AppTier:
        topology, compute = self._topology, self._topology.compute
        member = self._side_of_database(side)
        images = compute.image_ids
        return AppTier(
            f"{self._name}-{side}",
            AppTierArgs(
                site=self._sites.on(side),
                application=topology.prefix,
                vpc=self.networks.on(side),
                design=compute,
                capacity=compute.capacity.on(side),
                image_id=images.on(side) if images else None,
                protocol=topology.traffic.protocol,
                certificate_arn=self.domain.certificate_arns.on(side),
                settings={
                    "DATABASE_NAME": topology.database.name,
                    "DATABASE_USER": DATABASE_USER,
                    "DATABASE_WRITER_HOST": self.database.writer_endpoint,
                    "DATABASE_READER_HOST": member.reader_endpoint,
                    "DATABASE_PORT": str(PORT),
                    "DATABASE_SSLMODE": "require",
                    "DATABASE_REGIONS": f"{topology.regions.primary},{topology.regions.standby}",
                    "DATABASE_SECRET_ARN": self._secret_arn(side),
                    "DATABASE_LOCAL_HOST": member.endpoint,
                    "SESSION_TABLE": self.sessions.name,
                    "APP_NAME": topology.prefix,
                    "APP_SIDE": side,
                    # A lease in a single Region's table would stop the primary when that is down.
                    "APP_LEASE_FILE": LEASE_FILE if topology.regions.quorum else "none",
                    "STATE_TABLE": self.state.name,
                    "STATE_REGIONS": ",".join(self._state_regions(side)),
                    "PLEDGE_BUCKET": self.pledge.name,
                    "PLEDGE_REGION": topology.regions.standby,
                },
                statements=self._instance_statements(side),
                security_group_ids=[member.client_security_group_id],
                volume_key_arn=self._key(side, Purpose.DATA),
                bucket_key_arn=self._key(side, Purpose.OBJECTS),
                logs_key_arn=self._key(side, Purpose.LOGS),
                log_days=topology.retention.logs_days,
                protect=topology.protect,
                after=after,
            ),
            opts=self._part,
        )

    def _state_regions(self, side: Side) -> list[str]:
        """Return the Regions of the state table, this side's own first."""
        here = self._sites.on(side).region
        return sorted(self.state.regions, key=lambda region: region != here)

    def _secret_arn(self, side: Side) -> pulumi.Output[str]:
        return self._secrets.secret_arn if side is Side.PRIMARY else self._secrets.replica_arn

    def _instance_statements(self, side: Side) -> list[Statement]:
        """Return the permissions of the application on one side.

        It may log in to both clusters, because after a failover the writer is on the other side.
        """
        sites = self._sites
        users = [
            sites.on(side).arn(
                "rds-db",
                pulumi.Output.concat(
                    "dbuser:", self._side_of_database(side).resource_id, f"/{DATABASE_USER}"
                ),
            )
            for side in Side
        ]
        sessions = self.sessions
        table = sessions.primary_arn if side is Side.PRIMARY else sessions.standby_arn
        return [
            *self._keeping_statements(),
            allow("LogIn", ["rds-db:connect"], users),
            allow("ReadTheSecret", ["secretsmanager:GetSecretValue"], self._secret_arn(side)),
            allow(
                "DecryptTheSecret",
                ["kms:Decrypt"],
                self._key(side, Purpose.SECRETS),
                when={
                    "StringEquals": {
                        "kms:ViaService": f"secretsmanager.{sites.on(side).region}.amazonaws.com"
                    }
                },
            ),
            allow(
                "KeepSessions",
                [
                    "dynamodb:DeleteItem",
                    "dynamodb:GetItem",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                ],
                table,
            ),
            allow(
                "DecryptTables",
                ["kms:Decrypt"],
                [self._key(side, Purpose.DATA) for side in Side],
                when={
                    "StringEquals": {
                        "kms:ViaService": [
                            f"dynamodb.{sites.on(side).region}.amazonaws.com" for side in Side
                        ]
                    }
                },
            ),
        ]

    def _keeping_statements(self) -> list[Statement]:
        """Return what the lease agent needs: one item to read, one to write, and the pledge."""
        state, prefix = self.state, self._topology.prefix
        # Its own Region's copy first, and the other's if that is lost; or else the only copy.
        copies = [state.arn] if len(state.regions) == 1 else [state.primary_arn, state.arn]
        return [
            allow(
                "AskForTheLease",
                ["dynamodb:GetItem"],
                copies,
                when={
                    "ForAllValues:StringEquals": {
                        "dynamodb:LeadingKeys": [ItemType.LEASE.of(prefix)]
                    }
                },
            ),
            allow(
                "TellHowItIs",
                ["dynamodb:PutItem"],
                copies,
                when={
                    "ForAllValues:StringEquals": {
                        "dynamodb:LeadingKeys": [ItemType.PULSE.of(prefix)]
                    }
                },
            ),
            allow(
                "ReadThePledge",
                ["s3:GetObject"],
                pulumi.Output.concat(self.pledge.arn, "/", PLEDGE_KEY),
            ),
        ]

    def _declare_traffic(self) -> FailoverTraffic:
        return FailoverTraffic(
            f"{self._name}-traffic",
            FailoverTrafficArgs(
                sites=self._sites,
                application=self._topology.prefix,
                design=self._topology.traffic,
                compute=self._topology.compute,
                zone_id=self.domain.zone_id,
                primary=self.tiers.primary,
                standby=self.tiers.standby,
            ),
            opts=self._part,
        )

    def _declare_observability(self) -> dict[str, list[pulumi.Output[str]]]:
        """Declare each side's observability; return the alarms that wake the orchestrator."""
        topology, sites = self._topology, self._sites
        names = Pair(
            primary=self._bucket_name("metrics", Side.PRIMARY),
            standby=self._bucket_name("metrics", Side.STANDBY),
        )
        bucket = ReplicatedBucket(
            f"{self._name}-metrics",
            ReplicatedBucketArgs(
                names=names,
                primary=sites.primary,
                standby=sites.standby,
                primary_key_arn=self._key(Side.PRIMARY, Purpose.OBJECTS),
                standby_key_arn=self._key(Side.STANDBY, Purpose.OBJECTS),
                topic_arns=self._side_topics(),
                expire_days=topology.retention.metrics_days,
                protect=topology.protect,
            ),
            opts=self._part,
        )
        seen = {
            side: Observability(
                f"{self._name}-{side}-watch",
                ObservabilityArgs(
                    site=sites.on(side),
                    side=side,
                    application=topology.prefix,
                    tier=self.tiers.on(side),
                    cluster_identifier=self._side_of_database(side).identifier,
                    peer_region=sites.on(side.other).region,
                    orchestrator_region=sites.standby.region,
                    bucket=bucket.primary if side is Side.PRIMARY else bucket.standby,
                    bucket_key_arn=self._key(side, Purpose.OBJECTS),
                    logs_key_arn=self._key(side, Purpose.LOGS),
                    topic_arn=self._topics[sites.on(side).region].arn,
                    latch_alarm_arn=(
                        self.traffic.latch_alarm_arn if side is Side.STANDBY else None
                    ),
                    session_table=self.sessions.name,
                    log_days=topology.retention.logs_days,
                ),
                opts=self._part,
            )
            for side in Side
        }
        alarms = {sites.primary.region: list(seen[Side.PRIMARY].alarm_names)}
        alarms.setdefault(sites.control.region, []).append(self._declare_check_alarm())
        return alarms

    def _bucket_name(self, role: str, side: Side) -> pulumi.Output[str]:
        site = self._sites.on(side)
        return pulumi.Output.concat(f"{self._topology.prefix}-{role}-{site.region}-", site.account)

    def _declare_check_alarm(self) -> pulumi.Output[str]:
        """Declare the alarm on Route 53's check, in the only Region that has its metrics."""
        topic = self._topics[self._sites.control.region].arn
        alarm = aws.cloudwatch.MetricAlarm(
            f"{self._name}-endpoint-check",
            name=f"{self._topology.prefix}-endpoint-check",
            alarm_description="Route 53 sees the primary's endpoint as unhealthy.",
            namespace="AWS/Route53",
            metric_name="HealthCheckStatus",
            dimensions={"HealthCheckId": self.traffic.endpoint_check_id},
            statistic="Minimum",
            period=60,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="LessThanThreshold",
            treat_missing_data="breaching",
            alarm_actions=[topic],
            ok_actions=[topic],
            tags=GLOBAL,
            opts=self._sites.control.options(self),
        )
        return alarm.name

    def _declare_orchestrator(self) -> FailoverOrchestrator:
        topology, database = self._topology, self.database
        return FailoverOrchestrator(
            f"{self._name}-orchestrator",
            FailoverOrchestratorArgs(
                application=topology.prefix,
                sites=self._sites,
                design=topology.failover,
                watched=OrchestratedArgs(
                    global_cluster=database.global_cluster_id,
                    global_cluster_arn=database.global_cluster_arn,
                    primary_cluster_arn=database.primary.arn,
                    standby_cluster_arn=database.standby.arn,
                    state_table=self.state.name,
                    state_table_arn=self.state.arn,
                    pledge_bucket=self.pledge.name,
                    pledge_bucket_arn=self.pledge.arn,
                    capacity_group=self.tiers.standby.group_name,
                    capacity_group_arn=self.tiers.standby.group_arn,
                    capacity_min=topology.compute.capacity.primary.min,
                    public_url=self._url(topology.traffic.domain),
                    standby_url=self.tiers.standby.dns_name.apply(self._url),
                    readiness_path=topology.compute.readiness_path,
                    write_path=topology.compute.write_path,
                    traffic_state_name=self.traffic.state_name,
                ),
                alarm_names=self._alarms,
                messaging_key_arns={
                    region: keys.arn(Purpose.MESSAGING) for region, keys in self._keys.items()
                },
                topic_arns={region: topic.arn for region, topic in self._topics.items()},
                logs_key_arn=self._key(Side.STANDBY, Purpose.LOGS),
                data_key_arn=self._key(Side.STANDBY, Purpose.DATA),
                log_days=topology.retention.logs_days,
            ),
            opts=self._part,
        )

    def _declare_backups(self) -> Backups:
        topology, standby = self._topology, self.database.standby
        return Backups(
            f"{self._name}-backups",
            BackupsArgs(
                application=topology.prefix,
                design=topology.backup,
                retention_days=topology.retention.backups_days,
                primary=self._backup_side(Side.PRIMARY),
                standby=self._backup_side(Side.STANDBY),
                cluster_arns=[self.database.primary.arn, self.database.standby.arn],
                restore_subnet_group=standby.subnet_group_name,
                restore_security_group=standby.security_group_id,
                protect=topology.protect,
            ),
            opts=self._part,
        )

    def _backup_side(self, side: Side) -> BackupSideArgs:
        site = self._sites.on(side)
        sessions = self.sessions
        table = sessions.primary_arn if side is Side.PRIMARY else sessions.standby_arn
        return BackupSideArgs(
            site=site,
            vault_key_arn=self._key(side, Purpose.BACKUP),
            data_key_arn=self._key(side, Purpose.DATA),
            topic_arn=self._topics[site.region].arn,
            resource_arns=[self._side_of_database(side).arn, table],
        )


def delegation_note(domain: str) -> str:
    """Return what the parent domain's owner has to do while the first deployment runs."""
    return (
        f"delegate {domain} to the exported name_servers while the first deployment runs: it waits "
        "for certificates, which are issued once the name resolves"
    )


def notes_on(topology: Topology) -> list[str]:
    """Return one note for each thing that the configuration gives up or leaves to you."""
    notes = []
    if topology.traffic.protocol is Protocol.HTTP:
        notes.append("traffic is plain HTTP; set traffic.protocol to https for HTTPS")
    elif topology.traffic.zone_id is None:
        notes.append(delegation_note(topology.traffic.domain))
    if not topology.regions.quorum:
        notes.append(
            "these three Regions cannot hold one strongly consistent table: only the standby's "
            "Region keeps the orchestrator's state, and no lease fences the old writer"
        )
    return notes
