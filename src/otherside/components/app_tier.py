"""The application in one Region: a load balancer, a group of instances and their permissions."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from otherside.components.boot import application_files, boot_script, release_digest
from otherside.components.bucket import PrivateBucket, PrivateBucketArgs
from otherside.components.iam_policies import Statement, allow, document, trust
from otherside.components.network import ANYWHERE, Vpc
from otherside.components.plan import LOAD_BALANCER_ACCOUNTS, app_image_parameter, fit
from otherside.components.sites import Site
from otherside.core.topology import Capacity, Compute, Protocol

LOAD_BALANCER_NAME_MAX = 32
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3: Route 53's checkers may not support 1.3, so a 1.3-only policy fails them."""
DRAIN_S = 30
GRACE_S = 180
ACCESS_LOG_DAYS = 90
VOLUME_GB = 20
CAPACITY_TIMEOUT = "15m"
CPU_PERCENT = 60.0
"""CPU load at which a group scales out, up to its maximum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTierArgs:
    """One side's application."""

    site: Site
    application: str
    """Prefix of physical names."""
    vpc: Vpc
    design: Compute
    capacity: Capacity
    image_id: pulumi.Input[str] | None = None
    """`None` uses the Region's newest Amazon Linux 2023: an image belongs to one Region."""
    protocol: Protocol
    certificate_arn: pulumi.Input[str] | None = None
    """A certificate of this Region; required with HTTPS."""
    settings: Mapping[str, pulumi.Input[str]]
    """The application's environment variables. They hold no secrets, only where to find them."""
    statements: Sequence[Statement]
    """What an instance's role may do, in addition to fetching the application and being managed."""
    security_group_ids: Sequence[pulumi.Input[str]] = ()
    """Groups of the instances in addition to their own, such as the database's clients."""
    volume_key_arn: pulumi.Input[str]
    bucket_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_days: int = 90
    protect: bool = True
    after: Sequence[pulumi.Resource] = ()
    """Resources that must exist before the instances: the other side's, so that both sides never
    change at once."""

    def __post_init__(self) -> None:
        """Refuse HTTPS without a certificate.

        Raises:
            ValueError: If the protocol is HTTPS and there is no certificate.
        """
        if self.protocol is Protocol.HTTPS and self.certificate_arn is None:
            msg = "HTTPS needs a certificate of this Region"
            raise ValueError(msg)


class AppTier(pulumi.ComponentResource):
    """The application in one Region, behind a load balancer."""

    dns_name: pulumi.Output[str]
    """The load balancer's own name."""
    zone_id: pulumi.Output[str]
    """The hosted zone of that name, for alias records."""
    load_balancer_suffix: pulumi.Output[str]
    target_group_suffix: pulumi.Output[str]
    """With the one above, what metrics identify the two by: the end of the ARN, not the ARN."""
    group_name: pulumi.Output[str]
    group_arn: pulumi.Output[str]
    group: aws.autoscaling.Group

    def __init__(
        self, name: str, args: AppTierArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the load balancer and the instances."""
        super().__init__("otherside:index:AppTier", name, None, opts)
        self._name, self._args, self._here = name, args, args.site.options(self)
        self._logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/otherside/{name}/instances",
            retention_in_days=args.log_days,
            kms_key_id=args.logs_key_arn,
            opts=self._here,
        )
        edge, inside = self._security()
        target = self._load_balancer(edge)
        self._instances(inside, target)
        self.register_outputs({"dns_name": self.dns_name, "group_name": self.group_name})

    def _security(self) -> tuple[aws.ec2.SecurityGroup, aws.ec2.SecurityGroup]:
        """Declare the groups: anyone may reach the load balancer, only it the instances."""
        port = self._args.design.port
        edge = self._group("edge", "The public load balancer")
        inside = self._group("inside", "Instances of the application")
        https = self._args.protocol is Protocol.HTTPS
        for number in (80, 443) if https else (80,):
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-edge-{number}",
                security_group_id=edge.id,
                description="Users, and the health checkers of Route 53",
                ip_protocol="tcp",
                from_port=number,
                to_port=number,
                cidr_ipv4=ANYWHERE,
                opts=self._here,
            )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-edge-inside",
            security_group_id=edge.id,
            description="The application",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            referenced_security_group_id=inside.id,
            opts=self._here,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-inside-edge",
            security_group_id=inside.id,
            description="The load balancer",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            referenced_security_group_id=edge.id,
            opts=self._here,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-inside-https",
            security_group_id=inside.id,
            description="AWS APIs and packages",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=ANYWHERE,
            opts=self._here,
        )
        return edge, inside

    def _group(self, role: str, description: str) -> aws.ec2.SecurityGroup:
        name = f"{self._name}-{role}"
        return aws.ec2.SecurityGroup(
            name,
            vpc_id=self._args.vpc.vpc_id,
            description=description,
            tags={"Name": name},
            opts=self._here,
        )

    def _load_balancer(self, edge: aws.ec2.SecurityGroup) -> aws.lb.TargetGroup:
        args = self._args
        logs = self._access_logs()
        balancer = aws.lb.LoadBalancer(
            self._name,
            name=fit(self._name, LOAD_BALANCER_NAME_MAX),
            load_balancer_type="application",
            internal=False,
            subnets=list(args.vpc.public_subnet_ids),
            security_groups=[edge.id],
            drop_invalid_header_fields=True,
            enable_deletion_protection=args.protect,
            access_logs=aws.lb.LoadBalancerAccessLogsArgs(bucket=logs.name, enabled=True),
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=[logs.policy])),
        )
        target = aws.lb.TargetGroup(
            self._name,
            # A port cannot be changed, and a group that a listener uses cannot be deleted first.
            name=fit(f"{self._name}-{args.design.port}", LOAD_BALANCER_NAME_MAX),
            port=args.design.port,
            protocol="HTTP",
            vpc_id=args.vpc.vpc_id,
            target_type="instance",
            deregistration_delay=DRAIN_S,
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                # Not the readiness path: a failing database would have every instance replaced.
                path=args.design.health_path,
                protocol="HTTP",
                port="traffic-port",
                matcher="200",
                interval=10,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=2,
            ),
            opts=self._here,
        )
        self._listeners(balancer, target)
        self.dns_name, self.zone_id = balancer.dns_name, balancer.zone_id
        self.load_balancer_suffix = balancer.arn_suffix
        self.target_group_suffix = target.arn_suffix
        return target

    def _listeners(self, balancer: aws.lb.LoadBalancer, target: aws.lb.TargetGroup) -> None:
        """Declare the listener that forwards and, with HTTPS, the one that redirects to it."""
        args = self._args
        https = args.protocol is Protocol.HTTPS
        self._listener = aws.lb.Listener(
            f"{self._name}-{args.protocol.port}",
            load_balancer_arn=balancer.arn,
            port=args.protocol.port,
            protocol=args.protocol.upper(),
            certificate_arn=args.certificate_arn if https else None,
            ssl_policy=TLS_POLICY if https else None,
            default_actions=[
                aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=target.arn)
            ],
            opts=self._here,
        )
        if https:
            aws.lb.Listener(
                f"{self._name}-80",  # named by port: without HTTPS, port 80 forwards
                load_balancer_arn=balancer.arn,
                port=80,
                protocol="HTTP",
                default_actions=[
                    aws.lb.ListenerDefaultActionArgs(
                        type="redirect",
                        redirect=aws.lb.ListenerDefaultActionRedirectArgs(
                            port="443", protocol="HTTPS", status_code="HTTP_301"
                        ),
                    )
                ],
                opts=self._here,
            )

    def _access_logs(self) -> PrivateBucket:
        """Declare the bucket for access logs, which must use S3's own key."""
        args = self._args
        name = pulumi.Output.concat(
            f"{args.application}-access-{args.site.region}-", args.site.account
        )
        return PrivateBucket(
            f"{self._name}-access",
            PrivateBucketArgs(
                site=args.site,
                name=name,
                key_arn=None,
                expire_days=ACCESS_LOG_DAYS,
                protect=args.protect,
                writers=[
                    allow(
                        "AccessLogs",
                        ["s3:PutObject"],
                        pulumi.Output.concat(
                            "arn:aws:s3:::", name, "/AWSLogs/", args.site.account, "/*"
                        ),
                        principal=self._log_writer(),
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _log_writer(self) -> dict[str, pulumi.Input[str]]:
        site = self._args.site
        if site.region in LOAD_BALANCER_ACCOUNTS:
            return {"AWS": aws.elb.get_service_account_output(opts=site.look_up()).arn}
        return {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}

    def _instances(self, inside: aws.ec2.SecurityGroup, target: aws.lb.TargetGroup) -> None:
        args = self._args
        template = self._launch_template(inside)
        group = aws.autoscaling.Group(
            self._name,
            min_size=args.capacity.min,
            max_size=args.capacity.max,
            desired_capacity=args.capacity.min,
            vpc_zone_identifiers=list(args.vpc.private_subnet_ids),
            target_group_arns=[target.arn],
            health_check_type="ELB",
            health_check_grace_period=GRACE_S,
            default_instance_warmup=GRACE_S,
            # A deployment succeeds only once each group has its first healthy instances.
            wait_for_capacity_timeout=CAPACITY_TIMEOUT,
            min_elb_capacity=args.capacity.min,
            force_delete=not args.protect,
            launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            instance_refresh=aws.autoscaling.GroupInstanceRefreshArgs(
                strategy="Rolling",
                preferences=aws.autoscaling.GroupInstanceRefreshPreferencesArgs(
                    # The new instance serves before the old one goes, even if there is only one.
                    min_healthy_percentage=100,
                    max_healthy_percentage=200,
                    auto_rollback=True,
                ),
            ),
            tags=[
                aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
                for key, value in {**args.site.tags, "Name": self._name}.items()
            ],
            opts=args.site.options(
                self,
                pulumi.ResourceOptions(
                    # The scaling policy decides what runs, and the orchestrator in a failover: a
                    # later `pulumi up` ends nothing. The minimum is the configuration's; while the
                    # standby serves everyone, the orchestrator raises it again at each tick.
                    ignore_changes=["desiredCapacity"],
                    # An instance boots once, so its permissions must exist first.
                    depends_on=[self._listener, *self._permissions, *args.after],
                ),
            ),
        )
        self.group, self.group_name, self.group_arn = group, group.name, group.arn
        aws.autoscaling.Policy(
            self._name,
            name=f"{self._name}-cpu",
            autoscaling_group_name=group.name,
            policy_type="TargetTrackingScaling",
            estimated_instance_warmup=GRACE_S,
            target_tracking_configuration=aws.autoscaling.PolicyTargetTrackingConfigurationArgs(
                predefined_metric_specification=aws.autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs(
                    predefined_metric_type="ASGAverageCPUUtilization"
                ),
                target_value=CPU_PERCENT,
            ),
            opts=self._here,
        )

    def _launch_template(self, inside: aws.ec2.SecurityGroup) -> aws.ec2.LaunchTemplate:
        args = self._args
        image = args.image_id
        if image is None:
            image = aws.ssm.get_parameter_output(
                name=app_image_parameter(args.design.instance_type), opts=args.site.look_up()
            ).value
        return aws.ec2.LaunchTemplate(
            self._name,
            image_id=image,
            instance_type=args.design.instance_type,
            user_data=self._user_data(),
            update_default_version=True,
            vpc_security_group_ids=[inside.id, *args.security_group_ids],
            iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(
                arn=self._profile().arn
            ),
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            monitoring=aws.ec2.LaunchTemplateMonitoringArgs(enabled=True),
            tag_specifications=[  # a provider's default tags do not reach what a group launches
                aws.ec2.LaunchTemplateTagSpecificationArgs(
                    resource_type=kind, tags={**args.site.tags, "Name": self._name}
                )
                for kind in ("volume", "network-interface")
            ],
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name="/dev/xvda",
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        volume_size=VOLUME_GB,
                        volume_type="gp3",
                        encrypted="true",
                        kms_key_id=args.volume_key_arn,
                        delete_on_termination="true",
                    ),
                )
            ],
            opts=args.site.options(
                self,
                pulumi.ResourceOptions(
                    # The look-up returns the newest image of the day. It counts only once: at each
                    # `pulumi up`, it would roll both Regions for nothing.
                    ignore_changes=[] if args.image_id is not None else ["imageId"]
                ),
            ),
        )

    def _user_data(self) -> pulumi.Output[str]:
        """Upload the application and return the script that installs it, for this Region."""
        args = self._args
        bucket = PrivateBucket(
            f"{self._name}-artefacts",
            PrivateBucketArgs(
                site=args.site,
                name=pulumi.Output.concat(
                    f"{args.application}-artefacts-{args.site.region}-", args.site.account
                ),
                key_arn=args.bucket_key_arn,
                protect=args.protect,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._artefacts_arn = bucket.arn
        directory = Path(args.design.application)
        release = application_files(directory)
        version = release_digest(release)
        code = aws.s3.BucketObjectv2(
            f"{self._name}-application",
            bucket=bucket.name,
            key=f"application-{version}.zip",
            source=pulumi.AssetArchive(
                {name: pulumi.FileAsset(str(file)) for name, file in release.items()}
            ),
            # An instance that boots meanwhile or is rolled back fetches the previous release.
            opts=args.site.options(self, pulumi.ResourceOptions(retain_on_delete=True)),
        )
        settings = {
            **args.settings,
            "AWS_REGION": args.site.region,
            "APP_PORT": str(args.design.port),
            "APP_STATIC_DIRECTORY": "/opt/otherside/static",
            "APP_HEALTH_PATH": args.design.health_path,
            "APP_READINESS_PATH": args.design.readiness_path,
            "APP_WRITE_PATH": args.design.write_path,
            "APP_VERSION": version,
        }

        def render(known: Mapping[str, object]) -> str:
            told = {name: str(known[f"setting_{name}"]) for name in settings}
            terms = {
                "APPLICATION": args.application,
                "REGION": args.site.region,
                "BUCKET": str(known["bucket"]),
                "KEY": str(known["key"]),
                "HEALTH_PATH": args.design.health_path,
                "LOG_GROUP": str(known["logs"]),
            }
            script = boot_script(args.design.user_data, terms, told)
            return base64.b64encode(script.encode()).decode()

        return pulumi.Output.all(
            bucket=bucket.name,
            key=code.key,
            logs=self._logs.name,
            **{f"setting_{name}": value for name, value in settings.items()},
        ).apply(render)

    def _profile(self) -> aws.iam.InstanceProfile:
        """Declare the role and the profile of the instances."""
        args = self._args
        role = aws.iam.Role(
            self._name, assume_role_policy=trust("ec2.amazonaws.com"), opts=self._here
        )
        managed = aws.iam.RolePolicyAttachment(
            f"{self._name}-managed",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
            opts=self._here,
        )
        policy = aws.iam.RolePolicy(
            self._name,
            role=role.name,
            policy=document(
                allow(
                    "WriteLogs",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    [self._logs.arn, pulumi.Output.concat(self._logs.arn, ":*")],
                ),
                allow(
                    "FetchTheApplication",
                    ["s3:GetObject"],
                    pulumi.Output.concat(self._artefacts_arn, "/application-*"),
                ),
                allow("DecryptTheApplication", ["kms:Decrypt"], args.bucket_key_arn),
                *args.statements,
            ),
            opts=self._here,
        )
        self._permissions = [managed, policy]
        return aws.iam.InstanceProfile(self._name, role=role.name, opts=self._here)
