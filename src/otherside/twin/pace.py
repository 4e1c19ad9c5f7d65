"""How fast a twin runs: as fast as was asked, or as fast as its machine keeps up with.

On a machine that is slow or has other work, everything in a fast twin is late: heartbeats, health
checks, answers. A stack then looks ill that is not. So a twin measures how late it wakes, and on
Linux how much of the time anything on the machine waits for a processor, which is what its guests
feel; it slows its clock down while that is too much, and speeds it up again afterwards.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from otherside.twin.guest.scaled_clock import ScaledClock

LOOK_S = 0.05
"""Real seconds between two looks."""
LOOKS = 10
"""Looks after which the speed is judged: half a second."""
LATE_S = 0.4
"""How late a twin may be more than once in half a second, in twin seconds: half of what a heartbeat
each second bears, since what is asked of it then waits for more than one thing."""
LATE_ONCE_S = 1.5
"""How late it may be once: a collection of garbage or a new database is no load that lasts."""
WAITING, SPARE = 0.85, 0.65
"""Of half a second, in how much of it something waits for a processor: too much, and little enough
to go faster. A drill at its usual speed on two free processors is at a half."""
SLOWER, FASTER = 0.75, 1.1
PRESSURE = Path("/proc/pressure/cpu")
"""https://docs.kernel.org/accounting/psi.html"""
SPEED_MIN = 1.0
"""No slower than AWS itself."""


def next_speed(
    speed: float, speed_max: float, late_real_s: Sequence[float], waiting: float = 0.0
) -> float:
    """Return the speed after some looks, by how late each was, in real seconds.

    `waiting` is the part of the time in which anything waited for a processor, 0 if not known.
    """
    most_s, again_s = (late_s * speed for late_s in sorted(late_real_s, reverse=True)[:2])
    if again_s > LATE_S or most_s > LATE_ONCE_S or waiting > WAITING:
        return min(speed, max(SPEED_MIN, speed * SLOWER))
    if again_s < LATE_S / 2 and waiting < SPARE:
        return min(speed_max, speed * FASTER)
    return speed


class Pace:
    """Keeps the speed of a twin's clock, and knows how late the twin was."""

    def __init__(self, clock: ScaledClock) -> None:
        """Keep the pace of a clock; `keep` does it."""
        self._clock = clock
        self._late_s = 0.0

    async def keep(self) -> None:
        """Measure forever how late the event loop wakes: everything in the twin is as late."""
        clock = self._clock
        while True:
            before_s, waited_s = clock.real_elapsed_s(), _waited_s()
            late_real_s = [await self._look() for _ in range(LOOKS)]
            waiting = (_waited_s() - waited_s) / (clock.real_elapsed_s() - before_s)
            speed = next_speed(clock.speed, clock.speed_max, late_real_s, waiting)
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


def _waited_s() -> float:
    """Return for how long anything has waited for a processor since the machine started.

    Always 0 where the system does not measure it.
    """
    try:
        return int(PRESSURE.read_text().partition("total=")[2].split()[0]) / 1e6
    except (OSError, ValueError, IndexError):
        return 0.0
