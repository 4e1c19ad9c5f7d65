"""Twin time: the only file of the twin that reads the machine's clocks.

A scaled process lives in twin time: all times that it reads from `time` and `datetime`, and all its
waits, run several times as fast. Its code is unchanged and unaware of this. At speed 1, nothing is
patched.

How many times changes while a twin runs: it slows down where its machine does not keep up (see
`pace.py`). All its processes read the present speed from one small file in their memory, so they
always agree on the time; a long wait is made of short ones, each of the speed that holds then.

It needs only the standard library, because functions and instances load it before anything else.
"""

import ctypes
import datetime as dt
import gc
import mmap
import os
import select
import selectors
import socket
import struct
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VARIABLE = "OTHERSIDE_TWIN_CLOCK"
SLICE_S = 0.1
"""The longest wait that is not looked at again, in real seconds: the speed may change meanwhile."""
_now, _monotonic, _sleep = time.time, time.monotonic, time.sleep  # noqa: TID251 - this is the place
_gmtime, _localtime = time.gmtime, time.localtime
_ORIGIN, _SLOT = struct.Struct("=ddd"), struct.Struct("=ddd")
_SLOTS, _FIRST = 16, 8 + _ORIGIN.size
_SIZE = _FIRST + _SLOTS * _SLOT.size
"""The number of the slot that holds, in a byte; the origin; the slots. A writer fills the next slot
before it changes the number, so a reader in another process never sees half of one."""


class ScaledClock:
    """How twin time relates to real time; all processes of one twin have the same clock."""

    def __init__(self, memory: "mmap.mmap", path: str = "") -> None:
        """Read a clock from memory; use `starting_now` or `from_text` instead."""
        self._memory, self._path = memory, path
        origin: tuple[float, float, float] = _ORIGIN.unpack_from(memory, 8)
        self.started_s, self.origin_s, self.speed_max = origin
        # started_s: when the twin started, by the machine's wall clock: both agree at this moment.
        # origin_s: the same moment by its monotonic clock, which all its processes share.

    @classmethod
    def starting_now(cls, speed: float, path: "os.PathLike[str] | None" = None) -> "ScaledClock":
        """Return the clock of a twin that starts now; with a path, other processes can share it."""
        now_s, monotonic_s = _now(), _monotonic()
        made = bytearray(_SIZE)
        _ORIGIN.pack_into(made, 8, now_s, monotonic_s, speed)
        _SLOT.pack_into(made, _FIRST, monotonic_s, 0.0, speed)
        if path is None:
            memory = mmap.mmap(-1, _SIZE)
            memory[:] = bytes(made)
            return cls(memory)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(number, made)
            os.fchmod(number, 0o644)  # guests are other users, and only read it
            return cls(mmap.mmap(number, _SIZE), os.fspath(path))
        finally:
            os.close(number)

    @classmethod
    def from_text(cls, text: str) -> "ScaledClock":
        """Return the clock that `to_text` told of.

        Raises:
            OSError: If its twin has ended.
        """
        number = os.open(text, os.O_RDONLY)
        try:
            return cls(mmap.mmap(number, _SIZE, prot=mmap.PROT_READ), text)
        finally:
            os.close(number)

    def to_text(self) -> str:
        """Return where the clock is, for an environment variable; empty if it is not shared."""
        return self._path

    def _slot(self, number: int) -> "tuple[float, float, float]":
        """Return a real moment, the twin time that had elapsed then, and the speed since."""
        return _SLOT.unpack_from(self._memory, _FIRST + _SLOT.size * number)

    @property
    def speed(self) -> float:
        """How many twin seconds a real second is at present."""
        return self._slot(self._memory[0])[2]

    @speed.setter
    def speed(self, speed: float) -> None:
        since_s, twin_s, before = self._slot(self._memory[0])
        now_s, number = _monotonic(), (self._memory[0] + 1) % _SLOTS
        elapsed_s = twin_s + (now_s - since_s) * before
        _SLOT.pack_into(self._memory, _FIRST + _SLOT.size * number, now_s, elapsed_s, speed)
        self._memory[0] = number

    def now_s(self) -> float:
        """Return twin seconds since 1970."""
        return self.started_s + self.elapsed_s()

    def monotonic_s(self) -> float:
        """Return twin seconds from a fixed moment."""
        return self.origin_s + self.elapsed_s()

    def elapsed_s(self) -> float:
        """Return twin seconds since the twin started."""
        memory = self._memory
        while True:
            number = memory[0]
            now_s = _monotonic()
            since_s, twin_s, speed = self._slot(number)
            if memory[0] == number:  # else the speed changed between the two
                return twin_s + (now_s - since_s) * speed

    def real_elapsed_s(self) -> float:
        """Return real seconds since the twin started."""
        return _monotonic() - self.origin_s

    def real_s(self, twin_s: float) -> float:
        """Return how many real seconds a span of twin time takes at the present speed."""
        return twin_s / self.speed

    def wait(self, twin_s: float, doing: "Callable[[float], Any]") -> Any:  # noqa: ANN401 - what a wait returns
        """Do a wait in short ones, until it returns something or a span of twin time is over.

        `doing` takes a time-out in real seconds; what it returned last is returned.
        """
        until_s = self.elapsed_s() + twin_s
        while True:
            left_s = max(0.0, (until_s - self.elapsed_s()) / self.speed)
            found = doing(min(left_s, SLICE_S))
            if found or self.elapsed_s() >= until_s:
                return found

    def sleep(self, seconds: float) -> None:
        """Wait for a span of twin time."""
        self.wait(seconds, _sleep)


def real_sleep(seconds: float) -> None:
    """Wait for a span of real time, even in a scaled process."""
    _sleep(seconds)


def real_monotonic_s() -> float:
    """Return real seconds since some fixed point, even in a scaled process."""
    return _monotonic()


def real_wall_s() -> float:
    """Return real seconds since 1970, even in a scaled process."""
    return _now()


def from_environment() -> "ScaledClock | None":
    """Return the clock from this process's environment, or `None` outside a twin."""
    text = os.environ.get(VARIABLE)
    return ScaledClock.from_text(text) if text else None


def install(clock: ScaledClock) -> None:
    """Switch this process to twin time. Call it once, before importing anything else."""
    os.environ[VARIABLE] = clock.to_text()
    if clock.speed_max == 1:
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
    _install_threads(clock)
    _install_selectors(clock)
    _install_sockets(clock)


def _install_threads(clock: ScaledClock) -> None:
    wait, join = threading.Condition.wait, threading.Thread.join

    def condition_wait(self: "Any", timeout: "float | None" = None) -> bool:  # noqa: ANN401 - its inner parts are used
        """Wait as `threading.Condition.wait` does, but in short waits.

        Not by calling it again and again: what notifies between two calls would notify nobody.
        """
        if timeout is None or timeout <= 0 or not self._is_owned():
            return wait(self, timeout)
        waiter = threading.Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        held = self._release_save()
        notified = False
        try:
            notified = bool(clock.wait(timeout, lambda real_s: waiter.acquire(timeout=real_s)))
            return notified
        finally:
            self._acquire_restore(held)
            if not notified and waiter in self._waiters:
                self._waiters.remove(waiter)

    def thread_join(self: threading.Thread, timeout: "float | None" = None) -> None:
        if timeout is None or timeout <= 0:
            return join(self, timeout)
        clock.wait(timeout, lambda real_s: (join(self, real_s), not self.is_alive())[1])
        return None

    threading.Condition.wait = condition_wait  # type: ignore[method-assign]  # for the clock
    threading.Thread.join = thread_join  # type: ignore[method-assign]  # for the clock


def _install_selectors(clock: ScaledClock) -> None:
    real_select: Any = select.select

    def slow(name: str) -> None:
        kind = getattr(selectors, name, None)
        if kind is None:
            return
        real = kind.select

        def waited(self: object, timeout: "float | None" = None) -> object:
            if timeout is None or timeout <= 0:
                return real(self, timeout)
            return clock.wait(timeout, lambda real_s: real(self, real_s))

        kind.select = waited

    def waited_here(*files: "Iterable[Any]", timeout: "float | None" = None) -> Any:  # noqa: ANN401 - three lists
        if timeout is None or timeout <= 0:
            return real_select(*files, timeout)
        found: list[Any] = []

        def look(real_s: float) -> bool:
            found[:] = real_select(*files, real_s)
            return any(found)

        clock.wait(timeout, look)
        return tuple(found)

    for name in ("SelectSelector", "PollSelector", "EpollSelector"):
        slow(name)
    select.select = lambda r, w, x, timeout=None: waited_here(r, w, x, timeout=timeout)


def _install_sockets(clock: ScaledClock) -> None:
    """Scale the timeouts of sockets; `gettimeout` still returns the unscaled value.

    The machine holds a socket's timeout, so a change of speed counts from the next one that is set.
    """
    settimeout, gettimeout = socket.socket.settimeout, socket.socket.gettimeout

    class TwinTimeouts:
        """Timeouts as asked for and as set, by the socket's file descriptor."""

        told: "dict[int, tuple[float, float]]" = {}  # noqa: RUF012 - one for the process

    def set_it(self: socket.socket, timeout: "float | None") -> None:
        if not timeout or timeout < 0:
            TwinTimeouts.told.pop(self.fileno(), None)
            settimeout(self, timeout)
            return
        settimeout(self, clock.real_s(timeout))
        TwinTimeouts.told[self.fileno()] = (timeout, gettimeout(self))  # type: ignore[assignment]  # it was set

    def get_it(self: socket.socket) -> "float | None":
        real = gettimeout(self)
        timeout, set_s = TwinTimeouts.told.get(self.fileno(), (real, real))
        return timeout if real == set_s else real

    socket.socket.settimeout = set_it  # type: ignore[assignment,method-assign]  # for the clock
    socket.socket.gettimeout = get_it  # type: ignore[assignment,method-assign]  # for the clock
