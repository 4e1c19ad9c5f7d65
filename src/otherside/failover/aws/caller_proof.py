"""Proves to the orchestrator who gave an order: by STS, and not by what the order claims.

The person signs a `GetCallerIdentity` request and leaves it, unsent, beside the order; the
orchestrator sends it, and STS answers whose signature it is. The order's digest is a signed header,
so a proof is for one order alone, and STS takes it for a quarter of an hour. Vault and Amazon EKS
authenticate callers the same way: https://github.com/kubernetes-sigs/aws-iam-authenticator ,
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from urllib3.exceptions import HTTPError

from otherside.failover.aws.http_probes import TIMEOUT
from otherside.failover.decision.observation import BY_TWO, Command, Order

HEADER = "x-otherside-order"
VALID_S = 900
"""How long STS takes a signature that was made before: AWS's own limit."""
PROOFS_MAX = 4
"""The most proofs that are asked about: each is a call."""
_ACTION = {"Action": ["GetCallerIdentity"], "Version": ["2011-06-15"]}
_SIGNATURE = {
    *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires"),
    *("X-Amz-SignedHeaders", "X-Amz-Security-Token", "X-Amz-Signature"),
}
_ANSWER_MAX = 10_000
_NAMED = re.compile(r"<Arn>(arn:[^<]+)</Arn>")
_PERSONAL_ROLE = "AWSReservedSSO_"
"""Roles of IAM Identity Center, which only AWS modifies; their session is named by the person.
https://repost.aws/knowledge-center/identity-center-aws-reserved-sso"""

Send = Callable[[str, Mapping[str, str]], str | None]
"""Sends a GET with these headers; returns the answer's text, or `None` without a 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerProof:
    """One person's signature under one order."""

    host: str
    """The name of STS that was signed."""
    query: str
    """The signed request's query string. It proves an identity and lets nobody act under it."""
    revision: int
    loss_s: float | None
    """The loss that this person was shown."""


def subject(application: str, order: Order, revision: int, loss_s: float | None) -> str:
    """Return the digest of what a person signs: this order, in this application, at this loss."""
    told = f"{application}|{order}|{revision}|{'unknown' if loss_s is None else f'{loss_s:.3f}'}"
    return hashlib.sha256(told.encode()).hexdigest()


def prove(
    credentials: Any,  # noqa: ANN401 - botocore's frozen credentials
    endpoint: str,
    region: str,
    signed: str,
    revision: int,
    loss_s: float | None,
) -> CallerProof:
    """Return a proof for the order whose digest is `signed`, by whoever has these credentials."""
    url = f"{endpoint.rstrip('/')}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest(method="GET", url=url, headers={HEADER: signed})
    SigV4QueryAuth(credentials, "sts", region, expires=VALID_S).add_auth(request)
    parts = urlsplit(str(request.url))
    return CallerProof(host=parts.netloc, query=parts.query, revision=revision, loss_s=loss_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReader:
    """Asks STS whose signature a proof is."""

    endpoint: str
    """STS in the orchestrator's own Region. What a proof names is never asked."""
    account: str
    """The only account whose people may give orders."""
    send: Send

    def principal(self, proof: CallerProof, signed: str) -> str | None:
        """Return who signed an order, as STS names them; `None` if it is nobody of ours."""
        own = urlsplit(self.endpoint)
        if not _is_harmless(proof.query) or (own.scheme == "https" and proof.host != own.netloc):
            return None
        url = f"{self.endpoint.rstrip('/')}/?{proof.query}"
        named = _NAMED.search(self.send(url, {"Host": proof.host, HEADER: signed}) or "")
        if named is None or named[1].split(":")[4] != self.account:
            return None
        return principal_of(named[1])


def confirmed(
    command: Command,
    proofs: Sequence[CallerProof],
    application: str,
    reader: ProofReader,
    *,
    now_s: float,
) -> Command:
    """Return an order with those whom STS names, and with the least that any of them has seen.

    STS is asked only about an order that may still count: an old one stays in the table for ever.
    """
    if command.order not in BY_TWO or now_s - command.at_s > VALID_S:
        return command
    found: dict[str, CallerProof] = {}
    for proof in proofs[:PROOFS_MAX]:
        signed = subject(application, command.order, proof.revision, proof.loss_s)
        who = reader.principal(proof, signed)
        if who is not None:
            found.setdefault(who, proof)
    if not found:
        return command
    losses = [proof.loss_s for proof in found.values() if proof.loss_s is not None]
    return replace(
        command,
        confirmed_by=tuple(sorted(found)),
        revision=min(proof.revision for proof in found.values()),
        loss_s=min(losses, default=None),
    )


def _is_harmless(query: str) -> bool:
    """Return whether a query asks for an identity, with our header signed, and for nothing else."""
    try:
        given = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return False
    asked = {name: values for name, values in given.items() if name not in _SIGNATURE}
    signed = given.get("X-Amz-SignedHeaders") == [f"host;{HEADER}"]
    return asked == _ACTION and signed and all(len(values) == 1 for values in given.values())


def principal_of(arn: str) -> str | None:
    """Return the principal behind a caller's ARN; `None` for a kind that one person can be twice.

    Whoever may assume a role chooses the name of the session, so a role is one principal whatever
    its sessions are called. In IAM Identity Center's roles the session is the person, whichever
    permission set they use. Federated users are named by whoever asks for them, so they are nobody.
    """
    *front, name = arn.split(":")
    kind, _, rest = name.partition("/")
    role, _, session = rest.partition("/")
    if kind == "user":
        return arn
    if kind != "assumed-role":
        return None
    personal = role.startswith(_PERSONAL_ROLE)
    return ":".join([*front, f"{kind}/{_PERSONAL_ROLE + session if personal else role}"])


def send(url: str, headers: Mapping[str, str]) -> str | None:
    """Send a GET, once and without following anything; return the text of a 200."""
    pool = urllib3.PoolManager(timeout=TIMEOUT, retries=False)
    try:
        answer = pool.request("GET", url, headers=dict(headers), redirect=False)
    except (HTTPError, OSError):
        return None
    finally:
        pool.clear()
    if answer.status != HTTPStatus.OK or len(answer.data) > _ANSWER_MAX:
        return None
    return answer.data.decode(errors="replace")
