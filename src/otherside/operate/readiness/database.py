"""Readiness of a global database: who belongs to it, what it runs, and whether it could move."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from otherside.failover.aws.global_cluster import UNFIT
from otherside.operate.deployment import Aws
from otherside.operate.readiness.model import (
    DatabaseTarget,
    Judged,
    Readiness,
    ReadinessCheck,
    judged,
    not_ready,
)

LAG_MAX_S = 5.0
LAG_WINDOW_S = 900.0


def find(aws: Aws, region: str, identifier: str, now_s: float) -> DatabaseTarget:
    """Return a global database as RDS in a Region describes it.

    Raises:
        ClientError: If there is none of that name.
    """
    whole = aws.client("rds", region).describe_global_clusters(GlobalClusterIdentifier=identifier)
    found = whole["GlobalClusters"][0]["GlobalClusterMembers"]
    members = {item["DBClusterArn"].split(":")[3]: item for item in found}
    return DatabaseTarget(
        aws=aws,
        identifier=identifier,
        region=region,
        members={place: item["DBClusterArn"].rpartition(":")[2] for place, item in members.items()},
        followers=[place for place, item in members.items() if not item.get("IsWriter")],
        now_s=now_s,
    )


def tagged(aws: Aws, region: str, key: str, value: str) -> list[str]:
    """Return the identifiers of the global databases that carry a tag."""
    pages = aws.client("rds", region).get_paginator("describe_global_clusters").paginate()
    return [
        str(item["GlobalClusterIdentifier"])
        for page in pages
        for item in page["GlobalClusters"]
        if {"Key": key, "Value": value} in item.get("TagList", ())
    ]


def _whole(target: DatabaseTarget) -> Mapping[str, Any]:
    rds = target.aws.client("rds", target.region)
    found: Mapping[str, Any] = rds.describe_global_clusters(
        GlobalClusterIdentifier=target.identifier
    )["GlobalClusters"][0]
    return found


def _cluster(target: DatabaseTarget, region: str) -> Mapping[str, Any]:
    rds = target.aws.client("rds", region)
    found: Mapping[str, Any] = rds.describe_db_clusters(DBClusterIdentifier=target.members[region])[
        "DBClusters"
    ][0]
    return found


def _membership(target: DatabaseTarget) -> Judged:
    members = {
        item["DBClusterArn"].split(":")[3]: item for item in _whole(target)["GlobalClusterMembers"]
    }
    missing = [region for region in target.members if region not in members]
    if missing:
        return not_ready(f"no member in {', '.join(missing)}")
    if not target.followers:
        return not_ready("no cluster follows the writer")
    writers = [region for region, item in members.items() if item.get("IsWriter")]
    return judged(len(writers) == 1, f"the writer is in {', '.join(writers) or 'no Region'}")


def _versions(target: DatabaseTarget) -> Judged:
    versions = {region: str(_cluster(target, region)["EngineVersion"]) for region in target.members}
    said = ", ".join(f"{region} {version}" for region, version in versions.items())
    return judged(len(set(versions.values())) == 1, said)


def _instances(target: DatabaseTarget) -> Judged:
    bad: list[str] = []
    count = 0
    for region in target.followers:
        found = target.aws.client("rds", region).describe_db_instances(
            Filters=[{"Name": "db-cluster-id", "Values": [target.members[region]]}]
        )["DBInstances"]
        states = [str(item["DBInstanceStatus"]) for item in found]
        count += states.count("available")
        if "available" not in states:
            bad.append(f"{region}: {', '.join(states) or 'no instance'}")
    return judged(not bad and count > 0, "; ".join(bad) or f"{count} instances are available")


def _fitness(target: DatabaseTarget) -> Judged:
    states = {region: str(_cluster(target, region)["Status"]) for region in target.followers}
    said = ", ".join(f"{region} is {status}" for region, status in states.items())
    return judged(not UNFIT & set(states.values()), said or "no cluster follows the writer")


def _protection(target: DatabaseTarget) -> Judged:
    bare = [
        region
        for region in target.members
        if not _cluster(target, region).get("DeletionProtection")
    ]
    found = f"not protected: {', '.join(bare)}" if bare else "every cluster is protected"
    return judged(not bare, found)


def _lag(target: DatabaseTarget) -> Judged:
    """Judge Aurora's own metric, at its worst in the last quarter of an hour."""
    ends = dt.datetime.fromtimestamp(target.now_s, dt.UTC)
    worst: dict[str, float] = {}
    for region in target.followers:
        for source in target.members.keys() - {region}:
            found = target.aws.client("cloudwatch", region).get_metric_statistics(
                Namespace="AWS/RDS",
                MetricName="AuroraGlobalDBReplicationLag",
                Dimensions=[
                    {"Name": "DBClusterIdentifier", "Value": target.members[region]},
                    {"Name": "SourceRegion", "Value": source},
                ],
                StartTime=ends - dt.timedelta(seconds=LAG_WINDOW_S),
                EndTime=ends,
                Period=60,
                Statistics=["Maximum"],
            )["Datapoints"]
            lags = [float(point["Maximum"]) / 1000 for point in found]
            if lags:
                worst[region] = max(*lags, worst.get(region, 0.0))
    silent = [region for region in target.followers if region not in worst]
    if silent:
        return Readiness.UNKNOWN, f"the metric has no value in {', '.join(silent)}"
    said = ", ".join(f"{region} up to {lag_s:.1f} s" for region, lag_s in worst.items())
    return judged(max(worst.values(), default=0.0) <= LAG_MAX_S, said)


CHECKS: tuple[ReadinessCheck[DatabaseTarget], ...] = (
    ReadinessCheck(
        code="database-membership",
        title="Every cluster belongs to the global database, and one of them writes",
        why="A cluster outside the global database cannot be promoted.",
        remedy="Add the cluster to the global database.",
        ask=_membership,
    ),
    ReadinessCheck(
        code="database-versions",
        title="Every cluster runs the same engine version",
        why="Aurora refuses a failover between versions.",
        remedy="Upgrade the cluster that lags behind; upgrade the standby first next time.",
        ask=_versions,
    ),
    ReadinessCheck(
        code="standby-has-instances",
        title="The cluster that is to take over has an available instance",
        why="A cluster without an instance is promoted and then serves nobody.",
        remedy="Create an instance in the standby's cluster.",
        ask=_instances,
    ),
    ReadinessCheck(
        code="standby-fit",
        title="The cluster that is to take over is in a state that Aurora promotes",
        why="A stopped or failed cluster cannot take over.",
        remedy="Start or repair the standby's cluster.",
        ask=_fitness,
    ),
    ReadinessCheck(
        code="replication-lag",
        title=f"Aurora's replication lag has stayed below {LAG_MAX_S:g} s",
        why="Whatever was not replicated is lost in a failover.",
        remedy="Find what holds replication up: long transactions, a small standby, the network.",
        ask=_lag,
    ),
    ReadinessCheck(
        code="deletion-protection",
        title="Every cluster is protected against deletion",
        why="In a hurry, the wrong cluster is deleted.",
        remedy="Turn deletion protection on.",
        ask=_protection,
    ),
)
