"""Whether security groups let Route 53's health checkers in, which ask from the internet.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-router-firewall-rules.html
"""

import ipaddress

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Value

_RULES = ("ec2.ingress_rule", "ec2.security_group_rule")
_PRIVATE = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
)
_ALL_PROTOCOLS = frozenset({"-1", "all"})
_TCP = frozenset({"tcp", "6"})


def groups_without(graph: Graph, machine: Resource, path: str, port: int) -> list[Resource]:
    """Return the security groups of a machine or balancer, if none lets the internet in at a port.

    Empty if one does or may: a group, a rule or what it is for is told at deployment or elsewhere.
    """
    listed = machine[path]
    if not isinstance(listed, list) or not listed:
        return []
    found = [graph.links(machine, each, "ec2.security_group") for each in listed]
    if not all(found):
        return []
    groups = [links[0].resource for links in found]
    rules = [
        rule
        for group in groups
        for kind in _RULES
        for rule in graph.known_users(group, kind, "security_group_id")
    ]
    if not rules or _any_is_untold(graph, machine.region):
        return []
    return [] if any(_may_admit(rule, port) for rule in rules) else groups


def _any_is_untold(graph: Graph, region: str | None) -> bool:
    """Return whether a rule of a Region may be any group's, since it does not tell whose it is."""
    return graph.memoize(
        f"untold security group rules in {region}",
        lambda: any(
            not graph.links(rule, rule["security_group_id"], "ec2.security_group")
            for rule in graph.of(*_RULES, region=region)
        ),
    )


def _may_admit(rule: Resource, port: int) -> bool:
    """Return whether a rule may let in a TCP connection to a port from a public address."""
    if rule.kind == "ec2.security_group_rule":
        if rule["type"] == "egress":
            return False
        protocol, ranges, lists = rule["protocol"], rule["cidr_blocks"], rule["prefix_list_ids"]
    else:
        protocol, ranges, lists = rule["ip_protocol"], rule["cidr_ipv4"], rule["prefix_list_id"]
    if not _may_be_at(rule, protocol, port):
        return False
    sources = ranges if isinstance(ranges, list) else [ranges]
    return bool(lists) or isinstance(ranges, Unknown) or any(map(_may_be_public, sources))


def _may_be_at(rule: Resource, protocol: Value, port: int) -> bool:
    if isinstance(protocol, Unknown) or protocol in _ALL_PROTOCOLS:
        return True
    low, high = rule["from_port"], rule["to_port"]
    if protocol not in _TCP or low is None or high is None:
        return protocol in _TCP
    unknown = isinstance(low, Unknown) or isinstance(high, Unknown)
    return unknown or low <= port <= high


def _may_be_public(source: Value) -> bool:
    """Return whether a source may have an address of the internet in it."""
    if source is None:
        return False
    try:
        network = ipaddress.IPv4Network(source, strict=False) if isinstance(source, str) else None
    except ValueError:
        return True
    return network is None or not any(network.subnet_of(private) for private in _PRIVATE)
