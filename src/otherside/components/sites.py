"""The sites of an application: each Region with its one provider, created once and shared."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from otherside.core.topology import Side, Topology
from otherside.regions import CONTROL_REGION

ROLE_TAG, GLOBAL_ROLE = "DR-Role", "global"
"""A resource's role in recovery: `primary`, `standby`, `witness`, or `global`."""
GLOBAL = {ROLE_TAG: GLOBAL_ROLE}
"""Tags of resources that belong to no side, whichever Region's provider creates them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One Region, its provider and the provider's account."""

    region: str
    provider: aws.Provider
    account: pulumi.Input[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    """The provider's default tags, for resources that they do not reach."""

    def options(
        self, parent: pulumi.Resource, options: pulumi.ResourceOptions | None = None
    ) -> pulumi.ResourceOptions:
        """Return options that place a resource in this Region, under its parent."""
        here = pulumi.ResourceOptions(parent=parent, provider=self.provider)
        return pulumi.ResourceOptions.merge(here, options) if options else here

    def look_up(self) -> pulumi.InvokeOptions:
        """Return options that query a data source in this Region."""
        return pulumi.InvokeOptions(provider=self.provider)

    def arn(self, service: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
        """Return the ARN of a resource in this Region: `arn("sqs", "orders")`."""
        return pulumi.Output.concat(
            f"arn:aws:{service}:{self.region}:", self.account, ":", resource
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The sites of one application."""

    primary: Site
    standby: Site
    witness: Site
    """A third vantage point, for what cannot be observed from inside the pair."""
    control: Site
    """The Region of Route 53's and IAM's control planes. It may be one of the others."""

    def on(self, side: Side) -> Site:
        """Return the site of one side."""
        return self.primary if side is Side.PRIMARY else self.standby

    @property
    def watched(self) -> tuple[Site, ...]:
        """Every site that sends events to the orchestrator, once each: all but the witness's."""
        told = (self.primary, self.standby, self.control)
        return tuple({item.region: item for item in told}.values())

    @property
    def distinct(self) -> tuple[Site, ...]:
        """Every site, once each."""
        return tuple(
            {
                item.region: item
                for item in (self.primary, self.standby, self.witness, self.control)
            }.values()
        )


def connect(topology: Topology) -> Sites:
    """Create an application's providers, one for each Region, for all components to share.

    No other provider exists: a second one for the same Region would be a second source of truth
    about where resources are.
    """
    regions = topology.regions
    tags = {
        **topology.tags,
        "Application": topology.name,
        "Environment": topology.environment,
        "ManagedBy": "otherside",
    }
    names = {
        regions.primary: "primary",
        regions.standby: "standby",
        regions.witness: "witness",
    }
    sites: dict[str, Site] = {}
    account: pulumi.Input[str] | None = topology.account
    for region in (regions.primary, regions.standby, regions.witness, CONTROL_REGION):
        if region in sites:
            continue
        told = {**tags, ROLE_TAG: names.get(region, GLOBAL_ROLE)}
        provider = aws.Provider(
            names.get(region, "control"),
            region=region,
            allowed_account_ids=[topology.account] if topology.account else None,
            default_tags=aws.ProviderDefaultTagsArgs(tags=told),
        )
        if account is None:
            whoami = pulumi.InvokeOptions(provider=provider)
            account = aws.get_caller_identity_output(opts=whoami).account_id
        sites[region] = Site(region=region, provider=provider, account=account, tags=told)
    return Sites(
        primary=sites[regions.primary],
        standby=sites[regions.standby],
        witness=sites[regions.witness],
        control=sites[CONTROL_REGION],
    )
