"""Every pair of Regions that a design accepts can be made, as far as AWS's own data tells."""

from itertools import permutations
from pathlib import Path

import pytest

from api_validation import catalogue
from otherside.components.disaster_recovery import DisasterRecovery, DisasterRecoveryArgs
from otherside.config import parse_config
from otherside.config.document import NEVER
from otherside.program.monitor import declare
from otherside.regions import (
    CONTROL_REGION,
    FAMILIES_MISSING,
    NO_RESTORE_TESTS,
    OPT_IN,
    REGIONS,
    lacks,
    zones_of,
)
from stacks import PLAIN, STRICT

ALL = sorted(REGIONS)
UNLISTED = {"me-south-1"}
"""Regions that the linter's data no longer describes."""


def design(primary, standby):
    """Return a design of a pair, with a class that both have and as many zones as both show."""
    family = next(name for name in ("r6g", "r7g", "r5") if not lacks_either(name, primary, standby))
    witness = next(item for item in ALL if item not in {primary, standby})
    text = f"""
        name = "orders"
        [regions]
        primary = "{primary}"
        standby = "{standby}"
        witness = "{witness}"
        [network]
        zones = {min(zones_of(primary), zones_of(standby), 3)}
        [backup]
        restore_test = "{NEVER if standby in NO_RESTORE_TESTS else "cron(0 9 ? * SUN *)"}"
        [database]
        instance_class = "db.{family}.large"
    """
    return parse_config(text + PLAIN, Path("otherside.toml"))


def lacks_either(family, *regions):
    """Return whether one of the Regions has no such family."""
    return any(lacks(region, family) for region in regions)


def test_what_a_region_lacks_is_what_aws_lists():
    """Each family of each Region, by the data that CloudFormation's linter carries."""
    known = {item for missing in FAMILIES_MISSING.values() for item in missing}
    for region in ALL:
        there = {
            database_kind.split(".")[1] for database_kind in catalogue.database_classes(region)
        }
        assert {item for item in known if lacks(region, item)} == known - there, region


def test_regions_that_need_an_opt_in_are_regions():
    """And the one with the control planes is none of them."""
    assert OPT_IN < REGIONS
    assert CONTROL_REGION not in OPT_IN
    assert {item for item in ALL if zones_of(item) < 3} == {"us-west-1"}


@pytest.mark.slow
def test_every_pair_has_a_design():
    """More than a thousand, each with a class of instances that both Regions have."""
    pairs = [order for order in permutations(ALL, 2) if order[1] != CONTROL_REGION]
    for primary, standby in pairs:
        found = design(primary, standby)
        assert (found.regions.primary, found.regions.standby) == (primary, standby)
    assert len(pairs) > 1000


RING = [
    (item, other)
    for item, other in zip(ALL, [*ALL[1:], ALL[0]], strict=True)
    if other != CONTROL_REGION
]
"""Each Region once as primary and once as standby: a side depends on its own Region alone."""


EVERY = 5
"""Of so many pairs one is previewed by the slow lane, and all of them by the long one."""


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, marks=pytest.mark.long if number % EVERY else pytest.mark.slow)
        for number, pair in enumerate(RING)
    ],
    ids="-".join,
)
def test_a_region_offers_everything_that_a_side_puts_there(pair):
    """Each service, each class and type; previewed, not only planned."""
    topology = design(*pair)

    def program():
        DisasterRecovery(topology.prefix, DisasterRecoveryArgs(topology=topology))

    stack = declare(program, project="orders", config=STRICT)
    missing = [
        f"{resource.type} in {resource.region}"
        for resource in stack.resources
        if resource.type.startswith("aws:")
        and resource.region not in {"global", *UNLISTED}
        and catalogue.offered(resource.type, resource.region) is False
    ]
    assert missing == []
    for cluster_instance in stack.of("rds/clusterInstance:ClusterInstance"):
        assert cluster_instance.inputs["instanceClass"] in catalogue.database_classes(
            cluster_instance.region
        )
    for launch_template in stack.of("ec2/launchTemplate:LaunchTemplate"):
        assert launch_template.inputs["instanceType"] in catalogue.instance_types(
            launch_template.region
        )
