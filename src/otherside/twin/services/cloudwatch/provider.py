"""CloudWatch's control plane where moto differs: an alarm's first state, and metric streams."""

import datetime as dt
from dataclasses import dataclass

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.services.base import ServiceProvider, after, api_error, operation
from otherside.twin.services.cloudwatch.composite_rule import children

DAY_S, WEEK_S, HOUR_S = 86_400, 604_800, 3_600


@dataclass(slots=True, kw_only=True)
class Stream:
    """One metric stream."""

    name: str
    arn: str
    region: str
    firehose_arn: str
    role_arn: str
    output_format: str
    include: list[JsonObject]
    exclude: list[JsonObject]
    state: str = "running"
    created_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressor:
    """The alarm that suppresses a composite alarm's actions."""

    alarm: str
    wait_s: float
    extension_s: float


class CloudWatchProvider(ServiceProvider):
    """Creates alarms as AWS does, and metric streams, which moto lacks."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context
        self.streams: dict[tuple[str, str], Stream] = {}
        self.suppressors: dict[tuple[str, str], Suppressor] = {}
        """Keyed by Region and composite alarm; moto stores none."""
        self._states: dict[tuple[str, str], tuple[str, str, str]] = {}

    @operation("cloudwatch", "PutMetricAlarm")
    def check_alarm(self, call: ApiCall, params: Params) -> None:
        """Refuse periods and ranges that AWS refuses, and leave the rest to moto."""
        period = int(params.get("Period") or 0)
        span_s = period * int(params.get("EvaluationPeriods") or 1)
        longest_s = DAY_S if period < HOUR_S else WEEK_S
        if span_s > longest_s:
            message = f"Metrics cannot be checked across more than {longest_s} s"
            raise api_error("ValidationError", message)
        if period and period not in {10, 20, 30} and period % 60:
            message = "Period must be 10, 20, 30 or a multiple of 60"
            raise api_error("ValidationError", message)
        self._remember_state(call.region, params["AlarmName"])
        raise LeaveToMotoError

    @operation("cloudwatch", "PutCompositeAlarm")
    def check_composite(self, call: ApiCall, params: Params) -> None:
        """Create a composite alarm, which moto can store but has no operation for."""
        self._check_children(call.region, str(params["AlarmRule"]))
        self._remember_state(call.region, params["AlarmName"])
        moto_backend.cloudwatch(self._context.account, call.region).put_metric_alarm(
            name=params["AlarmName"],
            rule=params["AlarmRule"],
            description=params.get("AlarmDescription", ""),
            actions_enabled=params.get("ActionsEnabled", True),
            alarm_actions=list(params.get("AlarmActions") or []),
            ok_actions=list(params.get("OKActions") or []),
            insufficient_data_actions=list(params.get("InsufficientDataActions") or []),
            namespace="",
            metric_name="",
            comparison_operator="",
            evaluation_periods=0,
            period=0,
            threshold=0.0,
            statistic="",
            dimensions=[],
        )
        self.alarm_put(call, params, b"")

    def _check_children(self, region: str, rule: str) -> None:
        """Refuse a rule that cannot be read, or that asks an alarm that is not there."""
        try:
            asked = children(rule)
        except ValueError as error:
            raise api_error("ValidationError", f"Invalid AlarmRule: {error}") from error
        absent = asked - set(moto_backend.cloudwatch(self._context.account, region).alarms)
        if absent:
            message = (
                f"Could not save the composite alarm as alarms [{', '.join(sorted(absent))}] in "
                "the alarm rule do not exist"
            )
            raise api_error("ValidationError", message)

    @operation("cloudwatch", "DeleteAlarms")
    def check_dependents(self, call: ApiCall, params: Params) -> None:
        """Refuse to delete an alarm that a composite alarm asks, and leave the rest to moto."""
        doomed = set(params["AlarmNames"])
        alarms = moto_backend.cloudwatch(self._context.account, call.region).alarms
        needed = {
            child
            for name, alarm in alarms.items()
            if alarm.rule and name not in doomed
            for child in children(alarm.rule) & doomed
        }
        if needed:
            them = "them" if len(needed) > 1 else "it"
            message = (
                f"Cannot delete {','.join(sorted(needed))} as there are composite alarm(s) "
                f"depending on {them}."
            )
            raise api_error("ValidationError", message)
        raise LeaveToMotoError

    @after("cloudwatch", "PutMetricAlarm")
    def alarm_put(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Start a new alarm with insufficient data; an alarm that is put again keeps its state."""
        alarm = moto_backend.cloudwatch(self._context.account, call.region).alarms[
            params["AlarmName"]
        ]
        known = self._states.pop((call.region, params["AlarmName"]), None)
        if known is None:
            alarm.state_value = "INSUFFICIENT_DATA"
            alarm.state_reason = "Unchecked: Initial alarm creation"
            alarm.state_reason_data = ""
        else:
            alarm.state_value, alarm.state_reason, alarm.state_reason_data = known
        if params.get("ActionsSuppressor"):
            self.suppressors[call.region, params["AlarmName"]] = Suppressor(
                alarm=params["ActionsSuppressor"],
                wait_s=float(params.get("ActionsSuppressorWaitPeriod") or 0),
                extension_s=float(params.get("ActionsSuppressorExtensionPeriod") or 0),
            )

    def _remember_state(self, region: str, name: str) -> None:
        held = moto_backend.cloudwatch(self._context.account, region).alarms.get(name)
        if held is not None:
            known = (held.state_value, held.state_reason, held.state_reason_data)
            self._states[region, name] = known

    @operation("cloudwatch", "PutMetricStream")
    def put_stream(self, call: ApiCall, params: Params) -> JsonObject:
        """Create or change a metric stream."""
        if params.get("IncludeFilters") and params.get("ExcludeFilters"):
            message = "A stream includes or excludes, and not both"
            raise api_error("InvalidParameterCombination", message)
        name = params["Name"]
        arn = f"arn:aws:cloudwatch:{call.region}:{self._context.account}:metric-stream/{name}"
        self.streams[call.region, name] = Stream(
            name=name,
            arn=arn,
            region=call.region,
            firehose_arn=params["FirehoseArn"],
            role_arn=params["RoleArn"],
            output_format=params["OutputFormat"],
            include=list(params.get("IncludeFilters") or []),
            exclude=list(params.get("ExcludeFilters") or []),
            created_s=self._context.now_s,
        )
        return {"Arn": arn}

    @operation("cloudwatch", "GetMetricStream")
    def get_stream(self, call: ApiCall, params: Params) -> JsonObject:
        """Describe one metric stream."""
        return self._describe(self._stream(call, params["Name"]), whole=True)

    @operation("cloudwatch", "ListMetricStreams")
    def list_streams(self, call: ApiCall, _params: Params) -> JsonObject:
        """List the metric streams of a Region."""
        found = [stream for (region, _), stream in self.streams.items() if region == call.region]
        return {"Entries": [self._describe(stream, whole=False) for stream in found]}

    @operation("cloudwatch", "DeleteMetricStream")
    def delete_stream(self, call: ApiCall, params: Params) -> JsonObject:
        """Delete a metric stream; deleting a missing one is not an error."""
        self.streams.pop((call.region, params["Name"]), None)
        return {}

    @operation("cloudwatch", "StartMetricStreams", "StopMetricStreams")
    def turn_streams(self, call: ApiCall, params: Params) -> JsonObject:
        """Start or stop metric streams; metrics published while stopped are never sent."""
        state = "running" if call.operation.startswith("Start") else "stopped"
        for name in params["Names"]:
            self._stream(call, name).state = state
        return {}

    def _stream(self, call: ApiCall, name: str) -> Stream:
        found = self.streams.get((call.region, name))
        if found is None:
            message = f"Metric stream {name} does not exist"
            raise api_error("ResourceNotFoundException", message)
        return found

    def _describe(self, stream: Stream, *, whole: bool) -> JsonObject:
        made = dt.datetime.fromtimestamp(stream.created_s, dt.UTC)
        known = {
            "Arn": stream.arn,
            "Name": stream.name,
            "FirehoseArn": stream.firehose_arn,
            "State": stream.state,
            "CreationDate": made,
            "LastUpdateDate": made,
            "OutputFormat": stream.output_format,
        }
        if whole:
            known |= {
                "RoleArn": stream.role_arn,
                "IncludeFilters": stream.include,
                "ExcludeFilters": stream.exclude,
            }
        return known
