"""EventBridge: rules that match, targets that may be reached, retries, dead letters, schedules.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

import asyncio
import datetime as dt
import json
import random
import re
import uuid
from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.events.models import Rule, events_backends
from moto.sns.models import Subscription, sns_backends
from moto.sqs.models import sqs_backends

from otherside.twin.context import Ground
from otherside.twin.gateway.app import PassError
from otherside.twin.gateway.authorizer import Access
from otherside.twin.gateway.protocol import Call, Failure
from otherside.twin.ring_log import Trail
from otherside.twin.services.base import Extension, after, failure, operation
from otherside.twin.services.events.pattern import PatternError, fits, read_pattern
from otherside.twin.services.lambda_.provider import Functions

SERVICE = "events.amazonaws.com"
TOPICS = "sns.amazonaws.com"
ALARMS = "cloudwatch.amazonaws.com"
ALARM_LAMBDA = "lambda.alarms.cloudwatch.amazonaws.com"
AGE_S, TRIES = 86_400.0, 185
FIRST_PAUSE_S, PAUSE_MAX_S = 1.0, 60.0
ENTRIES_MAX = 10
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
UNIT_S = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}


class DeniedError(Exception):
    """A target that may not be reached: never tried again."""


class MissingError(Exception):
    """A target that is not there: never tried again."""


class Bus(Extension):
    """Every bus of every Region."""

    def __init__(self, ground: Ground, access: Access, functions: Functions) -> None:
        """Keep what delivers to what."""
        self._ground, self._access, self._functions = ground, access, functions
        self._chance = random.Random(ground.account)  # noqa: S311 - jitter of retries
        self.delivered: Trail[dict[str, Any]] = Trail()
        """Every delivery and every failure, for the drill and the tests."""
        functions.send = self.send
        self._invoke_for_moto()

    def _invoke_for_moto(self) -> None:
        """Have moto's own deliveries, a topic's to a function, go where all others go."""

        def invoke(function: LambdaFunction, event: object = None) -> tuple[str, bool, str]:
            payload = event if isinstance(event, str) else json.dumps(event or {})
            work = self._functions.invoke_later(function, payload.encode())
            self._ground.start(work, name="a function of a topic")
            return "{}", False, ""

        LambdaFunction._invoke_lambda = invoke  # type: ignore[assignment,method-assign]  # noqa: SLF001 - its seam
        publish = Subscription.publish

        def deliver(subscription: Subscription, *given: Any, **more: Any) -> None:  # noqa: ANN401 - moto's own shape
            if self._subscriber_lets(subscription):
                publish(subscription, *given, **more)

        Subscription.publish = deliver  # type: ignore[assignment,method-assign]  # its seam

    def _subscriber_lets(self, subscription: Subscription) -> bool:
        """Tell whether a queue or a function lets its topic in; what it does not is lost."""
        action = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}
        wanted = action.get(str(subscription.protocol))
        if wanted is None:
            return True
        topic, arn = str(subscription.topic.arn), str(subscription.endpoint)
        verdict = self._access.service_may(TOPICS, wanted, arn, source_arn=topic)
        if not verdict.allowed:
            region = topic.split(":")[3]
            self._ground.tell("notice", region, f"{arn} lets {topic} not {wanted}", failed=True)
        return verdict.allowed

    # --- what comes in --------------------------------------------------------------------------

    @operation("events", "PutEvents")
    def put_events(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """Put events of the caller's own; one that is refused does not stop the others."""
        entries: list[dict[str, Any]] = []
        if len(params["Entries"]) > ENTRIES_MAX:
            raise failure("ValidationException", f"at most {ENTRIES_MAX} entries at a time")
        for one in params["Entries"]:
            problem = _problem(one)
            if problem:
                entries.append({"ErrorCode": problem[0], "ErrorMessage": problem[1]})
                continue
            event = {
                "detail-type": one["DetailType"],
                "source": one["Source"],
                "resources": list(one.get("Resources") or []),
                "detail": json.loads(one["Detail"]),
            }
            bus = str(one.get("EventBusName") or "default").rpartition("/")[2]
            entries.append({"EventId": self.emit(call.region, event, bus=bus)})
        failed = sum("ErrorCode" in one for one in entries)
        return {"FailedEntryCount": failed, "Entries": entries}

    @operation("events", "PutRule")
    def put_rule(self, _call: Call, params: Mapping[str, Any]) -> None:
        """Refuse a pattern that EventBridge does, and leave the rest to moto."""
        if params.get("EventPattern"):
            _pattern(str(params["EventPattern"]))
        raise PassError

    @operation("events", "TestEventPattern")
    def try_pattern(self, _call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """Tell whether an event fits a pattern."""
        pattern = _pattern(str(params["EventPattern"]))
        try:
            event = json.loads(str(params["Event"]))
        except ValueError:
            raise failure("ValidationException", "Parameter Event is not valid.") from None
        return {"Result": fits(pattern, event)}

    @operation("sns", "Subscribe")
    def subscribe(self, _call: Call, params: Mapping[str, Any]) -> None:
        """Refuse what would leave this machine, and leave the rest to moto."""
        if str(params.get("Protocol")) in {"http", "https"}:
            message = (
                "the twin posts to nobody: subscribe a queue, a function or an address of mail"
            )
            raise failure("InvalidParameter", message)
        raise PassError

    def emit(self, region: str, event: dict[str, Any], *, bus: str = "default") -> str:
        """Put an event onto a bus, with what every event has; return its identifier."""
        whole = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "account": self._ground.account,
            "time": _iso(self._ground.now_s),
            "region": region,
            **event,
        }
        self._ground.start(self._spread(region, bus, whole), name="an event")
        return str(whole["id"])

    async def _spread(
        self, region: str, bus: str, event: dict[str, Any], *, forwarded: bool = False
    ) -> None:
        """Hand an event to every rule that it fits."""
        await asyncio.sleep(self._ground.latency.of("event-delivery"))
        if not self._ground.geography.stands(region):
            return
        for rule in self._rules(region, bus):
            if rule.scheduled_expression or not str(rule.state).startswith("ENABLED"):
                continue
            if fits(json.loads(rule.event_pattern.dump() or "{}"), event):
                self._hand_out(region, rule, event, forwarded=forwarded)

    def _rules(self, region: str, bus: str) -> list[Rule]:
        backend = events_backends[self._ground.account][region]
        held = backend.event_buses.get(bus)
        return list(held.rules.values()) if held else []

    def _hand_out(self, region: str, rule: Rule, event: dict[str, Any], *, forwarded: bool) -> None:
        for target in list(rule.targets):
            arn = str(target["Arn"])
            if forwarded and ":event-bus/" in arn:
                self._note(region, rule, arn, event, "dropped: it was forwarded once")
                continue
            work = self._deliver(region, rule, target, event)
            self._ground.start(work, name=f"deliver to {arn}")

    async def schedule(self, region: str) -> None:
        """Fire a Region's scheduled rules for as long as the twin lives."""
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(0.5)
            if not self._ground.geography.stands(region):
                due.clear()
                continue
            now_s = self._ground.now_s
            for rule in self._rules(region, "default"):
                found = RATE.fullmatch(rule.scheduled_expression or "")
                if found is None or not str(rule.state).startswith("ENABLED"):
                    due.pop(rule.arn, None)
                    continue
                every_s = int(found[1]) * UNIT_S[found[2]]
                if rule.arn not in due:
                    delay_s = self._ground.latency.of("schedule-delay")
                    due[rule.arn] = now_s // 60 * 60 + 60 + delay_s
                elif now_s >= due[rule.arn]:
                    due[rule.arn] += every_s
                    self._hand_out(region, rule, self._tick(region, rule), forwarded=False)

    def _tick(self, region: str, rule: Rule) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._ground.account,
            "time": _iso(self._ground.now_s),
            "region": region,
            "resources": [rule.arn],
            "detail": {},
        }

    # --- what goes out --------------------------------------------------------------------------

    async def _deliver(
        self, region: str, rule: Rule, target: Mapping[str, Any], event: dict[str, Any]
    ) -> None:
        """Deliver an event to one target; repeat what may succeed, keep what does not."""
        policy = target.get("RetryPolicy") or {}
        age_s = float(policy.get("MaximumEventAgeInSeconds", AGE_S))
        repeats = int(policy.get("MaximumRetryAttempts", TRIES))
        arn, began_s, pause_s, tries = str(target["Arn"]), self._ground.now_s, FIRST_PAUSE_S, 0
        while True:
            try:
                await self._once(region, rule, target, event)
            except DeniedError as error:
                await self._bury(region, rule, target, event, "NO_PERMISSIONS", str(error), "", 0)
                return
            except MissingError as error:
                await self._bury(region, rule, target, event, "NO_RESOURCE", str(error), "", 0)
                return
            except (OSError, Failure) as error:
                over = "MaximumRetryAttempts" if tries >= repeats else ""
                if self._ground.now_s - began_s + pause_s > age_s:
                    over = "MaximumEventAgeInSeconds"
                if over:
                    code = "TIMEOUT" if isinstance(error, OSError) else "THROTTLING"
                    await self._bury(region, rule, target, event, code, str(error), over, tries)
                    return
                tries += 1
                await asyncio.sleep(pause_s * self._chance.uniform(0.5, 1.0))
                pause_s = min(pause_s * 2, PAUSE_MAX_S)
            else:
                self._note(region, rule, arn, event, "")
                return

    async def _once(
        self, region: str, rule: Rule, target: Mapping[str, Any], event: dict[str, Any]
    ) -> None:
        arn, source = str(target["Arn"]), str(rule.arn)
        text = _shaped(target, event)
        service = arn.split(":")[2]
        there = arn.split(":")[3] or region
        if not self._ground.geography.reaches(region, there):
            msg = f"{there} cannot be reached"
            raise ConnectionError(msg)
        match service:
            case "lambda":
                self._may(SERVICE, "lambda:InvokeFunction", arn, source)
                function = self._find_function(arn)
                work = self._functions.invoke_later(function, text.encode())
                self._ground.start(work, name="a function of a rule")
            case "sqs":
                await self.to_queue(SERVICE, arn, text, source=source)
            case "sns":
                self.publish(SERVICE, arn, text, source=source)
            case "events":
                await self._forward(region, rule, target, event, there)
            case "logs":
                self._may(SERVICE, "logs:PutLogEvents", arn, source)
            case _:
                msg = f"the twin delivers no events to {service}"
                raise MissingError(msg)

    def _find_function(self, arn: str) -> Any:  # noqa: ANN401 - moto's own
        try:
            return self._functions.find(arn.split(":")[3], arn)
        except Failure as error:
            raise MissingError(str(error)) from error

    async def _forward(
        self,
        region: str,
        rule: Rule,
        target: Mapping[str, Any],
        event: dict[str, Any],
        there: str,
    ) -> None:
        """Hand an event to a bus of another Region, as the target's role; it keeps its Region."""
        arn, role = str(target["Arn"]), str(target.get("RoleArn") or "")
        bus = arn.rpartition("/")[2]
        if bus not in events_backends[self._ground.account][there].event_buses:
            raise MissingError(arn)
        if there != region:
            if not self._access.trusts(role, SERVICE, source_arn=str(rule.arn)):
                msg = f"{role or 'no role'} cannot be assumed by EventBridge"
                raise DeniedError(msg)
            if not self._access.role_may(role, "events:PutEvents", arn, region=there).allowed:
                msg = f"{role} may not events:PutEvents on {arn}"
                raise DeniedError(msg)
        await asyncio.sleep(self._ground.latency.of("event-forward"))
        self._ground.start(
            self._spread(there, bus, event, forwarded=True), name="a forwarded event"
        )

    async def _bury(
        self,
        region: str,
        rule: Rule,
        target: Mapping[str, Any],
        event: dict[str, Any],
        code: str,
        text: str,
        exhausted: str,
        tries: int,
    ) -> None:
        """Keep what was not delivered, where the target has a queue for it."""
        arn = str(target["Arn"])
        self._note(region, rule, arn, event, f"{code}: {text}")
        self._ground.tell("event", region, f"{rule.name} did not reach {arn}: {code}: {text}")
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue or queue.split(":")[3] != region:
            return
        attributes = {
            "RULE_ARN": str(rule.arn),
            "TARGET_ARN": arn,
            "ERROR_CODE": code,
            "ERROR_MESSAGE": text,
            "RETRY_ATTEMPTS": str(tries),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        try:
            await self.to_queue(
                SERVICE, queue, json.dumps(event), source=str(rule.arn), attributes=attributes
            )
        except (DeniedError, MissingError) as error:
            self._ground.tell("event", region, f"{queue} did not take the dead letter: {error}")

    # --- targets that others use too ------------------------------------------------------------

    async def hand_over(self, region: str, arn: str, text: str) -> None:
        """Hand a text to a target for somebody who may, as has been seen.

        Raises:
            MissingError: If there is no such target.
            OSError: If its Region cannot be reached.
        """
        service, there = arn.split(":")[2], arn.split(":")[3] or region
        if not self._ground.geography.reaches(region, there):
            msg = f"{there} cannot be reached"
            raise ConnectionError(msg)
        if service == "lambda":
            work = self._functions.invoke_later(self._find_function(arn), text.encode())
            self._ground.start(work, name="a function of a schedule")
        elif service == "sqs":
            self.put_message(arn, text, {})
        elif service == "sns":
            topic = sns_backends[self._ground.account][there].topics.get(arn)
            if topic is None:
                raise MissingError(arn)
            topic.publish(text)
        else:
            self.emit(there, {"source": "scheduler", "detail": json.loads(text)})

    def put_message(self, arn: str, text: str, attributes: Mapping[str, str]) -> None:
        """Put a message into a queue.

        Raises:
            MissingError: If there is no queue.
        """
        region, name = arn.split(":")[3], arn.rpartition(":")[2]
        backend = sqs_backends[self._ground.account][region]
        if name not in backend.queues:
            raise MissingError(arn)
        backend.send_message(
            name,
            text,
            message_attributes={
                key: {"DataType": "String", "StringValue": value}
                for key, value in attributes.items()
            },
        )

    async def to_queue(
        self,
        service: str,
        arn: str,
        text: str,
        *,
        source: str,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Send a message to a queue as a service.

        Raises:
            DeniedError: If the queue's policy, or its key's, does not let the service.
            MissingError: If there is no queue.
        """
        region, name = arn.split(":")[3], arn.rpartition(":")[2]
        queue = sqs_backends[self._ground.account][region].queues.get(name)
        if queue is None:
            raise MissingError(arn)
        self._may(service, "sqs:SendMessage", arn, source)
        self._may_use_key(
            service, str(getattr(queue, "kms_master_key_id", None) or ""), region, source
        )
        self.put_message(arn, text, attributes or {})

    def publish(
        self, service: str, arn: str, text: str, *, source: str, subject: str | None = None
    ) -> None:
        """Publish to a topic as a service.

        Raises:
            DeniedError: If the topic's policy, or its key's, does not let the service.
            MissingError: If there is no topic.
        """
        region = arn.split(":")[3]
        topic = sns_backends[self._ground.account][region].topics.get(arn)
        if topic is None:
            raise MissingError(arn)
        self._may(service, "sns:Publish", arn, source)
        self._may_use_key(service, str(topic.kms_master_key_id or ""), region, source)
        topic.publish(text, subject=subject)
        self._ground.tell("notice", region, subject or text[:120], topic=arn)

    @after("sns", "Publish")
    def published(self, call: Call, params: Mapping[str, Any], _body: bytes) -> None:
        """Tell what somebody published by the API."""
        text = params.get("Subject") or str(params.get("Message") or "")[:120]
        self._ground.tell("notice", call.region, text, topic=params.get("TopicArn"))

    def act(self, region: str, arn: str, message: dict[str, Any]) -> None:
        """Take an alarm's action: tell a topic, or invoke a function."""
        alarm = str(message["AlarmArn"])
        state, name = message["NewStateValue"], message["AlarmName"]
        subject = f'{state}: "{name}" in {message["Region"]}'
        try:
            if arn.split(":")[2] == "sns":
                text = json.dumps(message)
                self.publish(ALARMS, arn, text, source=alarm, subject=subject[:100])
            elif arn.split(":")[2] == "lambda":
                self._may(ALARM_LAMBDA, "lambda:InvokeFunction", arn, alarm)
                body = json.dumps({"source": "aws.cloudwatch", "alarmArn": alarm}).encode()
                work = self._functions.invoke_later(self._find_function(arn), body)
                self._ground.start(work, name="a function of an alarm")
            else:
                self._ground.tell("alarm", region, f"the twin takes no action of kind {arn}")
        except (DeniedError, MissingError) as error:
            text = f"{name} could not tell {arn}: {type(error).__name__}: {error}"
            self._ground.tell("alarm", region, text, alarm=name, failed=True)

    async def send(self, arn: str, record: dict[str, Any], *, role: str, region: str) -> None:
        """Send the record of a failed invocation to its destination, as the function's role."""
        action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}.get(arn.split(":")[2])
        text = json.dumps(record)
        if action is None or not self._access.role_may(role, action, arn, region=region).allowed:
            self._ground.tell("function", region, f"no record of a failed run: not let by {arn}")
            return
        if action == "sqs:SendMessage":
            name = arn.rpartition(":")[2]
            sqs_backends[self._ground.account][region].send_message(name, text)
        else:
            sns_backends[self._ground.account][region].topics[arn].publish(text)

    def _may(self, service: str, action: str, arn: str, source: str) -> None:
        verdict = self._access.service_may(service, action, arn, source_arn=source)
        if not verdict.allowed:
            msg = f"{service} may not {action} on {arn} for {source}"
            raise DeniedError(msg)

    def _may_use_key(self, service: str, key: str, region: str, source: str) -> None:
        """Refuse a service that the key of what it writes to does not know."""
        if not key or key.startswith("alias/aws/"):
            if key:
                msg = f"{key} lets no other service use it"
                raise DeniedError(msg)
            return
        if not key.startswith("arn:"):
            key = f"arn:aws:kms:{region}:{self._ground.account}:key/{key}"
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            self._may(service, action, key, source)

    def _note(
        self, region: str, rule: Rule, arn: str, event: Mapping[str, Any], error: str
    ) -> None:
        self.delivered.append(
            {
                "at_s": self._ground.now_s,
                "region": region,
                "rule": rule.name,
                "target": arn,
                "event": event["id"],
                "error": error,
            }
        )


def _pattern(text: str) -> dict[str, Any]:
    try:
        return read_pattern(text)
    except PatternError as error:
        raise failure("InvalidEventPatternException", str(error)) from error


def _problem(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return why EventBridge refuses an entry, or `None`."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is required"
    if str(entry["Source"]).startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        return "MalformedDetail", "Detail is malformed."
    return None if isinstance(detail, dict) else ("MalformedDetail", "Detail is malformed.")


def _shaped(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """Return what a target is sent of an event."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        found: Any = event
        for part in str(target["InputPath"]).removeprefix("$.").split("."):
            found = found[part]
        return json.dumps(found)
    return json.dumps(event)


def _iso(at_s: float) -> str:
    at = dt.datetime.fromtimestamp(at_s, dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
