"""Each test of `test_corrections` is shown to fail when what it tests is broken.

The stack is broken by a resource transform, one thing at a time; the test is then run on it.
"""

import base64
import dataclasses
import inspect
import json

import pytest

from components import test_corrections as corrections
from components.stack_assertions import PRIMARY, STANDBY
from otherside.drill.mutations import Mutation, drop, edit, put
from stacks import declare_variant


def flags(**changes):
    """Return a change of what is not an input: protection, dependencies, what is ignored."""
    return lambda item: dataclasses.replace(item, **changes)


def statement(sid, **changes):
    """Return a change of one statement in a policy."""

    def how(text):
        document = json.loads(text)
        for item in document["Statement"]:
            if item["Sid"] == sid:
                item.update(changes)
        return json.dumps(document)

    return how


def told(right, wrong):
    """Return a change of what an instance is told at boot."""

    def how(text):
        script = base64.b64decode(text).decode()
        assert right in script
        return base64.b64encode(script.replace(right, wrong).encode()).decode()

    return how


def inside(path, value):
    """Return a change deep inside an input."""

    def how(given):
        copied = json.loads(json.dumps(given))
        *way, last = path
        place = copied
        for step in way:
            place = place[step]
        place[last] = value
        return copied

    return how


def to_the_internet(item):
    """Return a route through the peering, turned into one to the internet."""
    inputs = {k: v for k, v in item.inputs.items() if k != "vpcPeeringConnectionId"}
    return dataclasses.replace(item, inputs={**inputs, "gatewayId": "igw-1"})


def names_its_region(item):
    """Return a resource that says where it is beside its provider."""
    return dataclasses.replace(item, inputs={**item.inputs, "region": PRIMARY})


def booting_from(region):
    """Return a change of a boot script: it fetches from another Region."""

    def how(text):
        script = base64.b64decode(text).replace(STANDBY.encode(), region.encode())
        return base64.b64encode(script).decode()

    return how


KEY, ALARM = "kms/key:Key", "cloudwatch/metricAlarm:MetricAlarm"
CHECK, RECORD = "route53/healthCheck:HealthCheck", "route53/record:Record"
INLINE, TARGET = "iam/rolePolicy:RolePolicy", "cloudwatch/eventTarget:EventTarget"
CLUSTER, TABLE = "rds/cluster:Cluster", "dynamodb/table:Table"
TEMPLATE = "ec2/launchTemplate:LaunchTemplate"
FUNCTION, ROUTE = "lambda/function:Function", "ec2/route:Route"
REPLICATION = "s3/bucketReplicationConfig:BucketReplicationConfig"

TAKEN_BACK = {
    "01_the_secret_is_replicated_under_the_standbys_key_and_rotated_at_once": [
        edit("secretsmanager/secret:Secret", "replicas", inside([0, "kmsKeyId"], "aws/key")),
        put("secretsmanager/secretRotation:SecretRotation", rotateImmediately=False),
    ],
    "01_rds_does_not_manage_the_password": [put(CLUSTER, manageMasterUserPassword=True)],
    "01_the_application_logs_in_by_token_to_both_clusters": [
        edit(INLINE, "policy", statement("LogIn", Resource=[]), name="orders-prod-standby"),
        put(CLUSTER, name="standby", iamDatabaseAuthenticationEnabled=False),
    ],
    "02_keys_on_both_sides_let_their_services_in": [
        edit(KEY, "policy", statement("Logs", Principal={"Service": "logs.amazonaws.com"})),
    ],
    "02_keys_are_slow_to_delete_and_protected": [
        put(KEY, name="data", deletionWindowInDays=10),
        Mutation(KEY, flags(protect=False), name="data"),
    ],
    "03_the_actuator_moves_one_database_and_no_records": [
        edit(
            INLINE,
            "policy",
            statement("SeeTheWhole", Action=["route53:ChangeResourceRecordSets"]),
            name="actuator",
        ),
    ],
    "03_only_the_actuator_may_move_the_writer": [
        edit(
            INLINE,
            "policy",
            statement("Remember", Action=["rds:FailoverGlobalCluster"]),
            name="decider",
        ),
    ],
    "04_both_sides_route_from_private_and_database_tables_through_the_accepter": [
        Mutation(ROUTE, flags(dependencies=()), name="peering-primary-0"),
        drop(ROUTE, name="peering-standby-3"),
    ],
    "04_each_side_sets_its_own_dns_option_once_the_connection_is_active": [
        drop("ec2/peeringConnectionOptions:PeeringConnectionOptions", name="standby"),
    ],
    "04_the_database_lets_the_other_side_in_by_its_subnets": [
        drop("vpc/securityGroupIngressRule:SecurityGroupIngressRule", name="primary-peer-0"),
    ],
    "04_database_tables_have_no_way_out": [
        Mutation(ROUTE, to_the_internet, name="peering-primary-3"),
    ],
    "05_a_failover_pair_is_latched": [
        put(ALARM, name="latch", treatMissingData="notBreaching"),
        put(CHECK, name="latch", insufficientDataHealthStatus="Healthy"),
        put(CHECK, name="latch", cloudwatchAlarmRegion=PRIMARY),
        put(RECORD, name="traffic-standby", healthCheckId="a-check"),
        put(CHECK, name="gate", childHealthThreshold=1),
        edit(
            RECORD,
            "aliases",
            inside([0, "evaluateTargetHealth"], value=True),
            name="traffic-standby",
        ),
    ],
    "06_checks_are_fast_and_ask_whether_the_application_can_serve": [
        put(CHECK, name="primary-endpoint", resourcePath="/health.html"),
        put(CHECK, name="primary-endpoint", requestInterval=30),
    ],
    "06_with_https_the_check_follows_the_listener_that_forwards": [
        put(CHECK, name="primary-endpoint", type="HTTP", port=80),
    ],
    "07_three_questions_have_three_answers": [
        edit("lb/targetGroup:TargetGroup", "healthCheck", inside(["path"], "/readyz")),
    ],
    "07_an_instance_boots_from_its_own_region_alone": [
        edit(
            "ec2/launchTemplate:LaunchTemplate", "userData", booting_from(PRIMARY), region=STANDBY
        ),
    ],
    "08_the_buckets_replicate_encrypted_objects_and_deletions_both_ways": [
        edit(
            REPLICATION,
            "rules",
            inside([0, "sourceSelectionCriteria", "sseKmsEncryptedObjects", "status"], "Disabled"),
        ),
        Mutation(REPLICATION, flags(dependencies=()), region=PRIMARY),
    ],
    "09_dimensions_are_what_the_load_balancer_says_of_itself": [
        put(ALARM, name="no-healthy-host", treatMissingData="missing"),
    ],
    "09_lag_is_watched_where_it_is_published_on_both_sides": [
        edit(
            ALARM, "dimensions", inside(["SourceRegion"], STANDBY), name="rpo-lag", region=STANDBY
        ),
    ],
    "09_route_53_is_watched_where_its_metrics_are": [drop(ALARM, name="endpoint-check")],
    "10_each_hop_has_a_queue_for_what_fails_in_its_own_region": [
        put(TARGET, name="tick", deadLetterConfig={"arn": "arn:aws:sqs:us-east-2:1:x"}),
        put("sqs/queue:Queue", fifoQueue=True),
    ],
    "10_alarms_are_matched_by_name_and_reach_the_standby_in_one_hop": [
        edit(
            "cloudwatch/eventRule:EventRule",
            "eventPattern",
            lambda text: text.replace("no-healthy-host", "nobody"),
            name="-alarms",
        ),
    ],
    "10_the_orchestrator_lives_on_the_standby_side_and_ticks_by_itself": [
        Mutation(FUNCTION, flags(region=PRIMARY), name="decider"),
        put("cloudwatch/eventRule:EventRule", name="tick", scheduleExpression="rate(5 minutes)"),
    ],
    "10_the_orchestrator_depends_on_nothing_of_the_primarys": [
        edit(
            FUNCTION,
            "environment",
            inside(["variables", "OTHERSIDE_TOPIC_ARN"], "arn:aws:sns:us-east-2:1:alerts"),
            name="decider",
        ),
    ],
    "11_backups_go_both_ways_under_lock_and_are_restored": [
        put("backup/vaultLockConfiguration:VaultLockConfiguration", changeableForDays=3),
        drop("backup/restoreTestingPlan:RestoreTestingPlan"),
    ],
    "12_functions_are_packaged_python_on_a_runtime_that_lasts": [
        put(FUNCTION, runtime="python3.9"),
    ],
    "13_every_resource_is_where_its_provider_is": [Mutation("sns/topic:Topic", names_its_region)],
    "14_replicas_have_what_does_not_carry_over": [
        edit(TABLE, "replicas", inside([0, "pointInTimeRecovery"], value=False)),
    ],
    "14_the_state_table_is_a_majority_where_regions_can_vote": [
        put(TABLE, name="state", globalTableWitness=None),
    ],
    "14_without_a_quorum_the_standby_alone_holds_the_state": [
        put(TABLE, name="state", replicas=[{"regionName": "ca-central-1"}]),
    ],
    "14_a_lease_is_kept_only_where_three_regions_vote": [
        edit(
            TEMPLATE, "userData", told("APP_LEASE_FILE=/run/otherside/lease", "APP_LEASE_FILE=none")
        ),
    ],
    "14_both_sides_read_the_pledge_where_the_orchestrator_writes_it": [
        edit(TEMPLATE, "userData", told("PLEDGE_BUCKET=", "PLEDGE_BUCKET=not-")),
    ],
    "15_log_groups_are_encrypted_and_expire_on_both_sides": [
        put("cloudwatch/logGroup:LogGroup", name="database", retentionInDays=0),
    ],
    "the_standby_can_be_promoted_and_carries_the_load": [
        put(CLUSTER, name="standby", sourceRegion=None),
        drop("rds/clusterInstance:ClusterInstance", name="standby-0"),
    ],
    "a_later_deployment_does_not_fight_a_failover": [
        Mutation(CLUSTER, flags(ignore_changes=("engineVersion",)), name="standby"),
    ],
    "the_lag_is_enforced_on_the_primary_alone": [
        edit(
            "rds/clusterParameterGroup:ClusterParameterGroup",
            "parameters",
            lambda given: [*given, {"name": "rds.global_db_rpo", "value": "20"}],
            region=STANDBY,
        ),
    ],
    "the_lag_alarm_is_silent_while_the_latch_holds": [
        drop("cloudwatch/compositeAlarm:CompositeAlarm"),
    ],
    "both_regions_have_the_same": [drop("ec2/vpcEndpoint:VpcEndpoint", name="standby-kms")],
}
VARIANTS = {
    "14_without_a_quorum_the_standby_alone_holds_the_state": "no-quorum",
    "06_with_https_the_check_follows_the_listener_that_forwards": "https",
}
CASES = [(name, sabotage) for name, sabotages in TAKEN_BACK.items() for sabotage in sabotages]
IDS = [f"{name}-{n}" for name, sabotages in TAKEN_BACK.items() for n, _ in enumerate(sabotages)]


@pytest.mark.long
@pytest.mark.parametrize(("name", "sabotage"), CASES, ids=IDS)
def test_a_correction_that_is_taken_back_is_noticed(name, sabotage):
    """Broken by a transform, the stack no longer passes the test."""
    test = getattr(corrections, f"test_{name}")
    known = {"region": PRIMARY, "variant": "https"}
    arguments = {k: v for k, v in known.items() if k in inspect.signature(test).parameters}
    corrections.BROKEN.append(declare_variant(VARIANTS.get(name, "standard"), sabotage))
    try:
        assert sabotage.broken > 0, "the sabotage found nothing to break"
        with pytest.raises((AssertionError, LookupError, ValueError)):
            test(**arguments)
    finally:
        corrections.BROKEN.pop()


def test_every_correction_is_taken_back_at_least_once():
    """No test of a correction is without a sabotage that it notices."""
    tests = {var.removeprefix("test_") for var in vars(corrections) if var.startswith("test_")}
    assert tests == set(TAKEN_BACK)
