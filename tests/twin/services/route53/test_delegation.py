"""A zone answers the world once somebody has delegated its name, and not because it exists."""

import dns.message
import dns.query
import pytest

from twin.conftest import Bare, TwinSettings

pytestmark = pytest.mark.slow


def asked(bare, name):
    """Return the addresses that a name has, as somebody outside asks for them."""
    host, _, port = bare.known["dns"].rpartition(":")
    answer = dns.query.udp(dns.message.make_query(name, "A"), host, port=int(port), timeout=5)
    return [str(item) for rrset in answer.answer for item in rrset]


def test_a_zone_answers_once_its_name_is_delegated():
    """As in life: the zone and its records are there, and no resolver comes to them."""
    with Bare(TwinSettings(speed=10, latency=False)) as bare:
        route53 = bare.aws("route53")
        zone = route53.create_hosted_zone(Name="shop.example.com", CallerReference="1")
        record = {
            "Name": "www.shop.example.com",
            "Type": "A",
            "TTL": 1,
            "ResourceRecords": [{"Value": "192.0.2.7"}],
        }
        route53.change_resource_record_sets(
            HostedZoneId=zone["HostedZone"]["Id"],
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )
        assert asked(bare, "www.shop.example.com") == []
        bare.do("delegate", name="shop.example.com.")
        assert asked(bare, "www.shop.example.com") == ["192.0.2.7"]
        bare.do("undelegate", name="shop.example.com")
        assert asked(bare, "www.shop.example.com") == []
