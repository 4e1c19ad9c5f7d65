"""A private path between the two networks: requested, accepted, routed and resolved both ways."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.network import Vpc
from otherside.components.sites import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class PeeringArgs:
    """The two sites and their VPCs."""

    primary: Site
    standby: Site
    primary_vpc: Vpc
    standby_vpc: Vpc


class Peering(pulumi.ComponentResource):
    """A peering connection that carries traffic: it takes four parts on each side, not one.

    Aurora replicates over AWS's own network and does not need it. The application does, because
    after a failover the writer endpoint resolves to an address in the other side's network.
    """

    connection_id: pulumi.Output[str]
    """The connection, once accepted."""

    def __init__(
        self, name: str, args: PeeringArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the connection, its acceptance, its options and every route."""
        super().__init__("otherside:index:Peering", name, None, opts)
        connection = aws.ec2.VpcPeeringConnection(
            name,
            vpc_id=args.primary_vpc.vpc_id,
            peer_vpc_id=args.standby_vpc.vpc_id,
            peer_region=args.standby.region,
            peer_owner_id=args.standby.account,
            auto_accept=False,  # the requester of another Region cannot accept
            tags={"Name": name},
            opts=args.primary.options(self),
        )
        accepter = aws.ec2.VpcPeeringConnectionAccepter(
            name,
            vpc_peering_connection_id=connection.id,
            auto_accept=True,
            tags={"Name": name},
            opts=args.standby.options(self),
        )
        # Everything below takes the accepter's id, not the connection's: the two are equal, but
        # options and routes need a connection that is active already.
        self.connection_id = accepter.id
        aws.ec2.PeeringConnectionOptions(
            f"{name}-primary",
            vpc_peering_connection_id=accepter.id,
            requester=aws.ec2.PeeringConnectionOptionsRequesterArgs(
                allow_remote_vpc_dns_resolution=True
            ),
            opts=args.primary.options(self),
        )
        aws.ec2.PeeringConnectionOptions(
            f"{name}-standby",
            vpc_peering_connection_id=accepter.id,
            accepter=aws.ec2.PeeringConnectionOptionsAccepterArgs(
                allow_remote_vpc_dns_resolution=True
            ),
            opts=args.standby.options(self),
        )
        ends = (
            ("primary", args.primary, args.primary_vpc, args.standby_vpc),
            ("standby", args.standby, args.standby_vpc, args.primary_vpc),
        )
        for side, site, here, there in ends:
            for number, table in enumerate(here.route_table_ids):
                aws.ec2.Route(
                    f"{name}-{side}-{number}",
                    route_table_id=table,
                    destination_cidr_block=there.cidr,
                    vpc_peering_connection_id=accepter.id,
                    opts=site.options(self),
                )
        self.register_outputs({"connection_id": self.connection_id})
