"""The state table: revisions that are only ever added, and what people and writers put beside.

Everything is read from a majority and written under a condition. Partitions are kept apart, so
that whoever may write a pulse or an order can write no revision.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from otherside.core.decide import Decision, Terms
from otherside.core.facts import Command, Facts, Lease, Order
from otherside.core.names import (
    FREEZE_SORT,
    LEASE_SORT,
    STATE_PARTITION,
    STATE_SORT,
    Shelf,
    revision_sort,
)
from otherside.core.state import Intent, State, first
from otherside.core.topology import Side
from otherside.orchestrator.aws.clients import calling, code_of
from otherside.orchestrator.aws.record import (
    UnreadableError,
    entry,
    state_from_text,
    state_to_text,
)
from otherside.orchestrator.clock import Clock
from otherside.orchestrator.ports import ConflictError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOTICES_MAX = 25
"""Most notices that one look sends; the next look sends the rest."""
_LOST_RACES = {
    "ConditionalCheckFailedException",
    "ReplicatedWriteConflictException",
    "TransactionConflictException",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A revision that people are to be told of."""

    revision: int
    text: str
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What one place says of itself: a side's keeper, or the witness."""

    at_s: float
    app_ok: bool | None = None
    """Whether the application answers, asked from beside it."""
    writes_ok: bool | None = None
    """Whether this side's own database takes writes; for the witness, the public name does."""
    reads_ok: bool | None = None
    wrote_s: float | None = None
    """When a heartbeat was last written here."""
    wrote_epoch: int | None = None
    """The epoch that it was written in, and read back."""
    beat_s: float | None = None
    """Time of the newest heartbeat that this side's reader holds."""
    lag_max_s: float | None = None


class Ledger:
    """The state table of one application, through one Region's endpoint."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table: str,
        application: str,
        clock: Clock,
        code: str,
        skew_s: float,
    ) -> None:
        """Keep where the table is, and how far our clock may be from its."""
        self._client, self._table, self._application = client, table, application
        self._clock, self._code, self._skew_s = clock, code, skew_s

    def newest(self) -> State:
        """Return the newest committed revision; before the first, the state to begin with.

        Raises:
            UnavailableError: If no majority answers, the revision cannot be read, or our clock
                and the store's are further apart than is allowed for.
        """
        asked_s = self._clock.monotonic_s()
        with calling("reading the newest revision"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#partition = :application",
                ExpressionAttributeNames={"#partition": STATE_PARTITION},
                ExpressionAttributeValues={":application": {"S": self._application}},
                ScanIndexForward=False,
                Limit=1,
                ConsistentRead=True,
            )
        took_s = self._clock.monotonic_s() - asked_s
        self._compare_clocks(found["ResponseMetadata"]["HTTPHeaders"].get("date"), took_s)
        if not found["Items"]:
            return first(self._clock.now_s())
        try:
            return state_from_text(found["Items"][0]["state"]["S"])
        except (KeyError, UnreadableError) as error:
            msg = f"the newest revision is not one of ours: {error}"
            raise UnavailableError(msg) from error

    def _compare_clocks(self, date: str | None, took_s: float) -> None:
        """Refuse to count time by a clock that is wrong: the store's answer carries another.

        Half of what two clocks may be apart, each way. The header counts whole seconds, and was
        written while we waited.
        """
        if date is None:
            return
        ahead_s = self._clock.now_s() - parsedate_to_datetime(date).timestamp()
        if not -self._skew_s / 2 <= ahead_s <= self._skew_s / 2 + 1 + took_s:
            msg = f"our clock and the store's are {abs(ahead_s):.0f} s apart"
            raise UnavailableError(msg)

    def append(self, decision: Decision, facts: Facts) -> None:
        """Commit one revision, if it is the next.

        Raises:
            ConflictError: If it exists already.
        """
        state = decision.state
        item = {
            "state": {"S": state_to_text(state)},
            "entry": {"S": json.dumps(entry(decision, facts, self._code), sort_keys=True)},
            "phase": {"S": str(state.phase)},
            "told": {"BOOL": decision.notice is None},
        }
        self._add(self._application, revision_sort(state.revision), item)

    def claim(self, intent: Intent) -> None:
        """Write down that an attempt is carried out now.

        Raises:
            ConflictError: If somebody has done so already.
        """
        item = {
            "move": {"S": str(intent.move)},
            "target": {"S": str(intent.target)},
            "at_s": {"N": f"{self._clock.now_s():.3f}"},
            "code": {"S": self._code},
        }
        self._add(Shelf.CLAIM.of(self._application), intent.operation, item)

    def _add(self, partition: str, sort: str, item: Mapping[str, Any]) -> None:
        try:
            with calling(f"adding {sort}"):
                self._client.put_item(
                    TableName=self._table,
                    Item={STATE_PARTITION: {"S": partition}, STATE_SORT: {"S": sort}, **item},
                    ConditionExpression="attribute_not_exists(#partition)",
                    ExpressionAttributeNames={"#partition": STATE_PARTITION},
                )
        except UnavailableError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and code_of(cause) in _LOST_RACES:
                msg = f"{sort} exists already"
                raise ConflictError(msg) from error
            raise

    def lease(self) -> tuple[Lease, Terms] | None:
        """Return what the lease says, or `None` before anybody set it."""
        item = self._get(Shelf.LEASE, LEASE_SORT)
        if item is None:
            return None
        terms = Terms(
            side=Side(item["side"]["S"]),
            epoch=int(item["epoch"]["N"]),
            open=item["open"]["BOOL"],
        )
        return Lease(open=terms.open, seen_s=self._clock.now_s()), terms

    def set_lease(self, terms: Terms, revision: int) -> None:
        """Make the lease say something, unless a later revision spoke already."""
        values: dict[str, Any] = {
            ":side": {"S": str(terms.side)},
            ":epoch": {"N": str(terms.epoch)},
            ":open": {"BOOL": terms.open},
            ":revision": {"N": str(revision)},
        }
        try:
            with calling("setting the lease"):
                self._client.update_item(
                    TableName=self._table,
                    Key=self._key(Shelf.LEASE, LEASE_SORT),
                    UpdateExpression=(
                        "SET side = :side, epoch = :epoch, #open = :open, spoke = :revision"
                    ),
                    ConditionExpression="attribute_not_exists(spoke) OR spoke <= :revision",
                    ExpressionAttributeNames={"#open": "open"},
                    ExpressionAttributeValues=values,
                )
        except UnavailableError as error:
            cause = error.__cause__
            later = isinstance(cause, ClientError) and code_of(cause) in _LOST_RACES
            if not later:
                raise

    def pulses(self) -> dict[str, Pulse]:
        """Return what each place said last, by its name."""
        with calling("reading the pulses"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#partition = :pulse",
                ExpressionAttributeNames={"#partition": STATE_PARTITION},
                ExpressionAttributeValues={":pulse": {"S": Shelf.PULSE.of(self._application)}},
                ConsistentRead=True,
            )
        return {item[STATE_SORT]["S"]: _pulse(item) for item in found["Items"]}

    def put_pulse(self, place: str, pulse: Pulse) -> None:
        """Say how it is in one place, over what was said before."""
        values = {
            name: {"BOOL": known} if isinstance(known, bool) else {"N": f"{known}"}
            for name in Pulse.__slots__
            if (known := getattr(pulse, name)) is not None
        }
        with calling("telling how it is"):
            self._client.put_item(
                TableName=self._table, Item={**self._key(Shelf.PULSE, place), **values}
            )

    def command(self) -> Command | None:
        """Return the newest order that a person gave, or `None`."""
        return _command(self._get(Shelf.COMMAND, LEASE_SORT))

    def freeze(self) -> Command | None:
        """Return the newest freeze that a person ordered, or `None`; no other order hides it."""
        return _command(self._get(Shelf.COMMAND, FREEZE_SORT))

    def order(self, command: Command) -> None:
        """Give an order, over the one before it. For people, and for no function of ours."""
        with calling("giving the order"):
            self._client.put_item(
                TableName=self._table,
                Item={
                    **self._key(
                        Shelf.COMMAND,
                        FREEZE_SORT if command.order is Order.FREEZE else LEASE_SORT,
                    ),
                    "order": {"S": json.dumps(asdict(command), sort_keys=True)},
                },
            )

    def last_revisions(self, count: int) -> list[dict[str, Any]]:
        """Return the records of the newest revisions, oldest first."""
        with calling("reading the last revisions"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#partition = :application",
                ExpressionAttributeNames={"#partition": STATE_PARTITION},
                ExpressionAttributeValues={":application": {"S": self._application}},
                ScanIndexForward=False,
                Limit=count,
                ConsistentRead=True,
            )
        return [json.loads(item["entry"]["S"]) for item in reversed(found["Items"])]

    def untold(self, upto: int) -> list[Notice]:
        """Return what people have not been told of, oldest first."""
        item = self._get(Shelf.NOTICE, "told")
        told = int(item["upto"]["N"]) if item else 0
        if told >= upto:
            return []
        with calling("reading what nobody was told"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#partition = :application AND #sort BETWEEN :a AND :b",
                ExpressionAttributeNames={"#partition": STATE_PARTITION, "#sort": STATE_SORT},
                ExpressionAttributeValues={
                    ":application": {"S": self._application},
                    ":a": {"S": revision_sort(told + 1)},
                    ":b": {"S": revision_sort(upto)},
                },
                Limit=NOTICES_MAX,
                ConsistentRead=True,
            )
        return [_notice(item) for item in found["Items"]]

    def mark_told(self, revision: int) -> None:
        """Remember that people know everything up to a revision."""
        with calling("noting who was told"):
            self._client.put_item(
                TableName=self._table,
                Item={**self._key(Shelf.NOTICE, "told"), "upto": {"N": str(revision)}},
            )

    def _key(self, shelf: Shelf, sort: str) -> dict[str, Any]:
        return {STATE_PARTITION: {"S": shelf.of(self._application)}, STATE_SORT: {"S": sort}}

    def _get(self, shelf: Shelf, sort: str) -> Mapping[str, Any] | None:
        with calling(f"reading the {shelf}"):
            found = self._client.get_item(
                TableName=self._table, Key=self._key(shelf, sort), ConsistentRead=True
            )
        return found.get("Item")


def _command(item: Mapping[str, Any] | None) -> Command | None:
    """Return an order, or `None` where somebody wrote something that is none."""
    try:
        known = json.loads(item["order"]["S"]) if item else {}
        until_s = known.get("until_s")
        return Command(
            order=Order(known["order"]),
            revision=int(known["revision"]),
            author=str(known["author"]),
            at_s=float(known["at_s"]),
            until_s=None if until_s is None else float(until_s),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _pulse(item: Mapping[str, Any]) -> Pulse:
    known: dict[str, Any] = {}
    for name in Pulse.__slots__:
        value = item.get(name, {})
        if "BOOL" in value:
            known[name] = value["BOOL"]
        elif "N" in value:
            known[name] = int(value["N"]) if name == "wrote_epoch" else float(value["N"])
    return Pulse(**{"at_s": 0.0, **known})


def _notice(item: Mapping[str, Any]) -> Notice:
    known = json.loads(item["entry"]["S"])
    return Notice(
        revision=int(item[STATE_SORT]["S"].removeprefix("rev#")),
        text=known["notice"] or "",
        urgent=bool(known["urgent"]),
    )
