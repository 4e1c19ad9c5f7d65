"""The sample application, for real: its own process, PostgreSQL with a standby, HTTP."""

import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from unittest.mock import ANY

import psycopg
import pytest

from agent.postgres import free_port, pair, until
from processes import ended

APP = Path(str(files("otherside"))) / "agent" / "app.py"
AWS = """#!/bin/sh
case "$1" in
  rds) echo a-token ;;
  secretsmanager) echo '{"username": "dbadmin", "password": "hunter2"}' ;;
esac
"""

NEEDED = (
    *("APP_STATIC_DIRECTORY", "APP_HEALTH_PATH", "APP_READINESS_PATH", "APP_WRITE_PATH"),
    *("APP_VERSION", "DATABASE_NAME", "DATABASE_USER", "DATABASE_WRITER_HOST"),
    *("DATABASE_READER_HOST", "DATABASE_SSLMODE", "DATABASE_SECRET_ARN", "DATABASE_LOCAL_HOST"),
)

pytestmark = pytest.mark.slow


class Client:
    """One application over HTTP."""

    def __init__(self, port, log, environment):
        self.port, self.log, self.environment, self.pid = port, log, environment, None

    def ask(self, method, path, body=None):
        """Return the status and the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body)
            answer = connection.getresponse()
            content = answer.read()
        kind = answer.headers["Content-Type"]
        return answer.status, json.loads(content) if "json" in kind else content

    def status(self, path):
        """Return the status of a GET, or none where nobody listens."""
        try:
            return self.ask("GET", path)[0]
        except OSError:
            return None


@pytest.fixture(scope="module")
def servers():
    """A primary and a standby."""
    directory = tempfile.mkdtemp(prefix="otherside-test-")
    try:
        with pair(directory) as both:
            where = {"host": "127.0.0.1", "port": both[0].port, "dbname": "postgres"}
            with psycopg.connect(**where, user="dbadmin", autocommit=True) as link:
                link.execute("create role rds_iam")
                link.execute("create database app")
            with psycopg.connect(**{**where, "dbname": "app"}, user="dbadmin") as link:
                link.execute("create table otherside_heartbeat (beat_s float, epoch bigint)")
                link.execute("insert into otherside_heartbeat values (0, 0)")
                link.execute("grant select on otherside_heartbeat to public")
            yield both
    finally:
        shutil.rmtree(directory)


def hold(file, seconds, *, epoch=0, reached=True):
    """Write a lease, as the agent does."""
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    held = {"until_s": now_s + seconds, "epoch": epoch, "reached": reached, "asked_s": now_s}
    file.write_text(json.dumps(held))


@contextlib.contextmanager
def running(directory, database_port):
    """Run an application as an instance would, with an AWS CLI that answers from nowhere."""
    binaries = directory / "bin"
    binaries.mkdir()
    (binaries / "aws").write_text(AWS)
    (binaries / "aws").chmod(0o755)
    (directory / "health.html").write_text("OK")
    hold(directory / "lease", 3600.0)
    port = free_port()
    environment = {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "AWS_REGION": "us-east-2",
        "APP_PORT": str(port),
        "APP_STATIC_DIRECTORY": str(directory),
        "APP_HEALTH_PATH": "/health.html",
        "APP_READINESS_PATH": "/readyz",
        "APP_WRITE_PATH": "/writez",
        "APP_VERSION": "v1",
        "DATABASE_NAME": "app",
        "DATABASE_USER": "app",
        "DATABASE_WRITER_HOST": "127.0.0.1",
        "DATABASE_READER_HOST": "127.0.0.1",
        "DATABASE_LOCAL_HOST": "127.0.0.1",
        "APP_LEASE_FILE": str(directory / "lease"),
        "DATABASE_PORT": str(database_port),
        "DATABASE_REGIONS": "us-east-2,us-west-2",
        "DATABASE_SSLMODE": "disable",
        "DATABASE_SECRET_ARN": "arn:aws:secretsmanager:us-east-2:123456789012:secret:s",
    }
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, APP], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        client = Client(port, directory / "log", environment)
        client.pid = process.pid
        try:
            until(lambda: client.status("/health.html"))
            yield client
        finally:
            process.terminate()
            ended(process)


@pytest.fixture
def at_the_primary(tmp_path, servers):
    """An application whose writer is the primary."""
    with running(tmp_path, servers[0].port) as client:
        until(lambda: client.status("/readyz") == 200)
        yield client


def test_it_answers_the_three_questions(at_the_primary):
    """Alive, ready and writable, each by its own path, with where and which it is."""
    assert at_the_primary.ask("GET", "/health.html") == (200, b"OK")
    status, ready = at_the_primary.ask("GET", "/readyz")
    assert (status, ready["ready"], ready["secret"]) == (200, True, True)
    assert (ready["region"], ready["version"]) == ("us-east-2", "v1")
    assert at_the_primary.ask("GET", "/writez")[1]["writable"] is True


def test_it_keeps_an_entry_once(at_the_primary):
    """The same key again is acknowledged and changes nothing: a client may repeat itself."""
    digest = hashlib.sha256(b"first").hexdigest()
    status, answer = at_the_primary.ask("PUT", "/entries/a-1", b"first")
    assert (status, answer["sha256"]) == (201, digest)
    assert at_the_primary.ask("PUT", "/entries/a-1", b"second")[0] == 200
    kept = at_the_primary.ask("GET", "/entries/a-1")[1]
    assert (kept["sha256"], kept["written_in"]) == (digest, "us-east-2")
    assert "a-1" in at_the_primary.ask("GET", "/entries")[1]["newest"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/entries/none", None, 404),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/nowhere", b"x", 404),
        ("PUT", "/entries/a%2Fb", b"x", 404),
        ("PUT", "/entries/large", b"x" * 65_537, 413),
    ],
)
def test_what_makes_no_sense_is_refused(at_the_primary, method, path, body, status):
    """By its own status, and without harm."""
    assert at_the_primary.ask(method, path, body)[0] == status
    assert at_the_primary.ask("GET", "/writez")[0] == 200


def test_at_a_standby_it_is_ready_and_not_writable(tmp_path, servers, at_the_primary):
    """Readiness is 200 on both sides; only the write path tells which holds the writer."""
    at_the_primary.ask("PUT", "/entries/replicated", b"x")
    other = tmp_path / "other"
    other.mkdir()
    with running(other, servers[1].port) as client:
        until(lambda: client.status("/readyz") == 200)
        assert client.ask("GET", "/writez")[0] == 503
        status, answer = client.ask("PUT", "/entries/b-1", b"x")
        assert (status, answer["error"]) == (503, "ReadOnlySqlTransaction")
        until(lambda: client.status("/entries/replicated") == 200)


def test_without_a_database_it_is_alive_and_not_ready(tmp_path):
    """A database that is away must not look like a dead process, and nothing leaks its secret."""
    with running(tmp_path, free_port()) as client:
        assert client.status("/health.html") == 200
        assert client.status("/readyz") == 503
        assert client.status("/writez") == 503
        assert "hunter2" not in client.log.read_text()


def test_a_missing_health_page_is_missed(tmp_path):
    """The page is a file that the boot writes; without it the load balancer is told 404."""
    with running(tmp_path, free_port()) as client:
        (tmp_path / "health.html").unlink()
        assert client.status("/health.html") == 404


def test_a_missing_setting_is_named():
    """At once, by name."""
    command, environment = [sys.executable, APP], {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=20, check=False)
    assert done.returncode == 1
    assert b"the environment variable AWS_REGION is not set" in done.stderr


def test_without_the_lease_nothing_is_acknowledged(tmp_path, servers):
    """Run out, or of an epoch that this database has never heard of: refused before it is tried."""
    with running(tmp_path, servers[0].port) as client:
        until(lambda: client.status("/writez") == 200)
        hold(tmp_path / "lease", -1.0)
        assert client.ask("GET", "/writez") == (503, ANY)
        status, answer = client.ask("PUT", "/entries/late", b"x")
        assert (status, answer["error"]) == (503, "NotAllowedError")
        hold(tmp_path / "lease", 3600.0, epoch=1)
        assert client.ask("PUT", "/entries/newer", b"x")[0] == 503
        hold(tmp_path / "lease", 3600.0)
        assert not {"late", "newer"} & set(client.ask("GET", "/entries")[1]["newest"])
        assert client.ask("PUT", "/entries/now", b"x")[0] == 201


def test_a_write_that_outlives_the_lease_is_not_acknowledged(tmp_path, servers):
    """The row may be there; nobody was told so, for whoever froze here may have been given up."""
    with running(tmp_path, servers[0].port) as client:
        until(lambda: client.status("/writez") == 200)
        where = {"host": "127.0.0.1", "port": servers[0].port, "dbname": "app"}
        with psycopg.connect(**where, user="dbadmin") as link:
            link.execute("lock table entries in access exclusive mode")
            hold(tmp_path / "lease", 1.0)
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(client.ask, "PUT", "/entries/frozen", b"x")
                time.sleep(1.5)
                link.rollback()
                status, answer = asked.result()
        assert (status, answer["error"]) == (503, "NotAllowedError")
        hold(tmp_path / "lease", 3600.0)
        until(lambda: client.ask("GET", "/entries/frozen")[0] == 200)


def test_it_logs_in_to_the_writer_in_whichever_region_it_is(monkeypatch):
    """A token is good for one Region; the one that worked is tried first from then on."""
    monkeypatch.syspath_prepend(str(APP.parent))
    spec = importlib.util.spec_from_file_location("sample_service", APP.with_name("service.py"))
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    environment = {
        **dict.fromkeys(NEEDED, "x"),
        "AWS_REGION": "us-east-2",
        "APP_PORT": "1",
        "DATABASE_PORT": "1",
        "DATABASE_REGIONS": "us-east-2,us-west-2",
    }
    database = app.WriterDatabase(app.AppSettings(environment))
    tried = []

    def connect(_host, _user, token):
        tried.append(token)
        if token != "us-west-2":
            raise psycopg.OperationalError
        return "connection"

    database._token = lambda _host, region: region
    database._connect = connect
    assert [database._connect_to_writer() for _ in range(2)] == ["connection"] * 2
    assert tried == ["us-east-2", "us-west-2", "us-west-2"]
    environment["DATABASE_REGIONS"] = "us-east-2"
    database = app.WriterDatabase(app.AppSettings(environment))
    database._token, database._connect = lambda _host, region: region, connect
    with pytest.raises(psycopg.OperationalError):
        database._connect_to_writer()
