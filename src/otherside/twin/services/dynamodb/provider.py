"""DynamoDB global tables: asynchronous replicas, or a majority of three Regions that agrees.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GlobalTables.html
"""

import asyncio
import copy
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import partial

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import DynamoType, Item, Table
from otherside.twin.services.base import ServiceProvider, after, api_error, operation
from otherside.twin.services.cloudwatch.metrics import Metrics

STRONG_MEMBERS = 3
NAMESPACE, LATENCY = "AWS/DynamoDB", "ReplicationLatency"
READS = ("GetItem", "Query", "Scan", "BatchGetItem")
WRITES = ("PutItem", "UpdateItem", "DeleteItem")
MANY = ("BatchWriteItem", "TransactWriteItems")
UNREPLICATED = ("ExecuteStatement", "ExecuteTransaction")
TTL_LOOK_S = 60.0
"""AWS typically deletes within 48 hours; do not rely on the exact time."""
METRIC_S = 60.0
ReplicatedChange = tuple[JsonObject, JsonObject | None, float]
"""The key, the item (`None` if it was deleted) and the time of the write."""


@dataclass(slots=True)
class GlobalTable:
    """One table with replicas in several Regions."""

    name: str
    regions: list[str]
    strong: bool
    witness: str | None = None
    keys: dict[str, str] = field(default_factory=dict)
    """The replica's own KMS key, by Region."""
    written_s: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """The time of each item's last write, by Region and key: the last writer wins."""
    pending: dict[tuple[str, str], deque[ReplicatedChange]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    """Writes that have not arrived, by (source, target); they wait while the link is down."""

    @property
    def members(self) -> list[str]:
        """Every Region that has a vote."""
        return [*self.regions, *([self.witness] if self.witness else [])]


class DynamoDbProvider(ServiceProvider):
    """Global tables on top of moto's tables, which know one Region each."""

    def __init__(self, context: TwinContext, metrics: Metrics) -> None:
        self._context = context
        self._tables: dict[str, GlobalTable] = {}
        self._lock = threading.Lock()
        self._metrics = metrics
        context.partitions.on_change(self._resume)

    @operation("dynamodb", "UpdateTable")
    def update_table(self, call: ApiCall, params: Params) -> JsonObject:
        """Add or remove replicas, and leave the rest to moto."""
        updates = params.get("ReplicaUpdates") or []
        witnesses = params.get("GlobalTableWitnessUpdates") or []
        strong = params.get("MultiRegionConsistency") == "STRONG"
        if not updates and not witnesses:
            raise LeaveToMotoError
        table = self._table(call.region, params["TableName"])
        held = self._tables.get(table.name)
        if strong:
            self._check_strong(table, updates, witnesses)
        if held is None:
            held = GlobalTable(table.name, [call.region], strong)
            self._tables[table.name] = held
        for update in updates:
            if "Create" in update:
                self._add(table, held, update["Create"])
            elif "Delete" in update:
                self._remove(held, update["Delete"]["RegionName"])
        for update in witnesses:
            held.witness = update["Create"]["RegionName"]
        return {"TableDescription": self._describe(table, call.region)}

    @operation("dynamodb", "DescribeTable")
    def describe_table(self, call: ApiCall, params: Params) -> JsonObject:
        """Describe a table with its replicas."""
        return {"Table": self._describe(self._table(call.region, params["TableName"]), call.region)}

    @operation("dynamodb", *READS, *WRITES)
    def use(self, call: ApiCall, params: Params) -> None:
        """Require a majority if the table needs one, and leave the rest to moto."""
        held = self._global(params.get("TableName"))
        strong_read = bool(params.get("ConsistentRead"))
        if held and held.strong and (call.operation in WRITES or strong_read):
            self._need_majority(held, call.region)
        raise LeaveToMotoError

    @operation("dynamodb", *UNREPLICATED)
    def use_many(self, call: ApiCall, params: Params) -> None:
        """Refuse operations that the twin would not replicate on a global table.

        AWS also refuses transactions on a strongly consistent table.
        """
        text = str(params)
        for name, held in self._tables.items():
            if name in text:
                kind = "strongly consistent " if held.strong else ""
                message = f"the twin does not replicate {call.operation} on a {kind}global table"
                raise api_error("ValidationException", message)
        raise LeaveToMotoError

    @operation("dynamodb", *MANY)
    def use_several(self, call: ApiCall, params: Params) -> None:
        """Refuse transactions where AWS does, require a majority, and leave the rest to moto."""
        for name, _ in _several(params):
            held = self._global(name)
            if held and held.strong and call.operation == "TransactWriteItems":
                message = "Transactions are not supported on strongly consistent global tables"
                raise api_error("ValidationException", message)
            if held and held.strong:
                self._need_majority(held, call.region)
        raise LeaveToMotoError

    @after("dynamodb", *MANY)
    def several_written(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Replicate joint writes item by item: a replica may show only some of them for a while."""
        for name, given in _several(params):
            self._replicate(call.region, self._global(name), given)

    @after("dynamodb", *WRITES)
    def written(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Replicate a write to the other replicas."""
        given = params.get("Key") or params["Item"]
        self._replicate(call.region, self._global(params.get("TableName")), given)

    async def expire(self) -> None:
        """Delete expired items and their replicas until the twin stops."""
        while True:
            await asyncio.sleep(TTL_LOOK_S)
            for region in self._context.regions:
                for table in list(
                    moto_backend.dynamodb(self._context.account, region).tables.values()
                ):
                    if self._context.partitions.stands(region):
                        self._expire(region, table)

    def _expire(self, region: str, table: Table) -> None:
        asked = table.ttl or {}
        name = asked.get("AttributeName")
        if not name or asked.get("TimeToLiveStatus") != "ENABLED":
            return
        for item in list(table.all_items()):
            due = item.attrs.get(name)
            if due is None or due.type != "N" or float(due.value) > self._context.now_s:
                continue
            key = {attr: item.to_json()["Attributes"][attr] for attr in table.table_key_attrs}
            table.delete_item(*_parts(table, key))
            self._replicate(region, self._global(table.name), key)

    async def measure(self) -> None:
        """Publish how far replicas lag, in the Region that was written to."""
        while True:
            await asyncio.sleep(METRIC_S)
            for held in list(self._tables.values()):
                for source, target in list(held.pending):
                    if self._context.partitions.stands(source):
                        behind_s = self.lag_s(held.name, source, target)
                        least_s = self._context.latency.of("table-replication")
                        dimensions = {"TableName": held.name, "ReceivingRegion": target}
                        value = 1000 * max(behind_s, least_s)
                        self._metrics.put(source, NAMESPACE, LATENCY, value, dimensions)

    def _replicate(self, region: str, held: GlobalTable | None, given: JsonObject) -> None:
        if held is None or held.strong:
            return
        table = self._table(region, held.name)
        key = {name: given[name] for name in table.table_key_attrs}
        item = _item(table, key)
        at_s = self._context.now_s
        held.written_s[region][str(key)] = at_s
        for other in held.regions:
            if other != region:
                with self._lock:
                    held.pending[region, other].append((key, item, at_s))
                delay_s = self._context.latency.of("table-replication")
                self._context.call_later(delay_s, partial(self._deliver, held, region, other))

    def lag_s(self, name: str, source: str, target: str) -> float:
        """Return the age of the oldest write that has not arrived."""
        held = self._tables[name]
        waiting = held.pending[source, target]
        return self._context.now_s - waiting[0][2] if waiting else 0.0

    def _deliver(self, held: GlobalTable, source: str, target: str) -> None:
        """Deliver every write that is due; if the link is down, the writes wait."""
        if not self._context.partitions.reaches(source, target):
            return
        table = self._table(target, held.name)
        due_s = self._context.now_s - self._context.latency.of("table-replication") + 0.001
        with self._lock:
            waiting = held.pending[source, target]
            while waiting and waiting[0][2] <= due_s:
                key, item, at_s = waiting.popleft()
                if held.written_s[target].get(str(key), 0.0) <= at_s:
                    held.written_s[target][str(key)] = at_s
                    _put(table, key, item)

    def _resume(self) -> None:
        """Deliver the writes that waited for a link, in both directions."""
        for held in self._tables.values():
            for source, target in list(held.pending):
                self._deliver(held, source, target)

    def _need_majority(self, held: GlobalTable, region: str) -> None:
        partitions = self._context.partitions
        reached = [member for member in held.members if partitions.converse(region, member)]
        if len(reached) <= len(held.members) // 2:
            message = "The request could not be completed: no majority of Regions answers"
            raise api_error("InternalServerError", message, 500)

    def _global(self, name: object) -> GlobalTable | None:
        return self._tables.get(str(name).rpartition("/")[2])

    def _table(self, region: str, name: str) -> Table:
        short = str(name).rpartition("/")[2]
        found = moto_backend.dynamodb(self._context.account, region).tables.get(short)
        if found is None:
            message = f"Requested resource not found: Table: {short} not found"
            raise api_error("ResourceNotFoundException", message)
        return found

    def _check_strong(
        self, table: Table, updates: list[JsonObject], witnesses: list[JsonObject]
    ) -> None:
        if 1 + len(updates) + len(witnesses) != STRONG_MEMBERS:
            message = "A strongly consistent global table has three Regions: three replicas, or two"
            raise api_error("ValidationException", f"{message} and a witness")
        if table.all_items():
            message = "A strongly consistent global table is made of an empty table"
            raise api_error("ValidationException", message)

    def _add(self, table: Table, held: GlobalTable, create: JsonObject) -> None:
        region = create["RegionName"]
        tables = moto_backend.dynamodb(self._context.account, region).tables
        if table.name in tables:
            message = f"Replica specified in the Replica Update already exists: {region}"
            raise api_error("ValidationException", message)
        replica = copy.copy(table)  # a strongly consistent table shares its items
        replica.region_name = region
        replica.table_arn = replica._generate_arn(table.name)  # noqa: SLF001 - as moto makes it
        if create.get("KMSMasterKeyId"):
            held.keys[region] = create["KMSMasterKeyId"]
            replica.sse_specification = {
                **(table.sse_specification or {}),
                "KMSMasterKeyId": create["KMSMasterKeyId"],
            }
        if not held.strong:
            replica.items = copy.deepcopy(table.items)
        tables[table.name] = replica
        held.regions.append(region)

    def _remove(self, held: GlobalTable, region: str) -> None:
        moto_backend.dynamodb(self._context.account, region).tables.pop(held.name, None)
        held.regions.remove(region)

    def _describe(self, table: Table, region: str) -> JsonObject:
        found = dict(table.describe(base_key="Table")["Table"])
        held = self._tables.get(table.name)
        if held is None:
            return found
        found["Replicas"] = [
            {
                "RegionName": other_region,
                "ReplicaStatus": "ACTIVE",
                **(
                    {"KMSMasterKeyId": held.keys[other_region]} if other_region in held.keys else {}
                ),
            }
            for other_region in held.regions
            if other_region != region
        ]
        found["GlobalTableVersion"] = "2019.11.21"
        if held.strong:
            found["MultiRegionConsistency"] = "STRONG"
        if held.witness:
            witness = {"RegionName": held.witness, "WitnessStatus": "ACTIVE"}
            found["GlobalTableWitnesses"] = [witness]
        return found


def _item(table: Table, key: JsonObject) -> JsonObject | None:
    found = _find(table, key)
    return None if found is None else copy.deepcopy(found.to_json()["Attributes"])


def _find(table: Table, key: JsonObject) -> Item | None:
    hashed, ranged = _parts(table, key)
    found: Item | None = table.get_item(hashed, ranged)
    return found


def _parts(table: Table, key: JsonObject) -> tuple[DynamoType, DynamoType | None]:
    ranged = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    return DynamoType(key[table.hash_key_attr]), ranged


def _put(table: Table, key: JsonObject, item: JsonObject | None) -> None:
    if item is not None:
        table.put_item(item)
    elif _find(table, key) is not None:
        table.delete_item(*_parts(table, key))


def _identified(given: JsonObject) -> JsonObject:
    """Return what identifies the item of a write: the item itself, which may be empty, or its key.

    Neither is there in a request that moto is going to refuse.
    """
    found = given["Item"] if "Item" in given else given.get("Key")
    return dict(found or {})


def _several(params: Params) -> list[tuple[str, JsonObject]]:
    """Return the writes of one request: each table, and what identifies the item."""
    found: list[tuple[str, JsonObject]] = []
    for name, requests in (params.get("RequestItems") or {}).items():
        for request in requests:
            found += [(name, _identified(given)) for given in request.values()]
    for transact_item in params.get("TransactItems") or ():
        found += [
            (given["TableName"], _identified(given))
            for kind, given in transact_item.items()
            if kind != "ConditionCheck"
        ]
    return found
