"""One root's outputs are another one's inputs, through the state that the one writes."""

import pytest

from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths

NETWORK = """
terraform {
  backend "s3" {
    bucket = "states"
    key    = "network/terraform.tfstate"
    region = "us-east-2"
  }
}
provider "aws" {
  region = "us-east-2"
}
provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
resource "aws_vpc" "primary" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_vpc" "standby" {
  provider   = aws.dr
  cidr_block = "10.1.0.0/16"
}
output "vpcs" {
  value = { primary = aws_vpc.primary.id, standby = aws_vpc.standby.id }
}
output "standby_region" {
  value = "us-west-2"
}
"""
PEERING = """
terraform {
  backend "s3" {}
}
provider "aws" {
  region = "us-east-2"
}
data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket = "states"
    key    = "network/terraform.tfstate"
    region = "us-east-2"
  }
}
resource "aws_vpc_peering_connection" "across" {
  vpc_id      = data.terraform_remote_state.network.outputs.vpcs.primary
  peer_vpc_id = data.terraform_remote_state.network.outputs.vpcs["standby"]
  peer_region = data.terraform_remote_state.network.outputs.standby_region
}
output "peering" {
  value = aws_vpc_peering_connection.across.id
}
"""
ACCEPTER = """
provider "aws" {
  region = "us-west-2"
}
data "terraform_remote_state" "peering" {
  backend = "local"
  config = {
    path = "../peering/terraform.tfstate"
  }
}
resource "aws_vpc_peering_connection_accepter" "there" {
  vpc_peering_connection_id = data.terraform_remote_state.peering.outputs.peering
  auto_accept               = true
}
"""


def read(place, files):
    """Return what is read of some files."""
    for name, text in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    found = read_paths([str(place)], ReadOptions(one_system=True), bytes)
    assert found.problems == []
    return found.graph


def only(graph, kind):
    """Return the one resource of a kind."""
    (found,) = graph.of(kind)
    return found


def test_an_output_links_to_what_another_root_makes(tmp_path):
    """By the bucket and the key of its state, through a map and an index."""
    graph = read(tmp_path, {"network/main.tf": NETWORK, "peering/main.tf": PEERING})
    peering = only(graph, "ec2.peering")
    assert graph.link(peering, "vpc_id", "ec2.vpc").resource.label == "aws_vpc.primary"
    assert graph.link(peering, "peer_vpc_id", "ec2.vpc").resource.label == "aws_vpc.standby"
    assert peering["peer_region"] == "us-west-2"


def findings(graph, *rules):
    """Return the messages of some rules."""
    return [item.message for item in check(graph, CheckConfig(select=rules)).findings]


def test_a_peering_that_another_root_accepts_is_accepted(tmp_path):
    """Through a chain of two states, one of a bucket and one of a file beside its root."""
    local = PEERING.replace('backend "s3" {}', "")
    files = {"network/main.tf": NETWORK, "peering/main.tf": local}
    alone = read(tmp_path / "a", files)
    assert findings(alone, "DR004") == ["nobody accepts it: it stays in pending-acceptance"]
    whole = read(tmp_path / "b", {**files, "accepter/main.tf": ACCEPTER})
    accepter = only(whole, "ec2.peering_accepter")
    assert whole.link(accepter, "vpc_peering_connection_id", "ec2.peering") is not None
    assert findings(whole, "DR004") == []


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("of-another-key", NETWORK.replace("network/", "other/")),
        ("configured-on-the-command-line", NETWORK.replace("key    =", "# key =")),
        ("without-that-output", NETWORK.replace('"vpcs"', '"networks"')),
        ("of-another-workspace", NETWORK),
    ],
)
def test_a_state_that_is_not_this_one_stays_unknown(tmp_path, name, network):
    """Nothing is guessed from a name that is only alike."""
    other = 'backend = "s3"\n  workspace = "east"' if "workspace" in name else 'backend = "s3"'
    peering = PEERING.replace('backend = "s3"', other)
    graph = read(tmp_path / name, {"network/main.tf": network, "peering/main.tf": peering})
    assert graph.link(only(graph, "ec2.peering"), "vpc_id", "ec2.vpc") is None


def test_two_roots_that_claim_one_state_are_neither_believed(tmp_path):
    """One directory for each environment often shares a backend's settings by copying."""
    files = {"a/main.tf": NETWORK, "b/main.tf": NETWORK, "peering/main.tf": PEERING}
    graph = read(tmp_path, files)
    assert graph.link(only(graph, "ec2.peering"), "vpc_id", "ec2.vpc") is None


THROUGH = """
data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket = "states"
    key    = "network/terraform.tfstate"
  }
}
output "vpc" {
  value = data.terraform_remote_state.network.outputs.vpcs.primary
}
"""
APPLICATION = """
provider "aws" {
  region = "us-east-2"
}
data "terraform_remote_state" "through" {
  backend = "local"
  config = { path = "../through/terraform.tfstate" }
}
resource "aws_subnet" "s" {
  vpc_id = data.terraform_remote_state.through.outputs.vpc
}
"""


def test_a_root_that_only_passes_outputs_on_does(tmp_path):
    """It has no resource that would read them."""
    files = {"network/main.tf": NETWORK, "through/main.tf": THROUGH, "app/main.tf": APPLICATION}
    graph = read(tmp_path, files)
    assert graph.link(only(graph, "ec2.subnet"), "vpc_id", "ec2.vpc") is not None


def test_a_circle_of_states_ends(tmp_path):
    """Each reads the other: nobody knows the first value. What is beside them is had."""
    program = """
data "terraform_remote_state" "other" {
  backend = "local"
  config = { path = "../%s/terraform.tfstate" }
}
output "region" {
  value = data.terraform_remote_state.other.outputs.region
}
resource "aws_sns_topic" "t" {
  name = data.terraform_remote_state.other.outputs.region
}
"""
    circle = {"a/main.tf": program % "b", "b/main.tf": program % "a"}
    whole = {"network/main.tf": NETWORK, "peering/main.tf": PEERING}
    graph = read(tmp_path, {**circle, **whole})
    assert len(graph.of("sns.topic")) == 2
    assert graph.link(only(graph, "ec2.peering"), "vpc_id", "ec2.vpc") is not None
