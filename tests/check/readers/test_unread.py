"""What was not read is not absent: it is named, and nothing is said to be missing because of it."""

import json
import os
from pathlib import Path

import pytest

from otherside.check.analysis.runtime_modules import missing_modules
from otherside.check.analysis.sides import pair_of
from otherside.check.baseline import fingerprint, read_baseline
from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths
from otherside.check.readers.source import code_of_directory
from otherside.check.report.findings_document import as_document
from otherside.check.report.text import as_text
from otherside.check.summary import summarize

PROVIDERS = """
provider "aws" { region = "us-east-2" }
provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
"""
DATABASE = """
resource "aws_rds_cluster" "a" {
  engine            = "aurora-postgresql"
  storage_encrypted = true
  kms_key_id        = "arn:aws:kms:us-east-2:111122223333:key/k"
}
"""


def written(directory, **files):
    """Write files; a double underscore in a name is a slash, and one at its end a suffix."""
    for name, text in files.items():
        file = directory / f"{name.replace('__', '/')}.tf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return directory


def checked(*paths, select=()):
    """Return what was read and what was found in it."""
    read = read_paths([str(path) for path in paths], ReadOptions(), lambda: b"")
    assert read.problems == []
    return read, check(read.graph, CheckConfig(select=select))


def codes(result):
    """Return the codes of the findings."""
    return [finding.rule.code for finding in result.findings]


# --- modules ------------------------------------------------------------

MODULE = """
module "db" {
  source          = "cloudposse/rds-cluster/aws"
  engine          = "aurora-postgresql"
  master_password = "Hunter22222!"
}
"""


def test_a_module_that_is_not_on_the_disk_is_unread_by_name(tmp_path):
    """It may be anywhere and hold anything: neither a single Region nor a missing copy is found."""
    read, result = checked(written(tmp_path, main=PROVIDERS + DATABASE + MODULE))
    ((name, why),) = read.unread
    assert "module.db (cloudposse/rds-cluster/aws)" in name
    assert "terraform init" in why
    assert not {"DR400", "DR106"} & set(codes(result))
    reasons = {item.rule.code: item.reason for item in result.unsure}
    assert "what was not read may be elsewhere" in reasons["DR400"]
    assert codes(result).count("DR001") == 1, "a password in its call is in the code all the same"


def test_a_module_that_init_has_fetched_is_read(tmp_path):
    """By Terraform's own list of them."""
    fetched = ".terraform__modules__db__main"
    root = written(tmp_path, main=PROVIDERS + MODULE, **{fetched: DATABASE})
    listed = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "db", "Dir": ".terraform/modules/db"}]}
    (root / ".terraform/modules/modules.json").write_text(json.dumps(listed))
    read, _ = checked(root)
    assert read.unread == []
    assert "module.db.aws_rds_cluster.a" in {item.name for item in read.graph.of("rds.cluster")}
    (root / ".terraform/modules/modules.json").write_text("[")
    assert len(checked(root)[0].unread) == 1


def test_a_local_module_is_read_where_it_is_called_and_not_again(tmp_path):
    """Whichever directory comes first; alone it is read alone."""
    call = PROVIDERS + 'module "db" { source = "../modules/db" }'
    root = written(tmp_path, zone__main=call, modules__db__main=DATABASE)
    read, _ = checked(root)
    assert [item.name for item in read.graph.of("rds.cluster")] == ["module.db.aws_rds_cluster.a"]
    read, _ = checked(root / "modules")
    assert [item.name for item in read.graph.of("rds.cluster")] == ["aws_rds_cluster.a"]


# --- templates ------------------------------------------------------------


def template(**resources):
    """Return a template as text."""
    return json.dumps({"Resources": resources})


TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": "k"}}


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (
            {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "https://s3.amazonaws.com/b/t.yaml"},
            },
            "a nested template, not read: https://s3.amazonaws.com/b/t.yaml",
        ),
        ({"Type": "AWS::CloudFormation::StackSet", "Properties": {}}, "a stack set"),
        ({"Type": "AWS::Serverless::Function", "Properties": {}}, "SAM"),
    ],
)
def test_what_aws_makes_of_a_template_elsewhere_is_unread(tmp_path, resource, words):
    """With the resource's name."""
    file = tmp_path / "t.json"
    file.write_text(template(X=resource, Broker=TOPIC))
    read, _ = checked(file)
    ((name, why),) = read.unread
    assert name.endswith("t.json#X")
    assert words in why


def test_a_nested_template_is_read_where_it_is_nested_and_not_again(tmp_path):
    """With the parameters that it is given there."""
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "./child.json"}}
    (tmp_path / "child.json").write_text(template(Topic=TOPIC))
    (tmp_path / "root.json").write_text(template(Near=child))
    read, _ = checked(tmp_path)
    assert read.unread == []
    assert [item.name.rpartition("#")[2] for item in read.graph.of("sns.topic")] == ["Near/Topic"]


# --- places ------------------------------------------------------------

FUNCTION = """
resource "aws_lambda_function" "f" {
  function_name = "failover"
  runtime       = "nodejs22.x"
  handler       = "missing.handler"
  filename      = data.archive_file.f.output_path
}
data "archive_file" "f" {
  type        = "zip"
  source_dir  = "${path.module}/fn"
  output_path = "f.zip"
}
"""


@pytest.mark.parametrize("spelt", ["absolute", "relative", "dotted", ".", "file"])
def test_every_way_to_name_a_directory_finds_the_same(tmp_path, monkeypatch, spelt):
    """Code beside the source is found from wherever the check is started."""
    root = written(tmp_path / "stack", main=PROVIDERS + FUNCTION)
    (root / "fn").mkdir()
    (root / "fn" / "index.js").write_text("exports.handler = () => 1")
    monkeypatch.chdir(root if spelt == "." else tmp_path)
    path = {
        "absolute": str(root),
        "relative": "stack",
        "dotted": f".{os.sep}stack{os.sep}",
        ".": ".",
        "file": str(Path("stack") / "main.tf"),
    }[spelt]
    _, result = checked(path, select=("DR012",))
    (finding,) = result.findings
    assert "missing" in finding.message


def test_an_account_that_the_source_does_not_name_can_be_taken_apart(tmp_path):
    """A vault in an ARN with the caller's own account is one that is made here."""
    vaults = """
    data "aws_caller_identity" "me" {}
    locals { me = data.aws_caller_identity.me.account_id }
    resource "aws_backup_vault" "near" { name = "near" }
    resource "aws_backup_vault" "far" {
      provider = aws.dr
      name     = "far"
    }
    resource "aws_backup_plan" "p" {
      name = "p"
      rule {
        rule_name         = "daily"
        target_vault_name = aws_backup_vault.near.name
        copy_action {
          destination_vault_arn = "arn:aws:backup:us-west-2:${local.me}:backup-vault:NAME"
        }
      }
    }
    """
    there, elsewhere = (tmp_path / name for name in ("there", "elsewhere"))
    _, result = checked(written(there, main=PROVIDERS + vaults.replace("NAME", "far")))
    assert "DR011" not in codes(result)
    _, result = checked(written(elsewhere, main=PROVIDERS + vaults.replace("NAME", "elsewhere")))
    assert "DR011" in codes(result)


def test_terraform_in_json_in_a_directory_is_unread(tmp_path):
    """It declares resources as the source beside it does, and they are not seen."""
    (tmp_path / "main.tf").write_text('provider "aws" { region = "us-east-1" }\n', encoding="utf-8")
    (tmp_path / "db.tf.json").write_text('{"resource": {}}', encoding="utf-8")
    read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
    assert [(Path(name).name, "terraform show -json" in why) for name, why in read.unread] == [
        ("db.tf.json", True)
    ]


def test_an_assembly_may_have_templates_in_yaml(tmp_path):
    """Tools other than the CDK write a manifest beside templates that people wrote."""
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/us-west-2",
        "properties": {"templateFile": "a.yaml"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"a": stack}}), "utf-8")
    vpc = "Resources:\n  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}\n"
    (tmp_path / "a.yaml").write_text(vpc, encoding="utf-8")
    read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
    assert [resource.region for resource in read.graph.of("ec2.vpc")] == ["us-west-2"]


@pytest.mark.parametrize("runtime", ["yaml", "nodejs", "{name: go}"])
def test_a_pulumi_program_in_another_language_says_what_to_run(tmp_path, runtime):
    """Only programs in Python can be run here, so that option is not offered."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: x\nruntime: {runtime}\n", encoding="utf-8")
    read = read_paths([str(tmp_path)], ReadOptions(program=lambda *_: [{}]), lambda: b"")
    [(_, why)] = read.unread
    assert "pulumi preview --json" in why
    assert "--run-programs" not in why


@pytest.mark.parametrize("ways", [{"a": "../a"}, {"a": "../b", "b": "../a"}])
def test_modules_that_call_one_another_do_not_vanish(tmp_path, ways):
    """Terraform refuses them; what is in them is read once, and the circle is told."""
    for name, source in ways.items():
        (tmp_path / name).mkdir()
        text = f'{DATABASE}module "m" {{ source = "{source}" }}\n'
        (tmp_path / name / "main.tf").write_text(text, encoding="utf-8")
    read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
    assert len(read.graph.of("rds.cluster")) == len(ways)
    assert [why for _, why in read.unread] == ["calls itself"]


def test_calls_of_one_name_in_two_roots_are_two(tmp_path):
    """Each with the password that it hands over."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        text = 'module "db" {\n  source = "x/y/aws"\n  master_password = "Hunter22222!"\n}\n'
        (tmp_path / name / "main.tf").write_text(text, encoding="utf-8")
    read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
    assert len(read.graph.of("module.call")) == 2


def test_what_is_unread_of_a_nested_template_is_told(tmp_path):
    """Also where only its parent was named."""
    child = {"Resources": {"S": {"Type": "AWS::CloudFormation::StackSet"}}}
    parent = {
        "Resources": {
            "N": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "child.json"},
            }
        }
    }
    for name, document in (("child", child), ("root", parent)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    for named in (tmp_path / "root.json", tmp_path):
        read = read_paths([str(named)], ReadOptions(), lambda: b"")
        assert [name.rpartition("#")[2] for name, _ in read.unread] == ["S"]


def test_what_was_read_is_a_finding_whatever_was_not(tmp_path):
    """A record's own attributes, and a route to a range that the other side does not have."""
    text = (
        PROVIDERS
        + """
module "label" { source = "cloudposse/label/null" }
resource "aws_route53_record" "p" {
  zone_id        = "Z1"
  name           = "www.example.com"
  type           = "A"
  ttl            = 30
  records        = ["192.0.2.1"]
  set_identifier = "p"
  failover_routing_policy { type = "PRIMARY" }
}
"""
    )
    (tmp_path / "main.tf").write_text(text, encoding="utf-8")
    read = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
    result = check(read.graph, CheckConfig(select=("DR210",)))
    assert [finding.rule.code for finding in result.findings] == ["DR210"]
    assert read.unread


def test_a_packed_node_modules_is_seen(tmp_path):
    """Nobody looks into it, and what is in it can be loaded."""
    package = tmp_path / "fn" / "node_modules"
    for name in ("uuid", "@scope/tool", ".bin"):
        (package / name).mkdir(parents=True)
        (package / name / "index.js").write_text("", encoding="utf-8")
    code = code_of_directory(tmp_path / "fn")
    assert [name for name, _ in code.files] == ["node_modules/uuid/", "node_modules/@scope/tool/"]
    handler = (
        "import { v4 } from 'uuid';\nconst t = require('@scope/tool');\nconst x = require('x');"
    )
    assert list(missing_modules(code, handler, "nodejs22.x")) == ["x"]


# --- one cause, one finding ---------------------------------------------

TWO_CALLS = """
module "a" { source = "./db" }
module "b" { source = "./db" }
resource "aws_rds_cluster" "c" {
  count             = 2
  engine            = "aurora-postgresql"
  storage_encrypted = true
  kms_key_id        = "arn:aws:kms:us-east-2:111122223333:key/k"
}
"""


def test_what_one_block_causes_in_many_resources_is_one_finding_with_its_places(tmp_path):
    """A module that is called twice and a block with a count; each is mended in one place."""
    root = written(tmp_path, main=PROVIDERS + TWO_CALLS, db__main=DATABASE)
    read, result = checked(root, select=("DR015",))
    assert len(result.findings) == 4
    document = as_document(read, result, [None] * len(read.systems), ())
    found = {
        finding["resource"]: [other["resource"] for other in finding["also"]]
        for finding in document["findings"]
    }
    assert found == {
        "aws_rds_cluster.c[0]": ["aws_rds_cluster.c[1]"],
        "module.a.aws_rds_cluster.a": ["module.b.aws_rds_cluster.a"],
    }
    assert document["summary"]["medium"] == 2
    text = as_text(document, lambda text, _: text, verbose=True)
    assert "(and 1 more of this block)" in text
    assert "also module.b.aws_rds_cluster.a" in text


def test_a_baseline_made_of_a_report_knows_every_place(tmp_path):
    """The findings of one cause have a fingerprint each."""
    root = written(tmp_path, main=PROVIDERS + TWO_CALLS, db__main=DATABASE)
    read, result = checked(root, select=("DR015",))
    file = tmp_path / "report.json"
    file.write_text(json.dumps(as_document(read, result, [None] * len(read.systems), ())))
    assert read_baseline(file) == {fingerprint(finding) for finding in result.findings}


# --- what strangers' files showed ---------------------------------------


def test_a_module_that_configures_its_own_providers_is_in_their_regions(tmp_path):
    """The Region is in the source, whoever configured it; DR013 tells of the place, once."""
    inner = """
variable "other" {}
provider "aws" {
  alias  = "far"
  region = var.other
}
resource "aws_sns_topic" "t" { provider = aws.far }
"""
    main = PROVIDERS + 'module "a" {\n  source = "./inner"\n  other = "eu-west-1"\n}\n'
    read, result = checked(written(tmp_path, main=main, inner__main=inner), select=("DR013",))
    (topic,) = read.graph.of("sns.topic")
    assert topic.region == "eu-west-1"
    assert [finding.message.partition(";")[0] for finding in result.findings] == [
        "it is configured inside module.a"
    ]


def test_where_a_value_is_read_says_nothing_of_where_it_leads(tmp_path):
    """Two records of two secrets that are read in one Region: nobody knows where they lead."""
    record = """
data "aws_secretsmanager_secret_version" "{0}" {{ secret_id = "{0}-name" }}
resource "aws_route53_record" "{0}" {{
  zone_id        = "Z1"
  name           = "orders.example.com"
  type           = "CNAME"
  ttl            = 30
  set_identifier = "{0}"
  records        = [data.aws_secretsmanager_secret_version.{0}.secret_string]
  failover_routing_policy {{ type = "{1}" }}
}}
"""
    main = PROVIDERS + record.format("one", "PRIMARY") + record.format("two", "SECONDARY")
    assert codes(checked(written(tmp_path, main=main), select=("DR211",))[1]) == []


def test_findings_of_equal_names_stand_under_their_own_places(tmp_path):
    """Two roots have a backend each; the second is not hidden under the first."""
    backend = 'terraform {\n  backend "s3" { region = "us-east-2" }\n}\n' + PROVIDERS
    root = written(tmp_path, one__main=backend + DATABASE, two__main=backend + DATABASE)
    read, result = checked(root, select=("DR015",))
    text = as_text(as_document(read, result, [None] * len(read.systems), ()), lambda text, _: text)
    assert f"{root}/one/main.tf:" in text
    assert f"{root}/two/main.tf:" in text


def test_no_unknown_shows_how_we_hold_it(tmp_path):
    """A replica's Region by a variable without a value is told in words."""
    main = (
        PROVIDERS
        + """
variable "away" {}
resource "aws_kms_key" "k" {}
resource "aws_secretsmanager_secret" "s" {
  kms_key_id = aws_kms_key.k.arn
  replica { region = var.away }
}
"""
    )
    _, result = checked(written(tmp_path, main=main), select=("DR502",))
    assert [finding.message for finding in result.findings] == [
        "its replica in a Region that is not known is under AWS's own key"
    ]


LOCK = """
resource "aws_dynamodb_table" "lock" {
  name         = "locks"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "LockID"
}
"""


def test_a_lock_of_terraform_holds_nothing_to_restore(tmp_path):
    """Every other table under AWS's key is told."""
    main = PROVIDERS + LOCK + LOCK.replace("lock", "data").replace("LockID", "id")
    _, result = checked(written(tmp_path, main=main), select=("DR014",))
    assert [finding.resource for finding in result.findings] == ["aws_dynamodb_table.data"]


def test_a_replica_of_its_own_lacks_what_its_table_has(tmp_path):
    """As a block in the table, so as a resource beside it."""
    main = (
        PROVIDERS
        + """
resource "aws_dynamodb_table" "t" {
  name     = "t"
  hash_key = "id"
  point_in_time_recovery { enabled = true }
}
resource "aws_dynamodb_table_replica" "r" {
  provider         = aws.dr
  global_table_arn = aws_dynamodb_table.t.arn
}
"""
    )
    _, result = checked(written(tmp_path, main=main), select=("DR116",))
    assert [finding.resource for finding in result.findings] == ["aws_dynamodb_table_replica.r"]


def test_sides_are_not_read_from_where_the_files_are(tmp_path):
    """A directory called disaster-recovery is the name of all of it, and of neither side."""
    providers = """
provider "aws" {
  alias  = "primary"
  region = "us-east-2"
}
provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
resource "aws_sns_topic" "a" { provider = aws.primary }
resource "aws_sns_topic" "b" { provider = aws.dr }
"""
    pairs = set()
    for name in ("plain", "my-disaster-recovery", "primary"):
        read, _ = checked(written(tmp_path / name, main=providers), select=("DR015",))
        pairs.add(pair_of(read.graph))
    (pair,) = pairs
    assert (pair.primary, pair.standby) == ("us-east-2", "us-west-2")


def test_an_alarm_that_acts_is_a_detection_and_one_that_does_not_is_none(tmp_path):
    """The summary names what would notice a dead Region."""
    alarm = """
resource "aws_cloudwatch_metric_alarm" "a" {
  namespace   = "AWS/EC2"
  metric_name = "StatusCheckFailed"
  ACTIONS
}
"""
    told = {}
    for name, actions in (
        ("silent", ""),
        ("acting", 'alarm_actions = ["arn:aws:sns:us-east-2:123456789012:t"]'),
    ):
        main = PROVIDERS + DATABASE + alarm.replace("ACTIONS", actions)
        read, result = checked(written(tmp_path / name, main=main))
        told[name] = summarize(read.graph, result).steps[0].by
    assert told == {"silent": "nothing in what was read does it", "acting": "alarms and events"}
