"""KMS where moto differs: key ids, key states and deletion.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

import asyncio
import datetime as dt
import json
import re
import uuid

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.iam_policy import PolicyStatement, statements_of
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.moto_backend import KmsNotFoundException, KmsResponse
from otherside.twin.services.base import ServiceProvider, api_error, operation

MULTI_REGION_ID = re.compile(r"mrk-[0-9a-f]{32}")
KEY_ID_BYTES = 36
"""moto writes the key's id before its ciphertext."""

_LOOK_S = 60.0
POLICY_BYTES_MAX = 32_768
"""https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html"""
WINDOW_DAYS = (7, 30)
"""The shortest and the longest wait before a key is deleted."""


class KmsProvider(ServiceProvider):
    """KMS where moto differs: ids of AWS's own length, and disabled keys.

    moto's multi-Region ids are longer than the space for an id in its ciphertexts, so nothing can
    be decrypted with such a key, in this Region or in another.
    """

    def __init__(self, context: TwinContext, authorizer: Authorizer) -> None:
        """Make moto create and accept key ids of AWS's own length."""
        self._context, self._authorizer = context, authorizer
        moto_backend.make_key_ids_by(_key_id)
        _accept(MULTI_REGION_ID)

    @operation("kms", "Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
    def use(self, call: ApiCall, params: Params) -> None:
        """Refuse a key that is disabled or pending deletion, and leave the rest to moto."""
        backend = moto_backend.kms(self._context.account, call.region)
        given = params.get("KeyId") or params.get("CiphertextBlob", b"")[:KEY_ID_BYTES]
        name = given.decode(errors="replace") if isinstance(given, bytes) else str(given)
        if call.operation == "Decrypt" and params.get("KeyId"):
            self._check_named(call.region, params)
        account = self._context.account
        key = backend.keys.get(moto_backend.kms_key_id(account, call.region, name) or name)
        if key is None and params.get("KeyId"):
            raise _no_such_key(name, call.region, account)
        if key is not None and key.key_state == "Disabled":
            raise api_error("DisabledException", f"{key.arn} is disabled.")
        if key is not None and key.key_state == "PendingDeletion":
            raise api_error("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        raise LeaveToMotoError

    @operation("kms", "CreateKey", "PutKeyPolicy", "ReplicateKey")
    def check_policy(self, call: ApiCall, params: Params) -> None:
        """Refuse a key policy that KMS does not take, and leave the rest to moto, which takes any.

        https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
        """
        text = params.get("Policy")
        if text is not None:
            if len(str(text).encode()) > POLICY_BYTES_MAX:
                message = f"A key policy has {POLICY_BYTES_MAX} bytes at the most."
                raise api_error("LimitExceededException", message)
            wrong = policy_problem(str(text)) or self._author_problem(call, params)
            if wrong is not None:
                raise api_error("MalformedPolicyDocumentException", wrong)
        raise LeaveToMotoError

    def _author_problem(self, call: ApiCall, params: Params) -> str | None:
        document = str(params["Policy"])
        named = [name for item in statements_of(document) for name in _principals(item)]
        if not all(self._authorizer.knows(name) for name in named):
            return _INVALID
        bypass = params.get("BypassPolicyLockoutSafetyCheck") in {True, "true"}
        key = str(params.get("KeyId") or "new").rpartition("/")[2]
        arn = f"arn:aws:kms:{call.region}:{self._context.account}:key/{key}"
        if not bypass and not self._authorizer.lets_change(call, arn, document):
            return "The new key policy will not allow you to update the key policy in the future."
        return None

    @operation("kms", "ScheduleKeyDeletion")
    def check_window(self, _call: ApiCall, params: Params) -> None:
        """Refuse a waiting period that KMS does not allow, and leave the rest to moto."""
        least, most = WINDOW_DAYS
        if not least <= int(params.get("PendingWindowInDays") or most) <= most:
            text = f"PendingWindowInDays is between {least} and {most}"
            raise api_error("ValidationException", text)
        raise LeaveToMotoError

    def _check_named(self, region: str, params: Params) -> None:
        """Refuse a key that is not the one that encrypted the ciphertext."""
        account = self._context.account
        backend = moto_backend.kms(account, region)
        made_by = params["CiphertextBlob"][:KEY_ID_BYTES].decode(errors="replace")
        named = moto_backend.kms_key_id(account, region, str(params["KeyId"]))
        if made_by in backend.keys and named in backend.keys and named != made_by:
            message = (
                "The key ID in the request does not identify a CMK that can perform this operation."
            )
            raise api_error("IncorrectKeyException", message)

    async def delete(self) -> None:
        """Delete keys whose waiting period is over, until the twin stops."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.delete_due(self._context.now_s)

    def delete_due(self, now_s: float) -> None:
        """Delete the keys whose waiting period is over."""
        now = dt.datetime.fromtimestamp(now_s, dt.UTC).replace(tzinfo=None)
        for region in self._context.regions:
            backend = moto_backend.kms(self._context.account, region)
            for name, key in list(backend.keys.items()):
                due = key.deletion_date if key.key_state == "PendingDeletion" else None
                if due is not None and due.replace(tzinfo=None) <= now:
                    del backend.keys[name]


_INVALID = "Policy contains a statement with one or more invalid principals."


def policy_problem(text: str) -> str | None:
    """Return why a text is no key policy, or `None`: each statement says to whom it is.

    One without an action or a resource is taken, and has no effect.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "Policy is not valid JSON."
    statements = document.get("Statement") if isinstance(document, dict) else None
    for item in statements if isinstance(statements, list) else [statements]:
        if not isinstance(item, dict) or item.get("Effect") not in ("Allow", "Deny"):
            return "Policy contains a statement that has no effect."
        for name in ("Action", "NotAction", "Resource", "NotResource"):
            given = item.get(name, [])
            texts = given if isinstance(given, list) else [given]
            if not all(isinstance(each, str) for each in texts):
                return f"Policy contains a statement whose {name} is no text."
        if not isinstance(item.get("Condition", {}), dict):
            return "Policy contains a statement whose Condition is no object."
        if not _names_somebody(item.get("Principal", item.get("NotPrincipal"))):
            return _INVALID
    return None


_PRINCIPAL = re.compile(r"\*|\d{12}|arn:[^:]+:(iam|sts)::\d{12}:.+")


def _names_somebody(principal: object) -> bool:
    if principal == "*":
        return True
    kinds = {"AWS", "Service", "Federated", "CanonicalUser"}
    if not isinstance(principal, dict) or not principal or not principal.keys() <= kinds:
        return False
    for kind, given in principal.items():
        named = given if isinstance(given, list) else [given]
        if not named or not all(isinstance(name, str) and name for name in named):
            return False
        if kind == "AWS" and not all(_PRINCIPAL.fullmatch(name) for name in named):
            return False
    return True


def _principals(statement: PolicyStatement) -> list[str]:
    """Return the ARNs that a statement names; it may name services and everyone, too."""
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    named = principal.get("AWS", []) if isinstance(principal, dict) else []
    return [str(name) for name in (named if isinstance(named, list) else [named])]


def _no_such_key(name: str, region: str, account: str) -> Exception:
    """Return the error for a key or an alias that is not there."""
    arn = name if name.startswith("arn:") else f"arn:aws:kms:{region}:{account}:{name}"
    if ":alias/" in arn:
        return api_error("NotFoundException", f"Alias {arn} is not found.")
    arn = arn if ":key/" in arn else f"arn:aws:kms:{region}:{account}:key/{name}"
    return api_error("NotFoundException", f"Key '{arn}' does not exist")


def _accept(wanted: re.Pattern[str]) -> None:
    """Make moto accept ids of AWS's own length."""
    before = KmsResponse._validate_cmk_id  # noqa: SLF001 - its seam

    def validate(self: KmsResponse, key_id: str) -> None:
        if wanted.fullmatch(key_id) is None:
            before(self, key_id)
        elif key_id not in self.kms_backend.keys:
            region, account = self.kms_backend.region_name, self.kms_backend.account_id
            arn = f"arn:aws:kms:{region}:{account}:key/{key_id}"
            raise KmsNotFoundException(f"Key '{arn}' does not exist")

    KmsResponse._validate_cmk_id = validate  # type: ignore[method-assign]  # noqa: SLF001 - as above


def _key_id(multi_region: bool = False) -> str:  # noqa: FBT001, FBT002 - moto's own shape
    made = uuid.uuid4()
    return f"mrk-{made.hex}" if multi_region else str(made)
