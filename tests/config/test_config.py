"""The design document: what an empty one means, and what a wrong one is told."""

import json
import math
import os
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from otherside.config import ConfigError, parse_config, read_config
from otherside.config.document import EXPECTED, ConfigDocument, duration_s, json_schema
from otherside.config.validation import RULES
from otherside.core.topology import Protocol, Side, Topology

FILE = Path("otherside.toml")


def named(text):
    """Return a design with a public name, if it has none of its own."""
    if "domain" in text:
        return text
    head, mark, tail = text.partition("[traffic]")
    return f'{head}\n[traffic]\ndomain = "orders.example.com"\n{tail if mark else ""}'


def parse(text):
    """Parse a design, with the keys that each needs put to it."""
    return parse_config(named(f'name = "orders"\n{text}'), FILE)


def problems(text):
    """Return what a design is told, by key; it is given a public name."""
    with pytest.raises(ConfigError) as caught:
        parse_config(named(text), FILE)
    return {problem.key: problem for problem in caught.value.problems}


def test_a_name_alone_is_a_complete_design():
    """Everything else has a default, and the default is the safe one."""
    design = parse("")
    assert isinstance(design, Topology)
    assert design.prefix == "orders-prod"
    assert design.regions.quorum
    assert design.database.instances == design.database.instances.__class__(primary=2, standby=2)
    assert design.compute.capacity.primary == design.compute.capacity.standby
    assert design.protect
    assert design.key_per_purpose


def test_traffic_is_encrypted_unless_it_is_said_otherwise():
    """A name that somebody owns can have a certificate."""
    assert parse("").traffic.protocol is Protocol.HTTPS
    assert parse('[traffic]\nprotocol = "http"').traffic.protocol is Protocol.HTTP


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        (None, "redirects users through that name"),
        ("orders.test", "does not resolve publicly"),
        ("orders.internal", "does not resolve publicly"),
    ],
)
def test_a_design_without_a_name_that_the_world_resolves_is_refused(domain, words):
    """Nothing would be led anywhere by it, and the orchestrator would see nothing through it."""
    text = 'name = "orders"\n' + (f'[traffic]\ndomain = "{domain}"' if domain else "")
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    (problem,) = caught.value.problems
    assert problem.key == "traffic.domain"
    assert words in problem.rule


def test_one_number_says_what_may_be_lost_without_asking():
    """The objective is what the orchestrator goes by, unless it is told to ask sooner."""
    assert parse("").failover.loss_max_s == parse("").objectives.rpo_s == 5.0
    assert parse('[objectives]\nrpo = "3s"').failover.loss_max_s == 3.0
    design = parse('[objectives]\nrpo = "9s"\n[failover]\nloss_max = "4s"')
    assert (design.failover.loss_max_s, design.objectives.rpo_s) == (4.0, 9.0)
    told = problems('name = "orders"\n[objectives]\nrpo = "1s"\n[failover]\nloss_max = "5s"')
    assert "more than objectives.rpo (1s)" in told["failover.loss_max"].rule


def test_the_minimal_profile_gives_up_redundancy_inside_a_region():
    """It keeps what recovery needs: a standby instance, both Regions, backups."""
    design = parse('profile = "minimal"')
    assert design.database.instances.on(Side.STANDBY) == 1
    assert not design.network.nat_per_zone
    assert not design.network.interface_endpoints
    assert not design.protect


def test_the_standby_follows_the_primarys_capacity():
    """Who raises one side raises both, unless told otherwise."""
    design = parse("[compute]\nprimary = { min = 4, max = 12 }")
    assert design.compute.capacity.standby.max == 12


CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"
BAD = {
    'name = "Orders"': ("name", "must have only a-z, 0-9 and single hyphens"),
    'name = "o"': ("name", "at least 2"),
    'name = "orders"\nenviroment = "x"': ("enviroment", "did you mean environment?"),
    'name = "orders"\naccount = "123"': ("account", "must be an account of 12 digits"),
    'name = "orders"\n[regions]\nprimary = "us-est-2"': (
        "regions.primary",
        "did you mean us-east-2",
    ),
    'name = "orders"\n[regions]\nstandby = "us-east-2"': ("regions.standby", "must differ"),
    'name = "orders"\n[regions]\nwitness = "us-west-2"': ("regions.witness", "third Region"),
    (
        'name = "orders"\n[regions]\nprimary = "us-west-2"\n'
        'standby = "us-east-1"\nwitness = "us-east-2"'
    ): (
        "regions.standby",
        "control plane",
    ),
    'name = "orders"\n[network]\nstandby_cidr = "10.0.128.0/17"': (
        "network.standby_cidr",
        "overlaps",
    ),
    'name = "orders"\n[network]\nprimary_cidr = "10.0.0.1/16"': (
        "network.primary_cidr",
        "host bits",
    ),
    'name = "orders"\n[network]\nprimary_cidr = "172.0.0.0/8"': (
        "network.primary_cidr",
        "/16 to a /24",
    ),
    'name = "orders"\n[network]\nzones = 1': ("network.zones", "greater than or equal to 2"),
    'name = "orders"\n[regions]\nprimary = "us-west-1"': (
        "network.zones",
        "more than the 2 zones that us-west-1 offers a new account",
    ),
    'name = "orders"\n[regions]\nstandby = "ap-southeast-7"': (
        "backup.restore_test",
        "not supported in ap-southeast-7: set it to 'never'",
    ),
    'name = "orders"\n[regions]\nstandby = "il-central-1"': (
        "database.instance_class",
        "is not available in il-central-1; both Regions have db.r5, db.r7g",
    ),
    'name = "orders"\n[database]\ninstance_class = "db.t4g.medium"': (
        "database.instance_class",
        "memory-optimised",
    ),
    'name = "orders"\n[database]\ninstance_class = "db.serverless"': (
        "database.instance_class",
        "needs a [database.serverless]",
    ),
    'name = "orders"\n[database]\nserverless = { min_acu = 1, max_acu = 8 }': (
        "database.serverless",
        "applies only",
    ),
    'name = "orders"\n[database]\nstandby_instances = 0': (
        "database.standby_instances",
        "cannot be promoted",
    ),
    'name = "orders"\n[database]\nglobal_db_rpo = "5s"': (
        "database.global_db_rpo",
        "20s or longer",
    ),
    'name = "orders"\n[database]\nengine_version = "16.4"': ("database.engine_version", "too old"),
    'name = "orders"\n[compute]\nprimary = { min = 2, max = 6 }\nstandby = { min = 2, max = 4 }': (
        "compute.standby.max",
        "below the primary's",
    ),
    'name = "orders"\n[compute]\nstandby = { min = 0, max = 6 }': (
        "compute.standby.min",
        "1 or more",
    ),
    'name = "orders"\n[compute]\nprimary = { min = 7, max = 6 }': (
        "compute.primary.min",
        "above max",
    ),
    'name = "orders"\n[compute]\nport = "8080"': ("compute.port", "valid integer"),
    'name = "orders"\n[compute]\nreadiness_path = "/health.html"': (
        "compute.readiness_path",
        "dead process",
    ),
    'name = "orders"\n[compute]\nuser_data = "nowhere.sh"': ("compute.user_data", "cannot be read"),
    'name = "orders"\n[compute]\napplication = "nowhere"': ("compute.application", "app.py"),
    'name = "orders"\n[failover]\nloss_max = "9s"': ("failover.loss_max", "more than objectives"),
    (
        'name = "orders"\n[traffic]\ndomain = "a.example.com"\nprotocol = "http"\n'
        f'certificates = {{ primary = "{CERTIFICATE.replace("west-2", "east-2")}", '
        f'standby = "{CERTIFICATE}" }}'
    ): ("traffic.certificates", "has no effect"),
    'name = "orders"\n[failover]\nmode = "auto"\n[objectives]\nrpo = "1s"': (
        "objectives.rpo",
        "finer than the estimate",
    ),
    (
        'name = "orders"\n[traffic]\ndomain = "a.example.com"\n'
        f'certificates.primary = "x"\ncertificates.standby = "{CERTIFICATE}"'
    ): (
        "traffic.certificates.primary",
        "ACM certificate",
    ),
    'name = "orders"\n[objectives]\nrto = "30s"': ("objectives.rto", "60s or longer"),
    'name = "orders"\n[failover]\nfreezes = ["2026-13-01T00:00Z/2026-12-02T00:00Z"]': (
        "failover.freezes.0",
        "invalid date or time",
    ),
    'name = "orders"\n[failover]\nfreezes = ["2026-12-03T00:00Z/2026-12-02T00:00Z"]': (
        "failover.freezes.0",
        "ends before it begins",
    ),
    'name = "orders"\n[failover]\nfreezes = ["christmas"]': (
        "failover.freezes.0",
        "must be START/END such as 2026-12-23T00:00Z/2027-01-02T00:00Z",
    ),
    'name = "orders"\n[failover]\nstable = "30s"': (
        "failover.stable",
        "is shorter than the tick interval",
    ),
    'name = "orders"\n[failover]\nmode = "auto"\nloss_max = "500ms"': (
        "failover.loss_max",
        "use 2s or more",
    ),
    'name = "orders"\n[objectives]\nrto = "soon"': (
        "objectives.rto",
        "must be a duration such as 300s, 5m or 1h",
    ),
    'name = "orders"\n[failover]\nmode = "automatic"': (
        "failover.mode",
        "'auto', 'approve' or 'observe'",
    ),
    'name = "orders"\n[retention]\nlogs = 100': ("retention.logs", "the nearest is 90"),
    'name = "orders"\n[backup]\nschedule = "daily"': ("backup.schedule", "cron expression"),
    'name = "orders"\n[tags]\n"aws:owner" = "me"': ("tags.aws:owner", "which AWS reserves"),
    'environment = "prod"': ("name", "is required"),
    'name = "a-name-of-twenty-chs"\nenvironment = "production"': ("name", "room for 25"),
    'name = "orders"\n[network]\nprimary_cidr = "10.0.0.0/255.255.0.0"': (
        "network.primary_cidr",
        "written as in",
    ),
    'name = "orders"\n[database]\nglobal_db_rpo = "20500ms"': (
        "database.global_db_rpo",
        "whole seconds",
    ),
    'name = "orders"\n"data.base" = 1': ("data.base", "is not a valid key"),
    'name = "orders"\n[database]\n"x.y" = 1': ("database.x.y", "is not a valid key"),
    "name = 'orders'\n[network]\nzones = 0xf" + "f" * 400: ("network.zones", "less than"),
    (
        'name = "orders"\n[compute]\nuser_data = "pyproject.toml"\n'
        'application = "src/otherside/agent"'
    ): (
        "compute.user_data",
        "cannot be combined",
    ),
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text.replace("\n", " ")[:60])
def test_a_wrong_design_is_told_the_key_and_the_rule(text):
    """One error for one mistake, by its key, with the rule that it breaks."""
    key, rule = BAD[text]
    found = problems(text)
    assert set(found) == {key}
    assert rule in found[key].rule


def test_all_mistakes_are_told_at_once_with_their_lines():
    """Wrong types, unknown keys and broken rules together, in the order of the file."""
    text = (
        'name = "orders"\n[database]\ninstance_class = "db.t3.medium"\nengine_verson = "17.9"\n'
        '[compute]\nport = "a"\n[regions]\nwitness = "us-west-2"\n'
        '[traffic]\ndomain = "a.example.com"\n'
    )
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    lines = str(caught.value).splitlines()
    assert [line.split(": ", 2)[:2] for line in lines] == [
        ["otherside.toml:3", 'database.instance_class = "db.t3.medium"'],
        ["otherside.toml:4", "database.engine_verson"],
        ["otherside.toml:6", 'compute.port = "a"'],
        ["otherside.toml:8", 'regions.witness = "us-west-2"'],
    ]
    assert lines[1].endswith("did you mean engine_version?")


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"name = ", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * 1_000_001, "has 1,000,001 bytes"),
        (b"a = " + b"[" * 20_000, "TOML"),
        (b"a = " + b"9" * 5_000, "TOML"),
        (b"name = 'orders'\ntags." + b".".join([b"a"] * 900) + b" = 1", "nested"),
    ],
)
def test_an_unreadable_file_is_one_clear_error(tmp_path, content, rule):
    """Never a traceback."""
    file = tmp_path / "otherside.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    (problem,) = caught.value.problems
    assert rule in problem.rule or "nested too deeply" in problem.rule


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    """Some editors write one."""
    (tmp_path / "otherside.toml").write_bytes(
        b"\xef\xbb\xbfname = 'orders'\r\n[traffic]\r\ndomain = 'orders.example.com'\r\n"
    )
    assert read_config(tmp_path / "otherside.toml").name == "orders"


def test_a_missing_key_hides_no_other_problem():
    """Half a table is one problem, and the rest of the document is still checked."""
    text = (
        'name = "orders"\n[compute]\nimages.primary = "ami-12345678"\n'
        '[objectives]\nrto = "30s"\n[regions]\nwitness = "us-west-2"'
    )
    assert set(problems(text)) == {"compute.images.standby", "objectives.rto", "regions.witness"}


def test_a_wrong_key_is_told_once_and_makes_no_other_wrong():
    """What a rule would say of a value that is not there is not so."""
    text = 'name = "orders"\n[traffic]\ndomain = "App.Example.com"\nprotocol = "https"'
    assert set(problems(text)) == {"traffic.domain"}
    text = 'name = "orders"\n[database]\ninstance_class = "DB.x"\nserverless = { min_acu = 1 }'
    assert set(problems(text)) == {"database.instance_class"}


def test_an_error_repeats_no_control_character():
    """A terminal is not to be coloured by what it is shown."""
    with pytest.raises(ConfigError) as caught:
        parse_config('name = "\\u001b[31m"', FILE)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("path", ["missing.toml", "."])
def test_a_file_that_is_not_there_says_so(tmp_path, path):
    """A missing file and a directory."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    """Permissions."""
    file = tmp_path / "otherside.toml"
    file.write_text('name = "orders"')
    file.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(file)


words = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)
keys = st.sampled_from([*ConfigDocument.model_fields, "nme", ""])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(keys, json_values, max_size=4),
    st.sampled_from(list(ConfigDocument.model_fields)),
)
def test_no_document_is_answered_with_a_traceback(document, section):
    """Whatever stands in the file: a topology, or problems that name a key."""
    document.setdefault("name", "orders")
    lines = [f"{json.dumps(k)} = {_toml(v)}" for k, v in document.items() if k != section]
    told = None
    try:
        parse_config("\n".join(lines), FILE)
    except ConfigError as error:
        told = error.problems
    assert told is None or (told and all(problem.rule for problem in told))


def _toml(value):
    if value is None:
        return '"none"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf"
    return json.dumps(value)


def test_the_published_schema_agrees_with_the_parser():
    """An editor and the parser accept and refuse the same."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for sample in (
        {"name": "orders", "database": {"engine_version": "17.9"}, "objectives": {"rto": "5m"}},
        {"name": "orders", "compute": {"primary": {"min": 2, "max": 4}}},
        {},
        {"name": "orders", "enviroment": "x"},
        {"name": "Orders"},
        {"name": "orders", "network": {"zones": 9}},
        {"name": "orders", "network": {"zones": "3"}},
        {"name": "orders", "failover": {"mode": "yes"}},
        {"name": "orders", "compute": {"primary": {"min": 2}}},
        {"name": "orders", "objectives": {"rto": "soon"}},
    ):
        parsed = True
        try:
            ConfigDocument.model_validate(sample)
        except ValidationError:
            parsed = False
        assert validator.is_valid(sample) is parsed, sample


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("1s", 1), ("5m", 300), ("1.5h", 5400)]
)
def test_durations_are_seconds_inside(text, seconds):
    """Units stand in the file and nowhere else."""
    assert duration_s(text) == seconds


def test_every_rule_has_a_document_that_breaks_it():
    """A rule that nothing breaks is no rule: the mistakes above touch each of them."""
    broken = set()
    for text in BAD:
        try:
            document = ConfigDocument.model_validate(tomllib.loads(text))
        except ValidationError:
            continue
        broken |= {rule.__name__ for rule in RULES if list(rule(document))}
    untested = {rule.__name__ for rule in RULES} - broken
    assert untested == set()


def test_every_pattern_has_words_for_people():
    """Nobody is shown a regular expression."""
    found = set()

    def collect(node):
        if isinstance(node, dict):
            found.update({node["pattern"]} if isinstance(node.get("pattern"), str) else ())
            node = list(node.values())
        for item in node if isinstance(node, list) else ():
            collect(item)

    collect(json_schema())
    assert found == set(EXPECTED)
    assert not any("^" in words for words in EXPECTED.values())
