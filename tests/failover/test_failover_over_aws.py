"""One failover over AWS's own shapes, told whole: who was asked what, where, and in what order."""

import pytest

from failover.account_builders import tell
from failover.fake_aws import fake_aws
from otherside.core.wire_contract import ItemType, revision_sort
from otherside.failover.aws.record import state_from_text
from otherside.failover.decision.state import Phase


@pytest.fixture(scope="module")
def failed_over():
    """Tell the whole story of a lost Region once; nobody who hears it changes it."""
    with pytest.MonkeyPatch.context() as patched, fake_aws(patched) as cloud:
        yield tell(cloud)


def test_a_lost_region_is_left_through_awss_own_api(failed_over):
    """Asked once, in the target's Region, with the loss allowed; everything else follows."""
    cloud = failed_over
    moves = [
        call
        for call in cloud.calls
        if "GlobalCluster" in call.operation and "Describe" not in call.operation
    ]
    assert [(move.operation, move.region, move.params) for move in moves] == [
        (
            "FailoverGlobalCluster",
            "us-west-2",
            {
                "GlobalClusterIdentifier": cloud.settings.global_cluster,
                "TargetDbClusterIdentifier": cloud.settings.standby_cluster_arn,
                "AllowDataLoss": True,
            },
        )
    ]
    phases = [revision["phase"] for revision in cloud.revisions()]
    assert phases[-1] == "failed-over"
    lease = cloud.item(ItemType.LEASE, "newest")
    assert (lease["open"]["BOOL"], lease["side"]["S"], lease["epoch"]["N"]) == (
        True,
        "standby",
        "1",
    )
    assert cloud.item(ItemType.CLAIM, "1.1")["move"]["S"] == "failover"
    assert cloud.metrics() == {"Heartbeat", "FailoverActive"}
    assert cloud.min_size == int(cloud.settings.capacity_min) > 1


def test_people_hear_each_step_once_and_nothing_of_the_primarys_region_is_needed(failed_over):
    """In order, by the topic; not one call that matters went to the Region that is gone."""
    told = [item["Subject"] for item in failed_over.raw()]
    steps = ["suspect", "fencing", "promote-intent", "promoting", "verify", "shift", "failed-over"]
    assert [subject.split(": ")[1] for subject in told] == steps
    there = {call.operation for call in failed_over.calls if call.region == "us-east-2"}
    assert there <= {"DescribeGlobalClusters", "DescribeDBClusters"}, "advisory, never necessary"
    assert not [call for call in failed_over.calls if call.service in {"route53", "iam", "sts"}]


def test_every_revision_can_be_replayed_and_tells_what_was_seen(failed_over):
    """The record carries the facts, the verdict, the reason and the code."""
    last = failed_over.revisions()[-1]
    assert last["facts"]["signals"]["control_plane"].startswith("bad")
    assert (last["code"], last["notice"]) == ("c", "failed-over: users are on standby")
    items = failed_over.table.query(
        TableName=failed_over.settings.state_table,
        KeyConditionExpression="application = :a",
        ExpressionAttributeValues={":a": {"S": "orders-prod"}},
    )["Items"]
    states = [state_from_text(item["state"]["S"]) for item in items]
    assert [state.revision for state in states] == list(range(1, len(states) + 1))
    assert [item["revision"]["S"] for item in items] == [
        revision_sort(state.revision) for state in states
    ]
    phases = [state.phase for state in states]
    assert (phases[0], phases[-1]) == (Phase.STEADY, Phase.FAILED_OVER)
