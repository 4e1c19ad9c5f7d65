"""Well-known modules of the registry, which nobody fetched: what their inputs become, and where."""

import pytest

from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths
from otherside.check.readers.terraform.registry import MAJORS, described

PROVIDERS = """
provider "aws" { region = "us-east-1" }
provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
"""
NETWORK = """
module "vpc{name}" {{
  source           = "terraform-aws-modules/vpc/aws"
  version          = "~> 5.0"
  providers        = {{ aws = {provider} }}
  name             = "v"
  cidr             = "10.{number}.0.0/16"
  azs              = ["{region}a", "{region}b"]
  public_subnets   = ["10.{number}.1.0/24", "10.{number}.2.0/24"]
  private_subnets  = ["10.{number}.3.0/24", "10.{number}.4.0/24"]
  database_subnets = ["10.{number}.5.0/24", "10.{number}.6.0/24"]
  enable_nat_gateway = true
}}
"""
HOME = NETWORK.format(name="", provider="aws", number=0, region="us-east-1")
AWAY = NETWORK.format(name="_dr", provider="aws.dr", number=1, region="us-west-2")


@pytest.fixture
def read(tmp_path):
    """Return what reads a text of Terraform, and finds what is wrong with it."""

    def reading(text):
        (tmp_path / "main.tf").write_text(PROVIDERS + text)
        found = read_paths([str(tmp_path)], ReadOptions(), lambda: b"")
        assert found.problems == []
        return found, check(found.graph, CheckConfig())

    return reading


def kinds(found, kind):
    """Return the resources of one kind."""
    return [resource for resource in found.graph.resources.values() if resource.kind == kind]


def test_a_network_is_what_its_inputs_become_in_its_own_region(read):
    """Subnets by zone, gateways and routes; nothing of it is unread."""
    found, _ = read(HOME + AWAY)
    assert found.unread == []
    assert {vpc.region for vpc in kinds(found, "ec2.vpc")} == {"us-east-1", "us-west-2"}
    assert len(kinds(found, "ec2.subnet")) == 12
    assert len(kinds(found, "ec2.nat_gateway")) == 4
    here = [item for item in kinds(found, "ec2.subnet") if item.region == "us-west-2"]
    assert {item["availability_zone"] for item in here} == {"us-west-2a", "us-west-2b"}


AURORA = """
resource "aws_rds_global_cluster" "g" {
  global_cluster_identifier = "orders"
  engine                    = "aurora-postgresql"
  engine_version            = "16.4"
  storage_encrypted         = true
}
resource "aws_kms_key" "home" {}
module "primary" {
  source                      = "terraform-aws-modules/rds-aurora/aws"
  version                     = "VERSION"
  name                        = "orders"
  engine                      = "aurora-postgresql"
  engine_version              = "16.4"
  global_cluster_identifier   = aws_rds_global_cluster.g.id
  manage_master_user_password = false
  master_username             = "orders"
  PASSWORD                    = "hunter2hunter2"
  instances                   = { one = {}, two = {} }
  CLASS                       = "db.r6g.large"
  db_subnet_group_name        = module.vpc.database_subnet_group_name
  kms_key_id                  = aws_kms_key.home.arn
}
module "standby" {
  source                    = "terraform-aws-modules/rds-aurora/aws"
  version                   = "VERSION"
  providers                 = { aws = aws.dr }
  name                      = "orders-dr"
  engine                    = "aurora-postgresql"
  engine_version            = "16.4"
  is_primary_cluster        = false
  global_cluster_identifier = aws_rds_global_cluster.g.id
  source_region             = "us-east-1"
  instances                 = { one = {} }
  CLASS                     = "db.r6g.large"
  db_subnet_group_name      = module.vpc_dr.database_subnet_group_name
  kms_key_id                = aws_kms_key.home.arn
}
"""


@pytest.mark.parametrize(
    ("version", "password", "size"),
    [
        ("~> 9.0", "master_password", "instance_class"),
        ("10.2.0", "master_password_wo", "cluster_instance_class"),
    ],
)
def test_a_database_of_two_regions_is_judged_as_if_it_were_written_out(
    read, version, password, size
):
    """The password in the call, and the key of another Region; both at the line of the call."""
    text = AURORA.replace("VERSION", version).replace("PASSWORD", password).replace("CLASS", size)
    found, result = read(HOME + AWAY + text)
    by_code = {finding.rule.code: finding for finding in result.findings}
    assert {"DR001", "DR501"} <= by_code.keys()
    assert found.unread == []
    lines = (PROVIDERS + HOME + AWAY + text).splitlines()
    assert 'module "primary"' in lines[by_code["DR001"].place.line - 1]
    assert 'module "standby"' in lines[by_code["DR501"].place.line - 1]
    instances = kinds(found, "rds.cluster_instance")
    assert {item["instance_class"] for item in instances} == {"db.r6g.large"}
    assert len(instances) == 3


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("terraform-aws-modules/vpc/aws", "2.78.0"),
        ("terraform-aws-modules/vpc/aws", "~> 99.0"),
        ("terraform-aws-modules/vpc/aws", "!= 5"),
        ("terraform-aws-modules/eks/aws", "~> 20.0"),
        ("somebody/vpc/aws", "~> 5.0"),
        ("git::https://example.com/vpc.git", None),
    ],
)
def test_what_is_not_described_is_unread_by_name(read, source, version):
    """Another version has other inputs, and another author has another module."""
    constraint = f'version = "{version}"' if version else ""
    found, _ = read(f'module "n" {{\n  source = "{source}"\n  {constraint}\n}}\n')
    assert [source in name for name, _ in found.unread] == [True]


@pytest.mark.parametrize("name", sorted(MAJORS))
@pytest.mark.parametrize("version", [None, "~> {}.0", ">= {}.1.0", "{}.2.3", "v{}.0.0"])
def test_every_description_is_valid_and_reads_alone(read, name, version):
    """With no inputs at all it declares what the module does, and raises nothing."""
    constraint = version.format(MAJORS[name][0]) if version else None
    assert described(f"terraform-aws-modules/{name}/aws", constraint) is not None
    given = f'version = "{constraint}"' if constraint else ""
    found, _ = read(
        f'module "m" {{\n  source = "terraform-aws-modules/{name}/aws"\n  {given}\n}}\n'
    )
    assert (found.unread, found.problems) == ([], [])
    assert kinds(found, "module.call") == []


STORES = """
module "assets" {
  source     = "terraform-aws-modules/s3-bucket/aws"
  version    = "4.1.0"
  bucket     = "assets"
  versioning = { enabled = true }
  replication_configuration = {
    role  = "arn:aws:iam::123456789012:role/r"
    rules = [{ id = "all", status = true, destination = { bucket = "arn:aws:s3:::copy" } }]
  }
}
module "sessions" {
  source          = "terraform-aws-modules/dynamodb-table/aws"
  version         = "4.0.0"
  name            = "sessions"
  hash_key        = "id"
  attributes      = [{ name = "id", type = "S" }]
  replica_regions = [{ region_name = "us-west-2", point_in_time_recovery = true }]
}
"""


def test_stores_and_their_copies(read):
    """Versioning, replication and replicas, as the modules' inputs spell them."""
    found, _ = read(STORES)
    (versioning,) = kinds(found, "s3.versioning")
    (replication,) = kinds(found, "s3.replication")
    (table,) = kinds(found, "dynamodb.table")
    assert versioning["status"] == "Enabled"
    assert replication["rule"][0]["destination"]["bucket"] == "arn:aws:s3:::copy"
    assert [replica["region_name"] for replica in table["replica"]] == ["us-west-2"]


SERVING = """
module "alb" {
  source    = "terraform-aws-modules/alb/aws"
  version   = "9.1.0"
  name      = "front"
  vpc_id    = module.vpc.vpc_id
  subnets   = module.vpc.public_subnets
  listeners = { web = { port = 80, protocol = "HTTP", forward = { target_group_key = "app" } } }
  target_groups = { app = { port = 8080, health_check = { path = "/readyz" } } }
}
module "asg" {
  source              = "terraform-aws-modules/autoscaling/aws"
  version             = "~> 8.0"
  name                = "app"
  min_size            = 2
  max_size            = 4
  vpc_zone_identifier = module.vpc.private_subnets
  traffic_source_attachments = {
    alb = { traffic_source_identifier = module.alb.target_groups["app"].arn }
  }
}
module "fn" {
  source                = "terraform-aws-modules/lambda/aws"
  version               = "7.4.0"
  function_name         = "failover"
  handler               = "index.handler"
  runtime               = "python3.12"
  source_path           = "./src"
  environment_variables = { DB_PASSWORD = "hunter2hunter2" }
}
"""


def test_what_serves_is_connected_as_the_modules_connect_it(read):
    """The group's targets, the target's health check, and a password in a function's settings."""
    found, result = read(HOME + SERVING)
    (group,) = kinds(found, "autoscaling.group")
    (target,) = kinds(found, "lb.target_group")
    assert (group["min_size"], target["health_check"]["path"]) == (2, "/readyz")
    secrets = [finding for finding in result.findings if finding.rule.code == "DR001"]
    assert [finding.resource for finding in secrets] == ["module.fn.aws_lambda_function.this[0]"]
