"""What a check does grows with its input and not with the input's square."""

import pytest

from otherside.check.analysis import dns
from otherside.check.model.graph import Graph, Place, Resource
from otherside.check.rules.dns import dr211_unpaired_failover_record as dr211


def records(pairs):
    """Return a graph of failover records, a pair for each name."""
    return Graph(
        [
            Resource(
                id=f"{side}{number}",
                name=f"{side}{number}",
                kind="route53.record",
                type="aws_route53_record",
                region="global",
                place=Place(""),
                dialect="terraform",
                attributes={
                    "name": f"a{number}.example.com",
                    "type": "A",
                    "failover_routing_policy": {"type": side},
                },
            )
            for number in range(pairs)
            for side in ("PRIMARY", "SECONDARY")
        ]
    )


@pytest.mark.parametrize("pairs", [10, 200])
def test_failover_records_are_looked_up_by_name(pairs, monkeypatch):
    """Each name is read a few times, however many records there are."""
    seen = []
    plain = dns.name_of
    for module in (dns, dr211):
        monkeypatch.setattr(
            module, "name_of", lambda graph, record: seen.append(record) or plain(graph, record)
        )
    graph = records(pairs)
    for record in graph.of("route53.record"):
        assert list(dr211.unpaired_failover_record.check(graph, record)) == []
    assert len(seen) == 4 * pairs
