"""Reports: the same numbers everywhere, nothing from outside, nothing that leaves its cell."""

import html
import json
import re
from dataclasses import replace

import pytest

from browser import needs_browser, rendered, violations
from drill.journal_builders import at, call, failover, look, sample, tape, told, write
from otherside.drill.catalogue import CATALOGUE
from otherside.drill.entries import SampleEntry
from otherside.drill.report import write_report
from otherside.drill.result import as_json, conclude

LOST_REGION = next(item for item in CATALOGUE if item.name == "lost-region")


def reported(recording, directory):
    """Return the page, the Markdown and the JSON of a recording."""
    result = conclude(recording, LOST_REGION.claims)
    page = write_report(result, directory)
    text = page.with_name("report.md").read_text(encoding="utf-8")
    told_ = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))
    return page.read_text(encoding="utf-8"), text, told_


def number(page, name):
    """Return what the page shows under an id."""
    return re.search(rf'id="{name}">([^<]*)<', page)[1]


def test_every_form_has_the_same_numbers(tmp_path):
    """HTML, Markdown and JSON of one drill."""
    page, text, told_ = reported(failover(lost={9}), tmp_path)
    assert told_["writes_lost"] == 1
    assert number(page, "writes_lost") == f"1 of {told_['writes_acknowledged']}"
    assert number(page, "rto_write_s") == f"{told_['rto_write_s']:.0f} s"
    assert number(page, "rto_read_s") == f"{told_['rto_read_s']:.0f} s"
    assert number(page, "rpo_s") == f"{told_['rpo_s']:.2f} s"
    assert number(page, "verdict").lower() == told_["verdict"]
    assert f"| RTO, writes | {told_['rto_write_s']:.0f} s | 300 s |" in text
    assert f"| acknowledged writes lost | 1 of {told_['writes_acknowledged']} |" in text
    for claim in told_["claims"]:
        assert claim["claim"] in html.unescape(page)
        assert claim["claim"] in plain(text)


def plain(text):
    """Return what Markdown shows."""
    return html.unescape(re.sub(r"\\(.)", r"\1", text))


def test_nothing_that_a_stack_said_becomes_markup(tmp_path):
    """A function's output is in the timeline: no picture that calls home, no link, no HTML."""
    said = "<img src=x> ![](http://evil.example/beacon) [here](javascript:x) `code` *bold* | cell"
    recording = tape(told(3, said, what="function"), title=said, place=said)
    _, text, _ = reported(recording, tmp_path)
    assert "<img" not in text
    for markup in ("![](", "[here](", "`code`", "*bold*"):
        assert not re.search(r"(?<!\\)" + re.escape(markup), text), markup
    assert text.count(said) == 0
    assert plain(text).count(said) == 3


def test_json_has_what_machines_need():
    """A version, and every key that the schema names."""
    found = as_json(conclude(failover(), LOST_REGION.claims))
    assert found["schema"] == 1
    wanted = {
        *("scenario", "verdict", "rto_write_s", "rto_read_s", "rpo_s", "writes_acknowledged"),
        *("writes_lost", "objectives", "claims", "timeline", "modelled", "seed", "speed"),
        *("versions", "stack"),
    }
    assert wanted <= set(found)
    assert found["timeline"][-1]["at_s"] > 0
    json.dumps(found)


def test_the_page_asks_nobody_for_anything(tmp_path):
    """No script, no font, no picture, no style from anywhere."""
    page, _, _ = reported(failover(), tmp_path)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page)
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_the_page_splits_the_recovery_and_explains_its_marks(tmp_path):
    """Measured beside planned, as in the other forms; a legend, and no lane without a mark."""
    entries = (
        *(write(-5 + n, n) for n in range(5)),
        *(write(5 * n, 10, status=0) for n in range(1, 39)),
        *(look(30, "suspect"), look(92, "fencing"), call(118, "FailoverGlobalCluster")),
        *(look(180, "verify"), look(190, "shift")),
        *(write(200 + n, 11 + n) for n in range(5)),
    )
    page, text, told_ = reported(tape(*entries), tmp_path)
    assert [part["part"] for part in told_["recovery"]] == [
        *("detect", "confirm", "fence", "promote", "verify", "DNS")
    ]
    assert "| confirm | 62 s | 47 s |" in text
    assert '<td data-label="Part">confirm</td>' in page
    assert 'id="legend"' in page
    assert ">people</text>" not in page
    assert ">orchestrator</text>" in page
    assert 'class="good" cx' in page


def test_a_late_instrument_is_said_at_the_top(tmp_path):
    """On the page and in the Markdown."""
    recording = failover()
    late = [replace(entry, late_s=3.0) for entry in recording.of(SampleEntry)]
    recording._kinds["sample"] = late
    page, text, _ = reported(recording, tmp_path)
    assert 'id="instrument"' in page
    assert "repeat with --speed" in text


def test_what_a_stack_says_stays_text(tmp_path):
    """Markup in a message is shown and not obeyed; a bar does not break a table."""
    hostile = "<img src=x onerror=alert(1)> | \n# no heading"
    page, text, _ = reported(tape(told(1, hostile, what="notice")), tmp_path)
    assert "<img" not in page
    assert "&lt;img" in page
    assert "\n# no heading" not in text
    assert "\\|" in text


def test_an_interrupted_drill_says_so(tmp_path):
    """And shows what is known."""
    page, text, told_ = reported(tape(write(1, 1), ended=None), tmp_path)
    assert told_["ended"] == "interrupted"
    assert "This drill was interrupted" in page
    assert text.startswith("# UNKNOWN")


def test_a_drill_that_never_struck_has_a_report(tmp_path):
    """Nothing to measure is no reason to fail."""
    recording = tape(at(-29, "stage", state="refused", text="no such thing"), steady=False)
    recording._kinds.pop("strike")
    page, _, told_ = reported(recording, tmp_path)
    assert number(page, "rto_write_s") == "unknown"
    assert told_["rto_write_s"] is None


def test_what_was_modelled_is_named_in_every_form(tmp_path):
    """With whose number it is."""
    page, text, told_ = reported(failover(), tmp_path)
    assert "AWS says &lt;a minute&gt;" in page
    assert "aurora-failover: 60 s" in text
    assert told_["modelled"][0]["what"] == "aurora-failover"


def test_no_half_report_is_left_where_one_cannot_be_written(tmp_path):
    """What was there before stays."""
    reported(failover(), tmp_path)
    before = (tmp_path / "report.html").read_text(encoding="utf-8")
    result = conclude(tape(sample(1)), LOST_REGION.claims)
    object.__setattr__(result.recording.head, "modelled", [{}])  # what is modelled is not said
    with pytest.raises(KeyError):
        write_report(result, tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == before


@pytest.mark.slow
@needs_browser
def test_a_browser_shows_the_page_without_a_complaint(tmp_path):
    """No console error, no request, and the numbers of the JSON in the document that it built."""
    _, _, told_ = reported(failover(lost={9}), tmp_path)
    net = tmp_path / "net.json"
    page = (tmp_path / "report.html").as_uri()
    built, log = rendered(page, tmp_path / "profile", f"--log-net-log={net}")
    assert "CONSOLE" not in log, log
    assert number(built, "rto_write_s") == f"{told_['rto_write_s']:.0f} s"
    assert number(built, "writes_lost") == f"1 of {told_['writes_acknowledged']}"
    asked = re.findall(r'"url":"(https?://[^"]+)"', net.read_text())
    assert [text for text in asked if "://" in text and "google" not in text] == []


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [360, 1200])
def test_the_report_is_accessible(tmp_path, axe, width):
    """By axe-core: no violation, on a phone and on a screen."""
    reported(failover(lost={9}), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert violations(page, axe, tmp_path, f"--window-size={width},900") == {}
