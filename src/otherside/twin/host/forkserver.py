"""Fork server for the guests' Python programs: an interpreter that has already loaded libraries.

A guest's function or application needs AWS's SDK or a database driver, which take half a second and
thirty megabytes to load. The fork server loads them once, and all guests share its memory pages.
AWS starts functions from snapshots for the same reason.

It is a single-threaded program, started by the supervisor with one end of a socket. Requests and
responses are JSON lines. Each process is forked twice, so that it becomes the supervisor's own
child (Linux reparents an orphan to its subreaper), and reports when it has.
"""

import ctypes
import gc
import importlib
import importlib.util
import json
import os
import runpy
import signal
import socket
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

LOADED = (
    *("asyncio", "http.server", "logging", "subprocess", "urllib.request"),
    *("boto3", "botocore.httpsession", "psycopg"),
)
"""No `otherside` module, because a function brings its own. No runtime client either, because it
reads the address of its API on import."""
SERVICES = ("dynamodb", "rds", "secretsmanager", "cloudwatch", "sns", "lambda")
"""Services whose models most functions read first."""
PLAIN = frozenset({"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS"})
"""Python variables that a forked process can honour."""
EARLY = ("PYTHON", "LD_", "MALLOC_", "GLIBC_", "OPENSSL_", "PSYCOPG_")
"""Prefixes of variables that are read when a process starts or a module is imported."""
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


def beside(name: str) -> ModuleType:
    """Load a file of this directory by its path, because a function brings its own `otherside`."""
    file = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"otherside_twin_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


confinement = beside("confinement")


def load() -> list[str]:
    """Load everything; return the module search path, without a program's own directories."""
    gc.disable()
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    base = [item for item in sys.path if item not in own]
    for name in LOADED:
        importlib.import_module(name)
    _load_models()
    gc.freeze()  # otherwise a collection would copy these pages in every child
    return base


def _load_models() -> None:
    """Make the SDK read its models once, without documentation, and read what most guests need."""
    beside("sdk_preload").share_models()
    session = importlib.import_module("boto3").Session()
    key = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    for service in SERVICES:
        session.client(service, region_name="us-east-1", **key).close()


def serve(line: socket.socket, base: Sequence[str]) -> None:
    """Fork a process for each request until the supervisor is gone; also return in each child."""
    supervisor = os.getppid()
    for text in line.makefile("rb"):
        request = json.loads(text)
        middle = os.fork()
        if middle:
            if os.waitpid(middle, 0)[1]:
                _tell(line, failed=request["id"], why="the machine cannot start more processes")
            continue
        middle = os.getpid()
        if os.fork():
            os._exit(0)
        while os.getppid() == middle:
            os.sched_yield()
        _become(request, line, supervisor)
        argv, env = request["argv"], request["env"]
        own = places(argv, env, request["cwd"])
        if not forkable(argv, env, own, set(sys.modules)):
            os.execvpe(argv[0], argv, env)  # noqa: S606 - the twin's own programs
        run(argv, env, [*own, *base])
        return


def _become(request: dict[str, Any], line: socket.socket, supervisor: int) -> None:
    """Become the requested process, and report that it has started."""
    try:
        os.setsid()
        libc, policy = ctypes.CDLL(None), request.get("confined")
        libc.prctl(PR_SET_NAME, Path(request["argv"][-1]).name[-15:].encode(), 0, 0, 0)
        if os.getppid() != supervisor:
            msg = "it did not become the supervisor's child"
            raise ChildProcessError(msg)  # noqa: TRY301 - reported like every other error
        log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.chdir(request["cwd"])
        if policy:
            if policy["user"]:
                os.fchown(log, *policy["user"])  # it may open its own output again
            confinement.confine(policy)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a change of user undoes it
    except BaseException as error:  # noqa: BLE001 - the supervisor waits for an answer
        _tell(line, failed=request["id"], why=str(error) or repr(error))
        os._exit(1)
    _tell(line, started=request["id"], pid=os.getpid())
    os.close(line.detach())  # not `close`, which waits for the file that requests are read from
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)


def places(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> list[str]:
    """Return the directories where the interpreter would look for a program's own modules."""
    own = [part for part in env.get("PYTHONPATH", "").split(os.pathsep) if part]
    script = argv[2] if len(argv) > 2 else "-"  # noqa: PLR2004 - interpreter, -B, and what it runs
    if script.startswith("-"):
        return [cwd, *own]
    return [str(Path(cwd, script).resolve().parent), *own]


def forkable(
    argv: Sequence[str], env: Mapping[str, str], own: Sequence[str], loaded: set[str]
) -> bool:
    """Return whether a program runs here as it would in an interpreter of its own.

    A program that brings its own version of a loaded module does not.
    """
    given = list(argv[2:])
    runs = bool(given) and (not given[0].startswith("-") or (given[0] == "-m" and len(given) > 1))
    if list(argv[:2]) != [sys.executable, "-B"] or not runs:
        return False
    if any(name.startswith(EARLY) and name not in PLAIN for name in env):
        return False
    if env.get("PYTHONWARNINGS", "ignore") != "ignore":
        return False
    brought = {
        path.name.partition(".")[0]
        for place in own
        if Path(place).is_dir()
        for path in Path(place).iterdir()
    }
    known = {text.partition(".")[0] for text in loaded} - {"sitecustomize", "__main__"}
    return not brought & known


def run(argv: Sequence[str], env: Mapping[str, str], path: Sequence[str]) -> None:
    """Run a program in this process as a fresh interpreter would, with this module path."""
    gc.enable()
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    if "PYTHONWARNINGS" in env:
        warnings.simplefilter("ignore")
    network = getattr(socket, "otherside_network", None)
    if network is not None:
        network.belong(env.get("OTHERSIDE_TWIN_GUEST", ""))
    sys.path[:] = path
    sys.orig_argv[:] = argv
    importlib.invalidate_caches()
    if argv[2] == "-m":
        sys.argv = list(argv[3:])
        runpy.run_module(argv[3], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(argv[2:])
        runpy.run_path(argv[2], run_name="__main__")


def _tell(line: socket.socket, **news: object) -> None:
    line.sendall(json.dumps(news).encode() + b"\n")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), load())
