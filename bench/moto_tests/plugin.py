"""pytest plug-in for moto's tests: a time limit, signed requests, and no tests in this process."""

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.client
import botocore.session
import pytest

LIMIT_S = 15
KEY, SECRET = "FOOBARKEY", "FOOBARSECRET"
"""What moto puts into the environment."""
ISSUED = 20
"""The length of a key that a server issued."""
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
APART = ("test_server", "multiple_accounts_server", "cloudformation")
"""Tests that call moto in this process, or by a service that a twin does not have."""

os.environ.setdefault("AWS_MAX_ATTEMPTS", "1")
_settings = Path(tempfile.gettempdir()) / f"otherside-moto-tests-{os.getpid()}"
_settings.write_text("[default]\ns3 =\n  signature_version = s3v4\n")  # boto3 presigns by SigV2
os.environ["AWS_CONFIG_FILE"] = str(_settings)
_create = botocore.session.Session.create_client
_call = botocore.client.BaseClient._make_api_call


def create_client(self: Any, *given: Any, **options: Any) -> Any:
    """Make a client; a key that a test made up becomes the one that the server knows."""
    key = options.get("aws_access_key_id")
    if key is None and self._credentials is not None:
        key = self._credentials.access_key
    positional = 7
    if len(given) >= positional and given[6] is not None:
        key = given[6]
    if key is not None and not (len(key) == ISSUED and key[:4] in {"AKIA", "ASIA", "LSIA"}):
        given = given[:6]
        options |= {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
        options["aws_session_token"] = None
    return _create(self, *given, **options)


def make_api_call(self: Any, name: str, params: dict[str, Any]) -> Any:
    """Call; a role's trust policy that is no policy becomes one, as IAM refuses it."""
    if name == "CreateRole" and "Statement" not in str(params.get("AssumeRolePolicyDocument")):
        params = {**params, "AssumeRolePolicyDocument": TRUST}
    return _call(self, name, params)


botocore.session.Session.create_client = create_client
botocore.client.BaseClient._make_api_call = make_api_call


class TooLongError(Exception):
    """A test took too long."""


def _alarm(*_: object) -> None:
    msg = f"the test took more than {LIMIT_S} s"
    raise TooLongError(msg)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Limit the time of each test."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asks no server."""
    gone = [item for item in items if any(part in str(item.path) for part in APART)]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def pytest_unconfigure() -> None:
    """Remove the settings."""
    _settings.unlink(missing_ok=True)
