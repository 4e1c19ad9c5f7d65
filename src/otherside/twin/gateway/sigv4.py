"""Verify Signature Version 4, in headers and in presigned URLs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from botocore.utils import normalize_url_path

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})"
)
_SCOPE_PARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a request states about its signer."""

    key_id: str
    day: str
    region: str
    service: str
    headers: tuple[str, ...]
    value: str
    moment: str
    token: str | None
    presigned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """The request as it was sent."""

    method: str
    path: str
    """As sent: percent-encoded."""
    query: str
    headers: Mapping[str, str]
    """Keyed by lower-case name."""
    body: bytes


def read_signature(request: SignedRequest) -> Signature | None:
    """Return the signature that a request carries, or `None` if it carries none."""
    held = _HEADER.match(request.headers.get("authorization", ""))
    if held:
        scope, names, value = held.groups()
        found = scope.split("/")
        moment = request.headers.get("x-amz-date", "")
        token, presigned = request.headers.get("x-amz-security-token"), False
    else:
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        if query.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
            return None
        found = query.get("X-Amz-Credential", "").split("/")
        names, value = query.get("X-Amz-SignedHeaders", ""), query.get("X-Amz-Signature", "")
        moment, token = query.get("X-Amz-Date", ""), query.get("X-Amz-Security-Token")
        presigned = True
    if len(found) != _SCOPE_PARTS:
        return None
    return Signature(
        key_id=found[0],
        day=found[1],
        region=found[2],
        service=found[3],
        headers=tuple(names.split(";")),
        value=value,
        moment=moment,
        token=token,
        presigned=presigned,
    )


def is_signed_with(secret: str, signature: Signature, request: SignedRequest) -> bool:
    """Return whether a request was signed with this secret."""
    scope = f"{signature.day}/{signature.region}/{signature.service}/aws4_request"
    canonical = hashlib.sha256(_canonical(signature, request).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{signature.moment}\n{scope}\n{canonical}"
    key = f"AWS4{secret}".encode()
    for word in (signature.day, signature.region, signature.service, "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    made = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(made, signature.value)


def _canonical(signature: Signature, request: SignedRequest) -> str:
    names = signature.headers
    listed = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names
    )
    # S3 signs the path as sent; every other service normalizes it and encodes it once more.
    path = request.path
    if signature.service != "s3":
        path = quote(normalize_url_path(path), safe="/~")
    return "\n".join(
        (
            request.method,
            path or "/",
            _query(request.query),
            listed,
            ";".join(names),
            _hash(signature, request),
        )
    )


def _query(query: str) -> str:
    """Return the query in its signed form: sorted, encoded, without the signature itself."""
    pairs = parse_qsl(query, keep_blank_values=True)
    encoded = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in pairs
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


def _hash(signature: Signature, request: SignedRequest) -> str:
    told = request.headers.get("x-amz-content-sha256")
    if told:
        return told
    if signature.presigned and signature.service == "s3":
        return "UNSIGNED-PAYLOAD"
    return hashlib.sha256(request.body).hexdigest()
