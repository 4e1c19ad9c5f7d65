"""Which parts of a repository are one system, and which are judged apart."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from otherside.check.readers.read import ReadOptions, read_paths
from otherside.check.report import findings_document
from otherside.cli.check import check

EAST, WEST = "us-east-1", "us-west-2"


def root(*regions, more=""):
    """Return a Terraform root with a bucket in each Region."""
    text = ""
    for at, region in enumerate(regions):
        alias = f'alias = "r{at}"' if at else ""
        text += f'provider "aws" {{\n  region = "{region}"\n  {alias}\n}}\n'
        text += f'resource "aws_s3_bucket" "b{at}" {{\n  bucket = "b-{region}"\n'
        text += f"  provider = aws.r{at}\n}}\n" if at else "}\n"
    return text + more


BOTH = root(EAST, WEST)
DATABASE = """
resource "aws_db_instance" "d" {
  engine   = "postgres"
  password = "Hunter2hunter2"
}
"""
PLAIN = BOTH + DATABASE


def backend(bucket, key):
    """Return where a root keeps its state."""
    return f"""
terraform {{
  backend "s3" {{
    bucket = "{bucket}"
    key    = "{key}"
    region = "us-east-1"
  }}
}}
"""


def remote(bucket):
    """Return how a root reads another one's state."""
    return f"""
data "terraform_remote_state" "net" {{
  backend = "s3"
  config = {{
    bucket = "{bucket}"
    key    = "net"
  }}
}}
"""


def laid_out(place, files):
    """Write files, by their paths below a place."""
    for name, text in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def systems(place, files, *paths, **options):
    """Return the systems that are found: each one's roots, below the place, by its name."""
    laid_out(place, files)
    named = [str(place / path) for path in paths] or [str(place)]
    read = read_paths(named, ReadOptions(**options), bytes)
    assert read.problems == []
    return {
        system.name: sorted(name.removeprefix(f"{place}").strip("/") for name in system.roots)
        for system in read.systems
    }


TEMPLATE = """
Resources:
  Bucket:
    Type: AWS::S3::Bucket
"""
EXPORTING = (
    TEMPLATE
    + """
Outputs:
  Name:
    Value: !Ref Bucket
    Export:
      Name: shared-bucket
"""
)
IMPORTING = """
Resources:
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !ImportValue shared-bucket
"""
TOPIC = """
resource "aws_sns_topic" "alarms" {
  name = "alarms"
}
"""
ALARM = """
resource "aws_cloudwatch_metric_alarm" "lag" {
  alarm_name    = "lag"
  alarm_actions = ["arn:aws:sns:us-east-1:123456789012:alarms"]
}
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"us-east-1/main.tf": root(EAST), "us-west-2/main.tf": root(WEST)},
            {"": ["us-east-1", "us-west-2"]},
            id="a root for each Region",
        ),
        pytest.param(
            {"primary/main.tf": root(EAST), "dr/main.tf": root(WEST)},
            {"": ["dr", "primary"]},
            id="a root for each side",
        ),
        pytest.param(
            {
                "live/us-east-1/net/main.tf": root(EAST),
                "live/us-east-1/data/db/main.tf": root(EAST),
                "live/us-west-2/net/main.tf": root(WEST),
            },
            {"": ["live/us-east-1/data/db", "live/us-east-1/net", "live/us-west-2/net"]},
            id="layers below Regions",
        ),
        pytest.param(
            {"app-use1/main.tf": root(EAST), "app-usw2/main.tf": root(WEST)},
            {"": ["app-use1", "app-usw2"]},
            id="Regions in short",
        ),
        pytest.param(
            {"orders/main.tf": root(EAST), "orders-copy/main.tf": root(WEST)},
            {"": ["orders", "orders-copy"]},
            id="neighbours in two Regions",
        ),
        pytest.param(
            {"aurora/main.tf": BOTH, "dynamodb/main.tf": BOTH},
            {"aurora": ["aurora"], "dynamodb": ["dynamodb"]},
            id="alternatives",
        ),
        pytest.param(
            {
                "active-active/main.tf": BOTH,
                "active-passive/main.tf": BOTH,
                "backup-restore/main.tf": BOTH,
                "warm-standby/main.tf": BOTH,
            },
            {
                name: [name]
                for name in ("active-active", "active-passive", "backup-restore", "warm-standby")
            },
            id="strategies",
        ),
        pytest.param(
            {
                "net/main.tf": BOTH + backend("states", "net"),
                "app/main.tf": BOTH + backend("states", "app"),
            },
            {"": ["app", "net"]},
            id="a shared backend",
        ),
        pytest.param(
            {
                "net/main.tf": BOTH + backend("states", "net"),
                "app/main.tf": BOTH + remote("states"),
                "other/main.tf": BOTH,
            },
            {".": ["app", "net"], "other": ["other"]},
            id="a remote state",
        ),
        pytest.param(
            {"a/main.tf": root(EAST, WEST, more=TOPIC), "b/main.tf": root(EAST, WEST, more=ALARM)},
            {"": ["a", "b"]},
            id="an ARN of another root",
        ),
        pytest.param(
            {"a/one.yaml": EXPORTING, "b/two.yaml": IMPORTING, "c/three.yaml": TEMPLATE},
            {".": ["a/one.yaml", "b/two.yaml"], "c": ["c/three.yaml"]},
            id="an import",
        ),
        pytest.param(
            {"one.yaml": TEMPLATE, "two.yaml": TEMPLATE},
            {"": ["one.yaml", "two.yaml"]},
            id="templates side by side",
        ),
        pytest.param(
            {"envs/prod/main.tf": BOTH, "envs/staging/main.tf": BOTH},
            {"envs/prod": ["envs/prod"], "envs/staging": ["envs/staging"]},
            id="environments",
        ),
        pytest.param(
            {
                "prod/main.tf": BOTH + remote("states"),
                "staging/main.tf": BOTH + remote("states"),
                "global/main.tf": BOTH + backend("states", "net"),
            },
            {"prod": ["global", "prod"], "staging": ["global", "staging"]},
            id="what environments share",
        ),
        pytest.param(
            {
                "main.tf": BOTH,
                "examples/complete/main.tf": BOTH,
                "examples/small/us-east-1/main.tf": root(EAST),
                "examples/small/us-west-2/main.tf": root(WEST),
                "tests/unit/main.tf": BOTH,
            },
            {
                ".": [""],
                "examples/complete": ["examples/complete"],
                "examples/small": ["examples/small/us-east-1", "examples/small/us-west-2"],
                "tests/unit": ["tests/unit"],
            },
            id="examples and tests",
        ),
        pytest.param(
            {
                "a/main.tf": BOTH,
                "b/main.tf": BOTH,
                "program/Pulumi.yaml": "name: p\nruntime: nodejs\n",
                "examples/c/Pulumi.yaml": "name: c\nruntime: nodejs\n",
            },
            {
                "a": ["a", "program"],
                "b": ["b", "program"],
                "examples/c": ["examples/c"],
            },
            id="what was not read",
        ),
    ],
)
def test_systems_are_found_by_how_people_lay_them_out(tmp_path, files, expected):
    """Each of the ways that are common, and what it says of what belongs together."""
    assert systems(tmp_path, files) == expected


def test_what_is_named_together_is_one_system(tmp_path):
    """Whoever names two directories means both."""
    files = {"prod/main.tf": BOTH, "staging/main.tf": BOTH}
    assert systems(tmp_path, files, "prod", "staging") == {"": ["prod", "staging"]}
    assert systems(tmp_path, files, one_system=True) == {"": ["prod", "staging"]}


MODULE = 'variable "name" {}\nresource "aws_s3_bucket" "b" {\n  bucket = var.name\n}\n'


def test_a_module_that_nothing_calls_is_no_root(tmp_path):
    """Its Regions and its values are its caller's; named by itself it is read."""
    files = {"main.tf": BOTH, "modules/bucket/main.tf": MODULE}
    assert systems(tmp_path, files) == {"": [""]}
    read = read_paths([str(tmp_path)], ReadOptions(), bytes)
    assert any("nothing here calls" in why for _, why in read.skipped)
    for order in ((".", "modules/bucket"), ("modules/bucket", ".")):
        assert systems(tmp_path, files, *order) == {"": ["", "modules/bucket"]}


def run(*given):
    """Run the command; return its exit code and what it prints."""
    done = CliRunner().invoke(check, [str(item) for item in given])
    return done.exit_code, done.output


def test_systems_are_told_and_one_can_be_chosen(tmp_path):
    """In text and in JSON; a name that there is not is refused with those that there are."""
    laid_out(tmp_path, {"prod/main.tf": PLAIN, "staging/main.tf": PLAIN})
    code, text = run(tmp_path)
    assert code == 1
    assert "2 systems, checked apart:" in text
    assert f"prod: 5 resources of 1 root in {EAST}, {WEST}" in text
    assert "What a recovery of prod could do" in text
    code, text = run(tmp_path, "--system", "prod", "--format", "json")
    document = json.loads(text)
    assert [system["name"] for system in document["systems"]] == ["prod"]
    assert {finding["system"] for finding in document["findings"]} == {"prod"}
    laid_out(tmp_path / "staging", {"examples/c/Pulumi.yaml": "name: c\nruntime: nodejs\n"})
    code, text = run(tmp_path, "--system", "prod", "--format", "json")
    assert json.loads(text)["unknown"] == []  # what another system lacks is not this one's
    code, text = run(tmp_path, "--system", "production")
    assert code == 2
    assert "there is no system of this name; there are prod, staging" in text
    code, text = run(tmp_path, "--one-system", "--system", "prod")
    assert code == 2


def test_what_is_shared_is_judged_in_each_system_and_told_once(tmp_path):
    """One finding, in the first system that has it."""
    laid_out(
        tmp_path,
        {
            "prod/main.tf": BOTH + remote("states"),
            "staging/main.tf": BOTH + remote("states"),
            "global/main.tf": PLAIN + backend("states", "net"),
        },
    )
    document = json.loads(run(tmp_path, "--format", "json")[1])
    place = Path(findings_document.__file__).with_name("check.schema.json")
    schema = json.loads(place.read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    told = [
        (item["code"], item["resource"], item["file"], item["message"])
        for item in document["findings"]
    ]
    assert len(told) == len(set(told))
    assert {item["system"] for item in document["findings"]} == {"prod"}
    assert document["findings"][0]["file"].endswith("global/main.tf")
