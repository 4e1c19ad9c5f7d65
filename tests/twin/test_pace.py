"""A twin slows down where its machine does not keep up, and all its processes agree on the time."""

import itertools
import subprocess
import sys
import threading
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.pace import BUSY, FASTER, SLOWER, SPEED_MIN, Processors, next_speed, processors

ON_TIME, LATE = [0.001] * 10, [0.001] * 8 + [0.2] * 2


def test_it_slows_down_while_late_and_speeds_up_again():
    """Late is what a heartbeat each second cannot bear; once is not often."""
    assert next_speed(8.0, 8.0, ON_TIME, 0.3) == 8.0
    assert next_speed(8.0, 8.0, LATE, 0.3) == 8.0 * SLOWER
    assert next_speed(8.0, 8.0, [*ON_TIME[1:], 0.15], 0.3) == 8.0
    assert next_speed(8.0, 8.0, [*ON_TIME[1:], 0.5], 0.3) == 8.0 * SLOWER
    assert next_speed(2.0, 8.0, ON_TIME, 0.3) == pytest.approx(2.0 * FASTER)
    assert next_speed(2.0, 8.0, [0.15] * 10, 0.3) == 2.0  # neither late nor with anything to spare


def test_it_runs_as_fast_as_keeps_the_processors_half_busy():
    """Though it wakes on time itself: it is one process of many, and theirs is the work."""
    assert next_speed(4.0, 8.0, ON_TIME, BUSY) == pytest.approx(4.0)
    assert next_speed(4.0, 8.0, ON_TIME, BUSY * 1.25) == pytest.approx(4.0 / 1.25)
    assert next_speed(4.0, 8.0, ON_TIME, BUSY / 1.1) == pytest.approx(4.0 * 1.1)
    assert next_speed(4.0, 8.0, ON_TIME, 1.0) == 4.0 * SLOWER
    assert next_speed(4.0, 8.0, ON_TIME, 0.0) == pytest.approx(4.0 * FASTER)


def test_processors_that_work_are_seen_to_work():
    """All of this machine together: one that spins is its share of them."""
    before, until = processors(), time.perf_counter() + 0.5
    while time.perf_counter() < until:
        sum(range(1000))
    assert processors().busy_since(before) > 0.5 / psutil.cpu_count()
    assert before.busy_since(before) == 0.0


def test_counts_that_go_back_are_no_more_than_everything_and_no_less_than_nothing():
    """As Linux's count of waiting for a disk may."""
    assert Processors(10.0, 4.0).busy_since(Processors(9.0, 5.0)) == 1.0
    assert Processors(10.0, 6.0).busy_since(Processors(9.5, 5.0)) == 0.0


@given(
    speed=st.floats(1, 100),
    most=st.floats(1, 100),
    late=st.lists(st.floats(0, 10), min_size=2, max_size=20),
    busy=st.floats(0, 1),
)
def test_it_stays_between_the_speed_of_aws_and_what_was_asked(speed, most, late, busy):
    """Whatever it measures."""
    most = max(speed, most)
    assert SPEED_MIN <= next_speed(speed, most, late, busy) <= most


ASK = """
import sys, time
from otherside.twin.guest.scaled_clock import ScaledClock, install
clock = ScaledClock.from_text(sys.argv[1])
install(clock)
print("ready", flush=True)
begun = time.monotonic()
time.sleep(20)
print(time.monotonic() - begun, flush=True)
print(sys.stdin.readline() and time.time())
"""


@pytest.fixture
def shared(tmp_path):
    """Return a clock that other processes share."""
    return ScaledClock.starting_now(10.0, tmp_path / "clock")


def test_another_process_agrees_and_its_wait_is_as_long_as_it_asked_for(shared):
    """Though the speed changes twice while it waits."""
    command = [sys.executable, "-c", ASK, shared.to_text()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        shared.speed = 2.0
        time.sleep(0.5)
        shared.speed = 40.0
        waited_s = float(process.stdout.readline())
        before_s = shared.now_s()
        said, _ = process.communicate("now\n")
        assert 20 <= waited_s < 20 + 15  # a busy machine may wake it late, never early
        assert before_s <= float(said) <= shared.now_s()


def test_time_never_goes_back_and_never_jumps_when_the_speed_changes(shared):
    """What one process sees while another thread changes the speed all the time."""
    done = threading.Event()

    def change():
        while not done.is_set():
            for speed in (1.0, 50.0, 7.0):
                shared.speed = speed
                time.sleep(0.001)  # a twin's own pace changes it four times a second at the most

    changer = threading.Thread(target=change)
    changer.start()
    seen = [shared.elapsed_s() for _ in range(20_000)]
    done.set()
    changer.join()
    assert all(after - before > -0.001 for before, after in itertools.pairwise(seen))


WAITS = """
import sys
from otherside.twin.guest.scaled_clock import ScaledClock, install
install(ScaledClock.starting_now(20.0))
import queue, select, socket, subprocess, threading, time
left, right = socket.socketpair()
never = threading.Event()
waits = {
    "event": lambda: never.wait(6),
    "condition": lambda: queue_get(queue.Queue()),
    "join": lambda: threading.Thread.join(sleeper, 6),
    "select": lambda: select.select([left], [], [], 6),
    "socket": lambda: receive(),
    "process": lambda: communicate(),
}
def queue_get(empty):
    try:
        empty.get(timeout=6)
    except queue.Empty:
        return
def receive():
    left.settimeout(6)
    try:
        left.recv(1)
    except TimeoutError:
        return
def communicate():
    child = subprocess.Popen(["sleep", "5"], stdout=subprocess.PIPE)
    try:
        child.communicate(timeout=6)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
sleeper = threading.Thread(target=time.sleep, args=(60,), daemon=True)
sleeper.start()
begun = time.monotonic()
waits[sys.argv[1]]()
print(time.monotonic() - begun)
"""


@pytest.mark.parametrize("kind", ["event", "condition", "join", "select", "socket", "process"])
def test_a_wait_of_any_kind_is_of_twin_time(kind):
    """Six twin seconds are a third of a real one, made of short waits."""
    done = subprocess.run(
        [sys.executable, "-c", WAITS, kind], capture_output=True, text=True, check=True, timeout=60
    )
    assert 5.9 <= float(done.stdout) < 60


WOKEN = """
import threading, time
from otherside.twin.guest.scaled_clock import ScaledClock, install
install(ScaledClock.starting_now(20.0))
for _ in range(200):
    told = threading.Event()
    waiting = threading.Thread(target=told.wait, args=(4000,))
    waiting.start()
    time.sleep(2.01)  # a tenth of a real second, when a short wait ends and the next begins
    told.set()
    waiting.join(3000)
    assert not waiting.is_alive(), "what notified it notified nobody"
print("woken")
"""


@pytest.mark.slow
def test_what_wakes_a_wait_between_two_short_ones_is_not_lost():
    """A condition's waiter stays in its queue from the first short wait to the last."""
    done = subprocess.run(
        [sys.executable, "-c", WOKEN], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "woken\n", done.stderr
