"""What clients met that moto's own tests show: each as AWS documents it."""

import datetime as dt
import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from twin.conftest import ACCOUNT, EAST, until

pytestmark = pytest.mark.slow


def refused(call, **parameters):
    """Return the code and the message with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def bucket(bare):
    """Return an S3 client and a bucket of its own."""
    s3 = bare.aws("s3")
    name = "words"
    if name not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EAST})
    return s3, name


def test_metadata_may_have_an_underscore(bucket):
    """The signature covers the name as it was sent."""
    s3, name = bucket
    given = {"has_underscore": "a", "has-dash": "b"}
    s3.put_object(Bucket=name, Key="k", Body=b"x", Metadata=given)
    assert s3.get_object(Bucket=name, Key="k")["Metadata"] == given


@pytest.mark.parametrize(("secret", "code"), [(None, "MalformedXML"), ("x", "SignatureDoes")])
def test_a_body_that_is_no_xml_is_told_to_whom_signs_alone(bare, bucket, secret, code):
    """Somebody without the key learns nothing but that."""
    known, url = bare.known, f"{bare.known['endpoint']}/{bucket[1]}?tagging"
    request = AWSRequest(method="PUT", url=url, data=b"<no xml")
    keys = Credentials(known["access_key_id"], secret or known["secret_access_key"])
    S3SigV4Auth(keys, "s3", EAST).add_auth(request)
    signed = request.prepare()
    asked = urllib.request.Request(
        signed.url, data=signed.body, headers=dict(signed.headers), method="PUT"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked, timeout=10)
    assert code in caught.value.read().decode()


def test_an_upload_by_a_form_is_refused_by_name(bucket):
    """Its signature is a field of the form."""
    s3, name = bucket
    post = s3.generate_presigned_post(name, "k")
    fields = {**post["fields"], "file": "x"}
    line = "\r\n"
    body = "".join(
        f'--edge{line}Content-Disposition: form-data; name="{key}"{line}{line}{value}{line}'
        for key, value in fields.items()
    )
    request = urllib.request.Request(post["url"], data=f"{body}--edge--".encode(), method="POST")
    request.add_header("Content-Type", "multipart/form-data; boundary=edge")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 501
    assert "TwinNotImplemented" in caught.value.read().decode()


def test_a_health_check_has_its_reference_its_version_and_what_was_left_out(bare):
    """A change for another version is refused."""
    route53 = bare.aws("route53")
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "orders.example.com"}
    made = route53.create_health_check(CallerReference="mine", HealthCheckConfig=config)
    check = made["HealthCheck"]
    assert (check["CallerReference"], check["HealthCheckVersion"]) == ("mine", 1)
    told = check["HealthCheckConfig"]
    assert (told["RequestInterval"], told["FailureThreshold"], told["EnableSNI"]) == (30, 3, True)
    assert "ChildHealthChecks" not in told
    changed = route53.update_health_check(
        HealthCheckId=check["Id"], HealthCheckVersion=1, FailureThreshold=5
    )["HealthCheck"]
    assert changed["HealthCheckVersion"] == 2
    late = {"HealthCheckId": check["Id"], "HealthCheckVersion": 1, "FailureThreshold": 4}
    assert refused(route53.update_health_check, **late)[0] == "HealthCheckVersionMismatch"
    code, message = refused(route53.get_health_check, HealthCheckId="nobody")
    assert (code, message) == ("NoSuchHealthCheck", "A health check with id nobody does not exist.")


@pytest.mark.parametrize(
    ("action", "many", "taken"), [("CREATE", 1000, True), ("UPSERT", 501, False)]
)
def test_a_batch_has_a_thousand_records_and_an_upsert_counts_twice(bare, action, many, taken):
    """And says so without the brackets of single changes."""
    route53 = bare.aws("route53")
    zone = route53.create_hosted_zone(Name="many.example.", CallerReference=f"{action}{many}")
    identifier = zone["HostedZone"]["Id"]
    changes = [
        {
            "Action": action,
            "ResourceRecordSet": {
                "Name": f"n{number}.many.example.",
                "Type": "A",
                "TTL": 60,
                "ResourceRecords": [{"Value": "192.0.2.1"}],
            },
        }
        for number in range(many)
    ]

    def ask():
        route53.change_resource_record_sets(
            HostedZoneId=identifier, ChangeBatch={"Changes": changes}
        )

    if taken:
        ask()
    else:
        message = "Number of records limit of 1000 exceeded."
        assert refused(ask) == ("InvalidChangeBatch", message)


def test_a_rotation_is_asked_for_within_its_limits(bare):
    """Before anything is said of the function."""
    secrets = bare.aws("secretsmanager")
    secrets.create_secret(Name="turning", SecretString="x")
    ask = {"SecretId": "turning"}
    days = refused(secrets.rotate_secret, **ask, RotationRules={"AutomaticallyAfterDays": 1001})
    assert days[0] in {"InvalidParameterException", "ParamValidationError"}
    assert "within 1-1000" in days[1]


def test_events_of_a_source_need_its_type(bare):
    """A name alone may be of a cluster and of an instance."""
    rds = bare.aws("rds")
    code, _ = refused(rds.describe_events, SourceIdentifier="orders")
    assert code == "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("role", "code"),
    [
        ("nobody", "ValidationException"),
        ("arn:aws:iam::999988887777:role/theirs", "AccessDeniedException"),
        (f"arn:aws:iam::{ACCOUNT}:role/not-there", "InvalidParameterValueException"),
    ],
)
def test_a_function_takes_a_role_of_its_own_account(bare, role, code):
    """A name that is none, and another account's, each with its own code."""
    given = {"FunctionName": "f", "Runtime": "python3.12", "Handler": "f.f", "Role": role}
    assert refused(bare.aws("lambda").create_function, **given, Code={"ZipFile": b"x"})[0] == code


def test_targets_that_nothing_would_ask_are_refused_and_unknown_ones_are_said_to_be_none(bare):
    """Instances come from Auto Scaling groups."""
    ec2, elbv2 = bare.aws("ec2"), bare.aws("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    targets = [{"Id": "i-0123456789abcdef0"}]
    code, _ = refused(elbv2.register_targets, TargetGroupArn=arn, Targets=targets)
    assert code == "TwinNotImplemented"
    (health,) = elbv2.describe_target_health(TargetGroupArn=arn, Targets=targets)[
        "TargetHealthDescriptions"
    ]
    assert health["TargetHealth"]["Reason"] == "Target.NotRegistered"
    assert health["Target"] == {**targets[0], "Port": 80}
    assert health["HealthCheckPort"] == "80"


def test_an_archive_holds_what_it_matches_and_replays_it_by_the_rules(bare):
    """A replayed event says which replay it is of, and is archived no second time."""
    events = bare.aws("events")
    url, arn = bare.queue("replayed", principal="events.amazonaws.com")
    bus = f"arn:aws:events:{EAST}:{ACCOUNT}:event-bus/default"
    events.create_archive(
        ArchiveName="kept", EventSourceArn=bus, EventPattern=json.dumps({"source": ["shop"]})
    )
    for source in ("shop", "other"):
        entry = {"Source": source, "DetailType": "sold", "Detail": '{"n": 1}'}
        events.put_events(Entries=[entry])
    until(lambda: events.describe_archive(ArchiveName="kept")["EventCount"] == 1)
    pattern = {"replay-name": [{"exists": True}]}
    events.put_rule(Name="again", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="again", Targets=[{"Id": "q", "Arn": arn}])
    now = dt.datetime.now(dt.UTC)
    week = dt.timedelta(days=7)
    replay = {"ReplayName": "r", "EventSourceArn": f"arn:aws:events:{EAST}:{ACCOUNT}:archive/kept"}
    events.start_replay(
        **replay,
        EventStartTime=now - week,
        EventEndTime=now + week,
        Destination={"Arn": bus},
    )
    ((found, _),) = until(lambda: bare.received(url))
    assert (found["replay-name"], found["source"]) == ("r", "shop")
    assert events.describe_archive(ArchiveName="kept")["EventCount"] == 1
    assert events.describe_replay(ReplayName="r")["State"] == "COMPLETED"
    (own,) = [item for item in events.list_rules()["Rules"] if item.get("ManagedBy")]
    (target,) = events.list_targets_by_rule(Rule=own["Name"])["Targets"]
    for change, given in (
        (events.remove_targets, {"Rule": own["Name"], "Ids": [target["Id"]]}),
        (events.put_targets, {"Rule": own["Name"], "Targets": [{"Id": "q", "Arn": arn}]}),
        (events.put_rule, {"Name": own["Name"], "EventPattern": json.dumps(pattern)}),
        (events.disable_rule, {"Name": own["Name"]}),
        (events.delete_rule, {"Name": own["Name"]}),
    ):
        assert refused(change, **given)[0] == "ManagedRuleException"
    events.remove_targets(Rule=own["Name"], Ids=[target["Id"]], Force=True)
    events.delete_rule(Name=own["Name"], Force=True)
