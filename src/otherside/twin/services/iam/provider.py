"""IAM where moto differs: AWS's managed policies, and the simulation of policies."""

import json

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import AWSManagedPolicy, aws_managed_policies_data
from otherside.twin.services.base import ServiceProvider, api_error, operation

AWS_OWNED = "arn:aws:iam::aws:policy/"


class IamProvider(ServiceProvider):
    """AWS managed policies, loaded when they are attached: all of them would take 60 MB."""

    def __init__(self, context: TwinContext, authorizer: Authorizer) -> None:
        self._context, self._authorizer = context, authorizer

    @operation("iam", "SimulatePrincipalPolicy")
    def simulate(self, _call: ApiCall, params: Params) -> JsonObject:
        """Evaluate a user's or a role's policies for actions on resources, as a call would be."""
        taken = {"PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries"}
        further = sorted(params.keys() - taken)
        if further:
            message = f"the twin simulates policies as they are, without {', '.join(further)}"
            raise api_error("TwinNotImplemented", message, 501)
        source = str(params["PolicySourceArn"])
        if not self._exists(source):
            message = f"The entity {source} cannot be found."
            raise api_error("NoSuchEntity", message, 404)
        keys = {
            str(entry["ContextKeyName"]).lower(): [str(v) for v in entry["ContextKeyValues"]]
            for entry in params.get("ContextEntries") or ()
        }
        results = []
        for action in params["ActionNames"]:
            for resource in params.get("ResourceArns") or ["*"]:
                found = self._authorizer.simulate(source, str(action), str(resource), keys)
                denied = "explicitDeny" if found.explicit else "implicitDeny"
                results.append(
                    {
                        "EvalActionName": str(action),
                        "EvalResourceName": str(resource),
                        "EvalDecision": "allowed" if found.allowed else denied,
                    }
                )
        return {"EvaluationResults": results, "IsTruncated": False}

    @operation("iam", "CreateRole", "UpdateAssumeRolePolicy")
    def trust(self, _call: ApiCall, params: Params) -> None:
        """Refuse a trust policy that is none, and leave the rest to moto, which takes any text."""
        given = params.get("AssumeRolePolicyDocument") or params.get("PolicyDocument")
        wrong = _trust_problem(str(given))
        if wrong is not None:
            raise api_error("MalformedPolicyDocument", wrong)
        raise LeaveToMotoError

    @operation("iam", "CreateUser", "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary")
    def limit_user(self, call: ApiCall, params: Params) -> JsonObject | None:
        """Keep a user's permissions boundary, which moto does not; it creates the user itself."""
        name, arn = str(params["UserName"]), params.get("PermissionsBoundary")
        boundaries = self._authorizer.user_boundaries
        exists = name in moto_backend.iam(self._context.account).users
        creates = call.operation == "CreateUser"
        if not creates and not exists:
            message = f"The user with name {name} cannot be found."
            raise api_error("NoSuchEntity", message, 404)
        if arn is not None and not self._is_policy(str(arn)):
            message = f"Scope ARN: {arn} does not exist or is not attachable."
            raise api_error("NoSuchEntity", message, 404)
        if not (creates and exists):  # moto refuses a second user of the name
            boundaries.pop(name, None)
            boundaries.update({name: str(arn)} if arn is not None else {})
        if creates:
            raise LeaveToMotoError
        return {}

    def _is_policy(self, arn: str) -> bool:
        """Return whether a managed policy exists; one of AWS's own is loaded when it is used."""
        held = moto_backend.iam(self._context.account).managed_policies
        if arn.startswith(AWS_OWNED) and arn not in held:
            self._load(arn)
        return arn in held

    def _exists(self, arn: str) -> bool:
        backend = moto_backend.iam(self._context.account)
        return any(role.arn == arn for role in backend.roles.values()) or any(
            user.arn == arn for user in backend.users.values()
        )

    @operation("iam", "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy", "GetPolicy")
    def attach(self, _call: ApiCall, params: Params) -> None:
        """Load an AWS managed policy that is missing, and leave the rest to moto."""
        arn = str(params["PolicyArn"])
        held = moto_backend.iam(self._context.account).managed_policies
        if arn.startswith(AWS_OWNED) and arn not in held and not self._load(arn):
            message = f"Policy {arn} does not exist or is not attachable."
            raise api_error("NoSuchEntity", message)
        raise LeaveToMotoError

    def _load(self, arn: str) -> bool:
        """Load one of AWS's own policies; return whether there is such a one."""
        name = arn.rpartition("/")[2]
        known, account = _managed(name), self._context.account
        if known is not None:
            held = moto_backend.iam(account).managed_policies
            held[arn] = AWSManagedPolicy.from_data(name, account, "aws", known)
        return known is not None


def _trust_problem(text: str) -> str | None:
    """Return what IAM says of a trust policy that it does not take, or `None`.

    The role is the resource, so none may be named.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
    """
    try:
        document = json.loads(text)
    except ValueError:
        return "This policy contains invalid Json"
    statements = document.get("Statement") if isinstance(document, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        return "Syntax errors in policy."
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") not in {"Allow", "Deny"}:
            return "Syntax errors in policy."
        if "Resource" in statement or "NotResource" in statement:
            return "Has prohibited field Resource"
        named = {name.removeprefix("Not") for name in statement}
        for name in ("Principal", "Action"):
            if name not in named:
                return f"Missing required field {name}"
    return None


def _managed(name: str) -> JsonObject | None:
    """Return one AWS managed policy; all of them are 5 MB of JSON, and few are needed."""
    found: JsonObject | None = json.loads(aws_managed_policies_data).get(name)
    return found
