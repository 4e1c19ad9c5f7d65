"""AWS Backup's jobs, which moto lacks: backups, copies and restores, each of which can fail.

https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.services.backup.settings import BackupSettingsProvider
from otherside.twin.services.base import ServiceProvider, api_error, operation

SERVICE = "backup.amazonaws.com"
KINDS: Mapping[str, str] = {"rds": "Aurora", "dynamodb": "DynamoDB", "s3": "S3", "ec2": "EBS"}


@dataclass(slots=True, kw_only=True)
class Job:
    """One backup or copy job."""

    identifier: str
    region: str
    source: str
    """The ARN of the resource that is backed up, or of the recovery point that is copied."""
    vault: str
    """The ARN of the vault that receives the recovery point."""
    role: str
    state: str = "CREATED"
    message: str = ""
    point: str = ""
    created_s: float = 0.0
    completed_s: float | None = None


@dataclass(slots=True, kw_only=True)
class RecoveryPoint:
    """One recovery point."""

    arn: str
    vault: str
    resource: str
    created_s: float
    delete_after_days: int | None = None
    content: Any = None
    """What the source's engine returned, or `None` if the twin stores no content of its kind."""


class Contents(Protocol):
    """The engine that holds the data of a backup and can create it again from the backup."""

    async def snapshot(self, arn: str) -> Any:  # noqa: ANN401 - an engine's own
        """Return a resource's current content, or `None` if the twin stores none of its kind."""

    async def restore(self, region: str, content: Any, metadata: Mapping[str, str]) -> str:  # noqa: ANN401 - as above
        """Create a new resource from stored content; return its ARN."""


@dataclass(slots=True)
class Vault:
    """The state of a vault that moto does not store."""

    points: dict[str, RecoveryPoint] = field(default_factory=dict)
    topic: str = ""
    events: tuple[str, ...] = ()


class BackupProvider(ServiceProvider):
    """Backup jobs, copy jobs, recovery points, selections and notifications."""

    def __init__(
        self,
        context: TwinContext,
        authorizer: Authorizer,
        backup_settings: BackupSettingsProvider,
        emit: Callable[[str, JsonObject], None],
        contents: Contents,
    ) -> None:
        self._context, self._authorizer, self._kept = context, authorizer, backup_settings
        self._emit, self._contents = emit, contents
        self._vaults: dict[str, Vault] = {}
        self._jobs: dict[str, Job] = {}
        self._copies: dict[str, Job] = {}
        self._restores: dict[str, Job] = {}
        self._selections: dict[tuple[str, str], dict[str, JsonObject]] = {}

    @operation("backup", "CreateBackupSelection")
    def create_selection(self, call: ApiCall, params: Params) -> JsonObject:
        """Store what a plan backs up, if AWS Backup can assume its role."""
        plan = params["BackupPlanId"]
        if plan not in moto_backend.backup(self._context.account, call.region).plans:
            raise api_error("InvalidParameterValueException", f"Backup plan {plan} does not exist")
        selection = dict(params["BackupSelection"])
        if not self._authorizer.trusts(selection["IamRoleArn"], SERVICE):
            message = f"IAM Role {selection['IamRoleArn']} cannot be assumed by AWS Backup"
            raise api_error("InvalidParameterValueException", message)
        identifier = str(uuid.uuid4())
        self._selections.setdefault((call.region, plan), {})[identifier] = selection
        return {
            "SelectionId": identifier,
            "BackupPlanId": plan,
            "CreationDate": self._context.now_s,
        }

    @operation("backup", "GetBackupSelection")
    def get_selection(self, call: ApiCall, params: Params) -> JsonObject:
        """Return what a plan backs up."""
        found = self._selections.get((call.region, params["BackupPlanId"]), {})
        if params["SelectionId"] not in found:
            raise api_error("ResourceNotFoundException", "Backup selection not found")
        return {
            "BackupSelection": found[params["SelectionId"]],
            "SelectionId": params["SelectionId"],
            "BackupPlanId": params["BackupPlanId"],
        }

    @operation("backup", "PutBackupVaultNotifications")
    def put_notifications(self, call: ApiCall, params: Params) -> None:
        """Set a vault's notifications: the topic and the events."""
        vault = self._vault(self._vault_arn(call.region, params["BackupVaultName"]))
        vault.topic, vault.events = params["SNSTopicArn"], tuple(params["BackupVaultEvents"])

    @operation("backup", "GetBackupVaultNotifications")
    def get_notifications(self, call: ApiCall, params: Params) -> JsonObject:
        """Return a vault's notifications: the topic and the events."""
        arn = self._vault_arn(call.region, params["BackupVaultName"])
        vault = self._vault(arn)
        return {
            "BackupVaultName": params["BackupVaultName"],
            "BackupVaultArn": arn,
            "SNSTopicArn": vault.topic,
            "BackupVaultEvents": list(vault.events),
        }

    @operation("backup", "StartBackupJob")
    def start_backup(self, call: ApiCall, params: Params) -> JsonObject:
        """Start a backup of one resource."""
        vault = self._vault_arn(call.region, params["BackupVaultName"])
        self._vault(vault)
        job = self._job(call.region, params["ResourceArn"], vault, params["IamRoleArn"])
        self._jobs[job.identifier] = job
        days = (params.get("Lifecycle") or {}).get("DeleteAfterDays")
        self._context.spawn(self._back_up(job, days), name="backup job")
        return {"BackupJobId": job.identifier, "CreationDate": job.created_s}

    @operation("backup", "StartCopyJob")
    def start_copy(self, call: ApiCall, params: Params) -> JsonObject:
        """Start a copy of a recovery point; the job fails if the target vault does not exist."""
        source = self._vault_arn(call.region, params["SourceBackupVaultName"])
        if params["RecoveryPointArn"] not in self._vault(source).points:
            raise api_error("ResourceNotFoundException", "Recovery point not found")
        target = params["DestinationBackupVaultArn"]
        job = self._job(call.region, params["RecoveryPointArn"], target, params["IamRoleArn"])
        self._copies[job.identifier] = job
        self._context.spawn(self._copy(job, source), name="copy job")
        return {"CopyJobId": job.identifier, "CreationDate": job.created_s}

    @operation("backup", "DescribeBackupJob")
    def describe_backup(self, call: ApiCall, params: Params) -> JsonObject:
        """Describe a backup job."""
        job = self._found(self._jobs, call, params["BackupJobId"])
        return {
            "BackupJobId": job.identifier,
            "ResourceArn": job.source,
            "BackupVaultArn": job.vault,
            "State": job.state,
            "StatusMessage": job.message,
            "RecoveryPointArn": job.point or None,
            "CreationDate": job.created_s,
            "CompletionDate": job.completed_s,
        }

    @operation("backup", "StartRestoreJob")
    def start_restore(self, call: ApiCall, params: Params) -> JsonObject:
        """Start to restore a recovery point in this Region to a new resource."""
        point = self.point(params["RecoveryPointArn"])
        if point is None or point.arn.split(":")[3] != call.region:
            raise api_error("ResourceNotFoundException", "Recovery point not found")
        role = params.get("IamRoleArn") or ""
        job = self._job(call.region, point.arn, point.vault, role)
        self._restores[job.identifier] = job
        work = self._restore(job, point, dict(params["Metadata"]))
        self._context.spawn(work, name="restore job")
        return {"RestoreJobId": job.identifier}

    @operation("backup", "DescribeRestoreJob")
    def describe_restore(self, call: ApiCall, params: Params) -> JsonObject:
        """Describe a restore job."""
        return _restore_job(self._found(self._restores, call, params["RestoreJobId"]))

    @operation("backup", "ListRestoreJobs")
    def list_restores(self, call: ApiCall, params: Params) -> JsonObject:
        """List a Region's restore jobs, newest first; of the filters, only the state's is known."""
        further = sorted(params.keys() - {"ByStatus", "MaxResults"})
        if further:
            message = f"the twin lists restore jobs without {', '.join(further)}"
            raise api_error("TwinNotImplemented", message, 501)
        jobs = [_restore_job(job) for job in self._restores.values() if job.region == call.region]
        wanted = params.get("ByStatus")
        found = [job for job in jobs if wanted in {None, job["Status"]}]
        return {"RestoreJobs": sorted(found, key=lambda job: -float(job["CreationDate"]))}

    @operation("backup", "DescribeCopyJob")
    def describe_copy(self, call: ApiCall, params: Params) -> JsonObject:
        """Describe a copy job."""
        return {"CopyJob": self._copy_job(self._found(self._copies, call, params["CopyJobId"]))}

    @operation("backup", "ListCopyJobs")
    def list_copies(self, call: ApiCall, _params: Params) -> JsonObject:
        """List a Region's copy jobs."""
        found = [copy for copy in self._copies.values() if copy.region == call.region]
        return {"CopyJobs": [self._copy_job(copy) for copy in found]}

    @operation("backup", "ListRecoveryPointsByBackupVault")
    def list_points(self, call: ApiCall, params: Params) -> JsonObject:
        """List a vault's recovery points."""
        vault = self._vault(self._vault_arn(call.region, params["BackupVaultName"]))
        return {
            "RecoveryPoints": [
                {
                    "RecoveryPointArn": point.arn,
                    "BackupVaultArn": point.vault,
                    "ResourceArn": point.resource,
                    "Status": "COMPLETED",
                    "CreationDate": point.created_s,
                }
                for point in vault.points.values()
            ]
        }

    def point(self, arn: str) -> RecoveryPoint | None:
        """Return a recovery point by its ARN."""
        for vault in self._vaults.values():
            if arn in vault.points:
                return vault.points[arn]
        return None

    async def _back_up(self, job: Job, days: int | None) -> None:
        job.state = "RUNNING"
        service = job.source.split(":")[2]
        kind = KINDS.get(service)
        problem = None
        if kind is None:
            problem = f"the twin backs up no {service}"
        elif not self._kept.opted_in(job.region, kind):
            problem = f"{kind} is not opted in to AWS Backup in {job.region}"
        elif not self._authorizer.trusts(job.role, SERVICE):
            problem = f"IAM Role {job.role} cannot be assumed by AWS Backup"
        if problem is None:
            try:
                content = await self._contents.snapshot(job.source)
                self._add_point(job, job.source, days, content)
            except Exception as error:  # noqa: BLE001 - as below
                problem = f"{job.source} could not be read: {error}"
        self._finish(job, problem, "Backup Job State Change", "BACKUP_JOB")

    async def _copy(self, job: Job, source_vault: str) -> None:
        """Copy a recovery point, unless one of the problems that AWS names prevents it."""
        job.state = "RUNNING"
        point = self._vault(source_vault).points[job.source]
        region = job.vault.split(":")[3]
        problem = None
        if not self._exists(job.vault):
            problem = f"Backup vault {job.vault} does not exist"
        elif not self._context.partitions.converse(job.region, region):
            problem = f"{region} could not be reached"
        elif not self._authorizer.trusts(job.role, SERVICE):
            problem = f"IAM Role {job.role} cannot be assumed by AWS Backup"
        elif not self._authorizer.role_may(
            job.role, "backup:CopyIntoBackupVault", job.vault, region=region
        ).allowed:
            problem = f"{job.role} may not backup:CopyIntoBackupVault on {job.vault}"
        if problem is None:
            days = point.delete_after_days
            self._add_point(job, point.resource, days, point.content)
        self._finish(job, problem, "Copy Job State Change", "COPY_JOB")

    async def _restore(self, job: Job, point: RecoveryPoint, metadata: Mapping[str, str]) -> None:
        """Restore a recovery point to a new resource, if the job's role may."""
        job.state = "RUNNING"
        anew = f"arn:aws:rds:{job.region}:{self._context.account}:cluster:"
        anew += str(metadata.get("DBClusterIdentifier") or "")
        action = "rds:RestoreDBClusterFromSnapshot"
        problem = None
        if point.content is None:
            problem = f"the twin keeps no content of {point.resource}"
        elif not metadata.get("DBClusterIdentifier"):
            problem = "Metadata lacks DBClusterIdentifier"
        elif not self._authorizer.trusts(job.role, SERVICE):
            problem = f"IAM Role {job.role} cannot be assumed by AWS Backup"
        elif not self._authorizer.role_may(job.role, action, anew, region=job.region).allowed:
            problem = f"{job.role} may not {action} on {anew}"
        else:
            try:
                job.point = await self._contents.restore(job.region, point.content, metadata)
            except Exception as error:  # noqa: BLE001 - a failed job reports any error
                problem = f"{point.arn} could not be restored: {error}"
        self._finish(job, problem, "Restore Job State Change", "RESTORE_JOB")

    def _add_point(
        self,
        job: Job,
        resource: str,
        days: int | None,
        content: Any,  # noqa: ANN401 - an engine's own
    ) -> None:
        region = job.vault.split(":")[3]
        identifier = str(uuid.uuid4())
        arn = f"arn:aws:backup:{region}:{self._context.account}:recovery-point:{identifier}"
        self._vault(job.vault).points[arn] = RecoveryPoint(
            arn=arn,
            vault=job.vault,
            resource=resource,
            created_s=self._context.now_s,
            delete_after_days=days,
            content=content,
        )
        job.point = arn

    def _finish(self, job: Job, problem: str | None, event: str, prefix: str) -> None:
        job.completed_s = self._context.now_s
        job.state, job.message = ("FAILED", problem) if problem else ("COMPLETED", "")
        text = f"{event.partition(' State')[0]} {job.state.lower()}: {problem or job.point}"
        self._context.emit("backup", job.region, text)
        key = f"{prefix.partition('_')[0].lower()}JobId"
        self._emit(
            job.region,
            {
                "detail-type": event,
                "source": "aws.backup",
                "resources": [job.source],
                "detail": {
                    key: job.identifier,
                    "state": job.state,
                    "statusMessage": job.message,
                    "destinationRecoveryPointArn": job.point,
                    "resourceArn": job.source,
                },
            },
        )

    def _job(self, region: str, source: str, vault: str, role: str) -> Job:
        return Job(
            identifier=str(uuid.uuid4()),
            region=region,
            source=source,
            vault=vault,
            role=role,
            created_s=self._context.now_s,
        )

    def _found(self, jobs: Mapping[str, Job], call: ApiCall, identifier: str) -> Job:
        found = jobs.get(identifier)
        if found is None or found.region != call.region:
            raise api_error("ResourceNotFoundException", f"Job {identifier} not found")
        return found

    def _copy_job(self, job: Job) -> JsonObject:
        return {
            "CopyJobId": job.identifier,
            "SourceRecoveryPointArn": job.source,
            "DestinationBackupVaultArn": job.vault,
            "DestinationRecoveryPointArn": job.point or None,
            "State": job.state,
            "StatusMessage": job.message,
            "CreationDate": job.created_s,
            "CompletionDate": job.completed_s,
        }

    def _vault_arn(self, region: str, name: str) -> str:
        return f"arn:aws:backup:{region}:{self._context.account}:backup-vault:{name}"

    def _exists(self, arn: str) -> bool:
        region, name = arn.split(":")[3], arn.rpartition(":")[2]
        return name in moto_backend.backup(self._context.account, region).vaults

    def _vault(self, arn: str) -> Vault:
        if not self._exists(arn):
            raise api_error("ResourceNotFoundException", f"Backup vault {arn} does not exist")
        return self._vaults.setdefault(arn, Vault())


def _restore_job(job: Job) -> JsonObject:
    return {
        "RestoreJobId": job.identifier,
        "RecoveryPointArn": job.source,
        "Status": job.state if job.state != "CREATED" else "PENDING",
        "StatusMessage": job.message,
        "IamRoleArn": job.role,
        "CreatedResourceArn": job.point or None,
        "CreationDate": job.created_s,
        "CompletionDate": job.completed_s,
    }
