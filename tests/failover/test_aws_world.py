"""The real loops over AWS's own shapes: one failover told whole, and everything that can fail."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from botocore.credentials import ReadOnlyCredentials

from failover.account_builders import (
    POLICY,
    Run,
    go_home,
    healthy,
    look,
    lose_the_primary,
    tell,
    until,
    world_of,
)
from failover.decision.observation_builders import dead
from failover.fake_aws import fake_aws, witness_settings
from otherside.core.topology import Side
from otherside.core.wire_contract import ItemType, revision_sort
from otherside.failover import handlers
from otherside.failover.actuator import actuate
from otherside.failover.aws.adapter import AwsAdapter
from otherside.failover.aws.caller_proof import prove, subject
from otherside.failover.aws.record import UnreadableError, state_from_text, state_to_text
from otherside.failover.aws.state_store import PULSE_KEPT_S, HealthReport, StateStore
from otherside.failover.controller import reconcile_once
from otherside.failover.decision.decide import LeaseTerms, decide
from otherside.failover.decision.observation import Command, Order, Reading
from otherside.failover.decision.state import Phase, first
from otherside.failover.ports import ConflictError, RefusedError, UnavailableError


@pytest.fixture
def cloud(monkeypatch):
    """An account."""
    with fake_aws(monkeypatch) as made:
        yield made


@pytest.mark.slow
def test_going_home_is_a_switchover_asked_for_in_the_writers_region(cloud):
    """And nothing in it may lose data."""
    tell(cloud)
    cloud.aurora.lost.clear()
    go_home(cloud, POLICY)
    move = next(call for call in cloud.calls if call.operation == "SwitchoverGlobalCluster")
    assert (move.region, move.params["TargetDbClusterIdentifier"]) == (
        "us-west-2",
        cloud.settings.primary_cluster_arn,
    )
    assert "AllowDataLoss" not in move.params


def test_a_revision_that_exists_is_nobodys_to_write_again(cloud):
    """Compare and set, on the table's own condition."""
    item, other = world_of(cloud), world_of(cloud)
    state, observation = item.load_state(), item.observe(first(0.0))
    decision = suspecting(state, observation)
    item.commit(decision, observation)
    with pytest.raises(ConflictError, match="rev#0000000001 exists already"):
        other.commit(decision, observation)


def suspecting(state, observation):
    """Return a decision that makes a revision."""
    made = decide(state, replace(dead(observation.at_s)), POLICY)
    assert made.changed
    return made


def test_a_claim_is_had_once(cloud):
    """Two actuators, one attempt."""
    cloud.lived_s = cloud.clock.at_s
    healthy(cloud)
    lose_the_primary(cloud)
    done = until(cloud, Phase.PROMOTE_INTENT)
    assert cloud.said == "asked for a failover to standby as 1.1; raised the standby's capacity"
    cloud.aurora.failover = None
    assert "1.1 is being carried out already" in actuate(world_of(cloud), POLICY)
    assert cloud.called("rds").count(("FailoverGlobalCluster", "us-west-2")) == 1
    cloud.clock.at_s = done.decision.state.intent.not_after_s + 1
    assert "expired" in actuate(world_of(cloud), POLICY)


def test_what_aurora_answers_is_told_by_its_code_and_never_by_its_words(cloud):
    """Outcomes are for the next look; messages may name what does not belong into a log."""
    cloud.lived_s = cloud.clock.at_s
    healthy(cloud)
    lose_the_primary(cloud)
    cloud.aurora.refuses = "InvalidGlobalClusterStateFault"
    until(cloud, Phase.PROMOTE_INTENT)
    assert "asking for a failover: InvalidGlobalClusterStateFault" in cloud.said
    assert "secret words" not in cloud.said
    assert cloud.called("rds").count(("FailoverGlobalCluster", "us-west-2")) == 1, (
        "no hidden repeat"
    )


def test_a_later_revisions_terms_are_not_undone_by_an_earlier_one(cloud):
    """A decider that thaws late leaves the lease alone."""
    store = world_of(cloud)._ledger
    for revision in (6, 7):
        revise(cloud, revision)
    store.set_lease(LeaseTerms(side=Side.PRIMARY, epoch=1, open=False), 7)
    store.set_lease(LeaseTerms(side=Side.PRIMARY, epoch=0, open=True), 6)
    assert store.lease()[1] == LeaseTerms(side=Side.PRIMARY, epoch=1, open=False)


def test_a_clock_that_is_wrong_is_not_counted_by(cloud):
    """The store's answers carry a time; minutes apart, nothing is decided."""
    cloud.clock.at_s += 60.0
    world = AwsAdapter(
        cloud.settings, clients=cloud.clients, clock=cloud.clock, code="c", skew_s=5.0
    )
    said = reconcile_once(world, POLICY).why
    assert "our clock and the store's are" in said
    assert "apart" in said


def test_a_function_that_froze_after_its_look_commits_nothing(cloud, monkeypatch):
    """What was so then is no ground for a step now."""
    cloud.lived_s = cloud.clock.at_s
    lose_the_primary(cloud)
    cloud.pulse("standby", reads_ok=True, beat_s=cloud.clock.at_s - 60, lag_max_s=0.2)
    cloud.pulse("primary", writes_ok=False, wrote_s=0.0, wrote_epoch=0)
    cloud.clock.at_s += 10
    world = world_of(cloud)
    seen = world.observe

    def frozen(state):
        observation = seen(state)
        cloud.clock.at_s += 120
        return observation

    monkeypatch.setattr(world, "observe", frozen)
    assert reconcile_once(world, POLICY).why == "the look is too old to be committed"
    assert cloud.revisions() == []


def revise(cloud, revision, **more):
    """Put a revision into the table, as if it had been committed."""
    state = replace(first(0.0), revision=revision)
    cloud.table.put_item(
        TableName=cloud.settings.state_table,
        Item={
            "application": {"S": cloud.settings.application},
            "revision": {"S": revision_sort(revision)},
            "state": {"S": state_to_text(state)},
            **more,
        },
    )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"revision": 1}',
        '{"revision": 1, "phase": "lost", "since_s": 0, "writer": "primary"}',
    ],
)
def test_a_revision_that_nobody_can_read_stops_everything(cloud, text):
    """It is said, and nothing is begun over it."""
    with pytest.raises(UnreadableError):
        state_from_text(text)
    cloud.table.put_item(
        TableName=cloud.settings.state_table,
        Item={
            "application": {"S": cloud.settings.application},
            "revision": {"S": revision_sort(1)},
            "state": {"S": text},
        },
    )
    said = reconcile_once(world_of(cloud), POLICY).why
    assert said.startswith("the newest revision is not one of ours")


def test_a_state_survives_the_table_whatever_version_wrote_it():
    """What a later version added is ignored; what it lacks has its default."""
    state = replace(first(5.0), phase=Phase.FENCING, latched=True, loss_estimate_s=1.5)
    text = state_to_text(state)
    assert state_from_text(text) == state
    later = json.dumps({**json.loads(text), "added_later": 1})
    assert state_from_text(later) == state
    earlier = {name: value for name, value in json.loads(text).items() if name != "latched"}
    assert state_from_text(json.dumps(earlier)).latched is False


def test_an_order_that_is_none_is_no_order(cloud):
    """Whoever writes nonsense there orders nothing."""
    cloud.put(ItemType.COMMAND, "newest", {"order": {"S": '{"order": "dance"}'}})
    assert world_of(cloud)._ledger.command() is None
    cloud.put(ItemType.COMMAND, "newest", {"order": {"S": "{"}})
    assert world_of(cloud)._ledger.command() is None
    cloud.order("approve", "three", at_s="now")
    assert world_of(cloud)._ledger.command() is None
    cloud.order("approve", 3)
    assert world_of(cloud)._ledger.command().order is Order.APPROVE


@pytest.mark.parametrize(
    ("change", "name", "reading"),
    [
        ({"standby_version": "17.5"}, "versions_match", False),
        ({"instances": 0}, "follower_has_instance", False),
    ],
)
def test_what_makes_a_promotion_impossible_is_seen_before(cloud, change, name, reading):
    """A headless or older standby."""
    for key, value in change.items():
        setattr(cloud.aurora, key, value)
    observation = world_of(cloud).observe(first(0.0))
    assert getattr(observation.database, name) is reading


def test_what_cannot_be_seen_is_unknown_and_no_error(cloud):
    """Control planes that are away, names that do not resolve."""
    cloud.aurora.lost |= {"us-east-2", "us-west-2"}
    cloud.names.clear()
    observation = world_of(cloud).observe(first(0.0))
    assert observation.database is None
    assert observation.users_on is None
    assert observation.signals.control_plane.reading is Reading.BAD
    assert observation.signals.self_test.reading is Reading.BAD
    assert observation.signals.heartbeat.reading is Reading.UNKNOWN
    assert observation.signals.dns_health.reading is Reading.UNKNOWN
    assert observation.replication is None


def test_a_topic_that_is_away_keeps_nothing_from_happening(cloud):
    """People are told later; the latch and the lease do not wait for them."""
    cloud.lived_s = cloud.clock.at_s
    healthy(cloud)
    lose_the_primary(cloud)
    topic = cloud.settings.topic_arn
    broken = replace(cloud.settings, topic_arn=topic + "-gone")
    good, cloud.settings = cloud.settings, broken
    done = until(cloud, Phase.SUSPECT)
    assert done.failed == ("telling people: NotFound",)
    assert "FailoverActive" in cloud.metrics()
    cloud.settings = good
    look(cloud)
    assert "suspect" in cloud.raw()[0]["Subject"]


def test_one_run_keeps_looking_while_anything_is_under_way(cloud, capsys):
    """Every few seconds, until its time is nearly over; in calm, once."""
    cloud.lived_s = cloud.clock.at_s
    healthy(cloud)
    run = Run(cloud.clock, 58.0)
    arguments = (POLICY, run, cloud.clock, cloud.settings, "c")
    assert handlers.look_until_calm(world_of(cloud), *arguments)["looks"] == 1
    lose_the_primary(cloud)
    cloud.clock.at_s += 30.0
    cloud.pulse("standby", reads_ok=True, beat_s=cloud.lived_s, lag_max_s=0.2)
    run = Run(cloud.clock, 58.0)
    arguments = (POLICY, run, cloud.clock, cloud.settings, "c")
    done = handlers.look_until_calm(world_of(cloud), *arguments)
    assert done["looks"] >= 10
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[1]["phase"] == "suspect"
    assert lines[1]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Otherside"
    assert lines[1]["SteadySeconds"] >= 0
    assert all(name in line for line in lines for name in ("event_id", "reason", "code", "Looks"))
    assert "confirming region-dead" in lines[4]["reason"]


def test_the_witness_tells_what_users_see_from_there(cloud):
    """Works, does not work, or cannot tell: a place that sees nothing at all says so."""
    known = witness_settings()
    store = StateStore(
        cloud.clients.dynamodb(known.state_region),
        table=known.state_table,
        application=known.application,
        clock=cloud.clock,
        code="c",
        skew_s=0.0,
    )
    for canary, outside, said in [
        (Reading.GOOD, True, True),
        (Reading.BAD, True, False),
        (Reading.BAD, False, None),
    ]:
        cloud.readings["canary"] = canary
        if not outside:
            cloud.names.clear()
        run, woken = Run(cloud.clock, 73.0), []
        watched = handlers.watch_for_a_while(
            store, known, run, cloud.clock, wake=lambda woken=woken: woken.append(1)
        )
        assert watched["pulses"] == 6
        assert store.pulses()["witness"].writes_ok is said
        assert len(woken) == (said is False)  # by the first probe that fails, once


def test_a_witness_to_whom_nobody_answers_ends_in_time(cloud, monkeypatch):
    """A drill found a run that was cut off while everything hung: that is no failure of its own."""

    def hanging(seconds, answer):
        def wait(*_):
            cloud.clock.at_s += seconds
            return answer

        return wait

    class Deaf:
        """A store that takes its longest, and then does not answer."""

        def put_pulse(self, *_):
            cloud.clock.at_s += 8.0
            raise UnavailableError("nobody answers")

    monkeypatch.setattr(handlers.http_probes, "ask", hanging(3.0, Reading.BAD))
    monkeypatch.setattr(handlers.http_probes, "sees_outside", hanging(2.0, Reading.BAD))
    run = Run(cloud.clock, 73.0)
    handlers.watch_for_a_while(
        Deaf(), witness_settings(), run, cloud.clock, wake=lambda: pytest.fail("it saw nothing")
    )
    assert run.get_remaining_time_in_millis() > 0


def test_the_decider_is_woken_though_no_pulse_can_be_written_and_until_it_is(cloud):
    """A lost Region is when the table is slow, too; a wake-up that fails is tried again."""

    class Deaf:
        """A store that answers nobody."""

        def put_pulse(self, *_):
            raise UnavailableError("nobody answers")

    tried = []

    def wake():
        tried.append(cloud.clock.at_s)
        if len(tried) < 3:
            raise UnavailableError("nobody is woken")

    cloud.readings["canary"] = Reading.BAD
    run = Run(cloud.clock, 73.0)
    watched = handlers.watch_for_a_while(Deaf(), witness_settings(), run, cloud.clock, wake=wake)
    assert watched["pulses"] == 0
    assert len(tried) == 3


def test_the_table_keeps_a_pulse_as_it_was_given(cloud):
    """Numbers, yes and no, and what nobody said."""
    store = world_of(cloud)._ledger
    pulse = HealthReport(at_s=5.5, writes_ok=False, wrote_epoch=3, wrote_s=4.25)
    store.put_pulse("primary", pulse)
    assert store.pulses() == {"primary": pulse}


def test_without_a_majority_nothing_is_decided(cloud):
    """The table says so by an error of its own; the look comes to nothing."""
    cloud.table.delete_table(TableName=cloud.settings.state_table)
    said = reconcile_once(world_of(cloud), POLICY).why
    assert said == "reading the newest revision: ResourceNotFoundException"
    with pytest.raises(UnavailableError):
        world_of(cloud).load_state()


def test_a_far_region_that_does_not_answer_hides_nothing_of_here(cloud):
    """After a failover the other member is where nothing is; the writer is seen all the same."""
    cloud.aurora.writer = Side.STANDBY
    cloud.aurora.lost.add("us-east-2")
    seen = world_of(cloud).observe(first(0.0)).database
    assert (seen.writer, seen.status, seen.resynced) == (Side.STANDBY, "not described", False)


def test_a_pulse_of_the_future_says_nothing(cloud):
    """A clock that is ahead must not keep a dead writer alive."""
    healthy(cloud)
    assert world_of(cloud).observe(first(0.0)).signals.write_pulse.reading is Reading.GOOD
    cloud.clock.at_s -= 60.0
    assert world_of(cloud).observe(first(0.0)).signals.write_pulse.reading is Reading.BAD


def test_a_standby_that_cannot_read_knows_no_heartbeat(cloud):
    """Our own blindness is no evidence of theirs."""
    old_s = cloud.clock.at_s - 60
    cloud.pulse("standby", reads_ok=True, beat_s=old_s, lag_max_s=0.2)
    assert world_of(cloud).observe(first(0.0)).signals.heartbeat.reading is Reading.BAD
    cloud.pulse("standby", reads_ok=False, beat_s=old_s, lag_max_s=0.2)
    assert world_of(cloud).observe(first(0.0)).signals.heartbeat.reading is Reading.UNKNOWN


def test_an_odd_author_holds_up_no_notice(cloud):
    """What SNS would refuse as a subject is made printable, and short."""
    cloud.lived_s = cloud.clock.at_s
    healthy(cloud)
    lose_the_primary(cloud)
    until(cloud, Phase.SUSPECT)
    cloud.order("switchover", 0, author="a\nb\u00e9" + "x" * 200)
    until(cloud, Phase.FENCING)
    subjects = [item["Subject"] for item in cloud.raw()]
    assert len(subjects) == 2
    assert all(
        len(subject) < 100 and subject.isprintable() and subject.isascii() for subject in subjects
    )


def test_a_pulse_that_cannot_be_deleted_holds_up_no_notice(cloud, monkeypatch):
    """Tidying comes last: what people must hear does not wait for it."""
    cloud.lived_s = cloud.clock.at_s
    healthy(cloud)
    cloud.pulse("primary#i-old", at_s=cloud.clock.at_s - PULSE_KEPT_S - 1, app_ok=True)
    tried = []

    def refuse(_store, place, _at_s):
        tried.append(place)
        raise RefusedError("forgetting an agent that is gone", "AccessDenied")

    monkeypatch.setattr(StateStore, "forget_pulse", refuse)
    lose_the_primary(cloud)
    until(cloud, Phase.SUSPECT)
    assert [item["Subject"] for item in cloud.raw()]
    assert "primary#i-old" in tried


def test_an_order_for_two_people_counts_for_those_whom_sts_names(cloud):
    """What lies in the table is a claim; who signed it is what STS answers, at each look."""
    user = "arn:aws:iam::123456789012:user"
    answers = {"A": f"{user}/ann", "B": f"{user}/bob"}

    def sts(url, _headers):
        key = parse_qs(url.partition("?")[2])["X-Amz-Credential"][0].partition("/")[0]
        return f"<Arn>{answers[key]}</Arn>" if key in answers else None

    settings = replace(cloud.settings, approvers="2")
    world = AwsAdapter(
        settings, clients=cloud.clients, clock=cloud.clock, code="c", skew_s=1e6, send_proof=sts
    )
    store = world._ledger
    endpoint = cloud.clients.sts_endpoint(settings.standby_region)
    known = (settings.application, Order.APPROVE, 0, None)

    def signed(key):
        credentials = ReadOnlyCredentials(key, "x", None)
        return prove(credentials, endpoint, settings.standby_region, subject(*known), 0, None)

    claimed = Command(
        order=Order.APPROVE, revision=0, author="ann and bob", at_s=cloud.clock.now_s()
    )
    claimed = replace(claimed, confirmed_by=("ann", "bob"))
    store.order(claimed)
    assert world.observe(world.load_state()).command.confirmed_by == (), "it only says so"
    for number, (keys, people) in enumerate(((("A",), 1), (("A", "C"), 1), (("A", "B"), 2)), 1):
        given = replace(claimed, at_s=claimed.at_s + number)
        store.order(given, over=store.command(), proofs=[signed(key) for key in keys])
        found = world.observe(world.load_state()).command
        assert len(found.confirmed_by) == people, keys
    alone = world_of(cloud)
    assert alone.observe(alone.load_state()).command.confirmed_by == (), "nobody is asked for one"
