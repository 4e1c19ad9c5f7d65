"""Documents within documents: what is known of a heredoc is read, and what is not is a hole."""

import pytest

from otherside.check.model.values import Ref, Unknown
from otherside.check.readers.normalize import filled
from otherside.check.readers.read import ReadOptions, read_paths

SOURCE = """
provider "aws" { region = "us-west-2" }
resource "aws_cloudwatch_metric_alarm" "a" { alarm_name = "down" }
resource "aws_sns_topic" "t" { name = "t" }
resource "aws_iam_role" "r" { name = "r" }
variable "bucket" {}
resource "aws_cloudwatch_event_rule" "e" {
  name          = "e"
  event_pattern = <<-JSON
    {"source": ["aws.cloudwatch"],
     "detail": {"alarmName": ["${aws_cloudwatch_metric_alarm.a.id}", "other"]}}
  JSON
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = <<JSON
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "sns:Publish", "Resource": "${aws_sns_topic.t.arn}"},
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${var.bucket}/*"}]}
JSON
}
"""


def test_a_heredoc_with_references_is_read_as_far_as_it_is_known(tmp_path):
    """Its references stay references, and the rest is what it says."""
    (tmp_path / "main.tf").write_text(SOURCE)
    read = read_paths([str(tmp_path)], ReadOptions(), bytes)
    assert read.problems == []
    by_name = {item.name: item for item in read.graph.resources.values()}
    pattern = by_name["aws_cloudwatch_event_rule.e"]["event_pattern"]
    first, other = pattern["detail"]["alarmName"]
    assert pattern["source"] == ["aws.cloudwatch"]
    assert other == "other"
    assert [ref.target.rpartition("#")[2] for ref in first.refs] == [
        "aws_cloudwatch_metric_alarm.a"
    ]
    topic, bucket = by_name["aws_iam_role_policy.p"]["policy"]
    assert topic["actions"] == ["sns:Publish"]
    assert [ref.attribute for ref in topic["resources"].refs] == ["arn"]
    assert bucket["resources"].text[0] == "arn:aws:s3:::"
    assert bucket["resources"].text[-1] == "/*"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (('{"a": ', Ref("x"), "}"), None),
        (('{"', Ref("x"), '": 1}'), Unknown()),
        (('{"a": "', "*", '"}'), {"a": Unknown()}),
        (('{"a": "*", "b": "', Ref("x"), '"}'), {"a": "*", "b": Unknown((Ref("x"),))}),
        (('{"a": ["', Ref("x"), "-", Ref("y"), '"]}'), None),
        (("no json ", Ref("x")), None),
        ((), None),
    ],
)
def test_what_cannot_be_placed_leaves_the_whole_unknown(text, wanted):
    """A hole is a value, or a part of a text; never an object, a number or a name."""
    unknown = Unknown(tuple(piece for piece in text if isinstance(piece, Ref)), text)
    if text and text[0] == '{"a": ["':
        made = Unknown((Ref("x"), Ref("y")), (Ref("x"), "-", Ref("y")))
        assert filled(unknown) == {"a": [made]}
    else:
        assert filled(unknown) == (unknown if wanted is None else wanted)
