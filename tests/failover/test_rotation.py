"""Rotation of the master secret, step by step, against AWS's own API models."""

import json

import boto3
import pytest
from botocore.stub import ANY, Stubber

from otherside.core.wire_contract import RotationSettings
from otherside.failover.rotation import Rotation, RotationError

SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:orders-prod/database/master-AbCdEf"
OLD, NEW = "a" * 32, "b" * 32
EAST = "arn:aws:rds:us-east-2:123456789012:cluster:orders-prod-us-east-2"
WEST = "arn:aws:rds:us-west-2:123456789012:cluster:orders-prod-us-west-2"


class FakeClock:
    """A clock that waits by moving its hands."""

    def __init__(self):
        self.now_s = 0.0

    def monotonic_s(self):
        """Return the time that was waited so far."""
        return self.now_s

    def sleep(self, seconds):
        """Move on."""
        self.now_s += seconds


class World:
    """AWS as far as a rotation sees it: stubs that answer only what is expected, in order."""

    def __init__(self):
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.secrets = boto3.client("secretsmanager", region_name="us-east-2", **keys)
        self.rds = {
            name: boto3.client("rds", region_name=name, **keys)
            for name in ("us-east-2", "us-west-2")
        }
        self.stubs = {"secrets": Stubber(self.secrets)}
        self.stubs |= {region: Stubber(client) for region, client in self.rds.items()}
        for stub in self.stubs.values():
            stub.activate()
        self.clock = FakeClock()
        self.rotation = Rotation(
            RotationSettings(global_cluster="orders-prod", home_region="us-east-2"),
            secrets=self.secrets,
            rds=self.rds.__getitem__,
            clock=self.clock,
        )

    def expect(self, where, operation, request, response):
        """Expect one call."""
        self.stubs[where].add_response(operation, response, request)

    def stages(self, stages):
        """Expect the secret to be looked up."""
        self.expect(
            "secrets", "describe_secret", {"SecretId": SECRET}, {"VersionIdsToStages": stages}
        )

    def value(self, password):
        """Expect the pending value to be read."""
        request = {"SecretId": SECRET, "VersionId": NEW, "VersionStage": "AWSPENDING"}
        text = json.dumps({"username": "dbadmin", "password": password})
        self.expect("secrets", "get_secret_value", request, {"SecretString": text})

    def whole(self, *, writer, moving=False):
        """Expect the global cluster to be looked up."""
        members = [{"DBClusterArn": item, "IsWriter": item == writer} for item in (EAST, WEST)]
        answer = {"GlobalClusterMembers": members}
        if moving:
            answer["FailoverState"] = {"Status": "failing-over", "IsDataLossAllowed": True}
        request = {"GlobalClusterIdentifier": "orders-prod"}
        self.expect("us-east-2", "describe_global_clusters", request, {"GlobalClusters": [answer]})

    def done(self):
        """Check that every expected call was made."""
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


PENDING = {OLD: ["AWSCURRENT"], NEW: ["AWSPENDING"]}


def test_create_keeps_everything_but_the_password():
    """The pending version says the same of the database, under a new password."""
    world = World()
    world.stages(PENDING)
    world.stubs["secrets"].add_client_error("get_secret_value", "ResourceNotFoundException")
    current = json.dumps({"username": "dbadmin", "password": "old", "host": "h"})
    world.expect("secrets", "get_secret_value", {"SecretId": SECRET}, {"SecretString": current})
    request = {"PasswordLength": 40, "ExcludePunctuation": True, "RequireEachIncludedType": True}
    world.expect("secrets", "get_random_password", request, {"RandomPassword": "new"})
    world.expect(
        "secrets",
        "put_secret_value",
        {
            "SecretId": SECRET,
            "ClientRequestToken": NEW,
            "SecretString": json.dumps({"username": "dbadmin", "password": "new", "host": "h"}),
            "VersionStages": ["AWSPENDING"],
        },
        {},
    )
    world.rotation.take("createSecret", SECRET, NEW)
    world.done()


def test_create_twice_makes_one_password():
    """A repeated step finds its work done: a second password would never reach the database."""
    world = World()
    world.stages(PENDING)
    world.value("new")
    world.rotation.take("createSecret", SECRET, NEW)
    world.done()


@pytest.mark.parametrize(("writer", "region"), [(EAST, "us-east-2"), (WEST, "us-west-2")])
def test_the_password_is_set_where_the_writer_is(writer, region):
    """After a switchover the writer is the other cluster, in the other Region."""
    world = World()
    world.stages(PENDING)
    world.value("new")
    world.whole(writer=writer)
    world.expect(
        region,
        "modify_db_cluster",
        {
            "DBClusterIdentifier": writer.rsplit(":", 1)[-1],
            "MasterUserPassword": "new",
            "ApplyImmediately": True,
        },
        {},
    )
    world.rotation.take("setSecret", SECRET, NEW)
    world.done()


def test_while_the_database_is_moved_the_password_stays():
    """A password that reached the database and not the copy of the secret locks everyone out."""
    world = World()
    world.stages(PENDING)
    world.value("new")
    world.whole(writer=EAST, moving=True)
    with pytest.raises(RotationError, match="is being moved"):
        world.rotation.take("setSecret", SECRET, NEW)
    world.done()


def test_a_database_without_a_writer_is_an_error():
    """Nobody to give the password to."""
    world = World()
    world.stages(PENDING)
    world.value("new")
    world.whole(writer=None)
    with pytest.raises(RotationError, match="has no writer"):
        world.rotation.take("setSecret", SECRET, NEW)


def test_the_test_waits_until_the_password_is_taken_over():
    """RDS applies a password after it has answered."""
    world = World()
    world.stages(PENDING)
    world.whole(writer=EAST)
    for pending in ({"MasterUserPassword": "****"}, {}):
        answer = {"DBClusters": [{"Status": "available", "PendingModifiedValues": pending}]}
        world.expect("us-east-2", "describe_db_clusters", {"DBClusterIdentifier": EAST}, answer)
    world.rotation.take("testSecret", SECRET, NEW)
    assert world.clock.now_s == 5.0
    world.done()


def test_the_test_gives_up_in_time():
    """A function that never returns is ended by Lambda, and says nothing."""
    world = World()
    world.stages(PENDING)
    world.whole(writer=EAST)
    answer = {"DBClusters": [{"Status": "modifying"}]}
    for _ in range(48):
        world.expect("us-east-2", "describe_db_clusters", {"DBClusterIdentifier": ANY}, answer)
    with pytest.raises(RotationError, match="has not taken the password over within 240 s"):
        world.rotation.take("testSecret", SECRET, NEW)
    world.done()


def test_finish_moves_the_label():
    """The pending version becomes the current one, and the current one the previous."""
    world = World()
    world.stages(PENDING)
    request = {
        "SecretId": SECRET,
        "VersionStage": "AWSCURRENT",
        "MoveToVersionId": NEW,
        "RemoveFromVersionId": OLD,
    }
    world.expect("secrets", "update_secret_version_stage", request, {})
    world.rotation.take("finishSecret", SECRET, NEW)
    world.done()


@pytest.mark.parametrize("step", ["createSecret", "setSecret", "testSecret", "finishSecret"])
def test_a_finished_rotation_is_left_alone(step):
    """Whatever step comes late, the current version stays as it is."""
    world = World()
    world.stages({NEW: ["AWSCURRENT"]})
    world.rotation.take(step, SECRET, NEW)
    world.done()


@pytest.mark.parametrize(
    ("stages", "step", "why"),
    [
        ({OLD: ["AWSCURRENT"]}, "setSecret", "is no version"),
        ({OLD: ["AWSCURRENT"], NEW: ["MINE"]}, "setSecret", "is not pending"),
        (PENDING, "shakeSecret", "is no step"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(stages, step, why):
    """An unknown version, one that is not pending, an unknown step."""
    world = World()
    world.stages(stages)
    with pytest.raises(RotationError, match=why):
        world.rotation.take(step, SECRET, NEW)


def test_no_error_repeats_the_password():
    """What is raised ends in a log."""
    world = World()
    world.stages(PENDING)
    world.value("hunter2")
    world.whole(writer=EAST, moving=True)
    with pytest.raises(RotationError) as caught:
        world.rotation.take("setSecret", SECRET, NEW)
    assert "hunter2" not in str(caught.value)
