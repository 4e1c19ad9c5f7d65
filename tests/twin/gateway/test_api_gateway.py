"""The front door: who asks, what they may, and what they meet."""

import datetime as dt
import json
import socket
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from twin.conftest import ACCOUNT, CONTROL, EAST, WEST, Bare, TwinSettings, until

pytestmark = pytest.mark.slow


def refused(call, **parameters):
    """Return the error that a call meets."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response


def client(bare, service, *, key=None, secret=None, region=EAST, **config):
    """Return a client with other credentials, or another configuration."""
    known = bare.known
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=known["endpoint"],
        aws_access_key_id=key or known["access_key_id"],
        aws_secret_access_key=secret or known["secret_access_key"],
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def test_a_wrong_signature_and_an_unknown_key_are_refused(bare):
    """Nobody gets in by naming a key."""
    wrong = client(bare, "sts", secret="x" * 40)
    assert refused(wrong.get_caller_identity)["Error"]["Code"] == "SignatureDoesNotMatch"
    unknown = client(bare, "sts", key="AKIAIOSFODNN7EXAMPLE")
    assert refused(unknown.get_caller_identity)["Error"]["Code"] == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("service", "operation", "bad_key", "bad_secret"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("kms", "list_keys", "UnrecognizedClientException", "InvalidSignatureException"),
        ("lambda", "list_functions", "UnrecognizedClientException", "InvalidSignatureException"),
        ("s3", "list_buckets", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
        ("ec2", "describe_vpcs", "AuthFailure", "AuthFailure"),
    ],
)
def test_each_protocol_has_its_own_word_for_a_stranger(
    bare, service, operation, bad_key, bad_secret
):
    """Clients decide by these codes whether to fetch new credentials."""
    for options, code in (
        ({"key": "AKIAIOSFODNN7EXAMPLE"}, bad_key),
        ({"secret": "x" * 40}, bad_secret),
    ):
        call = getattr(client(bare, service, **options), operation)
        assert refused(call)["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("service", "code"), [("sts", "SignatureDoesNotMatch"), ("kms", "InvalidSignatureException")]
)
def test_a_request_of_another_year_is_refused(bare, service, code, monkeypatch):
    """However well it is signed: what was recorded once cannot be sent again."""
    long_ago = dt.datetime(2015, 1, 1)  # noqa: DTZ001 - as botocore has it
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: long_ago)
    call = client(bare, service)
    call = call.get_caller_identity if service == "sts" else call.list_keys
    error = refused(call)["Error"]
    assert error["Code"] == code
    assert "Signature expired: 20150101T000000Z" in error["Message"]


def test_a_presigned_address_ends(bare):
    """It is valid as long as it says, and for the method that it was signed for."""
    s3 = client(bare, "s3", signature_version="s3v4")
    s3.create_bucket(Bucket="short", CreateBucketConfiguration={"LocationConstraint": EAST})
    s3.put_object(Bucket="short", Key="k", Body=b"hello")
    named = {"Bucket": "short", "Key": "k"}
    fresh = s3.generate_presigned_url("get_object", Params=named, ExpiresIn=3600)
    assert _answer(fresh) == (200, b"hello")
    assert _answer(urllib.request.Request(fresh, data=b"x", method="PUT"))[0] == 403
    ended = s3.generate_presigned_url("get_object", Params=named, ExpiresIn=0)
    until(lambda: b"Request has expired" in _answer(ended)[1], seconds=10)


def _answer(request):
    """Return what a plain client is answered: (status, body)."""
    try:
        with urllib.request.urlopen(request) as found:
            return found.status, found.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_every_twin_has_keys_of_its_own(bare):
    """Random, and not AWS's examples."""
    assert bare.known["access_key_id"].startswith("AKIA")
    assert len(bare.known["secret_access_key"]) >= 40


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "status"),
    [
        ("rds", "delete_db_cluster", {"DBClusterIdentifier": "x"}, "AccessDenied", 403),
        (
            "autoscaling",
            "delete_auto_scaling_group",
            {"AutoScalingGroupName": "x"},
            "AccessDenied",
            403,
        ),
        (
            "sns",
            "delete_topic",
            {"TopicArn": f"arn:aws:sns:{EAST}:{ACCOUNT}:t"},
            "AuthorizationError",
            403,
        ),
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, "UnauthorizedOperation", 403),
        (
            "dynamodb",
            "get_item",
            {"TableName": "t", "Key": {"k": {"S": "1"}}},
            "AccessDeniedException",
            400,
        ),
        ("kms", "list_keys", {}, "AccessDeniedException", 400),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException", 403),
        ("route53", "list_hosted_zones", {}, "AccessDenied", 403),
        ("s3", "list_buckets", {}, "AccessDenied", 403),
        ("sqs", "list_queues", {}, "AccessDenied", 403),
        ("cloudwatch", "list_metrics", {}, "AccessDeniedException", 403),
    ],
)
def test_IAM_05_06_07_08_09_10_11_refusals_in_each_protocol(
    bare, service, operation, parameters, code, status
):
    """Each service refuses by its own code, in its own protocol, so that boto3 knows the error."""
    name = f"nobody-{service}"
    nobody = bare.as_role(bare.role(name), service)
    found = refused(getattr(nobody, operation), **parameters)
    assert found["Error"]["Code"] == code
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/test"
    assert session in found["Error"]["Message"]


def test_an_allow_of_one_resource_is_for_that_resource(bare):
    """Scoped by ARN, by Region and by condition; a deny wins."""
    for region in (EAST, WEST):
        for name in ("mine", "yours"):
            bare.aws("dynamodb", region).create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
    arn = f"arn:aws:dynamodb:{EAST}:{ACCOUNT}:table/mine"
    role = bare.role(
        "scoped",
        {
            "Effect": "Allow",
            "Action": "dynamodb:PutItem",
            "Resource": arn,
            "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["own"]}},
        },
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": arn},
    )
    here = bare.as_role(role, "dynamodb")
    here.put_item(TableName="mine", Item={"k": {"S": "own"}})
    assert here.get_item(TableName="mine", Key={"k": {"S": "own"}})["Item"]
    for table, key in (("mine", "other"), ("yours", "own")):
        found = refused(here.put_item, TableName=table, Item={"k": {"S": key}})
        assert found["Error"]["Code"] == "AccessDeniedException"
    there = bare.as_role(role, "dynamodb", WEST)
    assert refused(there.put_item, TableName="mine", Item={"k": {"S": "own"}})


def test_LAM_03_invoking_is_called_otherwise_than_its_operation(bare):
    """The action is InvokeFunction, the operation Invoke."""
    bare.function("callee", "def handler(event, context):\n    return 1\n")
    arn = f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:callee"
    wrong = {"Effect": "Allow", "Action": "lambda:Invoke", "Resource": arn}
    right = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    assert refused(bare.as_role(bare.role("w", wrong), "lambda").invoke, FunctionName="callee")
    got = bare.as_role(bare.role("r", right), "lambda").invoke(FunctionName="callee")
    assert json.loads(got["Payload"].read()) == 1


def test_a_role_is_passed_by_who_may_pass_it(bare):
    """The commonest missing permission: to that service, and that role."""
    role = f"arn:aws:iam::{ACCOUNT}:role/worker"
    named = {"Name": "daily", "ScheduleExpression": "rate(1 day)"}
    put = {"Effect": "Allow", "Action": ["events:*"], "Resource": "*"}
    target = {"Id": "one", "Arn": f"arn:aws:events:{WEST}:{ACCOUNT}:event-bus/x", "RoleArn": role}

    def passing(service):
        condition = {"StringEquals": {"iam:PassedToService": service}}
        allowed = {"Effect": "Allow", "Action": "iam:PassRole", "Condition": condition}
        return {**allowed, "Resource": role}

    without = bare.as_role(bare.role("no-pass", put), "events")
    without.put_rule(**named)
    said = refused(without.put_targets, Rule="daily", Targets=[target])["Error"]["Message"]
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in said
    elsewhere = bare.role("wrong-pass", put, passing("lambda.amazonaws.com"))
    assert refused(bare.as_role(elsewhere, "events").put_targets, Rule="daily", Targets=[target])
    right = bare.role("pass", put, passing("events.amazonaws.com"))
    bare.as_role(right, "events").put_targets(Rule="daily", Targets=[target])


def test_a_copy_is_read_by_who_may_read_it(bare):
    """Whoever may write the copy and not read its source, copies nothing."""
    s3 = bare.aws("s3")
    s3.create_bucket(Bucket="copies", CreateBucketConfiguration={"LocationConstraint": EAST})
    s3.put_object(Bucket="copies", Key="secret", Body=b"x")
    copy = {"Bucket": "copies", "Key": "mine", "CopySource": "copies/secret"}
    put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::copies/mine"}
    get = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::copies/secret"}
    assert refused(bare.as_role(bare.role("blind", put), "s3").copy_object, **copy)
    bare.as_role(bare.role("reads", put, get), "s3").copy_object(**copy)
    s3.put_object(Bucket="copies", Key="secret?x", Body=b"x")  # a key may have any character
    other = {**copy, "CopySource": "copies/secret%3Fx"}
    assert refused(bare.as_role(bare.role("one-of-two", put, get), "s3").copy_object, **other)


def test_a_key_is_judged_with_what_it_encrypts(bare):
    """Whoever may publish and not use the topic's key, may not publish."""
    key = bare.aws("kms").create_key()["KeyMetadata"]["Arn"]
    topic = bare.aws("sns").create_topic(Name="sealed", Attributes={"KmsMasterKeyId": key})
    arn = topic["TopicArn"]
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": arn}
    use = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key}
    without = bare.as_role(bare.role("no-key", publish), "sns")
    assert (
        refused(without.publish, TopicArn=arn, Message="x")["Error"]["Code"] == "AuthorizationError"
    )
    bare.as_role(bare.role("with-key", publish, use), "sns").publish(TopicArn=arn, Message="x")


def test_what_cannot_be_judged_is_refused_loudly(bare):
    """An action whose resource the twin cannot name, met by a statement that names one."""
    role = bare.role(
        "scoped-unknown",
        {"Effect": "Allow", "Action": "backup:*", "Resource": "arn:aws:backup:*:*:backup-vault:x"},
    )
    found = refused(bare.as_role(role, "backup").list_backup_plans)
    assert found["Error"]["Code"] == "TwinCannotAuthorize"
    assert "refuses rather than guess" in found["Error"]["Message"]


def test_every_call_is_kept(bare):
    """Who, what, where, and what came of it."""
    since = bare.do("calls")["next"]
    bare.aws("sqs", WEST).list_queues()
    (call,) = bare.do("calls", since=since)["calls"]
    assert (call["service"], call["operation"], call["region"]) == ("sqs", "ListQueues", WEST)
    assert (call["principal"], call["status"]) == (f"arn:aws:iam::{ACCOUNT}:user/provisioner", 200)


def test_a_region_that_refuses_is_not_the_others(bare):
    """And the global services are of no Region."""
    bare.do("fault", name="down", region=EAST, mode="refuse")
    with pytest.raises(ConnectionClosedError):
        bare.aws("sqs").list_queues()
    bare.aws("sqs", WEST).list_queues()
    bare.aws("iam").list_roles(MaxItems=1)
    bare.do("heal", name="down")
    bare.aws("sqs").list_queues()


def test_a_global_control_plane_fails_by_itself(bare):
    """Route 53 can be gone while every Region stands."""
    bare.do("fault", name="r53", region="global", service="route53", mode="unavailable")
    found = refused(bare.aws("route53").list_hosted_zones)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 503
    bare.aws("iam").list_roles(MaxItems=1)
    bare.aws("sqs", CONTROL).list_queues()
    bare.do("heal", name="r53")


def test_with_its_region_a_global_control_plane_is_gone():
    """IAM and Route 53 are changed in us-east-1; the rest goes on, and nobody is locked out."""
    with Bare(TwinSettings(speed=20, latency=False)) as bare:
        bare.do("lose", region=CONTROL)
        for name, ask in (("iam", "list_roles"), ("route53", "list_hosted_zones")):
            asked = client(bare, name, read_timeout=1)
            with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
                getattr(asked, ask)()
        bare.aws("sqs").list_queues()
        bare.aws("sts").get_caller_identity()
        bare.do("restore", region=CONTROL)
        bare.aws("iam").list_roles(MaxItems=1)


@pytest.mark.parametrize("service", ["ec2", "rds", "dynamodb", "lambda", "s3", "sqs"])
def test_unavailable_is_said_in_the_services_own_protocol(bare, service):
    """A client can read the error, whatever it speaks."""
    bare.do("fault", name="503", region=EAST, service=service, mode="unavailable")
    calls = {
        "ec2": "describe_vpcs",
        "rds": "describe_db_clusters",
        "dynamodb": "list_tables",
        "lambda": "list_functions",
        "s3": "list_buckets",
        "sqs": "list_queues",
    }
    found = refused(getattr(bare.aws(service), calls[service]))
    bare.do("heal", name="503")
    assert found["Error"]["Code"] == "ServiceUnavailable"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_region_that_hangs_answers_nothing_until_the_client_gives_up(bare):
    """The nastiest way to fail: no refusal, no answer."""
    bare.do("fault", name="hang", region=WEST, mode="hang")
    hurried = client(bare, "sqs", region=WEST, read_timeout=0.5, connect_timeout=0.5)
    began_s = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        hurried.list_queues()
    assert 0.4 < time.monotonic() - began_s < 5
    bare.do("heal", name="hang")


def test_an_effect_without_an_answer(bare):
    """What makes a repeat dangerous: it was done, and nobody was told."""
    bare.do("fault", name="after", service="sqs", operation="CreateQueue", mode="after")
    with pytest.raises(ConnectionClosedError):
        bare.aws("sqs").create_queue(QueueName="was-made")
    bare.do("heal", name="after")
    assert "was-made" in str(bare.aws("sqs").list_queues())


def test_throttling_and_slowness(bare):
    """An error of its own, and an answer that takes its time."""
    bare.do("fault", name="slow", service="sqs", mode="slow", seconds=10.0)
    began_s = time.monotonic()
    bare.aws("sqs").list_queues()
    assert time.monotonic() - began_s > 0.4  # ten of the twin's seconds
    bare.do("heal", name="slow")
    bare.do("fault", name="many", service="sqs", mode="throttle")
    assert refused(bare.aws("sqs").list_queues)["Error"]["Code"] == "ThrottlingException"
    bare.do("heal", name="many")


def test_what_nobody_carries_out_is_refused_by_name(bare):
    """Neither moto nor the twin: an error that says so, and no empty answer."""
    found = refused(bare.aws("rds").describe_integrations)
    assert found["Error"]["Code"] == "TwinNotImplemented"
    assert "rds:DescribeIntegrations" in found["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "operation", "asked"),
    [
        ("backup", "list_protected_resources", {}),
        ("backup", "list_restore_jobs", {"ByAccountId": "123456789012"}),
        ("iam", "simulate_principal_policy", {"PolicyInputList": ["{}"], "ActionNames": ["a:B"]}),
        ("lambda", "get_runtime_management_config", {"FunctionName": "f"}),
    ],
)
def test_no_answer_is_a_web_framework_s_page(bare, service, operation, asked):
    """An error of AWS's own shape, by a code, in the protocol of the caller."""
    if operation == "simulate_principal_policy":
        asked = {**asked, "PolicySourceArn": bare.role("simulated")}
    found = refused(lambda: getattr(bare.aws(service, EAST), operation)(**asked))
    assert "<" not in found["Error"]["Message"]
    assert not found["Error"]["Code"].isdigit(), found


def test_services_are_found_by_the_names_that_they_sign_with(bare):
    """Where those differ from botocore's names of the models, too."""
    assert bare.aws("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"] == []
    assert bare.aws("efs").describe_file_systems()["FileSystems"] == []
    assert bare.aws("service-quotas").list_aws_default_service_quotas(ServiceCode="vpc")["Quotas"]
    assert bare.aws("emr").list_clusters()["Clusters"] == []


def test_policies_are_simulated_as_they_are_evaluated(bare):
    """Allowed, denied by nothing, denied by a statement, and by a condition's key."""
    allow = {
        "Effect": "Allow",
        "Action": ["sqs:SendMessage", "dynamodb:UpdateItem"],
        "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["mine"]}},
    }
    role = bare.role(
        "judged",
        {**allow, "Action": "dynamodb:UpdateItem"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"},
    )

    def simulated(action, **more):
        found = bare.aws("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], **more
        )
        return found["EvaluationResults"][0]["EvalDecision"]

    def leading(key):
        entry = {"ContextKeyName": "dynamodb:LeadingKeys", "ContextKeyType": "stringList"}
        return {"ContextEntries": [{**entry, "ContextKeyValues": [key]}]}

    assert simulated("sqs:SendMessage") == "allowed"
    assert simulated("sqs:DeleteQueue") == "explicitDeny"
    assert simulated("sns:Publish") == "implicitDeny"
    assert simulated("dynamodb:UpdateItem", **leading("mine")) == "allowed"
    assert simulated("dynamodb:UpdateItem", **leading("yours")) == "implicitDeny"
    gone = f"{role}-gone"
    found = refused(
        lambda: bare.aws("iam").simulate_principal_policy(
            PolicySourceArn=gone, ActionNames=["sqs:SendMessage"]
        )
    )
    assert found["Error"]["Code"] == "NoSuchEntity"


def test_a_request_of_two_meanings_is_refused(bare):
    """What is judged is what is carried out: no second action in the address, no way around."""
    import urllib.error
    import urllib.request

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    keys = Credentials(bare.known["access_key_id"], bare.known["secret_access_key"])

    def asked(path, service, **headers):
        request = AWSRequest(
            method="POST", url=bare.known["endpoint"] + path, data=b"{}", headers=headers
        )
        SigV4Auth(keys, service, EAST).add_auth(request)
        prepared = request.prepare()
        plain = urllib.request.Request(
            prepared.url, data=b"{}", headers=dict(prepared.headers), method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(plain, timeout=5)
        with caught.value as error:
            return error.code, error.read().decode()

    target = {
        "X-Amz-Target": "secretsmanager.ListSecrets",
        "Content-Type": "application/x-amz-json-1.1",
    }
    code, text = asked("/?Action=GetSecretValue", "secretsmanager", **target)
    assert (code, "more than one action" in text) == (400, True)
    assert asked("/moto-api/reset", "secretsmanager", **target)[0] == 404


def test_nothing_is_posted_to_the_internet(bare):
    """A topic tells queues and functions of the twin, and nobody outside."""
    topic = bare.aws("sns").create_topic(Name="outward")["TopicArn"]
    found = refused(
        bare.aws("sns").subscribe,
        TopicArn=topic,
        Protocol="https",
        Endpoint="https://example.com/page",
    )
    assert "posts to nobody" in found["Error"]["Message"]


def test_a_client_that_waits_to_send_its_body_is_told_to_go_on(bare):
    """Every SDK asks so before it puts an object, and sends after a second without an answer."""
    host, _, port = bare.known["endpoint"].removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        link.sendall(
            b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
        )
        assert link.recv(64).startswith(b"HTTP/1.1 100 Continue")


def test_nothing_listens_beyond_the_loopback(bare):
    """Every address of a twin is of this machine alone."""
    import psutil

    pids = {bare.known["pid"]}
    pids |= {child.pid for child in psutil.Process(bare.known["pid"]).children(recursive=True)}
    for connection in psutil.net_connections("inet"):
        if connection.pid in pids and connection.status == "LISTEN":
            assert connection.laddr.ip.startswith("127."), connection


def test_a_client_outside_is_let_in_however_far_ahead_the_twin_is():
    """It signs by the machine's clock, which a fast twin leaves behind by hours."""
    with Bare(TwinSettings(speed=400)) as fast:
        until(lambda: fast.clock.elapsed_s() > 2 * 900)
        assert client(fast, "sts").get_caller_identity()["Account"] == ACCOUNT
