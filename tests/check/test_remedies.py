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


BALANCED = (
    PROVIDERS
    + """\
resource "aws_lb" "web" {
  name = "web"
}
resource "aws_lb_target_group" "web" {
  port = 8080
}
resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = 443
  protocol          = "HTTPS"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}
"""
)
MORE = (
    BALANCED
    + """\
resource "aws_vpc" "here" { cidr_block = "10.0.0.0/16" }
resource "aws_vpc" "there" {
  provider   = aws.dr
  cidr_block = "10.1.0.0/16"
}
resource "aws_vpc_peering_connection" "both" {
  vpc_id      = aws_vpc.here.id
  peer_vpc_id = aws_vpc.there.id
  peer_region = "us-west-2"
}
resource "aws_route53_health_check" "web" {
  fqdn = aws_lb.web.dns_name
  type = "HTTP"
}
resource "aws_lambda_function" "decide" {
  provider = aws.dr
  runtime  = "python3.12"
  handler  = "index.handler"
  filename = data.archive_file.decide.output_path
}
data "archive_file" "decide" {
  type        = "zip"
  source_dir  = "${path.module}/code"
  output_path = "decide.zip"
}
resource "aws_cloudwatch_event_rule" "tick" {
  provider            = aws.dr
  schedule_expression = "rate(1 minute)"
}
resource "aws_cloudwatch_event_target" "tick" {
  provider = aws.dr
  rule     = aws_cloudwatch_event_rule.tick.name
  arn      = aws_lambda_function.decide.arn
}
resource "aws_lambda_permission" "tick" {
  provider      = aws.dr
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.decide.function_name
  principal     = "sns.amazonaws.com"
}
"""
)
FIXED = "DR004,DR006,DR010,DR012"


def test_a_port_a_handler_an_accepter_and_a_permission_are_known_from_what_is_beside(tmp_path):
    """Each is what another resource of the same source says; nothing of them is found again."""
    file = tmp_path / "main.tf"
    file.write_text(MORE)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "failover.py").write_text("def handler(event, context):\n    return 1\n")
    code, said = run(tmp_path, "--select", FIXED, "--fix")
    assert code == 0, said
    fixed = file.read_text()
    assert '  type = "HTTPS"\n  port = 443\n' in fixed
    assert '  handler  = "failover.handler"\n' in fixed
    assert 'resource "aws_vpc_peering_connection_accepter" "both" {\n  provider    ' in fixed
    assert "= aws.dr\n  vpc_peering_connection_id = aws_vpc_peering_connection.both.id" in fixed
    assert 'resource "aws_lambda_permission" "tick2" {\n' in fixed
    assert "  source_arn    = aws_cloudwatch_event_rule.tick.arn\n}\n" in fixed
    assert len(fixed.splitlines()) == len(MORE.splitlines()) + 1 + 6 + 8


def test_what_is_beside_but_may_be_meant_otherwise_is_left_alone(tmp_path):
    """Two listeners, two handlers, a VPC of another module: somebody has to choose."""
    file = tmp_path / "main.tf"
    second = """\
resource "aws_lb_listener" "plain" {
  load_balancer_arn = aws_lb.web.arn
  port              = 8080
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}
"""
    text = MORE.replace("aws_vpc.there.id", "var.there") + second + 'variable "there" {}\n'
    file.write_text(text)
    (tmp_path / "code").mkdir()
    for name in ("a.py", "b.py"):
        (tmp_path / "code" / name).write_text("def handler(event, context):\n    return 1\n")
    code, said = run(tmp_path, "--select", "DR004,DR006,DR012", "--fix")
    assert code == 1, said
    assert "--fix changed nothing" in said
    assert file.read_text() == text


def test_a_template_is_given_a_permission(tmp_path):
    """After the rule, as far in as the rule."""
    file = tmp_path / "tick.yaml"
    file.write_text(
        """\
Resources:
    Decide:
        Type: AWS::Lambda::Function
        Properties:
            Runtime: python3.12
            Handler: main.handler
            Code:
                ZipFile: |
                    def handler(event, context):
                        return 1
    Tick:
        Type: AWS::Events::Rule
        Properties:
            ScheduleExpression: rate(1 minute)
            Targets:
                - {Id: decide, Arn: !GetAtt Decide.Arn}

    Topic:
        Type: AWS::SNS::Topic
"""
    )
    region = ("--region", f"{file}=us-east-2", "--single-region-ok")
    code, said = run(file, *region, "--select", "DR010,DR012", "--fix")
    assert code == 0, said
    fixed = file.read_text()
    assert "            Handler: index.handler\n" in fixed
    assert "    TickPermission:\n      Type: AWS::Lambda::Permission\n" in fixed
    assert "        SourceArn: !GetAtt Tick.Arn\n\n    Topic:\n" in fixed


LEFT = (
    BALANCED
    + """\
variable "kind" { default = "HTTP" }
variable "enable" { type = bool }
resource "aws_route53_health_check" "by_variable" {
  fqdn = aws_lb.web.dns_name
  type = var.kind
}
resource "aws_route53_record" "each" {
  count = 2
  name  = "x"
  type  = "A"
  failover_routing_policy {
    type = count.index == 0 ? "PRIMARY" : "SECONDARY"
  }
}
resource "aws_lambda_function" "each" {
  for_each = { a = "index.handler", b = "failover.handler" }
  runtime  = "python3.12"
  handler  = each.value
  filename = data.archive_file.code.output_path
}
data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/code"
  output_path = "code.zip"
}
resource "aws_cloudwatch_event_rule" "maybe" {
  count               = var.enable ? 1 : 0
  schedule_expression = "rate(1 minute)"
}
resource "aws_cloudwatch_event_target" "maybe" {
  count = var.enable ? 1 : 0
  rule  = one(aws_cloudwatch_event_rule.maybe[*].name)
  arn   = aws_lambda_function.once.arn
}
resource "aws_lambda_function" "once" {
  runtime  = "python3.12"
  handler  = "failover.handler"
  filename = data.archive_file.code.output_path
}
resource "aws_db_instance" "either" {
  engine = var.enable ? "postgres" : "mysql"
}
"""
)


def test_what_stands_for_several_or_is_a_reference_is_left_alone(tmp_path):
    """A block with a count, a value of a variable, an engine that is not known."""
    file = tmp_path / "main.tf"
    file.write_text(LEFT)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "failover.py").write_text("def handler(event, context):\n    return 1\n")
    code, said = run(tmp_path, "--select", "DR005,DR006,DR010,DR012,DR015", "--fix")
    assert code == 1, said
    assert file.read_text() == LEFT


@pytest.mark.parametrize(
    ("name", "text", "handler"),
    [
        (
            "a.py",
            "def handler(event: dict, context: str): ...\ndef main(x): ...",
            "a.handler",
        ),
        ("a.py", "def handler(self, event, context): ...", None),
        ("a.py", "def main(a, b): ...\ndef handler(a, b): ...", None),
    ],
)
def test_a_handler_is_a_function_of_an_event_and_a_context(tmp_path, name, text, handler):
    """With or without types; of two, somebody has to choose."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / name).write_text(text + "\n")
    file = tmp_path / "main.tf"
    start = LEFT.index('data "archive_file"')
    file.write_text(
        PROVIDERS
        + 'resource "aws_lambda_function" "f" {\n  runtime  = "python3.12"\n'
        + '  handler  = "index.handler"\n  filename = data.archive_file.code.output_path\n}\n'
        + LEFT[start : LEFT.index('resource "aws_cloudwatch_event_rule" "maybe"')]
    )
    run(tmp_path, "--select", "DR012", "--fix")
    assert f'handler  = "{handler or "index.handler"}"' in file.read_text()


def test_a_block_with_a_comment_a_heredoc_or_a_name_that_is_taken(tmp_path):
    """The provider beside a comment is read, braces in a text are not; names are the source's."""
    text = MORE.replace(
        "  provider            = aws.dr\n", "  provider            = aws.dr # there\n"
    )
    text += 'resource "aws_lambda_permission" "tick2" {\n  count = 0\n}\n'
    file = tmp_path / "main.tf"
    file.write_text(text)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "failover.py").write_text("def handler(event, context):\n    return 1\n")
    run(tmp_path, "--select", "DR010", "--fix")
    assert (
        'resource "aws_lambda_permission" "tick3" {\n  provider      = aws.dr\n' in file.read_text()
    )
    heredoc = MORE.replace(
        'schedule_expression = "rate(1 minute)"',
        'schedule_expression = "rate(1 minute)"\n  description = <<EOT\n  a } brace\nEOT',
    )
    file.write_text(heredoc)
    run(tmp_path, "--select", "DR010", "--fix")
    assert file.read_text() == heredoc
