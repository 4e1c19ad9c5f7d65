"""Which record Route 53 answers with."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.services.route53.routing import Record, UnknownNameError, Zones

CHANCE = random.Random(1)


def zones(*records, ill=(), targets=None, addresses=None):
    """Return zones of these records, with these checks unhealthy."""
    targets, addresses = targets or {}, addresses or {}
    return Zones(
        records=records,
        healthy=lambda check: check not in ill,
        target_healthy=targets.get,
        target_addresses=addresses.get,
    )


def pair(primary_check="p", secondary_check="s"):
    """Return a failover pair."""
    common = {"name": "app.example.com", "type": "A", "ttl_s": 10}
    return (
        Record(values=("192.0.2.1",), failover="PRIMARY", check=primary_check, **common),
        Record(values=("192.0.2.2",), failover="SECONDARY", check=secondary_check, **common),
    )


def asked(found, **more):
    """Return the address that a name leads to."""
    return found.answer("app.example.com", "A", chance=CHANCE, **more).values[0]


@pytest.mark.parametrize(
    ("ill", "secondary", "answer"),
    [
        ((), "s", "192.0.2.1"),
        (("p",), "s", "192.0.2.2"),
        (("p", "s"), "s", "192.0.2.1"),
        (("s",), "s", "192.0.2.1"),
        (("p",), "", "192.0.2.2"),
    ],
)
def test_R53_17_failover_pairs(ill, secondary, answer):
    """Primary while it is healthy, else the secondary, and the primary where both are not."""
    assert asked(zones(*pair(secondary_check=secondary), ill=ill)) == answer


def test_R53_18_where_none_is_healthy_all_are():
    """A simple record answers whatever its check says; weight 0 is the last resort."""
    common = {"name": "app.example.com", "type": "A", "ttl_s": 10}
    lonely = Record(values=("192.0.2.9",), check="x", **common)
    assert asked(zones(lonely, ill=("x",))) == "192.0.2.9"
    record = Record(values=("192.0.2.1",), weight=10, check="one", identifier="1", **common)
    none = Record(values=("192.0.2.2",), weight=0, check="none", identifier="2", **common)
    assert {asked(zones(record, none)) for _ in range(50)} == {"192.0.2.1"}
    assert {asked(zones(record, none, ill=("one",))) for _ in range(50)} == {"192.0.2.2"}
    both = {asked(zones(record, none, ill=("one", "none"))) for _ in range(50)}
    assert both == {"192.0.2.1"}


@given(st.integers(1, 255), st.integers(1, 255))
def test_weights_draw_in_proportion(item, other):
    """Over many questions, each record is answered about as often as it weighs."""
    common = {"name": "app.example.com", "type": "A", "ttl_s": 10}
    first = Record(values=("192.0.2.1",), weight=item, identifier="1", **common)
    second = Record(values=("192.0.2.2",), weight=other, identifier="2", **common)
    chance, found = random.Random(7), zones(first, second)
    drawn = [found.answer("app.example.com", "A", chance=chance).values[0] for _ in range(400)]
    share = drawn.count("192.0.2.1") / 400
    assert abs(share - item / (item + other)) < 0.12


def test_R53_19_an_alias_is_as_healthy_as_its_target_and_its_check():
    """Both must pass; without evaluation the target does not count."""
    common = {"name": "app.example.com", "type": "A", "alias": "lb"}
    second = Record(failover="SECONDARY", values=("192.0.2.2",), name="app.example.com", type="A")
    for check_ill, target_ok, evaluates in itertools.product((False, True), repeat=3):
        first = Record(failover="PRIMARY", check="p", evaluate=evaluates, **common)
        found = zones(
            first,
            second,
            ill=("p",) if check_ill else (),
            targets={"lb": target_ok},
            addresses={"lb": ("192.0.2.1",)},
        )
        healthy = not check_ill and (target_ok or not evaluates)
        assert asked(found) == ("192.0.2.1" if healthy else "192.0.2.2")


def test_R53_20_an_alias_has_its_targets_time_to_live():
    """60 s for a load balancer; the target's own for a record of the zone."""
    alias = Record(name="app.example.com", type="A", alias="lb")
    balancer = zones(alias, addresses={"lb": ("192.0.2.1",)})
    assert balancer.answer("app.example.com", "A", chance=CHANCE).ttl_s == 60
    inner = Record(name="inner.example.com", type="A", values=("192.0.2.3",), ttl_s=17)
    outer = Record(name="app.example.com", type="A", alias="inner.example.com")
    assert zones(inner, outer).answer("app.example.com.", "A", chance=CHANCE).ttl_s == 17


def test_latency_records_prefer_the_region_that_asks():
    """The record of the asker's own Region, while it is healthy."""
    common = {"name": "app.example.com", "type": "A", "ttl_s": 10}
    east = Record(values=("192.0.2.1",), region="us-east-2", check="e", **common)
    west = Record(values=("192.0.2.2",), region="us-west-2", check="w", **common)
    assert asked(zones(east, west), near="us-west-2") == "192.0.2.2"
    assert asked(zones(east, west, ill=("w",)), near="us-west-2") == "192.0.2.1"


def test_a_name_that_nobody_has_is_unknown():
    """It is no empty answer."""
    with pytest.raises(UnknownNameError):
        zones(*pair()).answer("other.example.com", "A", chance=CHANCE)
    assert zones(*pair()).answer("app.example.com", "AAAA", chance=CHANCE).values == ()
