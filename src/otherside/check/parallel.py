"""Share work on a large input among the machine's processors, by forked processes.

A fork sees all that was read, and copies only the pages that it writes to, as it does wherever it
counts a reference; its result is sent back. Wherever a process cannot be forked, and wherever one
of them fails, the work is done here, one after the other.
"""

import contextlib
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import IO, Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
WORKERS_MAX = 4
"""What they send back is read by one process, so more of them gain nothing."""
_TASKS_MAX = 256
"""The number of a task is one byte."""


def workers() -> int:
    """Return among how many processes work can be shared here."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return 1  # a fork has no other thread, but each lock that one holds
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return min(len(usable) or os.cpu_count() or 1, WORKERS_MAX)


def in_parallel(
    tasks: Sequence[Task],
    do: Callable[[Iterable[Task]], Result],
    *,
    pickler: type[pickle.Pickler] = pickle.Pickler,
    unpickler: type[pickle.Unpickler] = pickle.Unpickler,
) -> list[Result]:
    """Have tasks done by several processes, each of which takes the next; return their results.

    Which task is in which result is left to chance. What a process changes is lost unless it is
    part of its result.
    """
    count = workers()
    if count > 1 and len(tasks) <= _TASKS_MAX:
        # No process, no file, or half a result: what is done here instead lacks nothing.
        with contextlib.suppress(OSError, EOFError, pickle.PickleError, _FailedError):
            return _shared(tasks, do, count, pickler, unpickler)
    return [do(tasks)]


class _FailedError(Exception):
    """A fork that ended without its result."""


def _shared(
    tasks: Sequence[Task],
    do: Callable[[Iterable[Task]], Result],
    count: int,
    pickler: type[pickle.Pickler],
    unpickler: type[pickle.Unpickler],
) -> list[Result]:
    queue, forked = _Queue(tasks), list[_Fork]()
    try:
        for _ in range(count - 1):
            forked.append(_Fork(partial(do, queue), pickler))
        return [do(queue), *(fork.result(unpickler) for fork in forked)]
    finally:
        queue.close()
        for fork in forked:
            fork.end()


class _Queue(Iterable[Task]):
    """Tasks of which each is taken once, by whichever process asks first."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        self._next, given = os.pipe()
        os.write(given, bytes(range(len(tasks))))
        os.close(given)

    def __iter__(self) -> Iterator[Task]:
        while number := os.read(self._next, 1):
            yield self._tasks[number[0]]

    def close(self) -> None:
        os.close(self._next)


class _Fork:
    """Work in a process of its own."""

    def __init__(self, work: Callable[[], object], pickler: type[pickle.Pickler]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        try:
            self._pid = os.fork()
        except OSError:
            self._file.close()
            raise
        if self._pid == 0:
            status = 1
            try:
                pickler(self._file, pickle.HIGHEST_PROTOCOL).dump(work())
                self._file.flush()
                status = 0
            finally:
                os._exit(status)

    def result(self, unpickler: type[pickle.Unpickler]) -> Any:  # noqa: ANN401 - the work's own
        """Wait until it is done, and return its result.

        Raises:
            _FailedError: If it failed, in whatever way.
        """
        pid, self._pid = self._pid, 0
        _, status = os.waitpid(pid, 0)  # raises where nobody waits for children
        if status != 0:
            raise _FailedError
        self._file.seek(0)
        return unpickler(self._file).load()

    def end(self) -> None:
        """End the process, if it still runs, and give back what it had."""
        pid, self._pid = self._pid, 0
        if pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        self._file.close()
