"""The public name: its zone, and a certificate for it in each Region."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.sites import GLOBAL, Site, Sites
from otherside.core.topology import Pair, Protocol, Side, Traffic

EXPIRY_DAYS = 21
"""ACM renews 60 days before expiry; a certificate not renewed at 21 days needs a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainArgs:
    """The public name and the Regions that serve it."""

    sites: Sites
    design: Traffic
    topic_arns: Pair[pulumi.Input[str]]
    """Topics for certificates that expire soon, which Route 53's checks never detect."""
    protect: bool = True


class Domain(pulumi.ComponentResource):
    """The public name: a hosted zone for its records, and certificates where they are needed.

    Load balancers accept only certificates of their own Region, so there are two of them.
    """

    zone_id: pulumi.Input[str]
    name_servers: pulumi.Output[str] | None = None
    """Name servers that the parent zone must delegate to, if the zone was created here. Delegate
    first, because a certificate is issued only once the name resolves."""
    certificate_arns: Pair[pulumi.Input[str] | None]

    def __init__(
        self, name: str, args: DomainArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the zone and the certificates, unless existing ones are given."""
        super().__init__("otherside:index:Domain", name, None, opts)
        self._name, self._args = name, args
        given = args.design.certificate_arns
        self.zone_id = args.design.zone_id or self._zone()
        if args.design.protocol is Protocol.HTTP:
            self.certificate_arns = Pair(primary=None, standby=None)
        elif given is not None:
            self.certificate_arns = Pair(primary=given.primary, standby=given.standby)
        else:
            self.certificate_arns = self._certificates()
        for side in Side:
            self._watch(side, self.certificate_arns.on(side))
        self.register_outputs({"zone_id": self.zone_id})

    def _zone(self) -> pulumi.Output[str]:
        zone = aws.route53.Zone(
            self._name,
            name=self._args.design.domain,
            comment="Made by otherside",
            tags=GLOBAL,
            force_destroy=not self._args.protect,
            # If us-east-1 is lost, record edits work again within the hour. Recovery needs none.
            enable_accelerated_recovery=True,
            opts=self._args.sites.control.options(
                self, pulumi.ResourceOptions(protect=self._args.protect)
            ),
        )
        self.name_servers = zone.name_servers.apply(" ".join)
        return zone.zone_id

    def _certificates(self) -> Pair[pulumi.Input[str] | None]:
        """Request a certificate in each Region; one record validates both."""
        requested = {
            side: aws.acm.Certificate(
                f"{self._name}-{side}",
                domain_name=self._args.design.domain,
                validation_method="DNS",
                opts=self._site(side).options(self),
            )
            for side in Side
        }
        proof = requested[Side.PRIMARY].domain_validation_options[0]
        record = aws.route53.Record(
            f"{self._name}-validation",
            zone_id=self.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type.apply(aws.route53.RecordType),
            records=[proof.resource_record_value],
            ttl=60,
            allow_overwrite=True,
            opts=self._args.sites.control.options(self),
        )
        validated = {
            side: aws.acm.CertificateValidation(
                f"{self._name}-{side}",
                certificate_arn=certificate.arn,
                validation_record_fqdns=[record.fqdn],
                opts=self._site(side).options(self),
            ).certificate_arn
            for side, certificate in requested.items()
        }
        return Pair(primary=validated[Side.PRIMARY], standby=validated[Side.STANDBY])

    def _watch(self, side: Side, certificate_arn: pulumi.Input[str] | None) -> None:
        if certificate_arn is None:
            return
        topic = self._args.topic_arns.on(side)
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{side}-expiry",
            alarm_description=f"The {side}'s certificate expires soon.",
            namespace="AWS/CertificateManager",
            metric_name="DaysToExpiry",
            dimensions={"CertificateArn": certificate_arn},
            statistic="Minimum",
            period=24 * 3600,
            evaluation_periods=1,
            threshold=EXPIRY_DAYS,
            comparison_operator="LessThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[topic],
            opts=self._site(side).options(self),
        )

    def _site(self, side: Side) -> Site:
        return self._args.sites.on(side)
