"""What an agent knows: of the table by whoever answers, of the database by its own heartbeat."""

import contextlib
import sqlite3
import sys
from importlib.resources import files

import pytest

sys.path.insert(0, str(files("otherside") / "agent"))
import aws
import heartbeat as hearts

SETTINGS = {
    "STATE_TABLE": "t",
    "STATE_REGIONS": "us-east-2,us-west-2",
    "APP_NAME": "orders-prod",
    "PLEDGE_BUCKET": "b",
    "PLEDGE_REGION": "us-west-2",
}
LEASE = {"open": {"BOOL": True}, "epoch": {"N": "3"}, "side": {"S": "primary"}}


class Tables:
    """The table in two Regions, each with an answer or an error of its own."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "-"): answer for name, answer in answers.items()}
        self.asked = []

    def __call__(self, operation, region, arguments, _credentials, _environment):
        """Answer one call."""
        self.asked.append((operation, region, arguments))
        found = self.answers[region]
        if isinstance(found, Exception):
            raise found
        return found


def store(tables):
    """Return a store over them."""
    return hearts.LeaseStore(SETTINGS, tables)


def test_the_lease_is_read_from_a_majority():
    """A replica may hold what was open before it was closed."""
    tables = Tables(us_east_2={"Item": LEASE})
    assert store(tables).lease() == {"open": True, "epoch": 3, "side": "primary"}
    ((operation, region, arguments),) = tables.asked
    assert (operation, region, arguments["ConsistentRead"]) == ("GetItem", "us-east-2", True)


def test_where_one_region_is_silent_the_other_is_asked():
    """Either copy reaches the same majority."""
    tables = Tables(us_east_2=OSError(), us_west_2={"Item": LEASE})
    assert store(tables).lease()["epoch"] == 3
    assert [region for _, region, _ in tables.asked] == ["us-east-2", "us-west-2"]
    with pytest.raises(OSError, match="no way"):
        store(Tables(us_east_2=OSError(), us_west_2=OSError("no way"))).lease()


def test_a_refusal_is_an_answer_and_nobody_else_is_asked():
    """Whoever is denied in one Region must not go on by another."""
    tables = Tables(us_east_2=aws.ServiceRefusedError(), us_west_2={"Item": LEASE})
    with pytest.raises(aws.ServiceRefusedError):
        store(tables).lease()
    assert len(tables.asked) == 1


@pytest.mark.parametrize("answer", [{}, {"Item": {"open": {"S": "yes"}}}, {"Item": {"epoch": 3}}])
def test_a_lease_that_is_not_there_or_broken_is_none(answer):
    """Nobody may go by it."""
    assert not store(Tables(us_east_2=answer)).lease()


class Database:
    """A database that keeps the heartbeat's row, as writer or as follower."""

    def __init__(self):
        self.follows, self.broken, self.asked = False, False, []
        self.link = sqlite3.connect(":memory:", isolation_level=None)
        self.link.create_function("greatest", 2, max)
        self.link.create_function("pg_is_in_recovery", 0, lambda: self.follows)
        self.link.execute(
            "create table otherside_heartbeat"
            " (one int primary key default 1, beat_s real, epoch int)"
        )

    @contextlib.contextmanager
    def cursor(self, where):
        """Yield a cursor; PostgreSQL's placeholders are its own."""
        self.asked.append(where)
        if self.broken:
            raise OSError
        inner = self.link.cursor()

        class Cursor:
            fetchone = inner.fetchone

            def execute(self, text, given=()):
                inner.execute(text.replace("%s", "?"), given)

        yield Cursor()

    def put(self, beat_s, epoch=0):
        """Let a row have arrived."""
        self.link.execute("delete from otherside_heartbeat")
        self.link.execute(
            "insert into otherside_heartbeat (beat_s, epoch) values (?, ?)", (beat_s, epoch)
        )


class Beating:
    """A heart, its database and its time."""

    def __init__(self):
        self.database, self.at_s = Database(), 1000.0
        self.heart = hearts.Heartbeat(
            self.database, (OSError,), clock=lambda: self.at_s, wall=lambda: self.at_s
        )

    def beat(self, epoch=0, after_s=1.0):
        """Beat once, later; return what is known then."""
        self.at_s += after_s
        self.heart.beat(epoch)
        return self.heart.found()


def test_a_writer_writes_the_time_and_the_epoch_and_reads_them_back():
    """And lags behind nobody."""
    found = Beating().beat(4)
    assert found == {
        "writes_ok": True,
        "reads_ok": True,
        "wrote_s": 1001.0,
        "wrote_epoch": 4,
        "beat_s": 1001.0,
        "beat_epoch": 4,
        "lag_max_s": 0.0,
    }


def test_an_epoch_that_the_database_has_heard_of_is_never_taken_back():
    """A agent that knows less beats on, and lowers nothing."""
    beating = Beating()
    beating.beat(4)
    found = beating.beat(2)
    assert (found["wrote_s"], found["wrote_epoch"]) == (1002.0, 4)
    assert beating.beat(5)["wrote_epoch"] == 5


def test_a_follower_reads_and_measures_how_long_each_row_travels():
    """But not the first: its age says when it was written."""
    beating = Beating()
    beating.database.follows = True
    beating.database.put(880.0)
    found = beating.beat()
    assert (found["writes_ok"], found["reads_ok"], found["lag_max_s"]) == (False, True, None)
    beating.database.put(1001.5, 3)
    found = beating.beat()
    assert found["lag_max_s"] == pytest.approx(0.5)
    assert (found["beat_s"], found["beat_epoch"], found["wrote_s"]) == (1001.5, 3, None)
    assert beating.beat(after_s=60.0)["lag_max_s"] == pytest.approx(0.5), "no new row, no lag"


def test_the_longest_lag_is_kept_for_a_while():
    """What a failover would lose is told by the worst that was seen lately, and by none older."""
    beating = Beating()
    beating.database.follows = True
    beating.database.put(1000.0)
    beating.beat()
    beating.database.put(995.0)
    assert beating.beat()["lag_max_s"] == pytest.approx(7.0)
    beating.database.put(1099.9)
    assert beating.beat(after_s=98.0)["lag_max_s"] == pytest.approx(7.0)
    beating.database.put(1399.9)
    assert beating.beat(after_s=300.0)["lag_max_s"] == pytest.approx(0.1)


def test_a_write_of_long_ago_says_nothing_of_now():
    """A commit that hangs neither fails nor comes back."""
    beating = Beating()
    assert beating.beat()["writes_ok"] is True
    beating.at_s += hearts.WROTE_LATELY_S
    assert beating.heart.found()["writes_ok"] is False


def test_a_database_that_is_gone_is_neither_written_nor_read():
    """And tried again: the side's own endpoint now and then, the reader each time."""
    beating = Beating()
    beating.database.broken = True
    found = beating.beat()
    assert (found["writes_ok"], found["reads_ok"]) == (False, False)
    beating.database.asked.clear()
    beating.beat(after_s=1.0)
    assert beating.database.asked == ["reader"]
    beating.beat(after_s=5.0)
    assert beating.database.asked == ["reader", "local", "reader"]
    beating.database.broken = False
    assert beating.beat(after_s=5.0)["writes_ok"] is True
