"""Data sources that the twin answers itself, instead of the mock outputs."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from otherside.twin.deploy.api_clients import ApiClients
from otherside.twin.json_types import JsonObject

PUBLIC = "/aws/service/"
"""Prefix of the parameters that AWS publishes, such as the newest machine images."""


def look_up(
    token: str, arguments: Mapping[str, Any], region: str, clients: ApiClients, account: str
) -> JsonObject | None:
    """Return the twin's answer, or `None` if the answer is the same in every account."""
    match token:
        case "aws:index/getAvailabilityZones:getAvailabilityZones":
            found = clients.get("ec2", region).describe_availability_zones()["AvailabilityZones"]
            return {
                "names": [zone["ZoneName"] for zone in found],
                "zoneIds": [zone["ZoneId"] for zone in found],
                "id": region,
                "state": "available",
            }
        case "aws:index/getCallerIdentity:getCallerIdentity":
            found = clients.get("sts", region).get_caller_identity()
            return {
                "accountId": account,
                "arn": found["Arn"],
                "userId": found["UserId"],
                "id": account,
            }
        case "aws:secretsmanager/getRandomPassword:getRandomPassword":
            asked = {
                "PasswordLength": int(arguments.get("passwordLength") or 32),
                "ExcludePunctuation": bool(arguments.get("excludePunctuation", False)),
                "ExcludeCharacters": str(arguments.get("excludeCharacters") or ""),
            }
            found = clients.get("secretsmanager", region).get_random_password(**asked)
            return {"randomPassword": found["RandomPassword"], "id": "random"}
        case "aws:ssm/getParameter:getParameter":
            plain = bool(arguments.get("withDecryption", True))  # Pulumi's default
            return _parameter(str(arguments["name"]), region, clients, plain=plain)
        case _:
            return None


def _parameter(name: str, region: str, clients: ApiClients, *, plain: bool) -> JsonObject | None:
    """Return a parameter as it is on the twin; a public one that moto lacks is left to the mocks.

    Raises:
        ClientError: If it is none of AWS's own and does not exist.
    """
    try:
        found = clients.get("ssm", region).get_parameter(Name=name, WithDecryption=plain)[
            "Parameter"
        ]
    except ClientError:
        if name.startswith(PUBLIC):
            return None
        raise
    return {"name": name, "value": found["Value"], "id": name, "type": found["Type"]}
