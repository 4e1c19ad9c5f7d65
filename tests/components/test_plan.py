"""What is worked out before any resource exists."""

import re
from ipaddress import ip_network
from itertools import combinations, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from otherside.components.plan import (
    app_image_parameter,
    fit,
    is_arm,
    parameter_family,
    plan_network,
)

networks = st.builds(
    lambda second, third, prefix: str(ip_network(f"10.{second}.{third}.0/{prefix}", strict=False)),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(16, 24),
)
zones = st.integers(2, 4)


def subnets(plan):
    """Return every subnet of a plan."""
    return [ip_network(item) for item in (*plan.public, *plan.private, *plan.database)]


@given(networks, zones)
def test_subnets_never_overlap_and_stay_inside(cidr, count):
    """Whatever the network, its subnets are parts of it and of nothing else's."""
    plan = plan_network(cidr, count)
    found = subnets(plan)
    assert len(found) == 3 * count
    assert all(subnet.subnet_of(ip_network(cidr)) for subnet in found)
    assert not any(a.overlaps(b) for a, b in combinations(found, 2))


@given(networks, networks, zones)
def test_disjoint_networks_have_disjoint_subnets(item, other, count):
    """Two Regions whose networks do not overlap have no subnet that does."""
    assume(not ip_network(item).overlaps(ip_network(other)))
    here, there = subnets(plan_network(item, count)), subnets(plan_network(other, count))
    assert not any(a.overlaps(b) for a in here for b in there)


@given(networks)
def test_a_zone_more_moves_no_subnet(cidr):
    """A design that grows keeps every subnet that it had: a subnet that moves is replaced."""
    plans = [plan_network(cidr, count) for count in (2, 3, 4)]
    for small, large in pairwise(plans):
        for tier in ("public", "private", "database"):
            before, after = getattr(small, tier), getattr(large, tier)
            assert after[: len(before)] == before


@given(networks, zones)
def test_subnets_are_within_what_aws_allows(cidr, count):
    """A subnet is a /16 to a /28."""
    assert all(16 <= subnet.prefixlen <= 28 for subnet in subnets(plan_network(cidr, count)))


@pytest.mark.parametrize(
    ("cidr", "count"),
    [("10.0.0.0/15", 2), ("10.0.0.0/25", 2), ("10.0.0.0/16", 1), ("10.0.0.0/16", 5), ("x", 2)],
)
def test_what_does_not_fit_is_refused(cidr, count):
    """A network too large or too small, and zones that make no redundancy."""
    with pytest.raises(ValueError, match=r"must be|octets"):
        plan_network(cidr, count)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,60}[a-z0-9]", fullmatch=True), st.integers(12, 32))
def test_a_fitted_name_is_short_and_still_the_same_name(name, length):
    """Short names stay; long ones end in a digest and never in two hyphens."""
    fitted = fit(name, length)
    assert len(fitted) <= length
    assert fitted == fit(name, length)
    if len(name) <= length:
        assert fitted == name
    else:
        assert re.search(r"[^-]-[0-9a-f]{6}$", fitted)


def test_fitted_names_stay_apart():
    """Two long names that begin alike do not become one."""
    assert fit("a" * 40 + "1", 32) != fit("a" * 40 + "2", 32)


@pytest.mark.parametrize(
    ("instance_type", "arm"),
    [
        *(("t4g.small", True), ("m7g.large", True), ("c6gn.xlarge", True), ("a1.large", True)),
        *(("t3.small", False), ("m5.large", False), ("g4dn.xlarge", False), ("r6i.large", False)),
        ("im4gn.large", True),
    ],
)
def test_graviton_is_known_by_its_name(instance_type, arm):
    """The image's architecture follows the instance type."""
    assert is_arm(instance_type) is arm
    assert ("arm64" in app_image_parameter(instance_type)) is arm


def test_the_parameter_family_follows_the_major_version():
    """A group of another family cannot be attached."""
    assert parameter_family("17.9") == "aurora-postgresql17"
