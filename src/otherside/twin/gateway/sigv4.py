"""Verify Signature Version 4, in headers and in presigned URLs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import datetime as dt
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
SKEW_S = 15 * 60
"""How far a signer's clock may be off.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""
EXPIRES_MAX_S = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"


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
    expires_s: int | None = None
    """How long a presigned request is valid; `None` if that is not a number."""


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
        token, presigned, expires_s = request.headers.get("x-amz-security-token"), False, None
    else:
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        if query.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
            return None
        found = query.get("X-Amz-Credential", "").split("/")
        names, value = query.get("X-Amz-SignedHeaders", ""), query.get("X-Amz-Signature", "")
        moment, token = query.get("X-Amz-Date", ""), query.get("X-Amz-Security-Token")
        presigned, told = True, query.get("X-Amz-Expires", "")
        expires_s = int(told) if re.fullmatch(r"[0-9]{1,9}", told) else None
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
        expires_s=expires_s,
    )


def time_problem(signature: Signature, *clocks_s: float) -> str | None:
    """Return what AWS says of a signature that is too old or too new, or `None`.

    Args:
        signature: The signature.
        clocks_s: Clocks that signers of the twin may have, in seconds since the epoch: programs
            in the twin live in its time, clients outside in the machine's. One fit is enough.
    """
    try:
        signed = dt.datetime.strptime(signature.moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return f"Date must be in ISO-8601 'basic format'. Got '{signature.moment}'"
    if signature.moment[:8] != signature.day:
        return (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{signature.day}' != '{signature.moment[:8]}', from '{signature.moment}'."
        )
    valid_s = SKEW_S
    if signature.presigned:
        if signature.expires_s is None or signature.expires_s > EXPIRES_MAX_S:
            return f"X-Amz-Expires must be a number of seconds, of {EXPIRES_MAX_S} at the most"
        valid_s = signature.expires_s
        if signature.service != "s3":
            valid_s = min(valid_s, SKEW_S)  # whatever it asks for
    said = None
    for now_s in clocks_s:
        age_s = now_s - signed.timestamp()
        now, edge = _basic(now_s), _basic(now_s - (valid_s if age_s > 0 else -SKEW_S))
        if age_s > valid_s:
            said = (
                said or f"Signature expired: {signature.moment} is now earlier than {edge} ({now})"
            )
        elif age_s < -SKEW_S:
            said = said or (
                f"Signature not yet current: {signature.moment} is still later than {edge} ({now})"
            )
        else:
            return None
    return said


def _basic(at_s: float) -> str:
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def body_problem(signature: Signature, request: SignedRequest) -> str | None:
    """Return what S3 says of a body that is not the one whose hash was signed, or `None`.

    The other services hash the body themselves, so there another body is another signature. The
    chunks of a streamed body have signatures of their own, which the twin does not check.
    """
    told = request.headers.get("x-amz-content-sha256")
    if signature.service != "s3" or told == UNSIGNED or (told or "").startswith("STREAMING-"):
        return None
    if told is None:
        missing = "Missing required header for this request: x-amz-content-sha256"
        return None if signature.presigned else missing
    if told != hashlib.sha256(request.body).hexdigest():
        return "The provided 'x-amz-content-sha256' header does not match what was computed."
    return None


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
    if signature.service == "s3":
        told = request.headers.get("x-amz-content-sha256")
        if told or signature.presigned:
            return told or UNSIGNED
    return hashlib.sha256(request.body).hexdigest()
