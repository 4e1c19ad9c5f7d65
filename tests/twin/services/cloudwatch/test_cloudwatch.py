"""Alarms, streams, health checks and DNS on a twin."""

import datetime as dt
import json
import time

import dns.message
import dns.query
import pytest
from botocore.exceptions import ClientError

from twin.conftest import ACCOUNT, CONTROL, EAST, WEST, until

pytestmark = pytest.mark.slow


def alarm(bare, name, *, region=EAST, **more):
    """Make an alarm on a metric of its own name."""
    given = {
        "AlarmName": name,
        "Namespace": "Test",
        "MetricName": name,
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }
    bare.aws("cloudwatch", region).put_metric_alarm(**given)


def measure(bare, name, value, *, region=EAST, back_s=0.0):
    """Publish a point, as of now or of some time ago."""
    at = dt.datetime.fromtimestamp(bare.clock.now_s() - back_s, dt.UTC)
    data = [{"MetricName": name, "Value": value, "Timestamp": at}]
    bare.aws("cloudwatch", region).put_metric_data(Namespace="Test", MetricData=data)


def state(bare, name, region=EAST):
    """Return what an alarm says."""
    found = bare.aws("cloudwatch", region).describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return (found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"]


def alarmed_by_hand(bare, name, region=EAST):
    """Set an alarm; return whether it still says so, for the metric may have spoken meanwhile."""
    bare.aws("cloudwatch", region).set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="by hand"
    )
    return state(bare, name, region) == "ALARM"


def topic_of(bare, name, *, principal="cloudwatch.amazonaws.com"):
    """Make a topic that a service may publish to, and a queue that hears it; return (ARN, URL)."""
    sns = bare.aws("sns")
    arn = sns.create_topic(Name=name)["TopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": "sns:Publish",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    url, queue = bare.queue(f"{name}-hears", principal="sns.amazonaws.com")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    return arn, url


def test_CW_01_a_new_alarm_knows_nothing(bare):
    """Moto starts it OK; CloudWatch does not."""
    alarm(bare, "new", TreatMissingData="missing")
    assert state(bare, "new") == "INSUFFICIENT_DATA"


def test_CW_02_08_13_a_metric_older_than_its_alarm_counts_and_a_transition_is_an_event(bare):
    """With the event that CloudWatch puts onto its Region's default bus."""
    url, arn = bare.queue("alarm-events", principal="events.amazonaws.com")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["high"]}}
    bare.aws("events").put_rule(Name="high", EventPattern=json.dumps(pattern))
    bare.aws("events").put_targets(Rule="high", Targets=[{"Id": "q", "Arn": arn}])
    measure(bare, "high", 5, back_s=70)
    alarm(bare, "high")
    body, _ = until(lambda: bare.received(url))[0]
    assert body["detail-type"] == "CloudWatch Alarm State Change"
    assert body["resources"] == [f"arn:aws:cloudwatch:{EAST}:{ACCOUNT}:alarm:high"]
    detail = body["detail"]
    assert detail["state"]["value"] == "ALARM"
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert detail["previousState"]["reason"] == "Unchecked: Initial alarm creation"
    assert "reasonData" not in detail["previousState"]
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [5.0]
    metric = detail["configuration"]["metrics"][0]["metricStat"]["metric"]
    assert metric == {"name": "high", "namespace": "Test", "dimensions": {}}


def test_CW_09_actions_on_transitions_only_and_only_if_the_topic_lets_them(bare):
    """One message for one transition, in CloudWatch's words; none to a topic that is shut."""
    arn, url = topic_of(bare, "told")
    shut = bare.aws("sns").create_topic(Name="shut")["TopicArn"]
    measure(bare, "acts", 5, back_s=70)
    alarm(bare, "acts", AlarmActions=[arn, shut], TreatMissingData="ignore")
    body, _ = until(lambda: bare.received(url))[0]
    message = json.loads(body["Message"])
    assert body["Subject"] == 'ALARM: "acts" in US East (Ohio)'
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert (message["Region"], message["Trigger"]["MetricName"]) == ("US East (Ohio)", "acts")
    time.sleep(6)  # two evaluations of the twin's
    assert bare.received(url) == []
    told = [event["text"] for event in bare.do("events")["events"]]
    assert any("acts could not tell" in item and "shut" in item for item in told)


def test_CW_10_a_state_that_somebody_sets_lasts_until_the_next_evaluation(bare):
    """It is a real transition, and then the metric speaks again."""
    measure(bare, "set", -1, back_s=70)
    alarm(bare, "set", TreatMissingData="notBreaching")
    until(lambda: state(bare, "set") == "OK")
    until(lambda: alarmed_by_hand(bare, "set"))
    until(lambda: state(bare, "set") == "OK", seconds=10)


def test_CW_03_spans_that_cannot_be_looked_at_are_refused(bare):
    """A day for periods under an hour, and periods of ten seconds or whole minutes."""
    for wrong in ({"EvaluationPeriods": 1500}, {"Period": 45}):
        with pytest.raises(ClientError):
            alarm(bare, "wrong", **wrong)


def test_CW_11_12_a_composite_alarm_follows_its_children_and_may_be_kept_quiet(bare):
    """Its state changes; its actions wait for the suppressor."""
    arn, url = topic_of(bare, "composed")
    measure(bare, "child", 5, back_s=70)
    measure(bare, "quiet", 5, back_s=70)
    alarm(bare, "child", TreatMissingData="ignore")
    alarm(bare, "quiet", TreatMissingData="ignore")
    until(lambda: state(bare, "quiet") == "ALARM")
    bare.aws("cloudwatch").put_composite_alarm(
        AlarmName="whole",
        AlarmRule='ALARM("child")',
        AlarmActions=[arn],
        ActionsSuppressor="quiet",
        ActionsSuppressorWaitPeriod=20,
        ActionsSuppressorExtensionPeriod=20,
    )
    until(lambda: state(bare, "whole") == "ALARM")
    time.sleep(3)
    assert bare.received(url) == []

    def told():  # an evaluation puts it back as long as its datapoint counts
        if state(bare, "quiet") != "OK":
            bare.aws("cloudwatch").set_alarm_state(
                AlarmName="quiet", StateValue="OK", StateReason="by hand"
            )
        return bare.received(url)

    assert until(told, seconds=20)


def test_CW_01_an_alarm_that_is_put_again_keeps_its_state(bare):
    """All of its configuration is new, and what it says is not."""
    measure(bare, "again", 5, back_s=70)
    alarm(bare, "again", TreatMissingData="ignore")
    until(lambda: state(bare, "again") == "ALARM")
    alarm(bare, "again", TreatMissingData="ignore", Threshold=1)
    assert state(bare, "again") == "ALARM"


def test_STR_01_02_03_04_metrics_arrive_as_objects(bare):
    """Line by line, in the Region's own prefix, once the buffer's time is over."""
    s3, region = bare.aws("s3"), EAST
    bucket = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket="carried", **bucket)
    put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::carried/*"}
    out = bare.role("firehose", put, trusting="firehose.amazonaws.com")
    hose = bare.aws("firehose").create_delivery_stream(
        DeliveryStreamName="hose",
        ExtendedS3DestinationConfiguration={
            "RoleARN": out,
            "BucketARN": "arn:aws:s3:::carried",
            "Prefix": f"{region}/",
            "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 5},
        },
    )["DeliveryStreamARN"]
    record = {"Effect": "Allow", "Action": "firehose:PutRecord", "Resource": hose}
    trusted = "streams.metrics.cloudwatch.amazonaws.com"
    role = bare.role("stream", record, trusting=trusted)
    bare.aws("cloudwatch").put_metric_stream(
        Name="all",
        FirehoseArn=hose,
        RoleArn=role,
        OutputFormat="json",
        IncludeFilters=[{"Namespace": "Test"}],
    )
    measure(bare, "carried", 7)
    found = until(lambda: s3.list_objects_v2(Bucket="carried").get("Contents"), seconds=20)
    assert found[0]["Key"].startswith(f"{region}/20")
    text = s3.get_object(Bucket="carried", Key=found[0]["Key"])["Body"].read().decode()
    points = [json.loads(line) for line in text.splitlines()]
    ours = next(point for point in points if point["metric_name"] == "carried")
    assert (ours["metric_stream_name"], ours["region"]) == ("all", region)
    assert ours["value"] == {"count": 1.0, "sum": 7.0, "max": 7.0, "min": 7.0}
    assert {point["namespace"] for point in points} == {"Test"}
    bare.aws("cloudwatch").stop_metric_streams(Names=["all"])
    stream = bare.aws("cloudwatch").get_metric_stream(Name="all")
    assert stream["State"] == "stopped"


def check(bare, **config):
    """Make a health check; return its id."""
    made = bare.aws("route53").create_health_check(
        CallerReference=str(time.monotonic_ns()), HealthCheckConfig=config
    )
    return made["HealthCheck"]["Id"]


def healthy(bare, identifier):
    """Return what Route 53 believes of a check."""
    return bare.do("status")["checks"][identifier]


def test_R53_03_10_16_what_a_check_keeps_and_what_it_refuses(bare):
    """All of its configuration, which moto drops half of; and nothing that AWS refuses."""
    identifier = check(
        bare,
        Type="CLOUDWATCH_METRIC",
        AlarmIdentifier={"Region": WEST, "Name": "x"},
        InsufficientDataHealthStatus="LastKnownStatus",
    )
    config = bare.aws("route53").get_health_check(HealthCheckId=identifier)["HealthCheck"]
    config = config["HealthCheckConfig"]
    assert config["AlarmIdentifier"] == {"Region": WEST, "Name": "x"}
    assert config["InsufficientDataHealthStatus"] == "LastKnownStatus"
    http = {"Type": "HTTP", "FullyQualifiedDomainName": "a.example.com", "Port": 80}
    for wrong in ({"RequestInterval": 20}, {"FailureThreshold": 11}):
        with pytest.raises(ClientError):
            check(bare, **http, **wrong)


def test_R53_15_calculated_checks(bare):
    """As many children as asked for; none of them calculated; zero is always healthy."""
    good, ill = check(bare, **ALARMED("calm")), check(bare, **ALARMED("ill"))
    measure(bare, "calm", -1, region=WEST, back_s=70)
    measure(bare, "ill", 5, region=WEST, back_s=70)
    for name in ("calm", "ill"):
        alarm(bare, name, region=WEST, TreatMissingData="ignore")
    until(lambda: not healthy(bare, ill))
    both = {"Type": "CALCULATED", "ChildHealthChecks": [good, ill]}
    found = [check(bare, **both, HealthThreshold=n) for n in (0, 1, 2, 3)]
    assert [healthy(bare, item) for item in found] == [True, True, False, False]
    with pytest.raises(ClientError, match="cannot watch a calculated"):
        check(bare, Type="CALCULATED", ChildHealthChecks=[found[0]], HealthThreshold=1)


def ALARMED(name):
    """Return the configuration of a check that watches an alarm."""
    return {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": WEST, "Name": name},
        "InsufficientDataHealthStatus": "LastKnownStatus",
    }


def test_R53_11_12_inverted_and_disabled(bare):
    """An inverted check starts unhealthy; a disabled one is healthy, unless it is inverted."""
    http = {"Type": "HTTP", "FullyQualifiedDomainName": "a.example.com", "Port": 80}
    http["RequestInterval"] = 30
    assert healthy(bare, check(bare, **http))
    assert not healthy(bare, check(bare, **http, Inverted=True))
    assert healthy(bare, check(bare, **http, Disabled=True))
    assert not healthy(bare, check(bare, **http, Disabled=True, Inverted=True))


def test_R53_13_a_check_follows_the_metric_and_not_the_alarms_state(bare):
    """Setting the alarm by hand moves nobody."""
    measure(bare, "followed", -1, region=WEST, back_s=70)
    alarm(bare, "followed", region=WEST, TreatMissingData="ignore")
    identifier = check(bare, **ALARMED("followed"))
    until(lambda: alarmed_by_hand(bare, "followed", WEST))
    time.sleep(0.5)
    assert healthy(bare, identifier)

    def left():
        measure(bare, "followed", 5, region=WEST, back_s=5)  # a metric goes on being measured
        return not healthy(bare, identifier)

    until(left, seconds=15, every_s=0.5)


def test_R53_13_a_region_that_falls_silent_leaves_what_was_known(bare):
    """Its metric says nothing any more, and the check keeps its last word."""
    measure(bare, "silent", 5, region=WEST, back_s=70)
    alarm(bare, "silent", region=WEST, TreatMissingData="missing")
    identifier = check(bare, **ALARMED("silent"))
    until(lambda: not healthy(bare, identifier))
    bare.do("lose", region=WEST)
    time.sleep(4)
    assert not healthy(bare, identifier)
    bare.do("restore", region=WEST)


def test_R53_09_10_22_a_name_that_does_not_resolve_is_unhealthy(bare):
    """Each place says why, as the API has it."""
    identifier = check(
        bare,
        Type="HTTP",
        FullyQualifiedDomainName="nobody.example.com",
        Port=80,
        RequestInterval=10,
        FailureThreshold=1,
        Regions=["us-east-1", "us-west-2", "eu-west-1"],
    )
    until(lambda: not healthy(bare, identifier))
    found = bare.aws("route53").get_health_check_status(HealthCheckId=identifier)
    observed = found["HealthCheckObservations"]
    assert {observation["Region"] for observation in observed} == {
        "us-east-1",
        "us-west-2",
        "eu-west-1",
    }
    said = {observation["StatusReport"]["Status"] for observation in observed}
    assert "Failure: DNS resolution failed" in said
    until(
        lambda: (
            len(
                bare.aws("cloudwatch", CONTROL).list_metrics(
                    Namespace="AWS/Route53", MetricName="HealthCheckStatus"
                )["Metrics"]
            )
            > 0
        )
    )


def test_R53_21_health_metrics_are_in_one_region_only(bare):
    """us-east-1 has them, whatever Region an alarm waits in."""
    check(bare, Type="HTTP", FullyQualifiedDomainName="b.example.com", Port=80)
    name = {"Namespace": "AWS/Route53", "MetricName": "HealthCheckStatus"}
    until(lambda: bare.aws("cloudwatch", CONTROL).list_metrics(**name)["Metrics"], seconds=20)
    for region in (EAST, WEST):
        assert bare.aws("cloudwatch", region).list_metrics(**name)["Metrics"] == []


def asked(bare, name, *, tcp=False):
    """Ask the twin's DNS; return (code, addresses, time to live)."""
    host, _, port = bare.known["dns"].rpartition(":")
    query = dns.message.make_query(name, "A")
    ask = dns.query.tcp if tcp else dns.query.udp
    found = ask(query, host, port=int(port), timeout=5)
    rows = [(str(item), rrset.ttl) for rrset in found.answer for item in rrset]
    return dns.rcode.to_text(found.rcode()), rows


def test_dns_answers_over_both_transports(bare):
    """What the zone says, with its time to live; nothing for what nobody has."""
    route53 = bare.aws("route53")
    zone = route53.create_hosted_zone(Name="example.net", CallerReference="z")["HostedZone"]["Id"]
    record = {
        "Name": "app.example.net",
        "Type": "A",
        "TTL": 17,
        "ResourceRecords": [{"Value": "192.0.2.7"}],
    }
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
    bare.do("delegate", name="example.net")
    for tcp in (False, True):
        assert asked(bare, "app.example.net", tcp=tcp) == ("NOERROR", [("192.0.2.7", 17)])
        assert asked(bare, "other.example.net", tcp=tcp)[0] == "NXDOMAIN"
    wrong = {**record, "Name": "ill.example.net", "HealthCheckId": "no-such-check"}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": wrong}]}
    with pytest.raises(ClientError, match="No health check exists"):
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
    good = {"Action": "CREATE", "ResourceRecordSet": {**record, "Name": "good.example.net"}}
    again = {"Action": "CREATE", "ResourceRecordSet": record}
    with pytest.raises(ClientError, match="already exists") as caught:
        route53.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": [good, again]}
        )
    assert caught.value.response["Error"]["Code"] == "InvalidChangeBatch"
    assert asked(bare, "good.example.net")[0] == "NXDOMAIN"
    made = route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [good, {**again, "Action": "DELETE"}]}
    )
    assert route53.get_change(Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert asked(bare, "good.example.net")[0] == "NOERROR"
    assert asked(bare, "app.example.net")[0] == "NXDOMAIN"


@pytest.mark.parametrize("wrong", [{}, {"IPAddress": "10.0.0.1"}, {"IPAddress": "nowhere"}])
def test_a_health_check_needs_something_public_to_ask(bare, wrong):
    """Nothing, a private address and what is no address are refused, as by AWS."""
    with pytest.raises(ClientError, match="InvalidInput"):
        check(bare, Type="HTTP", Port=80, **wrong)
