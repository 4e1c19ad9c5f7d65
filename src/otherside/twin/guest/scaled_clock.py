"""Twin time: the only file of the twin that reads the machine's clocks.

A scaled process lives in twin time: all times that it reads from `time` and `datetime`, and all its
waits, run `speed` times as fast. Its code is unchanged and unaware of this. At speed 1, nothing is
patched.

It needs only the standard library, because functions and instances load it before anything else.
"""

import ctypes
import datetime as dt
import gc
import os
import select
import selectors
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

VARIABLE = "OTHERSIDE_TWIN_CLOCK"
_now, _monotonic, _sleep = time.time, time.monotonic, time.sleep  # noqa: TID251 - this is the place
_gmtime, _localtime = time.gmtime, time.localtime


@dataclass(frozen=True)
class ScaledClock:
    """How twin time relates to real time; all processes of one twin have the same clock."""

    speed: float
    started_s: float
    """When the twin started, by the machine's wall clock: both clocks agree at this moment."""
    origin_s: float
    """The same moment by the machine's monotonic clock, which all its processes share."""

    @classmethod
    def starting_now(cls, speed: float) -> "ScaledClock":
        """Return the clock of a twin that starts now."""
        return cls(speed, _now(), _monotonic())

    @classmethod
    def from_text(cls, text: str) -> "ScaledClock":
        """Return the clock that `text` describes."""
        speed, started_s, origin_s = map(float, text.split("/"))
        return cls(speed, started_s, origin_s)

    def to_text(self) -> str:
        """Return the clock as text for an environment variable."""
        return f"{self.speed!r}/{self.started_s!r}/{self.origin_s!r}"

    def now_s(self) -> float:
        """Return twin seconds since 1970."""
        return self.started_s + self.elapsed_s()

    def monotonic_s(self) -> float:
        """Return twin seconds from a fixed moment."""
        return self.origin_s + self.elapsed_s()

    def elapsed_s(self) -> float:
        """Return twin seconds since the twin started."""
        return (_monotonic() - self.origin_s) * self.speed

    def real_elapsed_s(self) -> float:
        """Return real seconds since the twin started."""
        return _monotonic() - self.origin_s

    def real_s(self, twin_s: float) -> float:
        """Return how many real seconds a span of twin time takes."""
        return twin_s / self.speed

    def sleep(self, seconds: float) -> None:
        """Wait for a span of twin time."""
        _sleep(seconds / self.speed)


def real_sleep(seconds: float) -> None:
    """Wait for a span of real time, even in a scaled process."""
    _sleep(seconds)


def real_now_s() -> float:
    """Return real seconds since some fixed point, even in a scaled process."""
    return _monotonic()


def from_environment() -> "ScaledClock | None":
    """Return the clock from this process's environment, or `None` outside a twin."""
    text = os.environ.get(VARIABLE)
    return ScaledClock.from_text(text) if text else None


def install(clock: ScaledClock) -> None:
    """Switch this process to twin time. Call it once, before importing anything else."""
    os.environ[VARIABLE] = clock.to_text()
    if clock.speed == 1:
        return
    _install_clock(clock)
    _install_dates(clock)
    _install_waits(clock)


class _Plain:
    """A callable that a class does not bind as a method, like a built-in function."""

    def __init__(self, function: Any) -> None:  # noqa: ANN401 - a function of time
        self._function = function

    def __call__(self, *given: object) -> object:
        return self._function(*given)


def _install_clock(clock: ScaledClock) -> None:
    real_strftime = time.strftime

    def strftime(text: str, at: "time.struct_time | None" = None) -> str:
        return real_strftime(text, _localtime(clock.now_s()) if at is None else at)

    def gmtime(at: "float | None" = None) -> time.struct_time:
        return _gmtime(clock.now_s() if at is None else at)

    def localtime(at: "float | None" = None) -> time.struct_time:
        return _localtime(clock.now_s() if at is None else at)

    real_clock = time.clock_gettime
    walls = {time.CLOCK_REALTIME, getattr(time, "CLOCK_TAI", None)}
    steady = {
        getattr(time, name, None)
        for name in ("CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME")
    }

    def clock_gettime(number: int) -> float:
        if number in walls:
            return clock.now_s()
        return clock.monotonic_s() if number in steady else real_clock(number)

    for name, instead in {
        "time": clock.now_s,
        "clock_gettime": clock_gettime,
        "clock_gettime_ns": lambda clock: int(clock_gettime(clock) * 1e9),
        "time_ns": lambda: int(clock.now_s() * 1e9),
        "monotonic": clock.monotonic_s,
        "perf_counter": clock.monotonic_s,
        "monotonic_ns": lambda: int(clock.monotonic_s() * 1e9),
        "perf_counter_ns": lambda: int(clock.monotonic_s() * 1e9),
        "sleep": clock.sleep,
        "gmtime": gmtime,
        "localtime": localtime,
        "strftime": strftime,
    }.items():
        setattr(time, name, _Plain(instead))
    # These two modules were imported earlier, and hold the unpatched functions.
    threading._time = clock.monotonic_s  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other name
    subprocess._time = clock.monotonic_s  # type: ignore[attr-defined]  # noqa: SLF001 - as above


def _install_dates(clock: ScaledClock) -> None:
    """Patch what `datetime` returns as the present.

    The class must stay the same object, because compiled modules refer to it by identity. Python
    exposes its method table as read-only, so we reach the table through the garbage collector.
    """
    real = dt.datetime
    utc = dt.timezone.utc  # noqa: UP017 - instances run Python 3.9

    def now(cls: type, tz: "dt.tzinfo | None" = None) -> "dt.datetime":
        made: dt.datetime = cls.fromtimestamp(clock.now_s(), tz)  # type: ignore[attr-defined]  # it is `datetime`
        return made

    def utcnow(cls: type) -> "dt.datetime":
        return now(cls, utc).replace(tzinfo=None)

    def today(cls: type) -> "dt.datetime":
        return now(cls)

    table = gc.get_referents(real.__dict__)[0]
    table["now"], table["utcnow"], table["today"] = map(classmethod, (now, utcnow, today))
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(real))


def _install_waits(clock: ScaledClock) -> None:
    """Scale every wait that the standard library passes to the machine."""
    speed = clock.speed
    wait, acquire = threading.Condition.wait, threading.Thread.join

    def scaled(timeout: "float | None") -> "float | None":
        return timeout if timeout is None or timeout < 0 else timeout / speed

    def condition_wait(self: threading.Condition, timeout: "float | None" = None) -> bool:
        return wait(self, scaled(timeout))

    def join(self: threading.Thread, timeout: "float | None" = None) -> None:
        acquire(self, scaled(timeout))

    threading.Condition.wait = condition_wait  # type: ignore[method-assign]  # for the clock
    threading.Thread.join = join  # type: ignore[method-assign]  # for the clock
    _install_selectors(scaled)
    _install_sockets(scaled)


def _install_selectors(scaled) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a function of time-outs
    real_select = select.select

    def slow(name: str) -> None:
        kind = getattr(selectors, name, None)
        if kind is None:
            return
        real = kind.select
        kind.select = lambda self, timeout=None: real(self, scaled(timeout))

    for name in ("SelectSelector", "PollSelector", "EpollSelector"):
        slow(name)
    select.select = lambda r, w, x, timeout=None: real_select(r, w, x, scaled(timeout))


def _install_sockets(scaled) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a function of time-outs
    """Scale the timeouts of sockets; `gettimeout` still returns the unscaled value."""
    settimeout, gettimeout = socket.socket.settimeout, socket.socket.gettimeout

    class TwinTimeouts:
        """Unscaled timeouts, by the socket's file descriptor."""

        told: "dict[int, float | None]" = {}  # noqa: RUF012 - one for the process

    def set_it(self: socket.socket, timeout: "float | None") -> None:
        TwinTimeouts.told[self.fileno()] = timeout
        settimeout(self, scaled(timeout))

    def get_it(self: socket.socket) -> "float | None":
        real = gettimeout(self)
        told = TwinTimeouts.told.get(self.fileno())
        return told if real is not None and scaled(told) == real else real

    socket.socket.settimeout = set_it  # type: ignore[assignment,method-assign]  # for the clock
    socket.socket.gettimeout = get_it  # type: ignore[assignment,method-assign]  # for the clock
