"""Twins for the tests: bare ones, with nothing deployed, and what tests need to speak to one."""

import io
import json
import time
import zipfile

import boto3
import pytest
from botocore.config import Config

from otherside.twin.twin import Twin, TwinSettings

EAST, WEST, CONTROL = "us-east-2", "us-west-2", "us-east-1"
ACCOUNT = "123456789012"


PATIENCE = 6.0
"""A twin slows down while its machine is busy, and so may take several times as long."""


def until(found, *, seconds=30.0, every_s=0.05):
    """Return what a question finds, once it finds anything; `seconds` are of a machine at rest."""
    deadline_s = time.monotonic() + seconds * PATIENCE
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < deadline_s, f"not within {seconds} s: {found}"
        time.sleep(every_s)


class Bare(Twin):
    """A twin with nothing deployed, and short ways to make things on it."""

    def aws(self, service, region=EAST):
        """Return a client, as the provisioner."""
        return self.clients.get(service, region)

    def trust(self, principal):
        """Return a trust policy for a service or for the provisioner."""
        kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
        statement = {
            "Effect": "Allow",
            "Principal": {kind: principal},
            "Action": "sts:AssumeRole",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def role(self, name, *statements, trusting=None):
        """Make a role with an inline policy; return its ARN."""
        iam = self.aws("iam")
        trusted = trusting or f"arn:aws:iam::{ACCOUNT}:user/provisioner"
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=self.trust(trusted))
        if statements:
            document = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(
                RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document)
            )
        return made["Role"]["Arn"]

    def as_role(self, arn, service, region=EAST):
        """Return a client with a role's credentials."""
        got = self.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.known["endpoint"],
            aws_access_key_id=got["AccessKeyId"],
            aws_secret_access_key=got["SecretAccessKey"],
            aws_session_token=got["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
        )

    def function(self, name, code, *, region=EAST, statements=(), handler="f.handler", **more):
        """Make a function of one file; return its ARN."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("f.py", code)
        role = self.role(f"{name}-{region}", *statements, trusting="lambda.amazonaws.com")
        made = self.aws("lambda", region).create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler=handler,
            Role=role,
            Code={"ZipFile": packed.getvalue()},
            **more,
        )
        return made["FunctionArn"]

    def queue(self, name, *, region=EAST, principal=None, **attributes):
        """Make a queue that a service may send to; return (URL, ARN)."""
        arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
        if principal:
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": principal},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
            attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = self.aws("sqs", region).create_queue(QueueName=name, Attributes=attributes)
        return made["QueueUrl"], arn

    def received(self, url, region=EAST):
        """Take the messages of a queue, with their attributes."""
        sqs = self.aws("sqs", region)
        got = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        for message in got.get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [
            (
                json.loads(message["Body"]),
                {k: v["StringValue"] for k, v in message.get("MessageAttributes", {}).items()},
            )
            for message in got.get("Messages", [])
        ]


@pytest.fixture(scope="module")
def bare():
    """Return a bare twin of this module's own, twenty times as fast, without modelled times."""
    with Bare(TwinSettings(speed=20, latency=False)) as running:
        yield running
