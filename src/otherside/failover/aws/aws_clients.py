"""AWS clients, one per Region and service, with short timeouts and no hidden retries of changes."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from otherside.failover.ports import ConflictError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_sns import SNSClient

READING = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2})
CHANGING = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
"""For clients that make changes: an SDK retry is a late duplicate that the caller never sees."""


class ObjectStoreClient(Protocol):
    """The part of the S3 client that we use."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Return an object."""

    def put_object(self, **parameters: object) -> dict[str, Any]:
        """Write an object."""


class AwsClients:
    """Creates each client once: creating one costs more than a call."""

    def __init__(self, session: boto3.Session | None = None) -> None:
        """Use the given session, or else the function's own."""
        self._session = session or boto3.Session()
        self._made: dict[tuple[str, str, bool], object] = {}

    def dynamodb(self, region: str) -> "DynamoDBClient":
        """Return a client of DynamoDB. Its writes carry their own condition."""
        return cast("DynamoDBClient", self._make("dynamodb", region, changing=True))

    def rds(self, region: str, *, changing: bool = False) -> "RDSClient":
        """Return a client of RDS."""
        return cast("RDSClient", self._make("rds", region, changing=changing))

    def autoscaling(self, region: str, *, changing: bool = False) -> "AutoScalingClient":
        """Return a client of Auto Scaling."""
        return cast("AutoScalingClient", self._make("autoscaling", region, changing=changing))

    def cloudwatch(self, region: str) -> "CloudWatchClient":
        """Return a client of CloudWatch."""
        return cast("CloudWatchClient", self._make("cloudwatch", region, changing=True))

    def functions(self, region: str) -> "LambdaClient":
        """Return a client of Lambda."""
        return cast("LambdaClient", self._make("lambda", region, changing=True))

    def s3(self, region: str) -> "ObjectStoreClient":
        """Return a client of S3. Its writes carry their own condition."""
        return cast("ObjectStoreClient", self._make("s3", region, changing=True))

    def sns(self, region: str) -> "SNSClient":
        """Return a client of SNS."""
        return cast("SNSClient", self._make("sns", region, changing=True))

    def sts_endpoint(self, region: str) -> str:
        """Return the address of STS in a Region, or of whatever stands in for AWS."""
        client: Any = self._make("sts", region, changing=False)
        # Older SDKs take the global name, which one Region serves: the one that may be lost.
        return str(client.meta.endpoint_url).replace(
            "//sts.amazonaws.com", f"//sts.{region}.amazonaws.com"
        )

    def _make(self, service: str, region: str, *, changing: bool) -> object:
        key = (service, region, changing)
        if key not in self._made:
            make: Callable[..., object] = self._session.client
            config = CHANGING if changing else READING
            self._made[key] = make(service, region_name=region, config=config)
        return self._made[key]


def code_of(error: ClientError) -> str:
    """Return AWS's error code."""
    return error.response.get("Error", {}).get("Code", "")


SERVER_ERROR = 500


def calling(what: str) -> AbstractContextManager[None]:
    """Turn any failure of a call into an `UnavailableError` that names the call.

    Any failure: a malformed response, one that lacks a required field, or one with an impossible
    value. If the response cannot be read, the outcome of the call is unknown, which is no reason to
    stop observing. If AWS itself refused, a `RefusedError` is raised. The message has the kind of
    error but none of AWS's text, which may name things that do not belong in a log.
    """
    return _Call(what)


class _Call(AbstractContextManager[None]):
    """A class and no generator: an observation enters dozens of these."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            return
        ours = isinstance(error, (ConflictError, UnavailableError))
        if ours or not isinstance(error, Exception):
            return
        if not isinstance(error, ClientError):
            msg = f"{self._what}: {type(error).__name__}"
            raise UnavailableError(msg) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", SERVER_ERROR)
        if status < SERVER_ERROR:
            raise RefusedError(self._what, code_of(error)) from error
        msg = f"{self._what}: {code_of(error)}"
        raise UnavailableError(msg) from error
