"""The orchestrator's word beside the table: who may give it, over what, and until when."""

from dataclasses import replace

import pytest

from failover.account_builders import POLICY, world_of
from otherside.core.topology import Side
from otherside.core.wire_contract import PLEDGE_KEY, PLEDGE_S, ItemType
from otherside.failover.aws.pledge import Pledge, Pledges, StoredPledge
from otherside.failover.controller import Tick, reconcile_once
from otherside.failover.decision.decide import LeaseTerms
from otherside.failover.decision.state import first
from otherside.failover.ports import ConflictError, UnavailableError

OPEN = LeaseTerms(side=Side.PRIMARY, epoch=0, open=True)
CLOSED = LeaseTerms(side=Side.PRIMARY, epoch=1, open=False)


@pytest.fixture
def pledges(cloud):
    """The pledge of the account."""
    return Pledges(
        cloud.clients.s3(cloud.settings.standby_region),
        bucket=cloud.settings.pledge_bucket,
        clock=cloud.clock,
    )


def word(**changes):
    """Return a pledge."""
    known = {
        "side": Side.PRIMARY,
        "epoch": 0,
        "open": True,
        "until_s": 100.0,
        "revision": 1,
        "author": "orchestrator",
    }
    return Pledge(**{**known, **changes})


def put(cloud, body):
    """Put something where the pledge lies."""
    cloud.objects.put_object(Bucket=cloud.settings.pledge_bucket, Key=PLEDGE_KEY, Body=body)


@pytest.mark.parametrize(("now_s", "holds"), [(0.0, True), (105.0, True), (105.1, False)])
def test_a_word_holds_until_its_moment_and_as_long_as_clocks_may_differ(now_s, holds):
    """Whoever gives a side up waits for the slowest clock."""
    assert word().holds(now_s, 5.0) is holds
    assert not word(open=False).holds(now_s, 5.0)


def test_a_word_is_given_over_the_one_that_was_read(pledges):
    """Of two, the second is told."""
    nothing = pledges.read()
    assert nothing == StoredPledge(pledge=None, version=None)
    kept = pledges.write(word(), nothing)
    assert pledges.read() == kept
    with pytest.raises(ConflictError):
        pledges.write(word(epoch=5), nothing)
    with pytest.raises(ConflictError):
        pledges.write(word(epoch=5), replace(kept, version='"another"'))
    assert pledges.write(word(epoch=6), kept).pledge.epoch == 6
    assert pledges.read().pledge.epoch == 6


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"schema": 99}', b"\xff"])
def test_what_cannot_be_read_is_no_word_and_is_written_over(cloud, pledges, body):
    """Lease agents go by nothing then; and the orchestrator writes it anew."""
    put(cloud, body)
    kept = pledges.read()
    assert kept.pledge is None
    assert kept.version is not None
    assert pledges.keep(OPEN, 1, 10.0, kept).pledge == word(until_s=10.0 + PLEDGE_S)


def test_it_says_what_the_lease_says_from_when_the_world_was_looked_at(pledges):
    """A frozen function gives nothing but an old word."""
    kept = pledges.keep(OPEN, 1, 1000.0, pledges.read())
    assert kept.pledge.until_s == 1000.0 + PLEDGE_S
    same = pledges.keep(OPEN, 1, 1001.0, kept)
    assert same == kept
    later = pledges.keep(OPEN, 1, 1000.0 + PLEDGE_S / 2 + 1, kept)
    assert later.pledge.until_s > kept.pledge.until_s
    closed = pledges.keep(CLOSED, 2, 1100.0, later)
    assert not closed.pledge.open
    assert pledges.keep(CLOSED, 2, 9000.0, closed) == closed


def test_an_earlier_revision_gives_no_word(pledges):
    """Whoever knows more has spoken."""
    kept = pledges.keep(CLOSED, 2, 10.0, pledges.read())
    assert pledges.keep(OPEN, 1, 20.0, kept) == kept
    assert not pledges.read().pledge.open


def test_a_new_table_counts_its_revisions_anew_and_is_told_by_its_epoch(pledges):
    """After a lost table was adopted, its first revisions replace the pledge of before the loss."""
    kept = pledges.keep(CLOSED, 50, 10.0, pledges.read())
    assert pledges.keep(OPEN, 3, 20.0, kept) == kept
    adopted = replace(OPEN, epoch=CLOSED.epoch + 1)
    assert pledges.keep(adopted, 3, 20.0, kept).pledge.open


def test_a_lost_race_is_something_that_could_not_be_done(pledges):
    """The next look tries again."""
    nothing = pledges.read()
    pledges.write(word(), nothing)
    with pytest.raises(UnavailableError):
        pledges.keep(OPEN, 9, 50.0, nothing)


@pytest.mark.parametrize(
    ("known", "bridged"),
    [
        (word(until_s=1010.0), True),
        (word(until_s=1000.0 + PLEDGE_S), False),  # holds for long enough
        (word(until_s=999.0), False),  # has run out: it may have been meant to
        (word(until_s=1010.0, open=False), False),
        (word(until_s=1010.0, author="ada"), False),  # a person's is a person's
        (None, False),
    ],
)
def test_whoever_cannot_commit_lets_a_word_that_holds_hold_on(cloud, pledges, known, bridged):
    """And gives none that was not there."""
    cloud.clock.at_s = 1000.0
    if known is not None:
        pledges.write(known, pledges.read())
    pledges.extend_pledge()
    left = pledges.read().pledge
    if bridged:
        assert left == replace(known, until_s=1000.0 + PLEDGE_S)
    else:
        assert left == known


def closed(cloud):
    """Close the lease in the table, and return the world's view of it."""
    kept = {"side": {"S": "primary"}, "epoch": {"N": "0"}, "open": {"BOOL": False}}
    cloud.put(ItemType.LEASE, "newest", kept)
    world = world_of(cloud)
    world._skew_s = 5.0
    return world.observe(first(0.0)).lease


def test_a_lease_is_closed_only_where_the_word_is(cloud, pledges):
    """A agent that the table does not reach may still go by it."""
    now_s = cloud.clock.at_s
    assert not closed(cloud).open, "nobody ever gave one"
    kept = pledges.write(word(until_s=now_s + 50), pledges.read())
    assert closed(cloud).open
    kept = pledges.write(word(until_s=now_s - 4), kept)
    assert closed(cloud).open, "a slower clock may not have come so far"
    kept = pledges.write(word(until_s=now_s - 6), kept)
    assert not closed(cloud).open
    pledges.write(word(until_s=now_s + 50, open=False), kept)
    assert not closed(cloud).open


def test_a_word_that_nobody_can_read_may_be_one_that_holds(cloud):
    """Then nobody promotes."""
    cloud.settings = replace(cloud.settings, pledge_bucket="nobodys")
    assert closed(cloud).open


def test_a_look_gives_the_word_that_it_committed(cloud):
    """Lease and pledge say the same."""
    done = reconcile_once(world_of(cloud), POLICY)
    assert isinstance(done, Tick)
    assert done.failed == ()
    given = cloud.pledged()
    assert (given["side"], given["epoch"], given["open"]) == ("primary", 0, True)
    assert given["until_s"] == pytest.approx(cloud.clock.at_s + PLEDGE_S)
