"""The servers behind Aurora, by themselves."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from otherside.twin.context import TwinContext
from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.host.processes import Processes
from otherside.twin.latency import Latency
from otherside.twin.services.rds import postgres
from otherside.twin.services.rds.postgres import FIRST_LOG, Postgres
from twin.conftest import ACCOUNT, EAST, WEST

pytestmark = pytest.mark.slow
KNOWN = {"database": "shop", "user": "dbadmin", "password": "correct-horse-battery"}
ROWS = "select count(*)::int from shop"


def run(directory, work):
    """Run a coroutine function on servers, and end them."""

    async def main():
        clock = ScaledClock.starting_now(1.0)
        context = TwinContext(ACCOUNT, (EAST, WEST), clock, Latency(modelled=False))
        context.attach(asyncio.get_running_loop())
        processes = Processes(directory / "twin")
        processes.directory.mkdir(mode=0o711)
        await processes.open()
        servers = Postgres(context, processes, processes.directory / "db")
        try:
            return await work(servers)
        finally:
            await context.close()
            await servers.close()
            await processes.close()

    return asyncio.run(main())


@pytest.fixture
def place():
    """Return a directory that PostgreSQL's own user gets into, as it does not into pytest's."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o711)
        yield place


@pytest.mark.parametrize("young", [True, False], ids=["young", "old"])
def test_a_standby_holds_everything_wherever_it_began(young, place):
    """With the volume as it was made, or with a copy where the log of then is gone."""

    async def work(servers):
        await servers.create("here", EAST, source=None, **KNOWN)
        for statement in ("create table shop(n int)", "insert into shop values (1), (2)"):
            await servers.query("here", f"{statement}; select 1")
        first = servers.server("here")
        if not young:
            await servers.query("here", "select pg_switch_wal()")
            await servers.query("here", "checkpoint; select 1")
            await servers.query("here", "insert into shop values (3); select 1")
        assert (first.data / FIRST_LOG).exists() is young
        await servers.create("there", WEST, source="here", **KNOWN)
        assert first.origin.exists() is not young
        await servers.query("here", "insert into shop values (4); select 1")
        await servers.caught_up("here", "there")
        return await servers.query("here", ROWS), await servers.query("there", ROWS)

    count = 3 if young else 4
    assert run(place, work) == ([(count,)], [(count,)])


def test_one_that_does_not_come_up_is_told_to_whoever_waits(place, monkeypatch):
    """With PostgreSQL's own reason, and at once."""
    monkeypatch.setattr(postgres, "SETTINGS", {**postgres.SETTINGS, "max_connections": "'many'"})

    async def work(servers):
        with pytest.raises(OSError, match="did not start"):
            await servers.create("here", EAST, source=None, **KNOWN)
        with pytest.raises(OSError, match=r"here did not come up: .*max_connections"):
            await asyncio.wait_for(servers.all_ready(), 5)

    run(place, work)
