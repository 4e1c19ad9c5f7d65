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
    """The clock of the machine."""

    def __init__(self) -> None:
        """Note where both of the machine's clocks stand."""
        self._started_s, self._from_s = time.time(), time.monotonic()

    def monotonic_s(self) -> float:
        """Return seconds from some fixed moment; they never run backwards."""
        return time.monotonic()

    def now_s(self) -> float:
        """Return seconds since 1970, by the clock that is further ahead.

        A wall clock that is set back must not make an intent young again, and a machine that was
        suspended may not have counted the time meanwhile.
        """
        return max(time.time(), self._started_s + time.monotonic() - self._from_s)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: TID251 - this is the one place that may
