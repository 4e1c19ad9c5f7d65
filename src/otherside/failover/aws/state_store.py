"""The state table: append-only revisions, and the items that people and writers put beside them.

All reads come from a majority, and all writes but pulses are conditional. Partitions are separate,
so that a role that may write a pulse or an order cannot write a revision.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from otherside.core.topology import Side
from otherside.core.wire_contract import (
    FREEZE_SORT,
    LEASE_SORT,
    STATE_PARTITION,
    STATE_SORT,
    ItemType,
    revision_of,
    revision_sort,
)
from otherside.failover.aws.aws_clients import calling
from otherside.failover.aws.caller_proof import CallerProof
from otherside.failover.aws.record import (
    SCHEMA,
    UnreadableError,
    entry,
    state_from_text,
    state_to_text,
    to_text,
)
from otherside.failover.clock import Clock
from otherside.failover.decision.decide import Decision, LeaseTerms
from otherside.failover.decision.observation import Attempt, Command, LeaseView, Observation, Order
from otherside.failover.decision.state import Intent, State, first
from otherside.failover.ports import ConflictError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOTICES_MAX = 25
"""The most notices that one tick sends; the next tick sends the rest."""
NOTICE_LATE_S = 900.0
"""The maximum age of a notice that is sent when it is unknown which ones people have received."""
PULSE_KEPT_S = 86_400.0
"""How long an agent's last pulse is kept: the lag that it saw stays useful for a while."""
_LOST_RACES = {
    "ConditionalCheckFailedException",
    "ReplicatedWriteConflictException",
    "TransactionConflictException",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A revision that people have to be notified of."""

    revision: int
    text: str
    urgent: bool
    at_s: float | None
    """When it was decided; `None` in records of an older version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """One place's report about itself: from a side's lease agent, or from the witness."""

    at_s: float
    app_ok: bool | None = None
    """Whether the application answers, checked from the same instance."""
    writes_ok: bool | None = None
    """Whether this side's database takes writes; for the witness, whether the public name does."""
    reads_ok: bool | None = None
    wrote_s: float | None = None
    """When this agent last wrote a heartbeat."""
    wrote_epoch: int | None = None
    """The epoch of that heartbeat, after it was read back."""
    beat_s: float | None = None
    """Time of the newest heartbeat that this side's reader holds."""
    beat_epoch: int | None = None
    """The epoch of that heartbeat."""
    lag_max_s: float | None = None
    """The longest lag that this agent has seen itself, in the time that it has been watching."""


def side_of(place: str) -> str:
    """Return the side, or the witness, that a pulse is from; each agent of a side has its own."""
    return place.partition("#")[0]


class StateStore:
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
        """Take the table's location; `skew_s` is how far our clock may differ from the store's."""
        self._client, self._table, self._application = client, table, application
        self._clock, self._code, self._skew_s = clock, code, skew_s

    def newest(self) -> State:
        """Return the newest committed revision, or the initial state if there is none.

        Raises:
            UnavailableError: If no majority answers, the revision cannot be read, or our clock
                and the store's differ by more than is allowed.
        """
        asked_s = self._clock.monotonic_s()
        with calling("reading the newest revision"):
            found = self._revisions(1)
            date = found["ResponseMetadata"]["HTTPHeaders"].get("date")
            took_s = self._clock.monotonic_s() - asked_s
            self._compare_clocks(date, took_s)
            if not found["Items"]:
                return first(self._clock.now_s())
            item = found["Items"][0]
            try:
                return state_from_text(item["state"]["S"], _schema(item))
            except (KeyError, UnreadableError) as error:
                msg = f"the newest revision is not one of ours: {error}"
                raise UnavailableError(msg) from error

    def _revisions(self, count: int) -> Any:  # noqa: ANN401 - the SDK's own answer
        return self._client.query(
            TableName=self._table,
            KeyConditionExpression="#partition = :application",
            ExpressionAttributeNames={"#partition": STATE_PARTITION},
            ExpressionAttributeValues={":application": {"S": self._application}},
            ScanIndexForward=False,
            Limit=count,
            ConsistentRead=True,
        )

    def _compare_clocks(self, date: str | None, took_s: float) -> None:
        """Refuse to measure time by a wrong clock; the store's response carries a second one.

        Half of the allowed difference between two clocks applies each way. The header has whole
        seconds only, and was written while we waited.
        """
        if date is None:
            return
        ahead_s = self._clock.now_s() - parsedate_to_datetime(date).timestamp()
        if not -self._skew_s / 2 <= ahead_s <= self._skew_s / 2 + 1 + took_s:
            msg = f"our clock and the store's are {abs(ahead_s):.0f} s apart"
            raise UnavailableError(msg)

    def append(self, decision: Decision, observation: Observation) -> None:
        """Commit one revision, if it is the next one.

        Raises:
            ConflictError: If it exists already.
        """
        state = decision.state
        item = {
            "schema": {"N": str(SCHEMA)},
            "state": {"S": state_to_text(state)},
            "entry": {"S": to_text(entry(decision, observation, self._code))},
        }
        self._add(self._application, revision_sort(state.revision), item)

    def claim(self, intent: Intent) -> None:
        """Record that an attempt is being carried out now.

        Raises:
            ConflictError: If another run has claimed it already.
        """
        item = {
            "move": {"S": str(intent.move)},
            "target": {"S": str(intent.target)},
            "at_s": {"N": f"{self._clock.now_s():.3f}"},
            "code": {"S": self._code},
        }
        self._add(ItemType.CLAIM.of(self._application), intent.operation, item)

    def record_answer(self, intent: Intent, *, called: bool, answer: str | None) -> None:
        """Record the outcome of a claimed attempt; without a claim, record nothing."""
        values: dict[str, Any] = {":called": {"BOOL": called}, ":answer": {"S": answer or "-"}}
        try:
            with calling("writing down what became of the call"):
                self._client.update_item(
                    TableName=self._table,
                    Key=self._key(ItemType.CLAIM, intent.operation),
                    UpdateExpression="SET #called = :called, #answer = :answer",
                    ConditionExpression="attribute_exists(#partition)",
                    ExpressionAttributeNames={
                        "#partition": STATE_PARTITION,
                        "#called": "called",  # a reserved word of DynamoDB
                        "#answer": "answer",
                    },
                    ExpressionAttributeValues=values,
                )
        except RefusedError as error:
            if error.code not in _LOST_RACES:
                raise

    def attempts(self, epoch: int) -> tuple[Attempt, ...]:
        """Return the outcomes of the claimed attempts of one epoch."""
        with calling("reading what became of the attempts"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#partition = :claim AND begins_with(#sort, :epoch)",
                ExpressionAttributeNames={"#partition": STATE_PARTITION, "#sort": STATE_SORT},
                ExpressionAttributeValues={
                    ":claim": {"S": ItemType.CLAIM.of(self._application)},
                    ":epoch": {"S": f"{epoch}."},
                },
                ConsistentRead=True,
            )
            return tuple(_attempt(item) for item in found["Items"])

    def _add(self, partition: str, sort: str, item: Mapping[str, Any]) -> None:
        try:
            with calling(f"adding {sort}"):
                self._client.put_item(
                    TableName=self._table,
                    Item={STATE_PARTITION: {"S": partition}, STATE_SORT: {"S": sort}, **item},
                    ConditionExpression="attribute_not_exists(#partition)",
                    ExpressionAttributeNames={"#partition": STATE_PARTITION},
                )
        except RefusedError as error:
            if error.code in _LOST_RACES:
                msg = f"{sort} exists already"
                raise ConflictError(msg) from error
            raise

    def lease(self) -> tuple[LeaseView, LeaseTerms] | None:
        """Return the lease and its terms, or `None` if it has never been set."""
        item = self._get(ItemType.LEASE, LEASE_SORT)
        if item is None:
            return None
        with calling("reading the lease"):
            terms = LeaseTerms(
                side=Side(item["side"]["S"]),
                epoch=int(item["epoch"]["N"]),
                open=bool(item["open"]["BOOL"]),
            )
        return LeaseView(open=terms.open, seen_s=self._clock.now_s()), terms

    def set_lease(self, terms: LeaseTerms, revision: int) -> None:
        """Set the lease to the given terms, unless a later revision has set it already.

        That later revision must exist: if the table does not hold it, the lease is a leftover of
        another table, or broken, and is written anew.

        Raises:
            UnavailableError: If it could not be set. It never gives up silently.
        """
        try:
            self._put_lease(terms, revision, "attribute_not_exists(spoke) OR spoke <= :revision")
        except RefusedError as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            self._mend_lease(terms, revision)

    def _mend_lease(self, terms: LeaseTerms, revision: int) -> None:
        """Set a lease whose own revision cannot be right, if no other run has set it meanwhile."""
        item = self._get(ItemType.LEASE, LEASE_SORT) or {}
        spoke = item.get("spoke", {})
        with calling("reading who set the lease"):
            newest = self._revisions(1)["Items"]
            last = revision_of(newest[0][STATE_SORT]["S"]) if newest else 0
        known = str(spoke.get("N", "")).isdigit()
        if known and revision < int(spoke["N"]) <= last:
            return  # set by a run that knows a later revision
        self._put_lease(terms, revision, "attribute_not_exists(spoke) OR spoke = :spoke", spoke)

    def _put_lease(
        self,
        terms: LeaseTerms,
        revision: int,
        condition: str,
        spoke: Mapping[str, Any] | None = None,
    ) -> None:
        values: dict[str, Any] = {
            ":side": {"S": str(terms.side)},
            ":epoch": {"N": str(terms.epoch)},
            ":open": {"BOOL": terms.open},
            ":revision": {"N": str(revision)},
            **({":spoke": spoke or {"NULL": True}} if spoke is not None else {}),
        }
        with calling("setting the lease"):
            self._client.update_item(
                TableName=self._table,
                Key=self._key(ItemType.LEASE, LEASE_SORT),
                UpdateExpression=(
                    "SET side = :side, epoch = :epoch, #open = :open, spoke = :revision"
                ),
                ConditionExpression=condition,
                ExpressionAttributeNames={"#open": "open"},
                ExpressionAttributeValues=values,
            )

    def pulses(self) -> dict[str, HealthReport]:
        """Return each place's last pulse by name; a field that cannot be read counts as missing."""
        with calling("reading the pulses"):
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#partition = :pulse",
                ExpressionAttributeNames={"#partition": STATE_PARTITION},
                ExpressionAttributeValues={":pulse": {"S": ItemType.PULSE.of(self._application)}},
                ConsistentRead=True,
            )
            return {item[STATE_SORT]["S"]: _pulse(item) for item in found["Items"]}

    def forget_pulse(self, place: str, at_s: float) -> None:
        """Delete the pulse of a place silent for long, unless it has reported in the meantime."""
        try:
            with calling("forgetting an agent that is gone"):
                self._client.delete_item(
                    TableName=self._table,
                    Key=self._key(ItemType.PULSE, place),
                    ConditionExpression="attribute_not_exists(at_s) OR at_s <= :at",
                    ExpressionAttributeValues={":at": {"N": f"{at_s}"}},
                )
        except RefusedError as error:
            if error.code not in _LOST_RACES:
                raise

    def put_pulse(self, place: str, pulse: HealthReport) -> None:
        """Write the pulse of one place, replacing its last one."""
        values = {
            name: {"BOOL": known} if isinstance(known, bool) else {"N": f"{known}"}
            for name in HealthReport.__slots__
            if (known := getattr(pulse, name)) is not None
        }
        with calling("telling how it is"):
            self._client.put_item(
                TableName=self._table, Item={**self._key(ItemType.PULSE, place), **values}
            )

    def command(self) -> Command | None:
        """Return the newest order that a person gave, or `None` if there is none."""
        return _command(self._get(ItemType.COMMAND, LEASE_SORT))

    def proven_command(self) -> tuple[Command, tuple[CallerProof, ...]] | None:
        """Return the newest order with the signatures that lie beside it, unchecked."""
        item = self._get(ItemType.COMMAND, LEASE_SORT)
        command = _command(item)
        return None if command is None else (command, _proofs(item))

    def freeze(self) -> Command | None:
        """Return the newest freeze order, or `None`; no other order replaces it."""
        return _command(self._get(ItemType.COMMAND, FREEZE_SORT))

    def order(
        self,
        command: Command,
        *,
        over: Command | None = None,
        proofs: Sequence[CallerProof] = (),
    ) -> None:
        """Give an order, replacing the one that its author has seen. For people, not for functions.

        Each order is also kept on its own, so that one that was replaced leaves a trace.

        Raises:
            ConflictError: If someone gave another order meanwhile; the message names who and what.
        """
        freeze = command.order is Order.FREEZE
        sort = FREEZE_SORT if freeze else LEASE_SORT
        text = json.dumps(asdict(command), sort_keys=True)
        self._add(
            ItemType.COMMAND.of(self._application),
            f"given#{command.at_s:.3f}#{command.author}",
            {"order": {"S": text}},
        )
        item = self._get(ItemType.COMMAND, sort)
        found = _command(item)
        if found is not None and found != over:
            raise _overruled(found)
        seen = item.get("order", {}).get("S") if item else None
        condition: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(#order)"
            + ("" if seen is None else " OR #order = :seen"),
            "ExpressionAttributeNames": {"#order": "order"},
        }
        if seen is not None:
            condition["ExpressionAttributeValues"] = {":seen": {"S": seen}}
        try:
            with calling("giving the order"):
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        **self._key(ItemType.COMMAND, sort),
                        "order": {"S": text},
                        "proofs": {"S": json.dumps([asdict(proof) for proof in proofs])},
                    },
                    **condition,
                )
        except RefusedError as error:
            if error.code not in _LOST_RACES:
                raise
            raise _overruled(self.freeze() if freeze else self.command()) from error

    def last_revisions(self, count: int) -> list[dict[str, Any]]:
        """Return the records of the newest revisions, oldest first."""
        with calling("reading the last revisions"):
            found = self._revisions(count)
            return [json.loads(item["entry"]["S"]) for item in reversed(found["Items"])]

    def untold(self, upto: int) -> tuple[list[Notice], int | None]:
        """Return unsent notices, oldest first, and the revision up to which people were notified.

        If that mark is missing, or names a revision that the table does not hold, only recent
        notices are returned: a table that was lost must not repeat every notice there ever was.
        """
        mark = told = _number(self._get(ItemType.NOTICE, "told"), "upto")
        since_s = None
        if told is not None and told >= upto and (told == upto or self._holds(told)):
            return [], mark
        if told is None or told > upto:
            told, since_s = max(0, upto - NOTICES_MAX), self._clock.now_s() - NOTICE_LATE_S
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
            notices = [_notice(item) for item in found["Items"]]
        if since_s is None:
            return notices, mark
        fresh = [notice for notice in notices if notice.at_s is not None and notice.at_s >= since_s]
        return fresh or notices[-1:], mark

    def _holds(self, revision: int) -> bool:
        """Return whether the table holds a revision."""
        with calling("reading how far people were told"):
            found = self._client.get_item(
                TableName=self._table,
                Key={
                    STATE_PARTITION: {"S": self._application},
                    STATE_SORT: {"S": revision_sort(revision)},
                },
                ConsistentRead=True,
            )
            return "Item" in found

    def mark_told(self, revision: int, over: int | None) -> None:
        """Record that people have been notified up to a revision, replacing the previous mark.

        Raises:
            ConflictError: If another run is notifying people at the same time.
        """
        values: dict[str, Any] = {":upto": {"N": str(revision)}}
        if over is not None:
            values[":over"] = {"N": str(over)}
        try:
            with calling("noting who was told"):
                self._client.update_item(
                    TableName=self._table,
                    Key=self._key(ItemType.NOTICE, "told"),
                    UpdateExpression="SET upto = :upto",
                    ConditionExpression="attribute_not_exists(upto)"
                    + ("" if over is None else " OR upto = :over"),
                    ExpressionAttributeValues=values,
                )
        except RefusedError as error:
            if error.code in _LOST_RACES:
                msg = "somebody else is telling people"
                raise ConflictError(msg) from error
            raise

    def _key(self, shelf: ItemType, sort: str) -> dict[str, Any]:
        return {STATE_PARTITION: {"S": shelf.of(self._application)}, STATE_SORT: {"S": sort}}

    def _get(self, shelf: ItemType, sort: str) -> Mapping[str, Any] | None:
        with calling(f"reading the {shelf}"):
            found = self._client.get_item(
                TableName=self._table, Key=self._key(shelf, sort), ConsistentRead=True
            )
        return found.get("Item")


def _overruled(other: Command | None) -> ConflictError:
    said = f"{other.author} ordered {other.order}" if other else "another order was given"
    return ConflictError(f"{said} meanwhile: look again before you order anything")


def _command(item: Mapping[str, Any] | None) -> Command | None:
    """Return the order in an item, or `None` if the item holds no valid order."""
    try:
        known = json.loads(item["order"]["S"]) if item else {}
        until_s = known.get("until_s")
        return Command(
            order=Order(known["order"]),
            revision=int(known["revision"]),
            author=str(known["author"]),
            at_s=float(known["at_s"]),
            until_s=None if until_s is None else float(until_s),
            loss_s=None if known.get("loss_s") is None else float(known["loss_s"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _proofs(item: Mapping[str, Any] | None) -> tuple[CallerProof, ...]:
    """Return the signatures beside an order; what cannot be read is none."""
    try:
        return tuple(map(_proof, json.loads((item or {})["proofs"]["S"])))
    except (KeyError, TypeError, ValueError, OverflowError):
        return ()


def _proof(known: Mapping[str, Any]) -> CallerProof:
    loss_s = known["loss_s"]
    return CallerProof(
        host=str(known["host"]),
        query=str(known["query"]),
        revision=int(known["revision"]),
        loss_s=None if loss_s is None else float(loss_s),
    )


def _number(item: Mapping[str, Any] | None, name: str) -> int | None:
    """Return an integer attribute of an item, or `None` if it is missing or unreadable."""
    known = str(((item or {}).get(name) or {}).get("N", ""))
    return int(known) if known.isdigit() else None


def _schema(item: Mapping[str, Any]) -> int:
    return _number(item, "schema") or 1


def _attempt(item: Mapping[str, Any]) -> Attempt:
    """Return one attempt; a claim without a recorded outcome counts as a call."""
    answer = item.get("answer", {}).get("S", "-")
    return Attempt(
        operation=item[STATE_SORT]["S"],
        called=bool(item.get("called", {}).get("BOOL", True)),
        answer=None if answer == "-" else answer,
    )


_WHOLE = {"wrote_epoch", "beat_epoch"}


def _pulse(item: Mapping[str, Any]) -> HealthReport:
    """Return a place's pulse. Unreadable fields count as missing; without a time, it is old."""
    known: dict[str, Any] = {
        name: _said(item[name], whole=name in _WHOLE) if name in item else None
        for name in HealthReport.__slots__
    }
    at_s = known.pop("at_s")
    return HealthReport(**{"at_s": at_s if isinstance(at_s, float) else 0.0, **known})


def _said(value: object, *, whole: bool) -> Any:  # noqa: ANN401 - one of three kinds
    """Return a boolean or a finite number, or `None` if the value is neither."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("BOOL"), bool):
        return value["BOOL"]
    try:
        number = float(value["N"])
    except (KeyError, TypeError, ValueError):
        return None
    if not math.isfinite(number) or (whole and number != int(number)):
        return None
    return int(number) if whole else number


def _notice(item: Mapping[str, Any]) -> Notice:
    known = json.loads(item["entry"]["S"])
    return Notice(
        revision=revision_of(item[STATE_SORT]["S"]),
        text=known["notice"] or "",
        urgent=bool(known["urgent"]),
        at_s=known.get("at_s"),
    )
