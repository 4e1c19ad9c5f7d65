"""Share work on a large input among the machine's processors, by forked processes.

A fork sees all that was read without a copy of it; only its result is sent back. Wherever a process
cannot be forked safely, and wherever one of them fails, the work is done here, one after the other.
"""

import os
import pickle
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar

Result = TypeVar("Result")
WORKERS_MAX = 4
"""What they send back is read by one process, so more of them gain nothing."""


def workers() -> int:
    """Return among how many processes work can be shared here."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return 1  # a fork has no other thread, but each lock that one holds
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return min(len(usable) or os.cpu_count() or 1, WORKERS_MAX)


def in_parallel(
    works: Sequence[Callable[[], Result]],
    *,
    pickler: type[pickle.Pickler] = pickle.Pickler,
    unpickler: type[pickle.Unpickler] = pickle.Unpickler,
) -> list[Result]:
    """Return the results of some works in their order: the first done here, the others in forks.

    What a work changes is lost unless it is part of its result.
    """
    if workers() == 1:
        return [work() for work in works]
    forked = [_Fork(work, pickler) for work in works[1:]]
    try:
        return [works[0](), *(fork.result(unpickler) for fork in forked)]
    finally:
        for fork in forked:
            fork.end()


class _Fork:
    """One work in a process of its own."""

    def __init__(self, work: Callable[[], Any], pickler: type[pickle.Pickler]) -> None:
        self._work = work
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                pickler(self._file, pickle.HIGHEST_PROTOCOL).dump(work())
                self._file.flush()
                status = 0
            finally:
                os._exit(status)

    def result(self, unpickler: type[pickle.Unpickler]) -> Any:  # noqa: ANN401 - the work's own
        """Wait for the result; if the fork failed, do the work here, and fail as it does."""
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        if status != 0:
            return self._work()
        self._file.seek(0)
        return unpickler(self._file).load()

    def end(self) -> None:
        """End the process, if it still runs, and give back what it had."""
        if self._pid:
            os.kill(self._pid, 9)
            os.waitpid(self._pid, 0)
        self._file.close()
