"""Time: the only file that reads it or waits."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the functions need of time."""

    def monotonic_s(self) -> float:
        """Return seconds from some fixed moment; they never run backwards."""

    def now_s(self) -> float:
        """Return seconds since 1970; they never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of the machine, for one run of a function.

    One run and no longer: a sandbox whose clock was wrong when it began must not stay wrong.
    """

    def __init__(self) -> None:
        """Note where both of the machine's clocks stand."""
        self._started_s, self._from_s = time.time(), time.monotonic()
        self._said_s = self._started_s

    def monotonic_s(self) -> float:
        """Return seconds from some fixed moment; they never run backwards."""
        return time.monotonic()

    def now_s(self) -> float:
        """Return seconds since 1970, by the clock that is further ahead.

        A wall clock that is set back must not make an intent young again, and a machine that was
        suspended may not have counted the time meanwhile. What was said once is never taken back.
        """
        counted_s = self._started_s + time.monotonic() - self._from_s
        self._said_s = max(self._said_s, time.time(), counted_s)
        return self._said_s

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: TID251 - this is the one place that may
