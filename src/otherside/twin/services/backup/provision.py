"""Creates the AWS Backup resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


def _vault(birth: Birth) -> str:
    name = birth.name()
    made = birth.call(
        "backup",
        "CreateBackupVault",
        rename={"kmsKeyArn": "EncryptionKeyArn"},
        drop=("name", "forceDestroy"),
        BackupVaultTags=birth.tags,
        BackupVaultName=name,
    )
    birth.outputs |= {"arn": made["BackupVaultArn"], "name": name}
    return name


def _vault_lock(birth: Birth) -> str:
    birth.call("backup", "PutBackupVaultLockConfiguration")
    return str(birth.inputs["backupVaultName"])


def _vault_notifications(birth: Birth) -> str:
    birth.call(
        "backup",
        "PutBackupVaultNotifications",
        rename={"snsTopicArn": "SNSTopicArn", "backupVaultEvents": "BackupVaultEvents"},
    )
    return str(birth.inputs["backupVaultName"])


def _plan(birth: Birth) -> str:
    name = birth.name()
    birth.inputs = {"backupPlan": {"backupPlanName": name, "rules": birth.inputs["rules"]}}
    made = birth.call(
        "backup",
        "CreateBackupPlan",
        rename={
            "backupPlan.rules.schedule": "ScheduleExpression",
            "backupPlan.rules.targetVaultName": "TargetBackupVaultName",
            "backupPlan.rules.startWindow": "StartWindowMinutes",
            "backupPlan.rules.completionWindow": "CompletionWindowMinutes",
            "backupPlan.rules.lifecycle.deleteAfter": "DeleteAfterDays",
            "backupPlan.rules.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
            "backupPlan.rules.copyActions.destinationVaultArn": "DestinationBackupVaultArn",
            "backupPlan.rules.copyActions.lifecycle.deleteAfter": "DeleteAfterDays",
            "backupPlan.rules.copyActions.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
        },
        BackupPlanTags=birth.tags,
    )
    birth.outputs |= {
        "arn": made["BackupPlanArn"],
        "name": name,
        "version": made["VersionId"],
    }
    return str(made["BackupPlanId"])


def _selection(birth: Birth) -> str:
    inputs = birth.inputs
    plan = inputs["planId"]
    birth.inputs = {
        "backupPlanId": plan,
        "backupSelection": {
            "selectionName": birth.name(),
            **{key: inputs[key] for key in ("iamRoleArn", "resources") if key in inputs},
        },
    }
    return str(birth.call("backup", "CreateBackupSelection")["SelectionId"])


def _region_settings(birth: Birth) -> str:
    birth.call("backup", "UpdateRegionSettings")
    return birth.region


def _restore_plan(birth: Birth) -> str:
    name = birth.name()
    birth.inputs = {
        "restoreTestingPlan": {**birth.inputs, "restoreTestingPlanName": name},
    }
    made = birth.call(
        "backup",
        "CreateRestoreTestingPlan",
        drop=("restoreTestingPlan.name", "restoreTestingPlan.tags", "restoreTestingPlan.region"),
    )
    birth.outputs |= {"arn": made["RestoreTestingPlanArn"], "name": name}
    return name


def _restore_selection(birth: Birth) -> str:
    plan, name = birth.inputs["restoreTestingPlanName"], birth.name()
    inside = {
        key: value
        for key, value in birth.inputs.items()
        if key not in {"name", "restoreTestingPlanName", "region", "tags"}
    }
    birth.inputs = {
        "restoreTestingPlanName": plan,
        "restoreTestingSelection": {**inside, "restoreTestingSelectionName": name},
    }
    birth.call("backup", "CreateRestoreTestingSelection")
    return f"{name}:{plan}"


RESOURCE_TYPES = {
    "backup/plan:Plan": _plan,
    "backup/regionSettings:RegionSettings": _region_settings,
    "backup/restoreTestingPlan:RestoreTestingPlan": _restore_plan,
    "backup/restoreTestingSelection:RestoreTestingSelection": _restore_selection,
    "backup/selection:Selection": _selection,
    "backup/vault:Vault": _vault,
    "backup/vaultLockConfiguration:VaultLockConfiguration": _vault_lock,
    "backup/vaultNotifications:VaultNotifications": _vault_notifications,
}
