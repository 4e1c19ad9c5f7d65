"""An Aurora PostgreSQL database in two Regions."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.iam_policies import trust
from otherside.components.network import Vpc
from otherside.components.plan import parameter_family
from otherside.components.secrets import MASTER_USERNAME
from otherside.components.sites import GLOBAL, Site
from otherside.core.topology import Database

ENGINE = aws.rds.EngineType.AURORA_POSTGRESQL
PORT = 5432
MONITORING_S = 30
SLOW_STATEMENT_MS = 1000

# Properties that a later `pulumi up` must leave alone, because a failover changes them. After one,
# the primary side is a reader: "correcting" these during an incident can detach a cluster.
CLUSTER_DRIFT = ["globalClusterIdentifier", "replicationSourceIdentifier", "engineVersion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberArgs:
    """One side of the database."""

    site: Site
    vpc: Vpc
    instances: int
    """1 or more: a member without an instance cannot be promoted."""
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicatedDatabaseArgs:
    """Settings of the database and of its two sides."""

    application: str
    design: Database
    primary: MemberArgs
    standby: MemberArgs
    master_password: pulumi.Input[str]
    log_days: int = 90
    backup_days: int = 14
    protect: bool = True

    def __post_init__(self) -> None:
        """Refuse a database with a side that could not be promoted.

        Raises:
            ValueError: If a side has no instance, or both sides are in one Region.
        """
        if self.primary.site.region == self.standby.site.region:
            msg = f"primary and standby are both in {self.primary.site.region}"
            raise ValueError(msg)
        if min(self.primary.instances, self.standby.instances) < 1:
            msg = "each side needs an instance; a side without one cannot be promoted"
            raise ValueError(msg)


class ReplicatedDatabase(pulumi.ComponentResource):
    """An Aurora global database: one writer, one standby in the second Region."""

    global_cluster_id: pulumi.Output[str]
    global_cluster_arn: pulumi.Output[str]
    writer_endpoint: pulumi.Output[str]
    """Resolves to whichever side holds the writer."""
    primary: "Member"
    standby: "Member"

    def __init__(
        self, name: str, args: ReplicatedDatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the global cluster and its two members."""
        super().__init__("otherside:index:ReplicatedDatabase", name, None, opts)
        whole = aws.rds.GlobalCluster(
            name,
            global_cluster_identifier=args.application,
            engine=ENGINE,
            engine_version=args.design.engine_version,
            database_name=args.design.name,
            storage_encrypted=True,
            tags=GLOBAL,
            deletion_protection=args.protect,
            force_destroy=not args.protect,
            opts=args.primary.site.options(self, pulumi.ResourceOptions(protect=args.protect)),
        )
        self.primary = Member(f"{name}-primary", args, args.primary, args.standby.vpc, self)
        self.standby = Member(f"{name}-standby", args, args.standby, args.primary.vpc, self)
        first = self.primary.declare(whole, follows=None)
        self.standby.declare(whole, follows=(args.primary.site.region, first))
        self.global_cluster_id = whole.id
        self.global_cluster_arn = whole.arn
        self.writer_endpoint = whole.endpoint
        self.register_outputs(
            {"writer_endpoint": self.writer_endpoint, "global_cluster_id": self.global_cluster_id}
        )


class Member:
    """One side's cluster, its instances and their security groups."""

    arn: pulumi.Output[str]
    identifier: str
    resource_id: pulumi.Output[str]
    """The cluster's identifier in IAM database authentication."""
    endpoint: pulumi.Output[str]
    """Resolves to the writer while it is on this side, and to nothing otherwise."""
    reader_endpoint: pulumi.Output[str]
    client_security_group_id: pulumi.Output[str]
    """Instances in this group may connect, to the other side as well."""
    subnet_group_name: pulumi.Output[str]
    security_group_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: ReplicatedDatabaseArgs,
        member: MemberArgs,
        peer: Vpc,
        parent: pulumi.Resource,
    ) -> None:
        """Declare the cluster's prerequisites: groups, parameters, logs."""
        self._name, self._args, self._member, self._parent = name, args, member, parent
        self._here = member.site.options(parent)
        self.identifier = f"{args.application}-{member.site.region}"
        self._security(peer)
        self._subnets = aws.rds.SubnetGroup(
            name,
            name=self.identifier,
            description=f"{args.application}: isolated subnets",
            subnet_ids=list(member.vpc.database_subnet_ids),
            opts=self._here,
        )
        self.subnet_group_name = self._subnets.name
        self._parameters = self._parameter_group()
        self._logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/rds/cluster/{self.identifier}/postgresql",
            retention_in_days=args.log_days,
            kms_key_id=member.logs_key_arn,
            opts=self._here,
        )

    def declare(
        self, whole: aws.rds.GlobalCluster, *, follows: tuple[str, pulumi.Resource] | None
    ) -> pulumi.Resource:
        """Declare the cluster and its instances; return the first instance.

        For the side that replicates, `follows` is the writer's Region and first instance: a
        secondary can be created only once the primary has an instance.
        """
        args, member = self._args, self._member
        first = follows is None
        serverless = args.design.serverless
        cluster = aws.rds.Cluster(
            self._name,
            cluster_identifier=self.identifier,
            global_cluster_identifier=whole.id,
            engine=ENGINE,
            engine_version=args.design.engine_version,
            database_name=args.design.name if first else None,
            master_username=MASTER_USERNAME if first else None,
            master_password_wo=args.master_password if first else None,
            master_password_wo_version=1 if first else None,
            source_region=follows[0] if follows else None,
            storage_encrypted=True,
            kms_key_id=member.data_key_arn,
            port=PORT,
            db_subnet_group_name=self._subnets.name,
            vpc_security_group_ids=[self.security_group_id],
            db_cluster_parameter_group_name=self._parameters.name,
            backup_retention_period=args.backup_days,
            copy_tags_to_snapshot=True,
            # Retained backups outlive their cluster, but a trial's key does not outlive them.
            delete_automated_backups=not args.protect,
            enabled_cloudwatch_logs_exports=["postgresql"],
            iam_database_authentication_enabled=True,
            serverlessv2_scaling_configuration=(
                aws.rds.ClusterServerlessv2ScalingConfigurationArgs(
                    min_capacity=serverless.min_acu, max_capacity=serverless.max_acu
                )
                if serverless
                else None
            ),
            deletion_protection=args.protect,
            skip_final_snapshot=not args.protect,
            final_snapshot_identifier=f"{self.identifier}-final" if args.protect else None,
            apply_immediately=False,
            opts=member.site.options(
                self._parent,
                pulumi.ResourceOptions(
                    protect=args.protect,
                    delete_before_replace=False,
                    # First, or Aurora creates the log group: unencrypted and without expiry.
                    depends_on=[self._logs, *([follows[1]] if follows else [])],
                    ignore_changes=[
                        *CLUSTER_DRIFT,
                        *(["masterPasswordWo"] if first else ["masterUsername", "databaseName"]),
                    ],
                ),
            ),
        )
        self.arn, self.resource_id = cluster.arn, cluster.cluster_resource_id
        self.endpoint, self.reader_endpoint = cluster.endpoint, cluster.reader_endpoint
        return self._instances(cluster)

    def _instances(self, cluster: aws.rds.Cluster) -> pulumi.Resource:
        args, member = self._args, self._member
        role = aws.iam.Role(
            f"{self._name}-monitoring",
            assume_role_policy=trust("monitoring.rds.amazonaws.com"),
            opts=self._here,
        )
        attached = aws.iam.RolePolicyAttachment(
            f"{self._name}-monitoring",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
            opts=self._here,
        )
        instances = [
            aws.rds.ClusterInstance(
                f"{self._name}-{number}",
                identifier=f"{self.identifier}-{number}",
                cluster_identifier=cluster.id,
                engine=ENGINE,
                engine_version=args.design.engine_version,
                instance_class=args.design.instance_class,
                promotion_tier=min(number, 1),
                publicly_accessible=False,
                auto_minor_version_upgrade=False,  # members ignore it; upgrades are global
                performance_insights_enabled=True,
                performance_insights_kms_key_id=member.data_key_arn,
                monitoring_interval=MONITORING_S,
                monitoring_role_arn=role.arn,
                copy_tags_to_snapshot=True,
                opts=member.site.options(
                    self._parent,
                    pulumi.ResourceOptions(depends_on=[attached], ignore_changes=["engineVersion"]),
                ),
            )
            for number in range(member.instances)
        ]
        return instances[0]

    def _security(self, peer: Vpc) -> None:
        """Declare two security groups: one for clients, and one for the database.

        A rule cannot name a group of another Region, so the other side's application is admitted
        by its private subnets.
        """
        vpc = self._member.vpc
        clients = self._group("clients", "May connect to the database on either side")
        database = self._group("database", "Lets the application in, from either side")
        self.client_security_group_id = clients.id
        self.security_group_id = database.id
        self._ingress(database, "clients", "The application on this side", client=clients)
        for number, cidr in enumerate(peer.private_cidrs):
            self._ingress(
                database, f"peer-{number}", "The application on the other side", cidr=cidr
            )
        for number, cidr in enumerate((*vpc.database_cidrs, *peer.database_cidrs)):
            aws.vpc.SecurityGroupEgressRule(
                f"{self._name}-clients-{number}",
                security_group_id=clients.id,
                description="The database, on either side",
                ip_protocol="tcp",
                from_port=PORT,
                to_port=PORT,
                cidr_ipv4=cidr,
                opts=self._here,
            )

    def _group(self, role: str, description: str) -> aws.ec2.SecurityGroup:
        name = f"{self._name}-{role}"
        return aws.ec2.SecurityGroup(
            name,
            vpc_id=self._member.vpc.vpc_id,
            description=description,
            tags={"Name": name},
            opts=self._here,
        )

    def _ingress(
        self,
        group: aws.ec2.SecurityGroup,
        name: str,
        description: str,
        *,
        cidr: str | None = None,
        client: aws.ec2.SecurityGroup | None = None,
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{name}",
            security_group_id=group.id,
            description=description,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            cidr_ipv4=cidr,
            referenced_security_group_id=client.id if client else None,
            opts=self._here,
        )

    def _parameter_group(self) -> aws.rds.ClusterParameterGroup:
        """Declare this side's parameters: the same on both sides, except for the enforced lag.

        `rds.global_db_rpo` stays at its default on the standby. If it were set there, the new
        primary would have no standby within the limit after a promotion and would block every
        commit.
        """
        design = self._args.design
        values = {
            "log_min_duration_statement": str(SLOW_STATEMENT_MS),
            "log_lock_waits": "1",
            "rds.force_ssl": "1",
        }
        if design.global_db_rpo_s is not None and self._member is self._args.primary:
            values["rds.global_db_rpo"] = str(design.global_db_rpo_s)
        family = parameter_family(design.engine_version)
        return aws.rds.ClusterParameterGroup(
            self._name,
            # A family cannot be changed, and a group in use cannot be deleted first: the next
            # major version's group exists beside this one until the cluster has moved to it.
            name=f"{self.identifier}-pg{family.rpartition('postgresql')[2]}",
            family=family,
            description=f"{self._args.application} in {self._member.site.region}",
            parameters=[
                aws.rds.ClusterParameterGroupParameterArgs(
                    name=name, value=value, apply_method="immediate"
                )
                for name, value in values.items()
            ],
            opts=self._here,
        )
