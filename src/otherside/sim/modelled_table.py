"""A state table that behaves as DynamoDB's does, as far as the orchestrator and its keepers ask.

One item set, read by a majority; conditions are checked and writes are whole. What goes wrong is
the world's to say, before and after each call. Only the expressions that our own code writes are
understood, and any other is an error of the test: a table that guesses proves nothing.
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
    """Return an answer of AWS's that says no."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": "-"},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]  # no more is read
        },
        operation,
    )


VERSIONS_KEPT = 12


class ModelledTable:
    """Every item, and what it was at some moment before."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin empty; `now` is the time."""
        self.items: dict[Key, Item] = {}
        self.changes = 0
        """How often anything but a pulse was written."""
        self._now = now
        self._versions: dict[Key, list[tuple[float, Item | None]]] = {}
        self._kept: dict[Key, Item] | None = None

    def _note(self, key: Key, item: Item | None) -> None:
        """Put one item where it belongs, and remember when."""
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item
        versions = self._versions.setdefault(key, [])
        versions.append((self._now(), item))
        del versions[:-VERSIONS_KEPT]
        self.changes += not key[0].endswith("/pulse")

    def as_of(self, at_s: float) -> dict[Key, Item]:
        """Return the items as they were at a moment, as a read that is not consistent may."""
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
        """Be what the backup was, or nothing where there is none."""
        kept = deepcopy(self._kept) if self._kept is not None else {}
        for key in {*self.items, *kept}:
            self._note(key, kept.get(key))
        self.changes += 1

    def lose(self) -> None:
        """Be empty: deleted, and made anew."""
        for key in list(self.items):
            self._note(key, None)
        self.changes += 1

    def spoil(self, key: Key, name: str) -> None:
        """Let one attribute of an item be what it never may be."""
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
        partition, found = None, None
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
        return [
            items[key]
            for key in sorted(items)
            if key[0] == partition and (found is None or found(key[1]))
        ]

    def put(
        self, item: Item, condition: str | None, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        """Write a whole item, if the one that is there fits the condition."""
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
        """Forget an item."""
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
    return re.sub(r"#\w+", lambda match: names[match[0]], text)


def _fits(part: str, item: Item, values: Mapping[str, Any]) -> bool:
    """Return whether an item fits one comparison; unlike types never do."""
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
"""Asked before each call, may raise instead of it, and returns what to do after it."""


class TableClient:
    """The table, as one caller reaches it through DynamoDB's client."""

    def __init__(
        self,
        table: ModelledTable,
        door: TableEndpoint,
        *,
        date: Callable[[], str],
        stale_s: Callable[[], float],
    ) -> None:
        """Keep the table and who stands before it.

        `date` is the store's own time, `stale_s` how old a read is that is not consistent.
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
        """Forget an item."""
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
    """One object as S3 keeps it: whole, versioned by its ETag, written under conditions."""

    def __init__(self) -> None:
        """Begin with none."""
        self.body: bytes | None = None
        self.version = 0


class ObjectsClient:
    """The object, as one caller reaches it."""

    def __init__(
        self, objects: ModelledBucket, door: Callable[[str, Key], Callable[[], None]]
    ) -> None:
        """Keep the object and who stands before it."""
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
        """Write the object, under the condition that it is given."""
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
