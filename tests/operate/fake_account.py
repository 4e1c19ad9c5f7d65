"""An account that answers as AWS does where readiness asks, and can be broken in one place."""

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

from botocore.exceptions import ClientError

from otherside.config import read_config
from otherside.core.topology import Side
from otherside.core.wire_contract import OrchestratorSettings
from otherside.failover.decision.state import first
from otherside.operate.deployment import Deployment
from otherside.operate.overview import SIGNALS, DeciderTick
from otherside.operate.readiness.model import StackTarget
from otherside.operate.reading import Fact

EAST, WEST = "us-east-2", "us-west-2"
NOW = 1_800_000_000.0
ACCOUNT = "123456789012"
ARNS = {
    region: f"arn:aws:rds:{region}:{ACCOUNT}:cluster:orders-prod-{region}"
    for region in (EAST, WEST)
}
CIDRS = {EAST: "10.0.0.0/16", WEST: "10.1.0.0/16"}


def moment(ago_s):
    """Return a time before now, as boto3 gives it."""
    return dt.datetime.fromtimestamp(NOW - ago_s, dt.UTC)


def missing(code):
    """Return an answer that raises AWS's error."""

    def answer(*_, **__):
        raise ClientError(
            {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, ""
        )

    return answer


SETTINGS = OrchestratorSettings(
    application="orders-prod",
    code="abc",
    mode="auto",
    loss_max_s="5",
    stable_s="86400",
    freezes="none",
    primary_region=EAST,
    standby_region=WEST,
    global_cluster="orders-prod",
    primary_cluster_arn=ARNS[EAST],
    standby_cluster_arn=ARNS[WEST],
    state_table="orders-prod-state",
    pledge_bucket="orders-prod-pledge",
    topic_arn=f"arn:aws:sns:{WEST}:{ACCOUNT}:orders-prod-alerts",
    capacity_group="orders-prod-standby-1",
    capacity_min="4",
    public_url="https://orders.example.com",
    standby_url="https://standby",
    readiness_path="/readyz",
    write_path="/writez",
    traffic_state_name="state.orders.example.com",
)


def answers():
    """Return what a healthy account answers, by service and operation; callables get the Region."""
    function = {
        "Role": f"arn:aws:iam::{ACCOUNT}:role/x",
        "CodeSha256": "one",
        "LastModified": moment(5 * 86_400).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Environment": {"Variables": SETTINGS.to_environment()},
    }
    group = {
        "AutoScalingGroupName": "orders-prod-standby-1",
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"},
        "Instances": [{"LifecycleState": "InService"}] * 4,
        "DesiredCapacity": 4,
        "MaxSize": 20,
    }
    lag = {"Datapoints": [{"Timestamp": moment(60), "Maximum": 200.0}]}
    latch = {"Datapoints": [{"Timestamp": moment(60), "Maximum": 0.0}]}
    return {
        "rds.describe_global_clusters": {
            "GlobalClusters": [
                {
                    "GlobalClusterIdentifier": "orders-prod",
                    "TagList": [{"Key": "app", "Value": "orders"}],
                    "GlobalClusterMembers": [
                        {"DBClusterArn": ARNS[EAST], "IsWriter": True},
                        {"DBClusterArn": ARNS[WEST], "IsWriter": False},
                    ],
                }
            ]
        },
        "rds.describe_db_clusters": lambda _region: {
            "DBClusters": [
                {"EngineVersion": "17.9", "Status": "available", "DeletionProtection": True}
            ]
        },
        "rds.describe_db_instances": {"DBInstances": [{"DBInstanceStatus": "available"}]},
        "cloudwatch.get_metric_statistics": lambda _region, **asked: (
            lag if asked["MetricName"].startswith("Aurora") else latch
        ),
        "lambda.get_function_configuration": lambda _region, **_: function,
        "autoscaling.describe_auto_scaling_groups": {"AutoScalingGroups": [group]},
        "ec2.describe_launch_template_versions": {
            "LaunchTemplateVersions": [
                {"LaunchTemplateData": {"ImageId": "ami-1", "InstanceType": "t4g.small"}}
            ]
        },
        "ec2.describe_images": {"Images": [{"State": "available"}]},
        "ec2.describe_instance_types": {"InstanceTypes": [{"VCpuInfo": {"DefaultVCpus": 2}}]},
        "service-quotas.get_service_quota": {"Quota": {"Value": 64.0}},
        "elbv2.describe_load_balancers": {
            "LoadBalancers": [{"LoadBalancerName": "orders-prod-x", "LoadBalancerArn": "lb"}]
        },
        "elbv2.describe_listeners": {
            "Listeners": [{"Certificates": [{"CertificateArn": "cert"}]}, {}]
        },
        "acm.describe_certificate": {
            "Certificate": {"Status": "ISSUED", "NotAfter": moment(-90 * 86_400)}
        },
        "kms.list_aliases": {
            "Aliases": [
                {"AliasName": "alias/orders-prod-data", "TargetKeyId": "k"},
                {"AliasName": "alias/somebody-else", "TargetKeyId": "z"},
            ]
        },
        "kms.describe_key": {"KeyMetadata": {"KeyState": "Enabled"}},
        "iam.simulate_principal_policy": lambda _region, **_: {
            "EvaluationResults": [{"EvalDecision": "allowed"}]
        },
        "ec2.describe_vpc_peering_connections": {
            "VpcPeeringConnections": [
                {"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "active"}}
            ]
        },
        "ec2.describe_route_tables": lambda region, **_: {
            "RouteTables": [table(region, "rtb-1"), table(region, "rtb-2")]
        },
        "sns.list_subscriptions_by_topic": {
            "Subscriptions": [{"SubscriptionArn": "arn:aws:sns:x", "Endpoint": "a@example.com"}]
        },
        "backup.list_recovery_points_by_backup_vault": {
            "RecoveryPoints": [
                {"CreationDate": moment(3600), "ResourceArn": "db", "Status": "COMPLETED"}
            ]
        },
        "backup.list_restore_jobs": {"RestoreJobs": [{"CompletionDate": moment(86_400)}]},
    }


def table(region, name, **changes):
    """Return a route table whose way to the other side is active."""
    route = {
        "DestinationCidrBlock": CIDRS[WEST if region == EAST else EAST],
        "VpcPeeringConnectionId": "pcx-1",
        "State": "active",
    }
    return {"RouteTableId": name, "Routes": [{**route, **changes}]}


def tick(**changes):
    """Return the decider's tick of a calm minute."""
    calm = {
        "at_s": NOW - 20,
        "phase": "steady",
        "verdict": "healthy",
        "reason": "",
        "obstacle": None,
        "signals": dict.fromkeys(SIGNALS, "good"),
        "failed": (),
        "unreadable": (),
        "lag_s": 0.5,
    }
    return DeciderTick(**calm | changes)


class FakeAccount:
    """Clients that answer from a table; pages are one page."""

    def __init__(self, **changes):
        """Take the healthy account's answers, and replace some."""
        self.known = {**answers(), **{name.replace("__", "."): it for name, it in changes.items()}}
        self.asked = []

    def client(self, service, region):
        """Return a client of a service in a Region."""

        def call(operation, **asked):
            self.asked.append((service, operation, region))
            found = self.known[f"{service}.{operation}"]
            if not callable(found):
                return found
            takes = found.__code__.co_flags & 0x08
            return found(region, **asked) if takes else found(region)

        def paginator(operation):
            return SimpleNamespace(paginate=lambda **asked: [call(operation, **asked)])

        class Client:
            get_paginator = staticmethod(paginator)

            def __getattr__(self, operation):
                return lambda **asked: call(operation, **asked)

        return Client()


def target(tmp_path, account, *, said=None, state=None, settings=SETTINGS, resolve=None):
    """Return a healthy stack in an account."""
    file = tmp_path / "otherside.toml"
    file.write_text(
        'name = "orders"\n[traffic]\ndomain = "orders.example.com"\n[failover]\nmode = "auto"\n'
    )
    (tmp_path / "app").mkdir(exist_ok=True)
    topology = read_config(file)
    assert topology.network.cidrs.on(Side.PRIMARY) == CIDRS[EAST]
    steady = replace(first(NOW - 100), revision=3, anchored=True, moved_s=NOW - 86_400)
    return StackTarget(
        deployment=Deployment(
            topology=topology,
            clock=SimpleNamespace(now_s=lambda: NOW),
            resolve=resolve or (lambda _name: ["192.0.2.1"]),
            aws=account,
        ),
        settings=settings,
        state=state or steady,
        tick=said or Fact(value=tick()),
    )
