"""Every registered input is one that AWS accepts, in every variant and in each Region."""

import dataclasses
import json
import re
from importlib.resources import files

import botocore.session
import pytest

from api_validation import catalogue
from api_validation.policies import complaints
from api_validation.request import refusals
from otherside.config.document import ConfigDocument
from otherside.config.validation import LOG_RETENTION_DAYS
from otherside.regions import REGIONS
from stacks import DESIGNS, declared, fast

CLUSTER = "rds/cluster:Cluster"

EXPLAINED = {
    # The reference lists a `dataset` for these two, which exists only for metrics under a
    # customer-managed key; a policy that names one lets nothing else through.
    "cloudwatch:getmetricdata on *, though it can be limited to resources",
    "cloudwatch:putmetricdata on *, though it can be limited to resources",
}


def aws_resources(variant):
    """Return what AWS makes of a variant."""
    return [
        resource for resource in declared(variant).resources if resource.type.startswith("aws:")
    ]


@pytest.mark.parametrize("variant", fast(DESIGNS, "standard"))
def test_every_request_would_be_accepted(variant):
    """Names, enumerations, patterns and bounds are those of the calls that make the resource."""
    wrong = [
        f"{aws_resource.type} {aws_resource.name}: {r}"
        for aws_resource in aws_resources(variant)
        for r in refusals(aws_resource)
    ]
    assert wrong == []


@pytest.mark.parametrize("variant", fast(DESIGNS, "standard"))
def test_policies_name_real_actions_and_no_more_resources_than_needed(variant):
    """No action that does not exist, and no wildcard where an action knows resources."""
    wrong = [text for aws_resource in aws_resources(variant) for text in complaints(aws_resource)]
    assert [text for text in wrong if not text.endswith(tuple(EXPLAINED))] == []


@pytest.mark.parametrize(
    "variant", fast(["standard", "europe", "control", "no-quorum"], "standard")
)
def test_every_region_offers_what_is_put_there(variant):
    """Every type exists in the Region that it is declared in."""
    missing = [
        f"{aws_resource.type} in {aws_resource.region}"
        for aws_resource in aws_resources(variant)
        if aws_resource.region != "global"
        and catalogue.offered(aws_resource.type, aws_resource.region) is False
    ]
    assert missing == []


@pytest.mark.parametrize("variant", fast(["standard", "europe", "serverless"], "standard"))
def test_versions_classes_and_types_exist_where_they_are_used(variant):
    """The engine version can still be created, and each Region has the classes."""
    stack = declared(variant)
    for entry in stack.of(CLUSTER):
        version = entry.inputs["engineVersion"]
        assert version in catalogue.engine_versions(deprecated=False)
        assert version not in catalogue.engine_versions(deprecated=True)
    for cluster_instance in stack.of("rds/clusterInstance:ClusterInstance"):
        assert cluster_instance.inputs["instanceClass"] in catalogue.database_classes(
            cluster_instance.region
        )
    for launch_template in stack.of("ec2/launchTemplate:LaunchTemplate"):
        assert launch_template.inputs["instanceType"] in catalogue.instance_types(
            launch_template.region
        )


def test_the_runtime_is_supported_for_years():
    """Lambda's runtime does not end soon."""
    runtimes = {
        function.inputs["runtime"] for function in declared().of("lambda/function:Function")
    }
    assert {catalogue.runtimes_deprecated()[runtime] >= "2029" for runtime in runtimes} == {True}


def test_our_list_of_regions_is_what_aws_has():
    """The Regions that a design may name are those of the commercial partition."""
    known = botocore.session.get_session().get_available_regions("rds", allow_non_regional=False)
    assert set(known) == REGIONS


def test_our_log_retentions_are_what_aws_accepts():
    """The numbers that a design may use are those that CloudFormation's schema lists."""
    schemas = files("cfnlint.data") / "schemas"
    provider = json.loads((schemas / "providers" / "us-east-1.json").read_text())
    name = provider["AWS::Logs::LogGroup"]
    schema = json.loads((schemas / "resources" / f"{name}.json").read_text())
    assert set(schema["properties"]["RetentionInDays"]["enum"]) == LOG_RETENTION_DAYS


def test_the_default_version_is_the_documents():
    """What the variants test is what an empty design uses."""
    default = ConfigDocument(name="orders").database.engine_version
    assert {default} == {entry.inputs["engineVersion"] for entry in declared().of(CLUSTER)}


DIMENSIONS = {
    ("AWS/ApplicationELB", "HealthyHostCount"): {"LoadBalancer", "TargetGroup"},
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"): {"LoadBalancer"},
    ("AWS/ApplicationELB", "TargetResponseTime"): {"LoadBalancer"},
    ("AWS/Backup", "NumberOfCopyJobsFailed"): {"BackupVaultName"},
    ("AWS/DynamoDB", "ReplicationLatency"): {"TableName", "ReceivingRegion"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "Invocations"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/RDS", "AuroraGlobalDBRPOLag"): {"DBClusterIdentifier", "SourceRegion"},
    ("AWS/RDS", "AuroraGlobalDBProgressLag"): {"DBClusterIdentifier", "SourceRegion"},
    ("AWS/RDS", "AuroraGlobalDBReplicationLag"): {"DBClusterIdentifier", "SourceRegion"},
    ("AWS/Route53", "HealthCheckStatus"): {"HealthCheckId"},
    ("Otherside", "WishesFailed"): {"Application"},
    ("AWS/CertificateManager", "DaysToExpiry"): {"CertificateArn"},
    ("AWS/S3", "OperationsFailedReplication"): {"SourceBucket", "DestinationBucket", "RuleId"},
    ("AWS/S3", "ReplicationLatency"): {"SourceBucket", "DestinationBucket", "RuleId"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("Otherside", "FailoverActive"): {"Application"},
    ("Otherside", "Heartbeat"): {"Application"},
}
"""A set of dimensions under which each service documents that it publishes the metric."""


def test_alarms_ask_for_metrics_as_they_are_published():
    """An alarm under any other set of dimensions waits for ever, and says nothing."""
    for alarm in declared("https").of("cloudwatch/metricAlarm:MetricAlarm"):
        metric = (
            alarm.inputs["namespace"],
            alarm.inputs["metricName"],
        )
        assert set(alarm.inputs["dimensions"]) == DIMENSIONS[metric], alarm.name


BROKEN = [
    ("route53/healthCheck:HealthCheck", {"type": "HTPS"}, "is none of"),
    ("route53/healthCheck:HealthCheck", {"requestIntervall": 10}, "no such member"),
    ("route53/record:Record", {"setIdentifiers": "primary"}, "no such member"),
    ("dynamodb/table:Table", {"billingMode": "ON_DEMAND"}, "is none of"),
    ("cloudwatch/metricAlarm:MetricAlarm", {"comparisonOperator": "Above"}, "is none of"),
    ("cloudwatch/metricAlarm:MetricAlarm", {"evaluationPeriods": 0}, "is not within"),
    ("kms/key:Key", {"deletionWindowInDays": "soon"}, "is no number"),
    ("lambda/function:Function", {"timeout": 0}, "is not within"),
    ("lambda/function:Function", {"runtime": "python4"}, "is none of"),
    ("lb/listener:Listener", {"port": 99999}, "is not within"),
    ("backup/vault:Vault", {"name": "v" * 51}, "does not match"),
    ("ec2/vpc:Vpc", {"enableDnsSupport": "perhaps"}, "is no boolean"),
    ("secretsmanager/secret:Secret", {"replicas": [{"regionName": "us-west-2"}]}, "no such member"),
    ("rds/cluster:Cluster", {"engine": None}, "is required"),
]


@pytest.mark.parametrize(("kind", "change", "why"), BROKEN)
def test_a_request_that_aws_would_refuse_is_noticed(kind, change, why):
    """The validator itself: each kind of mistake is found, by its reason."""
    entry = declared().of(kind)[0]
    kept = {k: v for k, v in {**entry.inputs, **change}.items() if v is not None}
    broken = dataclasses.replace(entry, inputs=kept)
    assert refusals(entry) == []
    assert any(why in str(refusal) for refusal in refusals(broken)), refusals(broken)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("rds:FailoverGlobalCluster", "rds:FailoverGlobalDatabase", "there is no action"),
        (":cluster:orders-prod-us-east-2", ":db:orders-prod", "does not apply to"),
    ],
)
def test_a_policy_that_grants_nothing_is_noticed(old, new, why):
    """The validator itself: an action that does not exist, a resource of another kind."""
    item = declared().only("iam/rolePolicy:RolePolicy", "actuator")
    assert old in item.inputs["policy"]
    broken = dataclasses.replace(
        item, inputs={**item.inputs, "policy": item.inputs["policy"].replace(old, new)}
    )
    assert any(why in text for text in complaints(broken))


def test_a_wildcard_where_a_resource_could_stand_is_noticed():
    """The validator itself: a star on an action that knows resources."""
    item = declared().only("iam/rolePolicy:RolePolicy", "actuator")
    wide = item.inputs["policy"].replace(
        declared().only("rds/globalCluster:GlobalCluster").outputs["arn"], "*"
    )
    broken = dataclasses.replace(item, inputs={**item.inputs, "policy": wide})
    assert any("though it can be limited" in text for text in complaints(broken))


def test_s3_alarms_are_where_s3_publishes():
    """Failures are published in the source's Region, latency in the destination's."""
    buckets = {
        declared_bucket.id: declared_bucket.region
        for declared_bucket in declared().of("s3/bucket:Bucket")
    }
    end = {"OperationsFailedReplication": "SourceBucket", "ReplicationLatency": "DestinationBucket"}
    watched = set()
    for alarm in declared().of("cloudwatch/metricAlarm:MetricAlarm"):
        if alarm.inputs["namespace"] == "AWS/S3":
            bucket = alarm.inputs["dimensions"][end[alarm.inputs["metricName"]]]
            assert buckets[bucket] == alarm.region
            watched.add((alarm.inputs["metricName"], alarm.region))
    assert len(watched) == 4


def test_events_reach_an_encrypted_topic():
    """For a topic, EventBridge supports no source condition: not on it, not on its key."""
    for topic in declared().of("sns/topicPolicy:TopicPolicy"):
        statements = json.loads(topic.inputs["policy"])["Statement"]
        (events,) = [statement for statement in statements if statement["Sid"] == "Events"]
        assert "Condition" not in events
    conditions = [
        set(statement["Condition"])
        for key in declared().of("kms/key:Key")
        for statement in json.loads(key.inputs["policy"])["Statement"]
        if statement["Sid"] == "EventTopics"
    ]
    assert conditions
    assert all(condition == {"ArnLike"} for condition in conditions)


def test_descriptions_have_the_characters_that_ec2_takes():
    """The rule stands in EC2's prose and in no model: no apostrophe, for one."""
    taken = re.compile(r"[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}")
    groups = [
        aws_resource
        for aws_resource in aws_resources("standard")
        if aws_resource.type.startswith(("aws:ec2/securityGroup", "aws:vpc/securityGroup"))
    ]
    assert groups
    for group in groups:
        assert taken.fullmatch(group.inputs["description"]), group.name


def test_the_longest_names_fit():
    """A design of the most characters that it may have, in the Region with the longest name."""
    stack = declared("longest")
    for bucket in stack.of("s3/bucket:Bucket"):
        assert len(bucket.inputs["bucket"]) <= 63
    for role in stack.of("iam/role:Role"):
        assert len(role.name) + 8 <= 64  # Pulumi's own suffix
    for resource in stack.resources:
        if resource.type.startswith("aws:"):
            assert refusals(resource) == []
