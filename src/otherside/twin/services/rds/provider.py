"""Aurora Global Database: one writer, members in other Regions, and the moves between them.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

import asyncio
import datetime as dt
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from otherside.twin import moto_backend
from otherside.twin.context import Ground
from otherside.twin.gateway.app import PassError
from otherside.twin.gateway.protocol import Call
from otherside.twin.moto_backend import DBCluster
from otherside.twin.services.base import Extension, after, failure, operation

MOVING = frozenset({"promoting", "modifying"})
"""States that a move of the writer's own puts a member in."""
DOWN = frozenset({"creating", "deleting", "starting", "stopped", "stopping"})
"""States in which a cluster does not run, so that a move to it is refused; which fault AWS answers
with is not documented."""


class Move(StrEnum):
    """What moves a writer; the value is the status that AWS gives the whole meanwhile."""

    FAILOVER = "failing-over"
    SWITCHOVER = "switching-over"


class Engine(Protocol):
    """What really holds the data: one server a cluster."""

    async def create(self, arn: str, region: str, *, source: str | None, **settings: Any) -> None:  # noqa: ANN401 - whatever AWS or JSON has
        """Make a cluster's server: a primary, or a standby of `source`."""

    async def promote(self, arn: str) -> None:
        """Make a standby a primary."""

    async def fence(self, arn: str) -> bool:
        """Stop a primary from taking writes; return whether it could be reached."""

    def bar(self, arn: str) -> None:
        """Keep a server that is down from coming up by itself."""

    async def resume(self, arn: str) -> None:
        """Have a primary that was fenced take writes again."""

    async def rejoin(self, arn: str, *, source: str, anew: bool) -> None:
        """Make an old primary a standby of another, on a new volume or on its own."""

    async def caught_up(self, source: str, target: str) -> None:
        """Wait until a standby holds everything that its primary has."""

    async def set_password(self, arn: str, password: str) -> None:
        """Change the master user's password."""

    async def snapshot(self, arn: str) -> Path:
        """Copy a running cluster's volume aside; return where it is."""

    async def restore(self, arn: str, region: str, *, of: str, aside: Path) -> None:
        """Make a cluster of its own from a volume that was copied aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a backup keeps of a cluster."""

    arn: str
    aside: Path
    config: Mapping[str, Any]
    """What the cluster was made with, in moto's words."""


@dataclass(slots=True)
class Member:
    """One cluster of a global database."""

    cluster: DBCluster
    region: str
    connected: bool = True

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.cluster.db_cluster_arn)


@dataclass(slots=True)
class Whole:
    """One global database."""

    name: str
    region: str
    """Where it was created, and moto keeps it."""
    members: list[Member] = field(default_factory=list)
    writer: str = ""
    move: Move | None = None
    state: dict[str, Any] = field(default_factory=dict)
    """`FailoverState`, empty while nothing moves."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def member(self, arn: str) -> Member:
        """Return a member by its ARN."""
        found = next((one for one in self.members if one.arn == arn), None)
        if found is None:
            raise failure("DBClusterNotFoundFault", f"DBCluster {arn} not found.", 404)
        return found


class Aurora(Extension):
    """Global databases over moto's clusters, with real servers behind them."""

    def __init__(
        self, ground: Ground, engine: Engine, emit: Callable[[str, dict[str, Any]], None]
    ) -> None:
        """Keep what holds the data, and whom to tell of events: (region, event)."""
        self._ground, self._engine, self._emit = ground, engine, emit
        self._wholes: dict[str, Whole] = {}
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._writer_at: dict[str, tuple[str, float]] = {}
        ground.geography.on_change(self._look_again)

    # --- what moto does, and what follows -------------------------------------------------------

    @operation("rds", "CreateDBCluster")
    def check_cluster(self, call: Call, params: Mapping[str, Any]) -> None:
        """Refuse a member that does not fit, as AWS does, and leave the rest to moto."""
        name = params.get("GlobalClusterIdentifier")
        if name and params.get("KmsKeyId") is None and params.get("StorageEncrypted"):
            whole = self._wholes.get(str(name).lower())
            if whole and whole.members:
                message = "An encrypted secondary of another Region needs a key of its own Region"
                raise failure("InvalidParameterCombination", message)
        for group in params.get("VpcSecurityGroupIds") or ():
            self._check_group(call.region, group)
        raise PassError

    @after("rds", "CreateDBCluster")
    def cluster_created(self, call: Call, params: Mapping[str, Any], _body: bytes) -> None:
        """Make a cluster a member, and start its server."""
        account = self._ground.account
        cluster = moto_backend.rds(account, call.region).clusters[params["DBClusterIdentifier"]]
        name = str(params.get("GlobalClusterIdentifier") or "").lower()
        source = None
        if name:
            whole = self._whole_named(name)
            source = whole.writer or None
            whole.members.append(Member(cluster, call.region))
            whole.writer = whole.writer or cluster.db_cluster_arn
        settings = {
            "user": params.get("MasterUsername") or "",
            "password": params.get("MasterUserPassword") or "",
            "database": params.get("DatabaseName") or "",
        }
        arn = str(cluster.db_cluster_arn)
        work = self._engine.create(arn, call.region, source=source, **settings)
        self._ground.start(work, name=f"create {params['DBClusterIdentifier']}")

    @after("rds", "ModifyDBCluster")
    def cluster_modified(self, call: Call, params: Mapping[str, Any], _body: bytes) -> None:
        """Change the password where it is kept."""
        if params.get("MasterUserPassword"):
            cluster = self._cluster(call.region, params["DBClusterIdentifier"])
            arn, password = str(cluster.db_cluster_arn), params["MasterUserPassword"]
            self._ground.run(self._engine.set_password(arn, password))

    @operation("rds", "CreateGlobalCluster")
    def create_global(self, call: Call, params: Mapping[str, Any]) -> None:
        """Note where a global database is made; moto makes it in us-east-1."""
        name = str(params["GlobalClusterIdentifier"]).lower()
        if name in self._wholes:
            message = f"The global cluster {name} already exists"
            raise failure("GlobalClusterAlreadyExistsFault", message)
        self._wholes[name] = Whole(name, call.region)
        raise PassError

    @operation("rds", "DescribeGlobalClusters")
    def describe_globals(self, _call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """Describe the global databases: every Region knows of every one."""
        name = str(params.get("GlobalClusterIdentifier") or "").lower()
        if name:
            return {"GlobalClusters": [self._describe(self._whole_named(name))]}
        return {"GlobalClusters": [self._describe(one) for one in self._wholes.values()]}

    @operation("rds", "DescribeDBClusters")
    def describe_clusters(self, call: Call, params: Mapping[str, Any]) -> None:
        """Refuse what belongs to another Region, and leave the rest to moto."""
        given = str(params.get("DBClusterIdentifier") or "")
        if given.startswith("arn:") and given.split(":")[3] != call.region:
            raise failure("DBClusterNotFoundFault", f"DBCluster {given} not found.", 404)
        raise PassError

    @operation("rds", "DescribeEvents")
    def describe_events(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what RDS told in a Region, newest last."""
        since_s = self._ground.now_s - 60 * int(params.get("Duration") or 60)
        kind, source = params.get("SourceType"), params.get("SourceIdentifier")
        return {
            "Events": [
                one
                for one in self._events.get(call.region, [])
                if one["Date"] >= since_s
                and kind in {None, one["SourceType"]}
                and source in {None, one["SourceIdentifier"]}
            ]
        }

    @operation("rds", "RemoveFromGlobalCluster")
    def detach(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """Take a member out: it stands alone from then on, and takes writes of its own."""
        whole = self._whole_named(str(params["GlobalClusterIdentifier"]).lower())
        member = whole.member(str(params["DbClusterIdentifier"]))
        if whole.move is not None:
            message = f"Global cluster {whole.name} is in state {whole.move}"
            raise failure("InvalidGlobalClusterStateFault", message)
        if member.arn == whole.writer and len(whole.members) > 1:
            message = f"{member.arn} is the primary of {whole.name}, which has other members"
            raise failure("InvalidGlobalClusterStateFault", message)
        whole.members.remove(member)
        self._ground.tell("database", member.region, f"{member.arn} stands alone")
        if member.arn == whole.writer:
            whole.writer = ""
        else:
            self._ground.start(self._engine.promote(member.arn), name="stand alone")
        del call
        return {"GlobalCluster": self._describe(whole)}

    def occupy(self, region: str, name: str, status: str, seconds: float) -> None:
        """Let a cluster be in some state for a while, as Aurora's own work has it: it runs on."""
        cluster = self._cluster(region, name)

        async def work() -> None:
            cluster.status = status
            await asyncio.sleep(seconds)
            if cluster.status == status:
                cluster.status = "available"

        self._ground.start(work(), name=status)

    # --- moves ----------------------------------------------------------------------------------

    @operation("rds", "FailoverGlobalCluster")
    def failover(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """Start a move; neither flag means a switchover."""
        lossy = bool(params.get("AllowDataLoss"))
        if lossy and params.get("Switchover"):
            message = "AllowDataLoss and Switchover exclude one another"
            raise failure("InvalidParameterCombination", message)
        kind = Move.FAILOVER if lossy else Move.SWITCHOVER
        return self._start_move(call, params, kind)

    @operation("rds", "SwitchoverGlobalCluster")
    def switchover(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """Start a switchover."""
        return self._start_move(call, params, Move.SWITCHOVER)

    def _start_move(self, call: Call, params: Mapping[str, Any], kind: Move) -> dict[str, Any]:
        whole = self._whole_named(str(params["GlobalClusterIdentifier"]).lower())
        target = whole.member(str(params["TargetDbClusterIdentifier"]))
        self._check_move(call, whole, target, kind)
        whole.move = kind
        whole.state = {
            "Status": "pending",
            "FromDbClusterArn": whole.writer,
            "ToDbClusterArn": target.arn,
            "IsDataLossAllowed": kind is Move.FAILOVER,
        }
        answer = {"GlobalCluster": self._describe(whole)}
        carry_out = self._fail_over if kind is Move.FAILOVER else self._switch_over
        self._ground.start(self._moving(whole, target, carry_out), name=str(kind))
        return answer

    def _check_move(self, call: Call, whole: Whole, target: Member, kind: Move) -> None:
        """Refuse what AWS refuses; which fault it answers with is not documented for all."""
        if whole.move is not None:
            message = f"Global cluster {whole.name} is in state {whole.move}"
            raise failure("InvalidGlobalClusterStateFault", message)
        if target.arn == whole.writer:
            message = f"{target.arn} is the writer already"
            raise failure("InvalidDBClusterStateFault", message)
        if target.cluster.status in DOWN:
            message = f"{target.arn} is in state {target.cluster.status}"
            raise failure("InvalidDBClusterStateFault", message)
        if not target.cluster.db_cluster_members:
            message = f"{target.arn} has no instances; add one before you move the writer to it"
            raise failure("InvalidDBClusterStateFault", message)
        writer = whole.member(whole.writer)
        ours, theirs = target.cluster.engine_version, writer.cluster.engine_version
        if ours != theirs:
            message = f"{target.arn} runs {ours} and the writer {theirs}: versions must match"
            raise failure("InvalidDBClusterStateFault", message)
        expected = target.region if kind is Move.FAILOVER else writer.region
        if call.region != expected:
            which = "target's" if kind is Move.FAILOVER else "writer's"
            message = f"Call this in the {which} Region, {expected}"
            raise failure("InvalidGlobalClusterStateFault", message)

    async def _moving(
        self,
        whole: Whole,
        target: Member,
        carry_out: Callable[[Whole, Member, Member], Awaitable[None]],
    ) -> None:
        old = whole.member(whole.writer)
        async with whole.busy:
            await asyncio.sleep(self._ground.latency.of("aurora-verify"))
            whole.state["Status"] = str(whole.move)
            try:
                await carry_out(whole, old, target)
            except Exception as error:  # noqa: BLE001 - whatever the engine fails with
                await self._fail(whole, old, target, error)
            finally:
                whole.move, whole.state = None, {}
                for member in (old, target):
                    if member.cluster.status in MOVING:
                        member.cluster.status = "available"
        self._look_again()

    async def _fail(self, whole: Whole, old: Member, target: Member, error: Exception) -> None:
        """Tell that a move did not come about; the writer is where it was, and writes again."""
        code = "RDS-EVENT-0239" if whole.move is Move.FAILOVER else "RDS-EVENT-0187"
        kind = "failover" if whole.move is Move.FAILOVER else "switchover"
        self._event(target, code, f"Global {kind} to {target.arn} failed.")
        self._ground.tell("twin", target.region, f"{kind} failed: {error}")
        if whole.writer == old.arn:
            await self._engine.resume(old.arn)

    async def _fail_over(self, whole: Whole, old: Member, target: Member) -> None:
        """Move the writer without waiting for what has not arrived."""
        target.cluster.status = "promoting"
        reached = self._ground.geography.converse(target.region, old.region)
        fenced = reached and await self._engine.fence(old.arn)
        self._event_of_instance(old if reached else target, fenced=fenced)
        await asyncio.sleep(self._ground.latency.of("aurora-failover"))
        await self._engine.promote(target.arn)
        self._engine.bar(old.arn)
        self._take_over(whole, old, target)
        for other in whole.members:  # the others follow a primary that is none any more
            other.connected = other is target
        self._event(target, "RDS-EVENT-0238", f"Global failover to {target.arn} completed.")

    async def _switch_over(self, whole: Whole, old: Member, target: Member) -> None:
        """Move the writer once the target holds everything."""
        self._event(old, "RDS-EVENT-0181", f"Global switchover to {target.arn} started.")
        old.cluster.status = target.cluster.status = "modifying"
        await asyncio.sleep(self._ground.latency.of("aurora-switchover"))
        await self._engine.caught_up(old.arn, target.arn)
        await self._engine.fence(old.arn)
        self._event(old, "RDS-EVENT-0182", "Old primary DB cluster successfully shut down.")
        await self._engine.promote(target.arn)
        self._take_over(whole, old, target)
        self._event(target, "RDS-EVENT-0184", "New primary DB cluster was promoted.")
        await self._engine.rejoin(old.arn, source=target.arn, anew=False)
        self._event(target, "RDS-EVENT-0185", "Global switchover finished.")

    def _take_over(self, whole: Whole, old: Member, target: Member) -> None:
        whole.writer = target.arn
        old.cluster.is_writer, target.cluster.is_writer = False, True
        until_s = self._ground.now_s + self._ground.latency.of("writer-dns")
        self._writer_at[whole.name] = (old.arn, until_s)
        self._event(target, "RDS-EVENT-0397", "The global writer endpoint's DNS entry changed.")
        self._ground.tell(
            "database", target.region, f"{target.cluster.db_cluster_identifier} is the writer now"
        )

    def _look_again(self) -> None:
        """Have every old primary that is within reach again rejoin."""
        for whole in self._wholes.values():
            for member in whole.members:
                writer = whole.member(whole.writer)
                within = self._ground.geography.converse(writer.region, member.region)
                if member.arn != whole.writer and not member.connected and within:
                    name = f"rejoin {member.cluster.db_cluster_identifier}"
                    self._ground.start(self._rejoin(whole, member), name=name)

    async def _rejoin(self, whole: Whole, member: Member) -> None:
        """Rebuild an old primary on a new volume, behind the writer."""
        async with whole.busy:
            if member.connected or member.arn == whole.writer:
                return
            await self._engine.fence(member.arn)
            self._event(member, "RDS-EVENT-0240", "Started resynchronizing the DB cluster.")
            await asyncio.sleep(self._ground.latency.of("aurora-resync"))
            await self._engine.rejoin(member.arn, source=whole.writer, anew=True)
            member.connected = True
            self._event(member, "RDS-EVENT-0241", "Finished resynchronizing the DB cluster.")

    async def snapshot(self, arn: str) -> Snapshot | None:
        """Return what a backup keeps: a cluster's volume, and nothing of any other resource."""
        found = next((one for name, _, one in self.clusters() if name == arn), None)
        if found is None:
            return None
        aside = await self._engine.snapshot(arn)
        names = set(inspect.signature(DBCluster.__init__).parameters) - {"backend"}
        config = {key: value for key, value in vars(found).items() if key in names}
        return Snapshot(arn=arn, aside=aside, config=config)

    async def restore(self, region: str, content: Snapshot, metadata: Mapping[str, str]) -> str:
        """Make a cluster that stands alone of what was kept; return its ARN.

        Raises:
            ValueError: If a cluster of the name exists.
        """
        backend = moto_backend.rds(self._ground.account, region)
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
                "master_user_password": "what-the-engine-kept",  # moto wants one, and asks nobody
                "tags": [],
            }
        )
        arn = str(cluster.db_cluster_arn)
        await self._engine.restore(arn, region, of=content.arn, aside=content.aside)
        self._ground.tell("database", region, f"{name} is restored", cluster=arn)
        return arn

    # --- what others ask ------------------------------------------------------------------------

    def wholes(self) -> Mapping[str, Whole]:
        """Return the global databases by name."""
        return self._wholes

    def writer_of(self, whole: Whole) -> str:
        """Return the cluster that the global writer endpoint leads to: DNS is a little behind."""
        was, until_s = self._writer_at.get(whole.name, ("", 0.0))
        return was if self._ground.now_s < until_s else whole.writer

    def clusters(self) -> list[tuple[str, str, DBCluster]]:
        """Return every cluster as (ARN, Region, moto's own)."""
        return [
            (str(one.db_cluster_arn), region, one)
            for region, backend in list(moto_backend.rds_regions(self._ground.account).items())
            for one in list(backend.clusters.values())
        ]

    def endpoint_of(self, whole: Whole) -> str:
        """Return the global writer endpoint's name."""
        return str(self._held(whole).endpoint)

    def names_of(self, arn: str) -> list[str]:
        """Return the global names that a cluster is reached by."""
        return [
            self.endpoint_of(whole)
            for whole in self._wholes.values()
            if any(one.arn == arn for one in whole.members)
        ]

    def has_instances(self, arn: str) -> bool:
        """Return whether a cluster has an instance to connect to."""
        return any(one.db_cluster_members for found, _, one in self.clusters() if found == arn)

    def is_writer(self, arn: str) -> bool:
        """Return whether a cluster takes writes: one that stands alone does."""
        for whole in self._wholes.values():
            if any(one.arn == arn for one in whole.members):
                return whole.writer == arn
        return True

    # --- parts ----------------------------------------------------------------------------------

    def _whole_named(self, name: str) -> Whole:
        found = self._wholes.get(name)
        if found is None:
            message = f"Global cluster {name} not found"
            raise failure("GlobalClusterNotFoundFault", message, 404)
        return found

    def _cluster(self, region: str, given: str) -> DBCluster:
        name = str(given).rpartition(":")[2]
        return moto_backend.rds(self._ground.account, region).clusters[name]

    def _describe(self, whole: Whole) -> dict[str, Any]:
        held = self._held(whole)
        others = [one.arn for one in whole.members if one.arn != whole.writer]
        members = []
        for one in whole.members:
            writes = one.arn == whole.writer
            known = {
                "DBClusterArn": one.arn,
                "IsWriter": writes,
                "Readers": others if writes else [],
                "SynchronizationStatus": "connected" if one.connected else "pending-resync",
            }
            if not writes:
                known["GlobalWriteForwardingStatus"] = "disabled"
            members.append(known)
        return {
            "GlobalClusterIdentifier": whole.name,
            "GlobalClusterResourceId": held.global_cluster_resource_id,
            "GlobalClusterArn": held.global_cluster_arn,
            "Status": str(whole.move) if whole.move else "available",
            "Engine": held.engine,
            "EngineVersion": held.engine_version,
            "DatabaseName": getattr(held, "database_name", None),
            "StorageEncrypted": held.storage_encrypted,
            "DeletionProtection": held.deletion_protection,
            "GlobalClusterMembers": members,
            "Endpoint": held.endpoint,
            **({"FailoverState": dict(whole.state)} if whole.state else {}),
        }

    def _held(self, whole: Whole) -> Any:  # noqa: ANN401 - moto's own
        for backend in moto_backend.rds_regions(self._ground.account).values():
            if whole.name in backend.global_clusters:
                return backend.global_clusters[whole.name]
        raise failure("GlobalClusterNotFoundFault", f"Global cluster {whole.name} not found", 404)

    def _check_group(self, region: str, group: str) -> None:

        if moto_backend.ec2(self._ground.account, region).get_security_group_from_id(group) is None:
            message = f"Invalid security group , groupId= {group}, groupName= ."
            raise failure("InvalidParameterValue", message)

    def _event_of_instance(self, member: Member, *, fenced: bool) -> None:
        """Tell of the fence: on an instance, and not on the cluster."""
        code = "RDS-EVENT-0390" if fenced else "RDS-EVENT-0391"
        how = "were blocked" if fenced else "could not be blocked in time"
        writer = member.cluster.writer
        name = writer.db_instance_identifier if writer else member.cluster.db_cluster_identifier
        arn = f"arn:aws:rds:{member.region}:{self._ground.account}:db:{name}"
        self._tell(member.region, arn, name, "DB_INSTANCE", code, f"Writes {how}.")

    def _event(self, member: Member, code: str, text: str) -> None:
        name = member.cluster.db_cluster_identifier
        self._tell(member.region, member.arn, name, "CLUSTER", code, text)

    def _tell(self, region: str, arn: str, name: str, kind: str, code: str, text: str) -> None:
        """Keep an event, and put it onto the default bus of its Region."""
        instance = kind == "DB_INSTANCE"
        categories = ["notification", "global database"] if instance else ["global-failover"]
        self._events.setdefault(region, []).append(
            {
                "SourceIdentifier": name,
                "SourceType": "db-instance" if instance else "db-cluster",
                "Message": text,
                "EventCategories": categories,
                "Date": self._ground.now_s,
                "SourceArn": arn,
            }
        )
        self._ground.tell("database", region, f"{code}: {text}", event=code)
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
                    "Date": _stamp(self._ground.now_s),
                    "Message": text,
                    "SourceIdentifier": name,
                    "EventID": code,
                },
            },
        )


def _stamp(at_s: float) -> str:
    """Return a moment as RDS's events have it."""
    at = dt.datetime.fromtimestamp(at_s, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
