"""Resolve a document into a `Topology`: apply every default and convert times to seconds."""

from otherside.config.document import NEVER, CapacitySection, ConfigDocument, duration_s, window_s
from otherside.core.topology import (
    Backup,
    Capacity,
    Compute,
    Database,
    Failover,
    FailoverMode,
    Network,
    Objectives,
    Pair,
    Protocol,
    Regions,
    Retention,
    Serverless,
    Topology,
    Traffic,
)


def settle(document: ConfigDocument, *, application: str, user_data: str | None) -> Topology:
    """Return the configuration with every default resolved.

    `application` is the directory to install, and `user_data` is the text of the script that
    replaces it. The caller has found both on disk. The document must have passed every rule.
    """
    standard = document.profile == "standard"
    return Topology(
        name=document.name,
        environment=document.environment,
        account=document.account,
        regions=Regions(**dict(document.regions)),
        network=_network(document),
        database=_database(document),
        compute=_compute(document, application=application, user_data=user_data),
        traffic=_traffic(document),
        objectives=Objectives(
            rto_s=duration_s(document.objectives.rto), rpo_s=duration_s(document.objectives.rpo)
        ),
        failover=Failover(
            mode=FailoverMode(document.failover.mode),
            loss_max_s=duration_s(loss_max_of(document)),
            approvers=document.failover.approvers,
            stable_s=duration_s(document.failover.stable),
            freezes=tuple(window_s(freez) for freez in document.failover.freezes),
            notify=tuple(document.failover.notify),
        ),
        retention=Retention(
            logs_days=document.retention.logs,
            metrics_days=document.retention.metrics,
            backups_days=document.retention.backups,
            database_days=document.retention.database,
        ),
        backup=Backup(
            schedule=document.backup.schedule,
            restore_test_schedule=None
            if document.backup.restore_test == NEVER
            else document.backup.restore_test,
            compliance_lock=document.backup.compliance_lock,
            region_settings=document.backup.region_settings,
        ),
        key_per_purpose=standard,
        protect=standard if document.protect is None else document.protect,
        tags=document.tags,
    )


def loss_max_of(document: ConfigDocument) -> str:
    """Return the loss accepted without asking: `loss_max` if set, otherwise `objectives.rpo`."""
    return document.failover.loss_max or document.objectives.rpo


def instances_of(document: ConfigDocument) -> Pair[int]:
    """Return the database instances on each side; by default two, or one in the minimal profile."""
    default = 2 if document.profile == "standard" else 1
    primary, standby = document.database.primary_instances, document.database.standby_instances
    return Pair(
        primary=default if primary is None else primary,
        standby=default if standby is None else standby,
    )


def capacity_of(document: ConfigDocument) -> Pair[Capacity]:
    """Return the capacity of each side; the standby defaults to the primary's."""
    standard = document.profile == "standard"
    default = CapacitySection(min=2, max=6) if standard else CapacitySection(min=1, max=2)
    primary = document.compute.primary or default
    standby = document.compute.standby or primary
    return Pair(
        primary=Capacity(min=primary.min, max=primary.max),
        standby=Capacity(min=standby.min, max=standby.max),
    )


def _network(document: ConfigDocument) -> Network:
    standard = document.profile == "standard"
    network = document.network
    endpoints = network.interface_endpoints
    return Network(
        cidrs=Pair(primary=network.primary_cidr, standby=network.standby_cidr),
        zones=network.zones,
        nat_per_zone=standard if network.nat is None else network.nat == "zone",
        interface_endpoints=standard if endpoints is None else endpoints,
    )


def _database(document: ConfigDocument) -> Database:
    database = document.database
    bounds = database.serverless
    rpo = database.global_db_rpo
    return Database(
        name=database.name,
        engine_version=database.engine_version,
        instance_class=database.instance_class,
        instances=instances_of(document),
        serverless=Serverless(min_acu=bounds.min_acu, max_acu=bounds.max_acu) if bounds else None,
        global_db_rpo_s=None if rpo is None else int(duration_s(rpo)),
    )


def _compute(document: ConfigDocument, *, application: str, user_data: str | None) -> Compute:
    compute = document.compute
    images = compute.images
    return Compute(
        instance_type=compute.instance_type,
        capacity=capacity_of(document),
        image_ids=Pair(primary=images.primary, standby=images.standby) if images else None,
        user_data=user_data,
        application=application,
        port=compute.port,
        health_path=compute.health_path,
        readiness_path=compute.readiness_path,
        write_path=compute.write_path,
    )


def _traffic(document: ConfigDocument) -> Traffic:
    traffic = document.traffic
    assert traffic.domain is not None, "validation refuses a configuration without a domain"
    arns = traffic.certificates
    return Traffic(
        domain=traffic.domain,
        zone_id=traffic.zone_id,
        protocol=Protocol(traffic.protocol or "https"),
        certificate_arns=Pair(primary=arns.primary, standby=arns.standby) if arns else None,
    )
