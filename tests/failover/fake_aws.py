"""AWS for the orchestrator's adapters: moto for what keeps things, and Aurora by hand.

Every call is checked against botocore's shapes and remembered with its Region and parameters.
"""

import contextlib
import functools
import json
import time
from dataclasses import dataclass, field, replace

import boto3
from moto import mock_aws

from otherside.core.topology import Side
from otherside.core.wire_contract import (
    PLEDGE_KEY,
    STATE_PARTITION,
    STATE_SORT,
    TRAFFIC_STATES,
    ItemType,
    OrchestratorSettings,
    WitnessSettings,
)
from otherside.failover.aws import http_probes
from otherside.failover.aws.aws_clients import AwsClients
from otherside.failover.aws.state_store import HealthReport
from otherside.failover.decision.observation import Reading
from stacks import declared

REGIONS = {Side.PRIMARY: "us-east-2", Side.STANDBY: "us-west-2"}
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}


def settings(role="decider", kind=OrchestratorSettings):
    """Return the settings that the stack gives a function."""
    function = declared().only("lambda/function:Function", role)
    return kind.from_environment(function.inputs["environment"]["variables"])


@dataclass
class Call:
    """One call, as AWS would see it."""

    service: str
    operation: str
    region: str
    params: dict


class Clock:
    """A clock that the test moves; it never waits, but time passes all the same."""

    def __init__(self):
        # Now, because the table's answers carry the real time.
        self.began_s = self.at_s = time.time()

    def now_s(self):
        """Return the time."""
        return self.at_s

    monotonic_s = now_s

    def sleep(self, seconds):
        """Let time pass."""
        self.at_s += seconds


@dataclass
class Aurora:
    """A global database with a member on each side."""

    writer: Side = Side.PRIMARY
    failover: dict | None = None
    lost: set = field(default_factory=set)
    """Regions whose control plane does not answer."""
    version: str = "17.9"
    standby_version: str = "17.9"
    instances: int = 1
    refuses: str | None = None
    events: list = field(default_factory=list)


class _Hooks:
    """What the shared clients ask: the account of the test that runs now."""

    account: "FakeAws"

    @classmethod
    def to(cls, name):
        """Return a hook that calls a method of that account."""

        def called(**event):
            return getattr(cls.account, name)(**event)

        return called


@functools.cache
def _clients():
    """Return the orchestrator's clients: making them costs more than most tests."""
    session = boto3.Session(**KEYS, region_name="eu-north-1")
    session.events.register("provide-client-params", _Hooks.to("record_call"))
    session.events.register("before-call.rds", _Hooks.to("databases"))
    session.events.register("before-call.lambda", _Hooks.to("functions"))
    session.events.register("before-call.auto-scaling", _Hooks.to("groups"))
    return AwsClients(session)


@functools.cache
def _plain(service, region):
    """Return a client whose calls nobody remembers."""
    return boto3.Session(**KEYS, region_name=region).client(service)


class FakeAws:
    """One account with the application's table, topic, group of instances and database."""

    def __init__(self):
        self.settings, self.clock, self.aurora = settings(), Clock(), Aurora()
        self.calls: list[Call] = []
        self.min_size = 1
        """Of the standby's group of instances."""
        self.readings = dict.fromkeys(("canary", "standby_app", "standby_write"), Reading.GOOD)
        self.names = {http_probes.OUTSIDE[0]: "192.0.2.99"}
        self.lead(Side.PRIMARY)
        self.clients = _clients()
        _Hooks.account = self
        self._make()

    def _make(self):
        known = self.settings
        keys = [(STATE_PARTITION, "HASH"), (STATE_SORT, "RANGE")]
        self.table = _plain("dynamodb", known.standby_region)
        self.table.create_table(
            TableName=known.state_table,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        self.objects = _plain("s3", known.standby_region)
        self.objects.create_bucket(
            Bucket=known.pledge_bucket,
            CreateBucketConfiguration={"LocationConstraint": known.standby_region},
        )
        topic = known.topic_arn.rsplit(":", 1)[1]
        sns, sqs = (_plain(service, known.standby_region) for service in ("sns", "sqs"))
        self.settings = replace(known, topic_arn=sns.create_topic(Name=topic)["TopicArn"])
        queue = sqs.create_queue(QueueName="people")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=self.settings.topic_arn,
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
        )
        self._queue, self._sqs = queue, sqs

    def record_call(self, params, model, context, **_):
        """Remember a call."""
        service = model.service_model.service_name
        region = context.get("client_region")
        self.calls.append(Call(service, model.name, region, dict(params)))

    def _region(self, request_signer):
        return request_signer._region_name

    def _answer(self, parsed, status=200):
        return type("Http", (), {"status_code": status})(), {
            "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": status},
            **parsed,
        }

    def groups(self, model, **_):
        """Answer for Auto Scaling."""
        if model.name == "UpdateAutoScalingGroup":
            self.min_size = self.calls[-1].params["MinSize"]
            return self._answer({})
        assert model.name == "DescribeAutoScalingGroups"
        return self._answer({"AutoScalingGroups": [{"MinSize": self.min_size}]})

    def functions(self, model, **_):
        """Answer for Lambda."""
        assert model.name == "Invoke"
        return self._answer({"StatusCode": 202})

    def databases(self, model, request_signer, **_):
        """Answer for RDS."""
        region, aurora = request_signer._region_name, self.aurora
        if region in aurora.lost:
            return self._answer({"Error": {"Code": "ServiceUnavailable", "Message": "-"}}, 503)
        return getattr(self, f"_{model.name}")(region)

    def _DescribeGlobalClusters(self, _region):  # noqa: N802 - AWS's own name
        known, aurora = self.settings, self.aurora
        members = [
            {
                "DBClusterArn": arn,
                "IsWriter": side is aurora.writer,
                "SynchronizationStatus": "connected",
            }
            for side, arn in self.arns.items()
        ]
        whole = {
            "GlobalClusterIdentifier": known.global_cluster,
            "EngineVersion": aurora.version,
            "GlobalClusterMembers": members,
        }
        if aurora.failover:
            whole["FailoverState"] = aurora.failover
        return self._answer({"GlobalClusters": [whole]})

    @property
    def arns(self):
        """Return the members by their side."""
        known = self.settings
        return {Side.PRIMARY: known.primary_cluster_arn, Side.STANDBY: known.standby_cluster_arn}

    def _DescribeDBClusters(self, region):  # noqa: N802 - AWS's own name
        standby = region == self.settings.standby_region
        item = {
            "Status": "available",
            "EngineVersion": self.aurora.standby_version if standby else self.aurora.version,
            "DBClusterMembers": [{"DBInstanceIdentifier": "i"}] * self.aurora.instances,
        }
        return self._answer({"DBClusters": [item]})

    def _DescribeEvents(self, _region):  # noqa: N802 - AWS's own name
        return self._answer({"Events": self.aurora.events})

    def _FailoverGlobalCluster(self, _region):  # noqa: N802 - AWS's own name
        return self._begin("failing-over", Side.STANDBY)

    def _SwitchoverGlobalCluster(self, _region):  # noqa: N802 - AWS's own name
        return self._begin("switching-over", self.aurora.writer.other)

    def _begin(self, status, target):
        aurora = self.aurora
        if aurora.refuses:
            return self._answer({"Error": {"Code": aurora.refuses, "Message": "secret words"}}, 400)
        aurora.failover = {
            "Status": status,
            "FromDbClusterArn": self.arns[target.other],
            "ToDbClusterArn": self.arns[target],
            "IsDataLossAllowed": status == "failing-over",
        }
        return self._answer({"GlobalCluster": {}})

    def finish_move(self):
        """Let Aurora have moved the writer."""
        target = self.aurora.failover["ToDbClusterArn"]
        self.aurora.writer = next(side for side, arn in self.arns.items() if arn == target)
        self.aurora.failover = None

    def lead(self, side):
        """Let DNS prefer a side."""
        self.names[settings().traffic_state_name] = TRAFFIC_STATES[side]

    def put(self, shelf, sort, item):
        """Put an item beside the revisions."""
        key = {
            STATE_PARTITION: {"S": shelf.of(self.settings.application)},
            STATE_SORT: {"S": sort},
        }
        self.table.put_item(TableName=self.settings.state_table, Item={**key, **item})

    def item(self, shelf, sort):
        """Return an item beside the revisions."""
        key = {
            STATE_PARTITION: {"S": shelf.of(self.settings.application)},
            STATE_SORT: {"S": sort},
        }
        return self.table.get_item(TableName=self.settings.state_table, Key=key).get("Item")

    def pulse(self, place, **said):
        """Let one place say how it is, now unless `at_s` is given."""
        report = HealthReport(**{"at_s": self.clock.at_s, **said})
        self.put(
            ItemType.PULSE,
            place,
            {
                name: {"BOOL": value} if isinstance(value, bool) else {"N": str(value)}
                for name in HealthReport.__slots__
                if (value := getattr(report, name)) is not None
            },
        )

    def order(self, order, revision, **more):
        """Let a person order something."""
        command = {"order": order, "revision": revision, "author": "ada", "at_s": self.clock.at_s}
        self.put(ItemType.COMMAND, "newest", {"order": {"S": json.dumps({**command, **more})}})

    def raw(self):
        """Return what people were told, and forget it."""
        found = []
        while got := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in got:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
        return found

    def revisions(self):
        """Return every committed revision, oldest first."""
        found = self.table.query(
            TableName=self.settings.state_table,
            KeyConditionExpression="application = :a",
            ExpressionAttributeValues={":a": {"S": self.settings.application}},
        )
        return [json.loads(item["entry"]["S"]) for item in found["Items"]]

    def answer(self, question):
        """Answer a probe: the public name, or the standby by its own."""
        if question.path != self.settings.write_path:
            return self.readings["standby_app"]
        own = question.url == self.settings.standby_url
        return self.readings["standby_write" if own else "canary"]

    def pledged(self):
        """Return what the orchestrator has given its word for."""
        found = self.objects.get_object(Bucket=self.settings.pledge_bucket, Key=PLEDGE_KEY)
        return json.loads(found["Body"].read())

    def metrics(self):
        """Return what was published, by name."""
        plain = _plain("cloudwatch", self.settings.standby_region)
        found = plain.list_metrics(Namespace="Otherside")
        return {metric["MetricName"] for metric in found["Metrics"]}

    def called(self, service=None):
        """Return the operations that were called, with their Regions."""
        return [
            (call.operation, call.region)
            for call in self.calls
            if service is None or call.service == service
        ]


@contextlib.contextmanager
def fake_aws(monkeypatch):
    """Yield an account whose probes and names are the test's."""
    with mock_aws():
        cloud = FakeAws()
        monkeypatch.setattr(http_probes, "ask", cloud.answer)
        monkeypatch.setattr(http_probes, "resolve", cloud.names.get)
        yield cloud


def witness_settings():
    """Return the settings of the function in the third Region."""
    return settings("witness", WitnessSettings)
