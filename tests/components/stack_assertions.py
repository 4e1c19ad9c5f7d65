"""Readings of a declaration that several tests share. Each claim returns what breaks it."""

import base64
import json
import re

from otherside.program.monitor import Declaration, RegisteredResource

PRIMARY, STANDBY, CONTROL = "us-east-2", "us-west-2", "us-east-1"
SIDES = {PRIMARY: STANDBY, STANDBY: PRIMARY}


def leaves(value, path=""):
    """Yield every plain value inside a property, with its dotted path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}.{number}")
    else:
        yield path, value


def policy(resource: RegisteredResource, key="policy") -> list[dict]:
    """Return the statements of a policy document among a resource's inputs."""
    return json.loads(resource.inputs[key])["Statement"]


def role_policy(stack: Declaration, role: str) -> list[dict]:
    """Return the statements of the only inline policy of a role, by a part of its name."""
    return policy(stack.only("iam/rolePolicy:RolePolicy", role))


def allows(statements, action, arn) -> bool:
    """Return whether some statement allows exactly this action on exactly this resource."""
    return any(
        action in _listed(statement["Action"]) and arn in _listed(statement["Resource"])
        for statement in statements
        if statement["Effect"] == "Allow"
    )


def _listed(value):
    return [value] if isinstance(value, str) else value


def script(template: RegisteredResource) -> str:
    """Return the boot script of a launch template."""
    return base64.b64decode(template.inputs["userData"]).decode()


def region_of(arn: str) -> str:
    """Return the Region in an ARN."""
    return arn.split(":")[3]


def by_urn(stack: Declaration) -> dict[str, RegisteredResource]:
    """Return the resources by their address."""
    return {resource.urn: resource for resource in stack.resources}


def routes(stack: Declaration, region: str) -> dict[str, set[str]]:
    """Return, for each route table of a Region, the networks reached through the peering."""
    found: dict[str, set[str]] = {table.id: set() for table in tables(stack, region)}
    for route in stack.of("ec2/route:Route"):
        if route.region == region and "vpcPeeringConnectionId" in route.inputs:
            found[route.inputs["routeTableId"]].add(route.inputs["destinationCidrBlock"])
    return found


def tables(stack: Declaration, region: str) -> list[RegisteredResource]:
    """Return a Region's route tables that need to reach the other side: all but the public."""
    return [
        route_table
        for route_table in stack.of("ec2/routeTable:RouteTable")
        if route_table.region == region and "public" not in route_table.name
    ]


def kms_keys(stack: Declaration) -> dict[str, str]:
    """Return the declared keys: their ARN and their Region."""
    return {key.outputs["arn"]: key.region for key in stack.of("kms/key:Key")}


def matches(pattern: str, text: object) -> bool:
    """Return whether a text is wholly of a pattern."""
    return isinstance(text, str) and re.fullmatch(pattern, text) is not None
