"""Who gave an order is what STS says, and not what the order claims."""

import re
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from botocore.credentials import ReadOnlyCredentials

from otherside.failover.aws.caller_proof import (
    HEADER,
    PROOFS_MAX,
    CallerProof,
    ProofReader,
    confirmed,
    principal_of,
    prove,
    subject,
)
from otherside.failover.decision.observation import Command, Order

ACCOUNT = "123456789012"
ENDPOINT = "https://sts.us-west-2.amazonaws.com"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
NOW = 1100.0
COMMAND = Command(order=Order.APPROVE, revision=9, author=ANN, at_s=1000.0, loss_s=99.0)


def proof(key, *, order=Order.APPROVE, revision=7, loss_s=2.5, endpoint=ENDPOINT):
    """Sign an order with a key."""
    secret = "not-a-" + "secret"
    signed = subject("orders-prod", order, revision, loss_s)
    credentials = ReadOnlyCredentials(key, secret, None)
    return prove(credentials, endpoint, "us-west-2", signed, revision, loss_s)


class Sts:
    """STS, which knows the callers by their keys; what is signed is checked by the twin's tests."""

    def __init__(self, **callers):
        self.callers, self.asked = callers, []

    def send(self, url, headers):
        """Answer as GetCallerIdentity does, if the header is the one that was signed."""
        self.asked.append((url, headers))
        key = parse_qs(url.partition("?")[2])["X-Amz-Credential"][0].partition("/")[0]
        arn = self.callers.get(key)
        return arn and f"<GetCallerIdentityResponse><Arn>{arn}</Arn></GetCallerIdentityResponse>"


def reader(sts, endpoint=ENDPOINT):
    """Return a reader that asks this STS."""
    return ProofReader(endpoint=endpoint, account=ACCOUNT, send=sts.send)


def test_two_callers_confirm_an_order_with_the_least_that_both_have_seen():
    """Revision and loss are those that were signed, whatever stands in the table."""
    sts = Sts(A=ANN, B=BOB)
    given = confirmed(
        COMMAND,
        [proof("A"), proof("B", revision=8, loss_s=4.0)],
        "orders-prod",
        reader(sts),
        now_s=NOW,
    )
    assert given == replace(COMMAND, confirmed_by=(ANN, BOB), revision=7, loss_s=2.5)
    (url, headers), _ = sts.asked
    assert url.startswith(f"{ENDPOINT}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-")
    assert headers["Host"] == "sts.us-west-2.amazonaws.com"
    assert re.fullmatch(r"[0-9a-f]{64}", headers[HEADER])


def test_one_caller_twice_is_one():
    """Two signatures do not make two people."""
    given = confirmed(
        COMMAND, [proof("A"), proof("A")], "orders-prod", reader(Sts(A=ANN)), now_s=NOW
    )
    assert given.confirmed_by == (ANN,)


def test_whom_sts_does_not_know_has_confirmed_nothing():
    """Nor has anybody of another account."""
    sts = Sts(A="arn:aws:iam::999999999999:user/ann")
    given = confirmed(COMMAND, [proof("A"), proof("B")], "orders-prod", reader(sts), now_s=NOW)
    assert given == COMMAND
    assert given.confirmed_by == ()


def test_the_header_is_of_the_very_order():
    """A signature under another order, revision, loss or application has another digest."""
    known = ("orders-prod", Order.APPROVE, 7, 2.5)
    others = [
        ("orders-test", *known[1:]),
        ("orders-prod", Order.PROCEED, 7, 2.5),
        ("orders-prod", Order.APPROVE, 8, 2.5),
        ("orders-prod", Order.APPROVE, 7, None),
    ]
    assert len({subject(*each) for each in [known, *others]}) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda query: query.replace("GetCallerIdentity", "AssumeRole"),
        lambda query: f"{query}&RoleArn=arn",
        lambda query: f"{query}&Action=AssumeRole",
        lambda query: query.replace(f"host%3B{HEADER}", "host"),
        lambda _: "",
        lambda _: "x&y",
    ],
    ids=["action", "argument", "two actions", "unsigned header", "empty", "no query"],
)
def test_what_is_no_question_for_an_identity_is_never_sent(change):
    """The table's writers do not choose what the orchestrator asks of STS."""
    sts = Sts(A=ANN)
    made = proof("A")
    assert reader(sts).principal(replace(made, query=change(made.query)), "0") is None
    assert sts.asked == []


def test_another_host_is_never_asked():
    """Only STS in the orchestrator's own Region; a twin, over plain HTTP, has many names."""
    sts = Sts(A=ANN)
    elsewhere = proof("A", endpoint="https://sts.evil.example.com")
    assert reader(sts).principal(elsewhere, "0") is None
    assert sts.asked == []
    local = "http://127.0.0.1:4566"
    assert reader(sts, local).principal(elsewhere, "0") == ANN
    assert sts.asked[0][0].startswith(local)


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (ANN, ANN),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/oncall/ann",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/oncall",
        ),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Oncall_0123/ann@example.com",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_ann@example.com",
        ),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_4567/ann@example.com",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_ann@example.com",
        ),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", None),
        (f"arn:aws:iam::{ACCOUNT}:root", None),
    ],
)
def test_a_person_cannot_be_two_principals(arn, principal):
    """Whoever assumes a role names the session; in IAM Identity Center nobody does."""
    assert principal_of(arn) == principal


def test_nobody_makes_the_orchestrator_ask_without_end():
    """A table full of proofs is not a hundred calls."""
    sts = Sts()
    confirmed(COMMAND, [proof(str(n)) for n in range(50)], "orders-prod", reader(sts), now_s=NOW)
    assert len(sts.asked) == PROOFS_MAX


def test_a_proof_holds_no_secret():
    """It is a signature, and it names the key, as every signed request does."""
    made = proof("AKIAEXAMPLE")
    assert isinstance(made, CallerProof)
    assert "secret" not in made.query
    assert "X-Amz-Expires=900" in made.query


@pytest.mark.parametrize(
    ("changes", "asked"),
    [({}, 1), ({"order": Order.HALT}, 0), ({"at_s": NOW - 901.0}, 0)],
    ids=["fresh", "for one person", "old"],
)
def test_sts_is_asked_only_about_what_may_still_count(changes, asked):
    """The newest order lies in the table for ever."""
    sts = Sts(A=ANN)
    confirmed(replace(COMMAND, **changes), [proof("A")], "orders-prod", reader(sts), now_s=NOW)
    assert len(sts.asked) == asked
