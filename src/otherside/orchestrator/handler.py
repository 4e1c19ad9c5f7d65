"""The two functions of the orchestrator, as Lambda calls them.

`decide` runs each minute and on events; what woke it is never read as evidence. It says that it is
alive, and keeps DNS where the newest committed revision wants it. `act` carries out committed
intents, and is the only one that may move the writer.

This version decides nothing yet: no revision of its own, so no intent, so no move.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config

from otherside.core.names import (
    FAILOVER_ACTIVE,
    HEARTBEAT,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    STATE_PARTITION,
    STATE_SORT,
    OrchestratorSettings,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_dynamodb.service_resource import Table

_CLIENT = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2})
REVISIONS = "rev#"
LATCHED = "latched"
INTENT = "intent"


class UnknownIntentError(Exception):
    """A committed intent that this version does not know how to carry out."""


def decide(_event: object, _context: object) -> dict[str, Any]:
    """Take one look: report that it was taken, and hold DNS where the newest revision wants it."""
    settings = OrchestratorSettings.from_environment(os.environ)
    region = settings.standby_region
    table = boto3.resource("dynamodb", region_name=region, config=_CLIENT).Table(
        settings.state_table
    )
    metrics = boto3.client("cloudwatch", region_name=region, config=_CLIENT)
    return look(settings, table, metrics)


def look(
    settings: OrchestratorSettings, table: "Table", metrics: "CloudWatchClient"
) -> dict[str, Any]:
    """Publish the heartbeat and the latch; return what was published.

    The latch is published on every look and not when it changes: Route 53 reads a stream of data,
    and keeps the last word only while it hears nothing.
    """
    newest = newest_revision(settings, table)
    latched = bool(newest.get(LATCHED)) if newest else False
    metrics.put_metric_data(
        Namespace=METRIC_NAMESPACE,
        MetricData=[
            _datum(settings, HEARTBEAT, 1.0),
            _datum(settings, FAILOVER_ACTIVE, 1.0 if latched else 0.0),
        ],
    )
    return {"latched": latched, "revision": newest.get(STATE_SORT) if newest else None}


def act(_event: object, _context: object) -> dict[str, Any]:
    """Carry out the newest committed intent, if there is one.

    Raises:
        UnknownIntentError: If there is one: this version carries out none.
    """
    settings = OrchestratorSettings.from_environment(os.environ)
    resource = boto3.resource("dynamodb", region_name=settings.standby_region, config=_CLIENT)
    newest = newest_revision(settings, resource.Table(settings.state_table))
    if newest and newest.get(INTENT):
        msg = f"{newest[STATE_SORT]} asks for what this version cannot do; deploy one that can"
        raise UnknownIntentError(msg)
    return {"intent": None}


def newest_revision(settings: OrchestratorSettings, table: "Table") -> Mapping[str, Any] | None:
    """Return the newest committed revision, read from a majority, or `None` before the first."""
    key = Key(STATE_PARTITION).eq(settings.application) & Key(STATE_SORT).begins_with(REVISIONS)
    found = table.query(
        KeyConditionExpression=key, ScanIndexForward=False, Limit=1, ConsistentRead=True
    )
    return found["Items"][0] if found["Items"] else None


def _datum(settings: OrchestratorSettings, name: str, value: float) -> "MetricDatumTypeDef":
    dimensions: Any = [{"Name": METRIC_DIMENSION, "Value": settings.application}]
    return {"MetricName": name, "Dimensions": dimensions, "Value": value}
