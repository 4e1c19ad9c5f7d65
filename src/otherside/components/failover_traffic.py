"""DNS failover: users leave a failed primary, and do not return to it automatically."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.app_tier import AppTier
from otherside.components.sites import GLOBAL, Sites
from otherside.core.topology import Compute, Protocol, Side, Traffic
from otherside.core.wire_contract import (
    FAILOVER_ACTIVE,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    TRAFFIC_STATES,
)

CHECKERS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1", "sa-east-1")
"""Where Route 53 checks from: several continents, so that trouble in one is not mistaken for ours.

A check needs three or more of eight Regions: us-east-1, us-west-1, us-west-2, eu-west-1,
ap-southeast-1, ap-southeast-2, ap-northeast-1, sa-east-1.
"""
CHECK_INTERVAL_S = 10
CHECK_FAILURES = 3
"""With the interval, detects a dead endpoint in 20 to 42 s. Neither can be changed later."""
LATCH_PERIOD_S = 60
STATE_TTL_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverTrafficArgs:
    """The public name and the two tiers that it may resolve to."""

    sites: Sites
    application: str
    design: Traffic
    compute: Compute
    zone_id: pulumi.Input[str]
    primary: AppTier
    standby: AppTier


class FailoverTraffic(pulumi.ComponentResource):
    """A DNS failover pair that health checks drive and a latch holds.

    Route 53 always prefers a healthy primary, so without the latch a primary that recovers would
    attract users to a side whose database is a reader. The latch is a metric that the orchestrator
    publishes in the standby's Region, so moving users needs no call to Route 53's control plane.
    The standby's record deliberately has no health check: with one, a standby that looks unhealthy
    would send users back to a dead primary.
    """

    endpoint_check_id: pulumi.Output[str]
    latch_check_id: pulumi.Output[str]
    """Healthy while users are not held on the standby."""
    primary_check_id: pulumi.Output[str]
    """The health check of the primary's record: the endpoint and the latch combined."""
    standby_check_id: pulumi.Output[str]
    """Monitors the standby; it does not affect routing."""
    latch_alarm_arn: pulumi.Output[str]
    state_name: str
    """A name whose address indicates which side DNS prefers."""

    def __init__(
        self, name: str, args: FailoverTrafficArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the checks and the records."""
        super().__init__("otherside:index:FailoverTraffic", name, None, opts)
        self._name, self._args = name, args
        self._control = args.sites.control.options(self)
        endpoint = self._endpoint_check("primary", args.primary)
        standby = self._endpoint_check("standby", args.standby)
        latch = self._latch_check()
        both = aws.route53.HealthCheck(
            f"{name}-primary-gate",
            type="CALCULATED",
            child_healthchecks=[endpoint.id, latch.id],
            child_health_threshold=2,
            tags={**GLOBAL, "Name": f"{args.application}: primary serves and is not latched"},
            opts=self._control,
        )
        self.endpoint_check_id, self.primary_check_id = endpoint.id, both.id
        self.latch_check_id = latch.id
        self.standby_check_id = standby.id
        self._address("primary", "PRIMARY", args.primary, check=both)
        self._address("standby", "SECONDARY", args.standby, check=None)
        self.state_name = f"state.health.{args.design.domain}"
        self._state(Side.PRIMARY, "PRIMARY", check=both)
        self._state(Side.STANDBY, "SECONDARY", check=None)
        self.register_outputs({"primary_check_id": self.primary_check_id})

    def _endpoint_check(self, side: str, tier: AppTier) -> aws.route53.HealthCheck:
        """Declare a check of the listener that forwards; a redirecting one always looks healthy."""
        https = self._args.design.protocol is Protocol.HTTPS
        return aws.route53.HealthCheck(
            f"{self._name}-{side}-endpoint",
            type="HTTPS" if https else "HTTP",
            fqdn=tier.dns_name,
            port=self._args.design.protocol.port,
            resource_path=self._args.compute.readiness_path,
            request_interval=CHECK_INTERVAL_S,
            failure_threshold=CHECK_FAILURES,
            enable_sni=True if https else None,
            measure_latency=True,
            regions=list(CHECKERS),
            tags={**GLOBAL, "Name": f"{self._args.application}: {side} endpoint"},
            opts=self._control,
        )

    def _latch_check(self) -> aws.route53.HealthCheck:
        """Declare the alarm on the latch metric and the check that follows it.

        The check evaluates the metric, not the alarm's state, and uses the alarm's own setting for
        missing data. Only `missing` keeps the last known status when the standby's Region goes
        silent: `notBreaching` would release the latch, `breaching` would send users to a dead
        standby.
        """
        application = self._args.application
        standby = self._args.sites.standby
        alarm = aws.cloudwatch.MetricAlarm(
            f"{self._name}-latch",
            name=f"{application}-latch",
            alarm_description="The latch holds users on the standby side.",
            namespace=METRIC_NAMESPACE,
            metric_name=FAILOVER_ACTIVE,
            dimensions={METRIC_DIMENSION: application},
            statistic="Maximum",
            period=LATCH_PERIOD_S,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="missing",
            opts=standby.options(self),
        )
        self.latch_alarm_arn = alarm.arn
        return aws.route53.HealthCheck(
            f"{self._name}-latch",
            type="CLOUDWATCH_METRIC",
            cloudwatch_alarm_name=alarm.name,
            cloudwatch_alarm_region=standby.region,
            insufficient_data_health_status="LastKnownStatus",
            # The check copies the alarm's definition once; a change here makes it copy again.
            triggers={"threshold": "1", "period": str(LATCH_PERIOD_S), "missing": "missing"},
            tags={**GLOBAL, "Name": f"{application}: latch"},
            opts=self._control,
        )

    def _address(
        self, side: str, role: str, tier: AppTier, *, check: aws.route53.HealthCheck | None
    ) -> None:
        aws.route53.Record(
            f"{self._name}-{side}",
            zone_id=self._args.zone_id,
            name=self._args.design.domain,
            type=aws.route53.RecordType.A,
            set_identifier=side,
            failover_routing_policies=[aws.route53.RecordFailoverRoutingPolicyArgs(type=role)],
            health_check_id=check.id if check else None,
            aliases=[
                aws.route53.RecordAliasArgs(
                    # The gate alone decides, here and for `state.`: a standby whose targets are
                    # unhealthy for a while must not send users back.
                    name=tier.dns_name,
                    zone_id=tier.zone_id,
                    evaluate_target_health=False,
                )
            ],
            opts=self._control,
        )

    def _state(self, side: Side, role: str, *, check: aws.route53.HealthCheck | None) -> None:
        """Declare a record whose answer is the state of DNS, readable without a control plane."""
        aws.route53.Record(
            f"{self._name}-state-{side}",
            zone_id=self._args.zone_id,
            name=self.state_name,
            type=aws.route53.RecordType.A,
            ttl=STATE_TTL_S,
            records=[TRAFFIC_STATES[side]],
            set_identifier=side,
            failover_routing_policies=[aws.route53.RecordFailoverRoutingPolicyArgs(type=role)],
            health_check_id=check.id if check else None,
            opts=self._control,
        )
