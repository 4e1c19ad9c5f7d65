"""Change batches: what Route 53 refuses, and that a refused batch changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.route53.models import RecordSet

from otherside.twin.services.route53.change_batch import (
    RefusedBatchError,
    apply_batch,
    key_of,
)
from otherside.twin.services.route53.provider import of_moto, record_for_moto

ZONE = "example.net."


def a(name, value="192.0.2.1", **fields):
    """Return an A record of one address; a name without dots is of the zone."""
    whole = name if "." in name else f"{name}.example.net"
    values = {"TTL": 5, "ResourceRecords": [{"Value": value}]}
    return {"Name": whole, "Type": "A", **values, **fields}


def alias(name, target, **fields):
    """Return an alias record."""
    to = {"DNSName": target, "HostedZoneId": "Z1", "EvaluateTargetHealth": True}
    return {"Name": f"{name}.example.net", "Type": "A", "AliasTarget": to, **fields}


CNAME = {"Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "x.example.org"}]}
PRIMARY = {"SetIdentifier": "a", "Failover": "PRIMARY"}
HELD = [
    {"Name": ZONE, "Type": "NS", "TTL": 9, "ResourceRecords": [{"Value": "ns.example.org"}]},
    a("plain"),
    a("over", **PRIMARY),
    {"Name": "name.example.net", **CNAME},
]


def batch(*changes, held=HELD):
    """Apply (action, record) pairs to a zone that holds the records of `HELD`."""
    before = {key_of(record): record for record in held}
    asked = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    return apply_batch(ZONE, before, asked)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("CREATE", a("new", Failover="PRIMARY")), "InvalidInput", "Missing field 'SetIdentifier'"),
        (("CREATE", a("new", SetIdentifier="a")), "InvalidInput", "found none"),
        (("CREATE", a("new", SetIdentifier="a", Weight=300)), "InvalidInput", "Weight 300"),
        (("CREATE", a("new", **PRIMARY, Weight=1)), "InvalidInput", "found more than one"),
        (("CREATE", alias("new", "plain.example.net", TTL=5)), "InvalidInput", "more than one"),
        (
            ("CREATE", {"Name": "n.example.net", "Type": "A", "TTL": 5}),
            "InvalidInput",
            "found none",
        ),
        (("REPLACE", a("plain")), "InvalidInput", "enumeration '[CREATE, DELETE, UPSERT]'"),
        (("CREATE", a("new", "nope")), "InvalidChangeBatch", "ARRDATAIllegalIPv4Address"),
        (("CREATE", a("new", "::1")), "InvalidChangeBatch", "ARRDATAIllegalIPv4Address"),
        (("CREATE", a("t", "bare", Type="TXT")), "InvalidChangeBatch", "enclosed in quotation"),
        (("CREATE", a("t", '"one" two', Type="TXT")), "InvalidChangeBatch", "enclosed in"),
        (("CREATE", a("t", f'"{300 * "x"}"', Type="TXT")), "InvalidChangeBatch", "StringTooLong"),
        (("CREATE", a("x.example.org")), "InvalidChangeBatch", "not permitted in zone"),
        (("CREATE", a("PLAIN")), "InvalidChangeBatch", "already exists"),
        (("CREATE", {"Name": ZONE, **CNAME}), "InvalidChangeBatch", "at apex"),
        (("CREATE", {"Name": "plain.example.net", **CNAME}), "InvalidChangeBatch", "conflicts"),
        (("CREATE", a("name")), "InvalidChangeBatch", "conflicting RRSet of type CNAME"),
        (("CREATE", a("over")), "InvalidChangeBatch", "other RRSets exist"),
        (("UPSERT", a("plain", **PRIMARY)), "InvalidChangeBatch", "non failover rrset exists"),
        (
            ("CREATE", a("over", SetIdentifier="b", Weight=1)),
            "InvalidChangeBatch",
            "non weighted rrset exists",
        ),
        (
            ("CREATE", a("over", SetIdentifier="b", Failover="PRIMARY")),
            "InvalidChangeBatch",
            "same failover value PRIMARY",
        ),
        (("DELETE", a("gone")), "InvalidChangeBatch", "not found"),
        (("DELETE", a("plain", "192.0.2.9")), "InvalidChangeBatch", "do not match"),
        (("DELETE", HELD[0]), "InvalidChangeBatch", "at least one NS"),
        (
            ("CREATE", alias("new", "gone.example.net")),
            "InvalidChangeBatch",
            "target was not found",
        ),
    ],
)
def test_is_refused(change, code, words):
    """With AWS's code, and its sentence where one is public."""
    with pytest.raises(RefusedBatchError) as caught:
        batch(("CREATE", a("good")), change)
    assert caught.value.code == code
    assert words in " ".join(caught.value.messages)


def test_a_batch_is_judged_as_a_whole():
    """A record may take the place of one that the same batch deletes, or lead to one it makes."""
    after = batch(
        ("DELETE", {"Name": "name.example.net.", **CNAME}),
        ("CREATE", a("name")),
        ("CREATE", alias("also", "late.example.net.")),
        ("CREATE", a("late")),
        ("CREATE", a("over", SetIdentifier="b", Failover="SECONDARY")),
        ("UPSERT", a("plain", "192.0.2.2")),
    )
    assert after["name.example.net.", "A", ""]["TTL"] == 5
    assert after["plain.example.net.", "A", ""]["ResourceRecords"] == [{"Value": "192.0.2.2"}]
    assert len(after) == len(HELD) + 3


def test_every_refusal_is_told_at_once():
    """People mend a batch once and not once for each of its faults."""
    with pytest.raises(RefusedBatchError) as caught:
        batch(("DELETE", a("gone")), ("CREATE", a("plain")))
    assert len(caught.value.messages) == 2


@pytest.mark.parametrize(
    "record",
    [
        alias("also", "plain.example.net."),
        a("over", SetIdentifier="a", Failover="PRIMARY"),
        a("where", SetIdentifier="a", GeoLocation={"CountryCode": "DE"}),
    ],
)
def test_what_is_held_can_be_deleted_as_it_was_made(record):
    """Also when moto has held it meanwhile, in its own form."""
    made = batch(("CREATE", record), held=HELD[:2])[key_of(record)]
    held = of_moto(RecordSet(record_for_moto(made)))
    assert batch(("DELETE", record), held=[held]) == {}


def test_a_geolocation_record_is_beside_others_of_its_kind():
    """And beside no record of another policy."""
    here = a("where", SetIdentifier="a", GeoLocation={"CountryCode": "DE"})
    there = a("where", SetIdentifier="b", GeoLocation={"CountryCode": "FR"})
    assert len(batch(("CREATE", here), ("CREATE", there), held=[])) == 2
    with pytest.raises(RefusedBatchError, match="non weighted rrset exists"):
        batch(("CREATE", here), ("CREATE", a("where", SetIdentifier="c", Weight=1)), held=[])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["CREATE", "UPSERT", "DELETE"]),
            st.builds(
                a,
                st.sampled_from(["p", "q"]),
                st.sampled_from(["192.0.2.1", "192.0.2.2"]),
                SetIdentifier=st.sampled_from(["a", "b"]),
                Failover=st.sampled_from(["PRIMARY", "SECONDARY"]),
            ),
        ),
        max_size=8,
    )
)
def test_no_zone_has_two_primaries_of_a_name(changes):
    """Whatever is asked, in any order: what is accepted keeps the rule."""
    held = []
    for change in changes:
        try:
            held = list(batch(change, held=held).values())
        except RefusedBatchError:
            continue
    roles = [(record["Name"], record["Failover"]) for record in held]
    assert len(roles) == len(set(roles))


@pytest.mark.parametrize("value", ['"v=spf1 -all"', '"one" "two"', r'"a \"quoted\" word"', '""'])
def test_a_text_record_is_one_string_or_several_in_quotation_marks(value):
    """As Route 53's guide says: docs.aws.amazon.com/Route53/latest/DeveloperGuide/."""
    after = batch(("CREATE", a("text", value, Type="TXT")))
    assert ("text.example.net.", "TXT", "") in after
