"""Create a Pulumi program's AWS Backup resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _vault(creation: ResourceCreation) -> str:
    name = creation.name()
    made = creation.call(
        "backup",
        "CreateBackupVault",
        rename={"kmsKeyArn": "EncryptionKeyArn"},
        drop=("name", "forceDestroy"),
        BackupVaultTags=creation.tags,
        BackupVaultName=name,
    )
    creation.outputs |= {"arn": made["BackupVaultArn"], "name": name}
    return name


def _vault_lock(creation: ResourceCreation) -> str:
    creation.call("backup", "PutBackupVaultLockConfiguration")
    return str(creation.inputs["backupVaultName"])


def _vault_notifications(creation: ResourceCreation) -> str:
    creation.call(
        "backup",
        "PutBackupVaultNotifications",
        rename={"snsTopicArn": "SNSTopicArn", "backupVaultEvents": "BackupVaultEvents"},
    )
    return str(creation.inputs["backupVaultName"])


def _plan(creation: ResourceCreation) -> str:
    name = creation.name()
    creation.inputs = {"backupPlan": {"backupPlanName": name, "rules": creation.inputs["rules"]}}
    made = creation.call(
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
        BackupPlanTags=creation.tags,
    )
    creation.outputs |= {
        "arn": made["BackupPlanArn"],
        "name": name,
        "version": made["VersionId"],
    }
    return str(made["BackupPlanId"])


def _selection(creation: ResourceCreation) -> str:
    inputs = creation.inputs
    plan = inputs["planId"]
    creation.inputs = {
        "backupPlanId": plan,
        "backupSelection": {
            "selectionName": creation.name(),
            **{key: inputs[key] for key in ("iamRoleArn", "resources") if key in inputs},
        },
    }
    return str(creation.call("backup", "CreateBackupSelection")["SelectionId"])


def _region_settings(creation: ResourceCreation) -> str:
    creation.call("backup", "UpdateRegionSettings")
    return creation.region


def _restore_plan(creation: ResourceCreation) -> str:
    name = creation.name()
    creation.inputs = {
        "restoreTestingPlan": {**creation.inputs, "restoreTestingPlanName": name},
    }
    made = creation.call(
        "backup",
        "CreateRestoreTestingPlan",
        drop=("restoreTestingPlan.name", "restoreTestingPlan.tags", "restoreTestingPlan.region"),
    )
    creation.outputs |= {"arn": made["RestoreTestingPlanArn"], "name": name}
    return name


def _restore_selection(creation: ResourceCreation) -> str:
    plan, name = creation.inputs["restoreTestingPlanName"], creation.name()
    inside = {
        key: value
        for key, value in creation.inputs.items()
        if key not in {"name", "restoreTestingPlanName", "region", "tags"}
    }
    creation.inputs = {
        "restoreTestingPlanName": plan,
        "restoreTestingSelection": {**inside, "restoreTestingSelectionName": name},
    }
    creation.call("backup", "CreateRestoreTestingSelection")
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
