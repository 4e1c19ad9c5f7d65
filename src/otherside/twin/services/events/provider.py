"""EventBridge: buses, rules, patterns and scheduled rules.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
"""

import asyncio
import datetime as dt
import json
import re
import uuid

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import Archive, EventPattern, Replay, ReplayState, Rule
from otherside.twin.services.base import ServiceProvider, api_error, operation
from otherside.twin.services.events.delivery import Delivery
from otherside.twin.services.events.pattern import PatternError, fits, read_pattern
from otherside.twin.services.lambda_.provider import LambdaProvider
from otherside.twin.services.service_access import ServiceAccess
from otherside.twin.services.sns.provider import SnsProvider
from otherside.twin.services.sqs.provider import Queues
from otherside.twin.timestamps import iso

ENTRIES_MAX = 10
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
TARGETS_MAX = 5
CRON_FIELDS = 6
UNIT_S = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}


def is_schedule(text: str) -> bool:
    """Return whether EventBridge accepts a schedule.

    A rate's unit agrees with its number; a cron expression has six fields, one of the two for days
    being a question mark.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    rate = RATE.fullmatch(text)
    if rate is not None:
        count = int(rate[1])
        return count > 0 and text.endswith("s)") == (count > 1)
    fields = text[5:-1].split() if text.startswith("cron(") and text.endswith(")") else []
    return len(fields) == CRON_FIELDS and (fields[2] == "?") != (fields[4] == "?")


def _bus(params: Params) -> str:
    return str(params.get("EventBusName") or "default").rpartition("/")[2]


class EventBridgeProvider(ServiceProvider):
    """Every event bus of every Region."""

    def __init__(
        self,
        context: TwinContext,
        authorizer: Authorizer,
        services: ServiceAccess,
        functions: LambdaProvider,
        queues: Queues,
        topics: SnsProvider,
    ) -> None:
        self._context = context
        self._delivery = Delivery(
            context, authorizer, services, functions, queues, topics, forward=self._receive
        )
        self.delivered = self._delivery.delivered
        """Every delivery and every failure, for drills and tests."""
        self._replay_by_us()

    def _replay_by_us(self) -> None:
        """Make moto's replays go the way of every event: through permissions and partitions."""

        def replay_events(replay: Replay, archive: Archive) -> None:
            bus = replay.destination["Arn"].rpartition("/")[2]
            for event in list(archive.events):
                at_s = dt.datetime.fromisoformat(str(event["time"])).timestamp()
                if float(replay.event_start_time) <= at_s <= float(replay.event_end_time):
                    again = {**event, "id": str(uuid.uuid4()), "replay-name": replay.name}
                    self._receive(replay.region, bus, again, forwarded=False)
            replay.state, replay.end_time = ReplayState.COMPLETED, self._context.now_s

        Replay.replay_events = replay_events  # type: ignore[assignment,method-assign]  # its seam

    @operation("events", "PutEvents")
    def put_events(self, call: ApiCall, params: Params) -> JsonObject:
        """Put the caller's own events; a refused event does not stop the others."""
        entries: list[JsonObject] = []
        if len(params["Entries"]) > ENTRIES_MAX:
            message = (
                "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed "
                "to satisfy constraint: Member must have length less than or equal to "
                f"{ENTRIES_MAX}"
            )
            raise api_error("ValidationException", message)
        for entry in params["Entries"]:
            problem = _problem(entry)
            if problem:
                entries.append({"ErrorCode": problem[0], "ErrorMessage": problem[1]})
                continue
            event = {
                "detail-type": entry["DetailType"],
                "source": entry["Source"],
                "resources": list(entry.get("Resources") or []),
                "detail": json.loads(entry["Detail"]),
            }
            if entry.get("Time") is not None:
                event["time"] = iso(entry["Time"].timestamp())
            bus = str(entry.get("EventBusName") or "default").rpartition("/")[2]
            entries.append({"EventId": self.emit(call.region, event, bus=bus)})
        failed = sum("ErrorCode" in entry for entry in entries)
        return {"FailedEntryCount": failed, "Entries": entries}

    @operation("events", "PutRule")
    def put_rule(self, call: ApiCall, params: Params) -> None:
        """Refuse a pattern that EventBridge refuses, and leave the rest to moto."""
        self._require_unmanaged(call, params, str(params["Name"]))
        if params.get("EventPattern"):
            _pattern(str(params["EventPattern"]))
        schedule = str(params.get("ScheduleExpression") or "")
        if schedule and not is_schedule(schedule):
            raise api_error("ValidationException", "Parameter ScheduleExpression is not valid.")
        if schedule and _bus(params) != "default":
            message = "ScheduleExpression is supported only on the default event bus."
            raise api_error("ValidationException", message)
        raise LeaveToMotoError

    @operation("events", "PutTargets")
    def put_targets(self, call: ApiCall, params: Params) -> None:
        """Refuse a rule's sixth target, and leave the rest to moto."""
        self._require_unmanaged(call, params, str(params["Rule"]))
        rules = self._rules(call.region, _bus(params))
        held = [rule.targets for rule in rules if rule.name == params["Rule"]]
        targets = {str(item["Id"]) for item in [*(held[0] if held else ()), *params["Targets"]]}
        if len(targets) > TARGETS_MAX:
            message = "The requested resource exceeds the maximum number allowed."
            raise api_error("LimitExceededException", message)
        raise LeaveToMotoError

    @operation("events", "EnableRule", "DisableRule", "DeleteRule", "RemoveTargets")
    def check_rule(self, call: ApiCall, params: Params) -> None:
        """Refuse what would break another service's rule, and leave the rest to moto."""
        if params.get("Force") not in {True, "true"}:  # only those two calls have it
            self._require_unmanaged(call, params, str(params.get("Rule") or params["Name"]))
        raise LeaveToMotoError

    def _require_unmanaged(self, call: ApiCall, params: Params, name: str) -> None:
        """Refuse a change of a rule that a service keeps for itself, such as an archive's.

        https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html
        """
        held = [rule for rule in self._rules(call.region, _bus(params)) if rule.name == name]
        if held and held[0].managed_by:
            message = f"Rule {name} is managed by {held[0].managed_by}."
            raise api_error("ManagedRuleException", message)

    @operation("events", "UpdateArchive")
    def update_archive(self, call: ApiCall, params: Params) -> None:
        """Give the archive's rule its new pattern, which moto gives to the archive alone."""
        archives = moto_backend.events(self._context.account, call.region).archives
        archive = archives.get(str(params["ArchiveName"]))
        if archive is not None and archive.rule is not None and params.get("EventPattern"):
            pattern = {**_pattern(str(params["EventPattern"])), "replay-name": [{"exists": False}]}
            archive.rule.event_pattern = EventPattern.load(json.dumps(pattern))
        raise LeaveToMotoError

    @operation("events", "StartReplay")
    def check_replay(self, _call: ApiCall, params: Params) -> None:
        """Refuse a replay to some rules only, and leave the rest to moto."""
        if (params.get("Destination") or {}).get("FilterArns"):
            message = "the twin replays to every rule that matches, and takes no FilterArns"
            raise api_error("TwinNotImplemented", message, 501)
        raise LeaveToMotoError

    @operation("events", "TestEventPattern")
    def try_pattern(self, _call: ApiCall, params: Params) -> JsonObject:
        """Return whether an event matches a pattern."""
        pattern = _pattern(str(params["EventPattern"]))
        try:
            event = json.loads(str(params["Event"]))
        except ValueError:
            raise api_error("ValidationException", "Parameter Event is not valid.") from None
        return {"Result": fits(pattern, event)}

    def emit(self, region: str, event: JsonObject, *, bus: str = "default") -> str:
        """Put an event onto a bus with the fields that every event has; return its identifier."""
        whole = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "account": self._context.account,
            "time": iso(self._context.now_s),
            "region": region,
            **event,
        }
        self._context.spawn(self._spread(region, bus, whole), name="an event")
        return str(whole["id"])

    def _receive(self, region: str, bus: str, event: JsonObject, *, forwarded: bool = True) -> None:
        """Put a whole event onto a bus: one that another Region forwarded, or one of an archive."""
        work = self._spread(region, bus, event, forwarded=forwarded)
        self._context.spawn(work, name="a forwarded event" if forwarded else "a replayed event")

    async def _spread(
        self, region: str, bus: str, event: JsonObject, *, forwarded: bool = False
    ) -> None:
        """Hand an event to every rule that matches it."""
        await asyncio.sleep(self._context.latency.of("event-delivery"))
        if not self._context.partitions.stands(region):
            return
        for rule in self._rules(region, bus):
            if rule.scheduled_expression or not str(rule.state).startswith("ENABLED"):
                continue
            if fits(json.loads(rule.event_pattern.dump() or "{}"), event):
                self._delivery.hand_out(region, rule, event, forwarded=forwarded)

    def _rules(self, region: str, bus: str) -> list[Rule]:
        backend = moto_backend.events(self._context.account, region)
        held = backend.event_buses.get(bus)
        return list(held.rules.values()) if held else []

    async def schedule(self, region: str) -> None:
        """Fire a Region's scheduled rules until the twin stops."""
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(0.5)
            if not self._context.partitions.stands(region):
                due.clear()
                continue
            now_s = self._context.now_s
            for rule in self._rules(region, "default"):
                found = RATE.fullmatch(rule.scheduled_expression or "")
                if found is None or not str(rule.state).startswith("ENABLED"):
                    due.pop(rule.arn, None)
                    continue
                every_s = int(found[1]) * UNIT_S[found[2]]
                if rule.arn not in due:
                    delay_s = self._context.latency.of("schedule-delay")
                    due[rule.arn] = now_s // 60 * 60 + 60 + delay_s
                elif now_s >= due[rule.arn]:
                    due[rule.arn] += every_s
                    self._delivery.hand_out(region, rule, self._tick(region, rule))

    def _tick(self, region: str, rule: Rule) -> JsonObject:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._context.account,
            "time": iso(self._context.now_s),
            "region": region,
            "resources": [rule.arn],
            "detail": {},
        }


def _pattern(text: str) -> JsonObject:
    try:
        return read_pattern(text)
    except PatternError as error:
        raise api_error("InvalidEventPatternException", str(error)) from error


def _problem(entry: JsonObject) -> tuple[str, str] | None:
    """Return why EventBridge refuses an entry, or `None`."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            reason = f"{name} is a required argument."
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {reason}"
    if str(entry["Source"]).startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        return "MalformedDetail", "Detail is malformed."
    return None if isinstance(detail, dict) else ("MalformedDetail", "Detail is malformed.")
