"""The state table read and written by the real ledger: majorities, conditions, broken items."""

import json
import time

import pytest

from failover.account_builders import POLICY, world_of
from otherside.core.topology import Side
from otherside.core.wire_contract import LEASE_SORT, ItemType, revision_sort
from otherside.failover.aws.record import SCHEMA
from otherside.failover.aws.state_store import NOTICE_LATE_S, StateStore
from otherside.failover.controller import Tick, reconcile_once
from otherside.failover.decision.decide import LeaseTerms, decide
from otherside.failover.decision.observation import Command, Order
from otherside.failover.decision.state import Intent, first
from otherside.failover.ports import ConflictError, UnavailableError

OPEN = LeaseTerms(side=Side.PRIMARY, epoch=0, open=True)
CLOSED = LeaseTerms(side=Side.PRIMARY, epoch=1, open=False)


@pytest.fixture
def store(cloud):
    """The table's ledger, with one committed revision."""
    assert isinstance(reconcile_once(world_of(cloud), POLICY), Tick)
    return ledger_of(cloud)


def ledger_of(cloud, skew_s=1e6):
    """Return a ledger over the account's table."""
    return StateStore(
        cloud.clients.dynamodb(cloud.settings.standby_region),
        table=cloud.settings.state_table,
        application=cloud.settings.application,
        clock=cloud.clock,
        code="c",
        skew_s=skew_s,
    )


def command(author="ada", order=Order.APPROVE, **more):
    """Return an order."""
    return Command(order=order, revision=1, author=author, at_s=more.pop("at_s", 5.0), **more)


def intent(attempt=1):
    """Return an intent of the first epoch."""
    return Intent(
        epoch=1,
        attempt=attempt,
        move="failover",
        target=Side.STANDBY,
        not_after_s=0.0,
        free_from_s=0.0,
    )


def test_everything_is_read_from_a_majority(cloud):
    """An eventual read returns what was: a lease that is closed as open, an older revision."""
    reconcile_once(world_of(cloud), POLICY)
    reads = [call for call in cloud.calls if call.operation in {"Query", "GetItem"}]
    assert reads
    assert all(read.params["ConsistentRead"] is True for read in reads)


def test_every_revision_is_added_under_a_condition(cloud):
    """Never written over, whoever looks at the same time."""
    reconcile_once(world_of(cloud), POLICY)
    added = [call for call in cloud.calls if call.operation == "PutItem"]
    assert [call.params["ConditionExpression"] for call in added] == [
        "attribute_not_exists(#partition)"
    ]


@pytest.mark.parametrize(("away_s", "right"), [(0.0, True), (1.0, True), (9.0, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_time_is_counted_by_a_clock_that_agrees_with_the_stores(cloud, store, away_s, right, sign):
    """Half of what two clocks may be apart, each way."""
    assert store.newest().revision == 1
    cloud.clock.at_s = time.time() + sign * away_s
    if right:
        assert ledger_of(cloud, skew_s=5.0).newest().revision == 1
    else:
        with pytest.raises(UnavailableError, match="our clock and the store's are"):
            ledger_of(cloud, skew_s=5.0).newest()


def test_an_item_of_a_newer_version_is_nobodys_to_read(cloud, store):
    """An older function beside a newer table decides nothing, and says why."""
    key = {
        "application": {"S": cloud.settings.application},
        "revision": {"S": revision_sort(1)},
    }
    cloud.table.update_item(
        TableName=cloud.settings.state_table,
        Key=key,
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "schema"},
        ExpressionAttributeValues={":s": {"N": str(SCHEMA + 1)}},
    )
    with pytest.raises(UnavailableError, match=r"newest revision .*newer"):
        store.newest()


def test_an_earlier_revision_cannot_undo_what_a_later_one_said(cloud, store):
    """Both revisions are the table's own."""
    cloud.table.put_item(
        TableName=cloud.settings.state_table,
        Item={
            "application": {"S": cloud.settings.application},
            "revision": {"S": revision_sort(2)},
        },
    )
    store.set_lease(CLOSED, 2)
    store.set_lease(OPEN, 1)
    assert store.lease()[1] == CLOSED


@pytest.mark.parametrize("spoke", [{"N": "77"}, {"NULL": True}, {"N": "1.5"}])
def test_a_lease_of_another_table_or_a_broken_one_is_made_anew(cloud, store, spoke):
    """A restore leaves what a later revision said; nobody must hang on it for ever."""
    kept = {"side": {"S": "primary"}, "epoch": {"N": "0"}, "open": {"BOOL": True}, "spoke": spoke}
    cloud.put(ItemType.LEASE, "newest", kept)
    store.set_lease(CLOSED, 1)
    assert store.lease()[1] == CLOSED
    assert cloud.item(ItemType.LEASE, "newest")["spoke"] == {"N": "1"}


def test_a_lease_that_cannot_be_read_is_unknown(cloud, store):
    """And an error that names what was read."""
    cloud.put(ItemType.LEASE, "newest", {"side": {"S": "nowhere"}})
    with pytest.raises(UnavailableError, match="reading the lease"):
        store.lease()


def test_of_two_people_at_once_the_second_is_told_of_the_first(store):
    """And what was overruled leaves a trace."""
    store.order(command("ada"))
    with pytest.raises(ConflictError, match="ada ordered approve meanwhile"):
        store.order(command("bob", Order.DENY))
    assert store.command() == command("ada")
    store.order(command("bob", Order.DENY, at_s=6.0), over=command("ada"))
    assert store.command().author == "bob"


def test_each_order_is_kept_beside_the_newest(cloud, store):
    """Nobody gives an order that nobody can look up."""
    store.order(command("ada", at_s=5.0))
    store.order(command("bob", Order.DENY, at_s=6.0), over=command("ada", at_s=5.0))
    for sort, author in (("given#5.000#ada", "ada"), ("given#6.000#bob", "bob")):
        item = cloud.item(ItemType.COMMAND, sort)
        assert json.loads(item["order"]["S"])["author"] == author


def test_a_freeze_hides_no_order_and_no_order_a_freeze(store):
    """They lie apart."""
    store.order(command("ada"))
    store.order(command("bob", Order.FREEZE, until_s=99.0))
    assert store.command().author == "ada"
    assert store.freeze().until_s == 99.0


def test_a_claim_that_nobody_finished_counts_as_a_call(store):
    """Whoever claimed it may have died after the call."""
    store.claim(intent())
    (attempt,) = store.attempts(1)
    assert (attempt.called, attempt.answer, attempt.refused) == (True, None, False)


@pytest.mark.parametrize(
    ("called", "answer", "refused"),
    [(True, "accepted", False), (True, "AccessDenied", True), (False, None, False)],
)
def test_what_became_of_a_call_is_written_down(store, called, answer, refused):
    """Aurora's own name of its refusal."""
    store.claim(intent())
    store.record_answer(intent(), called=called, answer=answer)
    (attempt,) = store.attempts(1)
    assert (attempt.called, attempt.answer, attempt.refused) == (called, answer, refused)


def test_of_an_attempt_that_nobody_claimed_nothing_is_written_down(store):
    """An answer alone would look like a call."""
    store.record_answer(intent(), called=True, answer="accepted")
    assert store.attempts(1) == ()


def test_attempts_are_those_of_one_epoch(store):
    """The tenth is none of the first."""
    store.claim(intent())
    assert store.attempts(10) == ()
    assert len(store.attempts(1)) == 1


def revise(cloud, revision, *, at_s, notice="n"):
    """Put a revision into the table."""
    entry = {"notice": notice, "urgent": False, "at_s": at_s}
    cloud.table.put_item(
        TableName=cloud.settings.state_table,
        Item={
            "application": {"S": cloud.settings.application},
            "revision": {"S": revision_sort(revision)},
            "entry": {"S": json.dumps(entry)},
        },
    )


def test_people_are_told_of_each_revision_once(cloud, store):
    """From where they were told last, to the newest."""
    for revision in (2, 3, 4):
        revise(cloud, revision, at_s=cloud.clock.at_s)
    assert store.untold(1) == ([], 1)
    assert [item.revision for item in store.untold(4)[0]] == [2, 3, 4]
    store.mark_told(3, 1)
    assert [item.revision for item in store.untold(4)[0]] == [4]


@pytest.mark.parametrize("mark", [None, {"N": "90"}, {"S": "?"}])
def test_a_table_that_forgot_how_far_people_were_told_repeats_nothing_old(cloud, store, mark):
    """Or that remembers a revision of another table: of what is old only the newest is told."""
    cloud.put(ItemType.NOTICE, "told", {"upto": mark} if mark else {})
    long_ago = cloud.clock.at_s - NOTICE_LATE_S - 1
    for revision in (2, 3, 4):
        revise(cloud, revision, at_s=long_ago if revision < 4 else cloud.clock.at_s)
    assert [item.revision for item in store.untold(4)[0]][-1] == 4
    assert 2 not in [item.revision for item in store.untold(4)[0]]


def test_two_functions_do_not_tell_the_same(store):
    """The mark is set over the one that was read."""
    store.mark_told(2, 1)
    with pytest.raises(ConflictError, match="somebody else is telling people"):
        store.mark_told(3, 1)
    store.mark_told(3, 2)


def test_an_agent_that_is_gone_is_forgotten_unless_it_spoke_again(cloud, store):
    """An instance that was replaced leaves its last word behind."""
    cloud.pulse("primary#i-1", app_ok=True)
    at_s = store.pulses()["primary#i-1"].at_s
    store.forget_pulse("primary#i-1", at_s - 1)
    assert "primary#i-1" in store.pulses()
    store.forget_pulse("primary#i-1", at_s)
    assert "primary#i-1" not in store.pulses()


@pytest.mark.parametrize(
    "item",
    [
        {"at_s": {"S": "now"}},
        {"at_s": {"N": "1"}, "app_ok": {"L": []}, "wrote_epoch": {"N": "0.5"}},
        {},
    ],
)
def test_a_pulse_that_cannot_be_read_says_nothing_and_hides_no_other(cloud, store, item):
    """One broken item is one place that is silent."""
    cloud.put(ItemType.PULSE, "primary#broken", item)
    found = store.pulses()
    assert found["primary#broken"].app_ok is None
    assert found["primary#broken"].wrote_epoch is None
    assert found["primary#broken"].at_s < 2
    assert found["primary"].app_ok is True


@pytest.mark.parametrize("text", ["", "{", "[]", '{"order": "dance"}', '{"order": "approve"}'])
def test_an_order_that_cannot_be_read_is_none(cloud, store, text):
    """And a person may give one over it."""
    cloud.put(ItemType.COMMAND, "newest", {"order": {"S": text}})
    assert store.command() is None
    store.order(command())
    assert store.command() == command()


def test_the_first_revision_is_none_that_a_replica_made_up(cloud):
    """An empty table is where everybody begins."""
    state = ledger_of(cloud).newest()
    assert (state.revision, state.anchored) == (0, False)
    assert decide(state, world_of(cloud).observe(first(0.0)), POLICY).state.anchored


@pytest.mark.parametrize(
    ("proof", "read"),
    [
        ({}, (7, 2.5)),
        ({"revision": "12"}, (12, 2.5)),
        ({"loss_s": None}, (7, None)),
        ({"revision": "x"}, None),
        ({"revision": 1e999}, None),
        ({"loss_s": "x"}, None),
        ({"host": None, "query": 5}, (7, 2.5)),
    ],
    ids=["good", "text", "unknown loss", "no number", "endless", "no loss", "no texts"],
)
def test_a_signature_of_wrong_types_never_reaches_the_decision(store, proof, read):
    """Whoever may write the item may write anything; a crash at each tick would be a halt."""
    store.order(command())
    good = {"host": "h", "query": "q", "revision": 7, "loss_s": 2.5}
    store._client.update_item(
        TableName=store._table,
        Key=store._key(ItemType.COMMAND, LEASE_SORT),
        UpdateExpression="SET proofs = :proofs",
        ExpressionAttributeValues={":proofs": {"S": json.dumps([{**good, **proof}])}},
    )
    _, proofs = store.proven_command()
    assert [(found.revision, found.loss_s) for found in proofs] == ([] if read is None else [read])
    assert all(isinstance(found.host, str) and isinstance(found.query, str) for found in proofs)
