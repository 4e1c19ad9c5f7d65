"""What an operator does to the orchestrator: read its state, give orders, grant the pledge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from otherside.failover.aws.caller_proof import CallerProof, prove, subject
from otherside.failover.aws.pledge import Pledges, given_by_hand
from otherside.failover.aws.state_store import StateStore
from otherside.failover.clock import Clock
from otherside.failover.decision.observation import Command, Order
from otherside.failover.decision.state import State

__all__ = ["CallerProof", "Operator", "grant_by_hand", "signature"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One person, with the state table of one application as one Region holds it."""

    store: StateStore
    clock: Clock

    @classmethod
    def connect(
        cls,
        dynamodb: Any,  # noqa: ANN401 - botocore makes the class
        application: str,
        *,
        clock: Clock,
        code: str,
        skew_s: float,
    ) -> Self:
        """Return an operator of an application, by a DynamoDB client of the Region to ask.

        `code` names the program in what it writes; `skew_s` bounds how wrong `clock` may be.
        """
        store = StateStore(
            dynamodb,
            table=f"{application}-state",
            application=application,
            clock=clock,
            code=code,
            skew_s=skew_s,
        )
        return cls(store=store, clock=clock)

    def last(self, order: Order) -> Command | None:
        """Return the command that an order would replace.

        Raises:
            UnavailableError: If the table does not answer.
        """
        return self.store.freeze() if order is Order.FREEZE else self.store.command()

    def give(
        self,
        order: Order,
        state: State,
        *,
        author: str,
        over: Command | None,
        revision: int | None = None,
        until_s: float | None = None,
        at_s: float | None = None,
        proofs: Sequence[CallerProof] = (),
    ) -> None:
        """Give an order, bound to the revision that the operator saw and to the command seen there.

        An approval is for the loss that was asked about, and for no more. An order for a later
        moment, `at_s`, counts from then on, if the phase is still the same. `proofs` are the
        signatures of those who give it, where more than one person has to.

        Raises:
            ConflictError: If another operator gave an order meanwhile.
            UnavailableError: If the table does not answer.
        """
        command = Command(
            order=order,
            revision=state.revision if revision is None else revision,
            author=author,
            at_s=self.clock.now_s() if at_s is None else at_s,
            until_s=until_s,
            loss_s=state.asked_loss_s if order is Order.APPROVE else None,
        )
        self.store.order(command, over=over, proofs=proofs)

    def proofs(self) -> tuple[CallerProof, ...]:
        """Return the signatures under the newest order.

        Raises:
            UnavailableError: If the table does not answer.
        """
        given = self.store.proven_command()
        return given[1] if given is not None else ()


def signature(
    credentials: Any,  # noqa: ANN401 - botocore's frozen credentials
    endpoint: str,
    region: str,
    application: str,
    order: Order,
    state: State,
    revision: int | None = None,
) -> CallerProof:
    """Return a person's signature under an order, made with their credentials for STS in a Region.

    It is bound to the revision that they saw, by default the state's, and for an approval to the
    loss that they were shown.
    """
    seen = state.revision if revision is None else revision
    loss_s = state.asked_loss_s if order is Order.APPROVE else None
    signed = subject(application, order, seen, loss_s)
    return prove(credentials, endpoint, region, signed, seen, loss_s)


def grant_by_hand(s3: Any, bucket: str, clock: Clock, *, for_s: float, author: str) -> None:  # noqa: ANN401 - botocore makes the class
    """Let the standby acknowledge writes for a while though the state table cannot be read.

    Raises:
        UnavailableError: If the bucket does not answer.
        ConflictError: If somebody else has written the pledge meanwhile.
        ValueError: If there is no earlier pledge to count from.
    """
    pledges = Pledges(s3, bucket=bucket, clock=clock)
    stored = pledges.read()
    pledges.write(given_by_hand(stored.pledge, None, clock.now_s() + for_s, author), stored)
