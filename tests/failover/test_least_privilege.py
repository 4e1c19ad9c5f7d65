"""Least privilege, both ways: nothing that the functions call is missing, and nothing is unused.

Every path of the functions is run; every call that leaves them is held against the policies that
the stack gives their roles, and every action of those policies against the calls.
"""

import fnmatch
import json
from functools import partial

import pytest

from failover import account_builders
from failover.fake_aws import fake_aws, witness_settings
from otherside.core.wire_contract import STATE_PARTITION, ItemType
from otherside.failover import handlers
from otherside.failover.actuator import actuate
from otherside.failover.aws.state_store import StateStore
from otherside.failover.controller import reconcile_once
from otherside.failover.decision.observation import Reading
from otherside.failover.decision.state import Phase
from stacks import declared

PLATFORM = {
    "logs:CreateLogStream": "Lambda writes the log",
    "logs:PutLogEvents": "Lambda writes the log",
    "xray:PutTelemetryRecords": "Lambda's tracing",
    "xray:PutTraceSegments": "Lambda's tracing",
    "kms:Decrypt": "Lambda reads its settings; DynamoDB, SNS and SQS use their keys for the caller",
    "kms:GenerateDataKey": "SNS and SQS use their keys for the caller",
    "sqs:SendMessage": "Lambda keeps the record of a failed run",
    "s3:ListBucket": "S3 tells a missing object from a forbidden one only to who may list",
}
"""What a role needs for what happens in its name, and by whom."""

ANY = "*"
ACTIONS = {
    ("dynamodb", "Query"): "table",
    ("dynamodb", "GetItem"): "table",
    ("dynamodb", "PutItem"): "table",
    ("dynamodb", "UpdateItem"): "table",
    ("dynamodb", "DeleteItem"): "table",
    ("s3", "GetObject"): "pledge",
    ("s3", "PutObject"): "pledge",
    ("rds", "DescribeGlobalClusters"): "global",
    ("rds", "DescribeDBClusters"): "cluster",
    ("rds", "DescribeEvents"): ANY,
    ("rds", "FailoverGlobalCluster"): "all-databases",
    ("rds", "SwitchoverGlobalCluster"): "all-databases",
    ("autoscaling", "DescribeAutoScalingGroups"): ANY,
    ("autoscaling", "UpdateAutoScalingGroup"): "group",
    ("cloudwatch", "PutMetricData"): ANY,
    ("sns", "Publish"): "topic",
    ("lambda", "Invoke"): "actuator",
}
"""What each operation is checked on, by the Service Authorization Reference."""
ACTION_NAMES = {"lambda:Invoke": "lambda:InvokeFunction"}


def resources(call, kind):
    """Return the ARNs that a call is checked on."""
    stack = declared()
    clusters = [cluster.outputs["arn"] for cluster in stack.of("rds/cluster:Cluster")]
    whole = stack.only("rds/globalCluster:GlobalCluster").outputs["arn"]
    match kind:
        case "table":
            return [stack.only("dynamodb/table:Table", "state").outputs["arn"]]
        case "global":
            return [whole]
        case "pledge":
            return [f"arn:aws:s3:::{call.params['Bucket']}/{call.params['Key']}"]
        case "cluster":
            return [call.params["DBClusterIdentifier"]]
        case "all-databases":
            return [whole, *clusters]
        case "group":
            standby = call.params["AutoScalingGroupName"]
            groups = stack.of("autoscaling/group:Group")
            return [group.outputs["arn"] for group in groups if group.outputs["name"] == standby]
        case "topic":
            topics = [topic.outputs["arn"] for topic in stack.of("sns/topic:Topic")]
            name = call.params["TopicArn"].rsplit(":", 1)[1]
            return [arn for arn in topics if arn.endswith(f"{call.region}:123456789012:{name}")]
        case "actuator":
            name = call.params["FunctionName"]
            functions = stack.of("lambda/function:Function")
            return [
                function.outputs["arn"]
                for function in functions
                if function.outputs["name"] == name
            ]
        case _:
            return [ANY]


def context(call):
    """Return the condition keys of a call."""
    keys = {}
    if call.service == "dynamodb":
        item = call.params.get("Item") or call.params.get("Key")
        values = call.params.get("ExpressionAttributeValues", {})
        partition = item[STATE_PARTITION] if item else next(iter(values.values()))
        keys["dynamodb:LeadingKeys"] = [partition["S"]]
    if call.operation == "PutMetricData":
        keys["cloudwatch:namespace"] = [call.params["Namespace"]]
    return keys


def listed(value):
    """Return a list, whatever a policy wrote."""
    return [value] if isinstance(value, str) else value


def allows(statement, action, arn, keys):
    """Return whether one statement allows an action on a resource under these keys."""
    if statement["Effect"] != "Allow" or action not in listed(statement["Action"]):
        return False
    if not any(fnmatch.fnmatchcase(arn, item) for item in listed(statement["Resource"])):
        return False
    for test, wanted in statement.get("Condition", {}).items():
        assert test in {"StringEquals", "ForAllValues:StringEquals"}, test
        for key, values in wanted.items():
            if not set(keys.get(key, [])) <= set(listed(values)):
                return False
    return True


def policy(role):
    """Return the statements of a function's role."""
    every = declared().of("iam/rolePolicy:RolePolicy")
    found = next(role_policy for role_policy in every if role_policy.name == f"orders-prod-{role}")
    return json.loads(found.inputs["policy"])["Statement"]


def calls_of(cloud, work):
    """Return what some work calls."""
    before = len(cloud.calls)
    work()
    return cloud.calls[before:]


@pytest.fixture(scope="module")
def told():
    """Run every path of all three functions; return their calls by function."""
    calls = {"decider": [], "actuator": [], "witness": []}

    def counting(role, loop):
        def run(world, policy):
            before = len(cloud.calls)
            try:
                return loop(world, policy)
            finally:
                calls[role] += cloud.calls[before:]

        return run

    with pytest.MonkeyPatch.context() as patched, fake_aws(patched) as cloud:
        patched.setattr(account_builders, "reconcile_once", counting("decider", reconcile_once))
        patched.setattr(account_builders, "actuate", counting("actuator", actuate))
        cloud.lived_s = cloud.clock.at_s
        account_builders.healthy(cloud)
        account_builders.reconcile_once(account_builders.world_of(cloud), account_builders.POLICY)
        cloud.put(ItemType.PULSE, "primary#i-gone", {"at_s": {"N": "1"}})
        account_builders.lose_the_primary(cloud)
        account_builders.until(cloud, Phase.PROMOTING)
        cloud.finish_move()
        account_builders.until(cloud, Phase.VERIFY)
        cloud.aurora.lost.clear()
        proven = {"writes_ok": True, "wrote_epoch": 1, "wrote_s": cloud.clock.at_s}
        account_builders.until(cloud, Phase.FAILED_OVER, standby=proven)
        account_builders.go_home(cloud, account_builders.POLICY)
        known = witness_settings()
        store = StateStore(
            cloud.clients.dynamodb(known.state_region),
            table=known.state_table,
            application=known.application,
            clock=cloud.clock,
            code="c",
            skew_s=0.0,
        )
        cloud.readings["canary"] = Reading.BAD
        run = account_builders.Run(cloud.clock, 20.0)
        patched.setattr(handlers, "_CLIENTS", cloud.clients)
        wake = partial(handlers._wake_decider, known)
        calls["witness"] = calls_of(
            cloud, lambda: handlers.watch_for_a_while(store, known, run, cloud.clock, wake=wake)
        )
        yield calls


def test_nothing_that_is_called_is_missing_and_nothing_is_allowed_that_is_not(told):
    """Each call on each resource that AWS checks it on, under the conditions of the policy."""
    for role, calls in told.items():
        statements = policy(role)
        used = set()
        assert calls, role
        for call in calls:
            action = f"{call.service}:{call.operation}"
            action = ACTION_NAMES.get(action, action)
            for arn in resources(call, ACTIONS[call.service, call.operation]):
                fits = [
                    statement
                    for statement in statements
                    if allows(statement, action, arn, context(call))
                ]
                assert fits, f"{role} may not {action} on {arn}"
                used |= {(fit["Sid"], action) for fit in fits}
        allowed = {
            (statement["Sid"], action)
            for statement in statements
            if statement["Effect"] == "Allow"
            for action in listed(statement["Action"])
            if action not in PLATFORM
        }
        assert allowed - used == set(), f"{role} never uses these"


def test_only_the_actuator_may_move_the_writer(told):
    """The decider wakes it; the witness may do nothing but tell, and wake the decider."""
    moving = {"rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"}
    allowed = {
        role: {
            a for item in policy(role) if item["Effect"] == "Allow" for a in listed(item["Action"])
        }
        for role in told
    }
    assert moving <= allowed["actuator"]
    assert not moving & (allowed["decider"] | allowed["witness"])
    assert allowed["witness"] - set(PLATFORM) == {"dynamodb:PutItem", "lambda:InvokeFunction"}


def test_no_call_on_the_way_needs_a_control_plane_of_one_region(told):
    """Not Route 53's, not IAM's, not the global STS; every client is bound to its Region."""
    every = [call for calls in told.values() for call in calls]
    assert {call.service for call in every} == {
        *("autoscaling", "cloudwatch", "dynamodb", "lambda", "rds", "s3", "sns"),
    }
    assert {call.region for call in every} == {"us-west-2", "us-east-2"}


def test_an_application_may_read_the_lease_and_tell_and_nothing_else():
    """No revision, no order, no other side's word: a broken instance orders no failover."""
    for side in ("primary", "standby"):
        statements = [
            item for item in policy(side) if any("state" in arn for arn in listed(item["Resource"]))
        ]
        actions = {action for statement in statements for action in listed(statement["Action"])}
        assert actions == {"dynamodb:GetItem", "dynamodb:PutItem"}
        arn = declared().only("dynamodb/table:Table", "state").outputs["arn"]
        for action, shelf, fine in [
            ("dynamodb:GetItem", "lease", True),
            ("dynamodb:PutItem", "pulse", True),
            ("dynamodb:PutItem", "lease", False),
            ("dynamodb:PutItem", "command", False),
        ]:
            keys = {"dynamodb:LeadingKeys": [f"orders-prod/{shelf}"]}
            assert any(allows(statement, action, arn, keys) for statement in statements) is fine
        keys = {"dynamodb:LeadingKeys": ["orders-prod"]}
        assert not any(
            allows(statement, "dynamodb:UpdateItem", arn, keys) for statement in statements
        )
