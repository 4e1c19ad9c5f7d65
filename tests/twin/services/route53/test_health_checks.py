"""Health checkers, one by one and together, against servers that answer as they please."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.context import TwinContext
from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.latency import PROFILE, Latency
from otherside.twin.net.certificates import CertificateAuthority
from otherside.twin.net.reachability import ConnectResult, Reach
from otherside.twin.partitions import OUTSIDE
from otherside.twin.services.route53.health_checks import (
    SHARE_PERCENT,
    Health,
    HealthChecker,
    HealthCheckers,
)


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 10))
def test_R53_03_a_checker_changes_its_mind_after_so_many_in_a_row(answers, threshold):
    """Both ways, and an answer of the other kind starts the count again."""
    checker, believed, streak = HealthChecker("us-east-1"), True, 0
    for good in answers:
        checker.hear(good=good, threshold=threshold)
        streak = 0 if good == believed else streak + 1
        if streak == threshold:
            believed, streak = good, 0
        assert checker.believes is believed


class Anywhere:
    """A network in which everybody reaches one server."""

    def __init__(self, port):
        """Keep where it is."""
        self.port = port

    def decide(self, _source, _address, _port):
        """Let everybody in."""
        return ConnectResult(reach=Reach.OPEN, local=("127.0.0.1", self.port), region=OUTSIDE)


class NoChecks:
    """The control plane, with nothing in it."""

    def __init__(self):
        """Have no check."""
        self.configurations = {}
        self.reports = None


def health_checkers(port):
    """Return checkers that ask one server."""
    context = TwinContext(
        "123456789012", ("us-east-2",), ScaledClock.starting_now(1.0), Latency(modelled=False)
    )
    return HealthCheckers(context, Anywhere(port), NoChecks(), None, None, lambda *_: ["192.0.2.1"])


async def serve(answer, *, context=None):
    """Start a server that gives one answer to whatever it is asked; return it and what it heard."""
    heard = []

    async def handle(reader, writer):
        try:
            heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
            if answer is not None:
                writer.write(answer)
                await writer.drain()
            else:
                await reader.read()  # until whoever asks gives up
        except (OSError, asyncio.IncompleteReadError):
            heard.append("")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    return server, heard


def probe(answer, config, *, context=None):
    """Have a checker ask once; return (whether it is content, its words, what was heard)."""

    async def run():
        server, heard = await serve(answer, context=context)
        port = server.sockets[0].getsockname()[1]
        async with server:
            whole = {"FullyQualifiedDomainName": "app.example.com", "Port": 80, **config}
            good, said = await health_checkers(port)._ask(HealthChecker("us-east-1"), whole)
            await asyncio.sleep(0.05)  # for the server's end of the connection
        return good, said, heard

    return asyncio.run(run())


def status(code, body=b"", **headers):
    """Return an HTTP answer."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {code} -\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("code", "good"),
    [(code, code < 400) for code in (200, 204, 301, 399, 400, 503)],
)
def test_R53_05_which_answers_are_good(code, good):
    """From 200 on and below 400: a redirect is healthy."""
    found, said, _ = probe(status(code), {"Type": "HTTP"})
    assert found is good
    assert f"HTTP Status Code {code}" in said


@pytest.mark.parametrize(
    ("body", "good"),
    [(b"all is well", True), (b"All is Well", False), (b"x" * 5118 + b"well", False)],
)
def test_R53_06_a_string_is_looked_for_at_the_start_of_the_body(body, good):
    """Case counts, and all of it lies in the first 5,120 bytes."""
    config = {"Type": "HTTP_STR_MATCH", "SearchString": "well"}
    assert probe(status(200, body), config)[0] is good


@pytest.mark.parametrize(
    ("port", "kind", "host"),
    [(80, "HTTP", "app.example.com"), (8080, "HTTP", "app.example.com:8080")],
)
def test_R53_09_the_host_that_is_asked_for(port, kind, host):
    """The name alone at the usual port, with the port at any other."""
    _, _, heard = probe(status(200), {"Type": kind, "Port": port})
    assert f"Host: {host}\r\n" in heard[0]


def test_R53_07_a_certificate_is_never_looked_at(tmp_path):
    """One that nobody signed, for another name, passes."""
    context = CertificateAuthority(tmp_path).context()
    config = {"Type": "HTTPS", "Port": 443, "EnableSNI": True}
    assert probe(status(200), config, context=context)[0]


def test_R53_08_a_server_that_wants_a_name_is_told_one_only_with_sni(tmp_path):
    """Without it the handshake fails, where the server insists."""
    context = CertificateAuthority(tmp_path).context()

    def insist(_socket, name, _context):
        return None if name == "app.example.com" else 112  # unrecognized_name

    context.sni_callback = insist
    config = {"Type": "HTTPS", "Port": 443}
    assert probe(status(200), {**config, "EnableSNI": True}, context=context)[0]
    good, said, _ = probe(status(200), {**config, "EnableSNI": False}, context=context)
    assert not good
    assert said.startswith("Failure: ")


def test_R53_04_an_answer_has_two_seconds(monkeypatch):
    """Once connected; a server that hangs is not waited for any longer."""
    monkeypatch.setattr("otherside.twin.services.route53.health_checks.ANSWER_S", 0.2)
    good, said, _ = probe(None, {"Type": "HTTP"})
    assert (good, said) == (False, "Failure: TimeoutError")
    assert probe(None, {"Type": "TCP"})[0], "TCP asks for a connection and for no answer"


@given(st.integers(1, 40), st.data())
def test_R53_01_02_more_than_eighteen_percent_must_agree(count, data):
    """Of as many places as there are."""
    healthy = data.draw(st.integers(0, count))
    found = health_checkers(1)
    found._checks.configurations["one"] = {"Type": "HTTP"}
    places = [HealthChecker("us-east-1", believes=n < healthy) for n in range(count)]
    found._known["one"] = Health(health_checkers=places)
    assert found.healthy("one") is (healthy * 100 > SHARE_PERCENT * count)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("metric-ingestion", 5, 120),
        ("event-delivery", 0, 1),
        ("schedule-delay", 0, 59),
        ("table-replication", 0.1, 2.5),
        ("aurora-failover", 60, 300),
        ("writer-dns", 0, 5),
        ("object-replication", 1, 900),
    ],
)
def test_LAT_07_08_09_13_15_16_18_every_made_up_number_has_a_source_and_a_range(name, low, high):
    """Within what AWS or its users say, and left out by a profile of none."""
    modelled = PROFILE[name]
    assert low <= modelled.seconds <= high
    assert modelled.source
    assert Latency().of(name) == modelled.seconds
    assert Latency(modelled=False).of(name) == 0.0
    with pytest.raises(KeyError):
        Latency().of("nobody named it")
