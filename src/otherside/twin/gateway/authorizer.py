"""Find out who calls, what the call needs, and whether the account's policies allow it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.gateway.iam_policy import (
    CannotTellError,
    PolicyEvaluation,
    PolicyStatement,
    Request,
    decide,
    statements_of,
)
from otherside.twin.gateway.iam_resources import AuthorizationItem, subjects_of
from otherside.twin.gateway.protocol import ApiCall, RequestRefusedError

DENIED = "AccessDenied"
_MFA = "aws:multifactorauthpresent"
ALWAYS = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})
"""Operations that need no permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The holder of an access key."""

    arn: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_s: float | None = None
    """When its key ends, in the twin's time; `None` if it does not."""
    provisioner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSession:
    """What a user has opened by GetSessionToken or GetFederationToken."""

    holder: Principal
    user: str
    """The ARN of the user whose policies count."""
    policy: str | None = None
    """The policy that limits a federated session; without one it may do nothing by itself."""

    @property
    def federated(self) -> bool:
        """Whether it is somebody else's than the user's own."""
        return ":federated-user/" in self.holder.arn


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
    user_boundaries: dict[str, str] = field(default_factory=dict)
    """The permissions boundary of each user that has one, by name; moto keeps those of roles."""
    sessions: dict[str, UserSession] = field(default_factory=dict)
    """What users have opened, by access key."""
    kms_calls_of: Callable[[ApiCall, str], Sequence[tuple[str, str, str]]] = lambda *_: ()
    """The KMS permissions that a call also needs: (action, key's ARN, service using the key)."""

    def holder_of(self, key_id: str) -> Principal | None:
        """Return the holder of an access key, or `None` if it has no holder."""
        if key_id == self.provisioner_key:
            return self.provisioner
        if key_id in self.sessions:
            return self.sessions[key_id].holder
        for role in reversed(moto_backend.sts(self.account).assumed_roles):
            if role.access_key_id == key_id:
                return Principal(
                    arn=role.arn,
                    secret=role.secret_access_key,
                    token=role.session_token,
                    expires_s=role.expiration.replace(tzinfo=UTC).timestamp(),
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
        self._limit_session(call)
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

    def _limit_session(self, call: ApiCall) -> None:
        """Refuse what a user's session may never ask, whatever the policies allow.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
        """
        session = self.sessions.get(call.key_id)
        if session is None:
            return
        allowed = {"GetCallerIdentity", *(() if session.federated else ("AssumeRole",))}
        if call.service == "iam":  # it was opened without MFA
            message = "The security token included in the request is invalid"
            raise RequestRefusedError("InvalidClientTokenId", message, 403)
        if call.service == "sts" and call.operation not in allowed:
            message = f"Cannot call {call.operation} with session credentials"
            raise RequestRefusedError(DENIED, message, 403)

    def may_connect(self, principal: str, resource: str, region: str, key_id: str = "") -> bool:
        """Return whether a principal may log in to a database with IAM authentication."""
        subject = AuthorizationItem(action="rds-db:connect", resource=resource)
        call = ApiCall(
            service="rds-db",
            operation="connect",
            region=region,
            source="",
            key_id=key_id,
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

    def knows(self, principal: str) -> bool:
        """Return whether a policy may name a principal; of another account nothing is known."""
        kind = principal.rpartition(":")[2].partition("/")[0]
        own = principal.startswith("arn:") and f"::{self.account}:" in principal
        if not own or kind == "root" or principal == self.provisioner.arn:
            return True
        return self._role(principal) is not None or self._user(principal) is not None

    def lets_change(self, call: ApiCall, key: str, document: str) -> bool:
        """Return whether a key's new policy lets its author change it again.

        What cannot be told is taken: AWS would have to be asked.
        """
        keys = {"kms:bypasspolicylockoutsafetycheck": ["false"]}
        item = AuthorizationItem(action="kms:PutKeyPolicy", resource=key, keys=keys)
        effective = [
            each for each in statements_of(document) if {"Action", "Resource"} <= set(each)
        ]
        try:
            return decide(
                self._request(call, item, call.region),
                identity=self._identity(call.principal, call.key_id),
                boundary=self._boundary(call.principal, call.key_id),
                resource=effective,
                both=True,
            ).allowed
        except CannotTellError:
            return True

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
        self,
        role_arn: str,
        principal: str,
        *,
        source_arn: str = "",
        external_id: str = "",
        account_too: bool = False,
        key_id: str = "",
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
                "sts:externalid": [external_id] if external_id else [],
                **({} if service else self._keys_of(principal, key_id)),
            },
        )
        statements = _any_resource(statements_of(role.assume_role_policy_document))
        if decide(request, resource=statements).allowed:
            return True
        # A role that trusts the account trusts anyone whom the account's own policies allow.
        whole = replace(request, principal=request.root)
        return account_too and decide(whole, resource=statements).allowed

    def judge(self, request: Request) -> PolicyEvaluation:
        """Return whether the account's policies allow a request."""
        arn = request.resource or ""
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        document = None
        if service in self.resource_policies:
            document = self.resource_policies[service](arn, self.account)
        if _is_foreign(arn, self.account):  # its own account would have to allow it, too
            return PolicyEvaluation(allowed=False, kind="resource-based")
        verdict = decide(
            request,
            identity=() if request.service else self._identity(request.principal, request.key_id),
            boundary=None if request.service else self._boundary(request.principal, request.key_id),
            session=None if request.service else self._session(request.principal, request.key_id),
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
        known = str(call.params.get("ExternalId") or "")
        known_as = {"external_id": known, "key_id": call.key_id}
        if not self.trusts(arn, call.principal, account_too=True, **known_as):
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
            key_id=call.key_id,
            role=str(getattr(self._role(call.principal), "arn", "")),
            keys={
                **self._keys_of(call.principal, call.key_id),
                "aws:requestedregion": [region],
                "aws:sourceip": [call.address] if call.address else [],
                "aws:useragent": [call.agent] if call.agent else [],
                "aws:sourcevpc": [],  # no call reaches the twin through a VPC endpoint
                "aws:sourcevpce": [],
                "aws:vpcsourceip": [],
                "aws:viaawsservice": ["false"],
                "aws:calledvia": [],
                "aws:epochtime": [str(call.at_s)],
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

    def _keys_of(self, principal: str, key_id: str = "") -> dict[str, Sequence[str]]:
        """Return the condition keys about a caller: what IAM knows of a user or a session.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        role, user = self._role(principal), self._user(principal, key_id)
        name = principal.rpartition("/")[2]
        holder = role or user
        kind = "AssumedRole" if ":assumed-role/" in principal else "User" if user else "Role"
        own = f"{role.id}:{name}" if role is not None else user.id if user is not None else ""
        if ":federated-user/" in principal:
            kind, own, user = "FederatedUser", f"{self.account}:{name}", None
        tags = moto_backend.iam_tags(self.account, holder) if holder is not None else {}
        return {
            "aws:principalarn": [_role_arn(principal)],
            "aws:principalaccount": [self.account],
            "aws:principalorgid": [],  # the account is in no organization
            "aws:principalorgpaths": [],
            "aws:principaltype": [kind],
            "aws:userid": [own],
            "aws:username": [name] if user is not None else [],
            # Long-lived keys say nothing about MFA; a role's session was opened without it.
            _MFA: [] if user is not None and key_id not in self.sessions else ["false"],
            "aws:multifactorauthage": [],
            **{f"aws:principaltag/{key}".lower(): [value] for key, value in tags.items()},
        }

    def _role(self, arn: str) -> Any:  # noqa: ANN401 - moto's own, untyped here
        """Return a role by its exact ARN, or the role of a session, which knows only its name."""
        roles = moto_backend.iam(self.account).roles.values()
        session = ":assumed-role/" in arn
        wanted = _role_arn(arn)
        name = wanted.rpartition("/")[2]
        if session and f"::{self.account}:" in arn:
            return next((role for role in roles if role.name == name), None)
        return next((role for role in roles if role.arn == wanted), None)

    def _user(self, arn: str, key_id: str = "") -> Any:  # noqa: ANN401 - moto's own, untyped here
        """Return a user by its ARN, or the one that opened a federated session, by its key."""
        users = moto_backend.iam(self.account).users.values()
        opened = self.sessions.get(key_id)
        wanted = opened.user if opened is not None and opened.holder.arn == arn else arn
        return next((user for user in users if user.arn == wanted), None)

    def _identity(self, principal: str, key_id: str = "") -> list[PolicyStatement]:
        """Return every statement in the policies of a role or a user."""
        opened = self.sessions.get(key_id)
        if self.provisioner.arn in {principal, opened.user if opened is not None else ""}:
            return [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        role, user = self._role(principal), self._user(principal, key_id)
        groups = moto_backend.iam(self.account).groups.values()
        holders = [holder for holder in (role, user) if holder is not None]
        holders += [group for group in groups if user is not None and user in group.users]
        documents = [
            document
            for holder in holders
            for document in [
                *_inline(holder.policies),
                *map(_default_version, holder.managed_policies.values()),
            ]
        ]
        return [statement for document in documents for statement in statements_of(document)]

    def _boundary(self, principal: str, key_id: str = "") -> list[PolicyStatement] | None:
        role, user = self._role(principal), self._user(principal, key_id)
        arn = getattr(role, "permissions_boundary_arn", None) if role is not None else None
        if user is not None:
            arn = self.user_boundaries.get(user.name)
        if not arn:
            return None
        policy = moto_backend.iam(self.account).managed_policies.get(arn)
        return list(statements_of(_default_version(policy))) if policy else []

    def _session(self, principal: str, key_id: str = "") -> list[PolicyStatement] | None:
        """Return the policy that a session was opened with, which limits it.

        Of a role's sessions of one name, the key tells; without one, the newest counts.
        """
        opened = self.sessions.get(key_id)
        if opened is not None and opened.federated:
            return list(statements_of(opened.policy)) if opened.policy else []
        held = [
            role
            for role in reversed(moto_backend.sts(self.account).assumed_roles)
            if role.arn == principal
        ]
        own = [role for role in held if role.access_key_id == key_id] or held
        return list(statements_of(own[0].policy)) if own and own[0].policy else None


def _is_foreign(arn: str, account: str) -> bool:
    """Return whether an ARN names another account; some ARNs name none."""
    parts = arn.split(":")
    owner = parts[4] if len(parts) > 5 else ""  # noqa: PLR2004 - an ARN has six parts
    return owner.isdigit() and owner != account


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
