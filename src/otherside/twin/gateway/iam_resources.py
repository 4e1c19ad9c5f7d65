"""What IAM checks for a call: the action, the resource's ARN and the service's condition keys.

The tables follow the Service Authorization Reference. If a call is not in them, the twin cannot
name its resource's ARN, and only a statement about all resources applies.
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from otherside.twin import moto_backend
from otherside.twin.gateway.protocol import GLOBAL_SERVICES, ApiCall, Params


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationItem:
    """One action on one resource that a call must be allowed."""

    action: str
    resource: str | None
    """`*` if the action applies to no resource, `None` if the twin cannot name the ARN."""
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)


PREFIXES: Mapping[str, str] = {
    "elbv2": "elasticloadbalancing",
    "elb": "elasticloadbalancing",
    "stepfunctions": "states",
}
ACTIONS: Mapping[tuple[str, str], str] = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("s3", "HeadObject"): "GetObject",
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "ListObjects"): "ListBucket",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "ListObjectVersions"): "ListBucketVersions",
    ("s3", "ListBuckets"): "ListAllMyBuckets",
    ("s3", "CreateMultipartUpload"): "PutObject",
    ("s3", "UploadPart"): "PutObject",
    ("s3", "CompleteMultipartUpload"): "PutObject",
    ("s3", "CopyObject"): "PutObject",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sns", "PublishBatch"): "Publish",
}
"""Operations whose action has another name."""


def subjects_of(call: ApiCall, region: str, account: str) -> list[AuthorizationItem]:
    """Return every permission that a call needs."""
    prefix = PREFIXES.get(call.service, call.service)
    action = f"{prefix}:{ACTIONS.get((call.service, call.operation), call.operation)}"
    where = "" if call.service in GLOBAL_SERVICES else region
    arns = _arns(call, where, account)
    keys = KEYS.get(call.service, _no_keys)(call.params)
    own = [AuthorizationItem(action=action, resource=arn, keys=keys) for arn in arns]
    return [*own, *_passed_roles(call), *_copied_object(call)]


def _passed_roles(call: ApiCall) -> Iterator[AuthorizationItem]:
    """Yield the permission to pass each role that a call hands to a service.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    paths, service = PASSES.get((call.service, call.operation), ((), ""))
    for path in paths:
        for role in _at(call.params, path.split(".")):
            if isinstance(role, str) and role.startswith("arn:"):
                keys = {"iam:passedtoservice": [service]}
                yield AuthorizationItem(action="iam:PassRole", resource=role, keys=keys)


def _at(value: object, path: Sequence[str]) -> Iterator[object]:
    """Yield what stands at a path in a call's parameters, in every element of a list."""
    if isinstance(value, list):
        for element in value:
            yield from _at(element, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        yield from _at(value.get(path[0]), path[1:])


def _copied_object(call: ApiCall) -> Iterator[AuthorizationItem]:
    """Yield the permission to read what a call copies from elsewhere in S3."""
    if (call.service, call.operation) in {("s3", "CopyObject"), ("s3", "UploadPartCopy")}:
        source = unquote(str(call.params.get("CopySource") or "").partition("?")[0]).lstrip("/")
        yield AuthorizationItem(action="s3:GetObject", resource=f"arn:aws:s3:::{source}")


PASSES: Mapping[tuple[str, str], tuple[Sequence[str], str]] = {
    ("lambda", "CreateFunction"): (["Role"], "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): (["Role"], "lambda.amazonaws.com"),
    ("events", "PutRule"): (["RoleArn"], "events.amazonaws.com"),
    ("events", "PutTargets"): (["Targets.RoleArn"], "events.amazonaws.com"),
    ("scheduler", "CreateSchedule"): (["Target.RoleArn"], "scheduler.amazonaws.com"),
    ("scheduler", "UpdateSchedule"): (["Target.RoleArn"], "scheduler.amazonaws.com"),
    ("backup", "CreateBackupSelection"): (["BackupSelection.IamRoleArn"], "backup.amazonaws.com"),
    ("backup", "StartBackupJob"): (["IamRoleArn"], "backup.amazonaws.com"),
    ("backup", "StartCopyJob"): (["IamRoleArn"], "backup.amazonaws.com"),
    ("backup", "StartRestoreJob"): (["IamRoleArn"], "backup.amazonaws.com"),
    ("firehose", "CreateDeliveryStream"): (
        ["S3DestinationConfiguration.RoleARN", "ExtendedS3DestinationConfiguration.RoleARN"],
        "firehose.amazonaws.com",
    ),
    ("cloudwatch", "PutMetricStream"): (["RoleArn"], "streams.metrics.cloudwatch.amazonaws.com"),
    ("s3", "PutBucketReplication"): (["ReplicationConfiguration.Role"], "s3.amazonaws.com"),
    ("rds", "CreateDBInstance"): (["MonitoringRoleArn"], "monitoring.rds.amazonaws.com"),
    ("rds", "ModifyDBInstance"): (["MonitoringRoleArn"], "monitoring.rds.amazonaws.com"),
    ("logs", "PutSubscriptionFilter"): (["roleArn"], "logs.amazonaws.com"),
}
"""Where calls name a role that they hand to a service, and the service that gets it."""


def _arns(call: ApiCall, region: str, account: str) -> Sequence[str | None]:
    if (call.service, call.operation) in NO_RESOURCE or (
        call.service in DESCRIBES_ALL and call.operation.startswith(("Describe", "List"))
    ):
        return ["*"]
    special = SPECIAL.get((call.service, call.operation))
    if special is not None:
        return special(call.params, region, account)
    found = RESOURCES.get(call.service)
    arn = found(call.params, region, account) if found else None
    return [arn]


NO_RESOURCE = frozenset(
    {
        ("cloudwatch", "PutMetricData"),
        ("cloudwatch", "GetMetricData"),
        ("cloudwatch", "GetMetricStatistics"),
        ("cloudwatch", "ListMetrics"),
        ("rds", "DescribeEvents"),
        ("autoscaling", "DescribeAutoScalingGroups"),
        ("autoscaling", "DescribeAutoScalingInstances"),
        ("autoscaling", "DescribeScalingActivities"),
        ("s3", "ListBuckets"),
        ("xray", "PutTraceSegments"),
        ("xray", "PutTelemetryRecords"),
        ("secretsmanager", "ListSecrets"),
        ("secretsmanager", "GetRandomPassword"),
        ("sqs", "ListQueues"),
        ("sns", "ListTopics"),
        ("lambda", "ListFunctions"),
        ("dynamodb", "ListTables"),
        ("kms", "CreateKey"),
        ("kms", "ListKeys"),
        ("kms", "ListAliases"),
        ("kms", "GenerateRandom"),
        ("route53", "ListHostedZones"),
        ("route53", "ListHostedZonesByName"),
        ("route53", "CreateHostedZone"),
        ("route53", "ListHealthChecks"),
        ("route53", "CreateHealthCheck"),
        ("iam", "ListRoles"),
        ("iam", "ListUsers"),
        ("iam", "ListGroups"),
        ("iam", "ListPolicies"),
        ("events", "ListEventBuses"),
        ("acm", "ListCertificates"),
        ("acm", "RequestCertificate"),
    }
)
DESCRIBES_ALL = frozenset({"ec2", "elbv2"})
"""Services whose Describe actions apply to no resource."""


def _named(kind: str, parameter: str, service: str, *, sep: str = "/") -> Callable[..., str | None]:
    """Return a function that builds an ARN from a parameter with the resource's name or ARN."""

    def arn(params: Params, region: str, account: str) -> str | None:
        given = params.get(parameter)
        if not isinstance(given, str):
            return None
        if given.startswith("arn:"):
            return given
        inside = f"{kind}{sep}{given}" if kind else given
        return f"arn:aws:{service}:{region}:{account}:{inside}"

    return arn


def _s3(params: Params, _region: str, _account: str) -> str | None:
    bucket, key = params.get("Bucket"), params.get("Key")
    if not bucket:
        return None
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def _queue(params: Params, region: str, account: str) -> str | None:
    name = params.get("QueueName") or str(params.get("QueueUrl", "")).rpartition("/")[2]
    return f"arn:aws:sqs:{region}:{account}:{name}" if name else None


def _topic(params: Params, region: str, account: str) -> str | None:
    given = params.get("TopicArn") or params.get("TargetArn")
    if given is None and params.get("Name"):
        return f"arn:aws:sns:{region}:{account}:{params['Name']}"
    return given


def _function(params: Params, region: str, account: str) -> str | None:
    given = params.get("FunctionName")
    if not isinstance(given, str):
        return None
    found = re.search(r"function:([^:]+)", given)
    name = found[1] if found else given.partition(":")[0]
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


def _key(params: Params, region: str, account: str) -> str | None:

    given = params.get("KeyId") or params.get("TargetKeyId") or params.get("SourceKeyId")
    if given is None:
        blob = params.get("CiphertextBlob") or params.get("SourceCiphertextBlob")
        given = blob[:36].decode(errors="replace") if isinstance(blob, bytes) else None
    if not isinstance(given, str):
        return None
    if given.startswith("arn:") and ":key/" in given:
        return given
    found = moto_backend.kms_key_id(account, region, given)
    return f"arn:aws:kms:{region}:{account}:key/{found}" if found else None


def _secret(params: Params, region: str, account: str) -> str | None:

    given = params.get("SecretId") or params.get("Name")
    if not isinstance(given, str):
        return None
    if given.startswith("arn:"):
        return given
    secrets = moto_backend.secretsmanager(account, region).secrets
    found = secrets[given] if secrets.get(given) else None
    return found.arn if found else f"arn:aws:secretsmanager:{region}:{account}:secret:{given}"


def _log(params: Params, region: str, account: str) -> str | None:
    group = params.get("logGroupName") or params.get("logGroupIdentifier")
    if not group:
        return None
    base = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    stream = params.get("logStreamName")
    return f"{base}:log-stream:{stream}" if stream else f"{base}:*"


def _global_members(params: Params, _region: str, account: str) -> list[str | None]:
    """Return what a move is checked on: the global cluster and every member of it."""
    name = str(params.get("GlobalClusterIdentifier", ""))
    arns: list[str | None] = [f"arn:aws:rds::{account}:global-cluster:{name}"]
    for backend in moto_backend.rds_regions(account).values():
        held = backend.global_clusters.get(name)
        if held is not None:
            arns += [member.db_cluster_arn for member in held.members]
    return arns


def _whole(params: Params, _region: str, account: str) -> list[str | None]:
    name = params.get("GlobalClusterIdentifier") or "*"
    return [f"arn:aws:rds::{account}:global-cluster:{name}"]


def _clusters(params: Params, region: str, account: str) -> list[str | None]:
    given = str(params.get("DBClusterIdentifier") or "*")
    return [
        given if given.startswith("arn:") else f"arn:aws:rds:{region}:{account}:cluster:{given}"
    ]


def _group(params: Params, region: str, account: str) -> list[str | None]:

    name = str(params.get("AutoScalingGroupName"))
    groups = moto_backend.autoscaling(account, region).autoscaling_groups
    found = groups.get(name)
    return [found.arn if found else None]


def _event_bridge(params: Params, region: str, account: str) -> list[str | None]:
    names = {str(entry.get("EventBusName") or "default") for entry in params.get("Entries", ())}
    return [
        name if name.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{name}"
        for name in sorted(names)
    ]


def _role(params: Params, _region: str, _account: str) -> list[str | None]:
    return [params.get("RoleArn")]


def _instances(params: Params, region: str, account: str) -> list[str | None]:
    given = str(params.get("DBInstanceIdentifier") or "*")
    return [given if given.startswith("arn:") else f"arn:aws:rds:{region}:{account}:db:{given}"]


def _alarms(params: Params, region: str, account: str) -> list[str | None]:
    names = params.get("AlarmNames") or [params.get("AlarmName") or "*"]
    return [f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}" for name in names]


def _rule(params: Params, region: str, account: str) -> list[str | None]:
    """Return a rule's ARN; on the default bus its name stands alone."""
    name = params.get("Rule") or params.get("Name") or "*"
    bus = str(params.get("EventBusName") or "default").rpartition("/")[2]
    inside = f"{name}" if bus == "default" else f"{bus}/{name}"
    return [f"arn:aws:events:{region}:{account}:rule/{inside}"]


def _route53(params: Params, _region: str, _account: str) -> str | None:
    """Return the ARN of a hosted zone or a health check; `Id` alone is a zone's."""
    check = params.get("HealthCheckId")
    if check:
        return f"arn:aws:route53:::healthcheck/{check}"
    zone = params.get("HostedZoneId") or params.get("Id")
    return f"arn:aws:route53:::hostedzone/{str(zone).rpartition('/')[2]}" if zone else None


def _change(params: Params, _region: str, _account: str) -> list[str | None]:
    """Return the ARN of a change of Route 53's, which is no zone's."""
    return [f"arn:aws:route53:::change/{str(params.get('Id')).rpartition('/')[2]}"]


def _federated(params: Params, _region: str, account: str) -> list[str | None]:
    """Return the ARN of the user whose session is opened."""
    return [f"arn:aws:sts::{account}:federated-user/{params.get('Name')}"]


def _iam(params: Params, _region: str, account: str) -> str | None:
    """Return the ARN of a role, user, group, profile or policy, with the path that it has."""
    if params.get("PolicyArn") and not any(params.get(name) for name in _IAM_HELD):
        return str(params["PolicyArn"])
    backend = moto_backend.iam(account)
    for parameter, (kind, held) in _IAM_HELD.items():
        name = params.get(parameter)
        if name:
            found = [item for item in getattr(backend, held).values() if item.name == name]
            path = found[0].path if found else params.get("Path") or "/"
            return f"arn:aws:iam::{account}:{kind}{path}{name}"
    return None


_IAM_HELD: Mapping[str, tuple[str, str]] = {
    "InstanceProfileName": ("instance-profile", "instance_profiles"),
    "GroupName": ("group", "groups"),
    "RoleName": ("role", "roles"),
    "UserName": ("user", "users"),
}
"""Parameters that name something of IAM's, in the order in which they decide: the first that is
given is what the call is checked on. With each the kind in its ARN, and where moto holds it."""


SPECIAL: Mapping[tuple[str, str], Callable[[Params, str, str], Sequence[str | None]]] = {
    ("sts", "GetFederationToken"): _federated,
    ("rds", "FailoverGlobalCluster"): _global_members,
    ("rds", "SwitchoverGlobalCluster"): _global_members,
    ("rds", "DescribeGlobalClusters"): _whole,
    ("rds", "DescribeDBClusters"): _clusters,
    ("rds", "ModifyDBCluster"): _clusters,
    ("rds", "DescribeDBInstances"): _instances,
    ("rds", "RebootDBInstance"): _instances,
    ("rds", "StopDBInstance"): _instances,
    ("rds", "StartDBInstance"): _instances,
    **dict.fromkeys(
        [
            ("cloudwatch", name)
            for name in (
                *("PutMetricAlarm", "PutCompositeAlarm", "DescribeAlarms", "DeleteAlarms"),
                *("SetAlarmState", "EnableAlarmActions", "DisableAlarmActions"),
                "DescribeAlarmHistory",
            )
        ],
        _alarms,
    ),
    **dict.fromkeys(
        [
            ("events", name)
            for name in (
                *("PutRule", "DescribeRule", "DeleteRule", "EnableRule", "DisableRule"),
                *("PutTargets", "RemoveTargets", "ListTargetsByRule", "ListRules"),
            )
        ],
        _rule,
    ),
    ("autoscaling", "UpdateAutoScalingGroup"): _group,
    ("autoscaling", "SetDesiredCapacity"): _group,
    ("events", "PutEvents"): _event_bridge,
    ("sts", "AssumeRole"): _role,
    ("route53", "GetChange"): _change,
}
RESOURCES: Mapping[str, Callable[[Params, str, str], str | None]] = {
    "dynamodb": _named("table", "TableName", "dynamodb"),
    "s3": _s3,
    "sqs": _queue,
    "sns": _topic,
    "lambda": _function,
    "kms": _key,
    "secretsmanager": _secret,
    "logs": _log,
    "firehose": _named("deliverystream", "DeliveryStreamName", "firehose"),
    "ssm": _named("parameter", "Name", "ssm"),
    "route53": _route53,
    "iam": _iam,
    "acm": _named("certificate", "CertificateArn", "acm"),
}


def _no_keys(_: Params) -> Mapping[str, Sequence[str]]:
    return {}


def _dynamodb_keys(params: Params) -> Mapping[str, Sequence[str]]:
    """Return the partition keys that a call touches; a query names one in its condition."""
    name = str(params.get("TableName", "")).rpartition("/")[2]
    partition = next(
        (
            table.hash_key_attr
            for backend in moto_backend.dynamodb_of_every_account()
            for table in [backend.tables.get(name)]
            if table is not None
        ),
        None,
    )
    item = params.get("Key") or params.get("Item") or {}
    if partition in item:
        return {"dynamodb:leadingkeys": [str(v) for v in item[partition].values()]}
    values = params.get("ExpressionAttributeValues") or {}
    names = params.get("ExpressionAttributeNames") or {}
    condition = str(params.get("KeyConditionExpression", ""))
    for name_, value in re.findall(r"([#\w.-]+)\s*=\s*(:\w+)", condition):
        if names.get(name_, name_) == partition and value in values:
            return {"dynamodb:leadingkeys": [str(v) for v in values[value].values()]}
    return {} if condition else {"dynamodb:leadingkeys": []}  # a missing key cannot be evaluated


def _kms_keys(params: Params) -> Mapping[str, Sequence[str]]:
    context = params.get("EncryptionContext") or {}
    return {f"kms:encryptioncontext:{k.lower()}": [v] for k, v in context.items()}


def _s3_keys(params: Params) -> Mapping[str, Sequence[str]]:
    """Return the prefix of a listing and the tags of an object, each tag by its key."""
    found: dict[str, Sequence[str]] = {
        "s3:prefix": [params["Prefix"]] if params.get("Prefix") else []
    }
    tags = moto_backend.s3_object_tags(str(params.get("Bucket")), str(params.get("Key")))
    return found | {f"s3:existingobjecttag/{key}".lower(): [value] for key, value in tags.items()}


KEYS: Mapping[str, Callable[[Params], Mapping[str, Sequence[str]]]] = {
    "dynamodb": _dynamodb_keys,
    "cloudwatch": lambda params: {"cloudwatch:namespace": [str(params.get("Namespace", ""))]},
    "kms": _kms_keys,
    "sts": lambda params: {
        "sts:externalid": [params["ExternalId"]] if params.get("ExternalId") else []
    },
    "s3": _s3_keys,
}
