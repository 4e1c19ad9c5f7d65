"""What may not be deployed at all is neither taken as there nor as missing."""

import io
from dataclasses import replace

import pytest

from check import dialect_writer as writing
from check.rule_cases import cases
from check.test_rules import CODES
from otherside.check.catalogue import catalogue
from otherside.check.engine import CheckConfig, check
from otherside.check.model.graph import Graph, Place, Resource
from otherside.check.model.values import one_of_two
from otherside.check.readers.read import ReadOptions, read_paths

LACKING = {rule.code for rule in catalogue() if rule.lacking}
CASES = [case for case in cases() if CODES[case.rule] in LACKING and not case.flagged]
COUNTED = """
variable "many" {{ type = number }}
variable "large" {{ type = bool }}
provider "aws" {{ region = "us-east-1" }}
provider "aws" {{
  alias  = "dr"
  region = "us-west-2"
}}
resource "aws_rds_global_cluster" "g" {{ global_cluster_identifier = "g" }}
resource "aws_rds_cluster" "s" {{
  provider                  = aws.dr
  engine                    = "aurora-postgresql"
  source_region             = "us-east-1"
  global_cluster_identifier = aws_rds_global_cluster.g.id
}}
resource "aws_rds_cluster_instance" "i" {{
  provider           = aws.dr
  count              = {count}
  cluster_identifier = aws_rds_cluster.s.id
  instance_class     = "db.r6g.large"
}}
"""
TEMPLATE = """
Parameters:
  Dr: {Type: String}
Conditions:
  Two: !Equals [!Ref Dr, "yes"]
Resources:
  G: {Type: AWS::RDS::GlobalCluster, Properties: {GlobalClusterIdentifier: g}}
  S:
    Type: AWS::RDS::DBCluster
    Properties: {Engine: aurora-postgresql, GlobalClusterIdentifier: !Ref G, SourceRegion: x}
  I:
    Type: AWS::RDS::DBInstance
    Condition: Two
    Properties: {DBClusterIdentifier: !Ref S, DBInstanceClass: db.r6g.large}
"""

KEYS = """
variable "large" {{ type = bool }}
provider "aws" {{ region = "us-east-1" }}
provider "aws" {{
  alias  = "dr"
  region = "us-west-2"
}}
resource "aws_sns_topic" "t" {{ provider = aws.dr }}
resource "aws_kms_key" "k" {{ enable_key_rotation = true }}
resource "aws_kms_key" "l" {{ enable_key_rotation = true }}
resource "aws_rds_cluster" "c" {{
  storage_encrypted = true
  kms_key_id        = {key}
}}
"""


def asked(graph, code):
    """Return the messages of what a rule finds, and why it cannot tell."""
    result = check(graph, CheckConfig(select=(code,)))
    return [each.message for each in result.findings], [each.reason for each in result.unsure]


def with_one_changed(graph, subject, **changed):
    """Return a graph's resources, one of them changed."""
    return [
        replace(each, **changed) if each is subject else each for each in graph.resources.values()
    ]


def headless(path, **options):
    """Return what DR101 finds below a path, and what it cannot tell."""
    (system,) = read_paths([path], ReadOptions(**options), io.StringIO()).systems
    return asked(system.graph, "DR101")


@pytest.mark.parametrize("case", CASES, ids=lambda item: f"{item.rule}-{item.title}"[:80])
def test_what_a_stack_may_lack_is_no_finding_and_no_pass(case):
    """Of each case in which nothing is lacking, each resource in turn may not be deployed."""
    code = CODES[case.rule]
    whole = writing.as_graph(writing.from_toml(case.table))
    for left_out in whole.resources.values():
        resources = with_one_changed(whole, left_out, only_if={"main.tf#count > 0": True})
        found, undecided = asked(Graph(resources, facts=whole.facts), code)
        assert found == [], left_out.name
        rest = [each for each in whole.resources.values() if each is not left_out]
        if asked(Graph(rest, facts=whole.facts), code)[0]:
            assert undecided, left_out.name


@pytest.mark.parametrize(
    ("count", "found", "undecided"),
    [
        ("var.many", 0, 1),
        ("var.large ? 1 : 0", 0, 1),
        ("var.large ? 3 : 1", 0, 0),
        ("0", 1, 0),
        ("1", 0, 0),
    ],
)
def test_a_count_that_is_not_known_may_be_none(tmp_path, count, found, undecided):
    """Unless every branch of it makes one."""
    (tmp_path / "main.tf").write_text(COUNTED.format(count=count))
    findings, unsure = headless(tmp_path)
    assert (len(findings), len(unsure)) == (found, undecided)


def test_what_a_module_makes_is_as_optional_as_its_call(tmp_path):
    """Its resources have no count of their own."""
    above, _, below = COUNTED.format(count="1").partition('resource "aws_rds_cluster_instance"')
    called = 'module "machines" {{ source = "./m", count = var.many, id = aws_rds_cluster.s.id }}'
    called = called.format().replace(", ", "\n").replace("{ ", "{\n").replace(" }", "\n}")
    (tmp_path / "main.tf").write_text(above + called)
    (tmp_path / "m").mkdir()
    inner = 'variable "id" {}\nresource "aws_rds_cluster_instance"' + below
    inner = inner.replace("aws_rds_cluster.s.id", "var.id").replace(
        "provider           = aws.dr", ""
    )
    (tmp_path / "m" / "main.tf").write_text(inner)
    findings, (reason,) = headless(tmp_path)
    assert findings == []
    assert "where var.many>0 does not hold" in reason


def test_a_condition_that_is_not_known_may_not_hold(tmp_path):
    """Of a resource; given its parameter, it is known."""
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    options = {"regions": {"": "us-west-2"}}
    findings, (reason,) = headless(tmp_path / "t.yaml", **options)
    assert findings == []
    assert "where Two does not hold" in reason
    assert headless(tmp_path / "t.yaml", parameters={"Dr": "yes"}, **options) == ([], [])
    assert headless(tmp_path / "t.yaml", parameters={"Dr": "no"}, **options)[0]


def conditional(value):
    """Return a value as either branch of a condition has it, wherever it is plain."""
    if isinstance(value, dict):
        return {key: conditional(each) for key, each in value.items()}
    if isinstance(value, (str, int)):
        return one_of_two("main.tf#var.large", (value, value), "one thing or another")
    return value


@pytest.mark.parametrize("case", cases(), ids=lambda item: f"{item.rule}-{item.title}"[:80])
def test_what_is_wrong_in_both_branches_is_wrong_and_what_is_right_in_both_is_right(case):
    """Of each case, each resource in turn has every value by a condition, of the same branches."""
    code = CODES[case.rule]
    whole = writing.as_graph(writing.from_toml(case.table))
    plain = check(whole, CheckConfig(select=(code,)))
    wanted = [(each.resource, each.message) for each in plain.findings]
    for subject in whole.resources.values():
        attributes = {
            name: value if name in {"id", "arn"} else conditional(value)
            for name, value in subject.attributes.items()
        }
        resources = with_one_changed(whole, subject, attributes=attributes)
        result = check(Graph(resources, facts=whole.facts), CheckConfig(select=(code,)))
        found = [(each.resource, each.message) for each in result.findings]
        assert set(found) <= set(wanted), subject.name
        missed = {where for where, _ in wanted} - {where for where, _ in found}
        assert missed <= {each.resource for each in result.unsure}, subject.name
        assert subject.name not in missed


@pytest.mark.parametrize(
    ("key", "found", "why"),
    [
        ("var.large ? null : null", "it names no key, so it is under AWS's own", ""),
        ('var.large ? "alias/aws/rds" : null', "AWS's own", ""),
        ("var.large ? aws_kms_key.k.arn : aws_kms_key.l.arn", "", ""),
        ('"alias/${var.large ? "aws" : "aws"}/rds"', "AWS's own", ""),
        ('"alias/${var.large ? "aws" : "own"}/rds"', "", "where var.large holds"),
        ("var.large ? aws_kms_key.k.arn : null", "", "where var.large does not hold"),
    ],
)
def test_a_key_by_a_condition(tmp_path, key, found, why):
    """Both branches are read."""
    (tmp_path / "main.tf").write_text(KEYS.format(key=key))
    (system,) = read_paths([tmp_path], ReadOptions(), io.StringIO()).systems
    findings, unsure = asked(system.graph, "DR002")
    assert (bool(findings), bool(unsure)) == (bool(found), bool(why))
    assert found in "".join(findings)
    assert why in "".join(unsure)


@pytest.mark.parametrize("case", cases(), ids=lambda item: f"{item.rule}-{item.title}"[:80])
def test_a_condition_that_decides_nothing_of_a_case_changes_nothing(case):
    """Whether its name is before or after the one that does: each is taken by itself."""
    code = CODES[case.rule]
    whole = writing.as_graph(writing.from_toml(case.table))
    for left_out in whole.resources.values():
        resources = with_one_changed(whole, left_out, only_if={"main.tf#m>0": True})
        before = asked(Graph(resources, facts=whole.facts), code)
        for name in ("main.tf#a", "main.tf#z"):
            after = asked(Graph([*resources, unrelated(name)], facts=whole.facts), code)
            assert after == before, (left_out.name, name)


def unrelated(condition):
    """Return a resource that no rule asks about, whose name a condition decides."""
    name = one_of_two(condition, ("a", "b"), "one thing or another")
    return Resource(
        id="unrelated",
        name="unrelated",
        kind="logs.nothing",
        type="aws_nothing",
        region="global",
        place=Place(""),
        dialect="terraform",
        attributes={"name": name},
    )


@pytest.mark.parametrize(
    ("count", "undecided"),
    [
        ("var.large ? var.many : 1", 1),
        ("var.large ? (var.other ? 1 : 0) : 1", 1),
        ("var.large ? 2 : 1", 0),
    ],
)
def test_a_count_within_a_count_may_be_none(tmp_path, count, undecided):
    """An unknown branch is no number that is more than none."""
    text = COUNTED.format(count=count) + 'variable "other" { type = bool }\n'
    (tmp_path / "main.tf").write_text(text)
    findings, unsure = headless(tmp_path)
    assert (findings, len(unsure)) == ([], undecided)


def test_counts_of_other_objects_are_other_conditions(tmp_path):
    """`count` is an attribute there, and no instance's number."""
    text = COUNTED.format(count="var.web.count") + 'variable "web" {}\nvariable "db" {}\n'
    text += 'resource "aws_sns_topic" "t" {\n  count = var.db.count\n}\n'
    (tmp_path / "main.tf").write_text(text)
    (system,) = read_paths([tmp_path], ReadOptions(), io.StringIO()).systems
    named = [name.rpartition("#")[2] for name in system.graph.conditions]
    assert named == ["var.db.count>0", "var.web.count>0"]


def test_what_is_wrong_wherever_it_is_deployed_is_wrong(tmp_path):
    """The same condition decides whether there is a cluster, and its key."""
    (tmp_path / "main.tf").write_text(
        KEYS.format(key='var.large ? null : "x"').replace(
            "  storage_encrypted = true", "  count = var.large ? 1 : 0\n  storage_encrypted = true"
        )
    )
    (system,) = read_paths([tmp_path], ReadOptions(), io.StringIO()).systems
    findings, unsure = asked(system.graph, "DR002")
    assert (findings, unsure) == (["it names no key, so it is under AWS's own"], [])


def test_conditions_upon_conditions_are_not_unfolded(tmp_path):
    """Each local doubles what the one above it may be."""
    chain = "".join(f"  v{n} = var.c{n} ? local.v{n - 1} : local.v{n - 1}\n" for n in range(1, 41))
    variables = "".join(f'variable "c{n}" {{ type = bool }}\n' for n in range(1, 41))
    text = f'locals {{\n  v0 = "a"\n{chain}}}\n{variables}'
    text += 'resource "aws_rds_cluster" "c" {\n  engine = local.v40\n}\n'
    (tmp_path / "main.tf").write_text(text)
    (system,) = read_paths([tmp_path], ReadOptions(), io.StringIO()).systems
    assert len(system.graph.conditions) <= 40
