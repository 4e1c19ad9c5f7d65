"""Who may read one object, as AWS documents it: users, groups, limits, conditions, other accounts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from functools import partial
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from otherside.twin.gateway.authorizer import Principal
from otherside.twin.gateway.iam_policy import Request, decide
from otherside.twin.services.rds.endpoint import _session_problem
from twin.conftest import Bare, TwinSettings, until

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OBJECT = "arn:aws:s3:::shelf/*"
EAST = "us-east-2"


def document(*statements):
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect, action, resource="*", **more):
    """Return a statement."""
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


READ = statement("Allow", "s3:*")


@pytest.fixture
def shelf(bare):
    """Return the twin with one object in a bucket that has no policy."""
    s3 = bare.aws("s3")
    if "shelf" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="shelf", CreateBucketConfiguration={"LocationConstraint": EAST})
        s3.put_object(Bucket="shelf", Key="book", Body=b"x", Tagging="kind=novel")
    yield bare
    s3.delete_bucket_policy(Bucket="shelf")


def client(bare, service, key, secret, token=None, *, checked=True):
    """Return a client with these credentials."""
    return boto3.client(
        service,
        region_name=EAST,
        endpoint_url=bare.known["endpoint"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=checked),
    )


def user(bare, name, *statements, **made):
    """Make a user with a policy of its own, and return its keys."""
    iam = bare.aws("iam")
    iam.create_user(UserName=name, **made)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def reads(bare, *credentials):
    """Return whether these credentials read the object; anything but a plain denial is an error."""
    try:
        client(bare, "s3", *credentials).get_object(Bucket="shelf", Key="book")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_a_user_has_what_its_groups_have_and_a_group_s_deny_wins(shelf):
    """Membership counts both ways."""
    iam = shelf.aws("iam")
    for name, effect in (("readers", "Allow"), ("barred", "Deny")):
        iam.create_group(GroupName=name)
        policy = document(statement(effect, "s3:*"))
        iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=policy)
    member, barred = user(shelf, "member"), user(shelf, "barred-one", READ)
    assert (reads(shelf, *member), reads(shelf, *barred)) == (False, True)
    iam.add_user_to_group(GroupName="readers", UserName="member")
    iam.add_user_to_group(GroupName="barred", UserName="barred-one")
    assert (reads(shelf, *member), reads(shelf, *barred)) == (True, False)


def test_a_user_s_boundary_limits_it_until_it_is_taken_away(shelf):
    """It is given at birth or later; a policy that is not there is none."""
    iam = shelf.aws("iam")
    only = document(statement("Allow", "ec2:*"))
    arn = iam.create_policy(PolicyName="only-ec2", PolicyDocument=only)["Policy"]["Arn"]
    keys = user(shelf, "bounded", READ, PermissionsBoundary=arn)
    assert not reads(shelf, *keys)
    iam.delete_user_permissions_boundary(UserName="bounded")
    assert reads(shelf, *keys)
    iam.put_user_permissions_boundary(UserName="bounded", PermissionsBoundary=arn)
    assert not reads(shelf, *keys)
    with pytest.raises(ClientError, match="does not exist"):
        iam.put_user_permissions_boundary(
            UserName="bounded", PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/none"
        )
    with pytest.raises(ClientError, match="cannot be found"):
        iam.delete_user_permissions_boundary(UserName="nobody")


OTHER = f"arn:aws:iam::{ACCOUNT}:user/other"


@pytest.mark.parametrize(
    ("name", "named", "allowed"),
    [
        ("root", {"Effect": "Deny", "Principal": {"AWS": ROOT}}, False),
        ("number", {"Effect": "Deny", "Principal": {"AWS": ACCOUNT}}, False),
        ("foreign", {"Effect": "Deny", "Principal": {"AWS": "999999999999"}}, True),
        ("all-but-other", {"Effect": "Deny", "NotPrincipal": {"AWS": OTHER}}, False),
        (
            "all-but-me",
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": [ROOT, f"arn:aws:iam::{ACCOUNT}:user/by-all-but-me"]},
            },
            True,
        ),
        (
            "plain-http",
            {
                "Effect": "Deny",
                "Principal": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            True,
        ),
    ],
)
def test_a_bucket_denies_whom_it_names(shelf, name, named, allowed):
    """A denial of an account is one of everyone in it; NotPrincipal is everyone but those."""
    keys = user(shelf, f"by-{name}", READ)
    policy = document({"Action": "s3:GetObject", "Resource": OBJECT, **named})
    shelf.aws("s3").put_bucket_policy(Bucket="shelf", Policy=policy)
    assert reads(shelf, *keys) is allowed


CONDITIONS = [
    ("IpAddress", "aws:SourceIp", "127.0.0.0/8", True),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", False),
    ("StringEquals", "aws:username", "conditional", True),
    ("StringEquals", "aws:PrincipalType", "User", True),
    ("StringLike", "aws:userid", "?*", True),
    ("StringEquals", "aws:PrincipalTag/team", "books", True),
    ("StringEquals", "aws:PrincipalTag/floor", "1", False),
    ("StringLike", "aws:UserAgent", "*Boto3*", True),
    ("NumericGreaterThan", "aws:EpochTime", "0", True),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", "true", True),
    ("Bool", "aws:MultiFactorAuthPresent", "true", False),
    ("StringEqualsIfExists", "aws:SourceVpce", "vpce-1", True),
    ("StringEquals", "aws:SourceVpce", "vpce-1", False),
    ("Null", "aws:SourceVpc", "true", True),
    ("Bool", "aws:ViaAWSService", "false", True),
    ("StringNotEquals", "aws:PrincipalOrgID", "o-1", True),
    ("StringEquals", "s3:ExistingObjectTag/kind", "novel", True),
    ("StringEquals", "s3:ExistingObjectTag/kind", "essay", False),
    ("StringEquals", "s3:ExistingObjectTag/shelf", "1", False),
]


def test_conditions_on_what_is_known_of_a_caller_and_an_object(shelf):
    """Each is told or known to be absent; none is guessed, and none is left open."""
    keys = user(shelf, "conditional", Tags=[{"Key": "team", "Value": "books"}])
    iam, seen = shelf.aws("iam"), []
    for operator, key, value, _ in CONDITIONS:
        policy = document({**READ, "Condition": {operator: {key: value}}})
        iam.put_user_policy(UserName="conditional", PolicyName="p", PolicyDocument=policy)
        seen.append((operator, key, value, reads(shelf, *keys)))
    assert seen == CONDITIONS


def test_a_policy_names_its_user_by_variable(shelf):
    """The commonest way to give each user a part of a bucket."""
    own = statement("Allow", "s3:GetObject", "arn:aws:s3:::shelf/${aws:username}")
    assert not reads(shelf, *user(shelf, "pamphlet", own))
    assert reads(shelf, *user(shelf, "book", own))


def role(bare, name, trusted, *statements, **more):
    """Make a role that trusts somebody, and return its ARN."""
    iam = bare.aws("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": trusted}, **more}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    return made["Role"]["Arn"]


def assumed(bare, keys, arn, **more):
    """Assume a role and return the session's credentials."""
    sts = client(bare, "sts", *keys)
    found = sts.assume_role(RoleArn=arn, RoleSessionName="session", **more)["Credentials"]
    return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


def test_a_role_is_assumed_by_its_whole_arn(shelf):
    """The same name in another account, or under another path, is another role."""
    keys = user(shelf, "walker", statement("Allow", "sts:AssumeRole"))
    arn = role(shelf, "walked", ROOT, READ)
    assert reads(shelf, *assumed(shelf, keys, arn))
    for other in (arn.replace(ACCOUNT, "999999999999"), arn.replace("role/", "role/path/")):
        with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
            assumed(shelf, keys, other)


def test_a_trust_may_ask_for_an_external_id(shelf):
    """And for nothing else than it."""
    keys = user(shelf, "partner", statement("Allow", "sts:AssumeRole"))
    asked = {"StringEquals": {"sts:ExternalId": "42"}}
    arn = role(shelf, "for-partner", ACCOUNT, READ, Condition=asked)
    for given in ({}, {"ExternalId": "43"}):
        with pytest.raises(ClientError, match="not authorized"):
            assumed(shelf, keys, arn, **given)
    assert reads(shelf, *assumed(shelf, keys, arn, ExternalId="42"))


def test_a_session_has_no_more_than_its_own_policy_and_no_longer_than_its_role(shelf):
    """A session's policy limits; a role's longest session is an hour unless it says otherwise."""
    keys = user(shelf, "short", statement("Allow", "sts:AssumeRole"))
    arn = role(shelf, "shortened", ACCOUNT, READ)
    narrow = document(statement("Allow", "ec2:*"))
    assert not reads(shelf, *assumed(shelf, keys, arn, Policy=narrow))
    assert reads(shelf, *assumed(shelf, keys, arn, Policy=document(READ)))
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration"):
        assumed(shelf, keys, arn, DurationSeconds=7200)


def test_a_key_of_another_account_is_out_of_reach(shelf):
    """Its account would have to allow it, too; there is none here."""
    kms = shelf.aws("kms")
    policy = document(statement("Allow", "kms:*", Principal={"AWS": ACCOUNT}))
    key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    keys = user(shelf, "sealer", statement("Allow", "kms:*"))
    client(shelf, "kms", *keys).encrypt(KeyId=key, Plaintext=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        client(shelf, "kms", *keys).encrypt(
            KeyId=key.replace(ACCOUNT, "999999999999"), Plaintext=b"x"
        )


RESOURCES = [
    ("route53", "get_hosted_zone", {"Id": "{zone}"}, "arn:aws:route53:::hostedzone/*"),
    ("route53", "get_change", {"Id": "{change}"}, "arn:aws:route53:::change/*"),
    ("rds", "describe_db_instances", {}, f"arn:aws:rds:*:{ACCOUNT}:db:*"),
    (
        "events",
        "put_rule",
        {"Name": "daily", "ScheduleExpression": "rate(1 day)"},
        "arn:aws:events:*:*:rule/*",
    ),
    ("cloudwatch", "describe_alarms", {}, "arn:aws:cloudwatch:*:*:alarm:*"),
    ("iam", "get_role", {"RoleName": "known"}, f"arn:aws:iam::{ACCOUNT}:role/*"),
]


@pytest.mark.parametrize(("service", "operation", "asked", "arn"), RESOURCES)
def test_a_statement_with_an_arn_is_enough_for_a_plain_call(shelf, service, operation, asked, arn):
    """And one with another ARN is not: a least-privilege user can work, and no more."""
    if service == "iam":
        role(shelf, "known", ACCOUNT, READ)
    zone = shelf.aws("route53").create_hosted_zone(Name="example.net", CallerReference=operation)
    known = {"{zone}": zone["HostedZone"]["Id"], "{change}": zone["ChangeInfo"]["Id"]}
    filled = {key: known.get(value, value) for key, value in asked.items()}
    action = f"{service}:*"
    least = user(shelf, f"least-{operation}", statement("Allow", action, arn))
    getattr(client(shelf, service, *least), operation)(**filled)
    wrong = user(shelf, f"wrong-{operation}", statement("Allow", action, arn.replace("*", "x")))
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(client(shelf, service, *wrong), operation)(**filled)


def test_what_a_resource_gives_to_exactly_one_is_not_limited_by_a_boundary_s_silence():
    """As the guide to boundaries says; an explicit denial there still counts."""
    named = statement("Allow", "s3:GetObject", Principal={"AWS": OTHER})
    asked = Request(
        action="s3:GetObject", resource="arn:aws:s3:::shelf/book", principal=OTHER, account=ACCOUNT
    )
    silent, denying = [statement("Allow", "ec2:*")], [statement("Deny", "s3:*")]
    assert decide(asked, resource=[named], boundary=silent).allowed
    assert not decide(asked, resource=[named], boundary=denying).allowed
    everyone = {**named, "Principal": "*"}
    assert not decide(asked, resource=[everyone], boundary=silent).allowed


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("some policy", "invalid Json"),
        ("{}", "Syntax errors"),
        (document(), "Syntax errors"),
        (document({"Effect": "Maybe"}), "Syntax errors"),
        (document({"Effect": "Allow", "Action": "sts:AssumeRole"}), "field Principal"),
        (document({"Effect": "Allow", "Principal": {"AWS": ROOT}}), "field Action"),
        (document(statement("Allow", "sts:AssumeRole", Principal={"AWS": ROOT})), "field Resource"),
    ],
    ids=["no JSON", "empty", "no statement", "no effect", "nobody", "nothing", "a resource"],
)
def test_a_trust_policy_that_is_none_is_refused(bare, policy, said):
    """When the role is made, and not when it is to be assumed."""
    with pytest.raises(ClientError, match=said) as caught:
        bare.aws("iam").create_role(RoleName="vague", AssumeRolePolicyDocument=policy)
    assert caught.value.response["Error"]["Code"] == "MalformedPolicyDocument"


def test_a_caller_has_the_unique_id_of_a_user_or_a_role(shelf):
    """The role's with the session's name, as conditions on `aws:userid` have it."""
    keys = user(shelf, "named", statement("Allow", "sts:AssumeRole"))
    iam = shelf.aws("iam")
    own = client(shelf, "sts", *keys).get_caller_identity()["UserId"]
    assert own == iam.get_user(UserName="named")["User"]["UserId"]
    session = assumed(shelf, keys, role(shelf, "identified", ROOT, READ))
    told = client(shelf, "sts", *session).get_caller_identity()["UserId"]
    assert told == iam.get_role(RoleName="identified")["Role"]["RoleId"] + ":session"


def keys_of(answer):
    """Return the credentials in an answer."""
    found = answer["Credentials"]
    return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


def refused(ask):
    """Return the code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        ask()
    return caught.value.response["Error"]["Code"]


def test_a_user_s_session_may_what_the_user_may_but_iam_and_most_of_sts(shelf):
    """And is denied where MFA is asked for: without it the session says that there was none."""
    without = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    own = user(shelf, "sam", READ, statement("Allow", "iam:*"))
    session = keys_of(client(shelf, "sts", *own).get_session_token(DurationSeconds=900))
    assert reads(shelf, *session)
    who = client(shelf, "sts", *session).get_caller_identity()
    assert who["Arn"].endswith(":user/sam")
    iam, sts = client(shelf, "iam", *session), client(shelf, "sts", *session)
    assert client(shelf, "iam", *own).list_users()["Users"]
    assert refused(iam.list_users) == "InvalidClientTokenId"
    assert refused(sts.get_session_token) == "AccessDenied"
    assert refused(lambda: sts.get_federation_token(Name="bob")) == "AccessDenied"
    limited = user(shelf, "tim", READ, statement("Deny", "s3:*", Condition=without))
    opened = keys_of(client(shelf, "sts", *limited).get_session_token())
    assert reads(shelf, *limited)
    assert not reads(shelf, *opened)


def test_a_federated_user_has_what_both_policies_allow(shelf):
    """Without a policy of its own, nothing."""
    ask = statement("Allow", "sts:GetFederationToken")
    own = user(shelf, "kim", READ, ask)
    sts = client(shelf, "sts", *own)
    plain = sts.get_federation_token(Name="bob")
    assert plain["FederatedUser"]["FederatedUserId"] == f"{ACCOUNT}:bob"
    assert not reads(shelf, *keys_of(plain))
    both = keys_of(sts.get_federation_token(Name="bob", Policy=document(READ)))
    assert reads(shelf, *both)
    who = client(shelf, "sts", *both).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    more = keys_of(sts.get_federation_token(Name="eve", Policy=document(statement("Allow", "*"))))
    assert refused(client(shelf, "sqs", *more).list_queues) == "AccessDenied"
    long = document(*(statement("Allow", f"sqs:Nothing{number}") for number in range(60)))
    assert refused(lambda: sts.get_federation_token(Name="eve", Policy=long)) == "ValidationError"
    poor = client(shelf, "sts", *user(shelf, "pat", READ))
    assert refused(lambda: poor.get_federation_token(Name="bob")) == "AccessDenied"


@pytest.mark.slow
def test_a_session_ends_and_its_length_is_limited():
    """With the code of a token that was right once."""
    with Bare(TwinSettings(speed=300, latency=False)) as fast:
        own = user(fast, "zoe", READ)
        sts = client(fast, "sts", *own)
        loose = client(fast, "sts", *own, checked=False)
        for length in (900 - 1, 129_600 + 1):
            ask = partial(loose.get_session_token, DurationSeconds=length)
            assert refused(ask) == "ValidationError"
        key, secret, token = keys_of(sts.get_session_token(DurationSeconds=900))
        stranger = client(fast, "sts", key, secret, "wrong")
        assert refused(stranger.get_caller_identity) == "InvalidClientTokenId"
        asked = client(fast, "sts", key, secret, token)
        assert asked.get_caller_identity()["Arn"].endswith(":user/zoe")
        until(lambda: _is_over(asked), seconds=60)
        may = user(fast, "ann", statement("Allow", "sts:AssumeRole"))
        arn = role(fast, "brief", ACCOUNT, READ)
        played = client(fast, "sts", *assumed(fast, may, arn, DurationSeconds=900))
        assert played.get_caller_identity()["Arn"].split("/")[1] == "brief"
        until(lambda: _is_over(played), seconds=60)


def _is_over(asked):
    try:
        asked.get_caller_identity()
    except ClientError as error:
        return error.response["Error"]["Code"] == "ExpiredToken"
    return False


def test_sessions_of_one_name_are_of_those_who_opened_them(shelf):
    """Whoever else opens a session of the name gives nothing to this one, nor does an older one."""
    ask = statement("Allow", "sts:GetFederationToken")
    low = client(shelf, "sts", *user(shelf, "low", ask))
    high = client(shelf, "sts", *user(shelf, "high", ask, READ))
    everything = document(statement("Allow", "*"))
    mine = keys_of(low.get_federation_token(Name="same", Policy=everything, DurationSeconds=900))
    theirs = keys_of(high.get_federation_token(Name="same", Policy=everything))
    assert reads(shelf, *theirs)
    assert not reads(shelf, *mine)
    assert not reads(shelf, *keys_of(high.get_federation_token(Name="same", DurationSeconds=900)))


def test_a_session_without_mfa_assumes_no_role_that_asks_for_it(shelf):
    """A long-lived key says nothing of MFA; a session says that there was none."""
    own = user(shelf, "una", statement("Allow", "sts:AssumeRole"))
    session = keys_of(client(shelf, "sts", *own).get_session_token())
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
    trust["Condition"] = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}
    role = shelf.aws("iam").create_role(
        RoleName="guarded", AssumeRolePolicyDocument=document(trust)
    )["Role"]["Arn"]
    asked = {"RoleArn": role, "RoleSessionName": "una"}
    assert client(shelf, "sts", *own).assume_role(**asked)["Credentials"]
    assert refused(lambda: client(shelf, "sts", *session).assume_role(**asked)) == "AccessDenied"


@pytest.mark.parametrize(
    ("token", "left_s", "said"),
    [("right", 60.0, None), ("wrong", 60.0, "another session"), ("right", -1.0, "has ended")],
)
def test_a_database_takes_no_token_of_a_session_that_has_ended(token, left_s, said):
    """Nor one of another session."""
    holder = Principal(arn="a", secret="s", token="right", expires_s=100.0 + left_s)
    signature = SimpleNamespace(token=token)
    assert (said or "") in (_session_problem(holder, signature, 100.0) or "")
    assert (_session_problem(holder, signature, 100.0) is None) is (said is None)
