"""What a drill shows while it runs: the countdown, the recovery part by part, and the waits."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from otherside.cli.drill_progress import DrillProgress
from otherside.cli.live_display import LiveDisplay
from otherside.drill.entries import (
    EndEntry,
    HeadEntry,
    SampleEntry,
    StageEntry,
    StrikeEntry,
    TickEntry,
    WriteEntry,
)

STRIKE = 1000.0
HEAD = HeadEntry(
    at_s=900.0,
    schema=1,
    scenario="lost-region",
    title="The Region of the primary is lost",
    expects="The standby takes over.",
    seed=1,
    clients=1,
    keys="d1-",
    speed=5.0,
    latency="modelled",
    modelled=[],
    versions={},
    place="examples/standard",
    digest="0",
    regions={"primary": "us-east-2", "standby": "us-west-2"},
    rto_s=300.0,
    rpo_s=1.0,
    started_at="2026-01-31T12:00:00+00:00",
)


def write(at_s, status=201):
    """Make a client's write, answered at a moment."""
    return WriteEntry(
        at_s=at_s,
        client=1,
        key="d1-1",
        sha256="0",
        sent_s=at_s - 0.1,
        status=status,
        region="us-east-2" if status == 201 else None,
        error=None if status == 201 else "TimeoutError",
    )


def tick(at_s, phase):
    """Make a look of the orchestrator that left it in a phase."""
    return TickEntry(
        at_s=at_s, phase=phase, verdict="primary-lost", reason="because", event_id=f"o/{at_s}"
    )


def stage(state):
    """Make a stage of the environment."""
    return StageEntry(at_s=950.0, state=state, text="all is well")


LOST = [
    HEAD,
    stage("up"),
    stage("deployed"),
    stage("steady"),
    write(STRIKE - 1),
    StrikeEntry(at_s=STRIKE),
    SampleEntry(
        at_s=STRIKE + 2,
        serves="primary",
        writer="us-east-2",
        lag_s=0.1,
        lost=[],
        healthy=4,
        instances=4,
    ),
    write(STRIKE + 9, status=0),
    tick(STRIKE + 30, "suspect"),
    tick(STRIKE + 92, "fencing"),
]
RECOVERED = [
    *LOST,
    tick(STRIKE + 120, "promote-intent"),
    tick(STRIKE + 150, "promoting"),
    tick(STRIKE + 190, "verify"),
    tick(STRIKE + 200, "shift"),
    write(STRIKE + 205),
    tick(STRIKE + 210, "failed-over"),
]


def progress(entries, at_s):
    """Return the lines that stand on the terminal after some entries, at a moment."""
    followed = DrillProgress()
    for entry in entries:
        followed.follow(entry)
    return [line.plain for line in followed.lines(at_s, 0)]


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        ([], "⠋ starting two Regions"),
        ([HEAD], "⠋ waiting for the steady state"),  # of a twin that was up already
        ([HEAD, stage("up")], "⠋ deploying the stack"),
        ([HEAD, stage("deployed")], "⠋ waiting for the steady state"),
        ([HEAD, stage("steady")], "⠋ warming the clients up"),
    ],
)
def test_each_wait_before_the_strike_says_what_it_waits_for(entries, line):
    """Nobody looks at a terminal that says nothing."""
    assert progress(entries, 950.0) == [line]


def test_a_lost_region_counts_down_against_the_objective_and_shows_the_recovery():
    """While writes fail, the time left of the objective and the part under way are shown."""
    assert progress(LOST, STRIKE + 101) == [
        "⠋ +101 s  ██████░░░░░░░░░░░░░░ no writes for 102 s, 198 s left of 300 s",
        "  detect 31 s → confirm 62 s → fence 9 s → promote → verify → DNS → recovered",
        (
            "  users on the primary  writer us-east-2  orchestrator fencing"
            "  writes 1 accepted, 1 refused"
        ),
    ]


def test_a_steady_look_during_an_outage_does_not_forget_since_when():
    """The orchestrator looks once a minute, and may see nothing yet."""
    lost = [*LOST[:-2], tick(STRIKE + 15, "steady"), *LOST[-2:]]
    assert progress(lost, STRIKE + 101)[1] == progress(LOST, STRIKE + 101)[1]


def test_parts_stand_in_their_order_though_writes_stopped_late():
    """A suspicion that came before the first refused write is no time before it."""
    early = [*LOST[:7], tick(STRIKE + 5, "suspect"), write(STRIKE + 9, status=0)]
    assert progress(early, STRIKE + 20)[1].startswith("  detect 6 s → confirm 15 s →")


def test_an_objective_that_is_missed_says_by_how_much():
    """The bar is full, and the seconds over count up."""
    (first, *_) = progress(LOST, STRIKE + 330)
    assert first == f"⠋ +330 s  {'█' * 20} no writes for 331 s, 31 s over of 300 s"


def test_writes_that_are_back_stop_the_countdown_and_the_parts_keep_their_times():
    """What users waited for is over; each part says how long it took."""
    assert progress(RECOVERED, STRIKE + 215)[:2] == [
        "⠋ +215 s  writes are back after 206 s",
        "  detect 31 s → confirm 62 s → fence 28 s → promote 70 s → verify 10 s → DNS → recovered",
    ]


def test_a_suspicion_that_comes_to_nothing_leaves_no_recovery_on_the_screen():
    """A blip shows the parts while they last, and then nothing of them."""
    calm = [*LOST[:-1], write(STRIKE + 40), tick(STRIKE + 60, "steady")]
    assert progress(calm, STRIKE + 61)[0] == "⠋ +61 s  writes are back after 41 s"
    assert not any("detect" in line for line in progress(calm, STRIKE + 61))


def test_a_person_who_is_asked_is_a_part_of_its_own():
    """Waiting for an approval is neither confirming nor fencing."""
    asked = [*LOST[:-1], tick(STRIKE + 92, "await-approval")]
    assert "confirm 62 s → decide 8 s → fence →" in progress(asked, STRIKE + 100)[1]


class StoppedClock:
    """A machine's clock that stands still until it is moved."""

    def __init__(self):
        self.at_s = 0.0

    def monotonic_s(self):
        """Return the time, which only `sleep` moves."""
        return self.at_s

    def now_s(self):
        """Return the same."""
        return self.at_s

    def sleep(self, seconds):
        """Move it on."""
        self.at_s += seconds


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_display_fits_every_terminal_and_leaves_the_transcript_alone(width):
    """The progress moves on between entries, wraps to the width, and is gone at the end."""
    told, clock = io.StringIO(), StoppedClock()
    shown = Console(file=io.StringIO(), width=width)
    with LiveDisplay(Console(file=told, width=width, force_terminal=True), clock) as live:
        for entry in LOST:
            live.tell(entry)
        clock.sleep(2.0)
        shown.print(live._shown())
    lines = shown.file.getvalue().splitlines()
    assert "fencing: because" in told.getvalue()
    assert lines[0][1:].startswith(" +102 s  ███")
    assert max(len(line) for line in lines) <= width


def test_without_a_terminal_only_the_transcript_is_written():
    """A log has no spinner, no bar and no escape sequence in it."""
    told = io.StringIO()
    with LiveDisplay(Console(file=told, width=80), StoppedClock()) as live:
        for entry in [*RECOVERED, EndEntry(at_s=STRIKE + 230, how="finished", text="")]:
            live.tell(entry)
    assert told.getvalue().splitlines()[0] == "lost-region: The Region of the primary is lost"
    assert not {"⠋", "█", "\x1b"} & set(told.getvalue())
    assert "+92.0 s  orchestrator  fencing: because" in told.getvalue()


def test_a_second_drill_begins_anew():
    """Numbers of the drill before are not carried over."""
    assert progress([*RECOVERED], STRIKE + 215) != progress([HEAD], STRIKE + 215)
    told = io.StringIO()
    with LiveDisplay(Console(file=told, width=80), StoppedClock()) as live:
        for entry in [*RECOVERED, replace(HEAD, at_s=3000.0)]:
            live.tell(entry)
        assert live._progress.strike_s is None
