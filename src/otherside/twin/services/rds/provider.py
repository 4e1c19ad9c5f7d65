"""Aurora Global Database: one writer, members in other Regions, and moves between them.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import DBCluster
from otherside.twin.services.base import ServiceProvider, after, api_error, operation
from otherside.twin.timestamps import iso_ms

MOVING = frozenset({"promoting", "modifying"})
"""States that a member is in while the writer moves."""
DOWN = frozenset({"creating", "deleting", "starting", "stopped", "stopping"})
"""States in which a cluster does not run, so that a move to it is refused. AWS does not document
which fault it returns."""


class ClusterMove(StrEnum):
    """What moves a writer; the value is the global cluster's status during the move."""

    FAILOVER = "failing-over"
    SWITCHOVER = "switching-over"


class Engine(Protocol):
    """The engine that holds the data: one server per cluster."""

    async def create(self, arn: str, region: str, *, source: str | None, **settings: Any) -> None:  # noqa: ANN401 - whatever AWS or JSON has
        """Create a cluster's server: a primary, or a standby of `source`."""

    async def promote(self, arn: str) -> None:
        """Promote a standby to primary."""

    async def fence(self, arn: str) -> bool:
        """Stop a primary from taking writes; return whether it could be reached."""

    def bar(self, arn: str) -> None:
        """Keep a stopped server from starting by itself."""

    async def resume(self, arn: str) -> None:
        """Let a fenced primary take writes again."""

    async def rejoin(self, arn: str, *, source: str, anew: bool) -> None:
        """Turn an old primary into a standby of another, on a new volume or on its own."""

    async def caught_up(self, source: str, target: str) -> None:
        """Wait until a standby holds everything that its primary has."""

    async def set_password(self, arn: str, password: str) -> None:
        """Change the master user's password."""

    async def snapshot(self, arn: str) -> Path:
        """Copy a running cluster's volume aside; return the copy's directory."""

    async def restore(self, arn: str, region: str, *, of: str, aside: Path) -> None:
        """Create a standalone cluster from a copied volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a backup stores of a cluster."""

    arn: str
    aside: Path
    config: JsonObject
    """The arguments that created the cluster, as moto names them."""


@dataclass(slots=True)
class GlobalClusterMember:
    """One cluster of a global database."""

    cluster: DBCluster
    region: str
    connected: bool = True

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.cluster.db_cluster_arn)


@dataclass(slots=True)
class GlobalCluster:
    """One global database."""

    name: str
    region: str
    """Where it was created, and moto keeps it."""
    members: list[GlobalClusterMember] = field(default_factory=list)
    writer: str = ""
    move: ClusterMove | None = None
    state: JsonObject = field(default_factory=dict)
    """`FailoverState`, empty while no move runs."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def member(self, arn: str) -> GlobalClusterMember:
        """Return a member by its ARN."""
        found = next((member for member in self.members if member.arn == arn), None)
        if found is None:
            raise api_error("DBClusterNotFoundFault", f"DBCluster {arn} not found.", 404)
        return found


class RdsProvider(ServiceProvider):
    """Global databases over moto's clusters, with real servers behind them."""

    def __init__(
        self, context: TwinContext, engine: Engine, emit: Callable[[str, JsonObject], None]
    ) -> None:
        """Hold the data in `engine`, and publish events with `emit`: (Region, event)."""
        self._context, self._engine, self._emit = context, engine, emit
        self._wholes: dict[str, GlobalCluster] = {}
        self._events: dict[str, list[JsonObject]] = {}
        self._writer_at: dict[str, tuple[str, float]] = {}
        context.partitions.on_change(self._look_again)

    # --- operations around moto's ---------------------------------------------------------------

    @operation("rds", "CreateDBCluster")
    def check_cluster(self, call: ApiCall, params: Params) -> None:
        """Refuse a member that does not fit, as AWS does, and leave the rest to moto."""
        name = params.get("GlobalClusterIdentifier")
        if name:
            global_cluster = self._global_cluster_named(str(name).lower())
            self._check_engine(global_cluster, params)
            keyless = params.get("KmsKeyId") is None and params.get("StorageEncrypted")
            if keyless and global_cluster.members:
                message = "An encrypted secondary of another Region needs a key of its own Region"
                raise api_error("InvalidParameterCombination", message)
        for group in params.get("VpcSecurityGroupIds") or ():
            self._check_group(call.region, group)
        raise LeaveToMotoError

    def _check_engine(self, global_cluster: GlobalCluster, params: Params) -> None:
        """Refuse a member of another engine than the global database's."""
        engine = self._held(global_cluster).engine
        if str(params.get("Engine")) != str(engine):
            message = (
                f"The engine {params.get('Engine')} does not match the engine {engine} "
                f"of the global cluster {global_cluster.name}"
            )
            raise api_error("InvalidParameterCombination", message)

    @operation("rds", "DeleteGlobalCluster")
    def check_global(self, _call: ApiCall, params: Params) -> None:
        """Refuse a global database that is not there, and leave the rest to moto."""
        self._global_cluster_named(str(params["GlobalClusterIdentifier"]).lower())
        raise LeaveToMotoError

    @after("rds", "CreateDBCluster")
    def cluster_created(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Add a cluster to its global database, if it names one, and start its server."""
        account = self._context.account
        cluster = moto_backend.rds(account, call.region).clusters[params["DBClusterIdentifier"]]
        name = str(params.get("GlobalClusterIdentifier") or "").lower()
        source = None
        if name:
            global_cluster = self._global_cluster_named(name)
            source = global_cluster.writer or None
            global_cluster.members.append(GlobalClusterMember(cluster, call.region))
            global_cluster.writer = global_cluster.writer or cluster.db_cluster_arn
        settings = {
            "user": params.get("MasterUsername") or "",
            "password": params.get("MasterUserPassword") or "",
            "database": params.get("DatabaseName") or "",
        }
        arn = str(cluster.db_cluster_arn)
        work = self._engine.create(arn, call.region, source=source, **settings)
        self._context.spawn(work, name=f"create {params['DBClusterIdentifier']}")

    @after("rds", "ModifyDBCluster")
    def cluster_modified(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Change the master user's password in the engine."""
        if params.get("MasterUserPassword"):
            cluster = self._cluster(call.region, params["DBClusterIdentifier"])
            arn, password = str(cluster.db_cluster_arn), params["MasterUserPassword"]
            self._context.run(self._engine.set_password(arn, password))

    @operation("rds", "CreateGlobalCluster")
    def create_global(self, call: ApiCall, params: Params) -> None:
        """Record where a global database is created; moto creates it in us-east-1."""
        name = str(params["GlobalClusterIdentifier"]).lower()
        if name in self._wholes:
            message = f"The global cluster {name} already exists"
            raise api_error("GlobalClusterAlreadyExistsFault", message)
        if params.get("SourceDBClusterIdentifier"):
            message = (
                "the twin does not make a global database of a cluster that is there: name it in "
                "the cluster's GlobalClusterIdentifier"
            )
            raise api_error("UnsupportedByTwin", message, 501)
        self._wholes[name] = GlobalCluster(name, call.region)
        raise LeaveToMotoError

    @operation("rds", "DescribeGlobalClusters")
    def describe_globals(self, _call: ApiCall, params: Params) -> JsonObject:
        """Describe the global databases; every Region knows all of them."""
        name = str(params.get("GlobalClusterIdentifier") or "").lower()
        if name:
            return {"GlobalClusters": [self._describe(self._global_cluster_named(name))]}
        return {"GlobalClusters": [self._describe(whole) for whole in self._wholes.values()]}

    @operation("rds", "DescribeDBClusters")
    def describe_clusters(self, call: ApiCall, params: Params) -> None:
        """Refuse a cluster of another Region, and leave the rest to moto."""
        given = str(params.get("DBClusterIdentifier") or "")
        if given.startswith("arn:") and given.split(":")[3] != call.region:
            raise api_error("DBClusterNotFoundFault", f"DBCluster {given} not found.", 404)
        raise LeaveToMotoError

    @operation("rds", "DescribeEvents")
    def describe_events(self, call: ApiCall, params: Params) -> JsonObject:
        """Return the events that RDS published in a Region, newest last."""
        since_s = self._context.now_s - 60 * int(params.get("Duration") or 60)
        kind, source = params.get("SourceType"), params.get("SourceIdentifier")
        if source is not None and kind is None:
            message = "Cannot specify source identifier without source type"
            raise api_error("InvalidParameterCombination", message)
        return {
            "Events": [
                item
                for item in self._events.get(call.region, [])
                if item["Date"] >= since_s
                and kind in {None, item["SourceType"]}
                and source in {None, item["SourceIdentifier"]}
            ]
        }

    @operation("rds", "RemoveFromGlobalCluster")
    def detach(self, call: ApiCall, params: Params) -> JsonObject:
        """Detach a member: from then on, it stands alone and takes its own writes."""
        global_cluster = self._global_cluster_named(str(params["GlobalClusterIdentifier"]).lower())
        member = global_cluster.member(str(params["DbClusterIdentifier"]))
        if global_cluster.move is not None:
            message = f"Global cluster {global_cluster.name} is in state {global_cluster.move}"
            raise api_error("InvalidGlobalClusterStateFault", message)
        if member.arn == global_cluster.writer and len(global_cluster.members) > 1:
            message = (
                f"{member.arn} is the primary of {global_cluster.name}, which has other members"
            )
            raise api_error("InvalidGlobalClusterStateFault", message)
        global_cluster.members.remove(member)
        self._context.emit("database", member.region, f"{member.arn} stands alone")
        if member.arn == global_cluster.writer:
            global_cluster.writer = ""
        else:
            self._context.spawn(self._engine.promote(member.arn), name="stand alone")
        del call
        return {"GlobalCluster": self._describe(global_cluster)}

    def occupy(self, region: str, name: str, status: str, seconds: float) -> None:
        """Put a cluster into a state for a while, as Aurora's own work does; it keeps running."""
        cluster = self._cluster(region, name)

        async def work() -> None:
            cluster.status = status
            await asyncio.sleep(seconds)
            if cluster.status == status:
                cluster.status = "available"

        self._context.spawn(work(), name=status)

    # --- moves ----------------------------------------------------------------------------------

    @operation("rds", "FailoverGlobalCluster")
    def failover(self, call: ApiCall, params: Params) -> JsonObject:
        """Start a move; without either flag, it is a switchover."""
        lossy = bool(params.get("AllowDataLoss"))
        if lossy and params.get("Switchover"):
            message = "AllowDataLoss and Switchover exclude one another"
            raise api_error("InvalidParameterCombination", message)
        kind = ClusterMove.FAILOVER if lossy else ClusterMove.SWITCHOVER
        return self._start_move(call, params, kind)

    @operation("rds", "SwitchoverGlobalCluster")
    def switchover(self, call: ApiCall, params: Params) -> JsonObject:
        """Start a switchover."""
        return self._start_move(call, params, ClusterMove.SWITCHOVER)

    def _start_move(self, call: ApiCall, params: Params, kind: ClusterMove) -> JsonObject:
        global_cluster = self._global_cluster_named(str(params["GlobalClusterIdentifier"]).lower())
        target = global_cluster.member(str(params["TargetDbClusterIdentifier"]))
        self._check_move(call, global_cluster, target, kind)
        global_cluster.move = kind
        global_cluster.state = {
            "Status": "pending",
            "FromDbClusterArn": global_cluster.writer,
            "ToDbClusterArn": target.arn,
            "IsDataLossAllowed": kind is ClusterMove.FAILOVER,
        }
        answer = {"GlobalCluster": self._describe(global_cluster)}
        carry_out = self._fail_over if kind is ClusterMove.FAILOVER else self._switch_over
        self._context.spawn(self._moving(global_cluster, target, carry_out), name=str(kind))
        return answer

    def _check_move(
        self,
        call: ApiCall,
        global_cluster: GlobalCluster,
        target: GlobalClusterMember,
        kind: ClusterMove,
    ) -> None:
        """Refuse what AWS refuses; AWS does not document every fault that it returns."""
        if global_cluster.move is not None:
            message = f"Global cluster {global_cluster.name} is in state {global_cluster.move}"
            raise api_error("InvalidGlobalClusterStateFault", message)
        if target.arn == global_cluster.writer:
            message = f"{target.arn} is the writer already"
            raise api_error("InvalidDBClusterStateFault", message)
        if target.cluster.status in DOWN:
            message = f"{target.arn} is in state {target.cluster.status}"
            raise api_error("InvalidDBClusterStateFault", message)
        if not target.cluster.db_cluster_members:
            message = f"{target.arn} has no instances; add one before you move the writer to it"
            raise api_error("InvalidDBClusterStateFault", message)
        writer = global_cluster.member(global_cluster.writer)
        ours, theirs = target.cluster.engine_version, writer.cluster.engine_version
        if ours != theirs:
            message = f"{target.arn} runs {ours} and the writer {theirs}: versions must match"
            raise api_error("InvalidDBClusterStateFault", message)
        expected = target.region if kind is ClusterMove.FAILOVER else writer.region
        if call.region != expected:
            which = "target's" if kind is ClusterMove.FAILOVER else "writer's"
            message = f"Call this in the {which} Region, {expected}"
            raise api_error("InvalidGlobalClusterStateFault", message)

    async def _moving(
        self,
        global_cluster: GlobalCluster,
        target: GlobalClusterMember,
        carry_out: Callable[
            [GlobalCluster, GlobalClusterMember, GlobalClusterMember], Awaitable[None]
        ],
    ) -> None:
        old = global_cluster.member(global_cluster.writer)
        async with global_cluster.busy:
            await asyncio.sleep(self._context.latency.of("aurora-verify"))
            global_cluster.state["Status"] = str(global_cluster.move)
            try:
                await carry_out(global_cluster, old, target)
            except Exception as error:  # noqa: BLE001 - any failure of the engine
                await self._fail(global_cluster, old, target, error)
            finally:
                global_cluster.move, global_cluster.state = None, {}
                for member in (old, target):
                    if member.cluster.status in MOVING:
                        member.cluster.status = "available"
        self._look_again()

    async def _fail(
        self,
        global_cluster: GlobalCluster,
        old: GlobalClusterMember,
        target: GlobalClusterMember,
        error: Exception,
    ) -> None:
        """Report a failed move; the writer stays where it was, and takes writes again."""
        code = "RDS-EVENT-0239" if global_cluster.move is ClusterMove.FAILOVER else "RDS-EVENT-0187"
        kind = "failover" if global_cluster.move is ClusterMove.FAILOVER else "switchover"
        self._event(target, code, f"Global {kind} to {target.arn} failed.")
        self._context.emit("twin", target.region, f"{kind} failed: {error}")
        if global_cluster.writer == old.arn:
            await self._engine.resume(old.arn)

    async def _fail_over(
        self, global_cluster: GlobalCluster, old: GlobalClusterMember, target: GlobalClusterMember
    ) -> None:
        """Move the writer without waiting for data that has not arrived."""
        target.cluster.status = "promoting"
        reached = self._context.partitions.converse(target.region, old.region)
        fenced = reached and await self._engine.fence(old.arn)
        self._event_of_instance(old if reached else target, fenced=fenced)
        await asyncio.sleep(self._context.latency.of("aurora-failover"))
        await self._engine.promote(target.arn)
        self._engine.bar(old.arn)
        self._take_over(global_cluster, old, target)
        for other in global_cluster.members:  # the others still follow the old primary
            other.connected = other is target
        self._event(target, "RDS-EVENT-0238", f"Global failover to {target.arn} completed.")

    async def _switch_over(
        self, global_cluster: GlobalCluster, old: GlobalClusterMember, target: GlobalClusterMember
    ) -> None:
        """Move the writer once the target holds all data."""
        self._event(old, "RDS-EVENT-0181", f"Global switchover to {target.arn} started.")
        old.cluster.status = target.cluster.status = "modifying"
        await asyncio.sleep(self._context.latency.of("aurora-switchover"))
        await self._engine.caught_up(old.arn, target.arn)
        await self._engine.fence(old.arn)
        self._event(old, "RDS-EVENT-0182", "Old primary DB cluster successfully shut down.")
        await self._engine.promote(target.arn)
        self._take_over(global_cluster, old, target)
        self._event(target, "RDS-EVENT-0184", "New primary DB cluster was promoted.")
        await self._engine.rejoin(old.arn, source=target.arn, anew=False)
        self._event(target, "RDS-EVENT-0185", "Global switchover finished.")

    def _take_over(
        self, global_cluster: GlobalCluster, old: GlobalClusterMember, target: GlobalClusterMember
    ) -> None:
        global_cluster.writer = target.arn
        old.cluster.is_writer, target.cluster.is_writer = False, True
        until_s = self._context.now_s + self._context.latency.of("writer-dns")
        self._writer_at[global_cluster.name] = (old.arn, until_s)
        self._event(target, "RDS-EVENT-0397", "The global writer endpoint's DNS entry changed.")
        self._context.emit(
            "database", target.region, f"{target.cluster.db_cluster_identifier} is the writer now"
        )

    def _look_again(self) -> None:
        """Rejoin every old primary that can be reached again."""
        for global_cluster in self._wholes.values():
            for member in global_cluster.members:
                writer = global_cluster.member(global_cluster.writer)
                within = self._context.partitions.converse(writer.region, member.region)
                if member.arn != global_cluster.writer and not member.connected and within:
                    name = f"rejoin {member.cluster.db_cluster_identifier}"
                    self._context.spawn(self._rejoin(global_cluster, member), name=name)

    async def _rejoin(self, global_cluster: GlobalCluster, member: GlobalClusterMember) -> None:
        """Rebuild an old primary on a new volume, as a standby of the writer."""
        async with global_cluster.busy:
            if member.connected or member.arn == global_cluster.writer:
                return
            await self._engine.fence(member.arn)
            self._event(member, "RDS-EVENT-0240", "Started resynchronizing the DB cluster.")
            await asyncio.sleep(self._context.latency.of("aurora-resync"))
            await self._engine.rejoin(member.arn, source=global_cluster.writer, anew=True)
            member.connected = True
            self._event(member, "RDS-EVENT-0241", "Finished resynchronizing the DB cluster.")

    async def snapshot(self, arn: str) -> Snapshot | None:
        """Return what a backup stores: a cluster's volume, and `None` for any other resource."""
        found = next((cluster for name, _, cluster in self.clusters() if name == arn), None)
        if found is None:
            return None
        aside = await self._engine.snapshot(arn)
        names = set(inspect.signature(DBCluster.__init__).parameters) - {"backend"}
        config = {key: value for key, value in vars(found).items() if key in names}
        return Snapshot(arn=arn, aside=aside, config=config)

    async def restore(self, region: str, content: Snapshot, metadata: Mapping[str, str]) -> str:
        """Restore a backup as a standalone cluster; return its ARN.

        Raises:
            ValueError: If a cluster with the name exists.
        """
        backend = moto_backend.rds(self._context.account, region)
        name = metadata["DBClusterIdentifier"]
        if name in backend.clusters:
            msg = f"DB Cluster already exists: {name}"
            raise ValueError(msg)
        groups = json.loads(metadata.get("VpcSecurityGroupIds") or "[]")
        cluster = backend.create_db_cluster(
            {
                **content.config,
                "db_cluster_identifier": name,
                "db_subnet_group_name": metadata.get("DBSubnetGroupName"),
                "vpc_security_group_ids": groups,
                "availability_zones": None,
                "master_user_password": "what-the-engine-kept",  # moto requires one
                "tags": [],
            }
        )
        arn = str(cluster.db_cluster_arn)
        await self._engine.restore(arn, region, of=content.arn, aside=content.aside)
        self._context.emit("database", region, f"{name} is restored", cluster=arn)
        return arn

    # --- queries --------------------------------------------------------------------------------

    def global_clusters(self) -> Mapping[str, GlobalCluster]:
        """Return the global databases by name."""
        return self._wholes

    def writer_of(self, global_cluster: GlobalCluster) -> str:
        """Return the cluster behind the global writer endpoint; its DNS lags a little behind."""
        was, until_s = self._writer_at.get(global_cluster.name, ("", 0.0))
        return was if self._context.now_s < until_s else global_cluster.writer

    def clusters(self) -> list[tuple[str, str, DBCluster]]:
        """Return every cluster as (ARN, Region, moto's own)."""
        return [
            (str(cluster.db_cluster_arn), region, cluster)
            for region, backend in list(moto_backend.rds_regions(self._context.account).items())
            for cluster in list(backend.clusters.values())
        ]

    def endpoint_of(self, global_cluster: GlobalCluster) -> str:
        """Return the global writer endpoint's name."""
        return str(self._held(global_cluster).endpoint)

    def names_of(self, arn: str) -> list[str]:
        """Return the global endpoint names of a cluster."""
        return [
            self.endpoint_of(global_cluster)
            for global_cluster in self._wholes.values()
            if any(member.arn == arn for member in global_cluster.members)
        ]

    def has_instances(self, arn: str) -> bool:
        """Return whether a cluster has an instance to connect to."""
        return any(
            cluster.db_cluster_members for found, _, cluster in self.clusters() if found == arn
        )

    def is_writer(self, arn: str) -> bool:
        """Return whether a cluster takes writes; a standalone cluster does."""
        for global_cluster in self._wholes.values():
            if any(member.arn == arn for member in global_cluster.members):
                return global_cluster.writer == arn
        return True

    # --- helpers --------------------------------------------------------------------------------

    def _global_cluster_named(self, name: str) -> GlobalCluster:
        found = self._wholes.get(name)
        if found is None:
            message = f"Global cluster {name} not found"
            raise api_error("GlobalClusterNotFoundFault", message, 404)
        return found

    def _cluster(self, region: str, given: str) -> DBCluster:
        name = str(given).rpartition(":")[2]
        return moto_backend.rds(self._context.account, region).clusters[name]

    def _describe(self, global_cluster: GlobalCluster) -> JsonObject:
        held = self._held(global_cluster)
        others = [
            member.arn for member in global_cluster.members if member.arn != global_cluster.writer
        ]
        members = []
        for member in global_cluster.members:
            writes = member.arn == global_cluster.writer
            known = {
                "DBClusterArn": member.arn,
                "IsWriter": writes,
                "Readers": others if writes else [],
                "SynchronizationStatus": "connected" if member.connected else "pending-resync",
            }
            if not writes:
                known["GlobalWriteForwardingStatus"] = "disabled"
            members.append(known)
        return {
            "GlobalClusterIdentifier": global_cluster.name,
            "GlobalClusterResourceId": held.global_cluster_resource_id,
            "GlobalClusterArn": held.global_cluster_arn,
            "Status": str(global_cluster.move) if global_cluster.move else "available",
            "Engine": held.engine,
            "EngineVersion": held.engine_version,
            "DatabaseName": getattr(held, "database_name", None),
            "StorageEncrypted": held.storage_encrypted,
            "DeletionProtection": held.deletion_protection,
            "GlobalClusterMembers": members,
            "Endpoint": held.endpoint,
            **({"FailoverState": dict(global_cluster.state)} if global_cluster.state else {}),
        }

    def _held(self, global_cluster: GlobalCluster) -> Any:  # noqa: ANN401 - moto's own
        for backend in moto_backend.rds_regions(self._context.account).values():
            if global_cluster.name in backend.global_clusters:
                return backend.global_clusters[global_cluster.name]
        raise api_error(
            "GlobalClusterNotFoundFault", f"Global cluster {global_cluster.name} not found", 404
        )

    def _check_group(self, region: str, group: str) -> None:

        if (
            moto_backend.ec2(self._context.account, region).get_security_group_from_id(group)
            is None
        ):
            message = f"Invalid security group , groupId= {group}, groupName= ."
            raise api_error("InvalidParameterValue", message)

    def _event_of_instance(self, member: GlobalClusterMember, *, fenced: bool) -> None:
        """Publish the result of fencing, as an event of an instance and not of the cluster."""
        code = "RDS-EVENT-0390" if fenced else "RDS-EVENT-0391"
        how = "were blocked" if fenced else "could not be blocked in time"
        writer = member.cluster.writer
        name = writer.db_instance_identifier if writer else member.cluster.db_cluster_identifier
        arn = f"arn:aws:rds:{member.region}:{self._context.account}:db:{name}"
        self._tell(member.region, arn, name, "DB_INSTANCE", code, f"Writes {how}.")

    def _event(self, member: GlobalClusterMember, code: str, text: str) -> None:
        name = member.cluster.db_cluster_identifier
        self._tell(member.region, member.arn, name, "CLUSTER", code, text)

    def _tell(self, region: str, arn: str, name: str, kind: str, code: str, text: str) -> None:
        """Store an event, and put it onto the default bus of its Region."""
        instance = kind == "DB_INSTANCE"
        categories = ["notification", "global database"] if instance else ["global-failover"]
        self._events.setdefault(region, []).append(
            {
                "SourceIdentifier": name,
                "SourceType": "db-instance" if instance else "db-cluster",
                "Message": text,
                "EventCategories": categories,
                "Date": self._context.now_s,
                "SourceArn": arn,
            }
        )
        self._context.emit("database", region, f"{code}: {text}", event=code)
        self._emit(
            region,
            {
                "detail-type": f"RDS DB {'Instance' if instance else 'Cluster'} Event",
                "source": "aws.rds",
                "resources": [arn],
                "detail": {
                    "EventCategories": categories,
                    "SourceType": kind,
                    "SourceArn": arn,
                    "Date": iso_ms(self._context.now_s),
                    "Message": text,
                    "SourceIdentifier": name,
                    "EventID": code,
                },
            },
        )
