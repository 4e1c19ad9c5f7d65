"""Find out who calls, what the call needs, and whether the account's policies allow it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.gateway.iam_policy import (
    PolicyEvaluation,
    PolicyStatement,
    Request,
    decide,
    statements_of,
)
from otherside.twin.gateway.iam_resources import AuthorizationItem, subjects_of
from otherside.twin.gateway.protocol import ApiCall, RequestRefusedError

DENIED = "AccessDenied"
ALWAYS = frozenset({("sts", "GetCallerIdentity")})
"""Operations that need no permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The holder of an access key."""

    arn: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    provisioner: bool = False


ResourcePolicies = Callable[[str, str], str | None]
"""Returns a resource's policy by its ARN and its owner's account, or `None` if it has none."""


@dataclass(slots=True)
class Authorizer:
    """IAM for one account."""

    account: str
    provisioner: Principal
    provisioner_key: str
    resource_policies: dict[str, ResourcePolicies] = field(default_factory=dict)
    """Keyed by the service in an ARN: `sns`, `kms`…"""
    kms_calls_of: Callable[[ApiCall, str], Sequence[tuple[str, str, str]]] = lambda *_: ()
    """The KMS permissions that a call also needs: (action, key's ARN, service using the key)."""

    def holder_of(self, key_id: str) -> Principal | None:
        """Return the holder of an access key, or `None` if it has no holder."""
        if key_id == self.provisioner_key:
            return self.provisioner
        for role in reversed(moto_backend.sts(self.account).assumed_roles):
            if role.access_key_id == key_id:
                return Principal(
                    arn=role.arn, secret=role.secret_access_key, token=role.session_token
                )
        for user in moto_backend.iam(self.account).users.values():
            for key in user.access_keys:
                if key.access_key_id == key_id and key.status == "Active":
                    return Principal(arn=user.arn, secret=key.secret_access_key)
        return None

    def authorize(self, call: ApiCall, signing_region: str) -> None:
        """Refuse a call that its caller is not allowed to make.

        Raises:
            RequestRefusedError: If the policies do not allow it.
            CannotTellError: If the policies cannot be evaluated.
        """
        if call.principal == self.provisioner.arn or (call.service, call.operation) in ALWAYS:
            return
        if (call.service, call.operation) == ("sts", "AssumeRole"):
            self._require_trust(call)
        for subject in subjects_of(call, signing_region, self.account):
            self._require(self._request(call, subject, signing_region))
        for action, key, via in self.kms_calls_of(call, signing_region):
            keys = {"kms:viaservice": [f"{via}.{signing_region}.amazonaws.com"]}
            subject = AuthorizationItem(action=action, resource=key, keys=keys)
            self._require(self._request(call, subject, signing_region))

    def may_connect(self, principal: str, resource: str, region: str) -> bool:
        """Return whether a principal may log in to a database with IAM authentication."""
        subject = AuthorizationItem(action="rds-db:connect", resource=resource)
        call = ApiCall(
            service="rds-db",
            operation="connect",
            region=region,
            source="",
            key_id="",
            principal=principal,
        )
        return self.judge(self._request(call, subject, region)).allowed

    def service_may(
        self,
        service: str,
        action: str,
        resource: str,
        *,
        source_arn: str = "",
        keys: Mapping[str, Sequence[str]] | None = None,
    ) -> PolicyEvaluation:
        """Return whether a service may act on a resource under that resource's own policy."""
        known: dict[str, Sequence[str]] = {
            "aws:sourcearn": [source_arn] if source_arn else [],
            "aws:sourceaccount": [self.account],
            "aws:sourceowner": [],
            "aws:principalorgid": [],
            "aws:principalservicename": [service],
            "aws:principalisawsservice": ["true"],
            "aws:securetransport": ["true"],
            **(keys or {}),
        }
        request = Request(
            action=action,
            resource=resource,
            principal=service,
            account=self.account,
            keys=known,
        )
        return self.judge(request)

    def role_may(
        self, role_arn: str, action: str, resource: str, *, region: str
    ) -> PolicyEvaluation:
        """Return whether a role that a service has assumed may act on a resource."""
        call = ApiCall(
            service="", operation="", region=region, source="", key_id="", principal=role_arn
        )
        return self.judge(
            self._request(call, AuthorizationItem(action=action, resource=resource), region)
        )

    def simulate(
        self,
        principal_arn: str,
        action: str,
        resource: str,
        keys: Mapping[str, Sequence[str]],
    ) -> PolicyEvaluation:
        """Return what a principal's own policies and boundary say of one action on one resource.

        As `SimulatePrincipalPolicy` does, it leaves resource policies out:
        https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
        """
        region = resource.split(":")[3] if resource.startswith("arn:") else ""
        call = ApiCall(
            service="", operation="", region=region, source="", key_id="", principal=principal_arn
        )
        subject = AuthorizationItem(action=action, resource=resource, keys=dict(keys))
        return decide(
            self._request(call, subject, region),
            identity=self._identity(principal_arn),
            boundary=self._boundary(principal_arn),
        )

    def trusts(
        self, role_arn: str, principal: str, *, source_arn: str = "", account_too: bool = False
    ) -> bool:
        """Return whether a role's trust policy lets a service or a principal assume it."""
        role = self._role(role_arn)
        if role is None:
            return False
        service = not principal.startswith("arn:")
        request = Request(
            action="sts:AssumeRole",
            resource="*",
            principal=principal,
            account=self.account,
            keys={
                "aws:sourcearn": [source_arn] if source_arn else [],
                "aws:sourceaccount": [self.account] if service else [],
                "sts:externalid": [],
            },
        )
        statements = _any_resource(statements_of(role.assume_role_policy_document))
        if decide(request, resource=statements).allowed:
            return True
        # A role that trusts the account trusts anyone whom the account's own policies allow.
        root = f"arn:aws:iam::{self.account}:root"
        whole = replace(request, principal=root)
        return account_too and decide(whole, resource=statements).allowed

    def judge(self, request: Request) -> PolicyEvaluation:
        """Return whether the account's policies allow a request."""
        arn = request.resource or ""
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        document = None
        if service in self.resource_policies:
            document = self.resource_policies[service](arn, self.account)
        verdict = decide(
            request,
            identity=() if request.service else self._identity(request.principal),
            boundary=None if request.service else self._boundary(request.principal),
            resource=statements_of(document) if document else (),
            both=service == "kms",
        )
        if service == "kms" and not verdict.allowed and not verdict.explicit:
            return PolicyEvaluation(allowed=True) if self._granted(request, arn) else verdict
        return verdict

    def _granted(self, request: Request, arn: str) -> bool:
        """Return whether a grant allows what the key policy does not; constrained grants never do.

        https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
        """
        region, name = arn.split(":")[3], arn.rpartition("/")[2]
        key = moto_backend.kms(self.account, region).keys.get(name)
        operation = request.action.partition(":")[2]
        return key is not None and any(
            grant.grantee_principal in {request.principal, _role_arn(request.principal)}
            and operation in grant.operations
            and not grant.constraints
            for grant in key.grants.values()
        )

    def _require_trust(self, call: ApiCall) -> None:
        """Refuse a caller that the role does not trust, whatever the caller's policies allow."""
        arn = str(call.params.get("RoleArn"))
        if not self.trusts(arn, call.principal, account_too=True):
            what = f"User: {call.principal} is not authorized to perform: sts:AssumeRole"
            raise RequestRefusedError(DENIED, f"{what} on resource: {arn}", 403)

    def _require(self, request: Request) -> None:
        verdict = self.judge(request)
        if not verdict.allowed:
            raise RequestRefusedError(DENIED, verdict.message(request), 403)

    def _request(self, call: ApiCall, subject: AuthorizationItem, region: str) -> Request:
        return Request(
            action=subject.action,
            resource=subject.resource,
            principal=call.principal,
            account=self.account,
            keys={
                "aws:requestedregion": [region],
                "aws:principalarn": [_role_arn(call.principal)],
                "aws:principalaccount": [self.account],
                "aws:resourceaccount": [self.account],
                "aws:securetransport": ["true"],  # the plain endpoint stands in for a TLS one
                "aws:sourcearn": [],
                "aws:sourceaccount": [],
                "aws:sourceowner": [],
                "aws:principalservicename": [],
                "aws:principalisawsservice": ["false"],
                "aws:currenttime": [str(call.at_s)],
                "kms:viaservice": [],
                "kms:grantisforawsresource": [],
                "kms:calleraccount": [self.account],
                **subject.keys,
            },
        )

    def _role(self, arn: str) -> Any:  # noqa: ANN401 - moto's own, untyped here
        name = _role_arn(arn).rpartition("/")[2]
        roles = moto_backend.iam(self.account).roles.values()
        return next((role for role in roles if role.name == name), None)

    def _identity(self, principal: str) -> list[PolicyStatement]:
        """Return every statement in the policies of a role or a user."""
        holder = self._role(principal)
        if holder is None:
            name = principal.rpartition("/")[2]
            holder = moto_backend.iam(self.account).users.get(name)
        if holder is None:
            return []
        documents = _inline(holder.policies)
        documents += [
            _default_version(managed_policy) for managed_policy in holder.managed_policies.values()
        ]
        return [statement for document in documents for statement in statements_of(document)]

    def _boundary(self, principal: str) -> list[PolicyStatement] | None:
        role = self._role(principal)
        arn = getattr(role, "permissions_boundary_arn", None) if role else None
        if not arn:
            return None
        policy = moto_backend.iam(self.account).managed_policies.get(arn)
        return list(statements_of(_default_version(policy))) if policy else []


def _default_version(policy: Any) -> str:  # noqa: ANN401 - moto's own
    """Return the document of a managed policy's default version."""
    found = next(
        version for version in policy.versions if version.version_id == policy.default_version_id
    )
    return str(found.document)


def _inline(policies: object) -> list[str]:
    """Return inline policy documents: a role keys them by name, a user keeps a list."""
    if isinstance(policies, Mapping):
        return [str(policy) for policy in policies.values()]
    if isinstance(policies, Iterable):
        return [str(policy["policy_document"]) for policy in policies]
    return []


def _any_resource(statements: Iterable[PolicyStatement]) -> list[PolicyStatement]:
    """Return a trust policy's statements for any resource: they concern the role and name none."""
    return [{**statement, "Resource": "*"} for statement in statements]


def _role_arn(principal: str) -> str:
    """Return the ARN of a session's role."""
    if ":assumed-role/" not in principal:
        return principal
    account, name = principal.split(":")[4], principal.split("/")[1]
    return f"arn:aws:iam::{account}:role/{name}"
