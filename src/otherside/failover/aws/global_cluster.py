"""The global database, through its control plane in both Regions.

A failover is requested in the Region that the writer moves to, a switchover in the Region that it
leaves: an unplanned move must not depend on the Region that is gone.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from typing import TYPE_CHECKING, Any

from otherside.core.topology import Side
from otherside.core.wire_contract import OrchestratorSettings
from otherside.failover.aws.aws_clients import AwsClients, calling
from otherside.failover.decision.observation import (
    DatabaseView,
    Fitness,
    Move,
    MoveUnderWay,
    Progress,
)
from otherside.failover.decision.state import Intent
from otherside.failover.ports import RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_rds.type_defs import DBClusterTypeDef, GlobalClusterTypeDef

EVENTS_MINUTES = 30
UNFIT = frozenset(
    {
        *("cloning-failed", "creating", "deleting", "migrating", "migration-failed"),
        *("inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable"),
        *("starting", "stopped", "stopping", "upgrade_failed"),
    }
)
"""States in which a cluster is absent or not running.

AWS documents no state in which it refuses a failover. For every other state it documents that the
cluster is up, or nothing at all; in those, Aurora is asked, and its refusal is reported. That the
states listed here rule out a takeover is our own reading of their descriptions.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html
"""
_GONE = "not described"


class GlobalClusterClient:
    """One Aurora global database with a member on each side."""

    def __init__(self, settings: OrchestratorSettings, clients: AwsClients) -> None:
        self._settings, self._clients = settings, clients
        self._arns = {
            Side.PRIMARY: settings.primary_cluster_arn,
            Side.STANDBY: settings.standby_cluster_arn,
        }
        self._regions = {
            Side.PRIMARY: settings.primary_region,
            Side.STANDBY: settings.standby_region,
        }

    def view(
        self,
        whole: "GlobalClusterTypeDef | None",
        members: "Mapping[Side, DBClusterTypeDef | None]",
    ) -> DatabaseView:
        """Return the database, from the descriptions of its parts.

        The side without the writer may be in the lost Region: then its description is missing, and
        nothing more is known about it.

        Raises:
            UnavailableError: If the global cluster does not answer, or names an unknown cluster.
        """
        if whole is None:
            msg = "the global database does not answer"
            raise UnavailableError(msg)
        writer, alien = self._writer(whole)
        follower = writer.other if writer is not None else Side.STANDBY
        known = members.get(follower)
        status = str(known.get("Status", _GONE)) if known is not None else _GONE
        return DatabaseView(
            writer=writer,
            move=self._move(whole),
            follower_is_member=self._member_of(whole, follower) is not None,
            follower_has_instance=known is None or bool(known.get("DBClusterMembers")),
            fitness=_fitness(status),
            status=status,
            versions_match=known is None
            or known.get("EngineVersion") == whole.get("EngineVersion"),
            resynced=known is not None and self._follows(whole, follower),
            alien=alien,
        )

    def answers(self, side: Side) -> bool:
        """Return whether RDS in one side's Region answers at all.

        It is asked only once: a retry would take longer than an observation, and a Region that
        accepts calls without answering would then stay unknown for ever.
        """
        try:
            self.whole(side, once=True)
        except RefusedError:
            return True  # it answers, whatever it says
        except UnavailableError:
            return False
        return True

    def says(self) -> tuple[str, ...]:
        """Return Aurora's recent messages about its own moves, verbatim, newest last.

        Fencing is reported on the instance and not on the cluster, so both are read.
        """
        rds = self._clients.rds(self._settings.standby_region)
        found: list[tuple[object, str]] = []
        for kind in ("db-cluster", "db-instance"):
            with calling("reading Aurora's events"):
                events = rds.describe_events(
                    SourceType="db-cluster" if kind == "db-cluster" else "db-instance",
                    Duration=EVENTS_MINUTES,
                )
                found += [
                    (event["Date"], f"{event['SourceIdentifier']}: {event['Message']}")
                    for event in events["Events"]
                    if event.get("SourceIdentifier", "").startswith(self._settings.application)
                ]
        return tuple(text for _, text in sorted(found, key=lambda item: str(item[0])))

    def move(self, intent: Intent) -> None:
        """Ask Aurora once to move the writer. The next tick observes the outcome."""
        left, target = intent.target.other, self._arns[intent.target]
        if intent.move is Move.FAILOVER:
            rds = self._clients.rds(self._regions[intent.target], changing=True)
            with calling("asking for a failover"):
                rds.failover_global_cluster(
                    GlobalClusterIdentifier=self._settings.global_cluster,
                    TargetDbClusterIdentifier=target,
                    AllowDataLoss=True,
                )
            return
        rds = self._clients.rds(self._regions[left], changing=True)
        with calling("asking for a switchover"):
            rds.switchover_global_cluster(
                GlobalClusterIdentifier=self._settings.global_cluster,
                TargetDbClusterIdentifier=target,
            )

    def whole(self, side: Side = Side.STANDBY, *, once: bool = False) -> "GlobalClusterTypeDef":
        """Return the global database as described in one side's Region."""
        with calling("describing the global database"):
            client = self._clients.rds(self._regions[side], changing=once)
            found = client.describe_global_clusters(
                GlobalClusterIdentifier=self._settings.global_cluster
            )
            return found["GlobalClusters"][0]

    def member(self, side: Side) -> "DBClusterTypeDef":
        """Return one side's cluster as described in its own Region."""
        with calling(f"describing the {side}'s cluster"):
            found = self._clients.rds(self._regions[side]).describe_db_clusters(
                DBClusterIdentifier=self._arns[side]
            )
            return found["DBClusters"][0]

    def _side(self, arn: str | None) -> Side:
        for side, known in self._arns.items():
            if arn == known:
                return side
        msg = "the global database has a member that is neither side's"
        raise UnavailableError(msg)

    def _writer(self, whole: "GlobalClusterTypeDef") -> tuple[Side | None, str | None]:
        """Return the side that holds the writer, or what is wrong with the writer."""
        writers = [
            member for member in whole.get("GlobalClusterMembers", []) if member.get("IsWriter")
        ]
        if len(writers) != 1:
            return None, f"the global database has {len(writers)} writers"
        for side, known in self._arns.items():
            if writers[0].get("DBClusterArn") == known:
                return side, None
        return None, "the global database has a writer that is neither side's"

    def _move(self, whole: "GlobalClusterTypeDef") -> MoveUnderWay | None:
        """Return the move under way; only a failover may lose data, and Aurora flags it as such."""
        state: dict[str, Any] = {**whole.get("FailoverState", {})}
        status = state.get("Status")
        if not status:
            return None
        lossy = status == "failing-over" or bool(state.get("IsDataLossAllowed"))
        return MoveUnderWay(
            kind=Move.FAILOVER if lossy else Move.SWITCHOVER,
            target=self._side(state.get("ToDbClusterArn")),
            progress=Progress.CANCELLING if status == "cancelling" else Progress.MOVING,
        )

    def _member_of(self, whole: "GlobalClusterTypeDef", side: Side) -> "Mapping[str, Any] | None":
        """Return a side's entry among the members; a detached cluster has none."""
        for member in whole.get("GlobalClusterMembers", []):
            if member.get("DBClusterArn") == self._arns[side]:
                entry: Mapping[str, Any] = {**member}
                return entry
        return None

    def _follows(self, whole: "GlobalClusterTypeDef", side: Side) -> bool:
        member = self._member_of(whole, side)
        return member is not None and member.get("SynchronizationStatus") == "connected"


def _fitness(status: str) -> Fitness:
    if status == "available":
        return Fitness.FIT
    return Fitness.UNFIT if status in UNFIT else Fitness.DOUBTFUL
