"""Parameters of a cluster, by its parameter group: those that the twin honours."""

from otherside.twin.moto_backend import DBCluster

TLS_BY_DEFAULT_FROM = 17
"""The first major version of Aurora PostgreSQL whose default for `rds.force_ssl` is 1."""


def parameter(cluster: DBCluster, name: str) -> str | None:
    """Return what a cluster's parameter group sets a parameter to, or `None`."""
    group = cluster.backend.db_cluster_parameter_groups.get(cluster.db_cluster_parameter_group)
    given = group.parameters.get(name, {}) if group is not None else {}
    value = given.get("ParameterValue")
    return None if value is None else str(value)


def requires_tls(cluster: DBCluster) -> bool:
    """Return whether a cluster refuses connections without TLS.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html
    """
    given = parameter(cluster, "rds.force_ssl")
    if given is not None:
        return given == "1"
    major = str(cluster.engine_version or "").partition(".")[0]
    return major.isdigit() and int(major) >= TLS_BY_DEFAULT_FROM
