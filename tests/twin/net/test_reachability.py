"""VPC on a twin: peerings that fail, groups of another Region, network ACLs, and no third hop."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends

from otherside.twin.context import TwinContext
from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.latency import Latency
from otherside.twin.net.reachability import Interface, Reach, Reachability
from otherside.twin.services.ec2.provider import Ec2Provider
from twin.conftest import ACCOUNT, EAST, WEST

PORT = 5432
LOCAL = ("127.0.0.1", 1)


class Nets:
    """Networks in moto's EC2, in this process, and who can reach whom in them."""

    def __init__(self):
        self.network = Reachability(
            TwinContext(
                ACCOUNT, (EAST, WEST), ScaledClock.starting_now(1.0), Latency(modelled=False)
            ),
            {},
        )
        self.count = 0

    def ec2(self, region):
        """Return moto's own EC2."""
        return ec2_backends[ACCOUNT][region]

    def vpc(self, region, cidr):
        """Make a network with one subnet; return both."""
        ec2 = self.ec2(region)
        vpc = ec2.create_vpc(cidr)
        subnet = ec2.create_subnet(vpc.id, cidr.replace("/16", "/24"), f"{region}a")
        return vpc, subnet

    def subnet(self, vpc, region, cidr):
        """Make one more subnet."""
        return self.ec2(region).create_subnet(vpc.id, cidr, f"{region}b")

    def host(self, region, vpc, subnet, number=10):
        """Put an interface into a subnet, which everybody may reach."""
        self.count += 1
        ec2 = self.ec2(region)
        group = ec2.create_security_group(f"g{self.count}", "all", vpc_id=vpc.id)
        ec2.authorize_security_group_ingress(
            group.id, "-1", None, None, [{"CidrIp": "0.0.0.0/0"}], source_groups=[]
        )
        address = f"{subnet.cidr_block.rpartition('.')[0]}.{number}"
        interface = Interface(
            name=f"h{self.count}",
            region=region,
            subnet=subnet.id,
            address=address,
            groups=(group.id,),
            ports={PORT: LOCAL},
        )
        self.network.add(interface)
        return interface

    def peer(self, region, vpc, there, other, *, accepted=True):
        """Peer two networks, with a route on each side."""
        ec2 = self.ec2(region)
        peering = ec2.create_vpc_peering_connection(vpc, other, None)
        if accepted:
            peering._status.accept()
        for where, item, far in ((region, vpc, other), (there, other, vpc)):
            tables = self.ec2(where).route_tables.values()
            table = next(each for each in tables if each.vpc_id == item.id)
            self.ec2(where).vpc_pcxs.setdefault(peering.id, peering)
            self.ec2(where).create_route(
                table.id, far.cidr_block, vpc_peering_connection_id=peering.id
            )
        return peering

    def reach(self, source, target):
        """Return what comes of connecting."""
        return self.network.between(source, target, PORT).reach


@pytest.fixture
def nets():
    """Return networks of this test's own."""
    for region in (EAST, WEST):
        ec2_backends[ACCOUNT][region].reset()
    return Nets()


def test_VPC_05_06_a_peering_that_nobody_accepts_carries_nothing(nets):
    """With its routes in place on both sides; that the drill sees it is a sabotage's to show."""
    (a, sa), (b, sb) = nets.vpc(EAST, "10.0.0.0/16"), nets.vpc(WEST, "10.1.0.0/16")
    peering = nets.peer(EAST, a, WEST, b, accepted=False)
    here, there = nets.host(EAST, a, sa), nets.host(WEST, b, sb)
    assert nets.reach(here, there) is nets.reach(there, here) is Reach.TIMEOUT
    assert "pending-acceptance" in nets.network.between(here, there, PORT).why
    peering._status.accept()
    assert nets.reach(here, there) is nets.reach(there, here) is Reach.OPEN


def test_VPC_07_a_network_is_no_way_to_a_third(nets):
    """A and B are peered, and B and C; A routes C's addresses to B, and none arrives."""
    (a, sa), (b, sb), (c, sc) = (
        nets.vpc(EAST, "10.0.0.0/16"),
        nets.vpc(WEST, "10.1.0.0/16"),
        nets.vpc(EAST, "10.2.0.0/16"),
    )
    first = nets.peer(EAST, a, WEST, b)
    second = nets.peer(WEST, b, EAST, c)
    hosts = nets.host(EAST, a, sa), nets.host(WEST, b, sb), nets.host(EAST, c, sc)
    assert nets.reach(hosts[0], hosts[1]) is Reach.OPEN
    assert nets.reach(hosts[1], hosts[2]) is Reach.OPEN
    tables = list(nets.ec2(EAST).route_tables.values())
    for item, far, peering in ((a, c, first), (c, a, second)):
        table = next(each for each in tables if each.vpc_id == item.id)
        nets.ec2(EAST).create_route(table.id, far.cidr_block, vpc_peering_connection_id=peering.id)
    assert nets.reach(hosts[0], hosts[2]) is Reach.TIMEOUT


def entry(nets, acl, number, action, *, egress, low=None, high=None):
    """Add a rule to a network ACL."""
    nets.ec2(EAST).create_network_acl_entry(
        acl.id, number, "6", action, egress, "0.0.0.0/0", None, None, low, high, None
    )


def test_VPC_11_a_network_acl_keeps_no_state(nets):
    """The lowest number counts, the last rule denies, and answers need a rule of their own."""
    vpc, inside = nets.vpc(EAST, "10.0.0.0/16")
    edge = nets.subnet(vpc, EAST, "10.0.1.0/24")
    server, client = nets.host(EAST, vpc, inside), nets.host(EAST, vpc, edge)
    neighbour = nets.host(EAST, vpc, inside, 11)
    assert nets.reach(client, server) is Reach.OPEN
    ec2 = nets.ec2(EAST)
    acl = ec2.create_network_acl(vpc.id)
    held = next(
        association
        for each in ec2.network_acls.values()
        for association in each.associations
        if association.subnet_id == inside.id
    )
    ec2.replace_network_acl_association(held.id, acl.id)
    assert nets.reach(client, server) is Reach.TIMEOUT
    assert nets.reach(neighbour, server) is Reach.OPEN, "it stands at the subnet's edge"
    entry(nets, acl, 100, "allow", egress=False, low=PORT, high=PORT)
    assert nets.reach(client, server) is Reach.TIMEOUT, "no answer comes out"
    entry(nets, acl, 100, "allow", egress=True, low=1024, high=65535)
    assert nets.reach(client, server) is Reach.OPEN
    entry(nets, acl, 50, "deny", egress=False, low=PORT, high=PORT)
    assert nets.reach(client, server) is Reach.TIMEOUT


def made(bare, region, cidr):
    """Make a network by the API."""
    return bare.aws("ec2", region).create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]


def test_VPC_03_a_request_expires_after_a_week(nets):
    """And can be accepted no more."""
    east, west = nets.vpc(EAST, "10.0.0.0/16")[0], nets.vpc(WEST, "10.1.0.0/16")[0]
    peering = nets.ec2(EAST).create_vpc_peering_connection(east, west, None)
    networks = Ec2Provider(nets.network.context)
    call = SimpleNamespace(region=EAST)
    networks.asked(call, {}, f"<id>{peering.id}</id>".encode())
    now_s = nets.network.context.now_s
    networks.expire_due(now_s + 6.9 * 86_400)
    assert peering.status["Code"] == "pending-acceptance"
    networks.expire_due(now_s + 7.1 * 86_400)
    assert peering.status["Code"] == "expired"


@pytest.mark.slow
def test_VPC_02_networks_that_overlap_are_peered_in_vain(bare):
    """The call succeeds, and the peering has failed."""
    east, west = made(bare, EAST, "10.7.0.0/16"), made(bare, WEST, "10.7.128.0/17")
    ec2 = bare.aws("ec2")
    found = ec2.create_vpc_peering_connection(VpcId=east, PeerVpcId=west, PeerRegion=WEST)
    name = found["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    (connection,) = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[name])[
        "VpcPeeringConnections"
    ]
    assert connection["Status"]["Code"] == "failed"
    with pytest.raises(ClientError):
        bare.aws("ec2", WEST).accept_vpc_peering_connection(VpcPeeringConnectionId=name)


@pytest.mark.slow
def test_VPC_08_a_group_of_another_region_cannot_be_named(bare):
    """Addresses can."""
    east, west = made(bare, EAST, "10.8.0.0/16"), made(bare, WEST, "10.9.0.0/16")
    groups = {
        region: bare.aws("ec2", region).create_security_group(
            GroupName="g8", Description="g", VpcId=vpc
        )["GroupId"]
        for region, vpc in ((EAST, east), (WEST, west))
    }
    base = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT}
    ec2 = bare.aws("ec2")
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        ec2.authorize_security_group_ingress(
            GroupId=groups[EAST],
            IpPermissions=[{**base, "UserIdGroupPairs": [{"GroupId": groups[WEST]}]}],
        )
    ec2.authorize_security_group_ingress(
        GroupId=groups[EAST], IpPermissions=[{**base, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}]
    )
