"""Every Pulumi resource type that the twin creates, by service; it never guesses at others."""

from collections.abc import Mapping

from otherside.twin.deploy.creation import Create
from otherside.twin.services.acm import provision as acm
from otherside.twin.services.autoscaling import provision as autoscaling
from otherside.twin.services.backup import provision as backup
from otherside.twin.services.cloudwatch import provision as cloudwatch
from otherside.twin.services.dynamodb import provision as dynamodb
from otherside.twin.services.ec2 import provision as ec2
from otherside.twin.services.elbv2 import provision as elbv2
from otherside.twin.services.events import provision as events
from otherside.twin.services.firehose import provision as firehose
from otherside.twin.services.iam import provision as iam
from otherside.twin.services.kms import provision as kms
from otherside.twin.services.lambda_ import provision as lambda_
from otherside.twin.services.logs import provision as logs
from otherside.twin.services.rds import provision as rds
from otherside.twin.services.route53 import provision as route53
from otherside.twin.services.s3 import provision as s3
from otherside.twin.services.secretsmanager import provision as secretsmanager
from otherside.twin.services.sns import provision as sns
from otherside.twin.services.sqs import provision as sqs

_SERVICES = (
    acm,
    autoscaling,
    backup,
    cloudwatch,
    dynamodb,
    ec2,
    elbv2,
    events,
    firehose,
    iam,
    kms,
    lambda_,
    logs,
    rds,
    route53,
    s3,
    secretsmanager,
    sns,
    sqs,
)

RESOURCE_TYPES: Mapping[str, Create] = {
    f"aws:{token}": create
    for service in _SERVICES
    for token, create in service.RESOURCE_TYPES.items()
}
