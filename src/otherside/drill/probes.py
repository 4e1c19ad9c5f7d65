"""Probes of a live stack, through the AWS API and its databases.

Each returns an outcome and a human-readable finding, and relies on what is deployed rather than on
what the program declares.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from botocore.exceptions import ClientError

from otherside.drill.load import ClientConnection, Endpoint
from otherside.drill.outcome import Outcome
from otherside.drill.target import DrillTarget
from otherside.twin.twin import Twin

ProbeAnswer = tuple[Outcome, str]
Probe = Callable[[Twin, DrillTarget], ProbeAnswer]
SIDES = ("primary", "standby")
JOB_S, METRICS_S, LOGS_S = 120.0, 240.0, 60.0
"""Timeouts of the probes, in twin seconds."""


def _found(wrong: list[str], right: str) -> ProbeAnswer:
    return (Outcome.FAILED, "; ".join(wrong)) if wrong else (Outcome.PASSED, right)


def _until(twin: Twin, seconds: float, found: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is found
    """Poll until `found` returns something truthy or time is up; return its last answer."""
    end_s = twin.clock.now_s() + seconds
    while True:
        answer = found()
        if answer or twin.clock.now_s() >= end_s:
            return answer
        twin.check()
        twin.clock.sleep(1.0)


def ask_password(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Try the password that the program passed to the cluster; it must no longer work."""
    assert twin.provisioned is not None
    wrong = []
    for cluster in twin.provisioned.declaration.of("rds/cluster:Cluster"):
        given = cluster.inputs.get("masterPassword") or cluster.inputs.get("masterPasswordWo")
        if not given:
            continue
        kept = "masterPassword" in cluster.inputs
        if _opens(twin, target, cluster.region, str(cluster.inputs["masterUsername"]), str(given)):
            where = "in the program and in its state" if kept else "that the program passed"
            wrong.append(f"{cluster.id}: the password {where} opens the database")
    return _found(wrong, "the password that the program passed no longer opens any database")


def _opens(twin: Twin, target: DrillTarget, region: str, user: str, password: str) -> bool:
    (cluster,) = _clusters(twin, target, region)
    host, _, port = twin.known["dns"].rpartition(":")
    door = Endpoint(
        host=cluster["Endpoint"],
        protocol="http",
        port=0,
        dns=(host, int(port)),
        clock=twin.clock,
    )
    try:
        with psycopg.connect(
            host=ClientConnection(door).look_up() or "",
            port=twin.known["database_port"],
            user=user,
            password=password,
            dbname=target.topology.database.name,
            sslmode="require",
            connect_timeout=5,
        ):
            return True
    except psycopg.OperationalError:
        return False


def _clusters(twin: Twin, target: DrillTarget, region: str) -> list[dict[str, Any]]:
    rds = twin.clients.get("rds", region)
    found: list[dict[str, Any]] = rds.describe_db_clusters()["DBClusters"]
    return [item for item in found if item["DBClusterIdentifier"].startswith(target.prefix)]


def ask_keys(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Check that every data store uses a rotated customer managed key in its own Region."""
    wrong, count = [], 0
    for side in SIDES:
        region = target.regions[side]
        for what, key in _under(twin, target, region):
            count += 1
            problem = _problem_of_key(twin, region, key)
            if problem:
                wrong.append(f"{what} in {region}: {problem}")
    return _found(wrong, f"{count} stores use rotated customer managed keys in their own Region")


def _under(twin: Twin, target: DrillTarget, region: str) -> Iterator[tuple[str, str | None]]:
    """Yield each data store in a Region with the key that it reports."""
    for cluster in _clusters(twin, target, region):
        yield f"cluster {cluster['DBClusterIdentifier']}", cluster.get("KmsKeyId")
    for item in twin.clients.get("secretsmanager", region).list_secrets()["SecretList"]:
        yield f"secret {item['Name']}", item.get("KmsKeyId")
    sns = twin.clients.get("sns", region)
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        yield f"topic {arn.rpartition(':')[2]}", attributes.get("KmsMasterKeyId")
    backup = twin.clients.get("backup", region)
    for item in backup.list_backup_vaults()["BackupVaultList"]:
        yield f"vault {item['BackupVaultName']}", item.get("EncryptionKeyArn")


def _problem_of_key(twin: Twin, region: str, key: str | None) -> str | None:
    """Return what is wrong with a key, or `None` if it is a rotated customer managed key."""
    if not key or "alias/aws/" in key:
        return "AWS's own key: its policy and rotation are fixed and it cannot be disabled"
    kms = twin.clients.get("kms", region)
    try:
        found = kms.describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        return f"its key does not exist in this Region: {error.response['Error']['Code']}"
    if found["KeyManager"] != "CUSTOMER":
        return "AWS's own key"
    if not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]:
        return "its key does not rotate"
    return None


def ask_tables(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Check that every table and replica uses a customer managed key."""
    wrong, count = [], 0
    for side in SIDES:
        region = target.regions[side]
        dynamodb = twin.clients.get("dynamodb", region)
        for name in dynamodb.list_tables()["TableNames"]:
            count += 1
            table = dynamodb.describe_table(TableName=name)["Table"]
            key = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
            problem = _problem_of_key(twin, region, key)
            if problem:
                wrong.append(f"table {name} in {region}: {problem}")
    return _found(wrong, f"{count} tables and replicas use customer managed keys")


def ask_standby_writes(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Check that the standby's application reaches the writer across the peering."""
    balancers = twin.clients.get("elbv2", target.regions["standby"])
    (balancer,) = balancers.describe_load_balancers()["LoadBalancers"]
    host, _, port = twin.known["dns"].rpartition(":")
    door = Endpoint(
        host=balancer["DNSName"],
        protocol=target.protocol,
        port=twin.known[f"{target.protocol}_port"],
        dns=(host, int(port)),
        clock=twin.clock,
        authority=twin.known["authority"],
        verified=False,
    )
    connection = ClientConnection(door)

    def writes() -> str | None:
        status, answer = connection.ask("GET", target.topology.compute.write_path)
        last[:] = [f"{status or 'no answer'}, {answer.get('error', '')}"]
        return "yes" if status == 200 else None  # noqa: PLR2004 - HTTP's own

    last: list[str] = []
    reached = _until(twin, 60.0, writes)
    connection.close()
    if reached:
        return Outcome.PASSED, "the standby's application reaches the writer in the primary"
    ec2 = twin.clients.get("ec2", target.regions["standby"])
    peerings = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    states = ", ".join(sorted({peering["Status"]["Code"] for peering in peerings})) or "none"
    text = f"the standby's application cannot reach the writer: {last[0]} (peering: {states})"
    return Outcome.FAILED, text


def ask_targets(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Check that every target group has a healthy target."""

    def ill() -> list[str]:
        return [
            ill_target for side in SIDES for ill_target in _ill_targets(twin, target.regions[side])
        ]

    _until(twin, 60.0, lambda: not ill())
    return _found(ill(), "every target group has a healthy target")


def _ill_targets(twin: Twin, region: str) -> Iterator[str]:
    elb = twin.clients.get("elbv2", region)
    for group in elb.describe_target_groups()["TargetGroups"]:
        arn, path = group["TargetGroupArn"], group.get("HealthCheckPath")
        targets = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        good = [target for target in targets if target["TargetHealth"]["State"] == "healthy"]
        if good:
            continue
        health = targets[0]["TargetHealth"] if targets else {"State": "no target"}
        said = health.get("Description") or health.get("Reason") or ""
        yield f"no healthy target in {region}: {health['State']} {said} ({path})".replace("  ", " ")


def ask_metrics(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Check that each side's metrics reach the other side's bucket, where they outlive the side."""
    s3 = twin.clients.get("s3", target.regions["primary"])
    names = [
        bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if "metrics" in bucket["Name"]
    ]
    wrong = []
    for here, there in zip(SIDES, reversed(SIDES), strict=True):
        bucket = next((item for item in names if target.regions[there] in item), None)
        prefix = f"{target.regions[here]}/"

        def arrived(bucket: str | None = bucket, prefix: str = prefix) -> bool:
            if bucket is None:
                return False
            return bool(s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents"))

        if not _until(twin, METRICS_S, arrived):
            wrong.append(f"no metrics from {target.regions[here]} in the bucket of the {there}")
    return _found(wrong, "each side's metrics are in the other side's bucket")


def ask_logs(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Check that the databases' log lines arrive in CloudWatch."""
    wrong = []
    for side in SIDES:
        region = target.regions[side]
        logs = twin.clients.get("logs", region)
        for cluster in _clusters(twin, target, region):
            group = f"/aws/rds/cluster/{cluster['DBClusterIdentifier']}/postgresql"

            def lines(logs: Any = logs, group: str = group) -> bool:  # noqa: ANN401 - botocore's
                try:
                    return bool(logs.filter_log_events(logGroupName=group)["events"])
                except ClientError:
                    return False

            if not _until(twin, LOGS_S, lines):
                wrong.append(f"no log line from {cluster['DBClusterIdentifier']} in {group}")
    return _found(wrong, "both databases' logs are in CloudWatch")


def ask_regions(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Check that each Region has exactly one cluster and one load balancer."""
    wrong = []
    for side in SIDES:
        region = target.regions[side]
        found = {
            "cluster": len(_clusters(twin, target, region)),
            "load balancer": len(
                twin.clients.get("elbv2", region).describe_load_balancers()["LoadBalancers"]
            ),
        }
        wrong += [f"{count} {name}s in {region}" for name, count in found.items() if count != 1]
    return _found(wrong, "each Region has exactly one cluster and one load balancer")


def ask_copy(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Back up the writer and copy the backup to the standby, as the stack's own plan would."""
    point, problem = _copy(twin, target)
    if point is None:
        return Outcome.FAILED, problem
    return Outcome.PASSED, f"a copy of the database is in the standby's Region: {point}"


def _copy(twin: Twin, target: DrillTarget) -> tuple[str | None, str]:
    """Return the recovery point in the standby's Region, or `None` and the reason."""
    here = target.regions["primary"]
    backup = twin.clients.get("backup", here)
    plans = backup.list_backup_plans()["BackupPlansList"]
    plan = backup.get_backup_plan(BackupPlanId=plans[0]["BackupPlanId"])["BackupPlan"]
    rule = plan["Rules"][0]
    (cluster,) = _clusters(twin, target, here)
    role = _role(twin, target, "backups-primary")
    job = backup.start_backup_job(
        BackupVaultName=rule["TargetBackupVaultName"],
        ResourceArn=cluster["DBClusterArn"],
        IamRoleArn=role,
    )["BackupJobId"]
    made = _finished(twin, lambda: backup.describe_backup_job(BackupJobId=job))
    if made["State"] != "COMPLETED":
        return None, f"the backup job {made['State'].lower()}: {made.get('StatusMessage', '')}"
    vault = rule["CopyActions"][0]["DestinationBackupVaultArn"]
    copy = backup.start_copy_job(
        RecoveryPointArn=made["RecoveryPointArn"],
        SourceBackupVaultName=rule["TargetBackupVaultName"],
        DestinationBackupVaultArn=vault,
        IamRoleArn=role,
    )["CopyJobId"]
    done = _finished(twin, lambda: backup.describe_copy_job(CopyJobId=copy)["CopyJob"])
    if done["State"] != "COMPLETED":
        return None, f"the copy job {done['State'].lower()}: {done.get('StatusMessage', '')}"
    return str(done["DestinationRecoveryPointArn"]), ""


def _finished(twin: Twin, describe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Wait for a job to finish; return its last state, even if it timed out."""

    def over() -> dict[str, Any] | None:
        found = describe()
        state = found.get("State") or found.get("Status")
        return found if state in {"COMPLETED", "FAILED", "ABORTED"} else None

    return _until(twin, JOB_S, over) or describe()


def _role(twin: Twin, target: DrillTarget, part: str) -> str:
    roles = twin.clients.get("iam", target.regions["primary"]).list_roles(MaxItems=1000)["Roles"]
    return str(next(role["Arn"] for role in roles if part in role["RoleName"]))


def ask_restore(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Copy a backup to the standby's Region, restore it there and compare every row."""
    point, problem = _copy(twin, target)
    if point is None:
        return Outcome.FAILED, problem
    region = target.regions["standby"]
    backup = twin.clients.get("backup", region)
    (cluster,) = _clusters(twin, target, region)
    groups = [group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]]
    job = backup.start_restore_job(
        RecoveryPointArn=point,
        IamRoleArn=_role(twin, target, "backups-standby"),
        Metadata={
            "DBClusterIdentifier": "restored",
            "DBSubnetGroupName": cluster["DBSubnetGroup"],
            "VpcSecurityGroupIds": json.dumps(groups),
        },
    )["RestoreJobId"]
    done = _finished(twin, lambda: backup.describe_restore_job(RestoreJobId=job))
    if done["Status"] != "COMPLETED":
        return Outcome.FAILED, f"the restore {done['Status'].lower()}: {done['StatusMessage']}"
    return _compare(twin, target)


def _compare(twin: Twin, target: DrillTarget) -> ProbeAnswer:
    """Compare every row of the restored database with the writer."""
    workload = target.workload
    statement = workload.rows_statement
    held = workload.held(twin.do("query", cluster="restored", statement=statement))
    name = f"{target.prefix}-{target.regions['primary']}"
    live = dict(workload.held(twin.do("query", cluster=name, statement=statement)))
    other = [key for key, digest in held if live.get(key) != digest]
    if not held:
        return Outcome.FAILED, "the restored database has no rows"
    return _found(
        [f"{len(other)} of {len(held)} restored rows differ: {', '.join(other[:3])}"]
        if other
        else [],
        f"{len(held)} rows were restored in {target.regions['standby']}, identical to the writer's",
    )


PROBES: dict[str, Probe] = {
    name.removeprefix("ask_").replace("_", "-"): found
    for name, found in list(globals().items())
    if name.startswith("ask_")
}
"""Every probe, by name."""
