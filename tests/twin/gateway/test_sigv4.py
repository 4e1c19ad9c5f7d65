"""Signatures, made by botocore and checked by the front door."""

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from otherside.twin.gateway.sigv4 import SignedRequest, is_signed_with, read_signature

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
