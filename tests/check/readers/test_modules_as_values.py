"""A Terraform module as a value: all of its outputs, of each of its instances."""

import pytest

from otherside.check.readers.read import ReadOptions, read_paths

CHILD = """
resource "aws_lb" "x" { name = "x" }
output "host" { value = "abc.execute-api.us-east-2.amazonaws.com" }
output "key" { value = aws_lb.x.arn_suffix }
output "role" { value = "live" }
"""
CALLS = """
module "one" { source = "./child" }
module "each" {
  source   = "./child"
  for_each = { a = 1, b = 2 }
}
"""


@pytest.fixture
def names(tmp_path):
    """Return what makes a root and returns the names of its topics."""
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "main.tf").write_text(CHILD)

    def made(text):
        (tmp_path / "main.tf").write_text(f'provider "aws" {{ region = "us-east-2" }}{CALLS}{text}')
        read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
        assert read.problems == []
        return sorted(topic["name"] for topic in read.graph.of("sns.topic"))

    return made


TOPIC = 'resource "aws_sns_topic" "t" {{\n  for_each = {each}\n  name = {name}\n}}\n'


@pytest.mark.parametrize(
    ("each", "name", "found"),
    [
        (
            "{ p = module.one, s = module.one }",
            '"${each.key}-${each.value.role}"',
            ["p-live", "s-live"],
        ),
        ("module.each", '"${each.key}-${each.value.role}"', ["a-live", "b-live"]),
        ('toset(["x"])', "module.one.role", ["live"]),
        (
            "{ for k, m in module.each : k => m.host }",
            "each.value",
            2 * ["abc.execute-api.us-east-2.amazonaws.com"],
        ),
        ('{ for k, m in module.each : k => m if m.role == "none" }', "each.key", []),
    ],
)
def test_a_module_is_a_value_with_its_outputs(names, each, name, found):
    """By itself, of each instance, and in a loop over all of them."""
    assert names(TOPIC.format(each=each, name=name)) == found


def test_a_module_that_is_made_of_itself_ends(tmp_path):
    """Terraform refuses the cycle; it is no reason to go round for ever."""
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "main.tf").write_text(
        'variable "all" {}\noutput "a" { value = var.all }\noutput "b" { value = var.all.a }\n'
    )
    (tmp_path / "main.tf").write_text(
        'provider "aws" { region = "us-east-2" }\n'
        'module "m" {\n  source = "./child"\n  all = module.m\n}\n'
        'resource "aws_sns_topic" "t" { name = module.m.a }\n'
    )
    read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
    assert [topic.region for topic in read.graph.of("sns.topic")] == ["us-east-2"]
