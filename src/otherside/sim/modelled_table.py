"""A model of the DynamoDB state table, as far as the orchestrator and the lease agents use it.

It is one set of items, read from a majority; conditions are checked and writes are atomic. The
world injects failures, before and after each call. Only the expressions that our own code writes
are supported, and any other is an error of the test: a table that guesses proves nothing.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]
Key = tuple[str, str]

PARTITION, SORT = "application", "revision"


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    """Return a refusal as AWS would send it."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": "-"},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]  # no more is read
        },
        operation,
    )


VERSIONS_KEPT = 12


class ModelledTable:
    """All items, with their earlier versions."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start empty; `now` returns the time."""
        self.items: dict[Key, Item] = {}
        self.changes = 0
        """How often anything but a pulse was written."""
        self._now = now
        self._versions: dict[Key, list[tuple[float, Item | None]]] = {}
        self._kept: dict[Key, Item] | None = None

    def _note(self, key: Key, item: Item | None) -> None:
        """Write or remove one item, and remember when."""
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item
        versions = self._versions.setdefault(key, [])
        versions.append((self._now(), item))
        del versions[:-VERSIONS_KEPT]
        self.changes += not key[0].endswith("/pulse")

    def as_of(self, at_s: float) -> dict[Key, Item]:
        """Return the items as of a given time, as an inconsistent read may see them."""
        then = dict(self.items)
        for key, versions in self._versions.items():
            known = [item for since_s, item in versions if since_s <= at_s]
            if known and known[-1] is not None:
                then[key] = known[-1]
            elif versions[0][0] > at_s or known:
                then.pop(key, None)
        return then

    def keep(self) -> None:
        """Make a backup."""
        self._kept = deepcopy(self.items)

    def restore(self) -> None:
        """Return to the backup, or become empty if there is none."""
        kept = deepcopy(self._kept) if self._kept is not None else {}
        for key in {*self.items, *kept}:
            self._note(key, kept.get(key))
        self.changes += 1

    def lose(self) -> None:
        """Become empty, as if deleted and created anew."""
        for key in list(self.items):
            self._note(key, None)
        self.changes += 1

    def spoil(self, key: Key, name: str) -> None:
        """Give one attribute of an item an invalid value."""
        if key in self.items:
            self._note(key, {**self.items[key], name: {"S": "?"}})

    def query(
        self,
        items: Mapping[Key, Item],
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> list[Item]:
        """Return the items of a partition, in the order of their sort keys."""
        partition: str | None = None
        found: Callable[[str], bool] | None = None
        for written in condition.split(" AND "):
            part = _named(written.strip(), names)
            if match := re.fullmatch(rf"{PARTITION} = (:\w+)", part):
                partition = values[match[1]]["S"]
            elif match := re.fullmatch(rf"begins_with\({SORT}, (:\w+)\)", part):
                start = values[match[1]]["S"]
                found = lambda sort, start=start: sort.startswith(start)  # noqa: E731 - a test of one item
            elif match := re.fullmatch(rf"{SORT} BETWEEN (:\w+)", part):
                low = values[match[1]]["S"]
                found = lambda sort, low=low: sort >= low  # noqa: E731 - a test of one item
            elif (match := re.fullmatch(r":\w+", part)) and found is not None:
                low_fits, high = found, values[part]["S"]
                found = lambda sort, f=low_fits, high=high: f(sort) and sort <= high  # noqa: E731 - a test of one item
            else:
                raise AssertionError(part)
        within = sorted(key for key in items if key[0] == partition)
        return [items[key] for key in within if found is None or found(key[1])]

    def put(
        self, item: Item, condition: str | None, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        """Write a whole item, if the existing one meets the condition."""
        key = (item[PARTITION]["S"], item[SORT]["S"])
        self._check(self.items.get(key), condition, names, values, "PutItem")
        self._note(key, dict(item))

    def update(
        self,
        key: Key,
        expression: str,
        condition: str | None,
        names: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> None:
        """Set some attributes of an item."""
        held = self.items.get(key)
        self._check(held, condition, names, values, "UpdateItem")
        made = dict(held) if held is not None else {PARTITION: {"S": key[0]}, SORT: {"S": key[1]}}
        for part in expression.removeprefix("SET ").split(", "):
            name, _, value = part.partition(" = ")
            made[_named(name, names)] = values[value]
        self._note(key, made)

    def delete(
        self, key: Key, condition: str | None, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        """Delete an item."""
        self._check(self.items.get(key), condition, names, values, "DeleteItem")
        self._note(key, None)

    def _check(
        self,
        item: Item | None,
        condition: str | None,
        names: Mapping[str, str],
        values: Mapping[str, Any],
        operation: str,
    ) -> None:
        if condition is not None and not any(
            _fits(_named(part.strip(), names), item or {}, values)
            for part in condition.split(" OR ")
        ):
            raise refusal("ConditionalCheckFailedException", operation)


def _named(text: str, names: Mapping[str, str]) -> str:
    if "#" not in text:
        return text
    return re.sub(r"#\w+", lambda match: names[match[0]], text)


def _fits(part: str, item: Item, values: Mapping[str, Any]) -> bool:
    """Return whether an item meets one comparison; values of different types never do."""
    if match := re.fullmatch(r"attribute_(not_)?exists\((\w+)\)", part):
        return (match[2] in item) is not bool(match[1])
    match = re.fullmatch(r"(\w+) (=|<=) (:\w+)", part)
    assert match is not None, part
    known, wanted = item.get(match[1]), values[match[3]]
    if known is None or known.keys() != wanted.keys():
        return False
    if match[2] == "=":
        return bool(known == wanted)
    return float(known["N"]) <= float(wanted["N"])


TableEndpoint = Callable[[str, Key], Callable[[], None]]
"""Called before each call: it may raise instead, and returns what to run after the call."""


class TableClient:
    """The table, as one caller reaches it through a DynamoDB client."""

    def __init__(
        self,
        table: ModelledTable,
        door: TableEndpoint,
        *,
        date: Callable[[], str],
        stale_s: Callable[[], float],
    ) -> None:
        """Reach the table through `door`, which guards it.

        `date` is the store's own time, `stale_s` the age of a read that is not consistent.
        """
        self._table, self._door, self._date, self._stale_s = table, door, date, stale_s

    def _items(self, asked: Mapping[str, Any]) -> Mapping[Key, Item]:
        if asked.get("ConsistentRead"):
            return self._table.items
        return self._table.as_of(self._table._now() - self._stale_s())  # noqa: SLF001 - its own

    def _answer(self, **parts: object) -> dict[str, Any]:
        return {"ResponseMetadata": {"HTTPHeaders": {"date": self._date()}}, **parts}

    def query(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own
        """Answer a query."""
        values = asked["ExpressionAttributeValues"]
        after = self._door("Query", (next(iter(values.values()))["S"], ""))
        names = asked.get("ExpressionAttributeNames", {})
        found = self._table.query(
            self._items(asked), asked["KeyConditionExpression"], names, values
        )
        if asked.get("ScanIndexForward") is False:
            found.reverse()
        answer = self._answer(Items=found[: asked.get("Limit", len(found))])
        after()
        return answer

    def get_item(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own
        """Answer a read of one item."""
        key = _key(asked["Key"])
        after = self._door("GetItem", key)
        item = self._items(asked).get(key)
        answer = self._answer(**({"Item": item} if item is not None else {}))
        after()
        return answer

    def put_item(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own
        """Write an item."""
        after = self._door("PutItem", _key(asked["Item"]))
        self._table.put(asked["Item"], *_condition(asked))
        after()
        return self._answer()

    def update_item(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own
        """Set attributes of an item."""
        key = _key(asked["Key"])
        after = self._door("UpdateItem", key)
        self._table.update(key, asked["UpdateExpression"], *_condition(asked))
        after()
        return self._answer()

    def delete_item(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own
        """Delete an item."""
        key = _key(asked["Key"])
        after = self._door("DeleteItem", key)
        self._table.delete(key, *_condition(asked))
        after()
        return self._answer()


def _key(item: Mapping[str, Any]) -> Key:
    return item[PARTITION]["S"], item[SORT]["S"]


def _condition(asked: Mapping[str, Any]) -> tuple[str | None, Mapping[str, str], Mapping[str, Any]]:
    return (
        asked.get("ConditionExpression"),
        asked.get("ExpressionAttributeNames", {}),
        asked.get("ExpressionAttributeValues", {}),
    )


class ModelledBucket:
    """One S3 object: written as a whole, versioned by its ETag, with conditional writes."""

    def __init__(self) -> None:
        self.body: bytes | None = None
        self.version = 0


class ObjectsClient:
    """The object, as one caller reaches it."""

    def __init__(
        self, objects: ModelledBucket, door: Callable[[str, Key], Callable[[], None]]
    ) -> None:
        self._objects, self._door = objects, door

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Return the object."""
        after = self._door("GetObject", (Bucket, Key))
        if self._objects.body is None:
            raise refusal("NoSuchKey", "GetObject", 404)
        answer = {"Body": _Body(self._objects.body), "ETag": str(self._objects.version)}
        after()
        return answer

    def put_object(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own
        """Write the object, if the condition of the call is met."""
        after = self._door("PutObject", (asked["Bucket"], asked["Key"]))
        known = None if self._objects.body is None else str(self._objects.version)
        fits = known == asked["IfMatch"] if "IfMatch" in asked else known is None
        assert "IfMatch" in asked or asked["IfNoneMatch"] == "*"
        if not fits:
            raise refusal("PreconditionFailed", "PutObject", 412)
        self._objects.body, self._objects.version = asked["Body"], self._objects.version + 1
        answer = {"ETag": str(self._objects.version)}
        after()
        return answer


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> bytes:
        return self._body
