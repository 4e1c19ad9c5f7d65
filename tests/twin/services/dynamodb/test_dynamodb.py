"""Global tables on a twin: replicas that follow, and majorities that agree."""

import time

import pytest
from botocore.exceptions import ClientError

from twin.conftest import CONTROL, EAST, WEST, Bare, TwinSettings, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def slow():
    """Return a bare twin with AWS's own times modelled."""
    with Bare(TwinSettings(speed=4)) as running:
        yield running


def table(bare, name, *, replicas=(WEST,), strong=False, witness=None):
    """Make a table with replicas."""
    client = bare.aws("dynamodb")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    more = {"MultiRegionConsistency": "STRONG"} if strong else {}
    if witness:
        more["GlobalTableWitnessUpdates"] = [{"Create": {"RegionName": witness}}]
    updates = [{"Create": {"RegionName": replica}} for replica in replicas]
    return client.update_table(TableName=name, ReplicaUpdates=updates, **more)


def put(bare, name, key, value, region=EAST):
    """Write one item."""
    item = {"k": {"S": key}, "v": {"S": value}}
    bare.aws("dynamodb", region).put_item(TableName=name, Item=item)


def get(bare, name, key, region, *, strong=False):
    """Return an item's value, or `None`."""
    found = bare.aws("dynamodb", region).get_item(
        TableName=name, Key={"k": {"S": key}}, ConsistentRead=strong
    )
    return found.get("Item", {}).get("v", {}).get("S")


def test_moto_has_no_replicas_and_the_twin_has(slow):
    """Moto ignores ReplicaUpdates; here the table is in the other Region, and says so."""
    table(slow, "there")
    found = slow.aws("dynamodb").describe_table(TableName="there")["Table"]
    assert [replica["RegionName"] for replica in found["Replicas"]] == [WEST]
    other = slow.aws("dynamodb", WEST).describe_table(TableName="there")["Table"]
    assert f":{WEST}:" in other["TableArn"]
    assert [replica["RegionName"] for replica in other["Replicas"]] == [EAST]


def test_DDB_01_LAT_16_a_replica_follows_and_reads_are_local(slow):
    """Not at once, even for a strong read; within a second or so; deletions too."""
    table(slow, "follows")
    put(slow, "follows", "a", "1")
    assert get(slow, "follows", "a", WEST, strong=True) is None
    began_s = slow.clock.elapsed_s()
    until(lambda: get(slow, "follows", "a", WEST) == "1")
    assert 0.3 < slow.clock.elapsed_s() - began_s < 3
    slow.aws("dynamodb").delete_item(TableName="follows", Key={"k": {"S": "a"}})
    until(lambda: get(slow, "follows", "a", WEST) is None)


def test_DDB_01_the_last_writer_wins_and_conditions_are_local(slow):
    """Both sides write the same item: one is left, the same on both, and nobody is told."""
    table(slow, "wins")
    new = {"ConditionExpression": "attribute_not_exists(k)"}
    for region, value in ((EAST, "first"), (WEST, "second")):
        item = {"k": {"S": "same"}, "v": {"S": value}}
        slow.aws("dynamodb", region).put_item(TableName="wins", Item=item, **new)
    until(
        lambda: [get(slow, "wins", "same", item) for item in (EAST, WEST)] == ["second", "second"]
    )


def test_DDB_03_what_waits_for_a_region_arrives_when_it_is_back(slow):
    """Both ways, and nothing is lost."""
    table(slow, "waits")
    slow.do("cut", source=EAST, target=WEST)
    slow.do("cut", source=WEST, target=EAST)
    put(slow, "waits", "from-east", "1")
    put(slow, "waits", "from-west", "2", WEST)
    until(lambda: slow.clock.elapsed_s() > 0)
    assert get(slow, "waits", "from-east", WEST) is None
    slow.do("mend", source=EAST, target=WEST)
    slow.do("mend", source=WEST, target=EAST)
    until(lambda: get(slow, "waits", "from-east", WEST) == "1")
    until(lambda: get(slow, "waits", "from-west", EAST) == "2")


def test_DDB_04_05_06_a_strong_table_is_one_table(bare):
    """A strong read anywhere sees the newest write, and a condition holds everywhere."""
    table(bare, "strong", strong=True, witness=CONTROL)
    put(bare, "strong", "a", "1")
    assert get(bare, "strong", "a", WEST, strong=True) == "1"
    new = {"ConditionExpression": "attribute_not_exists(k)"}
    item = {"k": {"S": "a"}, "v": {"S": "2"}}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        bare.aws("dynamodb", WEST).put_item(TableName="strong", Item=item, **new)
    found = bare.aws("dynamodb").describe_table(TableName="strong")["Table"]
    assert found["MultiRegionConsistency"] == "STRONG"
    assert found["GlobalTableWitnesses"][0]["RegionName"] == CONTROL


def test_DDB_06_a_region_alone_has_no_majority(bare):
    """It neither writes nor reads strongly; with one other it does both."""
    table(bare, "votes", strong=True, witness=CONTROL)
    put(bare, "votes", "a", "1")
    for other in (WEST, CONTROL):
        bare.do("cut", source=EAST, target=other)
    with pytest.raises(ClientError, match="no majority"):
        put(bare, "votes", "a", "2")
    with pytest.raises(ClientError, match="no majority"):
        get(bare, "votes", "a", EAST, strong=True)
    assert get(bare, "votes", "a", EAST) == "1"
    put(bare, "votes", "a", "3", WEST)
    bare.do("mend", source=EAST, target=CONTROL)
    put(bare, "votes", "b", "4")
    assert get(bare, "votes", "b", WEST, strong=True) == "4"
    bare.do("mend", source=EAST, target=WEST)


def test_DDB_04_09_what_a_strong_table_may_not_be(bare):
    """Two Regions are too few, and items may not be there before."""
    with pytest.raises(ClientError, match="three Regions"):
        table(bare, "two", strong=True)
    client = bare.aws("dynamodb")
    put(bare, "two", "a", "1")
    with pytest.raises(ClientError, match="empty table"):
        client.update_table(
            TableName="two",
            MultiRegionConsistency="STRONG",
            ReplicaUpdates=[{"Create": {"RegionName": WEST}}],
            GlobalTableWitnessUpdates=[{"Create": {"RegionName": CONTROL}}],
        )


def test_DDB_07_a_condition_that_fails_says_so_in_aws_words(bare):
    """400, with the item where it is asked for."""
    table(bare, "fails")
    put(bare, "fails", "a", "1")
    with pytest.raises(ClientError) as caught:
        bare.aws("dynamodb").put_item(
            TableName="fails",
            Item={"k": {"S": "a"}},
            ConditionExpression="attribute_not_exists(k)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    response = caught.value.response
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert response["Error"]["Message"] == "The conditional request failed"
    assert response["Item"]["v"] == {"S": "1"}


def test_what_would_not_replicate_is_refused(bare):
    """PartiQL on a global table, which the twin does not follow."""
    table(bare, "spoken")
    with pytest.raises(ClientError, match="does not replicate"):
        bare.aws("dynamodb").execute_statement(Statement='DELETE FROM "spoken" WHERE "k" = \'a\'')


def test_DDB_02_what_is_written_together_arrives_item_by_item(slow):
    """A batch and a transaction are whole where they were written, and follow like anything."""
    for name in ("left", "right"):
        table(slow, name)
    items = {name: {"k": {"S": name}, "v": {"S": name}} for name in ("left", "right")}
    client = slow.aws("dynamodb")
    client.transact_write_items(
        TransactItems=[{"Put": {"TableName": name, "Item": item}} for name, item in items.items()]
    )
    assert [get(slow, name, name, EAST) for name in items] == ["left", "right"]
    for name in items:
        until(lambda n=name: get(slow, n, n, WEST) == n)
    client.batch_write_item(
        RequestItems={name: [{"DeleteRequest": {"Key": {"k": {"S": name}}}}] for name in items}
    )
    for name in items:
        until(lambda n=name: get(slow, n, n, WEST) is None)


def test_DDB_10_what_has_expired_is_deleted_on_both_sides(bare):
    """Not at once, and only where the table asks for it."""
    table(bare, "mortal")
    client = bare.aws("dynamodb")
    client.update_time_to_live(
        TableName="mortal", TimeToLiveSpecification={"Enabled": True, "AttributeName": "dies"}
    )
    for key, at in (("old", "1"), ("young", str(1 << 40))):
        client.put_item(
            TableName="mortal", Item={"k": {"S": key}, "v": {"S": "x"}, "dies": {"N": at}}
        )
    until(lambda: get(bare, "mortal", "old", WEST), seconds=5)
    until(lambda: get(bare, "mortal", "old", EAST) is None, seconds=60)
    until(lambda: get(bare, "mortal", "old", WEST) is None)
    assert get(bare, "mortal", "young", WEST) == "x"


def latencies(bare):
    """Return the points of a table's replication latency."""
    found = bare.aws("cloudwatch").get_metric_statistics(
        Namespace="AWS/DynamoDB",
        MetricName="ReplicationLatency",
        Dimensions=[
            {"Name": "TableName", "Value": "measured"},
            {"Name": "ReceivingRegion", "Value": WEST},
        ],
        StartTime=0,
        EndTime=1 << 32,
        Period=60,
        Statistics=["Maximum"],
    )
    return [datapoint["Maximum"] for datapoint in found["Datapoints"]]


def test_DDB_11_CW_07_how_far_a_replica_is_behind_is_told_where_it_was_written(bare):
    """In milliseconds; and an alarm on it takes silence for nothing, whatever it was told."""
    table(bare, "measured")
    put(bare, "measured", "a", "1")
    until(lambda: latencies(bare), seconds=20)
    bare.do("cut", source=EAST, target=WEST)
    put(bare, "measured", "a", "2")
    until(lambda: max(latencies(bare)) > 30_000, seconds=30)
    bare.do("mend", source=EAST, target=WEST)
    there = bare.aws("cloudwatch", WEST).list_metrics(Namespace="AWS/DynamoDB")["Metrics"]
    named = [dimension["Value"] for metric in there for dimension in metric["Dimensions"]]
    assert "measured" not in named, "nothing was written there"
    bare.aws("cloudwatch").put_metric_alarm(
        AlarmName="silent",
        Namespace="AWS/DynamoDB",
        MetricName="ReplicationLatency",
        Dimensions=[{"Name": "TableName", "Value": "nothing"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )

    def state():
        (describe_alarm,) = bare.aws("cloudwatch").describe_alarms(AlarmNames=["silent"])[
            "MetricAlarms"
        ]
        return describe_alarm["StateValue"]

    time.sleep(9)  # three of its periods
    assert state() != "ALARM"


def test_DDB_08_a_replica_has_a_key_of_its_own(bare):
    """The key of its own Region, as it was asked for."""
    key = bare.aws("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    client = bare.aws("dynamodb")
    client.create_table(
        TableName="keyed",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    create = {"RegionName": WEST, "KMSMasterKeyId": key}
    client.update_table(TableName="keyed", ReplicaUpdates=[{"Create": create}])
    found = client.describe_table(TableName="keyed")["Table"]["Replicas"]
    assert found[0]["KMSMasterKeyId"] == key
