"""What guests are forked from: each runs as in an interpreter of its own, and its end is told."""

import asyncio
import json
import os
import signal
import sys

import psutil
import pytest

from otherside.twin.host.forkserver import forkable, places
from otherside.twin.host.processes import ProcessError, Processes
from twin.conftest import until

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks guests")

TELL = """
import json, os, sys
import boto3
print(json.dumps({
    "argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "path": sys.path,
    "name": __name__, "group": os.getpgid(0) == os.getpid(), "boto3": boto3.__file__,
    "shared": "forkserver.py" in open("/proc/self/cmdline").read(),
}))
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""


def run(directory, work):
    """Run a coroutine function on processes, and end them."""

    async def main():
        processes = Processes(directory / "twin")
        processes.directory.mkdir()
        await processes.open()
        try:
            return await work(processes)
        finally:
            await processes.close()

    return asyncio.run(main())


def program(directory, text=TELL):
    """Return a program in a place of its own."""
    place = directory / "code"
    place.mkdir(exist_ok=True)
    (place / "tell.py").write_text(text)
    return place


def ran(directory, place):
    """Run a place's program; return its exit code and what it printed."""
    argv = [sys.executable, "-B", str(place / "tell.py")]
    return run(directory, lambda every: told(every, place, argv))


async def told(processes, place, argv, env=None):
    """Run a program to its end; return its exit code and what it printed."""
    log = place.parent / "log"
    given = {"PYTHONPATH": str(place), **(env or {})}
    process = await processes.fork(argv, log=log, env=given, cwd=place)
    code = await asyncio.wait_for(process.ended, 30)
    return code, log.read_text()


@linux
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["script", "module"])
def test_it_runs_as_in_an_interpreter_of_its_own(kind, tmp_path):
    """Arguments, environment, directory, path and exit code are what they would be."""
    place = program(tmp_path)
    what = [str(place / "tell.py")] if kind == "script" else ["-m", "tell"]
    argv = [sys.executable, "-B", *what, "3"]
    code, text = run(tmp_path, lambda every: told(every, place, argv, {"ONLY": "this"}))
    found = json.loads(text)
    assert code == 3
    assert found["shared"]
    assert found["name"] == "__main__"
    assert found["argv"][1:] == ["3"]
    assert found["env"] == {"PYTHONPATH": str(place), "ONLY": "this"}
    assert found["cwd"] == str(place)
    assert found["path"][0] == str(place)
    assert not any("otherside/twin" in item for item in found["path"])
    assert found["group"]


@linux
@pytest.mark.slow
def test_one_that_brings_its_own_library_gets_that(tmp_path):
    """And not what is loaded already, under the same name."""
    place = program(tmp_path)
    (place / "boto3.py").write_text("")
    code, text = ran(tmp_path, place)
    found = json.loads(text)
    assert code == 0
    assert found["boto3"] == str(place / "boto3.py")
    assert not found["shared"]


@linux
@pytest.mark.slow
def test_each_end_is_told_however_soon_it_comes(tmp_path):
    """A crowd of processes that end as they begin: none of them is waited for in vain."""
    place = program(tmp_path, "import os, sys; os._exit(int(sys.argv[1]))")

    async def work(processes):
        def start(number):
            argv = [sys.executable, "-B", str(place / "tell.py"), str(number)]
            missing = ["/no/such/program"] if number % 3 == 0 else argv
            return processes.fork(missing, log=tmp_path / "log", env={}, cwd=place)

        every = await asyncio.gather(*(start(number) for number in range(60)))
        return await asyncio.wait_for(asyncio.gather(*(item.ended for item in every)), 60)

    codes = run(tmp_path, work)
    assert codes == [1 if number % 3 == 0 else number for number in range(60)]


@linux
@pytest.mark.slow
def test_an_error_is_in_its_log_and_in_its_code(tmp_path):
    """As an interpreter would tell it."""
    place = program(tmp_path, "raise RuntimeError('it broke')")
    code, text = ran(tmp_path, place)
    assert code == 1
    assert "RuntimeError: it broke" in text


@linux
@pytest.mark.slow
def test_what_cannot_be_started_is_told(tmp_path):
    """Its directory is missing."""
    place = program(tmp_path)

    async def work(processes):
        argv = [sys.executable, "-B", str(place / "tell.py")]
        log = tmp_path / "log"
        with pytest.raises(ProcessError, match="No such file"):
            await processes.fork(argv, log=log, env={}, cwd=tmp_path / "missing")

    run(tmp_path, work)


@linux
@pytest.mark.slow
def test_a_signal_ends_it_and_what_it_started(tmp_path):
    """It leads a session of its own; its end is told once, with the signal."""
    text = "import subprocess; subprocess.Popen(['sleep', '60']); print('up', flush=True)\n"
    place = program(tmp_path, text + "import signal; signal.pause()")
    log = tmp_path / "log"

    async def work(processes):
        argv = [sys.executable, "-B", str(place / "tell.py")]
        process = await processes.fork(argv, log=log, env={"PATH": os.defpath}, cwd=place)
        await asyncio.to_thread(until, lambda: log.exists() and "up" in log.read_text())
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        assert len(family) == 2
        processes.signal(process, signal.SIGTERM)
        code = await asyncio.wait_for(process.ended, 10)
        await asyncio.to_thread(psutil.wait_procs, family, timeout=60)
        return code, [child.is_running() for child in family]

    assert run(tmp_path, work) == (-signal.SIGTERM, [False, False])


@linux
@pytest.mark.slow
def test_where_the_forkserver_died_the_next_is_started_the_long_way(tmp_path):
    """Nobody who asks needs to know, and those that were forked before live on."""
    place = program(tmp_path)
    (place / "wait.py").write_text("import signal; signal.pause()")
    argv = [sys.executable, "-B", str(place / "tell.py")]

    async def work(processes):
        first = json.loads((await told(processes, place, argv))[1])
        (tmp_path / "log").unlink()
        waiting = [sys.executable, "-B", str(place / "wait.py")]
        await processes.fork(waiting, log=tmp_path / "other", env={}, cwd=place)
        (forkserver,) = (
            child
            for child in psutil.Process().children(recursive=True)
            if child.status() != psutil.STATUS_ZOMBIE
            and child.name().startswith("python")
            and "forkserver.py" in " ".join(child.cmdline())
        )
        forkserver.kill()
        second = json.loads((await told(processes, place, argv))[1])
        return first["shared"], second["shared"]

    assert run(tmp_path, work) == (True, False)


@linux
@pytest.mark.slow
def test_nothing_outlives_the_supervisor(tmp_path):
    """Neither the forkserver nor what was forked of it."""
    place = program(tmp_path, "import signal; signal.pause()")

    async def work(processes):
        argv = [sys.executable, "-B", str(place / "tell.py")]
        await processes.fork(argv, log=tmp_path / "log", env={}, cwd=place)
        return psutil.Process().children(recursive=True)

    family = run(tmp_path, work)
    assert len(family) == 3
    assert psutil.wait_procs(family, timeout=60)[1] == []


@pytest.mark.parametrize(
    ("argv", "env", "expected"),
    [
        ([sys.executable, "-B", "app.py"], {}, True),
        ([sys.executable, "-B", "-m", "app"], {"PYTHONPATH": "/nowhere"}, True),
        ([sys.executable, "-B", "-c", "1"], {}, False),
        ([sys.executable, "app.py"], {}, False),
        ([sys.executable, "-B"], {}, False),
        ([sys.executable, "-B", "-u", "app.py"], {}, False),
        ([sys.executable, "-B", "-m"], {}, False),
        (["/bin/sh", "-c", "true"], {}, False),
        ([sys.executable, "-B", "app.py"], {"PYTHONWARNINGS": "error"}, False),
        ([sys.executable, "-B", "app.py"], {"LD_PRELOAD": "other.so"}, False),
        ([sys.executable, "-B", "app.py"], {"PYTHONUNBUFFERED": "1"}, False),
    ],
)
def test_what_can_be_forked(argv, env, expected):
    """A Python program that does without options which are read when an interpreter starts."""
    assert forkable(argv, env, places(argv, env, "/nowhere"), {"boto3.session"}) is expected


def test_modules_are_found_as_an_interpreter_finds_them(tmp_path):
    """Beside a script, wherever a link to it lies; in the current directory for a module."""
    (tmp_path / "app.py").write_text("")
    (tmp_path / "linked").symlink_to(tmp_path / "app.py")
    here, env = str(tmp_path), {"PYTHONPATH": "/site"}
    assert places(["python", "-B", "app.py"], env, here) == [here, "/site"]
    assert places(["python", "-B", f"{here}/linked"], env, "/") == [here, "/site"]
    assert places(["python", "-B", "-m", "app"], env, here) == [here, "/site"]
