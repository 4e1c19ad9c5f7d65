"""What a caller without a signature is told."""

import json
from xml.etree import ElementTree as ET

import pytest

from otherside.twin.gateway.protocol import RequestRefusedError
from otherside.twin.gateway.sigv4 import SignedRequest
from otherside.twin.gateway.unsigned import refusal_of, refused

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def asking(*, path="/", query="", headers, body=b""):
    """Return a request without a signature."""
    return SignedRequest(method="POST", path=path, query=query, headers=headers, body=body)


def told(path="/", query="", headers=None, body=b""):
    """Return a refusal's status, and its code as the caller finds it."""
    request = asking(path=path, query=query, headers=headers or {}, body=body)
    error = refusal_of(request)
    sent, text = refused(request, error)
    if "json" in sent["Content-Type"]:
        return error.status, json.loads(text)["__type"]
    found = ET.fromstring(text)
    return error.status, (found.findtext("Error/Code") or found.findtext("Code"))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"headers": FORM, "body": b"Action=ListUsers"}, "MissingAuthenticationToken"),
        ({"query": "Action=ListUsers"}, "MissingAuthenticationToken"),
        ({"headers": {"x-amz-target": "DynamoDB.ListTables"}}, "MissingAuthenticationToken"),
        ({"path": "/2015-03-31/functions"}, "MissingAuthenticationToken"),
        ({"path": "/2013-04-01/hostedzone"}, "MissingAuthenticationToken"),
        ({"path": "/bucket/key"}, "AccessDenied"),
    ],
    ids=["a form", "a query", "a target", "a dated path", "route 53", "an object"],
)
def test_a_caller_without_a_signature_is_answered_in_its_own_form(asked, code):
    """A parser of XML never meets JSON, nor the other way round."""
    assert told(**asked) == (403, code)


@pytest.mark.parametrize("action", ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"])
def test_what_needs_no_signature_at_aws_is_refused_by_name(action):
    """The twin has no identity providers."""
    body = f"Action={action}&RoleArn=r".encode()
    assert told(headers=FORM, body=body) == (501, "TwinNotImplemented")


def test_a_message_may_hold_anything():
    """Quotes and brackets break neither form."""
    error = RequestRefusedError("Odd", 'a "b" <c> & d', 400)
    json_caller = asking(headers={"x-amz-target": "a.b"})
    assert json.loads(refused(json_caller, error)[1])["message"] == 'a "b" <c> & d'
    form_caller = asking(query="Action=A", headers={})
    assert (
        ET.fromstring(refused(form_caller, error)[1]).findtext("Error/Message") == 'a "b" <c> & d'
    )
