"""Whatever is given: one clear error with file and place, and nothing lost of the rest."""

import json
import os
from pathlib import Path

import pytest

from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths

GOOD = "Resources: {K: {Type: 'AWS::KMS::Key'}}\n"


def read(*paths, **options):
    """Read paths as the command does."""
    return read_paths([str(path) for path in paths], ReadOptions(**options), bytes)


def problem(path):
    """Return the one problem of a file, beside a good one that is read nevertheless."""
    good = path.parent / "good.yaml"
    good.write_text(GOOD)
    found = read(path, good)
    assert len(found.graph.of("kms.key")) == 1
    check(found.graph, CheckConfig())
    (item,) = found.problems
    return str(item)


PLAN = {"resource_changes": [], "format_version": "1.2"}
BAD = {
    "empty.json": ("", "empty"),
    "blank.yaml": (" \n\n", "empty"),
    "cut.json": ('{"Resources": {', "cut off"),
    "two.json": ("{} {}", "more than one JSON document"),
    "text.txt": ("hello: [", "no YAML"),
    "deep.json": ("[" * 100_000, "nested too deeply"),
    "deep.yaml": ("a: " + "[" * 5_000, "nested too deeply"),
    "twice.json": ('{"Resources": {"A": {"Type": "x", "Type": "y"}}}', "'Type' occurs twice"),
    "twice.yaml": ("Resources: {A: {Type: x, Type: y}}", "'Type' occurs twice"),
    "itself.yaml": ("Resources: &a {A: *a}", "inside itself"),
    "bomb.yaml": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{c}: &{c} [{','.join([f'*{p}'] * 10)}]\n" for p, c in zip("abcdef", "bcdefg")),  # noqa: B905 - pairs
        "aliases multiply",
    ),
    "typeless.yaml": ("Resources: {A: {Properties: {}}}", "A is a resource without a Type"),
    "list.yaml": ("Resources: []", "no Resources"),
    "steps.json": (json.dumps({"steps": [1], "config": {}}), "steps holds something"),
    "deployment.json": (json.dumps({"deployment": 7}), "deployment is a number, and not an object"),
    "resources.json": (
        json.dumps({"deployment": {"resources": {}}}),
        "is an object, and not a list",
    ),
    "plan.json": (
        json.dumps(PLAN | {"resource_changes": [3]}),
        "holds something that is no object",
    ),
    "state3.json": (json.dumps({"version": 3, "lineage": "x"}), "only version 4"),
    "state.json": (json.dumps({"version": 4, "lineage": "x", "resources": {}}), "no list"),
    "sarif.json": (json.dumps({"$schema": "x", "runs": []}), "a SARIF report"),
    "number.json": ('{"Resources": {"A": {"Type": "x", "B": ' + "9" * 5_000 + "}}}", "no JSON"),
    "artifacts.json": (json.dumps({"artifacts": []}), "artifacts is a list, and not an object"),
    "bad.tf": ('resource "aws_vpc" {', "no Terraform"),
    "deep.tf": ("a = " + "[" * 2_000, "nested too deeply"),
}


@pytest.mark.parametrize("name", BAD)
def test_names_the_file_and_the_cause(tmp_path, name):
    """And reads the other one."""
    text, cause = BAD[name]
    (tmp_path / name).write_text(text)
    found = problem(tmp_path / name)
    assert found.startswith(str(tmp_path / name))
    assert cause in found


def test_names_the_line(tmp_path):
    """Where there is one."""
    (tmp_path / "a.json").write_text('{\n "Resources": {\n  "A": {"Type": nothing}\n }\n}\n')
    assert f"{tmp_path / 'a.json'}:3: " in problem(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"PK\x03\x04plan", "terraform show -json"),
        (b"\x1f\x8bx", "compressed"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b"\x00\x01\x02", "binary"),
        (b"\xe9\xe8", "no text in UTF-8"),
    ],
)
def test_says_what_bytes_are_instead(tmp_path, raw, cause):
    """With what to do next where something can be done."""
    (tmp_path / "plan.bin").write_bytes(raw)
    assert cause in problem(tmp_path / "plan.bin")


def test_reads_a_mark_of_utf_8_away(tmp_path):
    """As some editors write one; in a template of the CDK, too."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    found = read(tmp_path / "a.yaml")
    assert found.problems == []
    assert len(found.graph.of("kms.key")) == 1


def test_reads_no_pipe_and_no_device(tmp_path):
    """Either would never end."""
    os.mkfifo(tmp_path / "pipe.json")
    assert "neither a file nor a directory" in problem(tmp_path / "pipe.json")


def test_reads_nothing_that_is_too_large(tmp_path):
    """Said before it is read."""
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(2 << 30)
    assert "no more than 1 GiB" in problem(tmp_path / "large.json")


def test_an_assembly_with_a_bad_stack_has_the_others(tmp_path):
    """Each is a problem of its own."""
    stacks = {
        name: {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{name}.json"}}
        for name in ("Good", "Missing", "Bad")
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {**stacks, "Odd": 3}}))
    (tmp_path / "Good.json").write_text(json.dumps({"Resources": {"K": {"Type": "AWS::KMS::Key"}}}))
    (tmp_path / "Bad.json").write_text("[]")
    found = read(tmp_path)
    assert len(found.graph.of("kms.key")) == 1
    assert len(found.problems) == 3


def test_a_nested_stack_that_is_bad_leaves_its_parent(tmp_path):
    """And one that holds itself is read once."""
    (tmp_path / "a.yaml").write_text(
        "Resources:\n  K: {Type: 'AWS::KMS::Key'}\n"
        "  Self: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: a.yaml}}\n"
        "  Bad: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: b.yaml}}\n"
    )
    (tmp_path / "b.yaml").write_text("- nothing\n")
    found = read(tmp_path / "a.yaml")
    assert len(found.graph.of("kms.key")) == 1
    assert "b.yaml" in str(found.problems[0])


MODULES = {
    "a local of itself": "locals {\n a = local.b\n b = local.a\n}\n",
    "a count of itself": 'resource "aws_sns_topic" "t" {\n count = aws_sns_topic.t.count\n}\n',
    "counts of each other": (
        'resource "aws_sns_topic" "a" {\n count = aws_sns_topic.b.x\n}\n'
        'resource "aws_sns_topic" "b" {\n count = aws_sns_topic.a.x\n}\n'
    ),
    "a module of itself": 'module "m" {\n source = "./."\n count = 1000\n}\n',
    "locals that double": "locals {\n l0 = [1,2,3,4,5,6,7,8,9,0]\n"
    + "".join(f" l{n + 1} = [{', '.join([f'local.l{n}'] * 10)}]\n" for n in range(12))
    + '}\nresource "aws_sns_topic" "t" {\n name = jsonencode(local.l12)\n}\n',
    "a long range": 'resource "aws_sns_topic" "t" {\n name = length(range(1000000000))\n}\n',
    "a wide format": 'resource "aws_sns_topic" "t" {\n name = format("%1000000000d", 1)\n}\n',
    "a device": 'resource "aws_sns_topic" "t" {\n name = file("/dev/zero")\n}\n',
    "a for over a number": 'resource "aws_sns_topic" "t" {\n name = [for x in 3 : x]\n}\n',
    "a dynamic block of a number": (
        'resource "aws_sns_topic" "t" {\n dynamic "x" {\n  for_each = 3\n  content {}\n }\n}\n'
    ),
    "a map of a variable": 'variable "v" {}\nlocals {\n m = merge({ a = 1 }, [var.v])\n}\n'
    'resource "aws_sns_topic" "t" {\n name = local.m\n}\n',
    "a number that is too long": f'resource "aws_sns_topic" "t" {{\n name = {"9" * 5000}\n}}\n',
}


@pytest.mark.parametrize("name", MODULES)
def test_source_that_runs_in_circles_is_read_in_time(tmp_path, name):
    """What cannot be known is unknown; nothing grows without bound."""
    (tmp_path / "main.tf").write_text(MODULES[name])
    found = read(tmp_path)
    assert found.problems == []
    assert len(found.graph.resources) <= 2_000


TEMPLATES = {
    "a condition of itself": (
        "Conditions: {A: !Condition B, B: !Condition A}\n"
        "Resources: {K: {Type: 'AWS::KMS::Key', Condition: A}}\n"
    ),
    "a reference to a list": "Resources: {K: {Type: 'AWS::KMS::Key', Properties: {A: {Ref: [a]}}}}",
    "a map by a list": (
        "Resources: {K: {Type: 'AWS::KMS::Key', Properties: {A: {Fn::FindInMap: [[a], b, c]}}}}"
    ),
    "a split by nothing": (
        "Resources: {K: {Type: 'AWS::KMS::Key', Properties: {A: !Split ['', 'abc']}}}"
    ),
    "a selection of too much": (
        "Resources: {K: {Type: 'AWS::KMS::Key', Properties: {A: !Select ['"
        + "9" * 5000
        + "', [a]]}}}"
    ),
    "an include": (
        "Resources: {'Fn::Transform': {Name: 'AWS::Include'}, K: {Type: 'AWS::KMS::Key'}}"
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_makes_no_sense_is_read_as_far_as_it_does(tmp_path, name):
    """What is not known is unknown."""
    (tmp_path / "a.yaml").write_text(TEMPLATES[name])
    found = read(tmp_path / "a.yaml", regions={"a.yaml": "us-east-2"})
    assert found.problems == []
    assert len(found.graph.of("kms.key")) == 1


def test_a_large_template_is_read_in_linear_time(tmp_path):
    """Lines are looked up in one pass, and aliases alone count as many."""
    resources = {f"K{n}": {"Type": "AWS::KMS::Key"} for n in range(20_000)}
    (tmp_path / "a.json").write_text(json.dumps({"Resources": resources}, indent=0))
    found = read(tmp_path / "a.json")
    lines = [key.place.line for key in found.graph.of("kms.key")]
    assert lines == list(range(3, 3 + 3 * 20_000, 3))


def test_a_region_for_a_file_that_is_not_there_is_told(tmp_path):
    """It was a typing error."""
    (tmp_path / "a.yaml").write_text(GOOD)
    found = read(tmp_path / "a.yaml", regions={"b.yaml": "us-east-2"})
    assert found.skipped == [("--region b.yaml", "no template of this name was read")]


def test_source_and_what_was_made_of_it_are_read_once(tmp_path):
    """A plan beside the source would say everything twice; CDKTF's source is not read."""
    (tmp_path / "main.tf").write_text('resource "aws_kms_key" "k" {}\n')
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (tmp_path / "terraform.tfstate").write_text(json.dumps({"version": 4, "lineage": "x"}))
    (tmp_path / "x.tf.json").write_text("{}")
    found = read(tmp_path)
    assert len(found.graph.of("kms.key")) == 1
    assert len(found.skipped) == 2
    assert [Path(name).name for name, _ in found.unread] == ["x.tf.json"]
