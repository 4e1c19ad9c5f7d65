"""What people run in a disaster: where it stands, and what only they may order."""

import json
import sys
from dataclasses import replace
from importlib.resources import files

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from failover.decision.observation_builders import AUTO, dead
from otherside.cli import main
from otherside.core.topology import Side
from otherside.core.wire_contract import STATE_PARTITION, STATE_SORT
from otherside.failover.aws.aws_clients import AwsClients
from otherside.failover.aws.pledge import EPOCHS_AHEAD, Pledge, Pledges
from otherside.failover.aws.state_store import HealthReport, StateStore
from otherside.failover.clock import SystemClock
from otherside.failover.decision.decide import decide
from otherside.failover.decision.observation import Order
from otherside.failover.decision.state import Phase, first
from otherside.failover.decision.transitions import HEEDED_IN

DESIGN = 'name = "orders"\n[traffic]\ndomain = "orders.example.com"\n'


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """A state table, and a design that leads to it."""
    (tmp_path / "otherside.toml").write_text(DESIGN)
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    with mock_aws():
        keys = [(STATE_PARTITION, "HASH"), (STATE_SORT, "RANGE")]
        boto3.client("dynamodb").create_table(
            TableName="orders-prod-state",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield StateStore(
            AwsClients().dynamodb("us-west-2"),
            table="orders-prod-state",
            application="orders-prod",
            clock=SystemClock(),
            code="test",
            skew_s=60.0,
        )


def stand(ledger, phase, **more):
    """Commit one revision, in some phase."""
    now_s = SystemClock().now_s()
    made = decide(first(now_s), dead(now_s), AUTO)
    state = replace(made.state, phase=phase, entered=1, reason="because", **more)
    ledger.append(replace(made, state=state), dead(now_s))
    return state


def run(*arguments, keys=None):
    """Run a command."""
    return CliRunner().invoke(main, arguments, input=keys)


def test_status_tells_where_it_stands_and_what_each_side_says(ledger):
    """For people, and the same for machines."""
    assert run("status").output.startswith("orders-prod on AWS: steady\n")
    stand(ledger, Phase.SUSPECT)
    ledger.put_pulse(
        "standby", HealthReport(at_s=SystemClock().now_s(), reads_ok=True, lag_max_s=0.3)
    )
    told = run("status").output
    assert told.startswith("orders-prod on AWS: suspect for ")
    unread = json.loads(run("status", "--json").output)["unread"]
    assert "the global database: the decider's settings: ResourceNotFoundException" in unread
    row = next(line for line in told.splitlines() if line.startswith("reports"))
    assert row.split()[:4] == ["reports", "none", "reads", "yes"]
    document = json.loads(run("status", "--json").output)
    assert document["state"]["phase"] == "suspect"
    assert document["revisions"][0]["reason"].startswith("region-dead")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--watch",), "--watch needs a terminal"),
        (("--every", "2"), "--every needs --watch"),
        (("--last", "0"), "--last must be 1 or more"),
    ],
)
@pytest.mark.usefixtures("ledger")
def test_status_refuses_what_it_would_ignore(arguments, words):
    """An option is honoured or refused."""
    done = run("status", *arguments)
    assert (done.exit_code, words in done.output) == (2, True), done.output


def test_history_shows_the_trail_and_bundles_it(ledger, tmp_path):
    """For people, for machines, by phase and by time; the bundle is verified by its digest."""
    stand(ledger, Phase.SUSPECT)
    told = run("history").output
    assert "suspect" in told
    assert "region-dead" in told
    known = json.loads(run("history", "--json", "--since", "1h").output)
    assert [item["revision"] for item in known["revisions"]] == [1]
    assert known["revisions"][0]["facts"]["signals"]
    assert run("history", "--phase", "halted").output == "no revision\n"
    made = run("history", "--bundle", "incident.zip")
    assert made.exit_code == 0, made.output
    digest = next(line for line in made.output.splitlines() if line.startswith("digest "))[7:]
    found = run("verify", "incident.zip", "--digest", digest)
    assert (found.exit_code, "revisions.jsonl" in found.output) == (0, True), found.output
    assert json.loads(run("verify", "incident.zip", "--json").output)["digest"] == digest
    other = run("verify", "incident.zip", "--digest", "0" * 64)
    assert (other.exit_code, "it is another bundle" in other.output) == (1, True)
    content = bytearray((tmp_path / "incident.zip").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "changed.zip").write_bytes(content)
    changed = run("verify", "changed.zip")
    assert changed.exit_code == 1
    assert isinstance(changed.exception, SystemExit), changed.exception


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("history", "--last", "0"), "--last must be 1 or more"),
        (("history", "--since", "soon"), "neither a duration"),
        (("history", "--since", "2026-12-24T18:00"), "neither a duration"),
        (("history", "--bundle", "x.zip", "--last", "3"), "does not take --last"),
        (("verify", "nothing.zip"), "no such file"),
    ],
)
@pytest.mark.usefixtures("ledger")
def test_history_refuses_what_it_would_ignore(arguments, words):
    """An option is honoured or refused."""
    done = run(*arguments)
    assert (done.exit_code, words in done.output) == (2, True), done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--only", "nothing"), "unknown check: nothing; --list prints them all"),
        (("--tag", "app=orders"), "--region belongs to"),
        (("--region", "us-west-2"), "--region belongs to"),
        (("--tag", "a=b", "--global-cluster", "x", "--region", "us-west-2"), "give one"),
        (("--global-cluster", "x", "--region", "r", "--config", "x.toml"), "has no --config"),
        (("--list", "--twin"), "--list asks nobody"),
    ],
)
@pytest.mark.usefixtures("ledger")
def test_readiness_refuses_what_it_would_ignore(arguments, words):
    """An option is honoured or refused."""
    done = run("readiness", *arguments)
    assert (done.exit_code, words in done.output) == (2, True), done.output


def test_readiness_lists_its_checks_without_asking_anybody():
    """For people and for programs."""
    assert "decider-runs " in run("readiness", "--list").output
    known = json.loads(run("readiness", "--list", "--json").output)
    assert len(known) > 20
    assert set(known[0]) == {"code", "title", "why"}


@pytest.mark.usefixtures("ledger")
def test_readiness_of_a_stack_that_was_not_deployed_names_what_is_missing():
    """In one sentence; it is neither ready nor unready."""
    done = run("readiness")
    assert done.exit_code == 3
    assert done.output == "Error: the decider's settings: ResourceNotFoundException\n"


@pytest.mark.usefixtures("ledger")
def test_status_of_a_twin_that_does_not_run_says_how_to_start_one(tmp_path, monkeypatch):
    """By name, or the only one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for arguments in (("--twin",), ("--twin", "orders")):
        done = run("status", *arguments)
        assert (done.exit_code, "otherside twin up" in done.output) == (1, True), done.output


@pytest.mark.parametrize("silent", [False, True])
def test_an_order_is_asked_about_and_given(ledger, silent):
    """With what it means, under the caller's own name, for the revision that was seen."""
    stand(ledger, Phase.AWAIT_APPROVAL)
    for keys in ("n\n", "y\n", "orders\n"):
        assert run("order", "approve", keys=keys).exit_code == 1, "it is confirmed by its name"
    refused = run("order", "approve", keys="n\n")
    assert refused.exit_code == 1
    assert "writes that were not replicated are lost" in refused.output
    assert ledger.command() is None
    given = (
        run("order", "approve", "--yes")
        if silent
        else run("order", "approve", keys="orders-prod\n")
    )
    assert given.exit_code == 0, given.output
    command = ledger.command()
    assert (command.order, command.revision) == (Order.APPROVE, 1)
    assert command.author.startswith("arn:aws:")


def test_a_dry_run_says_what_an_order_would_mean_and_writes_nothing(ledger):
    """The facts, the loss that would be approved, and the consequence."""
    stand(ledger, Phase.AWAIT_APPROVAL, asked_loss_s=3.25)
    done = run("order", "approve", "--dry-run")
    assert done.exit_code == 0, done.output
    for words in ("the writer is on primary", "about 3.2 s of writes", "nothing was written"):
        assert words in done.output
    assert ledger.command() is None
    refused = run("order", "approve", "--dry-run", "--yes")
    assert (refused.exit_code, "leave --yes out" in refused.output) == (2, True)


def test_an_order_is_followed_until_all_is_at_rest(ledger, monkeypatch):
    """Each new revision is shown; a halt is no success, unless it was ordered."""
    monkeypatch.setattr("otherside.cli.order.POLL_S", 0.01)
    state = stand(ledger, Phase.AWAIT_APPROVAL)
    following = []

    def heed(_self, seconds):
        del seconds
        for number, phase, event, entered, writer in following[:1]:
            now_s = SystemClock().now_s()
            made = decide(first(now_s), dead(now_s), AUTO)
            new = replace(
                state,
                revision=number,
                phase=phase,
                entered_by=event,
                entered=entered,
                writer=writer,
                reason="so",
            )
            ledger.append(replace(made, state=new), dead(now_s))
            following.pop(0)

    monkeypatch.setattr(SystemClock, "sleep", heed)
    here, there = Side.PRIMARY, Side.STANDBY
    following[:] = [(2, Phase.AWAIT_APPROVAL, "asking", 1, here)]  # the same phase, only renewed
    following += [
        (3, Phase.FENCING, "allowed", 3, here),
        (4, Phase.FAILED_OVER, "verified", 4, there),
    ]
    done = run("order", "approve", "--yes", "--wait")
    assert done.exit_code == 0, done.output
    assert "  #3 fencing: so\n  #4 failed-over: so\n" in done.output
    following[:] = [(5, Phase.HALTED, "external-move", 5, there)]
    assert run("order", "halt", "--yes", "--wait").exit_code == 0
    following[:] = [(6, Phase.STEADY, "resumed", 6, there)]
    done = run("order", "adopt", "--yes", "--wait")
    assert done.exit_code == 0, done.output


def test_an_order_that_was_heeded_and_failed_is_no_success(ledger, monkeypatch):
    """A precheck fails in the way that the last one did, and the loss has grown meanwhile."""
    monkeypatch.setattr("otherside.cli.order.POLL_S", 0.01)
    state = stand(ledger, Phase.STEADY, entered_by="precheck-failed-at-home")
    following = []

    def heed(_self, seconds):
        del seconds
        for number, phase in following[:1]:
            now_s = SystemClock().now_s()
            made = decide(first(now_s), dead(now_s), AUTO)
            new = replace(state, revision=number, entered=number, phase=phase, reason="so")
            ledger.append(replace(made, state=new), dead(now_s))
            following.pop(0)

    monkeypatch.setattr(SystemClock, "sleep", heed)
    following[:] = [(2, Phase.SWITCH_PRECHECK), (3, Phase.STEADY)]
    assert run("order", "switchover", "--yes", "--wait").exit_code == 1
    following[:] = [(4, Phase.AWAIT_APPROVAL)]
    heed(None, 0)
    following[:] = [(5, Phase.AWAIT_APPROVAL)]
    done = run("order", "approve", "--yes", "--wait")
    assert (done.exit_code, "was not heeded" in done.output) == (1, False), done.output


def test_an_order_that_nobody_heeds_is_said_to(ledger, monkeypatch):
    """After the time in which it counts."""
    monkeypatch.setattr("otherside.cli.order.FOLLOW_S", 0.05)
    monkeypatch.setattr("otherside.cli.order.POLL_S", 0.01)
    stand(ledger, Phase.AWAIT_APPROVAL)
    done = run("order", "approve", "--yes", "--wait")
    assert (done.exit_code, "was not heeded" in done.output) == (1, True), done.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("approve", "--yes"), 1, "the phase is suspect: because"),
        (("freeze", "--yes"), 2, "a freeze needs an end"),
        (("freeze", "--until", "soon", "--yes"), 2, "neither a duration"),
        (("freeze", "--until", "2026-12-24T18:00", "--yes"), 2, "neither a duration"),
        (("switchover", "--until", "2h", "--yes"), 2, "applies only to freeze"),
        (("freeze", "--until", "2h", "--revision", "7", "--yes"), 1, "not in this phase"),
        (("dance",), 2, "is not one of"),
    ],
)
def test_an_order_that_would_mean_nothing_is_not_given(ledger, arguments, code, words):
    """It is said why, and what would mean something."""
    stand(ledger, Phase.SUSPECT)
    done = run("order", *arguments)
    assert (done.exit_code, words in done.output) == (code, True), done.output
    assert ledger.command() is None


def test_an_order_is_told_to_machines(ledger):
    """What was written, or what it would mean; and a machine is never asked anything."""
    stand(ledger, Phase.AWAIT_APPROVAL, asked_loss_s=2.5)
    assert run("order", "approve", "--json").exit_code == 2
    would = json.loads(run("order", "approve", "--json", "--dry-run").output)
    assert (would["phase"], would["loss_s"], would["written"]) == ("await-approval", 2.5, False)
    assert ledger.command() is None
    done = json.loads(run("order", "approve", "--json", "--yes").stdout)
    assert (done["order"], done["revision"], done["written"]) == ("approve", 1, True)
    assert done["author"] == ledger.command().author


def test_a_freeze_has_an_end(ledger):
    """In hours from now, at a moment, or now."""
    stand(ledger, Phase.SUSPECT)
    now_s = SystemClock().now_s()
    for until, expected_s in [
        ("2h", now_s + 7200),
        ("2036-01-01T00:00Z", 2082758400),
        ("now", now_s),
    ]:
        assert run("order", "freeze", "--until", until, "--yes").exit_code == 0
        assert ledger.freeze().until_s == pytest.approx(expected_s, abs=60)
    assert ledger.command() is None, "no other order is hidden by it, and it hides none"


def test_a_switchover_is_scheduled_shown_and_called_off(ledger):
    """It counts from its moment on; the newest order in the table is the only one."""
    stand(ledger, Phase.STEADY)
    at_s = SystemClock().now_s() + 7200
    given = run("order", "switchover", "--at", "2h", "--yes")
    assert (given.exit_code, "if the phase is still steady then" in given.output) == (0, True)
    command = ledger.command()
    assert (command.order, command.at_s) == (Order.SWITCHOVER, pytest.approx(at_s, abs=60))
    shown = json.loads(run("status", "--json").stdout)["next_step"]
    assert f"a switchover that {command.author} scheduled begins" in shown
    again = run("order", "switchover", "--at", "3h", "--yes")
    assert "scheduled a switchover for" in again.output
    assert "this replaces it" in again.output
    assert run("order", "abort", "--yes", "--wait").exit_code == 0
    assert ledger.command().order is Order.ABORT
    nothing = run("order", "abort", "--yes")
    assert (nothing.exit_code, "nothing to call off" in nothing.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("abort", "--at", "2h"), "applies only to switchover"),
        (("switchover", "--at", "tonight"), "neither a duration"),
        (("switchover", "--at", "2026-12-24T18:00"), "neither a duration"),
        (("switchover", "--at", "2020-01-01T00:00Z"), "the next 14 days"),
        (("switchover", "--at", "1000h"), "the next 14 days"),
    ],
)
def test_a_moment_that_is_none_is_refused(ledger, arguments, words):
    """Past, too far, without a zone, or of an order that has none."""
    stand(ledger, Phase.STEADY)
    done = run("order", *arguments, "--yes")
    assert (done.exit_code, words in done.output) == (2, True), done.output
    assert ledger.command() is None


def test_no_approval_helps_against_an_obstacle(ledger):
    """Blocked is not waiting, unless a person had said no."""
    stand(ledger, Phase.BLOCKED)
    assert "an approval does not remove this obstacle" in run("order", "approve", "--yes").output


@pytest.mark.usefixtures("ledger")
def test_without_a_table_or_an_sdk_it_is_said_in_a_line(monkeypatch):
    """And no traceback."""
    boto3.client("dynamodb").delete_table(TableName="orders-prod-state")
    for arguments in (("status",), ("order", "switchover", "--yes")):
        done = run(*arguments)
        assert done.exit_code == 1
        assert "reading the newest revision: ResourceNotFoundException" in done.output
    for name in [module for module in sys.modules if module.startswith("otherside.failover.aws")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "boto3", None)
    done = run("status")
    assert done.exit_code == 2
    assert "pip install '.[operate]'" in done.output


def test_every_order_is_heeded_in_some_phase():
    """What can be ordered means something somewhere."""
    assert set(HEEDED_IN) == set(Order)
    assert all(HEEDED_IN.values())


BUCKET = "orders-prod-pledge-us-west-2-123456789012"


@pytest.fixture
def pledges(ledger):
    """Where the orchestrator keeps its word, and the state table gone."""
    del ledger
    boto3.client("dynamodb").delete_table(TableName="orders-prod-state")
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    return Pledges(AwsClients().s3("us-west-2"), bucket=BUCKET, clock=SystemClock())


def gave(pledges, **changes):
    """Let the orchestrator have given its word, and return it."""
    known = {
        "side": Side.PRIMARY,
        "epoch": 3,
        "open": True,
        "until_s": 0.0,
        "revision": 7,
        "author": "orchestrator",
    }
    return pledges.write(Pledge(**{**known, **changes}), pledges.read()).pledge


def test_a_person_lets_the_standby_go_on_without_the_table(pledges):
    """Above every epoch, for a while, under their own name; and is told what is left to do."""
    gave(pledges)
    asked = run("breakglass", keys="n\n")
    assert asked.exit_code == 1
    assert "The other side is no longer fenced" in asked.output
    assert pledges.read().pledge.author == "orchestrator"
    done = run("breakglass", "--for", "2h", "--yes")
    assert done.exit_code == 0, done.output
    word = pledges.read().pledge
    assert (word.side, word.epoch, word.open) == (Side.STANDBY, 3 + EPOCHS_AHEAD, True)
    assert word.author.startswith("arn:aws:")
    left_s = word.until_s - SystemClock().now_s()
    assert 7100 < left_s <= 7200
    for part in (
        "aws rds failover-global-cluster --region us-west-2 --allow-data-loss",
        "cluster:orders-prod-us-west-2",
        "--metric-name FailoverActive --dimensions Application=orders-prod --value 1",
        "otherside order adopt",
    ):
        assert part in done.output


def test_a_agent_that_hears_nothing_of_the_table_goes_by_a_persons_word(pledges):
    """The object as it lies there, read by what runs beside the application."""
    gave(pledges)
    assert run("breakglass", "--yes").exit_code == 0
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key="pledge.json")["Body"].read()
    sys.path.insert(0, str(files("otherside") / "agent"))
    try:
        from heartbeat import LeaseStore  # noqa: PLC0415 - as it runs on an instance
        from lease import Lease  # noqa: PLC0415 - the same
    finally:
        del sys.path[0]
    environment = {
        "STATE_TABLE": "t",
        "STATE_REGIONS": "us-west-2",
        "APP_NAME": "orders-prod",
        "PLEDGE_BUCKET": BUCKET,
        "PLEDGE_REGION": "us-west-2",
    }

    def silent(*_):
        raise OSError

    store = LeaseStore(environment, silent, lambda *_: (json.loads(body), SystemClock().now_s()))
    held = Lease(store.lease, store.pledge, lambda: 100.0).renew()
    assert (held["epoch"], held["side"]) == (3 + EPOCHS_AHEAD, "standby")
    assert held["until_s"] > 100.0
    assert run("breakglass", "--close", "--yes").exit_code == 0
    taken = pledges.read().pledge
    assert (taken.open, taken.epoch) == (False, 3 + EPOCHS_AHEAD)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--for", "soon"), 2, "not a duration such as 4h"),
        (("--epoch", "3"), 2, "not above 3"),
        (("--design", "nowhere.toml"), 2, "nowhere.toml"),
    ],
)
def test_what_makes_no_sense_is_not_given(pledges, arguments, code, words):
    """And the word stays as it was."""
    before = gave(pledges)
    done = run("breakglass", "--yes", *arguments)
    assert done.exit_code == code, done.output
    assert words in done.output
    assert pledges.read().pledge == before


def test_without_an_earlier_word_a_person_says_the_epoch(pledges):
    """Nobody guesses what the database may have seen."""
    assert "give --epoch" in run("breakglass", "--yes").output
    assert run("breakglass", "--json", "--epoch", "50").exit_code == 2, "a machine is not asked"
    done = run("breakglass", "--yes", "--epoch", "50", "--json")
    assert json.loads(done.output)["epoch"] == pledges.read().pledge.epoch == 50


def test_while_the_table_answers_an_order_is_enough(ledger):
    """The glass is for when it does not."""
    stand(ledger, Phase.SUSPECT)
    done = run("breakglass", "--yes")
    assert done.exit_code == 1
    assert "is in phase suspect: use `otherside order`" in done.output
    assert "is in phase" not in run("breakglass", "--yes", "--force").output


@pytest.fixture
def two_people(ledger, tmp_path, monkeypatch):
    """A design that asks for two people, and the person who types."""
    (tmp_path / "otherside.toml").write_text(f"{DESIGN}[failover]\napprovers = 2\n")
    typing = {"arn": "arn:aws:iam::123456789012:user/ann"}
    monkeypatch.setattr("otherside.cli.order.caller", lambda _: typing["arn"])
    stand(ledger, Phase.AWAIT_APPROVAL, asked_loss_s=2.5)
    return ledger, typing


def test_two_people_give_one_order(two_people):
    """The first is told that a second has to; each signs, and the table keeps both signatures."""
    ledger, typing = two_people
    first_one = run("order", "approve", "--yes")
    assert first_one.exit_code == 0, first_one.output
    assert "One of two: nothing happens until another person runs" in first_one.output
    assert len(ledger.proven_command()[1]) == 1
    again = run("order", "approve", "--yes")
    assert (again.exit_code, "user/ann has given this order already" in again.output) == (1, True)
    typing["arn"] = "arn:aws:iam::123456789012:user/bob"
    second = run("order", "approve", "--yes")
    assert second.exit_code == 0, second.output
    assert "One of two" not in second.output
    command, proofs = ledger.proven_command()
    assert (command.order, len(proofs)) == (Order.APPROVE, 2)
    assert {proof.loss_s for proof in proofs} == {2.5}
    assert command.confirmed_by == (), "that is for STS to say"


def test_another_order_begins_anew(two_people):
    """Two people who want two different things have agreed on nothing."""
    ledger, typing = two_people
    assert run("order", "approve", "--yes").exit_code == 0
    typing["arn"] = "arn:aws:iam::123456789012:user/bob"
    assert run("order", "deny", "--yes").exit_code == 0
    assert ledger.proven_command()[1] == (), "what makes things safer needs no signature"
    assert "One of two" in run("order", "approve", "--yes").output
    assert len(ledger.proven_command()[1]) == 1


def test_two_people_do_not_schedule(ledger, tmp_path):
    """By then STS would not vouch for them any more."""
    (tmp_path / "otherside.toml").write_text(f"{DESIGN}[failover]\napprovers = 2\n")
    stand(ledger, Phase.STEADY)
    done = run("order", "switchover", "--at", "2h", "--yes")
    assert (done.exit_code, "a quarter of an hour" in done.output) == (2, True), done.output
    assert ledger.command() is None


def test_a_caller_whom_anybody_may_name_gives_no_order_of_two(two_people):
    """A federated user is called what its maker likes."""
    ledger, typing = two_people
    typing["arn"] = "arn:aws:sts::123456789012:federated-user/bob"
    done = run("order", "approve", "--yes")
    assert (done.exit_code, "use an IAM user or a role" in done.output) == (1, True), done.output
    assert ledger.command() is None


def test_the_first_of_two_takes_a_switchover_back(ledger, tmp_path, monkeypatch):
    """Otherwise anybody's second would move the writer for a quarter of an hour."""
    (tmp_path / "otherside.toml").write_text(f"{DESIGN}[failover]\napprovers = 2\n")
    monkeypatch.setattr("otherside.cli.order.caller", lambda _: "arn:aws:iam::123456789012:user/a")
    stand(ledger, Phase.STEADY)
    assert run("order", "switchover", "--yes").exit_code == 0
    done = run("order", "abort", "--yes")
    assert done.exit_code == 0, done.output
    command, proofs = ledger.proven_command()
    assert (command.order, proofs) == (Order.ABORT, ())


def test_an_order_that_makes_things_safer_is_confirmed_by_a_letter(ledger):
    """At three in the morning nobody types a name to stop something."""
    stand(ledger, Phase.SUSPECT)
    assert run("order", "halt", keys="n\n").exit_code == 1
    assert run("order", "halt", keys="y\n").exit_code == 0
    assert ledger.command().order is Order.HALT
