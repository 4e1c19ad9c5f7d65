"""What a planned change means for a recovery, before it is made."""

import pytest

from otherside.core.topology import Side
from otherside.deploy.planned_step import PlannedStep
from otherside.deploy.recovery_diff import (
    CLUSTER_INSTANCE,
    GROUP,
    NEEDED,
    Harm,
    recovery_changes,
)

EAST, WEST = "us-east-2", "us-west-2"
REGIONS = {Side.PRIMARY: EAST, Side.STANDBY: WEST}
RECORD = "aws:route53/record:Record"
CLUSTER = "aws:rds/cluster:Cluster"


def step(kind, old=None, new=None, *, does=None, region=EAST, name="it"):
    """Make a step; what it does follows from what there is before and after."""
    done = does or ("create" if old is None else "delete" if new is None else "update")
    urn = f"urn:pulumi:prod::orders::{kind}::{name}"
    return PlannedStep(
        operation=done, urn=urn, type=kind, region=region, old=old or {}, new=new or {}
    )


def told(*steps):
    """Return the changes as text."""
    return [f"{item.harm}: {item.text}" for item in recovery_changes(steps, REGIONS)]


@pytest.mark.parametrize("kind", NEEDED)
def test_what_a_recovery_needs_is_missed_when_it_goes(kind):
    """Deleted or replaced: a replacement begins empty."""
    assert told(step(kind, {"a": 1})) == [f"lost: {NEEDED[kind]} goes"]
    replaced = [
        step(kind, {"a": 1}, {"a": 2}, does="create-replacement"),
        step(kind, {"a": 1}, {"a": 2}, does="replace"),
        step(kind, {"a": 1}, does="delete-replaced"),
    ]
    assert told(*replaced) == [f"lost: another takes the place of {NEEDED[kind]}"]


def test_what_a_recovery_does_not_need_may_go():
    """And what stays or comes is no loss."""
    assert told(step("aws:iam/role:Role", {"a": 1})) == []
    assert told(step(CLUSTER, None, {"a": 1}), step(CLUSTER, {"a": 1}, {"a": 1}, does="same")) == []


@pytest.mark.parametrize(
    ("kind", "name", "on", "off", "what"),
    [
        (CLUSTER, "deletionProtection", True, False, "protection against deletion"),
        (CLUSTER, "deletionProtection", True, None, "protection against deletion"),
        (CLUSTER, "skipFinalSnapshot", None, True, "a snapshot before deletion"),
        ("aws:s3/bucket:Bucket", "forceDestroy", False, True, "protection against deletion with"),
        ("aws:kms/key:Key", "enableKeyRotation", True, False, "rotation of the key"),
    ],
)
def test_a_guard_that_is_taken_off_is_told(kind, name, on, off, what):
    """Whether it is switched off or only left out; putting it on is no loss."""
    before = {} if on is None else {name: on}
    after = {} if off is None else {name: off}
    (found,) = told(step(kind, {"x": 1, **before}, {"x": 1, **after}))
    assert found.startswith(f"weaker: {what}")
    assert told(step(kind, {"x": 1, **after}, {"x": 1, **before})) == []


@pytest.mark.parametrize(
    ("kind", "name", "less", "more", "text"),
    [
        (RECORD, "ttl", 30, 300, "slower: names are cached for 300 instead of 30"),
        (RECORD, "ttl", "30", 300.0, "slower: names are cached for 300 instead of 30"),
        (
            "aws:route53/healthCheck:HealthCheck",
            "requestInterval",
            10,
            30,
            "slower: health is asked every 30 instead of 10",
        ),
    ],
)
def test_what_takes_longer_is_slower(kind, name, less, more, text):
    """Whether the engine gives a number or a text."""
    assert told(step(kind, {name: less}, {name: more})) == [text]
    assert told(step(kind, {name: more}, {name: less})) == []


def test_fewer_backups_are_weaker():
    """More are not."""
    few, many = {"backupRetentionPeriod": 7}, {"backupRetentionPeriod": 35}
    assert told(step(CLUSTER, many, few)) == ["weaker: days of backups: 7 instead of 35"]
    assert told(step(CLUSTER, few, many)) == []


def group(region, before, after):
    """Make the step of a Region's group of instances."""
    old = None if before is None else {"maxSize": before}
    return step(GROUP, old, {"maxSize": after}, region=region, name=f"app-{region}")


def test_a_standby_that_becomes_smaller_than_the_primary_is_told():
    """Whichever side changes; and only when the change makes it so."""
    text = "this makes the standby smaller than the primary: instances 4 there, 8 here"
    assert f"weaker: {text}" in told(group(EAST, 8, 8), group(WEST, 8, 4))
    assert f"weaker: {text}" in told(group(EAST, 4, 8), group(WEST, 4, 4))
    assert told(group(EAST, 8, 8), group(WEST, 4, 4)) == [], "it was so before"
    assert told(group(EAST, None, 8), group(WEST, None, 8)) == []
    assert recovery_changes([group(EAST, 8, 8), group(WEST, 8, 4)], {})[0].text.startswith(
        "instances at most"
    ), "without a configuration nobody knows the sides"


def test_a_replaced_group_counts_once():
    """The engine announces a replacement as three steps, each with what was there before."""

    def replaced(region, before, after):
        name, old, new = f"app-{region}", {"maxSize": before}, {"maxSize": after}
        return [
            step(GROUP, old, new, does="create-replacement", region=region, name=name),
            step(GROUP, old, new, does="replace", region=region, name=name),
            step(GROUP, old, None, does="delete-replaced", region=region, name=name),
        ]

    text = "this makes the standby smaller than the primary: instances 4 there, 8 here"
    assert f"weaker: {text}" in told(*replaced(EAST, 4, 8), group(WEST, 4, 4))
    assert f"weaker: {text}" in told(group(EAST, 8, 8), *replaced(WEST, 8, 4))


@pytest.mark.parametrize(
    ("primary", "standby", "smaller"),
    [
        ("db.r7g.large", "db.r7g.large", None),
        ("db.r7g.xlarge", "db.r7g.large", "large there, xlarge here"),
        ("db.r7g.4xlarge", "db.r7g.2xlarge", "2xlarge there, 4xlarge here"),
        ("db.t4g.medium", "db.t4g.large", None),
    ],
)
def test_a_smaller_database_is_told(primary, standby, smaller):
    """By the size in the class of the largest instance."""
    steps = [
        step(
            CLUSTER_INSTANCE,
            {"instanceClass": primary},
            {"instanceClass": now},
            region=region,
            name=f"db-{region}",
        )
        for region, now in ((EAST, primary), (WEST, standby))
    ]
    found = told(*steps)
    assert (found == []) is (smaller is None)
    assert smaller is None or smaller in found[0]


def test_the_worst_comes_first():
    """What is lost stands before what is weaker, and that before what is slower."""
    steps = [
        step(RECORD, {"ttl": 30}, {"ttl": 60}, name="a"),
        step(CLUSTER, {"deletionProtection": True}, {"x": 1}, name="b"),
        step("aws:backup/plan:Plan", {"x": 1}, name="c"),
    ]
    kinds = [change.harm for change in recovery_changes(steps, REGIONS)]
    assert kinds == [Harm.LOST, Harm.WEAKER, Harm.SLOWER]
