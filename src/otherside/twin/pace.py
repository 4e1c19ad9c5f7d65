"""How fast a twin runs: as fast as was asked, or as fast as its machine keeps up with.

On a machine that is slow or has other work, everything in a fast twin is late: heartbeats, health
checks, answers. A stack then looks ill that is not. So a twin measures how late it wakes, and how
busy the processors are, which is what its guests feel first: it keeps them a little more than half
busy. It slows its clock down while they have more to do, or while it is late itself, and speeds it
up again afterwards.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import psutil

from otherside.twin.guest.scaled_clock import ScaledClock

LOOK_S = 0.05
"""Real seconds between two looks."""
LOOKS = 5
"""Looks after which the speed is judged: a quarter of a second."""
LATE_S = 0.4
"""How late a twin may be more than once in these, in twin seconds: half of what a heartbeat each
second bears, since what is asked of it then waits for more than one thing."""
LATE_ONCE_S = 1.5
"""How late it may be once: a collection of garbage or a new database is no load that lasts."""
BUSY = 0.6
"""The part of the processors' time that a twin aims at. What its guests have to do comes in bursts,
and two processors are often threads of one core: with much more, everything in a burst is slow
though nothing waits for a processor, which is why Linux's own measure of waiting does not do."""
SLOWER, FASTER = 0.75, 1.2
"""How much the speed changes at the most, in one judgement."""
SPEED_MIN = 1.0
"""No slower than AWS itself."""


def next_speed(speed: float, speed_max: float, late_real_s: Sequence[float], busy: float) -> float:
    """Return the speed after some looks, by how late each was, in real seconds.

    `busy` is the part of the processors' time in which they worked, for whomever.
    """
    most_s, again_s = (late_s * speed for late_s in sorted(late_real_s, reverse=True)[:2])
    room = min(BUSY / busy, FASTER) if busy else FASTER
    if again_s > LATE_S or most_s > LATE_ONCE_S:
        room = SLOWER
    elif again_s > LATE_S / 2:
        room = min(room, 1.0)
    return min(speed_max, max(SPEED_MIN, speed * max(room, SLOWER)))


class Pace:
    """Keeps the speed of a twin's clock, and knows how late the twin was."""

    def __init__(self, clock: ScaledClock) -> None:
        """Keep the pace of a clock; `keep` does it."""
        self._clock = clock
        self._late_s = 0.0

    async def keep(self) -> None:
        """Measure forever how late the event loop wakes: everything in the twin is as late."""
        clock, before = self._clock, processors()
        while True:
            late_real_s = [await self._look() for _ in range(LOOKS)]
            now = processors()
            speed = next_speed(clock.speed, clock.speed_max, late_real_s, now.busy_since(before))
            before = now
            if speed != clock.speed and clock.speed_max > SPEED_MIN:
                clock.speed = speed

    async def _look(self) -> float:
        """Wait for a moment; return how late it ended, in real seconds."""
        clock = self._clock
        due_s = clock.real_elapsed_s() + LOOK_S
        await asyncio.sleep(LOOK_S * clock.speed)
        late_s = max(0.0, clock.real_elapsed_s() - due_s)
        self._late_s = max(self._late_s, late_s * clock.speed)
        return late_s

    def lateness_s(self, *, reset: bool) -> float:
        """Return how late it was since the last reset, at the most, in twin seconds."""
        late_s = self._late_s
        if reset:
            self._late_s = 0.0
        return late_s


class Processors(NamedTuple):
    """What all processors together have done since the machine started, in processor seconds."""

    total_s: float
    idle_s: float

    def busy_since(self, before: "Processors") -> float:
        """Return the part of the time since then in which they worked, 0 if no time is measured."""
        total_s = self.total_s - before.total_s
        if total_s <= 0:
            return 0.0
        # The time spent waiting for a disk may decrease: https://docs.kernel.org/filesystems/proc.html
        return min(1.0, max(0.0, 1.0 - (self.idle_s - before.idle_s) / total_s))


def processors() -> Processors:
    """Return what the processors of this machine have done until now."""
    times = psutil.cpu_times()
    # What waits for a disk leaves its processor idle; guests of this machine are in user time.
    idle_s = times.idle + getattr(times, "iowait", 0.0)
    guests_s = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return Processors(sum(times) - guests_s, idle_s)
