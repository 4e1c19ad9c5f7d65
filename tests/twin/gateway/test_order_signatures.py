"""A signature left beside an order, sent by somebody else: STS names who made it, or nobody."""

import json
from dataclasses import replace

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials

from otherside.failover.aws.caller_proof import ProofReader, principal_of, prove, send, subject
from otherside.failover.decision.observation import Order
from twin.conftest import WEST

ACCOUNT = "123456789012"
SIGNED = subject("orders-prod", Order.APPROVE, 7, 2.5)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(bare):
    """Make two users who may do nothing, and return their keys."""
    iam = bare.aws("iam")
    made = {}
    for name in ("ann", "bob"):
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made[name] = ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)
    return made


def proof(bare, credentials):
    """Sign the order with somebody's keys."""
    return prove(credentials, bare.known["endpoint"], WEST, SIGNED, 7, 2.5)


def reader(bare, account=ACCOUNT):
    """Return what the orchestrator asks by."""
    return ProofReader(endpoint=bare.known["endpoint"], account=account, send=send)


def test_sts_names_each_person(bare, people):
    """Though neither has a right to anything: who one is needs no permission."""
    for name, credentials in people.items():
        assert reader(bare).principal(proof(bare, credentials), SIGNED) == (
            f"arn:aws:iam::{ACCOUNT}:user/{name}"
        )


def test_a_signature_is_for_one_order(bare, people):
    """With another order's digest in the header it is no signature."""
    made = proof(bare, people["ann"])
    other = subject("orders-prod", Order.PROCEED, 7, 2.5)
    assert reader(bare).principal(made, other) is None


def test_what_was_changed_or_forged_names_nobody(bare, people):
    """Neither a changed query, nor somebody else's key under one's own signature."""
    made = proof(bare, people["ann"])
    changed = made.query.replace("X-Amz-Expires=900", "X-Amz-Expires=899")
    assert changed != made.query
    assert reader(bare).principal(replace(made, query=changed), SIGNED) is None
    ann, bob = people["ann"], people["bob"]
    forged = proof(bare, ReadOnlyCredentials(bob.access_key, ann.secret_key, None))
    assert reader(bare).principal(forged, SIGNED) is None


def test_a_person_of_another_account_is_nobody(bare, people):
    """Whoever can sign is somebody to STS, and no operator of ours."""
    made = proof(bare, people["ann"])
    assert reader(bare, account="999999999999").principal(made, SIGNED) is None


def test_a_role_is_one_principal_whatever_its_sessions_are_called(bare):
    """One person with the right to assume it makes as many sessions as they like."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    bare.aws("iam").create_role(RoleName="oncall", AssumeRolePolicyDocument=json.dumps(trust))
    found = set()
    for session in ("ann", "bob"):
        made = bare.aws("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/oncall", RoleSessionName=session
        )["Credentials"]
        keys = ReadOnlyCredentials(
            made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]
        )
        found.add(reader(bare).principal(proof(bare, keys), SIGNED))
    assert found == {f"arn:aws:sts::{ACCOUNT}:assumed-role/oncall"}


def test_the_command_line_and_sts_name_the_same_principal(bare, people):
    """What the first person is refused for, the orchestrator would refuse, too."""
    ann = people["ann"]
    sts = boto3.client(
        "sts",
        region_name=WEST,
        endpoint_url=bare.known["endpoint"],
        aws_access_key_id=ann.access_key,
        aws_secret_access_key=ann.secret_key,
    )
    named = reader(bare).principal(proof(bare, ann), SIGNED)
    assert named == principal_of(sts.get_caller_identity()["Arn"])
