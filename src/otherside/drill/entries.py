"""The journal's entries: one dataclass for each kind, validated once, when a journal is read.

On disk an entry is one line of JSON with `kind`, `at_s` and the fields of its class.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError


class BadEntryError(ValueError):
    """A mapping that is not an entry of a journal; the message names field and cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What every entry has."""

    kind: ClassVar[str] = ""
    durable: ClassVar[bool] = True
    """Whether it must survive a power failure; entries that only enrich the timeline need not."""

    at_s: float
    """Twin seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadEntry(Entry):
    """The first entry: what is played, and on what."""

    kind: ClassVar[str] = "drill"

    schema: int
    scenario: str
    title: str
    expects: str
    seed: int
    clients: int
    keys: str
    """The prefix of every row that the drill's clients write."""
    speed: float
    latency: str
    """`modelled` or `none`."""
    modelled: list[dict[str, Any]]
    """What is modelled and not measured: `what`, `seconds`, `source`."""
    versions: dict[str, str]
    place: str
    digest: str
    """Of the stack's source and configuration."""
    regions: dict[str, str]
    """The Region of each side."""
    rto_s: float
    rpo_s: float
    """The objectives of the configuration."""
    started_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry(Entry):
    """How far the environment is."""

    kind: ClassVar[str] = "stage"

    state: str
    """`up`, `deployed`, `refused`, `steady` or `unsteady`."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeEntry(Entry):
    """The moment that everything is counted from."""

    kind: ClassVar[str] = "strike"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry(Entry):
    """Something was broken, repaired or ordered."""

    kind: ClassVar[str] = "step"

    do: str
    how: dict[str, Any]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry(Entry):
    """Something happened in the twin."""

    kind: ClassVar[str] = "told"
    durable: ClassVar[bool] = False

    what: str
    """Which part reported it: `alarm`, `notice`, `database`…"""
    region: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickEntry(Entry):
    """The orchestrator's decider ran."""

    kind: ClassVar[str] = "look"
    durable: ClassVar[bool] = False

    phase: str
    verdict: str
    reason: str
    entered_by: str | None = None
    """The event that led to the phase; `None` in a journal from before it was recorded."""
    obstacle: str | None = None
    """What would forbid a failover, whoever approved it."""
    event_id: str
    """Names the orchestrator and, after its last slash, the revision."""
    unknown: list[str] = field(default_factory=list)
    """Signals that could not be read."""
    bad: list[str] = field(default_factory=list)
    epoch: int | None = None
    loss_now_s: float | None = None
    loss_estimate_s: float | None = None
    loss_bound_s: float | None = None

    @property
    def revision(self) -> float:
        """The revision of the state that it left."""
        return float(self.event_id.rpartition("/")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEntry(Entry):
    """A call of the AWS API that moves something or was refused."""

    kind: ClassVar[str] = "call"
    durable: ClassVar[bool] = False

    service: str
    operation: str
    region: str
    principal: str
    """The caller's ARN; empty if the caller is unknown."""
    status: int
    refused: bool
    error: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry(Entry):
    """A Lambda function ended."""

    kind: ClassVar[str] = "run"
    durable: ClassVar[bool] = False

    function: str
    region: str
    error: str | None
    text: str
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEntry(Entry):
    """EventBridge delivered an event, or could not."""

    kind: ClassVar[str] = "delivery"

    region: str
    rule: str
    target: str
    event: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEntry(Entry):
    """Who serves users, which side writes, and how far the standby is behind."""

    kind: ClassVar[str] = "sample"
    durable: ClassVar[bool] = False

    serves: str | None
    writer: str | None
    lag_s: float | None
    lost: list[str]
    healthy: int
    instances: int
    late_s: float | None = None
    """How late the twin and the drill ran since the last sample, at the most, in twin seconds;
    `None` in virtual time."""
    speed: float | None = None
    """Twin seconds per machine second when it was taken; `None` in virtual time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsEntry(Entry):
    """What a database holds at the end."""

    kind: ClassVar[str] = "rows"

    cluster: str
    side: str
    writer: bool
    rows: list[list[Any]]
    """Key and SHA-256 of each row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEntry(Entry):
    """What was asked of the stack, and what it answered."""

    kind: ClassVar[str] = "probe"

    name: str
    verdict: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry(Entry):
    """A request of a client, from that client's own log."""

    client: int
    key: str
    sha256: str
    sent_s: float
    status: int
    """The HTTP status; 0 if there was no answer."""
    region: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteEntry(RequestEntry):
    """A write, and its outcome."""

    kind: ClassVar[str] = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEntry(RequestEntry):
    """A read, and its outcome."""

    kind: ClassVar[str] = "read"
    durable: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEntry(Entry):
    """A write that a client is about to send; its outcome may never be known."""

    kind: ClassVar[str] = "sent"

    key: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEntry(Entry):
    """The last entry."""

    kind: ClassVar[str] = "end"

    how: str
    """`finished`, `interrupted` or `failed`."""
    text: str = ""


KINDS: Mapping[str, type[Entry]] = {
    entry.kind: entry
    for entry in (
        *(HeadEntry, StageEntry, StrikeEntry, StepEntry, EventEntry, TickEntry, CallEntry),
        *(RunEntry, DeliveryEntry, SampleEntry, RowsEntry, ProbeEntry, WriteEntry, ReadEntry),
        *(SentEntry, EndEntry),
    )
}


@cache
def _adapter(kind: str) -> TypeAdapter[Entry]:
    return TypeAdapter(KINDS[kind])


def parse(raw: Mapping[str, Any]) -> Entry:
    """Return the entry that a mapping describes.

    Raises:
        BadEntryError: If its kind is unknown, or a field is missing or of the wrong type.
    """
    kind = KINDS.get(str(raw.get("kind")))
    if kind is None:
        msg = f"kind {raw.get('kind')!r} is unknown"
        raise BadEntryError(msg)
    try:
        return _adapter(kind.kind).validate_python({k: v for k, v in raw.items() if k != "kind"})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"{kind.kind}: {where}: {first['msg']}"
        raise BadEntryError(msg) from error


def as_json(entry: Entry) -> dict[str, Any]:
    """Return an entry as the journal holds it."""
    return dict(_items(entry))


def _items(entry: Entry) -> Iterator[tuple[str, Any]]:
    yield "kind", entry.kind
    for known in fields(entry):
        value = getattr(entry, known.name)
        yield known.name, round(value, 3) if known.name == "at_s" else value
