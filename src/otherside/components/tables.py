"""DynamoDB tables in two Regions: one for sessions, and one for state, which can hold a lock."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.sites import GLOBAL, Site
from otherside.core.wire_contract import STATE_PARTITION, STATE_SORT

RECOVERY_DAYS = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class TableArgs:
    """Where a table is, and the key that encrypts it in each Region."""

    application: str
    primary: Site
    standby: Site
    primary_key_arn: pulumi.Input[str]
    standby_key_arn: pulumi.Input[str]
    protect: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTableArgs(TableArgs):
    """Table settings, plus the third Region that makes a majority."""

    witness_region: str | None
    """A third Region of the same quorum set; `None` keeps the table in the standby's only."""


class SessionTable(pulumi.ComponentResource):
    """A table that each side writes locally: the last writer wins, within about a second.

    DynamoDB checks conditions only against the local copy, so no item can serve as a lock.
    """

    name: pulumi.Output[str]
    primary_arn: pulumi.Output[str]
    standby_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: TableArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the table and its replica."""
        super().__init__("otherside:index:SessionTable", name, None, opts)
        table = aws.dynamodb.Table(
            name,
            name=f"{args.application}-sessions",
            billing_mode="PAY_PER_REQUEST",
            hash_key="session",
            attributes=[aws.dynamodb.TableAttributeArgs(name="session", type="S")],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name="expires_at", enabled=True),
            tags=GLOBAL,
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            deletion_protection_enabled=args.protect,
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
                enabled=True, recovery_period_in_days=RECOVERY_DAYS
            ),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=args.primary_key_arn
            ),
            replicas=[_replica(args.standby, args.standby_key_arn, args, "EVENTUAL")],
            opts=args.primary.options(self, pulumi.ResourceOptions(protect=args.protect)),
        )
        self.name = table.name
        self.primary_arn = args.primary.arn("dynamodb", pulumi.Output.concat("table/", table.name))
        self.standby_arn = args.standby.arn("dynamodb", pulumi.Output.concat("table/", table.name))
        self.register_outputs({"name": self.name})


class StateTable(pulumi.ComponentResource):
    """The orchestrator's state, held by a majority of three Regions where they can form one.

    Two Regions have seen every write that the table accepts, so an isolated Region cannot commit a
    decision. The table is declared in the standby's Region, so that changing it does not need the
    primary's.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    """The copy in the standby's Region, which the orchestrator uses."""
    primary_arn: pulumi.Output[str]
    """The copy in the primary's Region, which the application there uses. Without a majority of
    three Regions there is no such copy, and this is the standby's."""
    regions: tuple[str, ...]
    """Regions where the table can be read and written."""

    def __init__(
        self, name: str, args: StateTableArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the table, its replica and its witness."""
        super().__init__("otherside:index:StateTable", name, None, opts)
        witness = args.witness_region
        table = aws.dynamodb.Table(
            name,
            name=f"{args.application}-state",
            billing_mode="PAY_PER_REQUEST",
            hash_key=STATE_PARTITION,
            range_key=STATE_SORT,
            tags=GLOBAL,
            attributes=[
                aws.dynamodb.TableAttributeArgs(name=STATE_PARTITION, type="S"),
                aws.dynamodb.TableAttributeArgs(name=STATE_SORT, type="S"),
            ],
            deletion_protection_enabled=args.protect,
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
                enabled=True, recovery_period_in_days=RECOVERY_DAYS
            ),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=args.standby_key_arn
            ),
            replicas=(
                [_replica(args.primary, args.primary_key_arn, args, "STRONG")] if witness else None
            ),
            global_table_witness=(
                aws.dynamodb.TableGlobalTableWitnessArgs(region_name=witness) if witness else None
            ),
            opts=args.standby.options(self, pulumi.ResourceOptions(protect=args.protect)),
        )
        self.name, self.arn = table.name, table.arn
        copy = args.primary.arn("dynamodb", pulumi.Output.concat("table/", table.name))
        self.primary_arn = copy if witness else table.arn
        self.regions = (
            (args.primary.region, args.standby.region) if witness else (args.standby.region,)
        )
        self.register_outputs({"name": self.name})


def _replica(
    site: Site, key_arn: pulumi.Input[str], args: TableArgs, consistency: str
) -> aws.dynamodb.TableReplicaArgs:
    """Return a replica with the settings that it does not inherit: key, recovery, tags."""
    return aws.dynamodb.TableReplicaArgs(
        region_name=site.region,
        kms_key_arn=key_arn,
        consistency_mode=consistency,
        point_in_time_recovery=True,
        deletion_protection_enabled=args.protect,
        propagate_tags=True,
    )
