"""What every application needs here: settings, connections that follow the writer, health pages.

An application of your own subclasses `Service`, adds its tables and paths, and calls `serve`; the
sample in `app.py` does. It has one path for each of the three health checks that recovery needs:

    GET  /health.html      is the process up?  A static file, made at boot. For the load balancer.
    GET  /readyz           can it serve reads? 200 on both sides. For Route 53.
    GET  /writez           can it write?       200 only if the writer is reachable and writes may
                                               be acknowledged. For the orchestrator.

A write is acknowledged only while this side holds the lease that `lease_agent.py` renews, and only
by a database that knows the lease's epoch: see `lease.py`.

Environment variables configure it; on an instance, `/etc/otherside/app.env` sets them. It runs on
Python 3.9 and needs a PostgreSQL driver (psycopg2 or psycopg) and the AWS CLI.
"""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from lease import NotAllowedError, guard_of

try:
    import psycopg2 as driver
except ModuleNotFoundError:
    import psycopg as driver

BODY_BYTES_MAX = 65_536
CONNECT_S = 3
TOKEN_S = 600  # an IAM token is valid for 900 s
SECRET_S = 60  # how often this Region's copy of the secret is read
CONNECTION_S = 60  # after a failover, no connection to the old writer outlives this
TROUBLE = (driver.Error, subprocess.SubprocessError, OSError, ValueError, KeyError)

CANARY = """
create table if not exists otherside_canary (
    one boolean primary key default true check (one),
    tried_at timestamptz not null
)
"""
CANARY_RIGHTS = ("select, insert, update on otherside_canary",)


class AppSettings:
    """The settings of an instance, from environment variables."""

    def __init__(self, environment):
        """Read the settings; if one is missing, name it and exit."""

        def need(name):
            value = environment.get(name)
            if not value:
                sys.exit(f"app: the environment variable {name} is not set")
            return value

        self.region = need("AWS_REGION")
        self.port = int(need("APP_PORT"))
        self.static = Path(need("APP_STATIC_DIRECTORY"))
        self.health_path = need("APP_HEALTH_PATH")
        self.readiness_path = need("APP_READINESS_PATH")
        self.write_path = need("APP_WRITE_PATH")
        self.version = need("APP_VERSION")
        self.database = need("DATABASE_NAME")
        self.user = need("DATABASE_USER")
        self.writer = need("DATABASE_WRITER_HOST")
        self.reader = need("DATABASE_READER_HOST")
        self.local = need("DATABASE_LOCAL_HOST")
        self.database_port = int(need("DATABASE_PORT"))
        self.sslmode = need("DATABASE_SSLMODE")
        self.database_regions = need("DATABASE_REGIONS").split(",")
        self.secret = need("DATABASE_SECRET_ARN")
        self.lease_file = environment.get("APP_LEASE_FILE", "/run/otherside/lease")


def aws(*arguments):
    """Run the AWS CLI, which finds the instance's role by itself, and return its output."""
    command = ["aws", *arguments, "--output", "text"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.strip()


class WriterDatabase:
    """Connections to the writer and to this side's reader, renewed before they go stale."""

    def __init__(self, settings):
        """Take the settings; connections are opened on demand."""
        self._settings = settings
        self._local = threading.local()
        self._tokens = {}
        self._lock = threading.Lock()
        self._writer_region = settings.region
        self.secret_seen_s = None

    @contextlib.contextmanager
    def cursor(self, role):
        """Yield a cursor on `writer`, `reader` or `local`; commit, or drop the connection on error.

        `local` is this side's own writer, which exists only while the writer is on this side.
        """
        connection = self._connection(role)
        try:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
        except Exception:
            self._drop(role)
            raise

    def _connection(self, role):
        held = getattr(self._local, role, None)
        if held is not None and time.monotonic() - held[1] < CONNECTION_S:
            return held[0]
        self._drop(role)
        settings = self._settings
        if role == "writer":
            connection = self._connect_to_writer()
        else:
            host = settings.reader if role == "reader" else settings.local
            token = self._token(host, settings.region)
            connection = self._connect(host, settings.user, token)
        setattr(self._local, role, (connection, time.monotonic()))
        return connection

    def _connect_to_writer(self):
        """Log in to the writer in whichever Region it is: a token is valid for one Region only.

        The writer's host name does not tell its Region, so try the Region that worked last, and
        then the others if the login fails.
        """
        settings = self._settings
        last = self._writer_region
        regions = [
            last,
            *(
                database_region
                for database_region in settings.database_regions
                if database_region != last
            ),
        ]
        while True:
            region = regions.pop(0)
            try:
                token = self._token(settings.writer, region)
                connection = self._connect(settings.writer, settings.user, token)
            except driver.OperationalError:
                if not regions:
                    raise
            else:
                self._writer_region = region
                return connection

    def _drop(self, role):
        held = getattr(self._local, role, None)
        setattr(self._local, role, None)
        if held is not None:
            with contextlib.suppress(driver.Error):
                held[0].close()

    def _connect(self, host, user, password):
        return driver.connect(
            host=host,
            port=self._settings.database_port,
            dbname=self._settings.database,
            user=user,
            password=password,
            sslmode=self._settings.sslmode,
            connect_timeout=CONNECT_S,
            options="-c statement_timeout=5000",
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )

    def _token(self, host, region):
        """Return an IAM token for a host in a Region; no password is stored anywhere."""
        with self._lock:  # one at a time: many concurrent commands would starve each other
            token, made = self._tokens.get((host, region), (None, 0.0))
            if token is None or time.monotonic() - made > TOKEN_S:
                settings = self._settings
                where = ["--hostname", host, "--port", str(settings.database_port)]
                who = ["--username", settings.user, "--region", region]
                token = aws("rds", "generate-db-auth-token", *where, *who)
                self._tokens[host, region] = (token, time.monotonic())
        return token

    def secret(self):
        """Return the master secret from this Region's copy; for break-glass access only."""
        arguments = ["--secret-id", self._settings.secret, "--region", self._settings.region]
        found = aws("secretsmanager", "get-secret-value", *arguments, "--query", "SecretString")
        return json.loads(found)

    def prepare(self, schema, rights):
        """Create the application's own role and tables, once, as the master user."""
        secret = self.secret()
        connection = self._connect(self._settings.writer, secret["username"], secret["password"])
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_is_in_recovery()")
                if cursor.fetchone()[0]:
                    return
                cursor.execute("select pg_advisory_xact_lock(7083)")
                name = self._settings.user
                cursor.execute("select 1 from pg_roles where rolname = %s", (name,))
                if cursor.fetchone() is None:
                    cursor.execute(f'create role "{name}" login')
                cursor.execute(f'grant rds_iam to "{name}"')
                cursor.execute(schema)
                for right in rights:
                    cursor.execute(f'grant {right} to "{name}"')
            connection.commit()
        finally:
            connection.close()


class Service(http.server.BaseHTTPRequestHandler):
    """Handles one HTTP request: the health pages, and what a subclass adds."""

    protocol_version = "HTTP/1.1"
    settings: AppSettings
    database: WriterDatabase
    guard: object

    def do_GET(self):
        """Answer a health check, or what the application answers."""
        path = self.path.split("?", 1)[0]
        if path == self.settings.health_path:
            self._static(path)
        elif path == self.settings.readiness_path:
            self.guarded(self._ready)
        elif path == self.settings.write_path:
            self.guarded(self._writable)
        else:
            self.get(path)

    def get(self, path):
        """Answer a GET of the application itself."""
        self.answer(404, {"error": f"no such path: {path}"})

    def body(self):
        """Return the body of a request, or answer 413 and return nothing."""
        length = self.headers.get("Content-Length", "")
        if length.isdigit() and int(length) <= BODY_BYTES_MAX:
            return self.rfile.read(int(length))
        self.close_connection = True
        self.answer(413, {"error": f"Content-Length must be at most {BODY_BYTES_MAX}"})
        return None

    @contextlib.contextmanager
    def writing(self):
        """Yield a cursor on the writer, for a write that may be acknowledged after the block.

        Raises:
            NotAllowedError: If this side may not acknowledge writes, or may no longer.
        """
        epoch = self.guard.epoch()
        with self.database.cursor("writer") as cursor:
            self._know(cursor, epoch)
            yield cursor
        # Committed, but perhaps lost: this process may have been frozen meanwhile.
        self.guard.still(epoch)

    def _static(self, path):
        file = self.settings.static / path.lstrip("/")
        if file.is_file():
            self._send(200, file.read_bytes(), "text/html")
        else:
            self.answer(404, {"error": f"{path} was never written"})

    def _ready(self):
        """Read through this side's reader; a background thread reads the secret.

        A health checker waits two seconds for an answer, too short to start a command.
        """
        with self.database.cursor("reader") as cursor:
            cursor.execute("select 1")
            cursor.fetchone()
        seen_s = self.database.secret_seen_s
        fresh = seen_s is not None and time.monotonic() - seen_s < 5 * SECRET_S
        # For information only: a secret for break-glass access must not move users.
        self.answer(200, {"ready": True, "secret": fresh})

    def _writable(self):
        """Write and commit: even a database that is not in recovery may refuse writes."""
        epoch = self.guard.epoch()  # no later one than the write's
        with self.writing() as cursor:
            cursor.execute(
                "insert into otherside_canary (tried_at) values (clock_timestamp())"
                " on conflict (one) do update set tried_at = excluded.tried_at"
            )
        self.answer(200, {"writable": True, "epoch": epoch})

    def _know(self, cursor, epoch):
        """Raise `NotAllowedError` unless the database knows the lease's epoch.

        If it does not, it is an old writer, unaware of the failover, or a new writer that has not
        received the epoch yet, which takes a second.
        """
        cursor.execute("select epoch from otherside_heartbeat")
        known = cursor.fetchone()
        if known is None or known[0] < epoch:
            raise NotAllowedError("this database does not know the lease's epoch")

    def guarded(self, work):
        """Do the work, or answer 503 with the type of the error only, to leak no secrets."""
        try:
            work()
        except (*TROUBLE, NotAllowedError) as error:
            kind = type(error).__name__
            self.log_error("%s %s: %s", self.command, self.path, kind)
            self.answer(503, {"error": kind})

    def answer(self, status, body):
        """Answer with JSON, and say which Region and which version answers."""
        settings = self.settings
        body = {**body, "region": settings.region, "version": settings.version}
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status, content, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def prepare_until_done(database, schema, rights):
    """Retry until the database is prepared: an instance may boot before it is reachable."""
    while True:
        try:
            database.prepare(schema, rights)
        except TROUBLE as error:
            print(f"app: the database is not prepared yet: {type(error).__name__}", flush=True)
            time.sleep(5)
        else:
            return


def watch_the_secret(database):
    """Read this Region's copy of the secret at intervals."""
    while True:
        try:
            database.secret()
            database.secret_seen_s = time.monotonic()
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            print(f"app: the secret cannot be read: {type(error).__name__}", flush=True)
        time.sleep(SECRET_S if database.secret_seen_s else 5)


def serve(handler, schema, rights):
    """Serve until stopped.

    `handler` is a subclass of `Service`, `schema` the SQL that makes its tables, `rights` what its
    role may do with them, such as `select, insert on orders`.
    """
    handler.settings = AppSettings(os.environ)
    handler.database = WriterDatabase(handler.settings)
    handler.guard = guard_of(handler.settings.lease_file)
    for work in (
        lambda: prepare_until_done(
            handler.database, f"{schema};{CANARY}", (*rights, *CANARY_RIGHTS)
        ),
        lambda: watch_the_secret(handler.database),
    ):
        threading.Thread(target=work, daemon=True).start()
    server = http.server.ThreadingHTTPServer(("", handler.settings.port), handler)
    server.daemon_threads = True
    server.serve_forever()
