"""Backups on both sides, copied to the other side and restored there as a test."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.iam_policies import allow, document, trust
from otherside.components.sites import Site
from otherside.core.topology import Backup, Pair, Side

LOCK_COOLING_DAYS = 3
"""How long a new compliance lock can still be removed."""
START_WINDOW_MIN = 60
COMPLETION_WINDOW_MIN = 360
MANAGED = "arn:aws:iam::aws:policy"
SERVICE_POLICIES = (
    f"{MANAGED}/service-role/AWSBackupServiceRolePolicyForBackup",
    f"{MANAGED}/service-role/AWSBackupServiceRolePolicyForRestores",
)
OPT_IN = ("Aurora", "DynamoDB")
"""The resource types that this stack backs up. A Region refuses a type that it does not have, and
no other type should be enabled for the whole account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSideArgs:
    """One side of the backups."""

    site: Site
    vault_key_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    resource_arns: Sequence[pulumi.Input[str]]
    """Resources that this side backs up, by ARN: a mistyped tag would silently select nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupsArgs:
    """Both sides, and the settings for restores in the standby's Region."""

    application: str
    design: Backup
    retention_days: int
    primary: BackupSideArgs
    standby: BackupSideArgs
    cluster_arns: Sequence[pulumi.Input[str]]
    """The clusters whose copies are restored as a test."""
    restore_subnet_group: pulumi.Input[str]
    restore_security_group: pulumi.Input[str]
    protect: bool = True


class Backups(pulumi.ComponentResource):
    """A vault and a plan on each side, copies in both directions, and a weekly test restore.

    The test restore runs in the standby's Region. The standby has a plan of its own, because after
    a failover the primary's plan backs up nothing that matters. Backups protect against what
    replication copies, too: deletion, corruption, ransomware.
    """

    vault_arns: Pair[pulumi.Output[str]]

    def __init__(
        self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the vaults, then the plans that copy between them."""
        super().__init__("otherside:index:Backups", name, None, opts)
        self._name, self._args = name, args
        self._sides = Pair(primary=args.primary, standby=args.standby)
        vaults = {side: self._vault(side) for side in Side}
        self.vault_arns = Pair(primary=vaults[Side.PRIMARY].arn, standby=vaults[Side.STANDBY].arn)
        roles = {side: self._role(side) for side in Side}
        for side in Side:
            self._plan(side, vaults[side], vaults[side.other], roles[side])
        schedule = args.design.restore_test_schedule
        if schedule is not None:
            self._restore_test(schedule, vaults[Side.STANDBY], roles[Side.STANDBY])
        self.register_outputs(
            {"primary_vault": self.vault_arns.primary, "standby_vault": self.vault_arns.standby}
        )

    def _here(
        self, side: Side, options: pulumi.ResourceOptions | None = None
    ) -> pulumi.ResourceOptions:
        return self._sides.on(side).site.options(self, options)

    def _vault(self, side: Side) -> aws.backup.Vault:
        """Declare a vault with failure notifications, locked unless it belongs to a trial."""
        args, item = self._args, self._sides.on(side)
        name = f"{self._name}-{side}"
        if args.design.region_settings:
            aws.backup.RegionSettings(
                name,
                resource_type_opt_in_preference=dict.fromkeys(OPT_IN, True),
                # Without this, DynamoDB's own backups are used, which never leave the Region.
                resource_type_management_preference={"DynamoDB": True},
                # The provider reads back every type that the Region has, and would try to remove
                # the others each time; deleting the resource changes nothing in the account.
                opts=self._here(
                    side,
                    pulumi.ResourceOptions(
                        ignore_changes=[
                            "resourceTypeOptInPreference",
                            "resourceTypeManagementPreference",
                        ],
                        retain_on_delete=True,
                    ),
                ),
            )
        keep = pulumi.ResourceOptions(protect=args.protect, retain_on_delete=args.protect)
        vault = aws.backup.Vault(
            name,
            name=f"{args.application}-{item.site.region}",
            kms_key_arn=item.vault_key_arn,
            force_destroy=not args.protect,
            opts=self._here(side, keep),
        )
        if args.protect:
            aws.backup.VaultLockConfiguration(
                name,
                backup_vault_name=vault.name,
                min_retention_days=args.retention_days,
                changeable_for_days=LOCK_COOLING_DAYS if args.design.compliance_lock else None,
                opts=self._here(side),
            )
        aws.backup.VaultNotifications(
            name,
            backup_vault_name=vault.name,
            sns_topic_arn=item.topic_arn,
            backup_vault_events=[
                "BACKUP_JOB_FAILED",
                "COPY_JOB_FAILED",
                "RESTORE_JOB_COMPLETED",
                "S3_BACKUP_OBJECT_FAILED",
            ],
            opts=self._here(side),
        )
        return vault

    def _role(self, side: Side) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        """Declare the role of AWS Backup, which may use the keys on both sides."""
        name, item, there = f"{self._name}-{side}", self._sides.on(side), self._sides.on(side.other)
        account = {"StringEquals": {"aws:SourceAccount": item.site.account}}
        role = aws.iam.Role(
            name,
            assume_role_policy=trust("backup.amazonaws.com", when=account),
            opts=self._here(side),
        )
        ready: list[pulumi.Resource] = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{number}", role=role.name, policy_arn=policy, opts=self._here(side)
            )
            for number, policy in enumerate(SERVICE_POLICIES)
        ]
        keys = [
            *(item.vault_key_arn, item.data_key_arn),
            *(there.vault_key_arn, there.data_key_arn),
        ]
        grants = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        ready.append(
            aws.iam.RolePolicy(
                name,
                role=role.name,
                policy=document(
                    allow(
                        "UseTheKeys",
                        ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                        keys,
                    ),
                    allow("LendTheKeys", ["kms:CreateGrant"], keys, when=grants),
                ),
                opts=self._here(side),
            )
        )
        return role, ready

    def _plan(
        self,
        side: Side,
        vault: aws.backup.Vault,
        other: aws.backup.Vault,
        role: tuple[aws.iam.Role, list[pulumi.Resource]],
    ) -> None:
        args, item, name = self._args, self._sides.on(side), f"{self._name}-{side}"
        plan = aws.backup.Plan(
            name,
            name=f"{args.application}-{item.site.region}",
            rules=[
                aws.backup.PlanRuleArgs(
                    rule_name="scheduled",
                    target_vault_name=vault.name,
                    schedule=args.design.schedule,
                    schedule_expression_timezone="UTC",
                    start_window=START_WINDOW_MIN,
                    completion_window=COMPLETION_WINDOW_MIN,
                    lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=args.retention_days),
                    recovery_point_tags=dict(item.site.tags),
                    copy_actions=[
                        aws.backup.PlanRuleCopyActionArgs(
                            destination_vault_arn=other.arn,
                            lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(
                                delete_after=args.retention_days
                            ),
                        )
                    ],
                )
            ],
            opts=self._here(side),
        )
        aws.backup.Selection(
            name,
            name=f"{args.application}-{item.site.region}",
            plan_id=plan.id,
            iam_role_arn=role[0].arn,
            resources=list(item.resource_arns),
            opts=self._here(side, pulumi.ResourceOptions(depends_on=role[1])),
        )
        aws.cloudwatch.MetricAlarm(
            f"{name}-copies",
            name=f"{args.application}-backup-copies",
            alarm_description="A backup could not be copied to the other side.",
            namespace="AWS/Backup",
            metric_name="NumberOfCopyJobsFailed",
            dimensions={"BackupVaultName": vault.name},
            statistic="Sum",
            period=3600,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[item.topic_arn],
            opts=self._here(side),
        )

    def _restore_test(
        self,
        schedule: str,
        vault: aws.backup.Vault,
        role: tuple[aws.iam.Role, list[pulumi.Resource]],
    ) -> None:
        """Declare the weekly test restore of the newest copy: an untested copy proves nothing."""
        args, name = self._args, f"{self._name}-restore-test"
        plan = aws.backup.RestoreTestingPlan(
            name,
            name=f"{args.application}_restore_test".replace("-", "_"),
            schedule_expression=schedule,
            start_window_hours=4,
            recovery_point_selection=aws.backup.RestoreTestingPlanRecoveryPointSelectionArgs(
                algorithm="LATEST_WITHIN_WINDOW",
                include_vaults=[vault.arn],
                recovery_point_types=["SNAPSHOT"],
                selection_window_days=7,
            ),
            opts=self._here(Side.STANDBY),
        )
        aws.backup.RestoreTestingSelection(
            name,
            name=f"{args.application}_database".replace("-", "_"),
            restore_testing_plan_name=plan.name,
            protected_resource_type="Aurora",
            protected_resource_arns=list(args.cluster_arns),
            iam_role_arn=role[0].arn,
            restore_metadata_overrides={
                "dbsubnetgroupname": args.restore_subnet_group,
                "vpcsecuritygroupids": pulumi.Output.json_dumps([args.restore_security_group]),
            },
            validation_window_hours=1,
            opts=self._here(Side.STANDBY, pulumi.ResourceOptions(depends_on=role[1])),
        )
