"""Time: the only file that reads it or waits."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the functions need of time."""

    def monotonic_s(self) -> float:
        """Return seconds from some fixed moment; they never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of the machine."""

    def monotonic_s(self) -> float:
        """Return seconds from some fixed moment; they never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: TID251 - this is the one place that may
