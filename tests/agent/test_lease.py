"""The lease by itself: who may go on, who must stop, and nobody twice."""

import hashlib
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from otherside.core import wire_contract

sys.path.insert(0, str(Path(str(files("otherside"))) / "agent"))
import aws
import lease as leases

OPEN = {"open": True, "epoch": 3, "side": "primary"}
CLOSED = {**OPEN, "open": False}


class Surroundings:
    """A store, a pledge and a clock, for one holder."""

    def __init__(self):
        self.now_s, self.terms, self.reachable, self.refuses = 100.0, OPEN, True, False
        self.pledged = None
        self.lease = leases.Lease(
            self.ask, self.pledge, lambda: self.now_s, refused=aws.ServiceRefusedError
        )

    def ask(self):
        """Answer as the state table would."""
        if self.refuses:
            raise aws.ServiceRefusedError("GetItem: HTTP 400")
        if not self.reachable:
            raise OSError
        return self.terms

    def pledge(self):
        """Answer as the pledge's bucket would; `None` is out of reach."""
        if self.pledged is None:
            raise OSError
        terms, until_s = self.pledged
        return {**terms, "left_s": until_s - self.now_s}

    def renew(self, after_s=0.0):
        """Renew after a while; return for how long it holds from now on."""
        self.now_s += after_s
        return max(0.0, self.lease.renew()["until_s"] - self.now_s)


def test_the_clocks_of_both_sides_are_the_same():
    """The application counts by the seconds that the orchestrator waits."""
    assert (leases.LEASE_S, leases.RENEW_S) == (wire_contract.LEASE_S, wire_contract.RENEW_S)


def test_a_renewal_counts_from_before_it_was_asked_for():
    """An answer that was long on its way is worth less."""
    held = Surroundings()
    assert held.renew() == leases.LEASE_S

    def slow():
        held.now_s += 4.0
        return OPEN

    held.lease._ask = slow
    assert held.renew() == leases.LEASE_S - 4.0


def test_closed_is_closed_at_once():
    """Whoever is told so stops before it must."""
    held = Surroundings()
    held.renew()
    held.terms = CLOSED
    assert held.renew(after_s=5.0) == 0.0
    held.terms = None
    assert held.renew() == 0.0


def test_a_lost_store_alone_never_stops_a_healthy_writer():
    """As long as whoever could give it up keeps saying that nobody does."""
    held = Surroundings()
    held.renew()
    held.reachable = False
    for _ in range(100):
        held.pledged = (OPEN, held.now_s + wire_contract.PLEDGE_S)
        assert held.renew(after_s=5.0) == leases.LEASE_S


def test_a_pledge_is_worth_no_more_than_what_is_left_of_it():
    """Less what the clocks of two machines may be apart."""
    held = Surroundings()
    held.renew()
    held.reachable, held.pledged = False, (OPEN, held.now_s + 22.0)
    left = [held.renew(after_s=5.0) for _ in range(4)]
    assert left == [12.0, 7.0, 2.0, 0.0]


def test_a_holder_that_is_alone_stops_when_its_lease_runs_out():
    """Neither the table nor the pledge can be read: somebody may have been put in our place."""
    held = Surroundings()
    held.renew()
    held.reachable = False
    left = [held.renew(after_s=5.0) for _ in range(4)]
    assert left == [10.0, 5.0, 0.0, 0.0]


def test_no_epoch_goes_back():
    """A table, or a pledge, that was restored to before a failover brings no lease back."""
    around = Surroundings()
    around.terms = {**CLOSED, "epoch": 4}
    assert around.renew() == 0
    around.terms = OPEN
    assert around.renew(5) == 0
    around.reachable, around.pledged = False, (OPEN, around.now_s + 1000)
    assert around.renew(5) == 0
    around.reachable, around.terms = True, {**OPEN, "epoch": 5}
    assert around.renew(5) == leases.LEASE_S


def test_a_refusal_is_no_outage():
    """A role, a key, a policy: the table is there, and whoever it refuses may be meant to stop."""
    held = Surroundings()
    held.renew()
    held.refuses, held.pledged = True, (OPEN, 1e9)
    left = [held.renew(after_s=5.0) for _ in range(4)]
    assert left == [10.0, 5.0, 0.0, 0.0]


def test_who_was_away_goes_on_only_by_a_word_that_holds():
    """A Region that comes back while the store is down was perhaps given up meanwhile."""
    held = Surroundings()
    held.renew()
    held.reachable = False
    assert held.renew(after_s=600.0) == 0.0
    held.pledged = (CLOSED, held.now_s + wire_contract.PLEDGE_S)
    assert held.renew(after_s=5.0) == 0.0
    held.pledged = ({**OPEN, "epoch": 4, "side": "standby"}, held.now_s + wire_contract.PLEDGE_S)
    assert held.renew() == leases.LEASE_S
    assert (held.lease.held()["side"], held.lease.held()["epoch"]) == ("standby", 4)


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 30.0), st.sampled_from(["reached", "silent", "refuses"]), st.booleans()
        ),
        max_size=60,
    ),
    st.integers(0, 60),
)
def test_nobody_holds_longer_than_a_lease_after_both_were_closed(steps, close_at):
    """Whatever happens to the store and to the pledge, in whatever order."""
    held, closed_s = Surroundings(), None
    held.pledged = (OPEN, held.now_s + wire_contract.PLEDGE_S)
    held.renew()
    for number, (after_s, store, pledge) in enumerate(steps):
        if number >= close_at and closed_s is None:
            held.terms, closed_s = CLOSED, held.now_s
        terms = OPEN if closed_s is None else CLOSED
        held.pledged = (terms, held.now_s + after_s + wire_contract.PLEDGE_S) if pledge else None
        held.reachable, held.refuses = store == "reached", store == "refuses"
        left_s = held.renew(after_s)
        if closed_s is not None and left_s > 0:
            assert held.now_s + left_s <= closed_s + wire_contract.LEASE_S + 1e-6


def test_a_guard_refuses_without_a_lease_that_holds(tmp_path, monkeypatch):
    """No file, half a file, a lease that has run out, a lease of another epoch."""
    file, now_s = tmp_path / "lease", 50.0
    monkeypatch.setattr(leases, "now_s", lambda: now_s)
    guard = leases.Guard(str(file))
    for content in (None, "", "{", '{"until_s": 60}', '{"until_s": 50.0, "epoch": 1}', "[]"):
        if content is not None:
            file.write_text(content)
        with pytest.raises(leases.NotAllowedError):
            guard.epoch()
    leases.write(str(file), {"until_s": 60.0, "epoch": 1})
    assert guard.epoch() == 1
    guard.still(1)
    with pytest.raises(leases.NotAllowedError, match="moved meanwhile"):
        guard.still(0)


@pytest.mark.parametrize("token", [None, "a/session+token=="])
def test_a_signature_is_what_the_sdk_would_have_signed(token):
    """Byte for byte, with and without a session."""
    keys = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    url, body = "https://dynamodb.us-west-2.amazonaws.com/", b'{"TableName": "x"}'
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB.GetItem"}
    told("POST", url, headers, body, "dynamodb", keys)
    digest = hashlib.sha256(b"").hexdigest()
    url = "https://pledges.s3.us-west-2.amazonaws.com/pledge.json"
    told("GET", url, {"X-Amz-Content-Sha256": digest}, b"", "s3", keys)


def told(method, url, headers, body, service, keys):
    """Hold one signature of ours against the SDK's."""
    token = keys[2]
    ours = aws.sign(url, headers, body, "us-west-2", service, keys, method=method)
    request = AWSRequest(method, url, data=body, headers={**headers, "Host": ours["Host"]})
    sdks = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = sdks(Credentials(*keys), service, "us-west-2")
    request.context["timestamp"] = ours["X-Amz-Date"]
    request.headers["X-Amz-Date"] = ours["X-Amz-Date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    text = auth.string_to_sign(request, auth.canonical_request(request))
    assert ours["Authorization"].endswith(f"Signature={auth.signature(text, request)}")


def test_where_no_lease_is_kept_nobody_is_stopped(tmp_path):
    """A table of one Region must not stop the other; a path is a lease to ask for."""
    unguarded = leases.guard_of("none")
    assert unguarded.epoch() == 0
    unguarded.still(0)
    with pytest.raises(leases.NotAllowedError):
        leases.guard_of(str(tmp_path / "lease")).epoch()
