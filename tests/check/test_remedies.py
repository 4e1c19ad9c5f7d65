"""The change that removes a finding: a diff where one line does it, else an example."""

import pytest
from click.testing import CliRunner

from otherside.cli import main

PROVIDERS = """\
provider "aws" {
  region = "us-east-2"
}
provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
"""
TERRAFORM = (
    PROVIDERS
    + """\
resource "aws_lb" "web" {
  name = "web"
}
resource "aws_lb" "standby" {
  provider = aws.dr
  name     = "web"
}
resource "aws_route53_record" "orders" {
  name = "orders.example.com" # a { in a comment
  type = "A"
  failover_routing_policy {
    type = "PRIMARY"
  }
}
resource "aws_route53_record" "misspelt" {
  name          = "shop.example.com"
  set_identifer = "primary"
  type          = "A"
  failover_routing_policy {
    type = "PRIMARY"
  }
}
resource "aws_cloudwatch_metric_alarm" "hosts" {
  namespace   = "AWS/ApplicationELB"
  metric_name = "HealthyHostCount"
  dimensions = {
    LoadBalancer = aws_lb.web.arn
  }
}
resource "aws_db_instance" "orders" {
  engine = "postgres"
}
resource "aws_db_instance" "stock" {
  engine                          = "mysql"
  enabled_cloudwatch_logs_exports = ["postgresql"]
}
"""
)
TEMPLATE = """\
Resources:
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Name: web
  Hosts:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/ApplicationELB
      MetricName: HealthyHostCount
      Dimensions:
        - Name: LoadBalancer
          Value: !Ref Web
  Orders:
    Type: AWS::RDS::DBInstance
    Properties:
      Engine: postgres
  Record:
    Type: AWS::Route53::RecordSet
    Properties:
      Name: orders.example.com
      Type: A
      Failover: SECONDARY
"""
LOCAL = "DR005,DR009,DR015"


def run(*arguments):
    """Run the check; return its exit code and what it said."""
    done = CliRunner().invoke(main, ["check", *map(str, arguments)])
    assert isinstance(done.exception, (SystemExit, type(None))), done.exception
    return done.exit_code, done.output


@pytest.fixture
def terraform(tmp_path):
    """Write a source with every finding that one line mends."""
    file = tmp_path / "main.tf"
    file.write_text(TERRAFORM)
    return file


def test_a_change_of_one_line_is_a_diff_and_changes_nothing_by_itself(terraform):
    """Each is the whole remedy, in the file's own indentation."""
    code, said = run(terraform, "--select", LOCAL, "--explain-fix")
    assert code == 1
    for line in (
        '+  set_identifier = "primary"',
        "-  set_identifer = ",
        "+    LoadBalancer = aws_lb.web.arn_suffix",
        '+  enabled_cloudwatch_logs_exports = ["postgresql"]',
        '+  enabled_cloudwatch_logs_exports = ["error", "slowquery"]',
    ):
        assert line in said
    assert terraform.read_text() == TERRAFORM


def test_fix_makes_the_changes_says_so_and_checks_again(terraform):
    """Nothing of it is found any more; the second time there is nothing to change."""
    code, said = run(terraform, "--select", LOCAL, "--fix")
    assert code == 0, said
    assert f"changed {terraform}" in said
    assert said.count("+++") == 1
    fixed = terraform.read_text()
    assert len(fixed.splitlines()) == len(TERRAFORM.splitlines()) + 2
    assert fixed.count("# a { in a comment") == 1
    code, said = run(terraform, "--select", LOCAL, "--fix")
    assert (code, terraform.read_text()) == (0, fixed)
    assert "--fix changed nothing" in said


def test_a_template_is_mended_in_its_own_words(tmp_path):
    """With the functions of CloudFormation, and its indentation."""
    file = tmp_path / "web.yaml"
    file.write_text(TEMPLATE)
    region = ("--region", f"{file}=us-east-2", "--single-region-ok")
    code, said = run(file, *region, "--select", LOCAL, "--fix")
    assert code == 0, said
    fixed = file.read_text()
    assert "          Value: !GetAtt Web.LoadBalancerFullName\n" in fixed
    assert '      EnableCloudwatchLogsExports: ["postgresql"]\n' in fixed
    assert "      SetIdentifier: secondary\n" in fixed


def test_what_only_the_owner_knows_is_an_example_in_the_dialect(tmp_path):
    """A key is nobody's to invent: the rule's own snippet, and `--fix` leaves it alone."""
    file = tmp_path / "main.tf"
    text = PROVIDERS + 'resource "aws_backup_vault" "v" {\n  name = "v"\n}\n'
    file.write_text(text)
    _, said = run(file, "--select", "DR002", "--explain-fix")
    assert 'resource "aws_kms_key" "data"' in said
    assert "import pulumi" not in said
    run(file, "--select", "DR002", "--fix")
    assert file.read_text() == text


def test_an_attribute_that_is_made_elsewhere_is_left_alone(tmp_path):
    """Its value is a variable's: what is wrong is not on that line."""
    module = tmp_path / "db"
    module.mkdir()
    inner = 'variable "logs" { default = [] }\nresource "aws_db_instance" "x" {\n'
    inner += '  engine = "postgres"\n  enabled_cloudwatch_logs_exports = var.logs\n}\n'
    (module / "main.tf").write_text(inner)
    (tmp_path / "main.tf").write_text(PROVIDERS + 'module "db" {\n  source = "./db"\n}\n')
    code, said = run(tmp_path, "--select", "DR015", "--fix")
    assert code == 1
    assert "--fix changed nothing" in said
    assert (module / "main.tf").read_text() == inner


def test_lines_end_as_they_ended(terraform):
    """A file of Windows stays one."""
    terraform.write_bytes(TERRAFORM.replace("\n", "\r\n").encode())
    run(terraform, "--select", LOCAL, "--fix")
    raw = terraform.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n")


def test_machines_are_told_nothing_in_prose(terraform):
    """A report in another form has no place for a diff."""
    code, said = run(terraform, "--format", "json", "--fix")
    assert code == 2
    assert "leave --format out" in said
