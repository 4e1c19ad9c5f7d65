"""Signatures, made by botocore and checked by the front door."""

import dataclasses
import datetime as dt
import hashlib

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.gateway.sigv4 import (
    SignedRequest,
    body_problem,
    is_signed_with,
    read_signature,
    time_problem,
)

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = Credentials("AKIDEXAMPLE", SECRET, "session/token==")


def signed(auth, *, method="POST", url="http://127.0.0.1:4566/", body=b"x", **headers):
    """Return a request as botocore would send it, by its own signer."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    auth.add_auth(request)
    prepared = request.prepare()
    path, _, query = prepared.url.split("://", 1)[1].partition("/")[2].partition("?")
    names = {str(k).lower(): v for k, v in prepared.headers.items()}
    names = {k: v.decode() if isinstance(v, bytes) else v for k, v in names.items()}
    names.setdefault("host", "127.0.0.1:4566")
    return SignedRequest(method=method, path=f"/{path}", query=query, headers=names, body=body)


@given(st.binary(max_size=40), st.text("abc/ +%~._-é", max_size=12))
def test_what_botocore_signs_is_known_for_what_it_is(body, path):
    """Any body and any path, in headers; a letter more and it is refused."""
    from urllib.parse import quote

    url = f"http://127.0.0.1:4566/{quote(path)}"
    request = signed(SigV4Auth(KEYS, "lambda", "us-east-2"), url=url, body=body)
    found = read_signature(request)
    assert (found.key_id, found.region, found.service) == ("AKIDEXAMPLE", "us-east-2", "lambda")
    assert found.token == "session/token=="
    assert is_signed_with(SECRET, found, request)
    assert not is_signed_with(SECRET + "x", found, request)
    changed = SignedRequest(
        **{**{k: getattr(request, k) for k in SignedRequest.__slots__}, "body": body + b"!"}
    )
    assert not is_signed_with(SECRET, found, changed)


def test_s3_signs_its_path_as_it_is_sent():
    """Every other service encodes it once more."""
    url = "http://127.0.0.1:4566/bucket/a%20b"
    request = signed(S3SigV4Auth(KEYS, "s3", "us-east-2"), method="PUT", url=url, body=b"")
    assert is_signed_with(SECRET, read_signature(request), request)


def test_a_presigned_address_is_a_signature_too():
    """A database's token is one: its query carries everything."""
    url = "http://127.0.0.1:4566/?Action=connect&DBUser=app"
    auth = SigV4QueryAuth(KEYS, "rds-db", "us-east-2", expires=900)
    request = signed(auth, method="GET", url=url, body=b"")
    found = read_signature(request)
    assert found.presigned
    assert is_signed_with(SECRET, found, request)


@pytest.mark.parametrize("header", ["", "Basic abc", "AWS4-HMAC-SHA256 Credential=a/b/c"])
def test_what_is_no_signature_is_none(header):
    """Nobody is taken for somebody."""
    request = SignedRequest(
        method="GET", path="/", query="", headers={"authorization": header}, body=b""
    )
    assert read_signature(request) is None


def moment_of(request):
    """Return the time at which a request was signed, in seconds since the epoch."""
    text = read_signature(request).moment
    return dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (0, None),
        (899, None),
        (-899, None),
        (902, "Signature expired"),
        (-902, "Signature not yet current"),
        (11 * 365 * 86400, "Signature expired"),
    ],
)
def test_a_signature_is_of_now(age_s, words):
    """A quarter of an hour either way, by one of the clocks that a signer of the twin may have."""
    request = signed(SigV4Auth(KEYS, "sts", "us-east-2"))
    now_s = moment_of(request) + age_s
    said = time_problem(read_signature(request), now_s)
    assert said is None if words is None else said.startswith(words)
    assert time_problem(read_signature(request), now_s, moment_of(request)) is None


def test_the_day_of_the_scope_is_the_day_of_the_date():
    """A key that was derived for another day signs nothing of this one."""
    found = read_signature(signed(SigV4Auth(KEYS, "sts", "us-east-2")))
    wrong = dataclasses.replace(found, day="20150101")
    assert "does not match YYYYMMDD" in time_problem(wrong, 0.0)
    assert "ISO-8601" in time_problem(dataclasses.replace(found, moment="yesterday"), 0.0)


@pytest.mark.parametrize(
    ("expires", "age_s", "words"),
    [(60, 59, None), (60, 62, "expired"), (700_000, 0, "X-Amz-Expires"), (60, -902, "not yet")],
)
def test_a_presigned_address_lives_as_long_as_it_says(expires, age_s, words):
    """And a week at the most."""
    auth = S3SigV4QueryAuth(KEYS, "s3", "us-east-2", expires=expires)
    request = signed(auth, method="GET", url="http://127.0.0.1:4566/bucket/key", body=b"")
    assert is_signed_with(SECRET, read_signature(request), request)
    said = time_problem(read_signature(request), moment_of(request) + age_s)
    assert said is None if words is None else words in said


def with_body(request, body, **headers):
    """Return the same request with another body and other headers."""
    return dataclasses.replace(request, body=body, headers=request.headers | headers)


def test_a_service_hashes_the_body_itself():
    """A hash in a header says nothing to anybody but S3, and neither does a word in its place."""
    kept = hashlib.sha256(b"Action=GetCallerIdentity").hexdigest()
    for told in (kept, "UNSIGNED-PAYLOAD"):
        request = signed(
            SigV4Auth(KEYS, "sts", "us-east-2"),
            body=b"Action=GetCallerIdentity",
            **{"x-amz-content-sha256": told},
        )
        changed = with_body(request, b"Action=GetSessionToken")
        assert not is_signed_with(SECRET, read_signature(changed), changed)


def test_s3_compares_the_body_with_the_hash_that_was_signed():
    """Unless the signer left the body out, as presigned addresses do."""
    request = signed(
        S3SigV4Auth(KEYS, "s3", "us-east-2"), method="PUT", url="http://127.0.0.1:4566/b/k"
    )
    found = read_signature(request)
    assert body_problem(found, request) is None
    assert "does not match" in body_problem(found, with_body(request, b"other"))
    unsigned = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    assert body_problem(found, with_body(request, b"other", **unsigned)) is None
    bare = {k: v for k, v in request.headers.items() if k != "x-amz-content-sha256"}
    assert "Missing" in body_problem(found, dataclasses.replace(request, headers=bare))
