"""CloudWatch alarms: evaluated on their own tick, acting on state transitions only.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

import asyncio
import datetime as dt
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import Alarm
from otherside.twin.services.base import ServiceProvider, api_error, operation
from otherside.twin.services.cloudwatch.composite_rule import holds
from otherside.twin.services.cloudwatch.metrics import Metrics
from otherside.twin.services.cloudwatch.provider import Suppressor

TICK_S, HIGH_TICK_S, MINUTE_S = 60.0, 10.0, 60
EXTRA = 2
"""How many periods an evaluation reads beyond those requested; AWS does not publish its number."""


class AlarmState(StrEnum):
    """The state of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


MetricPoint = bool | None
"""Whether one period breaches, or `None` if it has no data."""


def evaluate(
    points: Sequence[MetricPoint], *, wanted: int, periods: int, missing: str
) -> AlarmState | None:
    """Return an alarm's state from the points in its range, oldest first; `None` keeps its state.

    `wanted` of the newest `periods` must breach. Missing data counts as the alarm is configured,
    but only for the periods that no point anywhere in the range can fill: a real point delays
    `breaching`.
    """
    real = [point for point in points if point is not None]
    if len(real) >= periods:
        return AlarmState.ALARM if sum(real[-periods:]) >= wanted else AlarmState.OK
    breaching, filled = sum(real), periods - len(real)
    if missing == "breaching":
        return AlarmState.ALARM if breaching + filled >= wanted else AlarmState.OK
    if missing == "notBreaching":
        return AlarmState.ALARM if breaching >= wanted else AlarmState.OK
    if breaching >= wanted:
        return AlarmState.ALARM
    if len(real) > breaching:
        return AlarmState.OK
    if missing == "ignore":
        return None
    if not real:
        return AlarmState.INSUFFICIENT_DATA
    oldest = len(points) - next(n for n, point in enumerate(points) if point)
    return AlarmState.ALARM if oldest >= wanted else None


COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(slots=True)
class AlarmSuppression:
    """The suppression of a composite alarm's actions."""

    wait_until_s: float | None = None
    extend_until_s: float | None = None
    was_alarm: bool = False
    pending: str | None = None
    """The state before the transition whose actions have not run yet."""


class Alarms(ServiceProvider):
    """Evaluates every alarm of every Region, and publishes each transition."""

    def __init__(
        self,
        context: TwinContext,
        metrics: Metrics,
        emit: Callable[[str, JsonObject], None],
        act: Callable[[str, str, JsonObject], None],
        suppressors: Mapping[tuple[str, str], Suppressor],
    ) -> None:
        """Publish a Region's events with `emit`; run an action by its ARN with `act`."""
        self._context, self._metrics, self._emit, self._act = context, metrics, emit, act
        self._suppressors = suppressors
        self._children: dict[tuple[str, str], tuple[object, dict[str, str]]] = {}
        self._suppressed: dict[tuple[str, str], AlarmSuppression] = {}
        self._told: set[str] = set()

    @operation("cloudwatch", "SetAlarmState")
    def set_state(self, call: ApiCall, params: Params) -> None:
        """Set an alarm's state until its next evaluation."""
        alarms = moto_backend.cloudwatch(self._context.account, call.region).alarms
        alarm = alarms.get(params["AlarmName"])
        if alarm is None:
            raise api_error("ResourceNotFound", "Unknown", 404)
        state, reason = AlarmState(params["StateValue"]), params["StateReason"]
        data = params.get("StateReasonData") or ""
        self._context.spawn(self._set_soon(call.region, alarm, state, reason, data))

    async def _set_soon(
        self, region: str, alarm: Alarm, state: AlarmState, reason: str, data: str
    ) -> None:
        self._become(region, alarm, state, reason, data)

    async def run(self, region: str) -> None:
        """Evaluate a Region's alarms until the twin stops."""
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(1.0)
            if not self._context.partitions.stands(region):
                continue
            now_s = self._context.now_s
            alarms = list(moto_backend.cloudwatch(self._context.account, region).alarms.values())
            for alarm in alarms:
                if alarm.rule is None and now_s >= due.get(alarm.name, 0.0):
                    short = int(alarm.period or 0) < MINUTE_S
                    due[alarm.name] = now_s + (HIGH_TICK_S if short else TICK_S)
                    self._try(region, alarm, partial(self.look, region, alarm))
            for alarm in alarms:
                if alarm.rule is not None:
                    self._try(region, alarm, partial(self._compose, region, alarm, alarms))

    def _try(self, region: str, alarm: Alarm, evaluate_it: Callable[[], None]) -> None:
        """Evaluate one alarm; report a failure once, and let the other alarms continue."""
        try:
            evaluate_it()
        except (ValueError, KeyError, TypeError) as error:
            text = f"{alarm.name} cannot be evaluated: {type(error).__name__}: {error}"
            if text not in self._told:
                self._told.add(text)
                self._context.emit("alarm", region, text, alarm=alarm.name, failed=True)

    def look(self, region: str, alarm: Alarm) -> None:
        """Evaluate one metric alarm now."""
        state, points = self.judge(region, alarm)
        if state is not None:
            self._become(region, alarm, state, _reason(alarm, state, points), _data(alarm, points))

    def judge(
        self, region: str, alarm: Alarm, *, wanted: int | None = None
    ) -> tuple[AlarmState | None, list[float | None]]:
        """Return the state that an alarm's metric gives, and the points behind it."""
        periods = int(alarm.evaluation_periods)
        compare = COMPARISONS[str(alarm.comparison_operator)]
        values = self._metrics.points(alarm, region, periods + EXTRA)
        points = [
            None if value is None else compare(value, float(alarm.threshold)) for value in values
        ]
        missing = str(alarm.treat_missing_data or "missing")
        if alarm.namespace == "AWS/DynamoDB":
            missing = "ignore"  # regardless of the configuration
        needed = wanted or int(alarm.datapoints_to_alarm or periods)
        return evaluate(points, wanted=needed, periods=periods, missing=missing), values

    def _compose(self, region: str, alarm: Alarm, alarms: Sequence[Alarm]) -> None:
        """Evaluate a composite alarm from its children's states."""
        states = {alarm.name: str(alarm.state_value) for alarm in alarms}
        children = {name: said for name, said in states.items() if name in str(alarm.rule)}
        if self._children.get((region, alarm.name)) != (alarm.rule, children):
            self._children[region, alarm.name] = (alarm.rule, children)
            state = AlarmState.ALARM if holds(str(alarm.rule), states) else AlarmState.OK
            self._become(region, alarm, state, f"{alarm.rule} is {state}", "")
        self._release(region, alarm, states)

    def _become(self, region: str, alarm: Alarm, state: AlarmState, reason: str, data: str) -> None:
        """Set an alarm's state; if it changed, publish the transition and run the actions."""
        before = {
            "value": str(alarm.state_value),
            "reason": str(alarm.state_reason),
            "reasonData": str(alarm.state_reason_data or ""),
            "timestamp": _stamp(alarm.state_updated_timestamp),
        }
        if before["value"] == state:
            return
        alarm.update_state(reason, data, str(state))
        self._context.emit("alarm", region, f"{alarm.name} is {state}", alarm=alarm.name)
        self._emit(region, _event(self._context.account, region, alarm, before))
        if not alarm.actions_enabled:
            return
        suppressor = self._suppressors.get((region, alarm.name))
        if suppressor is not None:
            held = self._suppressed.setdefault((region, alarm.name), AlarmSuppression())
            held.pending = held.pending or before["value"]
            held.wait_until_s = self._context.now_s + suppressor.wait_s
            return
        self._do(region, alarm, before["value"])

    def _do(self, region: str, alarm: Alarm, before: str) -> None:
        """Run the actions for an alarm's current state."""
        actions = {
            AlarmState.ALARM: alarm.alarm_actions,
            AlarmState.OK: alarm.ok_actions,
            AlarmState.INSUFFICIENT_DATA: alarm.insufficient_data_actions,
        }[AlarmState(str(alarm.state_value))]
        for arn in actions or ():
            message = _message(self._context.account, region, alarm, before)
            self._act(region, str(arn), message)

    def _release(self, region: str, alarm: Alarm, states: Mapping[str, str]) -> None:
        """Run the suppressed actions once nothing suppresses them any more."""
        held = self._suppressed.get((region, alarm.name))
        suppressor = self._suppressors.get((region, alarm.name))
        if held is None or suppressor is None:
            return
        name = suppressor.alarm.rpartition(":alarm:")[2] or suppressor.alarm
        now_s, alarmed = self._context.now_s, states.get(name) == AlarmState.ALARM
        if held.was_alarm and not alarmed:
            held.extend_until_s = now_s + suppressor.extension_s
        held.was_alarm = alarmed
        if alarmed:
            held.wait_until_s = held.extend_until_s = None
            return
        waiting = max(held.wait_until_s or 0.0, held.extend_until_s or 0.0)
        if held.pending is not None and now_s >= waiting:
            before, held.pending = held.pending, None
            if before != str(alarm.state_value):
                self._do(region, alarm, before)


def _reason(alarm: Alarm, state: AlarmState, points: Sequence[float | None]) -> str:
    shown = [point for point in points if point is not None]
    if not shown:
        return f"{state}: no datapoints were received"
    low = str(alarm.comparison_operator)
    return f"Threshold Crossed: {len(shown)} datapoints {shown} against {low} {alarm.threshold}"


def _data(alarm: Alarm, points: Sequence[float | None]) -> str:
    return json.dumps(
        {
            "version": "1.0",
            "statistic": alarm.statistic,
            "period": alarm.period,
            "recentDatapoints": [point for point in points if point is not None],
            "threshold": alarm.threshold,
        }
    )


def _stamp(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _event(account: str, region: str, alarm: Alarm, before: dict[str, str]) -> JsonObject:
    """Return the event for a transition, without the fields that every event has."""
    previous = {key: value for key, value in before.items() if value}
    state = {
        "value": str(alarm.state_value),
        "reason": str(alarm.state_reason),
        "reasonData": str(alarm.state_reason_data or ""),
        "timestamp": _stamp(alarm.state_updated_timestamp),
    }
    configuration: JsonObject = {"description": alarm.description}
    if alarm.rule is not None:
        configuration["alarmRule"] = alarm.rule
    else:
        metric = {
            "name": alarm.metric_name,
            "namespace": alarm.namespace,
            "dimensions": {dimension.name: dimension.value for dimension in alarm.dimensions},
        }
        stat = {"metric": metric, "period": int(alarm.period), "stat": alarm.statistic}
        configuration["metrics"] = [{"id": "m1", "metricStat": stat, "returnData": True}]
    return {
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "resources": [f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm.name}"],
        "detail": {
            "alarmName": alarm.name,
            "configuration": configuration,
            "previousState": previous,
            "state": {key: value for key, value in state.items() if value},
        },
    }


NAMES: Mapping[str, str] = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
    "eu-west-1": "EU (Ireland)",
    "eu-central-1": "EU (Frankfurt)",
}


def _message(account: str, region: str, alarm: Alarm, before: str) -> JsonObject:
    """Return the message about a transition for a topic or a function."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": str(alarm.state_value),
        "NewStateReason": str(alarm.state_reason),
        "StateChangeTime": _stamp(alarm.state_updated_timestamp),
        "Region": NAMES.get(region, region),
        "AlarmArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm.name}",
        "OldStateValue": before,
        "OKActions": list(alarm.ok_actions or ()),
        "AlarmActions": list(alarm.alarm_actions or ()),
        "InsufficientDataActions": list(alarm.insufficient_data_actions or ()),
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": "Statistic",
            "Statistic": str(alarm.statistic or "").upper(),
            "Unit": None,
            "Dimensions": [
                {"value": dimension.value, "name": dimension.name} for dimension in alarm.dimensions
            ],
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data or "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
