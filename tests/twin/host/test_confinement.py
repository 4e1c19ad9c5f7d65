"""What a stack's functions and boot scripts may do to this machine: no more than to their own."""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import pytest

from otherside.twin.host.confinement import NET_ABI, landlock_abi
from otherside.twin.host.processes import INTERPRETER, may_become_others
from twin.conftest import EAST
from twin.host.test_forkserver import run

landlocked = pytest.mark.skipif(
    landlock_abi() < NET_ABI, reason="the kernel's Landlock does not know of ports, or is absent"
)

LOOK = """
import json, os, signal, socket, sys, tempfile
def tried(action):
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__
def write(path):
    with open(path, "a") as file:
        file.write("x")
def call(port):
    line = socket.socket()
    getattr(socket, "otherside_network", None) and socket.otherside_network.__class__.connect(
        line, ("127.0.0.1", port)) or line.connect(("127.0.0.1", port))
def look(planted, control, port, own, twin):
    def knock():
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(control)
            line.sendall(b'{"id": 1, "do": "status"}\\n')
            return line.recv(9)
    return {
        "user": os.getuid(),
        "home": tried(lambda: open(planted).read()),
        "control": tried(knock),
        "port": tried(lambda: call(port)),
        "kill": tried(lambda: os.kill(twin, 0)),
        "code": tried(lambda: write(own)),
        "tmp": tried(lambda: write(tempfile.gettempdir() + f"/guest-{os.getpid()}")),
        "gone": tried(lambda: os.unlink(tempfile.gettempdir() + f"/guest-{os.getpid()}")),
    }
"""
FUNCTION = (
    LOOK
    + """
def handler(event, context):
    return look(**event, own=__file__)
"""
)


@pytest.fixture
def planted():
    """Write a file that only this user may read, where no guest has business."""
    place = Path(f"/var/tmp/otherside-test-{os.getpid()}")
    place.touch(mode=0o600)
    place.write_text("aws_secret_access_key")
    yield place
    place.unlink()


@pytest.fixture
def listener():
    """Listen on a port of the machine that is none of the twin's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
@landlocked
def test_a_function_reaches_neither_the_machine_nor_its_cloud(bare, planted, listener):
    """It reads its own code and the libraries, writes `/tmp`, and speaks to the twin alone."""
    bare.function("look", FUNCTION)
    asked = {
        "planted": str(planted),
        "control": str(bare.directory / "control"),
        "port": listener,
        "twin": bare.known["pid"],
    }
    answered = bare.aws("lambda", EAST).invoke(FunctionName="look", Payload=json.dumps(asked))
    seen = json.loads(answered["Payload"].read())
    assert seen["home"] == "PermissionError"
    assert seen["control"] in {"b''", "PermissionError", "ConnectionResetError", "BrokenPipeError"}
    assert seen["port"] == "PermissionError"
    assert seen["kill"] == "PermissionError"
    assert seen["code"] == "PermissionError"  # Lambda's file system is read-only
    assert (seen["tmp"], seen["gone"]) == ("None", "None")
    assert (seen["user"] == 0) is (os.geteuid() == 0 and not may_become_others())


def test_a_guest_has_a_user_of_its_own_if_we_are_root(tmp_path):
    """Two guests are two users, so that neither can harm the other."""

    async def users(processes):
        return [processes.confinement(write=[tmp_path]).user for _ in range(2)]

    first, second = run(tmp_path, users)
    if may_become_others():
        assert first != second
        assert 0 not in {*first, *second}
    else:
        assert first is second is None


@landlocked
def test_a_started_program_is_confined_as_a_forked_one_is(tmp_path, planted):
    """A boot script is started, a function forked: both from the same policy."""
    told = "cat $1 2>&1; id -u; echo mine > own; cat own; echo x > ../not-own 2>&1; exit 3"

    async def boot(processes):
        own = tmp_path / "own-place"
        own.mkdir()
        confined = processes.confinement(write=[own])
        if confined.user:
            os.chown(own, *confined.user)
        log = tmp_path / "log"
        process = await processes.start(
            ["/bin/bash", "-c", told, "boot", str(planted)],
            log=log,
            env={"PATH": os.defpath},
            cwd=own,
            confined=confined,
        )
        return await process.ended, log.read_text()

    code, said = run(tmp_path, boot)
    assert code == 3
    assert "aws_secret_access_key" not in said
    assert said.count("Permission denied") == 2
    assert "mine" in said


def test_the_interpreter_is_among_what_a_guest_may_read():
    """A guest that cannot load its own libraries proves nothing about a stack."""
    for module in ("boto3", "psycopg", "awslambdaric"):
        file = Path(__import__(module).__file__).resolve()
        assert any(file.is_relative_to(place) for place in INTERPRETER), module
    assert any(Path(sys.executable).resolve().is_relative_to(place) for place in INTERPRETER)


def test_who_asks_is_a_guest_if_the_supervisor_started_it(tmp_path):
    """However far down: a guest cannot disown its ancestors, for orphans go to the supervisor."""

    async def asked(processes):
        log = tmp_path / "log"
        process = await processes.start(
            ["/bin/bash", "-c", "sleep 60 & echo $!; wait"], log=log, env={"PATH": os.defpath}
        )
        while not log.read_text().strip():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)
        deep = int(log.read_text())
        return [processes.has_started(pid) for pid in (process.pid, deep, os.getpid(), 1)]

    assert run(tmp_path, asked) == [True, True, False, False]
