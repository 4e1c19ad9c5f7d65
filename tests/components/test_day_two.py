"""What an operator lives with: tags, exports, changes to a live stack, and its end."""

import inspect
import json
from importlib import import_module
from pathlib import Path

import pytest

from components.stack_assertions import PRIMARY, SIDES, STANDBY
from otherside.components.disaster_recovery import DisasterRecovery, DisasterRecoveryArgs
from otherside.config import parse_config
from otherside.program.monitor import declare
from stacks import DESIGNS, STRICT, declared, topology

ROLES = {PRIMARY: "primary", STANDBY: "standby"}
CAUSES = {
    "lb/targetGroup:TargetGroup": "port",
    "rds/clusterParameterGroup:ClusterParameterGroup": "family",
}
"""What each is replaced for, while something still uses the one before."""


def declared_as(text):
    """Return the stack of a design that no variant has."""
    design = parse_config(text, Path("otherside.toml"))

    def program():
        whole = DisasterRecovery(design.prefix, DisasterRecoveryArgs(topology=design))
        assert whole

    return declare(program, project="orders", config=STRICT)


def takes_tags(kind):
    """Return whether the provider lets a type be tagged."""
    module, _, name = kind.removeprefix("aws:").partition(":")
    room = module.partition("/")[0].replace("lambda", "lambda_")
    known = getattr(import_module(f"pulumi_aws.{room}"), f"{name}Args", None)
    return known is not None and "tags" in inspect.signature(known.__init__).parameters


def tags_of(stack, item):
    """Return a resource's tags: its own over those of its provider."""
    provider = next(p for p in stack.resources if p.urn == item.provider)
    told = provider.inputs["defaultTags"]
    told = json.loads(told) if isinstance(told, str) else told
    own = item.inputs.get("tags") or {}
    return {**told["tags"], **(own if isinstance(own, dict) else {})}


@pytest.mark.parametrize("variant", ["standard", "minimal"])
def test_every_resource_says_what_it_is_of_and_which_part_it_plays(variant):
    """By the provider's tags, and by hand where a resource belongs to no side."""
    stack, roles = declared(variant), set()
    tagged = [o for o in stack.resources if o.type.startswith("aws:") and takes_tags(o.type)]
    assert len(tagged) > 100
    regions = topology(variant).regions
    sides = {regions.primary: "primary", regions.standby: "standby"}
    for item in tagged:
        tags = tags_of(stack, item)
        assert tags["Environment"] == topology(variant).environment, item.name
        roles.add(tags["DR-Role"])
        # A role of IAM is every Region's, and plays the part of the side whose it is.
        if tags["DR-Role"] in sides.values() and item.region != "global":
            assert tags["DR-Role"] == sides[item.region], item.name
        if item.type.startswith("aws:route53/"):
            assert tags["DR-Role"] == "global", item.name
    assert {"primary", "standby", "global"} <= roles <= {"primary", "standby", "witness", "global"}


def test_what_a_group_launches_is_tagged_too():
    """A provider's tags do not reach instances, their disks and their interfaces."""
    stack = declared("standard")
    for launch_template in stack.of("ec2/launchTemplate:LaunchTemplate"):
        told = {
            each["resourceType"]: each["tags"]
            for each in launch_template.inputs["tagSpecifications"]
        }
        assert set(told) == {"volume", "network-interface"}
        assert {tags["DR-Role"] for tags in told.values()} == {ROLES[launch_template.region]}
    for group in stack.of("autoscaling/group:Group"):
        tags = {each["key"]: each["value"] for each in group.inputs["tags"]}
        assert tags["DR-Role"] == ROLES[group.region]
        assert all(each["propagateAtLaunch"] for each in group.inputs["tags"])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("[compute]\nport = 9090", "lb/targetGroup:TargetGroup"),
        (
            '[database]\nengine_version = "16.9"',
            "rds/clusterParameterGroup:ClusterParameterGroup",
        ),
    ],
)
def test_what_a_change_replaces_has_another_name(change, kind):
    """The new one is made before the old one goes, and two cannot have one name."""
    later = declared_as(f"{DESIGNS['standard']}\n{change}\n")
    before = {entry.region: entry.inputs for entry in declared("standard").of(kind)}
    after = {entry.region: entry.inputs for entry in later.of(kind)}
    assert before.keys() == after.keys() == set(SIDES)
    for region, inputs in after.items():
        assert inputs[CAUSES[kind]] != before[region][CAUSES[kind]]
        assert inputs["name"] != before[region]["name"]


def test_the_primary_is_rolled_after_the_standby_and_never_with_it():
    """A release that is bad stops at the standby's group, which waits until it serves."""
    stack = declared("standard")
    primary, standby = (
        stack.only("autoscaling/group:Group", region=item) for item in (PRIMARY, STANDBY)
    )
    assert standby.urn in primary.dependencies
    assert primary.urn not in standby.dependencies
    for item in (primary, standby):
        assert item.inputs["minElbCapacity"] == item.inputs["minSize"] >= 1
        assert item.inputs["waitForCapacityTimeout"] != "0"
        told = item.inputs["instanceRefresh"]["preferences"]
        assert (told["minHealthyPercentage"], told["autoRollback"]) == (100, True)


def test_a_group_grows_up_to_its_maximum():
    """By a policy of its own; else the maximum would be a number that nothing reads."""
    stack = declared("standard")
    policies = {
        scaling_policy.region: scaling_policy.inputs
        for scaling_policy in stack.of("autoscaling/policy:Policy")
    }
    assert policies.keys() == set(SIDES)
    assert {policy["policyType"] for policy in policies.values()} == {"TargetTrackingScaling"}


def test_a_trial_is_gone_by_one_command():
    """No protection, no lock, nothing that has to be emptied by hand, no backup that is left."""
    text = DESIGNS["standard"].replace('name = "orders"', 'name = "orders"\nprotect = false', 1)
    stack = declared_as(text)
    assert [resource.name for resource in stack.resources if resource.protect] == []
    assert stack.of("backup/vaultLockConfiguration:VaultLockConfiguration") == []
    for kind in ("s3/bucket:Bucket", "backup/vault:Vault", "route53/zone:Zone"):
        assert stack.of(kind)
        assert all(entry.inputs["forceDestroy"] is True for entry in stack.of(kind)), kind
    for cluster in stack.of("rds/cluster:Cluster"):
        assert cluster.inputs["skipFinalSnapshot"] is True
        assert cluster.inputs["deleteAutomatedBackups"] is True
        assert cluster.inputs["deletionProtection"] is False
    assert all(group.inputs["forceDelete"] for group in stack.of("autoscaling/group:Group"))


def test_a_stack_that_is_protected_is_kept():
    """What holds data goes by nobody's mistake."""
    stack = declared("standard")
    for kind in ("s3/bucket:Bucket", "backup/vault:Vault", "route53/zone:Zone"):
        assert not any(entry.inputs.get("forceDestroy") for entry in stack.of(kind)), kind
    assert all(cluster.protect for cluster in stack.of("rds/cluster:Cluster"))
    assert len(stack.of("backup/vaultLockConfiguration:VaultLockConfiguration")) == len(SIDES)


def test_an_operator_is_told_where_everything_is():
    """Addresses, checks and how to ask for them, metrics, topics, functions, table, pledge."""
    told = declared("standard").exports
    for name in (
        *("primary_url", "standby_url", "endpoint_check", "standby_check", "latch_check"),
        *("check_status_command", "lag_metric", "topics", "dashboards", "decider", "actuator"),
        *("pledge_bucket", "state_table"),
    ):
        assert told.get(name), name
    lag = json.loads(told["lag_metric"])
    assert lag["standby"]["region"] == STANDBY
    assert lag["standby"]["dimensions"]["SourceRegion"] == PRIMARY
