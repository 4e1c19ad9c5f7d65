"""Mock AWS outputs: identifiers and ARNs of the right shape for a declaration without AWS.

Nothing is created. Each answer is a function of the resource's URN and its inputs, so a program
declares the same graph every time.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "123456789012"
"""The account of a declaration that names none; AWS's own example number."""
PASSWORD = "Imagined0Secret"  # noqa: S105 - not a real password
"""Every mock password consists of this, which distinguishes it from a literal."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One resource to mock."""

    urn: str
    name: str
    """Its logical name."""
    region: str
    account: str
    inputs: Values

    def hex(self, length: int) -> str:
        """Return hexadecimal digits that are unique to this resource."""
        return hashlib.sha256(self.urn.encode()).hexdigest()[:length]

    @property
    def uuid(self) -> str:
        """A UUID that is unique to this resource."""
        return str(uuid.UUID(self.hex(32)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MockAnswer:
    """Templates for the identifier and the outputs of one resource type.

    Placeholders are `name` (given, or generated as Pulumi does), `region`, `account`, `hex`, `HEX`,
    `uuid` and every plain input.
    """

    id: str = "{name}"
    naming: str = "name"
    """The property that holds the physical name."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[Registration, str], Values] | None = None


def imagine(token: str, birth: Registration) -> tuple[str, dict[str, Any]]:
    """Return a resource's mock identifier and state: its inputs and what AWS adds to them."""
    answer = ANSWERS.get(token, _UNKNOWN)
    named = birth.inputs.get(answer.naming)
    name = named if isinstance(named, str) else f"{birth.name}-{birth.hex(7)}"
    terms = _Terms(_strings(birth.inputs))
    terms |= {
        "name": name,
        "region": birth.region,
        "account": birth.account,
        "hex": birth.hex(17),
        "HEX": birth.hex(20).upper(),
        "uuid": birth.uuid,
    }
    state = dict(birth.inputs)
    if token in ANSWERS:
        state.setdefault(answer.naming, name)
    state |= {key: template.format_map(terms) for key, template in answer.outputs.items()}
    if answer.more is not None:
        state |= answer.more(birth, name)
    return answer.id.format_map(_Terms(terms | _strings(state))), state


def invoke(  # noqa: C901 - one case per data source
    token: str, arguments: Values, *, region: str, account: str
) -> dict[str, Any] | None:
    """Return the mock answer of a data source, or `None` if there is none."""
    match token:
        case "aws:index/getAvailabilityZones:getAvailabilityZones":
            letters = "bcd" if region == "ap-northeast-1" else "abcd"
            letters = letters[:3] if region in _THREE_ZONES else letters
            names = [f"{region}{letter}" for letter in letters]
            ids = [f"{region}-az{number}" for number, _ in enumerate(names, start=1)]
            return {"names": names, "zoneIds": ids, "id": region, "state": "available"}
        case "aws:index/getCallerIdentity:getCallerIdentity":
            arn = f"arn:aws:iam::{account}:user/declaring"
            return {"accountId": account, "arn": arn, "id": account, "userId": "AIDADECLARING"}
        case "aws:index/getRegion:getRegion":
            return {"name": region, "id": region, "region": region}
        case "aws:index/getPartition:getPartition":
            return {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"}
        case "aws:ssm/getParameter:getParameter":
            name = str(arguments["name"])
            digest = hashlib.sha256(f"{region}{name}".encode()).hexdigest()[:17]
            value = f"ami-{digest}" if "/ami-" in name else f"imagined-{digest}"
            return {"name": name, "value": value, "id": name, "type": "String"}
        case "aws:secretsmanager/getRandomPassword:getRandomPassword":
            length = int(arguments.get("passwordLength") or 32)
            return {"randomPassword": (PASSWORD * 20)[:length], "id": "random"}
        case "aws:ec2/getManagedPrefixList:getManagedPrefixList":
            digest = hashlib.sha256(f"{region}{arguments.get('name')}".encode()).hexdigest()[:8]
            return {**arguments, "id": f"pl-{digest}", "maxEntries": 25}
        case "aws:iam/getPolicyDocument:getPolicyDocument":
            return {"json": _policy_document(arguments), "id": "document"}
        case "aws:ec2/getAmi:getAmi":
            digest = hashlib.sha256(f"{region}{sorted(arguments)}".encode()).hexdigest()[:17]
            return {**arguments, "id": f"ami-{digest}", "imageId": f"ami-{digest}"}
        case "aws:elb/getServiceAccount:getServiceAccount":
            number = f"{int(hashlib.sha256(region.encode()).hexdigest()[:10], 16):012d}"[:12]
            return {"id": number, "arn": f"arn:aws:iam::{number}:root", "region": region}
        case _:
            return None


def _rule_arn(birth: Registration, name: str) -> dict[str, Any]:
    """Return the ARN of an event rule, which names its bus unless that is the default one."""
    bus = str(birth.inputs.get("eventBusName") or "default").rpartition(":event-bus/")[2]
    named = name if bus == "default" else f"{bus}/{name}"
    return {"arn": f"arn:aws:events:{birth.region}:{birth.account}:rule/{named}"}


def _policy_document(arguments: Values) -> str:
    """Return the JSON that the provider generates from typed statements."""
    names = {"sid": "Sid", "effect": "Effect", "actions": "Action", "notActions": "NotAction"}
    names |= {"resources": "Resource", "notResources": "NotResource"}
    statements = []
    for given in arguments.get("statements") or []:
        made: dict[str, Any] = {"Effect": "Allow"}
        made |= {names[k]: v for k, v in given.items() if k in names and v}
        for principal in given.get("principals") or []:
            made.setdefault("Principal", {})[principal["type"]] = principal["identifiers"]
        for condition in given.get("conditions") or []:
            made.setdefault("Condition", {}).setdefault(condition["test"], {})[
                condition["variable"]
            ] = condition["values"]
        statements.append(made)
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


_THREE_ZONES = frozenset({"us-east-2", "us-west-1", "eu-west-1", "eu-west-2", "eu-central-1"})


class _Terms(dict[str, str]):
    """Values of a template's placeholders; a missing one is an empty string."""

    def __missing__(self, key: str) -> str:
        return ""


def _strings(state: Values) -> dict[str, str]:
    return {key: value for key, value in state.items() if isinstance(value, str)}


def _regional(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{{region}}:{{account}}:{resource}"


def _by_arn(service: str, resource: str, **more: str) -> MockAnswer:
    return MockAnswer(id="{arn}", outputs={"arn": _regional(service, resource), **more})


def _ec2(prefix: str, kind: str | None = None, **outputs: str) -> MockAnswer:
    arn = {"arn": _regional("ec2", f"{kind}/{prefix}-{{hex}}")} if kind else {}
    return MockAnswer(id=f"{prefix}-{{hex}}", outputs={**arn, **outputs})


def _load_balancer(birth: Registration, name: str) -> Values:
    suffix = f"app/{name}/{birth.hex(16)}"
    return {
        "arn": f"arn:aws:elasticloadbalancing:{birth.region}:{birth.account}:loadbalancer/{suffix}",
        "arnSuffix": suffix,
        "dnsName": f"{name}-{int(birth.hex(8), 16)}.{birth.region}.elb.amazonaws.com",
        "zoneId": f"Z{birth.hex(13).upper()}",
    }


def _target_group(birth: Registration, name: str) -> Values:
    suffix = f"targetgroup/{name}/{birth.hex(16)}"
    arn = f"arn:aws:elasticloadbalancing:{birth.region}:{birth.account}:{suffix}"
    return {"arn": arn, "arnSuffix": suffix}


def _listener(birth: Registration, _name: str) -> Values:
    balancer = str(birth.inputs.get("loadBalancerArn", ""))
    return {"arn": f"{balancer.replace(':loadbalancer/', ':listener/')}/{birth.hex(16)}"}


def _cluster(birth: Registration, name: str) -> Values:
    host = f"{birth.hex(12)}.{birth.region}.rds.amazonaws.com"
    return {
        "arn": f"arn:aws:rds:{birth.region}:{birth.account}:cluster:{name}",
        "endpoint": f"{name}.cluster-{host}",
        "readerEndpoint": f"{name}.cluster-ro-{host}",
        "clusterResourceId": f"cluster-{birth.hex(26).upper()}",
        "port": 5432,
    }


def _certificate(birth: Registration, _name: str) -> Values:
    others = birth.inputs.get("subjectAlternativeNames")
    named = [birth.inputs.get("domainName"), *(others if isinstance(others, list) else ())]
    options = [
        {
            "domainName": domain,
            "resourceRecordName": f"_{birth.hex(32)}.{domain.removeprefix('*.')}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{birth.hex(31)}.acm-validations.aws.",
        }
        for domain in dict.fromkeys(map(str, named))
    ]
    return {"domainValidationOptions": options}


def _zone(birth: Registration, _name: str) -> Values:
    zone = f"Z{birth.hex(19).upper()}"
    servers = [f"ns-{n}.awsdns-{n:02}.test" for n in (1, 2, 3, 4)]
    return {"zoneId": zone, "arn": f"arn:aws:route53:::hostedzone/{zone}", "nameServers": servers}


def _bucket(birth: Registration, name: str) -> Values:
    return {
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{birth.region}.amazonaws.com",
    }


_UNKNOWN = MockAnswer(id="{name}")

ANSWERS: dict[str, MockAnswer] = {
    "pulumi:providers:aws": MockAnswer(id="{uuid}"),
    "aws:acm/certificate:Certificate": MockAnswer(
        id="{arn}",
        outputs={"arn": _regional("acm", "certificate/{uuid}"), "status": "ISSUED"},
        more=_certificate,
    ),
    "aws:acm/certificateValidation:CertificateValidation": MockAnswer(id="{certificateArn}"),
    "aws:autoscaling/group:Group": MockAnswer(
        outputs={
            "arn": _regional("autoscaling", "autoScalingGroup:{uuid}:autoScalingGroupName/{name}")
        }
    ),
    "aws:backup/plan:Plan": MockAnswer(
        id="{uuid}", outputs={"arn": _regional("backup", "backup-plan:{uuid}"), "version": "1"}
    ),
    "aws:backup/selection:Selection": MockAnswer(id="{uuid}"),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": MockAnswer(
        outputs={"arn": _regional("backup", "restore-testing-plan:{name}")}
    ),
    "aws:backup/vault:Vault": MockAnswer(
        outputs={"arn": _regional("backup", "backup-vault:{name}")}
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": MockAnswer(
        naming="alarmName",
        id="{alarmName}",
        outputs={"arn": _regional("cloudwatch", "alarm:{name}")},
    ),
    "aws:cloudwatch/dashboard:Dashboard": MockAnswer(naming="dashboardName", id="{dashboardName}"),
    "aws:cloudwatch/eventBus:EventBus": MockAnswer(
        outputs={"arn": _regional("events", "event-bus/{name}")}
    ),
    "aws:cloudwatch/eventRule:EventRule": MockAnswer(more=_rule_arn),
    "aws:cloudwatch/logGroup:LogGroup": MockAnswer(
        outputs={"arn": _regional("logs", "log-group:{name}")}
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": MockAnswer(
        outputs={"arn": _regional("cloudwatch", "alarm:{name}")}
    ),
    "aws:cloudwatch/metricStream:MetricStream": MockAnswer(
        outputs={"arn": _regional("cloudwatch", "metric-stream/{name}"), "state": "running"}
    ),
    "aws:dynamodb/table:Table": MockAnswer(outputs={"arn": _regional("dynamodb", "table/{name}")}),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _ec2("sg", "security-group"),
    "aws:ec2/eip:Eip": _ec2("eipalloc", allocationId="eipalloc-{hex}", publicIp="198.18.0.1"),
    "aws:ec2/flowLog:FlowLog": _ec2("fl", "vpc-flow-log"),
    "aws:ec2/internetGateway:InternetGateway": _ec2("igw", "internet-gateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": MockAnswer(
        id="lt-{hex}",
        outputs={"arn": _regional("ec2", "launch-template/lt-{hex}")},
        more=lambda _birth, _name: {"latestVersion": 1, "defaultVersion": 1},
    ),
    "aws:ec2/natGateway:NatGateway": _ec2("nat", publicIp="198.18.0.1"),
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": MockAnswer(
        id="{vpcPeeringConnectionId}"
    ),
    "aws:ec2/route:Route": MockAnswer(id="r-{hex}"),
    "aws:ec2/routeTable:RouteTable": _ec2("rtb", "route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _ec2("rtbassoc"),
    "aws:ec2/securityGroup:SecurityGroup": _ec2("sg", "security-group"),
    "aws:ec2/subnet:Subnet": _ec2("subnet", "subnet"),
    "aws:ec2/vpc:Vpc": _ec2("vpc", "vpc", defaultSecurityGroupId="sg-{hex}"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _ec2("vpce", "vpc-endpoint"),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": _ec2(
        "pcx", acceptStatus="pending-acceptance"
    ),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": MockAnswer(
        id="{vpcPeeringConnectionId}", outputs={"acceptStatus": "active"}
    ),
    "aws:iam/instanceProfile:InstanceProfile": MockAnswer(
        outputs={"arn": "arn:aws:iam::{account}:instance-profile/{name}"}
    ),
    "aws:iam/role:Role": MockAnswer(
        outputs={"arn": "arn:aws:iam::{account}:role/{name}", "uniqueId": "AROA{HEX}"}
    ),
    "aws:iam/rolePolicy:RolePolicy": MockAnswer(id="{role}:{name}"),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": _by_arn(
        "firehose", "deliverystream/{name}"
    ),
    "aws:kms/alias:Alias": MockAnswer(outputs={"arn": _regional("kms", "{name}")}),
    "aws:kms/key:Key": MockAnswer(
        id="{uuid}", outputs={"arn": _regional("kms", "key/{uuid}"), "keyId": "{uuid}"}
    ),
    "aws:lambda/function:Function": MockAnswer(
        outputs={"arn": _regional("lambda", "function:{name}"), "version": "$LATEST"}
    ),
    "aws:lb/listener:Listener": MockAnswer(id="{arn}", more=_listener),
    "aws:lb/loadBalancer:LoadBalancer": MockAnswer(id="{arn}", more=_load_balancer),
    "aws:lb/targetGroup:TargetGroup": MockAnswer(id="{arn}", more=_target_group),
    "aws:rds/cluster:Cluster": MockAnswer(
        naming="clusterIdentifier", id="{clusterIdentifier}", more=_cluster
    ),
    "aws:rds/clusterInstance:ClusterInstance": MockAnswer(
        naming="identifier",
        id="{identifier}",
        outputs={"arn": _regional("rds", "db:{name}"), "dbiResourceId": "db-{HEX}"},
    ),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": MockAnswer(
        outputs={"arn": _regional("rds", "cluster-pg:{name}")}
    ),
    "aws:rds/globalCluster:GlobalCluster": MockAnswer(
        naming="globalClusterIdentifier",
        id="{globalClusterIdentifier}",
        outputs={
            "arn": "arn:aws:rds::{account}:global-cluster:{name}",
            "endpoint": "{name}.global-{hex}.global.rds.amazonaws.com",
            "globalClusterResourceId": "cluster-{hex}",
        },
    ),
    "aws:rds/subnetGroup:SubnetGroup": MockAnswer(
        outputs={"arn": _regional("rds", "subgrp:{name}")}
    ),
    "aws:route53/healthCheck:HealthCheck": MockAnswer(
        id="{uuid}", outputs={"arn": "arn:aws:route53:::healthcheck/{uuid}"}
    ),
    "aws:route53/record:Record": MockAnswer(
        id="{zoneId}_{name}_{type}", outputs={"fqdn": "{name}"}
    ),
    "aws:route53/zone:Zone": MockAnswer(id="{zoneId}", more=_zone),
    "aws:s3/bucket:Bucket": MockAnswer(naming="bucket", id="{bucket}", more=_bucket),
    "aws:s3/bucketObjectv2:BucketObjectv2": MockAnswer(
        naming="key", id="{bucket}/{key}", outputs={"versionId": "{hex}", "etag": "{hex}"}
    ),
    "aws:secretsmanager/secret:Secret": _by_arn("secretsmanager", "secret:{name}-Imagin"),
    "aws:secretsmanager/secretRotation:SecretRotation": MockAnswer(id="{secretId}"),
    "aws:secretsmanager/secretVersion:SecretVersion": MockAnswer(
        id="{secretId}|{uuid}", outputs={"versionId": "{uuid}"}
    ),
    "aws:sns/topic:Topic": _by_arn("sns", "{name}"),
    "aws:sns/topicSubscription:TopicSubscription": MockAnswer(
        id="{topic}:{uuid}", outputs={"arn": "{topic}:{uuid}"}
    ),
    "aws:sqs/queue:Queue": MockAnswer(
        id="{url}",
        outputs={
            "arn": _regional("sqs", "{name}"),
            "url": "https://sqs.{region}.amazonaws.com/{account}/{name}",
        },
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _ec2("sgr", "security-group-rule"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _ec2("sgr", "security-group-rule"),
}
"""Answers for every resource type whose identifier or outputs other resources use."""
