"""Clients of AWS, each for one Region, with short time-outs and no repeats that we do not see."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from otherside.failover.ports import ConflictError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_sns import SNSClient

READING = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2})
CHANGING = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
"""A repeat that the SDK makes by itself is a late duplicate: whoever changes anything sees it."""


class ObjectStoreClient(Protocol):
    """What we need of S3."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Return an object."""

    def put_object(self, **parameters: object) -> dict[str, Any]:
        """Write an object."""


class AwsClients:
    """Makes each client once: making one costs more than the call."""

    def __init__(self, session: boto3.Session | None = None) -> None:
        """Keep the session; the functions' own where none is given."""
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

    def _make(self, service: str, region: str, *, changing: bool) -> object:
        key = (service, region, changing)
        if key not in self._made:
            make: Callable[..., object] = self._session.client
            config = CHANGING if changing else READING
            self._made[key] = make(service, region_name=region, config=config)
        return self._made[key]


def code_of(error: ClientError) -> str:
    """Return AWS's own name of an error."""
    return error.response.get("Error", {}).get("Code", "")


SERVER_ERROR = 500


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turn whatever goes wrong with a call into `UnavailableError`, by name.

    Whatever: an answer that is no answer, one that lacks what it must have, one that says something
    impossible. What cannot be read is a call whose outcome nobody knows, and no reason to stop
    looking. A no of AWS's own is a `RefusedError`. The message tells the kind of error and nothing
    that AWS said: what it says may name things that do not belong into a log.
    """
    try:
        yield
    except (ConflictError, UnavailableError):
        raise
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", SERVER_ERROR)
        if status < SERVER_ERROR:
            raise RefusedError(what, code_of(error)) from error
        msg = f"{what}: {code_of(error)}"
        raise UnavailableError(msg) from error
    except Exception as error:
        msg = f"{what}: {type(error).__name__}"
        raise UnavailableError(msg) from error
