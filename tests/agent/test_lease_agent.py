"""The agent beside the application, for real: PostgreSQL with a standby, and a state table."""

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from agent.postgres import free_port, until
from agent.test_app import APP, running, servers  # noqa: F401 - a fixture of both
from otherside.core.wire_contract import PLEDGE_KEY, STATE_PARTITION, STATE_SORT, ItemType
from processes import ended

pytestmark = pytest.mark.slow
APPLICATION = "orders-prod"


class Table:
    """The state table, as the orchestrator would write it."""

    def __init__(self, endpoint):
        self.endpoint, self.name = endpoint, f"state-{uuid.uuid4()}"
        self.client = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="us-west-2",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        keys = [(STATE_PARTITION, "HASH"), (STATE_SORT, "RANGE")]
        self.client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )

    def key(self, shelf, sort):
        """Return the key of an item."""
        return {STATE_PARTITION: {"S": shelf.of(APPLICATION)}, STATE_SORT: {"S": sort}}

    def say(self, *, is_open, epoch, side="primary"):
        """Set the lease."""
        terms = {"open": {"BOOL": is_open}, "epoch": {"N": str(epoch)}, "side": {"S": side}}
        item = {**self.key(ItemType.LEASE, "newest"), **terms}
        self.client.put_item(TableName=self.name, Item=item)

    def pulse(self, side):
        """Return the pulse of a side's one agent as plain values, or nothing."""
        found = self.client.query(
            TableName=self.name,
            KeyConditionExpression=f"{STATE_PARTITION} = :p AND begins_with({STATE_SORT}, :s)",
            ExpressionAttributeValues={
                ":p": {"S": ItemType.PULSE.of(APPLICATION)},
                ":s": {"S": f"{side}#"},
            },
        )["Items"]
        return {
            name: value.get("BOOL", float(value["N"]) if "N" in value else None)
            for name, value in (found[0] if found else {}).items()
        }


@pytest.fixture
def table():
    """A state table over HTTP."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield Table("http://{}:{}".format(*server.get_host_and_port()))
    finally:
        server.stop()


@contextlib.contextmanager
def keeping(client, table, directory, side, database_port, **more):
    """Run an agent beside an application."""
    environment = {
        **client.environment,
        "STATE_TABLE": table.name,
        "STATE_REGIONS": "us-west-2",
        "APP_NAME": APPLICATION,
        "APP_SIDE": side,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "PLEDGE_BUCKET": "pledges",
        "PLEDGE_REGION": "us-west-2",
        "AWS_ENDPOINT_URL": table.endpoint,
        **more,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "DATABASE_PORT": str(database_port),
    }
    (directory / "lease").unlink(missing_ok=True)
    with (directory / "agent.log").open("w") as log:
        agent = subprocess.Popen(
            [sys.executable, APP.parent / "lease_agent.py"], env=environment, stdout=log, stderr=log
        )
        try:
            yield agent
        finally:
            agent.send_signal(signal.SIGCONT)
            agent.terminate()
            ended(agent)


@pytest.fixture
def fresh(servers):  # noqa: F811 - the fixture of both
    """Both servers, without what another test put into them."""
    where = {"host": "127.0.0.1", "port": servers[0].port, "dbname": "app"}
    with psycopg.connect(**where, user="dbadmin", autocommit=True) as link:
        link.execute("drop table if exists otherside_heartbeat")
    return servers


def test_it_keeps_the_lease_beats_and_tells(tmp_path, fresh, table):
    """Open: writes are acknowledged. Closed: none is. Another epoch: the database learns of it."""
    table.say(is_open=True, epoch=0)
    with (
        running(tmp_path, fresh[0].port) as client,
        keeping(client, table, tmp_path, "primary", fresh[0].port),
    ):
        until(lambda: client.status("/writez") == 200)
        until(lambda: client.ask("PUT", "/entries/kept", b"x")[0] in {200, 201})
        until(lambda: table.pulse("primary").get("wrote_epoch") == 0)
        told = table.pulse("primary")
        assert (told["writes_ok"], told["reads_ok"], told["app_ok"]) == (True, True, True)
        assert abs(told["wrote_s"] - time.time()) < 10
        assert json.loads((tmp_path / "lease").read_text())["reached"]

        table.say(is_open=False, epoch=0)
        until(lambda: client.ask("PUT", "/entries/none", b"x")[0] == 503)
        assert client.status("/writez") == 503
        assert table.pulse("primary")["writes_ok"], "the database still takes writes: a veto"

        table.say(is_open=True, epoch=1)
        until(lambda: table.pulse("primary").get("wrote_epoch") == 1)
        until(lambda: client.ask("PUT", "/entries/again", b"x")[0] in {200, 201})


def test_a_database_that_was_left_never_hears_of_the_new_epoch(tmp_path, fresh, table):
    """It is up, and it takes writes; by its old epoch the application tells that it was left."""
    table.say(is_open=True, epoch=0)
    with (
        running(tmp_path, fresh[0].port) as client,
        keeping(client, table, tmp_path, "primary", fresh[0].port),
    ):
        until(lambda: client.ask("PUT", "/entries/before", b"x")[0] in {200, 201})
        table.say(is_open=True, epoch=1, side="standby")
        until(lambda: json.loads((tmp_path / "lease").read_text())["epoch"] == 1)
        time.sleep(2.5)
        assert client.ask("PUT", "/entries/after", b"x")[0] == 503
        assert table.pulse("primary")["wrote_epoch"] == 0


def test_at_the_standby_it_sees_the_writers_heart(tmp_path, fresh, table):
    """Not writable, readable, and as far behind as replication is."""
    table.say(is_open=True, epoch=0)
    other = tmp_path / "other"
    other.mkdir()
    with (
        running(tmp_path, fresh[0].port) as writer,
        keeping(writer, table, tmp_path, "primary", fresh[0].port),
        running(other, fresh[1].port) as client,
        keeping(client, table, other, "standby", fresh[1].port),
    ):
        until(lambda: table.pulse("standby").get("beat_s"))
        until(lambda: table.pulse("standby").get("lag_max_s"))
        told = table.pulse("standby")
        assert (told["writes_ok"], told["reads_ok"]) == (False, True)
        assert 0 <= told["lag_max_s"] < 5
        assert told["at_s"] - told["beat_s"] < 5


def test_a_process_that_thaws_acknowledges_nothing(tmp_path, fresh, table):
    """Frozen for longer than the lease, both of them; the request that was under way is refused."""
    table.say(is_open=True, epoch=0)
    with (
        running(tmp_path, fresh[0].port) as client,
        keeping(client, table, tmp_path, "primary", fresh[0].port) as agent,
    ):
        until(lambda: client.ask("PUT", "/entries/warm", b"x")[0] in {200, 201})
        agent.send_signal(signal.SIGSTOP)
        os.kill(client.pid, signal.SIGSTOP)
        time.sleep(16)
        os.kill(client.pid, signal.SIGCONT)
        status, answer = client.ask("PUT", "/entries/thawed", b"x")
        assert (status, answer["error"]) == (503, "NotAllowedError")
        held = json.loads((tmp_path / "lease").read_text())
        assert held["until_s"] < time.clock_gettime(time.CLOCK_BOOTTIME)


def test_a_table_that_is_silent_stops_nobody_and_one_that_refuses_does(tmp_path, fresh, table):
    """The pledge bridges a silence, and nothing but a silence."""
    objects = boto3.client(
        "s3",
        endpoint_url=table.endpoint,
        region_name="us-west-2",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    objects.create_bucket(
        Bucket="pledges", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    word = {"schema": 1, "open": True, "side": "primary", "epoch": 0, "until_s": time.time() + 600}
    objects.put_object(Bucket="pledges", Key=PLEDGE_KEY, Body=json.dumps(word).encode())
    table.say(is_open=True, epoch=0)
    silent = {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{free_port()}"}
    with (
        running(tmp_path, fresh[0].port) as client,
        keeping(client, table, tmp_path, "primary", fresh[0].port, **silent),
    ):
        until(lambda: client.ask("PUT", "/entries/bridged", b"x")[0] in {200, 201})
        assert not json.loads((tmp_path / "lease").read_text())["reached"]
    table.name = "another"
    other = tmp_path / "other"
    other.mkdir()
    with (
        running(other, fresh[0].port) as client,
        keeping(client, table, other, "primary", fresh[0].port),
    ):
        until((other / "lease").exists)
        assert json.loads((other / "lease").read_text())["until_s"] == 0.0
        assert client.ask("PUT", "/entries/refused", b"x")[0] == 503


def test_a_agent_that_stands_still_is_silent_to_its_watchdog(tmp_path):
    """Systemd hears of it while every loop goes round, and starts it anew if one stops."""
    where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(where)
        line.settimeout(1.0)
        now = [1000.0]
        agent = module("lease_agent")
        agent.now_s = lambda: now[0]
        dog = agent.Watchdog({"NOTIFY_SOCKET": where})
        for name in ("renew", "beat", "pulse"):
            dog.round(name)
            assert b"WATCHDOG=1" in line.recv(100)
        now[0] += agent.STUCK_S
        dog.round("beat")
        dog.round("pulse")
        line.settimeout(0.0)
        with pytest.raises(BlockingIOError):
            line.recv(100)
        dog.round("renew")
        assert b"WATCHDOG=1" in line.recv(100)


def module(name):
    """Load a module of the sample application as its directory has it."""
    sys.path.insert(0, str(APP.parent))
    try:
        spec = importlib.util.spec_from_file_location(f"sample_{name}", APP.parent / f"{name}.py")
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made
    finally:
        sys.path.remove(str(APP.parent))


class Rows:
    """A database whose one heartbeat row is what the test says."""

    def __init__(self, beat_s):
        self.row = (beat_s, 3)

    @contextlib.contextmanager
    def cursor(self, role):
        """Lend a cursor that reads the row; there is no writer here."""
        if role == "local":
            raise OSError
        yield self

    def execute(self, *_):
        """Take any statement."""

    def fetchone(self):
        """Return the row."""
        return self.row


def test_a_young_agent_first_row_is_no_lag():
    """How old it is says when the writer died, and not how long a row travels."""
    agent = module("lease_agent")
    database = Rows(time.time() - 120.0)
    heart = agent.Heartbeat(database, (OSError,))
    heart.beat(0)
    assert heart.found()["lag_max_s"] is None
    assert heart.found()["beat_epoch"] == 3
    database.row = (time.time() - 0.5, 3)
    heart.beat(0)
    assert 0.4 < heart.found()["lag_max_s"] < 5
