"""What the summary says that a stack can do by itself."""

import json

import pytest
from click.testing import CliRunner

from otherside.cli.check import check

STACK = """
provider "aws" {
  region = "us-east-1"
}
provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
resource "aws_s3_bucket" "here" {
  bucket = "here"
}
resource "aws_iam_role" "failover" {
  name               = "failover"
  assume_role_policy = jsonencode({})
}
resource "aws_iam_role_policy" "failover" {
  role   = aws_iam_role.failover.id
  policy = jsonencode({
    Statement = [{
      Effect   = "Allow"
      Action   = ["rds:FailoverGlobalCluster"]
      Resource = ["*"]
    }]
  })
}
resource "aws_lambda_function" "failover" {
  provider      = aws.dr
  function_name = "failover"
  role          = aws_iam_role.failover.arn
}
"""
ALARM = """
resource "aws_cloudwatch_metric_alarm" "down" {
  provider      = aws.dr
  alarm_name    = "down"
  alarm_actions = ["arn:aws:sns:us-west-2:123456789012:down"]
}
"""
PERMISSION = """
resource "aws_lambda_permission" "alarm" {{
  provider      = aws.dr
  function_name = aws_lambda_function.failover.function_name
  action        = "lambda:InvokeFunction"
  principal     = "{principal}"
}}
"""
SNS = PERMISSION.format(principal="sns.amazonaws.com")
S3 = PERMISSION.format(principal="s3.amazonaws.com")
DIRECT = PERMISSION.format(principal="lambda.alarms.cloudwatch.amazonaws.com")


@pytest.mark.parametrize(
    ("more", "able"),
    [
        pytest.param(ALARM + SNS, "failover", id="by a topic"),
        pytest.param(ALARM + DIRECT, "failover", id="by the alarm itself"),
        pytest.param(SNS, "nothing", id="no alarm is sent to it"),
        pytest.param(ALARM, "nothing", id="nobody may invoke it"),
        pytest.param(ALARM + S3, "nothing", id="only a bucket may invoke it"),
    ],
)
def test_an_alarm_that_wakes_the_function_decides(tmp_path, more, able):
    """By a topic or directly; an alarm, or a right to invoke, is not enough alone."""
    (tmp_path / "main.tf").write_text(STACK + more)
    done = CliRunner().invoke(check, [str(tmp_path / "main.tf"), "--format", "json"])
    decide = json.loads(done.stdout)["summary"]["recovery"]["steps"]["decide"]
    assert able in decide["by"]
