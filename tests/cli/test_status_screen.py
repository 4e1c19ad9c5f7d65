"""The screen of `otherside status`: what it shows of what is known, unknown and wrong."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from operate.overviews import CALM, LOST, NOW
from otherside.cli.status_screen import document, last_drill, screen, span, sparkline
from otherside.operate.reading import Fact


def shown(seen, width=100, drill=None):
    """Return the screen as text of a certain width."""
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(screen(seen, drill, "AWS"))
    return out.getvalue()


def row(text, name):
    """Return the line that begins with a name."""
    return next(line for line in text.splitlines() if line.startswith(name))


def test_a_calm_stack_in_one_screen():
    """Who writes, where users are, each side's parts, the lag, and what comes next."""
    text = shown(CALM)
    assert text.startswith("orders-prod on AWS: steady for 3 min 20 s, revision 2\n")
    assert row(text, "writes").split() == ["writes", "the", "writer", "-"]
    assert "DNS sends them here" in row(text, "users")
    assert "2 of 2 in service, at most 8" in row(text, "instances")
    assert "app yes, writes yes, reads yes 2 s ago" in row(text, "reports")
    assert row(text, "newest backup").split() == [
        "newest",
        "backup",
        "none",
        "2",
        "h",
        "0",
        "min",
        "old",
    ]
    assert "0.40 s: ▃▅█" in row(text, "replication lag")
    assert "a failover now would lose 0.4 s" in text
    assert "#2 steady: [the] verdict is healthy" in text, "a reason is no markup"
    assert "trouble" not in text


def test_what_is_unknown_or_fails_is_said_and_why():
    """With the call and the error; nothing is shown as well that was not read."""
    text = shown(LOST)
    assert row(text, "database").split()[1] == "unknown"
    assert row(text, "heartbeat").split()[1] == "bad"
    for line in (
        "failing: the latch",
        "unknown: the primary's cluster: ReadTimeoutError",
        "unknown: the replication lag: AccessDenied",
    ):
        assert line in text
    dark = replace(CALM, tick=Fact(missing="the decider's log: LookupError"))
    assert "signals: unknown, no tick of the decider was read" in shown(dark)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("seen", [CALM, LOST], ids=["calm", "lost"])
def test_it_fits_terminals_of_every_width(seen, width):
    """No line is longer, and nothing is cut off."""
    text = shown(seen, width)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.replace("│", " ").split())
    assert "…" not in text
    assert "the writer" in words
    assert "at most 8" in words


def test_the_same_for_machines():
    """Whatever is unknown is null, and named."""
    told = json.loads(json.dumps(document(LOST, None, "AWS")))
    assert told["members"]["primary"] is None
    assert told["members"]["standby"]["status"] == "available"
    assert told["tick"]["signals"]["heartbeat"] == "bad"
    assert told["backups"]["standby"]["at_s"] == NOW - 7200
    assert "the primary's cluster: ReadTimeoutError" in told["unread"]


def test_the_newest_drill_is_told(tmp_path):
    """Its verdict and its numbers; a file that is no report is none."""
    assert last_drill(tmp_path, NOW) is None
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "report.json"
    file.write_text("{}")
    assert last_drill(tmp_path, NOW) is None
    known = {"scenario": "lost-region", "verdict": "passed", "rto_write_s": 201.2, "rpo_s": 0.0}
    file.write_text(json.dumps(known))
    drill = last_drill(tmp_path, file.stat().st_mtime + 65)
    text = shown(CALM, drill=drill)
    assert "last drill: lost-region passed 1 min 5 s ago, RTO for writes 201.2 s, RPO 0.0 s" in text


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([0.0, 0.0], "▁▁"), ([1.0, 0.5, 0.0], "█▅▁"), ([1.0] * 90, "█" * 60)],
)
def test_a_sparkline_ends_with_the_newest_values(values, bars):
    """As many as fit, the highest at the top."""
    assert sparkline(values) == bars


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (8.4, "8 s"),
        (200, "3 min 20 s"),
        (7260, "2 h 1 min"),
        (30 * 3600, "30 h 0 min"),
        (3 * 86_400, "3 days"),
    ],
)
def test_a_span_is_read_at_a_glance(seconds, text):
    """Two units at the most."""
    assert span(seconds) == text


def test_without_a_tick_nothing_is_said_to_be_in_nobodys_way():
    """What forbids a failover is in the tick: unread is unknown, and not green."""
    text = shown(replace(CALM, tick=Fact(missing="the decider's log: AccessDenied")), width=120)
    assert "unknown: no tick of the decider was read" in row(text, "in the way of a failover")
