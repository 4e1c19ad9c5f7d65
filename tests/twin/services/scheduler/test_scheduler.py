"""EventBridge Scheduler on a twin."""

import json

import pytest
from botocore.exceptions import ClientError

from twin.conftest import ACCOUNT, EAST, until

pytestmark = pytest.mark.slow

SCHEDULER = "scheduler.amazonaws.com"


def schedule(bare, name, target, role, expression="rate(1 minutes)", **more):
    """Make a schedule; return its ARN."""
    return bare.aws("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": role, **more},
    )["ScheduleArn"]


def sender(bare, name, *arns):
    """Make a role that Scheduler may assume, and that may send to some queues."""
    may = [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn} for arn in arns]
    return bare.role(name, *may, trusting=SCHEDULER)


def test_EB_15_a_schedule_calls_its_target_as_its_role(bare):
    """Each minute, with the notice of its own, or with what it was given."""
    url, arn = bare.queue("noticed")
    made = schedule(bare, "noticing", arn, sender(bare, "noticing", arn))
    body, _ = until(lambda: bare.received(url), seconds=20)[0]
    assert (body["source"], body["resources"], body["detail"]) == ("aws.scheduler", [made], "{}")
    bare.aws("scheduler").delete_schedule(Name="noticing")
    url, arn = bare.queue("told")
    role = sender(bare, "telling", arn)
    schedule(bare, "telling", arn, role, Input=json.dumps({"own": "words"}))
    assert until(lambda: bare.received(url), seconds=20)[0][0] == {"own": "words"}
    bare.aws("scheduler").delete_schedule(Name="telling")


def test_EB_16_what_could_not_be_delivered_is_kept_with_why(bare):
    """A role that may not, and a queue that is not there."""
    url, dead = bare.queue("scheduler-dead")
    missing = f"arn:aws:sqs:{EAST}:{ACCOUNT}:nowhere"
    shut = bare.queue("scheduler-shut")[1]
    for name, target, may, code in (
        ("denied", shut, (dead,), "AccessDeniedException"),
        ("missing", missing, (dead, missing), "ResourceNotFoundException"),
    ):
        role = sender(bare, f"bury-{name}", *may)
        made = schedule(bare, name, target, role, DeadLetterConfig={"Arn": dead})
        _, attributes = until(lambda: bare.received(url), seconds=20)[0]
        assert attributes["ERROR_CODE"] == code
        assert attributes["SCHEDULE_ARN"] == made
        assert attributes["TARGET_ARN"] == target
        assert attributes["RETRY_ATTEMPTS"] == "0"
        bare.aws("scheduler").delete_schedule(Name=name)


def test_what_would_never_fire_is_refused(bare):
    """An expression that the twin does not read, and a role that does not trust Scheduler."""
    _, arn = bare.queue("refused")
    role = sender(bare, "refusing", arn)
    with pytest.raises(ClientError, match="fires rate"):
        schedule(bare, "yearly", arn, role, "cron(0 0 1 1 ? *)")
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler"):
        schedule(bare, "untrusted", arn, bare.role("untrusting"))
