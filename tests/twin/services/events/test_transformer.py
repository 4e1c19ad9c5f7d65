"""What a target receives: the event, a part of it, or a template that parts of it are put into."""

import json

import pytest

from otherside.twin.services.events.delivery import _shaped

EVENT = {
    "time": "2026-11-29T00:00:00Z",
    "detail": {"state": {"value": "ALARM"}, "count": 3, "note": 'say "go"'},
    "resources": ["arn:aws:cloudwatch:us-west-2:123456789012:alarm:lag"],
}
PATHS = {
    "state": "$.detail.state.value",
    "count": "$.detail.count",
    "first": "$.resources[0]",
    "note": "$.detail.note",
    "none": "$.detail.nothing",
    "detail": "$.detail",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{"is": <state>, "n": <count>}', '{"is": "ALARM", "n": 3}'),
        ('{"is": "<state>"}', '{"is": "ALARM"}'),
        ('{"note": "<note>"}', '{"note": "say \\"go\\""}'),
        ('{"first": <first>}', json.dumps({"first": EVENT["resources"][0]})),
        ('{"whole": <detail>}', json.dumps({"whole": EVENT["detail"]})),
        ('{"at": <aws.events.event.ingestion-time>}', '{"at": "2026-11-29T00:00:00Z"}'),
    ],
)
def test_a_template_is_filled_in(template, text):
    """A text is quoted once, whether the template quotes it or not; other values are JSON."""
    target = {"InputTransformer": {"InputPathsMap": PATHS, "InputTemplate": template}}
    assert json.loads(_shaped(target, EVENT)) == json.loads(text)


def test_a_part_of_an_event_may_be_all_that_a_target_receives():
    """By a path, lists among its steps."""
    assert _shaped({"InputPath": "$.resources[0]"}, EVENT) == json.dumps(EVENT["resources"][0])
