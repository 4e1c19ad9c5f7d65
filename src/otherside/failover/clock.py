"""Time: the only module that reads the clock or waits."""

import time
from typing import Protocol


class Clock(Protocol):
    """The clock operations that the functions need."""

    def monotonic_s(self) -> float:
        """Return seconds since some fixed point; they never run backwards."""

    def now_s(self) -> float:
        """Return seconds since 1970; they never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""


class SystemClock:
    """The machine's clock, for one run of a function.

    For one run only: a sandbox whose clock was wrong at its start must not keep the error.
    """

    def __init__(self) -> None:
        """Record the current reading of both of the machine's clocks."""
        self._started_s, self._from_s = time.time(), time.monotonic()
        self._said_s = self._started_s

    def monotonic_s(self) -> float:
        """Return seconds since some fixed point; they never run backwards."""
        return time.monotonic()

    def now_s(self) -> float:
        """Return seconds since 1970, by whichever clock is further ahead.

        Setting the wall clock back must not make an old intent look fresh, and the monotonic clock
        of a suspended machine may not have counted the suspension. The result never decreases.
        """
        counted_s = self._started_s + time.monotonic() - self._from_s
        self._said_s = max(self._said_s, time.time(), counted_s)
        return self._said_s

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        time.sleep(seconds)
