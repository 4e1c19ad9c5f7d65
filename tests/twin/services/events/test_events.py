"""EventBridge on a twin: what fits, what is delivered, and what becomes of the rest."""

import datetime as dt
import json
import time
from functools import partial
from itertools import pairwise

import pytest

from twin.conftest import ACCOUNT, CONTROL, EAST, WEST, until

pytestmark = pytest.mark.slow

EVENTS = "events.amazonaws.com"


def rule(bare, name, pattern=None, *, region=EAST, event_bridge="default", **more):
    """Make a rule; return its ARN."""
    given = {"EventPattern": json.dumps(pattern)} if pattern else {}
    client = bare.aws("events", region)
    return client.put_rule(Name=name, EventBusName=event_bridge, **given, **more)["RuleArn"]


def target(bare, name, arn, *, region=EAST, event_bridge="default", **more):
    """Give a rule one target."""
    client = bare.aws("events", region)
    client.put_targets(
        Rule=name, EventBusName=event_bridge, Targets=[{"Id": "one", "Arn": arn, **more}]
    )


def put(bare, detail, *, source="test", region=EAST, event_bridge="default"):
    """Put one event of our own."""
    entry = {
        "Source": source,
        "DetailType": "Test",
        "Detail": json.dumps(detail),
        "EventBusName": event_bridge,
    }
    return bare.aws("events", region).put_events(Entries=[entry])


def deliveries(bare, name):
    """Return what became of a rule's deliveries, each an error or an empty string."""
    return [
        delivery["error"]
        for delivery in bare.do("deliveries")["deliveries"]
        if delivery["rule"] == name
    ]


@pytest.mark.parametrize(
    ("pattern", "detail", "fits"),
    [
        ({"detail": {"a": ["x"]}}, {"a": "x"}, True),
        ({"detail": {"a": ["x"]}}, {"a": "X"}, False),
        ({"detail": {"a": ["x", "y"], "b": ["z"]}}, {"a": "y", "b": "z"}, True),
        ({"detail": {"a": ["x"], "b": ["z"]}}, {"a": "x"}, False),
        ({"detail": {"a": ["x"]}}, {"a": ["w", "x"]}, True),
        ({"detail": {"a": [{"prefix": "x"}]}}, {"a": "xyz"}, True),
        ({"detail": {"a": [{"suffix": "z"}]}}, {"a": "xyz"}, True),
        ({"detail": {"a": [{"anything-but": ["x"]}]}}, {"a": "x"}, False),
        ({"detail": {"a": [{"numeric": [">", 1, "<=", 3]}]}}, {"a": 3}, True),
        ({"detail": {"a": [{"exists": False}]}}, {"b": 1}, True),
        ({"detail": {"a": [{"exists": True}]}}, {"b": 1}, False),
        ({"detail": {"a": [{"equals-ignore-case": "XY"}]}}, {"a": "xy"}, True),
        ({"detail": {"$or": [{"a": ["x"]}, {"b": ["y"]}]}}, {"b": "y"}, True),
    ],
)
def test_EB_01_02_what_a_pattern_fits(bare, pattern, detail, fits):
    """Values are alternatives, fields are not; each operator by itself."""
    name = f"fit-{abs(hash(json.dumps([pattern, detail], sort_keys=True)))}"
    _, arn = bare.queue(name, principal=EVENTS)
    rule(bare, name, {"source": [name], **pattern})
    target(bare, name, arn)
    sentinel = f"{name}-all"
    rule(bare, sentinel, {"source": [name]})
    target(bare, sentinel, arn)
    put(bare, detail, source=name)
    until(lambda: deliveries(bare, sentinel))
    time.sleep(0.1)
    assert deliveries(bare, name) == ([""] if fits else [])


def test_EB_03_a_disabled_rule_delivers_nothing(bare):
    """And delivers again once it is enabled."""
    url, arn = bare.queue("disabled", principal=EVENTS)
    rule(bare, "disabled", {"source": ["disabled"]}, State="DISABLED")
    target(bare, "disabled", arn)
    put(bare, {"n": 1}, source="disabled")
    time.sleep(0.3)
    assert deliveries(bare, "disabled") == []
    bare.aws("events").enable_rule(Name="disabled")
    put(bare, {"n": 2}, source="disabled")
    (found,) = until(lambda: bare.received(url))
    assert found[0]["detail"] == {"n": 2}


def test_EB_05_a_refused_entry_stops_no_other(bare):
    """200, with a count; nobody speaks for AWS."""
    good = {"Source": "mine", "DetailType": "T", "Detail": "{}"}
    entries = [good, {**good, "Source": "aws.rds"}, {**good, "Detail": "no JSON"}]
    found = bare.aws("events").put_events(Entries=entries)
    assert found["FailedEntryCount"] == 2
    codes = [entry.get("ErrorCode") for entry in found["Entries"]]
    assert codes == [None, "NotAuthorizedForSourceException", "MalformedDetail"]


def test_an_event_has_the_time_that_its_source_gives_it(bare):
    """And the present, if it gives none."""
    url, arn = bare.queue("timed", principal=EVENTS)
    rule(bare, "timed", {"source": ["clock"]})
    target(bare, "timed", arn)
    entry = {"Source": "clock", "DetailType": "T", "Detail": "{}"}
    past = {**entry, "Time": dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)}
    bare.aws("events").put_events(Entries=[past, entry])
    found = []

    def both():
        found.extend(body["time"] for body, _ in bare.received(url))
        return len(found) == 2

    until(both)
    assert min(found) == "2026-01-31T12:00:00Z"
    assert max(found) > "2026-01-31T12:00:00Z"


def test_a_first_in_first_out_queue_gets_events_in_the_group_of_the_target(bare):
    """A target for such a queue names its group."""
    first_in_first_out = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url, arn = bare.queue("ordered.fifo", principal=EVENTS, **first_in_first_out)
    rule(bare, "ordered", {"source": ["ordered"]})
    target(bare, "ordered", arn, SqsParameters={"MessageGroupId": "orders"})
    put(bare, {"n": 1}, source="ordered")

    def message():
        got = bare.aws("sqs").receive_message(QueueUrl=url, AttributeNames=["All"])
        return got.get("Messages")

    (found,) = until(message)
    assert found["Attributes"]["MessageGroupId"] == "orders"


def test_a_log_group_holds_the_events_of_a_rule(bare):
    """Where its resource policy lets EventBridge write."""
    logs = bare.aws("logs")
    logs.create_log_group(logGroupName="/aws/events/orders")
    arn = f"arn:aws:logs:{EAST}:{ACCOUNT}:log-group:/aws/events/orders"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": [EVENTS, "delivery.logs.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{arn}:*",
    }
    logs.put_resource_policy(
        policyName="events",
        policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    rule(bare, "logged", {"source": ["logged"]})
    target(bare, "logged", arn)
    put(bare, {"n": 1}, source="logged")

    def lines():
        return logs.filter_log_events(logGroupName="/aws/events/orders")["events"]

    (found,) = until(lines)
    assert json.loads(found["message"])["detail"] == {"n": 1}


def test_EB_07_08_what_may_not_be_reached_goes_straight_to_the_dead_letters(bare):
    """No permission and no target: never tried again, with AWS's attributes."""
    closed = bare.queue("closed")[1]
    missing = f"arn:aws:sqs:{EAST}:{ACCOUNT}:missing"
    for name, arn, code in (
        ("to-closed", closed, "NO_PERMISSIONS"),
        ("to-missing", missing, "NO_RESOURCE"),
    ):
        url, dead = bare.queue(f"dead-{name}", principal=EVENTS)
        made = rule(bare, name, {"source": [name]})
        target(bare, name, arn, DeadLetterConfig={"Arn": dead})
        put(bare, {"for": name}, source=name)
        (found,) = until(partial(bare.received, url))
        body, attributes = found
        assert body["detail"] == {"for": name}
        assert attributes["ERROR_CODE"] == code
        assert attributes["RULE_ARN"] == made
        assert attributes["TARGET_ARN"] == arn


def test_EB_04_12_LAM_21_a_function_needs_a_permission_of_its_own(bare):
    """Without one nothing is invoked; with one for another rule neither."""
    arn = bare.function("woken", "def handler(event, context):\n    return event['detail']\n")
    made = rule(bare, "wake", {"source": ["wake"]})
    target(bare, "wake", arn)
    put(bare, {}, source="wake")
    until(lambda: deliveries(bare, "wake"))
    assert deliveries(bare, "wake")[0].startswith("NO_PERMISSIONS")
    for statement, source in (("other", made.replace("wake", "other")), ("right", made)):
        bare.aws("lambda").add_permission(
            FunctionName="woken",
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal=EVENTS,
            SourceArn=source,
        )
        count = len(deliveries(bare, "wake"))
        put(bare, {}, source="wake")
        until(lambda n=count: len(deliveries(bare, "wake")) > n)
        assert (deliveries(bare, "wake")[-1] == "") is (statement == "right")
    until(lambda: [run for run in bare.do("runs")["runs"] if run["function"] == "woken"])


def forwarding(bare, name, source, there, *, policy=True):
    """Forward a source's events from one Region to a bus of another; return the role."""
    arn = f"arn:aws:events:{there}:{ACCOUNT}:event-bus/{name}"
    may = [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": arn}] if policy else []
    role = bare.role(f"forward-{name}", *may, trusting=EVENTS)
    bare.aws("events", there).create_event_bus(Name=name)
    rule(bare, f"forward-{name}", {"source": [source]})
    target(bare, f"forward-{name}", arn, RoleArn=role)
    return role


def test_EB_09_an_event_keeps_its_region_and_is_forwarded_once(bare):
    """To a bus of another Region as the target's role, and no further."""
    forwarding(bare, "second", "far", WEST)
    url, arn = bare.queue("arrived", region=WEST, principal=EVENTS)
    rule(bare, "arrived", {"source": ["far"]}, region=WEST, event_bridge="second")
    target(bare, "arrived", arn, region=WEST, event_bridge="second")
    bare.aws("events", CONTROL).create_event_bus(Name="third")
    third = f"arn:aws:events:{CONTROL}:{ACCOUNT}:event-bus/third"
    rule(bare, "onward", {"source": ["far"]}, region=WEST, event_bridge="second")
    target(bare, "onward", third, region=WEST, event_bridge="second")
    put(bare, {"n": 1}, source="far")
    (found,) = until(lambda: bare.received(url, WEST))
    assert found[0]["region"] == EAST
    assert found[0]["account"] == ACCOUNT
    until(lambda: deliveries(bare, "onward"))
    assert deliveries(bare, "onward")[0].startswith("dropped")


def test_EB_06_10_forwarding_takes_a_role_that_may_and_tries_again_while_the_way_is_cut(bare):
    """No permission is final; a Region that cannot be reached is tried again."""
    forwarding(bare, "shut", "shut", WEST, policy=False)
    put(bare, {}, source="shut")
    until(lambda: deliveries(bare, "forward-shut"))
    assert "may not events:PutEvents" in deliveries(bare, "forward-shut")[0]
    forwarding(bare, "open", "open", WEST)
    bare.do("cut", source=EAST, target=WEST)
    put(bare, {}, source="open")
    time.sleep(0.5)
    assert deliveries(bare, "forward-open") == []
    bare.do("mend", source=EAST, target=WEST)
    until(lambda: deliveries(bare, "forward-open"))
    assert deliveries(bare, "forward-open") == [""]


def test_EB_14_a_schedule_ticks_each_minute(bare):
    """With AWS's own event, an empty detail, and the rule for its resource."""
    url, arn = bare.queue("ticks", principal=EVENTS)
    made = rule(bare, "tick", ScheduleExpression="rate(1 minute)")
    target(bare, "tick", arn)
    found = until(lambda: bare.received(url), seconds=15)[0][0]
    assert found["detail-type"] == "Scheduled Event"
    assert found["source"] == "aws.events"
    assert (found["resources"], found["detail"]) == ([made], {})
    until(lambda: len(deliveries(bare, "tick")) >= 3, seconds=15)
    times = [
        delivery["at_s"]
        for delivery in bare.do("deliveries")["deliveries"]
        if delivery["rule"] == "tick"
    ]
    assert all(55 < b - a < 70 for a, b in pairwise(times))
    bare.aws("events").disable_rule(Name="tick")
