"""IAM where moto differs: AWS's managed policies."""

import json

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import AWSManagedPolicy, aws_managed_policies_data
from otherside.twin.services.base import ServiceProvider, api_error, operation

AWS_OWNED = "arn:aws:iam::aws:policy/"


class IamProvider(ServiceProvider):
    """AWS managed policies, loaded when they are attached: all of them would take 60 MB."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context

    @operation("iam", "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy", "GetPolicy")
    def attach(self, _call: ApiCall, params: Params) -> None:
        """Load an AWS managed policy that is missing, and leave the rest to moto."""
        arn = str(params["PolicyArn"])
        held = moto_backend.iam(self._context.account).managed_policies
        if arn.startswith(AWS_OWNED) and arn not in held:
            name = arn.rpartition("/")[2]
            known = _managed(name)
            if known is None:
                message = f"Policy {arn} does not exist or is not attachable."
                raise api_error("NoSuchEntity", message)
            account, region = self._context.account, "aws"
            held[arn] = AWSManagedPolicy.from_data(name, account, region, known)
        raise LeaveToMotoError


def _managed(name: str) -> JsonObject | None:
    """Return one AWS managed policy; all of them are 5 MB of JSON, and few are needed."""
    found: JsonObject | None = json.loads(aws_managed_policies_data).get(name)
    return found
