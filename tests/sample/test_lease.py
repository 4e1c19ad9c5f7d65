"""The lease by itself: who may go on, who must stop, and nobody twice."""

import sys
from importlib.resources import files
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from otherside.core import names

sys.path.insert(0, str(Path(str(files("otherside"))) / "sample"))
import aws
import lease as leases

OPEN = {"open": True, "epoch": 3, "side": "primary"}
CLOSED = {**OPEN, "open": False}


class Surroundings:
    """A store, a peer and a clock, for one holder."""

    def __init__(self):
        self.now_s, self.terms, self.reachable, self.peer_blind = 100.0, OPEN, True, False
        self.lease = leases.Lease(self.ask, lambda: self.peer_blind, lambda: self.now_s)

    def ask(self):
        """Answer as the state table would."""
        if not self.reachable:
            raise OSError
        return self.terms

    def renew(self, after_s=0.0):
        """Renew after a while; return for how long it holds from now on."""
        self.now_s += after_s
        return max(0.0, self.lease.renew()["until_s"] - self.now_s)


def test_the_clocks_of_both_sides_are_the_same():
    """The application counts by the seconds that the orchestrator waits."""
    assert (leases.LEASE_S, leases.RENEW_S) == (names.LEASE_S, names.RENEW_S)


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
    """As long as the other side says that it is lost there too."""
    held = Surroundings()
    held.renew()
    held.reachable, held.peer_blind = False, True
    assert all(held.renew(after_s=5.0) > 0 for _ in range(100))


def test_a_holder_that_is_alone_stops_when_its_lease_runs_out():
    """The other side sees the store, or says nothing: somebody may have been put in our place."""
    held = Surroundings()
    held.renew()
    held.reachable = False
    left = [held.renew(after_s=5.0) for _ in range(4)]
    assert left == [10.0, 5.0, 0.0, 0.0]


def test_who_was_away_does_not_go_on_by_the_peers_word():
    """A Region that comes back while the store is down was perhaps given up meanwhile."""
    held = Surroundings()
    held.renew()
    held.reachable, held.peer_blind = False, True
    assert held.renew(after_s=600.0) == 0.0
    assert held.renew(after_s=5.0) == 0.0
    held.reachable = True
    assert held.renew(after_s=5.0) == leases.LEASE_S


@given(
    st.lists(
        st.tuples(st.floats(0.1, 30.0), st.booleans(), st.booleans(), st.booleans()), max_size=60
    )
)
def test_nobody_holds_longer_than_a_lease_after_it_was_closed(steps):
    """Whatever happens to the store and to what the peer says, if the peer does not lie."""
    held, closed_s = Surroundings(), None
    held.renew()
    for after_s, reachable, blind, close in steps:
        if close and closed_s is None:
            held.terms, closed_s = CLOSED, held.now_s
        # Whoever closes it reached the store: from then on, no honest peer calls it lost for
        # longer than its word may be old.
        honest = closed_s is None or held.now_s + after_s - closed_s <= leases.PEER_AGE_S
        held.reachable, held.peer_blind = reachable, blind and honest
        left_s = held.renew(after_s)
        if closed_s is not None and left_s > 0:
            assert held.now_s + left_s <= closed_s + names.LEASE_S + 1e-6


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
    ours = aws.sign(url, headers, body, "us-west-2", "dynamodb", keys)
    request = AWSRequest("POST", url, data=body, headers={**headers, "Host": ours["Host"]})
    auth = SigV4Auth(Credentials(*keys), "dynamodb", "us-west-2")
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
