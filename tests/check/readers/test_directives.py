"""Templates of Terraform with directives."""

import pytest

from otherside.check.readers.read import ReadOptions, read_paths
from otherside.check.readers.terraform.directives import DirectiveError, parsed

ROOT = """
provider "aws" { region = "us-east-2" }
resource "aws_ssm_parameter" "p" {
  name  = "p"
  type  = "String"
  value = templatefile("${path.module}/t.tftpl", {
    env = { A = "1", B = "2" }, zones = ["a", "b"], on = true, unknown = aws_vpc.v.id
  })
}
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_sns_topic" "t" {
  name = templatefile("${path.module}/t.tftpl", {
    env = { A = "1", B = "2" }, zones = ["a", "b"], on = true, unknown = aws_vpc.v.id
  })
}
"""


def name(directory, text):
    """Return what a template makes."""
    (directory / "main.tf").write_text(ROOT)
    (directory / "t.tftpl").write_text(text)
    read = read_paths([str(directory)], ReadOptions(), lambda: b"")
    assert read.problems == []
    (topic,) = read.graph.of("sns.topic")
    return topic["name"]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("%{ for k, v in env }${k}=${v};%{ endfor }", "A=1;B=2;"),
        ("%{ for z in zones ~}\n  ${z}\n%{~ endfor }", "ab"),
        ("%{ if on }yes%{ else }no%{ endif }", "yes"),
        ("%{ if !on }yes%{ else }no%{ endif }", "no"),
        (
            '%{ if on }%{ for z in zones }${z}%{ if z == "a" }1%{ endif }%{ endfor }%{ endif }',
            "a1b",
        ),
        ("100%%{ if }", "100%{ if }"),
    ],
)
def test_directives_are_followed(tmp_path, text, made):
    """As Terraform follows them, with the white space that they take away."""
    assert name(tmp_path, text) == made


@pytest.mark.parametrize(
    "text",
    [
        "%{ for z in unknown }x%{ endfor }",
        '%{ if unknown == "x" }a%{ endif }',
        "%{ for z in zones }x",
        "%{ endif }",
        "%{ while on }x%{ endwhile }",
    ],
)
def test_what_cannot_be_followed_is_not_known(tmp_path, text):
    """Neither the text nor an error."""
    assert "directives" in name(tmp_path, text).why


@pytest.mark.parametrize("text", ["%{ if x }", "%{ for }%{ endfor }", "%{ else }", "%{ x }"])
def test_directives_that_do_not_fit_together_are_an_error(text):
    """Which the reader takes for a template that it does not know."""
    with pytest.raises(DirectiveError):
        parsed(text)
