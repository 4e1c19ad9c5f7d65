"""The only module that uses moto's models: typed getters of each service's backend, and classes.

All of this is internal to moto and changes without notice; `pyproject.toml` bounds the version.
"""

from collections.abc import Callable, Mapping

import moto.kms.models as kms_models
from moto.acm.exceptions import CertificateNotFound
from moto.acm.models import AWSCertificateManagerBackend, acm_backends
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    autoscaling_backends,
)
from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.backup.models import BackupBackend, backup_backends
from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.ec2.models import EC2Backend, ec2_backends
from moto.elbv2.models import (
    ELBv2Backend,
    FakeListener,
    FakeLoadBalancer,
    FakeTargetGroup,
    elbv2_backends,
)
from moto.events.models import (
    Archive,
    EventPattern,
    EventsBackend,
    Replay,
    ReplayState,
    Rule,
    events_backends,
)
from moto.firehose.models import FirehoseBackend, firehose_backends
from moto.iam.access_control import PermissionResult
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.models import AWSManagedPolicy, IAMBackend, iam_backends
from moto.iam.policy_validation import IAMPolicyDocumentValidator
from moto.kms.exceptions import NotFoundException as KmsNotFoundException
from moto.kms.models import KmsBackend, kms_backends
from moto.kms.responses import KmsResponse
from moto.logs.models import LogsBackend, logs_backends
from moto.rds.models import DBCluster, RDSBackend, rds_backends
from moto.route53.models import Route53Backend, route53_backends
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule, scheduler_backends
from moto.secretsmanager.models import (
    FakeSecret,
    ReplicaSecret,
    SecretsManagerBackend,
    secretsmanager_backends,
)
from moto.sns.models import SNSBackend, Subscription, Topic, sns_backends
from moto.sqs.models import SQSBackend, sqs_backends
from moto.sts.models import STSBackend, sts_backends

__all__ = [
    "AWSManagedPolicy",
    "Alarm",
    "Archive",
    "CertificateNotFound",
    "DBCluster",
    "DynamoType",
    "EventPattern",
    "FakeAutoScalingGroup",
    "FakeBucket",
    "FakeKey",
    "FakeListener",
    "FakeLoadBalancer",
    "FakeSecret",
    "FakeTargetGroup",
    "Item",
    "KmsNotFoundException",
    "KmsResponse",
    "LambdaFunction",
    "LogsBackend",
    "PermissionResult",
    "Replay",
    "ReplayState",
    "ReplicaSecret",
    "Rule",
    "Schedule",
    "Subscription",
    "Table",
    "Topic",
    "aws_managed_policies_data",
]


def iam_tags(account: str, holder: object) -> Mapping[str, str]:
    """Return the tags of a user or a role; moto keeps a user's aside."""
    own = getattr(holder, "tags", None)
    if isinstance(own, Mapping):
        return {str(tag["Key"]): str(tag["Value"]) for tag in own.values()}
    found = iam(account).tagger.list_tags_for_resource(str(getattr(holder, "arn", "")))
    return {str(tag["Key"]): str(tag["Value"]) for tag in found["Tags"]}


def acm(account: str, region: str) -> AWSCertificateManagerBackend:
    return acm_backends[account][region]


def autoscaling(account: str, region: str) -> AutoScalingBackend:
    return autoscaling_backends[account][region]


def backup(account: str, region: str) -> BackupBackend:
    return backup_backends[account][region]


def cloudwatch(account: str, region: str) -> CloudWatchBackend:
    return cloudwatch_backends[account][region]


def dynamodb(account: str, region: str) -> DynamoDBBackend:
    return dynamodb_backends[account][region]


def ec2(account: str, region: str) -> EC2Backend:
    return ec2_backends[account][region]


def elbv2(account: str, region: str) -> ELBv2Backend:
    return elbv2_backends[account][region]


def events(account: str, region: str) -> EventsBackend:
    return events_backends[account][region]


def firehose(account: str, region: str) -> FirehoseBackend:
    return firehose_backends[account][region]


def iam(account: str) -> IAMBackend:
    return iam_backends[account]["aws"]


def kms(account: str, region: str) -> KmsBackend:
    return kms_backends[account][region]


def kms_key_id(account: str, region: str, name: str) -> str:
    """Return a key's id by its id, ARN, alias or alias's ARN; nothing if no key has that alias."""
    backend = kms(account, region)
    alias = backend.get_alias_name(name)
    if alias.startswith("alias/") and backend.get_key_id_from_alias(alias) is None:
        return ""  # moto fails on an alias that nobody made
    return backend.any_id_to_key_id(name)


def lambda_(account: str, region: str) -> LambdaBackend:
    return lambda_backends[account][region]


def logs(account: str, region: str) -> LogsBackend:
    return logs_backends[account][region]


def rds(account: str, region: str) -> RDSBackend:
    return rds_backends[account][region]


def route53(account: str) -> Route53Backend:
    return route53_backends[account]["aws"]


def s3(account: str) -> S3Backend:
    return s3_backends[account]["aws"]


def s3_object_tags(bucket: str, key: str) -> Mapping[str, str]:
    """Return the tags of an object, by key; none if there is no such object."""
    for account in list(s3_backends):
        backend = s3(account)
        held = backend.buckets.get(bucket)
        found = held.keys.get(key) if held is not None else None
        if found is not None:
            return dict(backend.tagger.get_tag_dict_for_resource(found.arn))
    return {}


def scheduler(account: str, region: str) -> EventBridgeSchedulerBackend:
    return scheduler_backends[account][region]


def secretsmanager(account: str, region: str) -> SecretsManagerBackend:
    return secretsmanager_backends[account][region]


def sns(account: str, region: str) -> SNSBackend:
    return sns_backends[account][region]


def sqs(account: str, region: str) -> SQSBackend:
    return sqs_backends[account][region]


def sts(account: str) -> STSBackend:
    return sts_backends[account]["aws"]


def rds_regions(account: str) -> Mapping[str, RDSBackend]:
    return rds_backends[account]


def dynamodb_of_every_account() -> list[DynamoDBBackend]:
    return [backend for regions in dynamodb_backends.values() for backend in regions.values()]


def make_key_ids_by(make: Callable[[bool], str]) -> None:
    """Replace moto's generator of key IDs."""
    kms_models.__dict__["generate_key_id"] = make


def identity_policy_problem(text: str) -> str | None:
    """Return what IAM says of a policy that it does not take, or `None`."""
    try:
        IAMPolicyDocumentValidator(text).validate()
    except MalformedPolicyDocument as error:
        return str(error.message)
    return None
