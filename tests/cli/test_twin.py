"""`otherside twin`: which twin is meant, and what is done to it."""

import json
import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from otherside.cli import main
from otherside.twin.host import registry, twin_directory
from otherside.twin.twin import TwinSettings
from processes import ended
from twin.conftest import EAST, WEST, Bare, until

ROLES = {"primary": EAST, "standby": WEST}


def run(*arguments):
    """Run a command, and return its code and output."""
    done = CliRunner().invoke(main, ["twin", *arguments])
    return done.exit_code, done.output


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Register twins in a place of this test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def entry(place, name):
    """Register a twin of this process that answers nothing."""
    return registry.register(place / f"{twin_directory.PREFIX}{name}", str(place), name=name)[1]


# --- which one ------------------------------------------------------------------------------------


def test_without_a_twin_each_command_says_how_to_start_one(place):
    """And `list` and `status`, which were asked what there is, say so without an error."""
    for command in (("lose", EAST), ("restore", EAST), ("cut", EAST, WEST), ("heal",), ("down",)):
        code, text = run(*command)
        assert (code, "otherside twin up" in text) == (1, True), command
    assert run("list") == (1, "no twin is running; `otherside twin up` starts one\n")
    assert run("list", "--json") == (1, "[]\n")
    assert run("status") == (1, "no twin is running; `otherside twin up` starts one\n")
    assert not list(place.glob("*/*.json"))


def test_of_several_twins_one_has_to_be_named(place):
    """Nothing is done to a twin that nobody named; `--all` is asked for."""
    entry(place, "orders")
    entry(place, "billing")
    for command in (("lose", EAST), ("down",)):
        code, text = run(*command)
        assert code == 1
        assert "billing, orders; name one of them" in text
    assert run("down", "nobody")[1] == "Error: no twin is named nobody; running: billing, orders\n"
    assert run("down", "orders", "--all")[0] == 2


def test_two_twins_never_share_a_name(place):
    """A wanted name that is taken gets a number, a given one is refused."""
    assert registry.free_name("orders") == "orders"
    entry(place, "orders")
    assert registry.free_name("orders") == "orders-2"
    with pytest.raises(ValueError, match="--name gives this one another name"):
        entry(place, "orders")


def test_the_entry_of_a_dead_owner_is_nobody(place):
    """It is removed as soon as anyone looks."""
    file = entry(place, "orders")
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "started": "1"}))
    assert registry.entries() == []
    assert not file.exists()


@pytest.fixture
def asked(place, monkeypatch):
    """Register two twins that do as they are told, and note what that is."""
    notes = []

    def told(running, what, **how):
        notes.append((running.name, what, how))
        return {
            "describe": {"regions": [EAST, WEST]},
            "status": {
                "faults": ["f"],
                "databases": [{"region": EAST, "cluster": "orders"}],
                "instances": [],
            },
            "heal": [],
        }.get(what, {})

    monkeypatch.setattr("otherside.cli.twin_faults.told", told)
    entry(place, "orders")
    entry(place, "billing")
    return notes


@pytest.mark.parametrize(
    ("verb", "arguments", "what"),
    [
        ("cut", (EAST, WEST), "cut"),
        ("fault", ("f",), "fault"),
        ("heal", ("f",), "heal"),
        ("lose", (EAST,), "lose"),
        ("restore", (EAST,), "restore"),
        ("start", ("database", EAST), "database"),
        ("stop", ("database", EAST), "database"),
    ],
)
def test_each_command_takes_a_name_and_speaks_to_machines(verb, arguments, what, asked):
    """The named twin and no other is told, and the outcome names it."""
    assert run(verb, *arguments)[0] == 1, "two twins run, and none was named"
    assert asked == []
    code, text = run(verb, *arguments, "--twin", "billing", "--json")
    assert code == 0, text
    assert json.loads(text)["twin"] == "billing"
    assert {name for name, _, _ in asked} == {"billing"}
    assert what in {verb for _, verb, _ in asked}


def test_a_fault_is_for_the_calls_that_were_named(asked):
    """Each of the narrowing options reaches the twin, and none that was not given."""
    named = ("--twin", "orders")
    assert run("fault", "f", *named)[0] == 0
    assert asked.pop()[2] == {"name": "f", "mode": "refuse"}
    where = ("--service", "rds", "--operation", "FailoverGlobalCluster", "--from", "outside")
    assert run("fault", "f", *named, *where, "--mode", "slow", "--seconds", "2")[0] == 0
    assert asked.pop()[2] == {
        "name": "f",
        "mode": "slow",
        "service": "rds",
        "operation": "FailoverGlobalCluster",
        "source": "outside",
        "seconds": 2.0,
    }


# --- what is done to it ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A bare twin in a registry of this module's own."""
    place = tmp_path_factory.mktemp("registry")
    patch = pytest.MonkeyPatch()
    patch.setattr(registry, "_place", lambda: place)
    with Bare(TwinSettings(speed=20, latency=False)) as bare:
        registry.register(bare.directory, str(place), name="orders", roles=ROLES)
        yield bare
    patch.undo()


def state(bare):
    """Return what the twin says of itself."""
    return bare.do("status")


@pytest.mark.slow
def test_a_region_is_lost_and_comes_back(running):
    """By its role or its name; a Region that the twin lacks is refused with those it has."""
    assert run("lose", "primary")[1].startswith(f"{EAST} is lost")
    assert state(running)["lost"] == [EAST]
    assert "lost" in run("status")[1]
    assert run("restore", EAST, "--twin", "orders")[0] == 0
    assert state(running)["lost"] == []
    code, text = run("lose", "us-mars-1")
    assert (code, "it has us-east-2, us-west-2" in text) == (2, True), text


@pytest.mark.slow
def test_links_are_cut_and_healed(running):
    """Both ways or one; all of them or one."""
    run("cut", "primary", "standby")
    assert state(running)["cut"] == [[EAST, WEST], [WEST, EAST]]
    run("cut", EAST, "outside", "--one-way")
    assert [EAST, "outside"] in state(running)["cut"]
    run("heal", EAST, WEST)
    assert state(running)["cut"] == [[EAST, "outside"]]
    assert run("heal")[1] == f"healed the link from {EAST} to outside\n"
    assert run("heal")[1] == "nothing to heal\n"
    assert run("cut", EAST, "primary")[0] == 2


@pytest.mark.slow
def test_a_fault_of_the_api_is_injected_and_removed(running):
    """By its name, with what it is for; the service's own error reaches the caller."""
    code, text = run(
        *("fault", "no-queues", "--service", "sqs", "--in", "primary", "--mode", "throttle")
    )
    assert (code, text) == (0, f"no-queues: throttle for service sqs, region {EAST}\n")
    with pytest.raises(ClientError, match=r"Throttl"):
        running.aws("sqs").list_queues()
    running.aws("sqs", WEST).list_queues()
    code, text = run("heal", "nothing")
    assert (code, text) == (1, "Error: no fault is named nothing; active faults: no-queues\n")
    assert json.loads(run("heal", "no-queues", "--json")[1])["outcome"] == "healed no-queues"
    running.aws("sqs").list_queues()
    assert run("fault", "late", "--mode", "slow")[0] == 2
    assert run("fault", "late", "--seconds", "2")[0] == 2


@pytest.mark.slow
def test_what_is_not_there_is_not_stopped(running):
    """Nothing is said to be done that was not."""
    assert running.known["regions"]
    code, text = run("stop", "database", "primary")
    assert (code, text) == (1, f"Error: there is no database in {EAST}\n")


@pytest.mark.slow
def test_a_twin_is_listed_with_its_speed_and_what_is_lost(running):
    """For people and for machines, and without its secret."""
    run("lose", EAST)
    text = run("list")[1]
    assert "orders" in text
    (known,) = json.loads(run("list", "--json")[1])
    assert (known["name"], known["lost"], known["speed"]) == ("orders", [EAST], 20)
    assert "secret_access_key" not in known
    assert running.known["secret_access_key"] not in run("status", "--json")[1]
    run("restore", EAST)


@pytest.mark.slow
def test_a_twin_is_found_behind_the_endpoint_that_the_environment_names(running, monkeypatch):
    """Its clock is its own, whatever its speed; an endpoint of nobody's is AWS's."""
    from otherside.cli.twin_choice import connect  # noqa: PLC0415 - with the registry in place

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.known["endpoint"] + "/")
    found = connect(None, asked=False)
    assert found.name == "orders"
    assert found.clock.now_s() == pytest.approx(state(running)["now_s"], abs=5)
    assert os.environ["AWS_ACCESS_KEY_ID"] == "x", "the caller's own keys stay"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert connect(None, asked=False) is None
    assert connect("orders", asked=True).project == Path(registry.choose(None).project)
    assert os.environ["AWS_ACCESS_KEY_ID"] == running.known["access_key_id"]


@pytest.mark.slow
def test_down_stops_a_twin_and_waits_for_it(running, tmp_path):
    """`stopped` is said once it is."""
    import subprocess  # noqa: PLC0415 - only here
    import sys  # noqa: PLC0415 - only here

    assert state(running)
    program = (
        "import signal, sys, time\n"
        "from pathlib import Path\n"
        "from otherside.twin.host import registry\n"
        f"registry._place = lambda: Path({str(tmp_path)!r})\n"
        f"_, file = registry.register(Path({str(tmp_path / 'x')!r}), 'p', name='other')\n"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), file.unlink(), sys.exit()))\n"
        "signal.pause()\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry, "_place", lambda: tmp_path)
            until(lambda: [found.name for found in registry.entries()] == ["other"])
            assert run("down", "--json") == (0, '{"stopped": ["other"], "running": []}\n')
            assert registry.entries() == []
    finally:
        ended(owner)
    assert owner.returncode == 0
