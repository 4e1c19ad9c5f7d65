"""The fifteen failures that generated two-region stacks have: what must hold, what breaks it.

Each has a claim, which reads a declaration and returns what is wrong with it, and sabotages, each
of which is a resource transform that brings the failure back into our own stack.
"""

import dataclasses
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.stack_assertions import (
    CONTROL,
    PRIMARY,
    SIDES,
    STANDBY,
    allows,
    kms_keys,
    leaves,
    matches,
    role_policy,
    routes,
    script,
)
from otherside.drill.mutations import Mutation, drop, edit, put
from otherside.program.monitor import Declaration, RegisteredResource


@dataclass(frozen=True)
class Failure:
    """One of the fifteen."""

    number: int
    name: str
    claim: Callable[[Declaration], list[str]]
    sabotages: dict[str, Callable[[], Mutation]]

    def __str__(self):
        return f"{self.number:02}-{self.name}"


def generated_password() -> str:
    """Return the password that a declaration imagines."""
    return ("Imagined0Secret" * 10)[:40]


def no_password_in_clear(stack):
    """The database's password is marked secret wherever it goes, and is nobody's literal."""
    wrong = []
    for resource in stack.resources:
        marked = {path.split(".", 1)[0] for path in resource.secrets} | resource.secret_outputs
        answers = {key: value for key, value in resource.outputs.items() if key not in marked}
        shown = [
            *leaves(resource.inputs),
            *leaves(script_of(resource), "userData"),
            *leaves(answers, "→"),
        ]
        for path, value in shown:
            hidden = any(path == s or path.startswith(f"{s}.") for s in resource.secrets)
            if isinstance(value, str) and generated_password() in value and not hidden:
                wrong.append(f"{resource.name}: {path} has the password in clear")
    wrong += [
        f"export {k}" for k, v in leaves(dict(stack.exports)) if generated_password() in str(v)
    ]
    for cluster in stack.of("rds/cluster:Cluster"):
        if "masterPassword" in cluster.inputs:
            wrong.append(f"{cluster.name}: masterPassword is kept and cannot be rotated away")
        if "masterPasswordWo" in cluster.inputs and "masterPasswordWo" not in cluster.secrets:
            wrong.append(f"{cluster.name}: masterPasswordWo is not marked secret")
    return wrong


def script_of(registered_resource: RegisteredResource) -> str:
    """Return what a resource boots with, readable."""
    return script(registered_resource) if "userData" in registered_resource.inputs else ""


ENCRYPTED = {
    "backup/vault:Vault": "kmsKeyArn",
    "cloudwatch/eventBus:EventBus": "kmsKeyIdentifier",
    "cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "lambda/function:Function": "kmsKeyArn",
    "rds/cluster:Cluster": "kmsKeyId",
    "rds/clusterInstance:ClusterInstance": "performanceInsightsKmsKeyId",
    "secretsmanager/secret:Secret": "kmsKeyId",
    "sns/topic:Topic": "kmsMasterKeyId",
    "sqs/queue:Queue": "kmsMasterKeyId",
}


def own_keys_everywhere(stack):
    """Everything that keeps data does so under a rotated key of our own, in its own Region."""
    keys, wrong = kms_keys(stack), []
    for key in stack.of("kms/key:Key"):
        if not key.inputs.get("enableKeyRotation"):
            wrong.append(f"{key.name}: does not rotate")
    for kind, name in ENCRYPTED.items():
        for entry in stack.of(kind):
            if keys.get(entry.inputs.get(name)) != entry.region:
                wrong.append(f"{entry.name}: {name} is no key of ours in {entry.region}")
    for launch_template in stack.of("ec2/launchTemplate:LaunchTemplate"):
        if (
            keys.get(launch_template.inputs["blockDeviceMappings"][0]["ebs"].get("kmsKeyId"))
            != launch_template.region
        ):
            wrong.append(f"{launch_template.name}: volumes have no key of ours")
    return wrong


def actuator_can_fail_over(stack):
    """The actuator may make every call of a failover, on every resource that it is checked on."""
    try:
        statements = role_policy(stack, "actuator")
    except LookupError as error:
        return [str(error)]
    whole = stack.only("rds/globalCluster:GlobalCluster").outputs["arn"]
    clusters = [cluster.outputs["arn"] for cluster in stack.of("rds/cluster:Cluster")]
    group = stack.only("autoscaling/group:Group", region=STANDBY).outputs["arn"]
    table = stack.only("dynamodb/table:Table", "state").outputs["arn"]
    needed = [
        *(("rds:FailoverGlobalCluster", arn) for arn in (whole, *clusters)),
        *(("rds:SwitchoverGlobalCluster", arn) for arn in (whole, *clusters)),
        *(("rds:DescribeDBClusters", arn) for arn in clusters),
        ("rds:DescribeGlobalClusters", whole),
        ("rds:DescribeEvents", "*"),
        ("autoscaling:UpdateAutoScalingGroup", group),
        ("dynamodb:PutItem", table),
    ]
    return [f"{action} on {arn}" for action, arn in needed if not allows(statements, action, arn)]


def peering_carries_traffic(stack):
    """The peering is accepted on the other side, and every table routes through it."""
    wrong = []
    connection = stack.only("ec2/vpcPeeringConnection:VpcPeeringConnection")
    accepted = [
        vpcpeeringconnectionaccepter.region
        for vpcpeeringconnectionaccepter in stack.of(
            "ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
        )
        if vpcpeeringconnectionaccepter.inputs["vpcPeeringConnectionId"] == connection.id
        and vpcpeeringconnectionaccepter.inputs.get("autoAccept")
    ]
    if accepted != [connection.inputs["peerRegion"]]:
        wrong.append(f"accepted in {accepted or 'no Region'}")
    cidrs = {vpc.region: vpc.inputs["cidrBlock"] for vpc in stack.of("ec2/vpc:Vpc")}
    for here, there in SIDES.items():
        for table, reached in routes(stack, here).items():
            if reached != {cidrs[there]}:
                wrong.append(f"table {table} in {here} reaches {reached or 'nothing'}")
    return wrong


def records_can_fail_over(stack):
    """Every record of a failover pair says which of the two it is."""
    wrong, pairs = [], {}
    for record in stack.of("route53/record:Record"):
        if "ttl" in record.inputs and "failoverRoutingPolicies" not in record.inputs:
            continue
        role = (record.inputs.get("failoverRoutingPolicies") or [{}])[0].get("type")
        identifier = record.inputs.get("setIdentifier")
        if not identifier or role is None:
            wrong.append(f"{record.name}: setIdentifier {identifier}, failover {role}")
        pairs.setdefault((record.inputs["name"], record.inputs["type"]), set()).add(
            (identifier, role)
        )
    for pair, members in pairs.items():
        if {role for _, role in members} != {"PRIMARY", "SECONDARY"} or len(members) != 2:
            wrong.append(f"{pair}: {members} are no pair")
    return wrong


def checks_match_listeners(stack):
    """A health check speaks the protocol, on the port, of a listener that forwards."""
    balancers = {
        load_balancer.id: load_balancer.outputs["dnsName"]
        for load_balancer in stack.of("lb/loadBalancer:LoadBalancer")
    }
    forwarding = {
        (
            balancers[listener.inputs["loadBalancerArn"]],
            listener.inputs["protocol"],
            listener.inputs["port"],
        )
        for listener in stack.of("lb/listener:Listener")
        if listener.inputs["defaultActions"][0]["type"] == "forward"
    }
    endpoint = [o for o in stack.of("route53/healthCheck:HealthCheck") if "fqdn" in o.inputs]
    wrong = []
    for item in endpoint:
        asked = item.inputs["fqdn"], item.inputs["type"], item.inputs["port"]
        if asked not in forwarding:
            wrong.append(f"{item.name}: nothing forwards on {asked[1]}:{asked[2]}")
    return wrong if len(endpoint) == 2 else [*wrong, f"{len(endpoint)} endpoint checks"]


def health_path_is_created(stack):
    """An instance's boot creates the file that the load balancer asks for."""
    wrong = []
    for group in stack.of("lb/targetGroup:TargetGroup"):
        path = group.inputs["healthCheck"]["path"]
        boot = script(stack.only("ec2/launchTemplate:LaunchTemplate", region=group.region))
        if not re.search(rf"^mv \S+ '\S+{re.escape(path)}'$", boot, re.MULTILINE):
            wrong.append(f"{group.region}: nothing creates {path} at boot")
    return wrong


def metrics_reach_the_other_side(stack):
    """Each side streams its metrics into its own bucket, and each bucket into the other's."""
    wrong = []
    deliveries = {
        firehosedeliverystream.outputs["arn"]: firehosedeliverystream
        for firehosedeliverystream in stack.of(
            "kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
        )
    }
    buckets = {
        declared_bucket.outputs["arn"]: declared_bucket
        for declared_bucket in stack.of("s3/bucket:Bucket")
    }
    copied = {
        bucketreplicationconfig.inputs["bucket"]: bucketreplicationconfig.inputs["rules"][0][
            "destination"
        ]["bucket"]
        for bucketreplicationconfig in stack.of(
            "s3/bucketReplicationConfig:BucketReplicationConfig"
        )
        if bucketreplicationconfig.inputs["rules"][0]["status"] == "Enabled"
    }
    streams = {
        metric_stream.region: metric_stream
        for metric_stream in stack.of("cloudwatch/metricStream:MetricStream")
    }
    for here, there in SIDES.items():
        stream = streams.get(here)
        delivery = deliveries.get(stream.inputs["firehoseArn"]) if stream else None
        if delivery is None or delivery.region != here:
            wrong.append(f"{here} streams no metrics")
            continue
        bucket = buckets[delivery.inputs["extendedS3Configuration"]["bucketArn"]]
        target = buckets.get(copied.get(bucket.id, ""))
        if bucket.region != here or target is None or target.region != there:
            wrong.append(f"{here}: metrics do not reach {there}")
    return wrong


def dimensions_are_suffixes(stack):
    """Alarms name load balancers and target groups as their metrics do."""
    patterns = {"LoadBalancer": r"app/[\w-]+/\w+", "TargetGroup": r"targetgroup/[\w-]+/\w+"}
    wrong, seen = [], set()
    for alarm in stack.of("cloudwatch/metricAlarm:MetricAlarm"):
        for name, value in (alarm.inputs.get("dimensions") or {}).items():
            seen |= {(name, alarm.region)} & {(n, r) for n in patterns for r in SIDES}
            if name in patterns and not matches(patterns[name], value):
                wrong.append(f"{alarm.name}: {name} = {value}")
            elif str(value).startswith("arn:"):
                wrong.append(f"{alarm.name}: {name} is an ARN")
    return wrong if len(seen) == 4 else [*wrong, f"only {seen} are watched"]


def alarms_wake_the_orchestrator(stack):
    """Every rule leads somewhere, and a function lets the rule that calls it in."""
    rules = stack.of("cloudwatch/eventRule:EventRule")
    targets = {
        (
            event_target.region,
            event_target.inputs["rule"],
        ): event_target
        for event_target in stack.of("cloudwatch/eventTarget:EventTarget")
    }
    functions = {
        function.outputs["arn"]: function.id for function in stack.of("lambda/function:Function")
    }
    permitted = {
        (permission.inputs["function"], permission.inputs.get("sourceArn"))
        for permission in stack.of("lambda/permission:Permission")
        if permission.inputs["principal"] == "events.amazonaws.com"
    }
    wrong = [] if len(rules) == 16 else [f"{len(rules)} rules"]
    for rule in rules:
        target = targets.get((rule.region, rule.inputs["name"]))
        if target is None:
            wrong.append(f"{rule.name}: no target")
        elif target.inputs["arn"] in functions:
            if (functions[target.inputs["arn"]], rule.outputs["arn"]) not in permitted:
                wrong.append(f"{rule.name}: not permitted to call the function")
        elif ":sns:" in target.inputs["arn"]:
            continue  # a topic lets events in by its own policy
        elif "event-bus/" not in target.inputs["arn"] or not target.inputs.get("roleArn"):
            wrong.append(f"{rule.name}: leads to {target.inputs['arn']} without a role")
    return wrong


def copies_have_a_vault(stack):
    """Every copy goes to a vault that exists, on the other side."""
    vaults = {vault.outputs["arn"]: vault.region for vault in stack.of("backup/vault:Vault")}
    wrong, copying = [], set()
    for plan in stack.of("backup/plan:Plan"):
        for copy in plan.inputs["rules"][0].get("copyActions") or []:
            where = vaults.get(copy["destinationVaultArn"])
            if where != SIDES[plan.region]:
                wrong.append(f"{plan.name}: copies to {where or 'no vault'}")
            copying.add(plan.region)
    return wrong if copying == set(SIDES) else [*wrong, f"only {copying} copy"]


def functions_can_load(stack):
    """Each function's handler is in its bundle, written for its runtime."""
    wrong = []
    for declared_function in stack.of("lambda/function:Function"):
        module, _, function = declared_function.inputs["handler"].rpartition(".")
        path = f"{module.replace('.', '/')}.py"
        code = declared_function.inputs["code"]
        inside = code.assets if isinstance(code, pulumi.AssetArchive) else {}
        if not declared_function.inputs["runtime"].startswith("python"):
            wrong.append(
                f"{declared_function.name}: {declared_function.inputs['runtime']} cannot run {path}"
            )
        elif path not in inside:
            wrong.append(f"{declared_function.name}: {path} is not in the bundle")
        else:
            text = Path(inside[path].path).read_text(encoding="utf-8")
            if f"\ndef {function}(" not in text:
                wrong.append(f"{declared_function.name}: {path} has no {function}")
    return wrong


def one_provider_a_region(stack):
    """One provider reaches each Region, and every resource was handed one of them."""
    regions = [
        pulumi_providers_aws.inputs["region"]
        for pulumi_providers_aws in stack.of("pulumi:providers:aws")
    ]
    wrong = [] if sorted(regions) == sorted({PRIMARY, STANDBY, CONTROL}) else [f"{regions}"]
    known = {pulumi_providers_aws.urn for pulumi_providers_aws in stack.of("pulumi:providers:aws")}
    for resource in stack.resources:
        if resource.type.startswith("aws:") and resource.provider not in known:
            wrong.append(f"{resource.name}: uses no provider of ours")
        if resource.type.startswith("aws:") and "region" in resource.inputs:
            wrong.append(f"{resource.name}: names its Region beside its provider")
    return wrong


def tables_have_own_keys(stack):
    """Every table is encrypted with our key, at home and in each replica's Region."""
    keys, wrong = kms_keys(stack), []
    for table in stack.of("dynamodb/table:Table"):
        encryption = table.inputs.get("serverSideEncryption") or {}
        if not encryption.get("enabled") or keys.get(encryption.get("kmsKeyArn")) != table.region:
            wrong.append(f"{table.name}: no key of ours at home")
        for replica in table.inputs.get("replicas") or []:
            if keys.get(replica.get("kmsKeyArn")) != replica["regionName"]:
                wrong.append(f"{table.name}: no key of ours in {replica['regionName']}")
    return wrong


def database_logs_arrive(stack):
    """Both clusters export their log, into a group that was there first and that expires."""
    groups = {
        (log_group.region, log_group.inputs["name"]): log_group
        for log_group in stack.of("cloudwatch/logGroup:LogGroup")
    }
    wrong = []
    for cluster in stack.of("rds/cluster:Cluster"):
        name = f"/aws/rds/cluster/{cluster.id}/postgresql"
        group = groups.get((cluster.region, name))
        if cluster.inputs.get("enabledCloudwatchLogsExports") != ["postgresql"]:
            wrong.append(f"{cluster.name}: exports no log")
        elif group is None or not group.inputs.get("retentionInDays"):
            wrong.append(f"{cluster.name}: {name} was not made, or never expires")
        elif group.urn not in cluster.dependencies:
            wrong.append(f"{cluster.name}: does not wait for {name}")
    return wrong


def without(statement_sid):
    """Return a change of a policy: one statement less."""

    def how(text):
        document = json.loads(text)
        document["Statement"] = [o for o in document["Statement"] if o["Sid"] != statement_sid]
        return json.dumps(document)

    return how


def respell(old, new):
    """Return a change of a resource that gives one of its inputs another name."""

    def change(item):
        inputs = {new if key == old else key: value for key, value in item.inputs.items()}
        return dataclasses.replace(item, inputs=inputs)

    return change


def own_provider(item):
    """Return a resource that was handed no provider."""
    return dataclasses.replace(item, provider="")


FAILOVER_ALARM = "no-healthy-host"
BALANCER = "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/app/orders/50dc6c49"

FAILURES = [
    Failure(
        1,
        "hardcoded-database-password",
        no_password_in_clear,
        {
            "in the program": lambda: put(
                "rds/cluster:Cluster", region=PRIMARY, masterPassword="MySecurePassword123!"
            ),
            "in the environment": lambda: put(
                "lambda/function:Function",
                name="decider",
                environment={"variables": {"DB_PASSWORD": generated_password()}},
            ),
        },
    ),
    Failure(
        2,
        "aws-managed-keys",
        own_keys_everywhere,
        {
            "database under AWS's key": lambda: put(
                "rds/cluster:Cluster", region=STANDBY, kmsKeyId=None
            ),
            "key never rotates": lambda: put(
                "kms/key:Key", name="secrets", enableKeyRotation=False
            ),
            "topic under alias/aws/sns": lambda: put(
                "sns/topic:Topic", kmsMasterKeyId="alias/aws/sns"
            ),
        },
    ),
    Failure(
        3,
        "incomplete-function-permissions",
        actuator_can_fail_over,
        {
            "cannot promote": lambda: edit(
                "iam/rolePolicy:RolePolicy", "policy", without("MoveTheWriter"), name="actuator"
            ),
            "cannot see what moves": lambda: edit(
                "iam/rolePolicy:RolePolicy", "policy", without("SeeTheWhole"), name="actuator"
            ),
            "no policy at all": lambda: drop("iam/rolePolicy:RolePolicy", name="actuator"),
        },
    ),
    Failure(
        4,
        "missing-peering-accepter",
        peering_carries_traffic,
        {
            "never accepted": lambda: drop(
                "ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
            ),
            "no way back": lambda: drop("ec2/route:Route", name="peering-standby"),
        },
    ),
    Failure(
        5,
        "misspelt-set-identifier",
        records_can_fail_over,
        {
            "plural": lambda: Mutation(
                "route53/record:Record",
                respell("setIdentifier", "setIdentifiers"),
                name="traffic-primary",
            )
        },
    ),
    Failure(
        6,
        "health-check-protocol-mismatch",
        checks_match_listeners,
        {
            "HTTPS where HTTP forwards": lambda: put(
                "route53/healthCheck:HealthCheck", name="primary-endpoint", type="HTTPS", port=443
            )
        },
    ),
    Failure(
        7,
        "missing-health-endpoint",
        health_path_is_created,
        {
            "boot does not create it": lambda: put(
                "ec2/launchTemplate:LaunchTemplate", region=STANDBY, userData="IyEvYmluL2Jhc2gK"
            )
        },
    ),
    Failure(
        8,
        "missing-metric-streams",
        metrics_reach_the_other_side,
        {
            "none in the standby": lambda: drop(
                "cloudwatch/metricStream:MetricStream", region=STANDBY
            ),
            "not replicated": lambda: drop(
                "s3/bucketReplicationConfig:BucketReplicationConfig", region=PRIMARY
            ),
        },
    ),
    Failure(
        9,
        "alarm-dimension-is-an-arn",
        dimensions_are_suffixes,
        {
            "the whole ARN": lambda: put(
                "cloudwatch/metricAlarm:MetricAlarm",
                name=FAILOVER_ALARM,
                dimensions={"LoadBalancer": BALANCER},
            ),
            "the ARN after its last colon": lambda: put(
                "cloudwatch/metricAlarm:MetricAlarm",
                name=FAILOVER_ALARM,
                dimensions={"LoadBalancer": BALANCER.rsplit(":", 1)[-1]},
            ),
        },
    ),
    Failure(
        10,
        "missing-event-target",
        alarms_wake_the_orchestrator,
        {
            "rule without target": lambda: drop(
                "cloudwatch/eventTarget:EventTarget", name="-alarms"
            ),
            "target without permission": lambda: drop(
                "lambda/permission:Permission", name="alarms"
            ),
        },
    ),
    Failure(
        11,
        "missing-standby-vault",
        copies_have_a_vault,
        {
            "no vault in the standby": lambda: drop("backup/vault:Vault", region=STANDBY),
            "no copy from the standby": lambda: edit(
                "backup/plan:Plan",
                "rules",
                lambda rules: [{**rules[0], "copyActions": []}],
                region=STANDBY,
            ),
        },
    ),
    Failure(
        12,
        "function-that-cannot-load",
        functions_can_load,
        {
            "another runtime": lambda: put(
                "lambda/function:Function", name="decider", runtime="nodejs22.x"
            ),
            "a handler that is not there": lambda: put(
                "lambda/function:Function", name="actuator", handler="index.handler"
            ),
        },
    ),
    Failure(
        13,
        "duplicated-providers",
        one_provider_a_region,
        {
            "two for one Region": lambda: Mutation(
                "pulumi:providers:aws",
                lambda item: dataclasses.replace(item, inputs={**item.inputs, "region": PRIMARY}),
                name="standby",
            ),
        },
    ),
    Failure(
        14,
        "table-without-own-key",
        tables_have_own_keys,
        {
            "at home": lambda: put(
                "dynamodb/table:Table", name="sessions", serverSideEncryption=None
            ),
            "in the replica": lambda: edit(
                "dynamodb/table:Table",
                "replicas",
                lambda replicas: [
                    {k: v for k, v in replica.items() if k != "kmsKeyArn"} for replica in replicas
                ],
                name="state",
            ),
        },
    ),
    Failure(
        15,
        "database-logs-not-exported",
        database_logs_arrive,
        {
            "not exported": lambda: put(
                "rds/cluster:Cluster", region=STANDBY, enabledCloudwatchLogsExports=None
            ),
            "group left to Aurora": lambda: drop(
                "cloudwatch/logGroup:LogGroup", name="database-standby"
            ),
        },
    ),
]
