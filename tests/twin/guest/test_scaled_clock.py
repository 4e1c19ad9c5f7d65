"""Every clock of a guest is the twin's: a lease that ran by the machine's would last for ever."""

import subprocess
import sys

import pytest

ASK = """
import sys, time
from otherside.twin.guest.scaled_clock import ScaledClock, install
install(ScaledClock.starting_now(50.0))
name = sys.argv[1]
wall = name == "CLOCK_REALTIME"
told = time.time if wall else time.monotonic
for _ in range(3):
    before, clock, after = told(), time.clock_gettime(getattr(time, name)), told()
    whole = time.clock_gettime_ns(getattr(time, name)) / 1e9
    assert before <= clock <= after, (before, clock, after)
    assert after <= whole <= told(), (after, whole)
    time.sleep(1.0)
print("one clock")
"""


@pytest.mark.parametrize(
    "name", ["CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME"]
)
def test_every_clock_of_a_guest_is_the_twins(name):
    """Whichever it asks for: the lease counts by the one that goes on while a machine sleeps."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, name], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "one clock\n", done.stderr
