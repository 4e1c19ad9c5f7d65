"""Nothing survives a twin, however it ends, and two of them do not meet."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from otherside.twin.host.twin_directory import PREFIX
from otherside.twin.twin import Twin, TwinError
from processes import words
from twin.conftest import EAST, Bare, TwinSettings, until

ROOT = Path(__file__).parents[3]
PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may ignore it
sys.path[:0] = ["src", "tests"]
from twin.conftest import Bare, TwinSettings
from twin.services.rds.test_rds import shop
with shop(speed=10) as bare:
    bare.function("warm", "def handler(e, c): return 1")
    bare.aws("lambda").invoke(FunctionName="warm")
    print(bare.directory, bare.known["pid"], flush=True)
    time.sleep(600)
"""

pytestmark = pytest.mark.slow


def tree(pid):
    """Return a process and everything under it."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def running():
    """Return a twin in a process of its own: (process, directory, cloud's pid, everything)."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    directory, pid = process.stdout.readline().split()
    everything = tree(process.pid)
    names = " ".join(map(words, everything))
    if "postgres" not in names or "supervisor" not in names or names.count("forkserver.py") < 2:
        process.kill()
        process.communicate(timeout=120)
        pytest.fail(f"a twin without all of its processes: {names}")
    return process, Path(directory), int(pid), everything


def refuses(bare):
    """Return whether a twin has noticed that its cloud is gone."""
    try:
        bare.do("status")
    except TwinError:
        return True
    return False


def ended(process):
    """Return whether a process has ended, also where its parent has not asked how."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def gone(everything, directory):
    """Wait until every process and the directory are gone."""
    _, alive = psutil.wait_procs(everything, timeout=60)
    assert alive == []
    until(lambda: not directory.exists(), seconds=10)


def test_a_twin_that_was_never_started_removes_nothing(tmp_path, monkeypatch):
    """Closing one is no error; it made no directory, and where one stands is not its."""
    (tmp_path / "kept").write_text("mine")
    monkeypatch.chdir(tmp_path)
    Twin().close()
    with pytest.raises(TwinError, match="not started"):
        Twin().directory  # noqa: B018 - it is asked
    assert (tmp_path / "kept").read_text() == "mine"


@pytest.mark.parametrize(
    ("whom", "how"),
    [
        ("owner", signal.SIGKILL),
        ("owner", signal.SIGINT),
        ("cloud", signal.SIGKILL),
        pytest.param("supervisor", signal.SIGKILL, marks=pytest.mark.long),
    ],
)
def test_nothing_survives_whoever_dies(whom, how):
    """Processes, threads, ports and files, with the owner, the cloud or the supervisor killed."""
    process, directory, cloud, everything = running()
    try:
        end_it(whom, how, process, directory, cloud, everything)
    finally:
        process.kill()
        process.communicate(timeout=120)


def end_it(whom, how, process, directory, cloud, everything):
    """End one of the three, and see that all of them are gone."""
    supervisor = next(item for item in everything if "supervisor" in words(item))
    os.kill({"owner": process.pid, "cloud": cloud, "supervisor": supervisor.pid}[whom], how)
    others = [item for item in everything if item.pid != process.pid]
    if whom in {"cloud", "supervisor"}:
        until(lambda: all(ended(other) for other in others), seconds=15)
        process.kill()
    process.communicate(timeout=120)
    gone(others, directory)


def test_an_exception_inside_of_the_block_ends_everything():
    """As anything that a test or a drill raises."""
    backup_settings = {}

    def fail():
        with Bare(TwinSettings()) as bare:
            backup_settings["everything"], backup_settings["directory"] = (
                tree(bare.known["pid"]),
                bare.directory,
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    everything, directory = backup_settings["everything"], backup_settings["directory"]
    gone(everything, directory)


def test_a_cloud_that_is_gone_is_told_and_not_waited_for():
    """Whoever asks a dead twin hears so at once."""
    with Bare(TwinSettings()) as bare:
        os.kill(bare.known["pid"], signal.SIGKILL)
        began_s = time.monotonic()
        until(lambda: psutil.pid_exists(bare.known["pid"]) is False or refuses(bare))
        with pytest.raises(TwinError, match="gone"):
            bare.do("status")
        assert time.monotonic() - began_s < 5
        with pytest.raises(TwinError, match="exited unexpectedly"):
            bare.check()


def test_two_twins_side_by_side_do_not_meet():
    """Each with keys, ports and data of its own."""
    with Bare(TwinSettings()) as bare, Bare(TwinSettings()) as other:
        assert bare.known["access_key_id"] != other.known["access_key_id"]
        assert bare.known["endpoint"] != other.known["endpoint"]
        bare.aws("sqs").create_queue(QueueName="mine")
        assert "QueueUrls" not in other.aws("sqs").list_queues()
        assert "QueueUrls" in bare.aws("sqs").list_queues()


def test_ports_are_free_again():
    """What a twin listened on, the next may."""
    with Bare(TwinSettings()) as bare:
        host, _, port = bare.known["endpoint"].removeprefix("http://").rpartition(":")
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((host, int(port)))


def test_a_twin_that_cannot_start_says_why_and_leaves_nothing(monkeypatch):
    """One sentence, and no directory."""
    before = set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(TwinError, match="did not come up"):
        Twin(TwinSettings()).__enter__()
    assert set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")) == before


def test_no_secret_is_in_an_argument_or_a_log():
    """Neither the provisioner's key nor anybody's password."""
    from twin.services.rds.test_rds import PASSWORD, shop

    with shop() as bare:
        secrets = {bare.known["secret_access_key"], PASSWORD}
        for item in tree(bare.known["pid"]):
            text = words(item)
            assert not any(secret in text for secret in secrets)
        for log in bare.directory.rglob("*.log"):
            text = log.read_text(errors="replace")
            assert not any(secret in text for secret in secrets), log
        happened = json.dumps(bare.do("events")) + json.dumps(bare.do("calls"))
        assert not any(secret in happened for secret in secrets)
        assert bare.aws("sts").get_caller_identity()["Account"]
        assert EAST
