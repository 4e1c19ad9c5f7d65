"""Versions, classes and which Region offers what, from the data that cfn-lint carries."""

import json
from functools import cache
from importlib.resources import files

TYPES = {
    "acm/certificate:Certificate": "AWS::CertificateManager::Certificate",
    "autoscaling/group:Group": "AWS::AutoScaling::AutoScalingGroup",
    "backup/plan:Plan": "AWS::Backup::BackupPlan",
    "backup/restoreTestingPlan:RestoreTestingPlan": "AWS::Backup::RestoreTestingPlan",
    "backup/restoreTestingSelection:RestoreTestingSelection": (
        "AWS::Backup::RestoreTestingSelection"
    ),
    "backup/selection:Selection": "AWS::Backup::BackupSelection",
    "backup/vault:Vault": "AWS::Backup::BackupVault",
    "cloudwatch/compositeAlarm:CompositeAlarm": "AWS::CloudWatch::CompositeAlarm",
    "cloudwatch/dashboard:Dashboard": "AWS::CloudWatch::Dashboard",
    "cloudwatch/eventBus:EventBus": "AWS::Events::EventBus",
    "cloudwatch/eventRule:EventRule": "AWS::Events::Rule",
    "cloudwatch/logGroup:LogGroup": "AWS::Logs::LogGroup",
    "cloudwatch/metricAlarm:MetricAlarm": "AWS::CloudWatch::Alarm",
    "cloudwatch/metricStream:MetricStream": "AWS::CloudWatch::MetricStream",
    "dynamodb/table:Table": "AWS::DynamoDB::GlobalTable",
    "ec2/flowLog:FlowLog": "AWS::EC2::FlowLog",
    "ec2/launchTemplate:LaunchTemplate": "AWS::EC2::LaunchTemplate",
    "ec2/natGateway:NatGateway": "AWS::EC2::NatGateway",
    "ec2/vpc:Vpc": "AWS::EC2::VPC",
    "ec2/vpcEndpoint:VpcEndpoint": "AWS::EC2::VPCEndpoint",
    "ec2/vpcPeeringConnection:VpcPeeringConnection": "AWS::EC2::VPCPeeringConnection",
    "kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "AWS::KinesisFirehose::DeliveryStream",
    "kms/key:Key": "AWS::KMS::Key",
    "lambda/function:Function": "AWS::Lambda::Function",
    "lb/loadBalancer:LoadBalancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "rds/cluster:Cluster": "AWS::RDS::DBCluster",
    "rds/clusterInstance:ClusterInstance": "AWS::RDS::DBInstance",
    "rds/globalCluster:GlobalCluster": "AWS::RDS::GlobalCluster",
    "s3/bucket:Bucket": "AWS::S3::Bucket",
    "secretsmanager/secret:Secret": "AWS::SecretsManager::Secret",
    "sns/topic:Topic": "AWS::SNS::Topic",
    "sqs/queue:Queue": "AWS::SQS::Queue",
}
"""Types that stand for a service; the rest are parts of these."""


def offered(kind: str, region: str) -> bool | None:
    """Return whether a Region offers a type, or `None` where the type is only a part of one."""
    name = TYPES.get(kind.removeprefix("aws:"))
    return None if name is None else name in _load(f"schemas/providers/{region}.json")


def engine_versions(*, deprecated: bool) -> frozenset[str]:
    """Return the Aurora PostgreSQL versions that exist, or those that can no longer be created."""
    name = "engine_version_deprecated" if deprecated else "engine_version"
    for case in _load(f"schemas/extensions/aws_rds_dbcluster/{name}.json")["allOf"]:
        engine = case["if"]["properties"].get("Engine", {})
        if engine.get("const") == "aurora-postgresql":
            found = case["then"] or case["if"]
            return frozenset(found["properties"]["EngineVersion"]["enum"])
    raise LookupError(name)


def database_classes(region: str) -> frozenset[str]:
    """Return the instance classes that Aurora PostgreSQL has in a Region."""
    cases = _load("schemas/extensions/aws_rds_dbinstance/dbinstanceclass_enum.json")[region]
    for case in cases["allOf"]:
        if case["if"]["properties"].get("Engine", {}).get("const") == "aurora-postgresql":
            return frozenset(case["then"]["properties"]["DBInstanceClass"]["enum"])
    raise LookupError(region)


def instance_types(region: str) -> frozenset[str]:
    """Return the EC2 instance types of a Region."""
    types = _load("schemas/extensions/aws_ec2_instance/instancetype_enum.json")
    return frozenset(types[region]["enum"])


def runtimes_deprecated() -> dict[str, str]:
    """Return Lambda's runtimes with the day each is, or will be, deprecated."""
    found = _load("AdditionalSpecs/LmbdRuntimeLifecycle.json")
    return {name: item["deprecated"] for name, item in found.items()}


@cache
def _load(path: str) -> dict:
    return json.loads((files("cfnlint.data") / path).read_text(encoding="utf-8"))
