"""AWS at its worst, seen through the adapters: broken answers, refusals, members that are gone."""

from dataclasses import replace

import pytest
from botocore.parsers import ResponseParserError

from failover.account_builders import POLICY, look, lose_the_primary, until, world_of
from otherside.core.topology import Side
from otherside.core.wire_contract import HEARTBEAT
from otherside.failover.actuator import actuate
from otherside.failover.aws.adapter import PUBLISH_MAX_S, gather
from otherside.failover.aws.global_cluster import UNFIT, GlobalClusterClient
from otherside.failover.controller import reconcile_once
from otherside.failover.decision.observation import Fitness, Move, Progress
from otherside.failover.decision.state import Intent, Phase, first
from otherside.failover.ports import RefusedError, UnavailableError

BROKEN = [
    ResponseParserError("not XML"),
    KeyError("Items"),
    IndexError("list index out of range"),
    ValueError("Invalid control character"),
    TypeError("None"),
    AttributeError("read"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    RecursionError("too deep"),
    TimeoutError(),
]


@pytest.mark.parametrize("error", BROKEN, ids=lambda item: type(item).__name__)
def test_a_broken_answer_is_an_unknown_one_that_is_named(error):
    """Whatever it raises, and whoever gave it; the others count all the same."""

    def broken():
        raise error

    found = gather({"whole": broken, "lease": lambda: "held"})
    assert found.known == {"lease": "held"}
    assert found.unreadable == (f"whole: {type(error).__name__}",)


def test_no_single_answer_ends_a_look(cloud):
    """Each of the questions in turn answers with what nobody can read."""
    names = set(world_of(cloud)._questions(first(0.0)))
    assert len(names) >= 13
    for broken in sorted(names):
        world = world_of(cloud)
        world._ask = lambda asked, broken=broken: gather({**asked, broken: _raise})
        observation = world.observe(first(0.0))
        assert any(broken.replace("_", " ") in item for item in observation.unreadable), broken
    world = world_of(cloud)
    world._ask = lambda asked: gather(dict.fromkeys(asked, _raise))
    assert len(world.observe(first(0.0)).unreadable) >= len(names)


def _raise():
    raise KeyError


@pytest.mark.parametrize(
    "said", [{}, {"GlobalClusterMembers": None}, {"GlobalClusterMembers": [7]}]
)
def test_a_description_that_makes_no_sense_is_none(cloud, said):
    """Nothing is concluded from it, and it is named."""
    world = world_of(cloud)
    world._ask = lambda asked: gather({**asked, "whole": lambda: said})
    observation = world.observe(first(0.0))
    assert observation.database is None or observation.database.writer is None


def view(cloud, whole=None, follower=None):
    """Return the database as two descriptions tell it."""
    database = GlobalClusterClient(cloud.settings, cloud.clients)
    known = {
        "EngineVersion": "17.9",
        "GlobalClusterMembers": [
            {
                "DBClusterArn": arn,
                "IsWriter": side is Side.PRIMARY,
                "SynchronizationStatus": "connected",
            }
            for side, arn in cloud.arns.items()
        ],
    }
    member = {
        "Status": "available",
        "EngineVersion": "17.9",
        "DBClusterMembers": [{"DBInstanceIdentifier": "i"}],
    }
    return database.view({**known, **(whole or {})}, {Side.STANDBY: {**member, **(follower or {})}})


@pytest.mark.parametrize(
    ("status", "fitness"),
    [
        ("available", Fitness.FIT),
        *((item, Fitness.UNFIT) for item in sorted(UNFIT)),
        *(
            (name, Fitness.DOUBTFUL)
            for name in (
                *("backing-up", "backtracking", "maintenance", "modifying", "renaming"),
                *("storage-optimization", "upgrading", "update-iam-db-auth", "failing-over"),
                *("resetting-master-credentials", "preparing-data-migration", "promoting"),
                "a status that Aurora thought of later",
            )
        ),
    ],
)
def test_a_status_is_no_reason_where_aws_documents_none(cloud, status, fitness):
    """Only what is not there or not running cannot take over."""
    found = view(cloud, follower={"Status": status})
    assert (found.fitness, found.status) == (fitness, status)


def test_a_cluster_that_was_detached_is_no_member(cloud):
    """Its own Region still describes it as available."""
    alone = [{"DBClusterArn": cloud.settings.primary_cluster_arn, "IsWriter": True}]
    found = view(cloud, {"GlobalClusterMembers": alone})
    assert found.writer is Side.PRIMARY
    assert not found.follower_is_member
    assert not found.resynced


@pytest.mark.parametrize(("status", "resynced"), [("connected", True), ("pending-resync", False)])
def test_a_follower_follows_once_it_is_connected(cloud, status, resynced):
    """A member alone may be years behind."""
    members = [
        {"DBClusterArn": cloud.settings.primary_cluster_arn, "IsWriter": True},
        {"DBClusterArn": cloud.settings.standby_cluster_arn, "SynchronizationStatus": status},
    ]
    assert view(cloud, {"GlobalClusterMembers": members}).resynced is resynced


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([], "0 writers"),
        (["arn:aws:rds:us-east-1:1:cluster:x"], "a writer that is neither side's"),
        (["a", "b"], "2 writers"),
    ],
)
def test_a_writer_that_is_nobodys_is_told(cloud, members, words):
    """Somebody has rebuilt it."""
    found = view(
        cloud,
        {
            "GlobalClusterMembers": [
                {"DBClusterArn": member, "IsWriter": True} for member in members
            ]
        },
    )
    assert found.writer is None
    assert words in found.alien


@pytest.mark.parametrize(
    ("status", "lossy", "kind", "progress"),
    [
        ("failing-over", None, Move.FAILOVER, Progress.MOVING),
        ("switching-over", None, Move.SWITCHOVER, Progress.MOVING),
        ("pending", True, Move.FAILOVER, Progress.MOVING),
        ("pending", False, Move.SWITCHOVER, Progress.MOVING),
        ("cancelling", False, Move.SWITCHOVER, Progress.CANCELLING),
    ],
)
def test_a_move_is_the_kind_that_its_description_says(cloud, status, lossy, kind, progress):
    """A pending one tells by whether data may be lost."""
    state = {"Status": status, "ToDbClusterArn": cloud.settings.standby_cluster_arn}
    if lossy is not None:
        state["IsDataLossAllowed"] = lossy
    move = view(cloud, {"FailoverState": state}).move
    assert (move.kind, move.target, move.progress) == (kind, Side.STANDBY, progress)
    assert view(cloud, {"FailoverState": {}}).move is None


@pytest.mark.parametrize(
    ("error", "answers"),
    [
        (None, True),
        (RefusedError("-", "AccessDenied"), True),
        (UnavailableError("-"), False),
    ],
)
def test_a_refusal_of_rds_is_an_answer(cloud, monkeypatch, error, answers):
    """A Region that says no is there."""
    database = GlobalClusterClient(cloud.settings, cloud.clients)

    def whole(side, *, once):
        assert (side, once) == (Side.PRIMARY, True)
        if error is not None:
            raise error
        return {}

    monkeypatch.setattr(database, "whole", whole)
    assert database.answers(Side.PRIMARY) is answers


@pytest.mark.parametrize("move", list(Move))
def test_a_move_is_asked_for_once_whatever_comes_back(cloud, move):
    """A repeat of the SDK's would be a second move that nobody claimed."""
    target = Side.STANDBY if move is Move.FAILOVER else Side.PRIMARY
    region = cloud.settings.standby_region
    cloud.aurora.lost.add(region)
    intent = Intent(epoch=1, attempt=1, move=move, target=target, not_after_s=0.0, free_from_s=0.0)
    with pytest.raises(UnavailableError):
        GlobalClusterClient(cloud.settings, cloud.clients).move(intent)
    asked = [call for call in cloud.calls if call.operation.endswith("GlobalCluster")]
    assert [(call.operation, call.region) for call in asked] == [
        ("FailoverGlobalCluster" if move is Move.FAILOVER else "SwitchoverGlobalCluster", region)
    ]
    assert (asked[0].params.get("AllowDataLoss") is True) is (move is Move.FAILOVER)


def published(cloud):
    """Return the values of the latch, in order."""
    calls = [call for call in cloud.calls if call.operation == "PutMetricData"]
    return [
        {
            metric_datum["MetricName"]: metric_datum["Value"]
            for metric_datum in call.params["MetricData"]
        }
        for call in calls
    ]


def test_the_latch_is_published_on_every_look(cloud):
    """Route 53 keeps the last word only while it hears nothing; so it hears one each time."""
    for _ in range(3):
        look(cloud)
    assert [item["FailoverActive"] for item in published(cloud)] == [0.0, 0.0, 0.0]


def test_where_nobody_knows_nothing_is_said_of_users(cloud):
    """A table that was lost must not send them back to the side that was given up."""
    cloud.aurora.writer = Side.STANDBY
    done = look(cloud)
    assert done.decision.state.phase is Phase.HALTED
    assert "FailoverActive" not in published(cloud)[-1]
    assert published(cloud)[-1][HEARTBEAT] == 1.0


def test_an_old_look_says_nothing_of_users(cloud):
    """A function that was frozen may be overtaken since."""
    world = world_of(cloud)
    done = reconcile_once(world, POLICY)
    cloud.clock.at_s += PUBLISH_MAX_S + 1
    before = len(published(cloud))
    with pytest.raises(UnavailableError, match="too old"):
        world.publish_metrics(done.decision)
    assert len(published(cloud)) == before


def test_a_table_that_is_gone_is_named_with_its_error(cloud):
    """And nothing is done."""
    cloud.settings = replace(cloud.settings, state_table="gone")
    assert "ResourceNotFoundException" in reconcile_once(world_of(cloud), POLICY).why


def test_a_claim_that_may_have_been_written_calls_nobody(cloud, monkeypatch):
    """The answer of the claim was lost: whoever claimed it may be another."""
    lose_the_primary(cloud)
    reconcile_once(world_of(cloud), POLICY)
    world = world_of(cloud)

    def lost(_intent):
        msg = "adding 1.1: TimeoutError"
        raise UnavailableError(msg)

    cloud.aurora.refuses = None
    done = until(cloud, Phase.FENCING)
    assert done
    monkeypatch.setattr(world, "claim", lost)
    before = len([call for call in cloud.calls if call.operation == "FailoverGlobalCluster"])
    actuate(world, POLICY)
    after = len([call for call in cloud.calls if call.operation == "FailoverGlobalCluster"])
    assert before == after
