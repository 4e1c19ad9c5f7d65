"""Every example runs, and what it declares is what AWS accepts."""

from functools import cache
from pathlib import Path

import pytest

from api_validation.policies import complaints
from api_validation.request import refusals
from components.failures import generated_password
from components.test_accepted_by_aws import EXPLAINED
from otherside.program.project import declare_directory
from stacks import fast

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/Pulumi.yaml"))


@cache
def example(name):
    """Return what an example declares."""
    return declare_directory(EXAMPLES / name)


def test_the_examples_are_those_that_the_readme_names():
    """An example that nobody is pointed to is not there."""
    assert NAMES == ["components", "minimal", "own-application", "own-network", "standard"]


@pytest.mark.parametrize("name", fast(NAMES, "standard"))
def test_an_example_declares_what_aws_accepts(name):
    """Inputs and policies both."""
    for resource in example(name).resources:
        if resource.type.startswith("aws:"):
            assert refusals(resource) == []
            assert [c for c in complaints(resource) if not c.endswith(tuple(EXPLAINED))] == []


@pytest.mark.parametrize("name", fast(NAMES, "standard"))
def test_an_example_keeps_its_password(name):
    """It is shown nowhere, whichever way the components were put together."""
    for resource in example(name).resources:
        assert generated_password() not in str(resource.redacted())
    assert generated_password() not in str(example(name).exports)


@pytest.mark.slow
def test_own_networks_are_used_and_not_made():
    """No network, no route and no peering besides those that the owner has."""
    stack = example("own-network")
    assert stack.of("ec2/vpc:Vpc", "ec2/route:Route", "ec2/vpcEndpoint:VpcEndpoint") == []
    assert stack.of("ec2/vpcPeeringConnection:VpcPeeringConnection") == []
    groups = {
        security_group.inputs["vpcId"]
        for security_group in stack.of("ec2/securityGroup:SecurityGroup")
    }
    assert groups == {"vpc-0a1b2c3d4e5f60001", "vpc-0a1b2c3d4e5f60002"}


def test_components_stand_by_themselves():
    """Used one by one they bring what they need, and nothing of the rest."""
    components = {
        resource.component for resource in example("components").resources if resource.custom
    }
    assert "DisasterRecovery" not in str(components)
    assert {"ReplicatedDatabase", "StateTable", "Peering"} <= components


@pytest.mark.slow
def test_minimal_is_smaller_than_standard():
    """A cheaper profile has fewer of what costs."""

    def count(name):
        return len(
            example(name).of(
                "ec2/natGateway:NatGateway", "kms/key:Key", "ec2/vpcEndpoint:VpcEndpoint"
            )
        )

    assert count("minimal") < count("standard") / 3
