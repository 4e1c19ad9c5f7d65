"""Our own stack, broken once for each rule: what is changed, and in which resource."""

import pickle
from collections.abc import Callable

from check.dialect_writer import Spec
from otherside.check.model.values import Ref

PRIMARY, STANDBY = "us-east-2", "us-west-2"
BREAKS: dict[str, Callable] = {}
NOT_IN = {
    "DR004": {"cloudformation": "it accepts a peering within an account"},
    "DR006": {"cloudformation": "a name of another Region's template is a literal"},
    "DR013": {"cloudformation": "it has no providers"},
    "DR105": {
        "terraform": "a plan does not show what is ignored",
        "cloudformation": "it does not correct drift",
    },
    "DR109": {"cloudformation": "it has no type for a Region's settings"},
    "DR206": {"cloudformation": "templates of two Regions do not tell whose VPC the other is"},
    "DR207": {"cloudformation": "a group of another Region's template is a literal"},
    "DR208": {"cloudformation": "it has no type for a peering's options"},
    "DR209": {"cloudformation": "a name of another Region's template is a literal"},
    "DR306": {"cloudformation": "a name of another Region's template is a literal"},
    "DR409": {
        "terraform": "a plan does not say where its state is",
        "pulumi": "an export does not say where its state is",
        "cloudformation": "it keeps its state itself",
    },
}
"""Where a dialect cannot write a break, or shows nothing of it: why."""


class Broken:
    """A copy of our stack that can be changed."""

    def __init__(self, specs):
        self.specs = {load.name: load for load in pickle.loads(specs)}

    def all(self, kind, match=""):
        """Return the resources of a kind whose names hold something."""
        found = [spec for spec in self.specs.values() if spec.kind == kind and match in spec.name]
        assert found, (kind, match)
        return found

    def only(self, kind, match=""):
        """Return the first resource of a kind whose name holds something."""
        return self.all(kind, match)[0]

    def change(self, kind, match="", **attributes):
        """Set what is given in every resource that fits; `None` takes an attribute out."""
        for item in self.all(kind, match):
            item.attributes |= attributes
            item.attributes = {k: v for k, v in item.attributes.items() if v is not None}

    def drop(self, *specs):
        """Take resources out, and with them all that refer to them."""
        gone = {spec.name for spec in specs}
        while True:
            more = {
                spec.name
                for spec in self.specs.values()
                if spec.name not in gone and _refers(spec.attributes, gone)
            }
            if not more:
                break
            gone |= more
        self.specs = {name: spec for name, spec in self.specs.items() if name not in gone}

    def add(self, label, kind, region="global", **attributes):
        """Put a resource in."""
        self.specs[label] = Spec(label, kind, region, attributes)

    def ref(self, kind, match="", attribute="arn"):
        """Return a reference to the first resource that fits."""
        return Ref(self.only(kind, match).name, attribute)

    def without(self, kind, match, actions):
        """Take actions out of a role's policies."""
        for item in self.all(kind, match):
            for statement in item.attributes["policy"]:
                kept = [a for a in statement["actions"] if a not in actions]
                statement["actions"] = kept or ["sts:GetCallerIdentity"]

    def code(self, match, text):
        """Give a function a bundle of one file."""
        file = "index.js" if "=>" in text else "index.py"
        self.change("lambda.function", match, source={file: text}, handler="index.handler")


def _refers(value, names):
    if isinstance(value, Ref):
        return value.target in names
    if isinstance(value, dict):
        return any(_refers(item, names) for item in value.values())
    return isinstance(value, list) and any(_refers(item, names) for item in value)


def breaks(code):
    """Say which rule a change is for."""

    def listed(change):
        BREAKS[code] = change
        return change

    return listed


# --- The fifteen


@breaks("DR001")
def _(s):
    s.change("rds.cluster", "primary", master_password="MySecurePassword123!")


@breaks("DR002")
def _(s):
    s.change("rds.cluster", "standby", kms_key_id="alias/aws/rds")


@breaks("DR003")
def _(s):
    s.code("actuator", "import boto3\nboto3.client('rds').failover_global_cluster()\n")
    s.without("iam.role_policy", "actuator", {"rds:FailoverGlobalCluster"})


@breaks("DR004")
def _(s):
    for item in s.all("ec2.route"):
        if "vpc_peering_connection_id" in item.attributes:
            item.attributes["vpc_peering_connection_id"] = s.ref("ec2.peering", "", "id")
    s.drop(s.only("ec2.peering_accepter"))


@breaks("DR005")
def _(s):
    s.change("route53.record", "traffic_primary", set_identifier=None)


@breaks("DR006")
def _(s):
    s.change("lb.listener", "primary_443", port=8443)


@breaks("DR007")
def _(s):
    script = "#!/bin/bash\ndnf install -y httpd\nsystemctl enable --now httpd\n"
    s.change("ec2.launch_template", "", user_data=script)


@breaks("DR008")
def _(s):
    s.drop(s.only("cloudwatch.metric_stream", "standby"))


@breaks("DR009")
def _(s):
    for item in s.all("cloudwatch.alarm"):
        if item.attributes.get("namespace") == "AWS/ApplicationELB":
            side = "primary" if item.region == PRIMARY else "standby"
            item.attributes["dimensions"]["LoadBalancer"] = s.ref("lb.load_balancer", side)


@breaks("DR010")
def _(s):
    s.drop(*s.all("lambda.permission", "orchestrator_tick"))


@breaks("DR011")
def _(s):
    vault = f"arn:aws:backup:{STANDBY}:123456789012:backup-vault:nowhere"
    for rule in s.only("backup.plan", "primary").attributes["rule"]:
        for copied in rule.get("copy_action", ()):
            copied["destination_vault_arn"] = vault


@breaks("DR012")
def _(s):
    s.code("decider", "export const handler = async (event: any): Promise<void> => {};")
    s.change("lambda.function", "decider", runtime="nodejs22.x")


@breaks("DR013")
def _(s):
    for name in ("first", "again"):
        s.add(name, "provider", PRIMARY)
    s.add("other", "provider", STANDBY)
    s.add("third", "provider", "us-east-1")


@breaks("DR014")
def _(s):
    table = s.only("dynamodb.table", "sessions").attributes
    table["server_side_encryption"] = {"enabled": True}


@breaks("DR015")
def _(s):
    s.change("rds.cluster", "standby", enabled_cloudwatch_logs_exports=None)


# --- 1: data


@breaks("DR101")
def _(s):
    s.drop(*s.all("rds.cluster_instance", "standby"))


@breaks("DR102")
def _(s):
    s.change("rds.cluster_instance", "standby", instance_class="db.r6g.large")


@breaks("DR103")
def _(s):
    bound = [{"name": "rds.global_db_rpo", "value": "60"}]
    s.change("rds.cluster_parameter_group", "standby", parameter=bound)


@breaks("DR104")
def _(s):
    s.change("rds.cluster", "primary", manage_master_user_password=True)


@breaks("DR105")
def _(s):
    for item in s.all("rds.cluster"):
        item.ignored = ("masterPassword",)


@breaks("DR106")
def _(s):
    s.add("reports", "rds.instance", PRIMARY, identifier="reports", engine="postgres")


@breaks("DR107")
def _(s):
    s.drop(s.only("backup.plan", "standby"))


@breaks("DR108")
def _(s):
    for rule in s.only("backup.plan", "primary").attributes["rule"]:
        for copied in rule.get("copy_action", ()):
            copied["lifecycle"] = {"delete_after": 7}


@breaks("DR109")
def _(s):
    s.add(
        "settings",
        "backup.region_settings",
        PRIMARY,
        resource_type_opt_in_preference={"Aurora": True, "DynamoDB": True},
        resource_type_management_preference={"DynamoDB": False},
    )


@breaks("DR110")
def _(s):
    s.change("s3.versioning", "metrics_standby", status="Suspended")


@breaks("DR111")
def _(s):
    for rule in s.only("s3.replication", "metrics_primary").attributes["rule"]:
        rule.pop("source_selection_criteria", None)
        rule["destination"].pop("encryption_configuration", None)


@breaks("DR112")
def _(s):
    table = s.only("dynamodb.table", "state").attributes
    for replica in table["replica"]:
        replica.pop("consistency_mode", None)
    table.pop("global_table_witness", None)


@breaks("DR113")
def _(s):
    s.change("dynamodb.table", "state", ttl={"enabled": True, "attribute_name": "expires"})


@breaks("DR114")
def _(s):
    s.change("rds.cluster", "", cluster_identifier="orders-prod")


@breaks("DR115")
def _(s):
    s.change("rds.cluster", "standby", source_region=None)


@breaks("DR116")
def _(s):
    for replica in s.only("dynamodb.table", "sessions").attributes["replica"]:
        replica.pop("point_in_time_recovery", None)


@breaks("DR117")
def _(s):
    s.change("rds.cluster", "standby", deletion_protection=None)


@breaks("DR118")
def _(s):
    s.drop(s.only("backup.selection", "standby"))


@breaks("DR119")
def _(s):
    s.change("backup.vault", "standby", name="orders-staging")
    s.change("backup.vault_lock", "standby", changeable_for_days=3)


# --- 2: traffic


def _endpoint_only(s, **check):
    s.change("route53.health_check", "primary_endpoint", **check)
    endpoint = s.ref("route53.health_check", "primary_endpoint", "id")
    s.change("route53.record", "traffic_primary", health_check_id=endpoint)


@breaks("DR201")
def _(s):
    _endpoint_only(s)


@breaks("DR202")
def _(s):
    endpoint = s.ref("route53.health_check", "standby_endpoint", "id")
    s.change("route53.record", "traffic_standby", health_check_id=endpoint)


@breaks("DR203")
def _(s):
    s.change("route53.health_check", "latch", insufficient_data_health_status="Healthy")


@breaks("DR204")
def _(s):
    s.change("route53.health_check", "primary_endpoint", request_interval=30)


@breaks("DR205")
def _(s):
    s.change("route53.record", "state_primary", ttl=300)


@breaks("DR206")
def _(s):
    s.change("ec2.vpc", "standby", cidr_block="10.0.128.0/17")


@breaks("DR207")
def _(s):
    group = s.ref("ec2.security_group", "primary_clients", "id")
    peer = s.only("ec2.ingress_rule", "standby_clients").attributes
    peer["referenced_security_group_id"] = group


@breaks("DR208")
def _(s):
    s.drop(s.only("ec2.peering_options", "standby"))


@breaks("DR209")
def _(s):
    s.change("lb.listener", "443", ssl_policy="ELBSecurityPolicy-TLS13-1-3-2021-06")


@breaks("DR210")
def _(s):
    record = s.only("route53.record", "traffic_primary").attributes
    record.pop("health_check_id")
    record["alias"]["evaluate_target_health"] = False


@breaks("DR211")
def _(s):
    s.drop(s.only("route53.record", "traffic_standby"))


@breaks("DR212")
def _(s):
    s.change("route53.health_check", "gate", child_healthchecks=None, child_health_threshold=None)


# --- 3: capacity


@breaks("DR301")
def _(s):
    s.change("autoscaling.group", "standby", max_size=2)


@breaks("DR302")
def _(s):
    s.change("autoscaling.group", "standby", min_size=0, desired_capacity=0)
    s.only("route53.record", "traffic_standby").attributes["alias"]["evaluate_target_health"] = True


@breaks("DR303")
def _(s):
    s.drop(s.only("ec2.vpc_endpoint", "standby_kms"))


@breaks("DR304")
def _(s):
    far = s.only("s3.bucket", "primary_artefacts").attributes["bucket"]
    script = f"#!/bin/bash\naws s3 cp s3://{far}/app.zip /opt/app.zip\n"
    s.change("ec2.launch_template", "standby", user_data=script)


@breaks("DR305")
def _(s):
    group = s.only("autoscaling.group", "standby").attributes
    group["vpc_zone_identifier"] = group["vpc_zone_identifier"][:1]


@breaks("DR306")
def _(s):
    s.change("lb.listener", "standby_443", port=80, protocol="HTTP")
    s.drop(s.only("lb.listener", "standby_80"))


# --- 4: the control plane


@breaks("DR400")
def _(s):
    s.drop(*[spec for spec in s.specs.values() if spec.region not in {PRIMARY, "global"}])
    s.change("kms.key", "", policy=None)
    for spec in s.specs.values():
        spec.attributes = {k: v for k, v in spec.attributes.items() if STANDBY not in repr(v)}
        spec.attributes = {k: v for k, v in spec.attributes.items() if "us-east-1" not in repr(v)}


@breaks("DR401")
def _(s):
    for item in s.all("lambda.function", "actuator"):
        item.region = PRIMARY


@breaks("DR402")
def _(s):
    function = s.only("lambda.function", "actuator").attributes
    function["environment"]["TOPIC"] = s.ref("sns.topic", "us_east_2")


@breaks("DR403")
def _(s):
    s.only("iam.role_policy", "actuator").attributes["policy"].append(
        {"effect": "Allow", "actions": ["route53:ChangeResourceRecordSets"], "resources": ["*"]}
    )


@breaks("DR404")
def _(s):
    call = "rds.failover_global_cluster(GlobalClusterIdentifier=g, TargetDbClusterIdentifier=t)\n"
    s.code("actuator", f"import boto3\nrds = boto3.client('rds')\n{call}")


@breaks("DR405")
def _(s):
    alarm = s.only("cloudwatch.alarm", "us_east_2_notices").attributes["name"]
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [alarm]},
    }
    s.change("events.rule", "orchestrator_alarms", event_pattern=pattern)
    s.drop(*[item for item in s.all("events.target", "us_east_2") if "orchestrator" in item.name])


@breaks("DR406")
def _(s):
    s.change("events.target", "us_east_2_cluster_events", role_arn=None)


@breaks("DR407")
def _(s):
    far = s.ref("sqs.queue", "us_east_2_dead_letters")
    s.change("events.target", "tick", dead_letter_config={"arn": far})


@breaks("DR408")
def _(s):
    s.change("lambda.function", "actuator", reserved_concurrent_executions=0)


@breaks("DR409")
def _(s):
    s.add("state", "backend", PRIMARY)


@breaks("DR410")
def _(s):
    s.add("third", "events.bus", STANDBY, name="third")
    bus = s.ref("events.bus", "orchestrator", "name")
    pattern = {"source": ["aws.cloudwatch"]}
    s.add("on", "events.rule", STANDBY, event_bus_name=bus, event_pattern=pattern)
    role = s.ref("iam.role", "forward")
    arn = Ref("third", "arn")
    rule = Ref("on", "name")
    s.add("on_t", "events.target", STANDBY, rule=rule, event_bus_name=bus, arn=arn, role_arn=role)


@breaks("DR411")
def _(s):
    s.drop(*s.all("events.rule", "instance_events"))


@breaks("DR412")
def _(s):
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    s.change("events.rule", "orchestrator_alarms", event_pattern=pattern)


@breaks("DR413")
def _(s):
    s.change("events.rule", "orchestrator_tick", state="DISABLED")


@breaks("DR414")
def _(s):
    subnet = s.ref("ec2.subnet", "standby_private_0", "id")
    s.change("lambda.function", "actuator", vpc_config={"subnet_ids": [subnet]})


@breaks("DR415")
def _(s):
    s.change(
        "events.rule",
        "orchestrator_alarms",
        event_pattern={
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": ["x"], "state": {"value": ["alarm"]}},
        },
    )


# --- 5: keys and secrets


@breaks("DR501")
def _(s):
    s.change("backup.vault", "standby", kms_key_arn=s.ref("kms.key", "us_east_2_backup"))


@breaks("DR502")
def _(s):
    s.change("secretsmanager.secret", "master", replica=[{"region": STANDBY}])


def _administration(s, match):
    only = {
        "effect": "Allow",
        "actions": ["kms:*"],
        "resources": ["*"],
        "principals": {"AWS": ["arn:aws:iam::123456789012:root"]},
    }
    s.change("kms.key", match, policy=[only])


@breaks("DR503")
def _(s):
    _administration(s, "us_west_2_messaging")


@breaks("DR504")
def _(s):
    for statement in s.only("kms.key", "us_west_2_messaging").attributes["policy"]:
        if statement.get("principals", {}).get("Service"):
            statement["conditions"] = {"StringEquals": {"aws:SourceAccount": ["123456789012"]}}


@breaks("DR505")
def _(s):
    s.change("secretsmanager.secret", "master", replica=None)


@breaks("DR506")
def _(s):
    s.code("rotation", "import boto3\nboto3.client('rds').modify_db_cluster()\n")


@breaks("DR507")
def _(s):
    s.change("kms.key", "us_west_2_data", deletion_window_in_days=7)


@breaks("DR508")
def _(s):
    first, second = s.all("iam.role", "database")[:2]
    second.attributes["name"] = first.attributes["name"]


# --- 6: watching


@breaks("DR601")
def _(s):
    s.add(
        "dns",
        "cloudwatch.alarm",
        STANDBY,
        name="dns",
        namespace="AWS/Route53",
        metric_name="HealthCheckStatus",
        treat_missing_data="breaching",
        dimensions={"HealthCheckId": s.ref("route53.health_check", "endpoint", "id")},
    )


@breaks("DR602")
def _(s):
    for item in s.all("cloudwatch.alarm", "lag"):
        item.region = PRIMARY
        item.attributes.pop("alarm_actions", None)


@breaks("DR603")
def _(s):
    for item in s.all("cloudwatch.alarm"):
        if item.attributes.get("metric_name") == "HealthyHostCount":
            item.attributes.pop("treat_missing_data", None)


@breaks("DR604")
def _(s):
    far = s.ref("firehose.stream", "primary_watch")
    s.change("cloudwatch.metric_stream", "standby", firehose_arn=far)


@breaks("DR605")
def _(s):
    for item in s.all("cloudwatch.alarm"):
        if item.attributes.get("namespace") == "AWS/ApplicationELB":
            item.attributes["dimensions"] = {}


@breaks("DR606")
def _(s):
    far = s.ref("sns.topic", "us_east_2")
    s.change("cloudwatch.alarm", "standby_watch_rpo_lag", alarm_actions=[far])


@breaks("DR607")
def _(s):
    s.drop(s.only("s3.replication", "metrics_primary"))
