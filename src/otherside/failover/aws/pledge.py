"""The pledge: the orchestrator's promise, stored where a failing state table does not affect it.

A state table that does not answer must not stop a healthy writer. But a writer that goes on without
it must not be given up meanwhile. So the decider, which alone could give a side up, promises
not to: in an object in the standby's Region, in another service, valid until a fixed time. A lease
agent that gets no answer at all from the table relies on the pledge. To fence, the decider closes
the lease and the pledge, and counts from when both are closed.

Each write is conditional on the version of the object that its author has read. So an actor that
read the pledge before it was closed cannot open it again.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from otherside.core.topology import Side
from otherside.core.wire_contract import PLEDGE_KEY, PLEDGE_S
from otherside.failover.aws.aws_clients import ObjectStoreClient, calling
from otherside.failover.clock import Clock
from otherside.failover.decision.decide import LeaseTerms
from otherside.failover.ports import ConflictError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
EPOCHS_AHEAD = 10
"""How far a person's pledge is above the last one, to exceed all that was decided since then."""
_ABSENT = {"NoSuchKey", "404", "NotFound"}
_LOST_RACES = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledge:
    """One pledge: the lease terms that the orchestrator promises to keep."""

    side: Side
    epoch: int
    open: bool
    """Whether the writer's side may go on acknowledging writes."""
    until_s: float
    """When it expires; no agent may rely on it after that."""
    revision: int
    """The revision in which it was given."""
    author: str
    """`orchestrator`, or the person who ran `otherside breakglass`."""

    def holds(self, now_s: float, skew_s: float) -> bool:
        """Return whether an agent may still rely on it."""
        return self.open and now_s <= self.until_s + skew_s


def given_by_hand(last: Pledge | None, epoch: int | None, until_s: float, author: str) -> Pledge:
    """Return a person's pledge for the standby, above the last one; `epoch` sets its number.

    Raises:
        ValueError: If the epoch is not above the last pledge's, or there is none to count from.
    """
    if epoch is None and last is None:
        msg = (
            "there is no earlier pledge to count from: give --epoch, above every epoch you know of"
        )
        raise ValueError(msg)
    known = last.epoch if last is not None else 0
    if epoch is not None and epoch <= known:
        msg = f"--epoch {epoch} is not above {known}, which was given already"
        raise ValueError(msg)
    return Pledge(
        side=Side.STANDBY,
        epoch=known + EPOCHS_AHEAD if epoch is None else epoch,
        open=True,
        until_s=until_s,
        revision=last.revision if last is not None else 0,
        author=author,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPledge:
    """The pledge as stored, with the version of its object."""

    pledge: Pledge | None
    """`None` if there is none or it cannot be read; lease agents rely on neither."""
    version: str | None
    """`None` if there is no object."""

    @property
    def epoch(self) -> int:
        """The epoch that it was given in, 0 if there is none."""
        return self.pledge.epoch if self.pledge else 0


class Pledges:
    """The stored pledge of one application."""

    def __init__(self, objects: ObjectStoreClient, *, bucket: str, clock: Clock) -> None:
        self._objects, self._bucket, self._clock = objects, bucket, clock

    def read(self) -> StoredPledge:
        """Return the stored pledge.

        Raises:
            UnavailableError: If it cannot be read.
        """
        try:
            with calling("reading the pledge"):
                found = self._objects.get_object(Bucket=self._bucket, Key=PLEDGE_KEY)
                body, version = found["Body"].read(), str(found["ETag"])
        except RefusedError as error:
            if error.code in _ABSENT:
                return StoredPledge(pledge=None, version=None)
            raise
        return StoredPledge(pledge=_pledge(body), version=version)

    def write(self, pledge: Pledge, over: StoredPledge) -> StoredPledge:
        """Write a pledge over the one that was read.

        Raises:
            ConflictError: If someone else wrote another one meanwhile.
            UnavailableError: If it could not be written, or it is unknown whether it was.
        """
        condition = {"IfMatch": over.version} if over.version else {"IfNoneMatch": "*"}
        try:
            with calling("writing the pledge"):
                done = self._objects.put_object(
                    Bucket=self._bucket,
                    Key=PLEDGE_KEY,
                    Body=json.dumps({"schema": SCHEMA, **asdict(pledge)}, sort_keys=True).encode(),
                    ContentType="application/json",
                    **condition,
                )
                return StoredPledge(pledge=pledge, version=str(done["ETag"]))
        except RefusedError as error:
            if error.code in _LOST_RACES:
                msg = "writing the pledge: somebody else has written it meanwhile"
                raise ConflictError(msg) from error
            raise

    def keep(
        self, terms: LeaseTerms, revision: int, seen_s: float, over: StoredPledge
    ) -> StoredPledge:
        """Make the pledge match the lease, if it does not yet, or not for long enough.

        It is valid from the time of the observation, not from now: if the function was frozen in
        between, it can only give an old pledge.

        Raises:
            UnavailableError: If it could not be written.
        """
        known = over.pledge
        until_s = seen_s + PLEDGE_S if terms.open else seen_s
        if known is not None:
            # Revisions begin anew with a new table, epochs do not.
            if (known.epoch, known.revision) > (terms.epoch, revision):
                return over
            same = (known.side, known.epoch, known.open) == (terms.side, terms.epoch, terms.open)
            if same and (not terms.open or known.until_s >= seen_s + PLEDGE_S / 2):
                return over
        word = Pledge(
            side=terms.side,
            epoch=terms.epoch,
            open=terms.open,
            until_s=until_s,
            revision=revision,
            author="orchestrator",
        )
        try:
            return self.write(word, over)
        except ConflictError as error:
            raise UnavailableError(str(error)) from error

    def extend_pledge(self) -> None:
        """Extend a valid pledge: a decider that cannot commit gives no side up.

        Raises:
            UnavailableError: If it could not be written.
        """
        kept, now_s = self.read(), self._clock.now_s()
        known = kept.pledge
        if known is None or not known.holds(now_s, 0.0) or known.author != "orchestrator":
            return
        if known.until_s >= now_s + PLEDGE_S / 2:
            return
        try:
            self.write(replace(known, until_s=now_s + PLEDGE_S), kept)
        except ConflictError as error:
            raise UnavailableError(str(error)) from error


def _pledge(body: bytes) -> Pledge | None:
    try:
        known: Mapping[str, Any] = json.loads(body)
        if int(known["schema"]) > SCHEMA:
            return None
        return Pledge(
            side=Side(known["side"]),
            epoch=int(known["epoch"]),
            open=known["open"] is True,
            until_s=float(known["until_s"]),
            revision=int(known["revision"]),
            author=str(known["author"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
