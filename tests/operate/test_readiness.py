"""Readiness: each check passes on a healthy account, and fails on the defect that it is for."""

from dataclasses import replace

import pytest

from operate.fake_account import (
    ARNS,
    EAST,
    NOW,
    SETTINGS,
    WEST,
    FakeAccount,
    answers,
    missing,
    moment,
    table,
    target,
    tick,
)
from otherside.failover.decision.state import Phase
from otherside.operate.readiness.all_checks import CHECKS, DATABASE_CHECKS
from otherside.operate.readiness.database import find, tagged
from otherside.operate.readiness.model import Readiness, run
from otherside.operate.reading import Fact

MEMBERS = [
    {"DBClusterArn": ARNS[EAST], "IsWriter": True},
    {"DBClusterArn": ARNS[WEST], "IsWriter": False},
]
FUNCTION = answers()["lambda.get_function_configuration"](WEST)


def whole(*members):
    """Return a global database with these members."""
    return {"GlobalClusters": [{"GlobalClusterMembers": list(members)}]}


def clusters(**changes):
    """Return what one Region's cluster is, changed in the standby's Region only."""
    healthy = {"EngineVersion": "17.9", "Status": "available", "DeletionProtection": True}
    return lambda region: {"DBClusters": [{**healthy, **(changes if region == WEST else {})}]}


def lag(seconds):
    """Return Aurora's metric at a value, and the latch as it should be."""
    value = {"Datapoints": [{"Timestamp": moment(60), "Maximum": seconds * 1000}]}
    calm = {"Datapoints": [{"Timestamp": moment(60), "Maximum": 0.0}]}
    return lambda _region, **asked: value if asked["MetricName"].startswith("Aurora") else calm


def latch(*values):
    """Return the latch's metric, oldest first."""
    points = [{"Timestamp": moment(60 * (9 - at)), "Maximum": v} for at, v in enumerate(values)]
    return lambda _region, **_: {"Datapoints": points}


def drifted(name, **changes):
    """Return the functions, one of them changed."""
    return lambda _region, **asked: (
        {**FUNCTION, **changes} if asked["FunctionName"].endswith(name) else FUNCTION
    )


def denying(action):
    """Return an IAM that denies one action."""
    return lambda _region, **asked: {
        "EvaluationResults": [
            {"EvalDecision": "implicitDeny" if action in asked["ActionNames"] else "allowed"}
        ]
    }


DEFECTS = [
    # check, the account's answers, the target's, what is said
    (
        "database-membership",
        {"rds__describe_global_clusters": whole(MEMBERS[0])},
        {},
        "no member in us-west-2",
    ),
    (
        "database-membership",
        {"rds__describe_global_clusters": whole(*({**m, "IsWriter": False} for m in MEMBERS))},
        {},
        "no Region",
    ),
    (
        "database-versions",
        {"rds__describe_db_clusters": clusters(EngineVersion="16.4")},
        {},
        "us-west-2 16.4",
    ),
    (
        "standby-has-instances",
        {"rds__describe_db_instances": {"DBInstances": []}},
        {},
        "no instance",
    ),
    (
        "standby-has-instances",
        {"rds__describe_db_instances": {"DBInstances": [{"DBInstanceStatus": "creating"}]}},
        {},
        "creating",
    ),
    (
        "standby-fit",
        {"rds__describe_db_clusters": clusters(Status="stopped")},
        {},
        "us-west-2 is stopped",
    ),
    ("replication-lag", {"cloudwatch__get_metric_statistics": lag(7)}, {}, "up to 7.0 s"),
    (
        "deletion-protection",
        {"rds__describe_db_clusters": clusters(DeletionProtection=False)},
        {},
        "not protected: us-west-2",
    ),
    ("decider-runs", {}, {"tick": Fact()}, "no tick"),
    ("decider-runs", {}, {"tick": {"at_s": NOW - 200}}, "200 s ago"),
    (
        "signals",
        {},
        {"tick": {"unreadable": ("the lease: AccessDenied",)}},
        "the lease: AccessDenied",
    ),
    ("signals", {}, {"tick": {"failed": ("the latch: Throttling",)}}, "the latch: Throttling"),
    ("unhindered", {}, {"tick": {"obstacle": "version-skew"}}, "different engine versions"),
    (
        "unhindered",
        {},
        {"state": {"phase": Phase.HALTED, "reason": "because"}},
        "the phase is halted: because",
    ),
    ("latch", {"cloudwatch__get_metric_statistics": latch()}, {}, "no value"),
    ("latch", {"cloudwatch__get_metric_statistics": latch(0.0, 1.0)}, {}, "users are held"),
    ("exercised", {}, {"state": {"moved_s": -1e9}}, "never moved"),
    (
        "exercised",
        {},
        {"state": {"moved_s": NOW - 9 * 86_400}},
        "before the functions last changed",
    ),
    ("expected-loss", {}, {"tick": {"lag_s": 6.0}}, "would lose 6.0 s"),
    (
        "backup-copy",
        {"backup__list_recovery_points_by_backup_vault": {"RecoveryPoints": []}},
        {},
        "is empty",
    ),
    (
        "backup-copy",
        {
            "backup__list_recovery_points_by_backup_vault": {
                "RecoveryPoints": [
                    {"CreationDate": moment(3 * 86_400), "ResourceArn": "x", "Status": "COMPLETED"}
                ]
            }
        },
        {},
        "72 h old",
    ),
    ("restore-test", {"backup__list_restore_jobs": {"RestoreJobs": []}}, {}, "no restore"),
    (
        "restore-test",
        {"backup__list_restore_jobs": {"RestoreJobs": [{"CompletionDate": moment(9 * 86_400)}]}},
        {},
        "9 days ago",
    ),
    (
        "drift",
        {"lambda__get_function_configuration": drifted("actuator", CodeSha256="two")},
        {},
        "different code",
    ),
    (
        "drift",
        {"lambda__get_function_configuration": drifted("actuator", Environment={"Variables": {}})},
        {},
        "differ in OTHERSIDE_APPLICATION",
    ),
    ("drift", {}, {"settings": replace(SETTINGS, mode="observe")}, "the configuration says auto"),
    (
        "fencing-rights",
        {"iam__simulate_principal_policy": denying("dynamodb:UpdateItem")},
        {},
        "dynamodb:UpdateItem on",
    ),
    (
        "fencing-rights",
        {"iam__simulate_principal_policy": denying("s3:PutObject")},
        {},
        "s3:PutObject on arn:aws:s3:::orders-prod-pledge/pledge.json",
    ),
    (
        "actuator-rights",
        {"iam__simulate_principal_policy": denying("rds:FailoverGlobalCluster")},
        {},
        "rds:FailoverGlobalCluster on",
    ),
    (
        "routes",
        {
            "ec2__describe_vpc_peering_connections": {
                "VpcPeeringConnections": [
                    {"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "pending-acceptance"}}
                ]
            }
        },
        {},
        "no active route to 10.1.0.0/16",
    ),
    (
        "routes",
        {"ec2__describe_route_tables": lambda _region, **_: {"RouteTables": []}},
        {},
        "us-west-2 has no route table named orders-prod-standby-private-*",
    ),
    (
        "routes",
        {
            "ec2__describe_route_tables": lambda region, **_: {
                "RouteTables": [
                    table(region, "rtb-1"),
                    table(region, "rtb-2", State="blackhole"),
                ]
            }
        },
        {},
        "us-west-2: rtb-2 has no active route to 10.0.0.0/16",
    ),
    (
        "standby-capacity",
        {"autoscaling__describe_auto_scaling_groups": {"AutoScalingGroups": []}},
        {},
        "there is no Auto Scaling group",
    ),
    ("delegation", {}, {"resolve": None}, "does not resolve from here"),
    (
        "subscriptions",
        {"sns__list_subscriptions_by_topic": {"Subscriptions": []}},
        {},
        "0 confirmed",
    ),
    (
        "subscriptions",
        {
            "sns__list_subscriptions_by_topic": {
                "Subscriptions": [
                    {"SubscriptionArn": "PendingConfirmation", "Endpoint": "a@example.com"}
                ]
            }
        },
        {},
        "not confirmed: a@example.com",
    ),
    (
        "standby-capacity",
        {
            "autoscaling__describe_auto_scaling_groups": {
                "AutoScalingGroups": [
                    {"Instances": [{"LifecycleState": "InService"}], "MaxSize": 3}
                ]
            }
        },
        {},
        "at most 3, needs 4",
    ),
    (
        "standby-image",
        {"ec2__describe_images": missing("InvalidAMIID.NotFound")},
        {},
        "ami-1 is not there",
    ),
    (
        "standby-quota",
        {"service-quotas__get_service_quota": {"Quota": {"Value": 5.0}}},
        {},
        "4 of t4g.small need 8",
    ),
    (
        "certificates",
        {
            "acm__describe_certificate": {
                "Certificate": {"Status": "ISSUED", "NotAfter": moment(-86_400)}
            }
        },
        {},
        "1 day left",
    ),
    (
        "certificates",
        {
            "acm__describe_certificate": {
                "Certificate": {"Status": "EXPIRED", "NotAfter": moment(86_400)}
            }
        },
        {},
        "EXPIRED",
    ),
    (
        "keys",
        {"kms__describe_key": {"KeyMetadata": {"KeyState": "PendingDeletion"}}},
        {},
        "is PendingDeletion",
    ),
    ("keys", {"kms__list_aliases": {"Aliases": []}}, {}, "0 keys"),
]


def broken_target(tmp_path, account, changes):
    """Return a target with a tick, a state, a resolver or settings that are wrong."""
    given = dict(changes)
    if "tick" in given:
        given["said"] = given.pop("tick")
    calm = target(tmp_path, account)
    if isinstance(given.get("said"), dict):
        given["said"] = Fact(value=tick(**given["said"]))
    if "state" in given:
        given["state"] = replace(calm.state, **given["state"])
    if "resolve" in given:
        given["resolve"] = lambda name: (_ for _ in ()).throw(OSError(f"{name}: NXDOMAIN"))
    return target(tmp_path, account, **given)


def test_a_healthy_account_is_ready_in_everything(tmp_path):
    """And each check says what it found."""
    results = run(CHECKS, target(tmp_path, FakeAccount()), on_twin=False)
    assert [(r.code, r.found) for r in results if r.outcome is not Readiness.READY] == []
    assert all(result.found for result in results)


def test_every_check_has_a_defect_that_it_finds():
    """No check is there that could not fail."""
    assert {defect[0] for defect in DEFECTS} == {check.code for check in CHECKS}
    assert len({check.code for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(("code", "account", "changes", "words"), DEFECTS)
def test_a_defect_is_found(tmp_path, code, account, changes, words):
    """By its own check, with what is wrong."""
    (check,) = (check for check in CHECKS if check.code == code)
    broken = broken_target(tmp_path, FakeAccount(**account), changes)
    (result,) = run([check], broken, on_twin=False)
    assert (result.outcome, words in result.found) == (Readiness.NOT_READY, True), result.found
    assert result.why.endswith(".")
    assert result.remedy.endswith(".")


def test_what_cannot_be_read_is_unknown_and_not_ready_by_no_means(tmp_path):
    """With AWS's own code; the other checks are not touched."""
    account = FakeAccount(kms__list_aliases=missing("AccessDeniedException"))
    results = {r.code: r for r in run(CHECKS, target(tmp_path, account), on_twin=False)}
    assert results["keys"].outcome is Readiness.UNKNOWN
    assert results["keys"].found == "AccessDeniedException"
    assert results["certificates"].outcome is Readiness.READY


def test_a_twin_is_not_asked_for_quotas(tmp_path):
    """Skipped, and nobody is asked."""
    account = FakeAccount()
    results = {r.code: r for r in run(CHECKS, target(tmp_path, account), on_twin=True)}
    assert results["standby-quota"].outcome is Readiness.SKIPPED
    assert not [asked for asked in account.asked if asked[0] == "service-quotas"]


def test_the_checks_change_nothing(tmp_path):
    """Every operation that they call only reads."""
    account = FakeAccount()
    run(CHECKS, target(tmp_path, account), on_twin=False)
    verbs = {operation.partition("_")[0] for _, operation, _ in account.asked}
    assert verbs <= {"describe", "get", "list", "simulate"}


def test_a_global_database_of_somebody_elses_is_checked_too():
    """By its name or its tag, from the Region of a secondary."""
    account = FakeAccount()
    assert tagged(account, WEST, "app", "orders") == ["orders-prod"]
    assert tagged(account, WEST, "app", "billing") == []
    found = find(account, WEST, "orders-prod", NOW)
    assert (found.members, found.followers) == (
        {region: f"orders-prod-{region}" for region in (EAST, WEST)},
        [WEST],
    )
    assert {r.outcome for r in run(DATABASE_CHECKS, found, on_twin=False)} == {Readiness.READY}
    alone = replace(found, followers=[])
    (result,) = run(DATABASE_CHECKS[:1], alone, on_twin=False)
    assert result.found == "no cluster follows the writer"


@pytest.mark.parametrize("code", ["decider-runs", "signals", "unhindered", "expected-loss"])
@pytest.mark.parametrize("why", ["the decider's log: AccessDeniedException", ""])
def test_without_a_tick_nothing_is_said_to_be_well(tmp_path, code, why):
    """Unread is unknown, with the reason; a log that has no tick is a decider that does not run."""
    said = Fact(missing=why)
    (check,) = (check for check in CHECKS if check.code == code)
    (result,) = run([check], target(tmp_path, FakeAccount(), said=said), on_twin=False)
    silent = code == "decider-runs" and not why
    assert result.outcome is (Readiness.NOT_READY if silent else Readiness.UNKNOWN)
    assert (why or "no tick") in result.found


@pytest.mark.parametrize("status", ["backing-up", "maintenance", "storage-optimization"])
def test_a_standby_that_aurora_would_be_asked_for_is_fit(tmp_path, status):
    """By the orchestrator's own list of states in which no cluster takes over."""
    account = FakeAccount(rds__describe_db_clusters=clusters(Status=status))
    (check,) = (check for check in CHECKS if check.code == "standby-fit")
    (result,) = run([check], target(tmp_path, account), on_twin=False)
    assert result.outcome is Readiness.READY
