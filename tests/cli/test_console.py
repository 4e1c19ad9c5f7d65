"""`otherside console`: a page that reads, to this machine alone."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from importlib.resources import files

import pytest

from browser import needs_browser, rendered, violations
from operate.overviews import CALM, LOST
from otherside.cli.console_server import ConsoleServer, NoOverviewError
from otherside.cli.status_screen import document
from otherside.core.topology import Side
from otherside.operate.overview import DatabaseMember
from otherside.operate.reading import Fact
from processes import ended

WEST = "us-west-2"
DRILL = {"verdict": "passed", "scenario": "lost-region", "rto_write_s": 206.0, "age_s": 300.0}


class Served:
    """A console whose document a test gives."""

    def __init__(self, told):
        self.told, self.asked, self.now_s = told, 0, 100.0
        self.server = ConsoleServer(
            self._look, port=0, secret="s3cret-path", monotonic_s=lambda: self.now_s
        )
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def _look(self):
        self.asked += 1
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def get(self, path, host=None, method="GET"):
        """Ask for a path; return the status, the headers and the body."""
        port = self.server.server_address[1]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, path, headers={"Host": host or f"127.0.0.1:{port}"})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def shown(overview, drills=(DRILL,)):
    """Return the document that the page shows."""
    return {**document(overview, None, "AWS"), "drills": list(drills), "unfit": ["stopped"]}


@pytest.fixture
def calm():
    """Serve a steady stack."""
    with Served(shown(CALM)) as served:
        yield served


def test_the_page_and_its_document_are_served_below_the_secret(calm):
    """With headers that let nothing else in, and bound to the loopback."""
    assert calm.server.server_address[0] == "127.0.0.1"
    status, headers, body = calm.get("/s3cret-path/")
    assert (status, b"<h1" in body) == (200, True)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert calm.get("/s3cret-path/console.js")[0] == 200
    status, headers, body = calm.get("/s3cret-path/status.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["state"]["phase"] == "steady"


@pytest.mark.parametrize(
    "path", ["/", "/status.json", "/wrong/status.json", "/s3cret-path/../secrets", "/s3cret-path"]
)
def test_whoever_does_not_know_the_address_gets_nothing(calm, path):
    """Nor is the overview read for them."""
    status, _, body = calm.get(path)
    assert status == (301 if path == "/s3cret-path" else 404), body
    assert calm.asked == 0


def test_a_page_of_the_web_does_not_reach_it_by_another_name(calm):
    """DNS rebinding: the name that a browser asks for is not the loopback's."""
    assert calm.get("/s3cret-path/status.json", host="evil.example.com")[0] == 404
    port = calm.server.server_address[1]
    assert calm.get("/s3cret-path/status.json", host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_only_reads(calm, method):
    """Nothing can be sent to it."""
    assert calm.get("/s3cret-path/status.json", method=method)[0] == 501


def test_several_windows_ask_no_more_often_than_one(calm):
    """Within a second the same document is shown again."""
    for _ in range(3):
        calm.get("/s3cret-path/status.json")
    assert calm.asked == 1
    calm.now_s += 1.5
    calm.get("/s3cret-path/status.json")
    assert calm.asked == 2


def test_what_cannot_be_read_is_said_and_asked_for_again(calm):
    """A region that does not answer is no page that does not."""
    calm.told = NoOverviewError("us-west-2: no answer")
    for _ in range(2):
        status, _, body = calm.get("/s3cret-path/status.json")
        assert (status, json.loads(body)) == (503, {"error": "us-west-2: no answer"})
    assert calm.asked == 2


@pytest.mark.slow
@needs_browser
def test_a_browser_shows_the_regions_and_breaks_nothing(tmp_path):
    """The writer's side, the lag, the timeline, the drills; text of the stack stays text."""
    with Served(shown(CALM)) as served:
        page, log = rendered(served.server.url, tmp_path / "profile")
    assert "CONSOLE" not in log, log
    assert re.search(r"<h3>primary: us-east-2</h3>.*?<dd>writer, users</dd>", page, re.DOTALL)
    assert "0.40 s now" in page
    assert "[the] verdict is healthy" in page
    assert "lost-region: RTO 3 min" in page
    assert 'id="unread-section" aria-labelledby="unread-title" hidden=""' in page


def test_a_look_that_takes_long_is_shown_to_all_who_waited(calm):
    """It is as old as its end, not as its beginning."""

    def slow():
        calm.asked += 1
        calm.now_s += 5.0
        return {}

    calm.server._look = slow
    for _ in range(3):
        calm.get("/s3cret-path/status.json")
    assert calm.asked == 1


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize(
    ("status", "instances", "kind"),
    [
        ("available", 2, "good"),
        ("available", 0, "bad"),
        ("stopped", 2, "bad"),
        ("backing-up", 2, "unknown"),
    ],
)
def test_a_side_is_as_good_as_status_says(tmp_path, status, instances, kind):
    """A headless standby cannot be promoted; one that makes a backup can."""
    member = Fact(
        value=DatabaseMember(region=WEST, status=status, instances=instances, version="17.9")
    )
    seen = replace(CALM, members={**CALM.members, Side.STANDBY: member})
    with Served(shown(seen)) as served:
        page, _ = rendered(served.server.url, tmp_path / "profile")
    assert re.search(rf'<article class="{kind}"><h3>standby: {WEST}</h3>', page)


@pytest.mark.slow
@needs_browser
def test_a_browser_shows_what_is_lost(tmp_path):
    """And what could not be read, in so many words."""
    evil = {**DRILL, "scenario": "<img src=x onerror=alert(1)>"}
    with Served(shown(LOST, [evil])) as served:
        page, log = rendered(served.server.url, tmp_path / "profile")
    assert "CONSOLE" not in log, log
    assert "&lt;img src=x" in page
    assert '<p id="verdict" role="status" aria-live="polite" class="bad">suspect' in page


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("overview", [CALM, LOST], ids=["calm", "lost"])
def test_the_console_is_accessible(tmp_path, axe, overview, width):
    """By axe-core: no violation, on a phone and on a screen."""
    with Served(shown(overview)) as served:
        page, _ = rendered(served.server.url, tmp_path / "profile")
    style = (files("otherside.cli") / "console_page" / "console.css").read_text(encoding="utf-8")
    page = re.sub(r"<link rel=.stylesheet.[^>]*>", f"<style>{style}</style>", page)
    page = re.sub(r"<script src=.console.js.*?</script>", "", page)
    assert violations(page, axe, tmp_path, f"--window-size={width},900") == {}


def test_the_command_serves_until_it_is_stopped(tmp_path):
    """It prints the address, and Ctrl-C ends it without a traceback."""
    program = (
        "from otherside.cli import console\n"
        "console.open_table = lambda *_: None\n"
        "console._look = lambda _: {'state': 'here'}\n"
        "console.console(['--json'])\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        url = json.loads(child.stdout.readline())["url"]
        host, _, path = url.removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", f"/{path}status.json")
        assert json.loads(connection.getresponse().read()) == {"state": "here"}
        connection.close()
    finally:
        child.send_signal(signal.SIGINT)
        _, said = ended(child)
    assert (child.returncode, said) == (0, "stopped\n")


@pytest.mark.slow
@needs_browser
def test_the_audit_finds_what_is_wrong(tmp_path, axe):
    """A page without a title and an image without a text are violations."""
    page = "<!doctype html><html><body><img src='data:,'></body></html>"
    assert {"document-title", "image-alt"} <= set(violations(page, axe, tmp_path))
