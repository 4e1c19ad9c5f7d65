"""One Region's network: three tiers of subnets, gateways, private endpoints and flow logs."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.iam_policies import allow, document, trust
from otherside.components.plan import plan_network
from otherside.components.sites import Site

GATEWAY_SERVICES = ("dynamodb", "s3")
"""Reached through route tables, free of charge. Amazon Linux installs its packages from S3."""
INTERFACE_SERVICES = (
    *("kms", "logs", "monitoring"),
    *("secretsmanager", "ssm", "ssmmessages", "sts"),
)
"""What an instance must reach to boot and serve, even while NAT or the internet is down."""
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """What the other components need to know about a network, new or existing."""

    vpc_id: pulumi.Input[str]
    cidr: str
    private_cidrs: Sequence[str]
    database_cidrs: Sequence[str]
    public_subnet_ids: Sequence[pulumi.Input[str]]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    database_subnet_ids: Sequence[pulumi.Input[str]]
    route_table_ids: Sequence[pulumi.Input[str]]
    """Tables of the private and the database subnets, which get the routes to the other side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalNetworkArgs:
    """Settings of one Region's network."""

    site: Site
    cidr: str
    """A /16 to a /24; each subnet takes a sixteenth."""
    zones: int = 3
    nat_per_zone: bool = True
    """A NAT gateway in each zone instead of one for the Region."""
    interface_endpoints: bool = True
    """Reach AWS APIs through private endpoints instead of NAT."""
    logs_key_arn: pulumi.Input[str]
    flow_log_days: int = 90


class RegionalNetwork(pulumi.ComponentResource):
    """A VPC with public, private and database subnets in each zone.

    Database subnets are ISOLATED: their tables have no default route, and get only the routes to
    the other side that `Peering` adds.
    """

    vpc: Vpc
    """What the other components need to know about it."""

    def __init__(
        self, name: str, args: RegionalNetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the network."""
        super().__init__("otherside:index:RegionalNetwork", name, None, opts)
        self._name, self._args, self._here = name, args, args.site.options(self)
        plan = plan_network(args.cidr, args.zones)
        available = aws.get_availability_zones_output(
            state="available",
            filters=[  # local zones need an opt-in and do not support Aurora
                aws.GetAvailabilityZonesFilterArgs(
                    name="opt-in-status", values=["opt-in-not-required"]
                )
            ],
            opts=args.site.look_up(),
        )
        chosen = available.names.apply(lambda names: first_zones(names, args))
        self._zones = [chosen[number] for number in range(args.zones)]
        self._vpc = aws.ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": name},
            opts=self._here,
        )
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default", vpc_id=self._vpc.id, tags={"Name": f"{name}-unused"}, opts=self._here
        )
        public = self._subnets("public", plan.public)
        private = self._subnets("private", plan.private)
        database = self._subnets("database", plan.database)
        gateways = self._ways_out(public)
        private_tables = self._private_tables(private, gateways)
        database_table = self._table("database", database)
        self._endpoints(private, private_tables)
        self._flow_log()
        self.vpc = Vpc(
            vpc_id=self._vpc.id,
            cidr=args.cidr,
            private_cidrs=plan.private,
            database_cidrs=plan.database,
            public_subnet_ids=[subnet.id for subnet in public],
            private_subnet_ids=[subnet.id for subnet in private],
            database_subnet_ids=[subnet.id for subnet in database],
            route_table_ids=[table.id for table in (*private_tables, database_table)],
        )
        self.register_outputs({"vpc_id": self._vpc.id})

    def _subnets(self, tier: str, cidrs: Sequence[str]) -> list[aws.ec2.Subnet]:
        return [
            aws.ec2.Subnet(
                f"{self._name}-{tier}-{number}",
                vpc_id=self._vpc.id,
                cidr_block=cidr,
                availability_zone=zone,
                map_public_ip_on_launch=False,
                tags={"Name": f"{self._name}-{tier}-{number}", "Tier": tier},
                opts=self._here,
            )
            for number, (cidr, zone) in enumerate(zip(cidrs, self._zones, strict=True))
        ]

    def _ways_out(self, public: Sequence[aws.ec2.Subnet]) -> list[aws.ec2.NatGateway]:
        """Declare the internet gateway, the public route and the NAT gateways."""
        internet = aws.ec2.InternetGateway(
            self._name, vpc_id=self._vpc.id, tags={"Name": self._name}, opts=self._here
        )
        table = self._table("public", public)
        aws.ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=internet.id,
            opts=self._here,
        )
        gateways = []
        for number, subnet in enumerate(public if self._args.nat_per_zone else public[:1]):
            name = f"{self._name}-nat-{number}"
            address = aws.ec2.Eip(name, domain="vpc", tags={"Name": name}, opts=self._here)
            gateways.append(
                aws.ec2.NatGateway(
                    name,
                    allocation_id=address.id,
                    subnet_id=subnet.id,
                    tags={"Name": name},
                    opts=self._args.site.options(
                        self, pulumi.ResourceOptions(depends_on=[internet])
                    ),
                )
            )
        return gateways

    def _private_tables(
        self, private: Sequence[aws.ec2.Subnet], gateways: Sequence[aws.ec2.NatGateway]
    ) -> list[aws.ec2.RouteTable]:
        """Declare a table for each zone, routed through its own NAT gateway if it has one."""
        tables = []
        for number, subnet in enumerate(private):
            table = self._table(f"private-{number}", [subnet])
            aws.ec2.Route(
                f"{self._name}-private-{number}-nat",
                route_table_id=table.id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways[number % len(gateways)].id,
                opts=self._here,
            )
            tables.append(table)
        return tables

    def _table(self, tier: str, subnets: Sequence[aws.ec2.Subnet]) -> aws.ec2.RouteTable:
        name = f"{self._name}-{tier}"
        table = aws.ec2.RouteTable(name, vpc_id=self._vpc.id, tags={"Name": name}, opts=self._here)
        for number, subnet in enumerate(subnets):
            aws.ec2.RouteTableAssociation(
                f"{name}-{number}", route_table_id=table.id, subnet_id=subnet.id, opts=self._here
            )
        return table

    def _endpoints(
        self, private: Sequence[aws.ec2.Subnet], tables: Sequence[aws.ec2.RouteTable]
    ) -> None:
        """Declare the same endpoints in every Region; otherwise a standby boots but cannot work."""
        region = self._args.site.region
        for service in GATEWAY_SERVICES:
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service}",
                vpc_id=self._vpc.id,
                service_name=f"com.amazonaws.{region}.{service}",
                vpc_endpoint_type="Gateway",
                route_table_ids=[table.id for table in tables],
                tags={"Name": f"{self._name}-{service}"},
                opts=self._here,
            )
        if not self._args.interface_endpoints:
            return
        name = f"{self._name}-endpoints"
        group = aws.ec2.SecurityGroup(
            name,
            vpc_id=self._vpc.id,
            description="Private endpoints of AWS APIs",
            tags={"Name": name},
            opts=self._here,
        )
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=group.id,
            description="HTTPS from inside",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=self._args.cidr,
            opts=self._here,
        )
        for service in INTERFACE_SERVICES:
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service}",
                vpc_id=self._vpc.id,
                service_name=f"com.amazonaws.{region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in private],
                security_group_ids=[group.id],
                tags={"Name": f"{self._name}-{service}"},
                opts=self._here,
            )

    def _flow_log(self) -> None:
        name = f"{self._name}-flow-log"
        logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/otherside/{self._name}/flow-log",
            retention_in_days=self._args.flow_log_days,
            kms_key_id=self._args.logs_key_arn,
            opts=self._here,
        )
        site = self._args.site
        source = {"StringEquals": {"aws:SourceAccount": site.account}}
        role = aws.iam.Role(
            name,
            assume_role_policy=trust("vpc-flow-logs.amazonaws.com", when=source),
            opts=self._here,
        )
        policy = aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=document(
                allow(
                    "Write",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    [logs.arn, pulumi.Output.concat(logs.arn, ":*")],
                ),
                allow("Find", ["logs:DescribeLogGroups"], site.arn("logs", "log-group:*")),
            ),
            opts=self._here,
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=self._vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags={"Name": name},
            opts=site.options(self, pulumi.ResourceOptions(depends_on=[policy])),
        )


def first_zones(names: Sequence[str], args: RegionalNetworkArgs) -> list[str]:
    """Return the first zones, as many as the configuration asks for.

    Raises:
        ValueError: If the Region offers this account fewer zones.
    """
    if len(names) < args.zones:
        msg = f"{args.site.region} offers {len(names)} zones; network.zones asks for {args.zones}"
        raise ValueError(msg)
    return list(names[: args.zones])
