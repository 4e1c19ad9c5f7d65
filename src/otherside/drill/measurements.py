"""RTO, RPO and other measurements, from client ledgers and database contents only.

The RTO, the RPO and the counts do not use the orchestrator's reports; only `loss_said_s` does. A
write counts as acknowledged if a client's ledger says so, and as lost if the surviving writer does
not hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from otherside.drill.entries import (
    ReadEntry,
    RequestEntry,
    RowsEntry,
    StepEntry,
    TickEntry,
    WriteEntry,
)
from otherside.drill.recording import Recording

INTERRUPTED_S = 5.0
"""Service counts as interrupted if nothing is served for longer than this, in twin seconds."""
FLAPPING_S = 10.0
"""Interruptions separated by less service than this count as one, in twin seconds."""
ACKNOWLEDGED = frozenset({200, 201})
MOVES = frozenset({"FailoverGlobalCluster", "SwitchoverGlobalCluster"})
"""The calls that move the writer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A period without service."""

    from_s: float
    to_s: float | None
    """`None` if service never recovered."""

    @property
    def seconds(self) -> float | None:
        """The duration; `None` if service never recovered."""
        return None if self.to_s is None else self.to_s - self.from_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The measurements. Seconds are twin seconds; `None` means that it could not be measured."""

    rto_write_s: float | None
    """The longest write outage after the strike; 0 if writes never stopped."""
    rto_read_s: float | None
    rpo_s: float | None
    """From the oldest lost acknowledged write to the disaster (its first step), or to the newest
    lost one if that was later; 0 if nothing was lost."""
    writes_sent: int
    writes_acknowledged: int
    writes_lost: int | None
    lost_keys: tuple[str, ...]
    writes_twice: int
    """Writes acknowledged as new more than once under one key."""
    rows_corrupt: int | None
    """Rows whose content differs from what the client sent."""
    rows_unknown: int | None
    """Rows that no client sent."""
    rows_twice: int | None
    """Rows beyond the first of their key."""
    writes_wrong_side: int | None
    """Lost writes that were sent after another Region had taken over: a split brain."""
    reads_stale: int
    """Reads that missed a row acknowledged before the read was sent."""
    outages_write: tuple[Outage, ...]
    outages_read: tuple[Outage, ...]
    loss_said_s: float | None
    """The largest loss bound that the orchestrator reported for a failover."""


def measure(recording: Recording) -> Measures:
    """Compute the measurements of a recording."""
    writes, reads = recording.of(WriteEntry), recording.of(ReadEntry)
    acknowledged = [write for write in writes if write.status in ACKNOWLEDGED]
    served = [read for read in reads if read.status in {200, 404}]
    outages_write = _outages(recording, acknowledged, tried=writes)
    outages_read = _outages(recording, served, tried=reads)
    rows = _rows(recording)
    lost = _lost(acknowledged, rows)
    sent = {write.key: write.sha256 for write in writes}
    return Measures(
        rto_write_s=_rto(outages_write, acknowledged),
        rto_read_s=_rto(outages_read, served),
        rpo_s=_rpo(recording, lost),
        writes_sent=len(sent),
        writes_acknowledged=len({write.key for write in acknowledged}),
        writes_lost=None if lost is None else len(lost),
        lost_keys=() if lost is None else tuple(sorted(entry.key for entry in lost)),
        writes_twice=_twice(acknowledged),
        rows_corrupt=_count(rows, lambda key, digest: key in sent and sent[key] != digest),
        rows_unknown=_count(rows, lambda key, _: key not in sent),
        rows_twice=_repeated(recording),
        writes_wrong_side=_wrong_side(acknowledged, lost),
        reads_stale=sum(read.status == 404 for read in reads),  # noqa: PLR2004 - HTTP's own
        outages_write=outages_write,
        outages_read=outages_read,
        loss_said_s=_said(recording),
    )


def _rows(recording: Recording) -> dict[str, str] | None:
    """Return this drill's rows on the writer, digest by key; `None` if it was not read."""
    found = _listed(recording)
    return None if found is None else dict(found)


def _repeated(recording: Recording) -> int | None:
    """Return how many of this drill's rows are there again, under the same key."""
    found = _listed(recording)
    return None if found is None else len(found) - len(dict(found))


def _listed(recording: Recording) -> list[tuple[str, str]] | None:
    """Return this drill's rows on the writer, key and digest; `None` if it was not read."""
    found = [rows for rows in recording.of(RowsEntry) if rows.writer]
    if not found:
        return None
    begin = recording.head.keys
    return [(key, digest) for key, digest in found[-1].rows if key.startswith(begin)]


def _count(rows: dict[str, str] | None, wrong: object) -> int | None:
    assert callable(wrong)
    return None if rows is None else sum(wrong(key, digest) for key, digest in rows.items())


def _lost(
    acknowledged: Sequence[RequestEntry], rows: dict[str, str] | None
) -> list[RequestEntry] | None:
    """Return the first acknowledgement of each write that the writer does not hold."""
    if rows is None:
        return None
    first: dict[str, RequestEntry] = {}
    for entry in acknowledged:
        first.setdefault(entry.key, entry)
    return [entry for key, entry in first.items() if key not in rows]


def _twice(acknowledged: Sequence[RequestEntry]) -> int:
    new = [entry.key for entry in acknowledged if entry.status == 201]  # noqa: PLR2004 - HTTP's own
    return len(new) - len(set(new))


def _wrong_side(
    acknowledged: Sequence[RequestEntry], lost: list[RequestEntry] | None
) -> int | None:
    """Count the lost writes that were sent after another Region had taken over.

    Another Region has taken over once it has acknowledged a write that survives. `None` if the
    answers do not say which Region they come from, and one was lost.
    """
    if lost is None:
        return None
    gone = {entry.key for entry in lost}
    kept = [entry for entry in acknowledged if entry.key not in gone]
    if lost and any(entry.region is None for entry in (*lost, *kept)):
        return None
    return sum(
        any(entry.region != other.region and other.at_s < entry.sent_s for other in kept)
        for entry in lost
    )


def _outages(
    recording: Recording, served: Sequence[RequestEntry], *, tried: Sequence[RequestEntry]
) -> tuple[Outage, ...]:
    """Return the outages that began at or after the strike.

    Service is known only while clients were sending requests.
    """
    strike_s = recording.strike_s
    if strike_s is None or not tried:
        return ()
    last_s = max(entry.at_s for entry in tried)
    times = sorted({entry.at_s for entry in served})
    before = max((time for time in times if time < strike_s), default=strike_s)
    moments = [before, *(time for time in times if time >= strike_s)]
    found = [
        Outage(from_s=max(item, strike_s), to_s=other)
        for item, other in pairwise(moments)
        if other - item > INTERRUPTED_S
    ]
    if last_s - moments[-1] > INTERRUPTED_S:
        found.append(Outage(from_s=max(moments[-1], strike_s), to_s=None))
    return _joined(found)


def _joined(outages: Sequence[Outage]) -> tuple[Outage, ...]:
    """Merge outages that are separated by only a short recovery."""
    joined: list[Outage] = []
    for outage in outages:
        last = joined[-1] if joined else None
        if last is not None and last.to_s is not None and outage.from_s - last.to_s < FLAPPING_S:
            joined[-1] = Outage(from_s=last.from_s, to_s=outage.to_s)
        else:
            joined.append(outage)
    return tuple(joined)


def _rto(outages: Sequence[Outage], served: Sequence[RequestEntry]) -> float | None:
    """Return the longest outage; 0 if there was none, `None` if one never ended."""
    if not served or any(outage.to_s is None for outage in outages):
        return None
    return max((outage.seconds or 0.0 for outage in outages), default=0.0)


def _rpo(recording: Recording, lost: list[RequestEntry] | None) -> float | None:
    strike_s = recording.strike_s
    if lost is None or strike_s is None:
        return None
    if not lost:
        return 0.0
    times = [entry.at_s for entry in lost]
    struck = [entry.at_s for entry in recording.since_strike(StepEntry)]
    return max(strike_s, *struck[:1], *times) - min(times)


def _said(recording: Recording) -> float | None:
    found = [look.loss_bound_s for look in recording.of(TickEntry)]
    return max((float(item) for item in found if item is not None), default=None)
