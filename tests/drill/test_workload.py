"""What the clients of a drill ask: the sample's API, or what a configuration says."""

import hashlib
import json
import random

import pytest

from otherside.config import ConfigError, parse_config, read_workload
from otherside.config.document import DrillSection
from otherside.drill.workload import ConfiguredWorkload, Row, Workload

DESIGN = 'name = "shop"\n[traffic]\ndomain = "shop.example.com"\n'
SECTION = """
[drill]
write = "POST /orders?by={key}"
body = '{"reference": "{key}", "lines": [{"note": "{value}"}]}'
content_type = "application/json"
read = "GET /orders/{key}"
value = "order.lines.0.note"
region = "served.by"
rows = "select reference, note from orders"
"""


@pytest.fixture
def shop(tmp_path):
    """Read the workload of a configuration."""
    file = tmp_path / "otherside.toml"
    file.write_text(DESIGN + SECTION)
    return ConfiguredWorkload.of(read_workload(file))


def test_without_a_section_the_samples_api_is_spoken(tmp_path):
    """Random bytes, and their digest in the answer."""
    (tmp_path / "otherside.toml").write_text(DESIGN)
    workload = ConfiguredWorkload.of(read_workload(tmp_path / "otherside.toml"))
    assert workload == Workload()
    row = workload.row("k-1", random.Random(1))
    request = workload.write(row)
    assert (request.method, request.path, request.body) == ("PUT", "/entries/k-1", row.value)
    assert workload.read("k-1").path == "/entries/k-1"
    answer = json.dumps({"sha256": row.digest, "region": "us-east-2"}).encode()
    assert (workload.proof(answer), workload.region(answer)) == (row.digest, "us-east-2")
    assert workload.held([("k-1", row.digest)]) == [["k-1", row.digest]]


def test_a_row_stands_in_the_configured_request(shop):
    """In its path and its body, which stays JSON; other braces are the body's own."""
    row = shop.row("k-1", random.Random(1))
    request = shop.write(row)
    assert (request.method, request.path) == ("POST", "/orders?by=k-1")
    assert request.content_type == "application/json"
    assert json.loads(request.body) == {
        "reference": "k-1",
        "lines": [{"note": row.value.decode()}],
    }
    assert shop.read("a/b").path == "/orders/a%2Fb"


def test_an_answer_proves_what_stands_at_the_configured_place(shop):
    """By the value's digest; an answer of another shape proves nothing."""
    row = Row(key="k", value=b"kept")
    good = {"order": {"lines": [{"note": "kept"}]}, "served": {"by": "us-west-2"}}
    assert shop.proof(json.dumps(good).encode()) == row.digest
    assert shop.region(json.dumps(good).encode()) == "us-west-2"
    for other in ({}, {"order": {"lines": []}}, {"order": "kept"}, [1], "text"):
        assert shop.proof(json.dumps(other).encode()) == ""
        assert shop.region(json.dumps(other).encode()) is None
    assert shop.proof(b"<html>") == ""


def test_the_whole_answer_is_the_value_where_no_place_is_named():
    """A plain store answers with what it was given."""
    section = DrillSection(write="PUT /{key}", read="GET /{key}", rows="select k, v from kv")
    workload = ConfiguredWorkload.of(section)
    row = workload.row("k", random.Random(2))
    assert workload.write(row).body == row.value
    assert workload.proof(row.value) == row.digest
    assert workload.region(row.value) is None


def test_rows_are_compared_by_the_digest_of_their_values(shop):
    """The statement returns key and value as they are."""
    digest = hashlib.sha256(b"kept").hexdigest()
    assert shop.rows_statement == "select reference, note from orders"
    assert shop.held([("k", "kept"), (7, 8)])[0] == ["k", digest]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('write = "DELETE /orders"', "drill.write"),
        ('body = "no place for it"', "drill.body"),
        ('read = "GET /orders"', "drill.read"),
        ("rows = 3", "drill.rows"),
        ('colour = "red"', "drill.colour"),
    ],
)
def test_a_workload_that_cannot_be_is_one_clear_error(tmp_path, line, key):
    """With its place, before anything is started."""
    name = line.partition(" ")[0]
    kept = [text for text in SECTION.splitlines() if not text.startswith(f"{name} ")]
    with pytest.raises(ConfigError, match=key):
        parse_config(DESIGN + "\n".join([*kept, line]) + "\n", tmp_path / "otherside.toml")
