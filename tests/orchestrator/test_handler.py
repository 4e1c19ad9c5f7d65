"""The two functions as they are: one says that it is alive and holds the latch, one refuses."""

import boto3
import pytest
from botocore.stub import Stubber

from otherside.core.names import OrchestratorSettings
from otherside.orchestrator.handler import look, newest_revision
from stacks import declared

KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-west-2"}


def settings():
    """Return the settings that the stack gives the decider."""
    function = declared().one("lambda/function:Function", "decider")
    return OrchestratorSettings.from_environment(function.inputs["environment"]["variables"])


def test_the_stack_gives_the_decider_every_setting():
    """Nothing missing, nothing empty."""
    assert settings().state_table == "orders-prod-state"
    assert settings().mode == "approve"


@pytest.mark.parametrize(
    ("items", "latched"),
    [
        ([], 0.0),
        ([{"revision": {"S": "rev#0000000001"}, "latched": {"BOOL": False}}], 0.0),
        ([{"revision": {"S": "rev#0000000002"}, "latched": {"BOOL": True}}], 1.0),
    ],
)
def test_each_look_publishes_the_heartbeat_and_where_the_latch_is(items, latched):
    """The newest committed revision decides, read from a majority; silence is never published."""
    table = boto3.resource("dynamodb", **KEYS).Table("orders-prod-state")
    metrics = boto3.client("cloudwatch", **KEYS)
    dimensions = [{"Name": "Application", "Value": "orders-prod"}]
    with Stubber(table.meta.client) as reads, Stubber(metrics) as writes:
        reads.add_response("query", {"Items": items})
        writes.add_response(
            "put_metric_data",
            {},
            {
                "Namespace": "Otherside",
                "MetricData": [
                    {"MetricName": "Heartbeat", "Dimensions": dimensions, "Value": 1.0},
                    {"MetricName": "FailoverActive", "Dimensions": dimensions, "Value": latched},
                ],
            },
        )
        assert look(settings(), table, metrics)["latched"] is bool(latched)
        reads.assert_no_pending_responses()
        writes.assert_no_pending_responses()


def test_the_newest_revision_is_read_consistently():
    """From a majority, newest first, one only, and no other kind of item."""
    table = boto3.resource("dynamodb", **KEYS).Table("orders-prod-state")
    with Stubber(table.meta.client) as reads:
        reads.add_response("query", {"Items": []})
        seen = {}
        table.meta.client.meta.events.register(
            "before-parameter-build.dynamodb.Query", lambda params, **_: seen.update(params)
        )
        assert newest_revision(settings(), table) is None
    assert seen["ConsistentRead"] is True
    assert seen["ScanIndexForward"] is False
    assert seen["Limit"] == 1
