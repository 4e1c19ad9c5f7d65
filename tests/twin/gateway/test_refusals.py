"""What a rehearsal must meet before AWS does: calls that AWS refuses, with its codes."""

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.services.cloudwatch.composite_rule import children
from otherside.twin.services.events.provider import is_schedule
from twin.conftest import EAST

ALARM = {
    "Namespace": "n",
    "MetricName": "m",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
    "Statistic": "Sum",
}
FUNCTION = "arn:aws:lambda:us-east-2:123456789012:function:f"


def refusal(call, **parameters):
    """Return (code, message) of the error that a call meets."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("kms", "generate_data_key", {"KeyId": "alias/x", "KeySpec": "AES_256"}, "NotFound"),
        ("kms", "encrypt", {"KeyId": "alias/x", "Plaintext": b"x"}, "NotFound"),
        ("kms", "encrypt", {"KeyId": "1" * 8, "Plaintext": b"x"}, "NotFound"),
        ("rds", "delete_global_cluster", {"GlobalClusterIdentifier": "x"}, "GlobalClusterNotFound"),
        (
            "events",
            "put_rule",
            {"Name": "r", "ScheduleExpression": "rate(1 minutes)"},
            "Validation",
        ),
        ("events", "put_rule", {"Name": "r", "ScheduleExpression": "cron(0 9 * *)"}, "Validation"),
    ],
)
def test_is_refused_by_name(bare, service, operation, parameters, code):
    """And never with the page of a web framework."""
    found, _ = refusal(getattr(bare.aws(service), operation), **parameters)
    assert found.startswith(code)


@pytest.mark.slow
def test_a_rule_has_five_targets(bare):
    """Over all calls, and a target that is put again is one."""
    events = bare.aws("events")
    events.put_rule(Name="five", ScheduleExpression="rate(1 day)")
    targets = [{"Id": str(number), "Arn": FUNCTION} for number in range(6)]
    events.put_targets(Rule="five", Targets=targets[:4])
    events.put_targets(Rule="five", Targets=targets[3:5])
    code, _ = refusal(events.put_targets, Rule="five", Targets=targets[5:])
    assert code == "LimitExceededException"


@pytest.mark.slow
def test_a_composite_alarm_and_its_children_need_one_another(bare):
    """No rule of alarms that are not there, and no alarm goes while a rule asks it."""
    cloudwatch = bare.aws("cloudwatch")
    for rule, words in (
        ("ALARM(nobody)", "alarms [nobody] in the alarm rule do not exist"),
        ("ALARM((", "Invalid AlarmRule"),
        (" ", "Invalid AlarmRule"),
    ):
        code, said = refusal(cloudwatch.put_composite_alarm, AlarmName="c", AlarmRule=rule)
        assert code == "ValidationError"
        assert words in said
    cloudwatch.put_metric_alarm(AlarmName="child", **ALARM)
    cloudwatch.put_composite_alarm(AlarmName="parent", AlarmRule="ALARM(child)")
    _, said = refusal(cloudwatch.delete_alarms, AlarmNames=["child"])
    assert said == "Cannot delete child as there are composite alarm(s) depending on it."
    cloudwatch.delete_alarms(AlarmNames=["parent"])
    cloudwatch.delete_alarms(AlarmNames=["child"])


@pytest.mark.slow
def test_a_zone_and_a_member_must_fit_what_is_there(bare):
    """One zone a caller reference; one engine a global database."""
    route53, rds = bare.aws("route53"), bare.aws("rds", EAST)
    route53.create_hosted_zone(Name="twice.example.net", CallerReference="twice")
    call = route53.create_hosted_zone
    code, _ = refusal(call, Name="twice.example.net", CallerReference="twice")
    assert code == "HostedZoneAlreadyExists"
    code, _ = refusal(
        rds.create_db_cluster,
        DBClusterIdentifier="alone",
        Engine="aurora-postgresql",
        GlobalClusterIdentifier="nowhere",
    )
    assert code == "GlobalClusterNotFoundFault"
    rds.create_global_cluster(GlobalClusterIdentifier="whole", Engine="aurora-postgresql")
    code, said = refusal(
        rds.create_db_cluster,
        DBClusterIdentifier="other",
        Engine="aurora-mysql",
        GlobalClusterIdentifier="whole",
    )
    assert code == "InvalidParameterCombination"
    assert "does not match the engine aurora-postgresql" in said


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("rate(1 minute)", True),
        ("rate(5 minutes)", True),
        ("rate(1 minutes)", False),
        ("rate(5 minute)", False),
        ("rate(0 minutes)", False),
        ("rate(1 week)", False),
        ("cron(0 9 * * ? *)", True),
        ("cron(0 9 ? * MON *)", True),
        ("cron(0 9 * * *)", False),
        ("cron(0 9 * * * *)", False),
        ("0 9 * * ? *", False),
    ],
)
def test_schedules(text, accepted):
    """A rate's unit agrees with its number; cron has six fields, one of the days a question."""
    assert is_schedule(text) is accepted


@given(st.lists(st.text("abc-", min_size=1, max_size=4), min_size=1, max_size=5))
def test_a_rule_names_its_children(names):
    """By name or by ARN, whatever joins them."""
    arn = "arn:aws:cloudwatch:us-east-2:123456789012:alarm:"
    rule = " OR ".join(f'NOT ALARM("{arn}{name}") AND OK({name})' for name in names)
    assert children(rule) == set(names)
