"""Delivery of matched events to their targets: permissions, retries, dead-letter queues.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

import asyncio
import json
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiError
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import Rule
from otherside.twin.ring_log import RingLog
from otherside.twin.services.lambda_.provider import LambdaProvider
from otherside.twin.services.logs.provider import put_lines
from otherside.twin.services.service_access import DeniedError, MissingError, ServiceAccess
from otherside.twin.services.sns.provider import SnsProvider
from otherside.twin.services.sqs.provider import Queues

SERVICE = "events.amazonaws.com"
AGE_S, TRIES = 86_400.0, 185
FIRST_PAUSE_S, PAUSE_MAX_S = 1.0, 60.0
Forward = Callable[[str, str, JsonObject], None]
"""Puts an event forwarded from another Region onto a bus: (Region, bus, event)."""


class Delivery:
    """Delivers events to the targets of rules."""

    def __init__(
        self,
        context: TwinContext,
        authorizer: Authorizer,
        services: ServiceAccess,
        functions: LambdaProvider,
        queues: Queues,
        topics: SnsProvider,
        *,
        forward: Forward,
    ) -> None:
        self._context, self._authorizer, self._services = context, authorizer, services
        self._functions, self._queues, self._topics = functions, queues, topics
        self._forward_to_bus = forward
        self._chance = random.Random(context.account)  # noqa: S311 - jitter of retries
        self.delivered: RingLog[JsonObject] = RingLog()
        """Every delivery and every failure, for drills and tests."""

    def hand_out(
        self,
        region: str,
        rule: Rule,
        event: JsonObject,
        *,
        forwarded: bool = False,
    ) -> None:
        """Start to deliver an event to each target of a rule."""
        for target in list(rule.targets):
            arn = str(target["Arn"])
            if forwarded and ":event-bus/" in arn:
                self._note(region, rule, arn, event, "dropped: it was forwarded once")
                continue
            work = self._deliver(region, rule, target, event)
            self._context.spawn(work, name=f"deliver to {arn}")

    async def _deliver(
        self, region: str, rule: Rule, target: JsonObject, event: JsonObject
    ) -> None:
        """Deliver an event to one target; retry what may succeed, and dead-letter the rest."""
        policy = target.get("RetryPolicy") or {}
        age_s = float(policy.get("MaximumEventAgeInSeconds", AGE_S))
        repeats = int(policy.get("MaximumRetryAttempts", TRIES))
        arn, began_s, pause_s, tries = str(target["Arn"]), self._context.now_s, FIRST_PAUSE_S, 0
        while True:
            try:
                await self._once(region, rule, target, event)
            except DeniedError as error:
                await self._bury(region, rule, target, event, "NO_PERMISSIONS", str(error), "", 0)
                return
            except MissingError as error:
                await self._bury(region, rule, target, event, "NO_RESOURCE", str(error), "", 0)
                return
            except (OSError, ApiError) as error:
                over = "MaximumRetryAttempts" if tries >= repeats else ""
                if self._context.now_s - began_s + pause_s > age_s:
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

    async def _once(self, region: str, rule: Rule, target: JsonObject, event: JsonObject) -> None:
        arn, source = str(target["Arn"]), str(rule.arn)
        text = _shaped(target, event)
        service = arn.split(":")[2]
        there = arn.split(":")[3] or region
        if not self._context.partitions.reaches(region, there):
            msg = f"{there} cannot be reached"
            raise ConnectionError(msg)
        match service:
            case "lambda":
                self._services.check(SERVICE, "lambda:InvokeFunction", arn, source)
                function = self._functions.find_target(arn)
                work = self._functions.invoke_later(function, text.encode())
                self._context.spawn(work, name="a function of a rule")
            case "sqs":
                group = str((target.get("SqsParameters") or {}).get("MessageGroupId") or "")
                self._queues.send_as(SERVICE, arn, text, source=source, group=group)
            case "sns":
                self._topics.publish_as(SERVICE, arn, text, source=source)
            case "events" if rule.managed_by is not None:
                self._archive(region, rule, event)
            case "events":
                await self._forward(region, rule, target, event, there)
            case "logs":
                self._log(there, arn, text, source)
            case _:
                msg = f"the twin delivers no events to {service}"
                raise MissingError(msg)

    def _log(self, region: str, arn: str, text: str, source: str) -> None:
        """Write an event to a log group, in a stream of its own."""
        group, stream = arn.split(":log-group:")[1].removesuffix(":*"), str(uuid.uuid4())
        there = f"{arn.removesuffix(':*')}:log-stream:{stream}"
        self._services.check(SERVICE, "logs:PutLogEvents", there, source)
        backend = moto_backend.logs(self._context.account, region)
        if group not in backend.groups:
            raise MissingError(arn)
        put_lines(backend, group, stream, [text], self._context.now_s)

    def _archive(self, region: str, rule: Rule, event: JsonObject) -> None:
        """Keep an event in the archive whose rule has matched it, for moto's replays."""
        for archive in list(moto_backend.events(self._context.account, region).archives.values()):
            if archive.rule is rule:
                archive.events.append(event)  # type: ignore[arg-type] # as it has them

    async def _forward(
        self,
        region: str,
        rule: Rule,
        target: JsonObject,
        event: JsonObject,
        there: str,
    ) -> None:
        """Forward an event to another Region's bus as the target's role; its Region stays."""
        arn, role = str(target["Arn"]), str(target.get("RoleArn") or "")
        bus = arn.rpartition("/")[2]
        if bus not in moto_backend.events(self._context.account, there).event_buses:
            raise MissingError(arn)
        if there != region:
            if not self._authorizer.trusts(role, SERVICE, source_arn=str(rule.arn)):
                msg = f"{role or 'no role'} cannot be assumed by EventBridge"
                raise DeniedError(msg)
            if not self._authorizer.role_may(role, "events:PutEvents", arn, region=there).allowed:
                msg = f"{role} may not events:PutEvents on {arn}"
                raise DeniedError(msg)
        await asyncio.sleep(self._context.latency.of("event-forward"))
        self._forward_to_bus(there, bus, event)

    async def _bury(
        self,
        region: str,
        rule: Rule,
        target: JsonObject,
        event: JsonObject,
        code: str,
        text: str,
        exhausted: str,
        tries: int,
    ) -> None:
        """Send an undelivered event to the target's dead-letter queue, if it has one."""
        arn = str(target["Arn"])
        self._note(region, rule, arn, event, f"{code}: {text}")
        self._context.emit("event", region, f"{rule.name} did not reach {arn}: {code}: {text}")
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
            self._queues.send_as(
                SERVICE, queue, json.dumps(event), source=str(rule.arn), attributes=attributes
            )
        except (DeniedError, MissingError) as error:
            self._context.emit("event", region, f"{queue} did not take the dead letter: {error}")

    def _note(self, region: str, rule: Rule, arn: str, event: JsonObject, error: str) -> None:
        self.delivered.append(
            {
                "at_s": self._context.now_s,
                "region": region,
                "rule": rule.name,
                "target": arn,
                "event": event["id"],
                "error": error,
            }
        )


_VARIABLE = re.compile(r"(?P<quote>\")?<(?P<name>[\w.-]+)>(?(quote)\")")


def _shaped(target: JsonObject, event: JsonObject) -> str:
    """Return the text that a target receives for an event."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(_at(event, str(target["InputPath"])))
    if target.get("InputTransformer"):
        return _transformed(target["InputTransformer"], event)
    return json.dumps(event)


def _at(event: JsonObject, path: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what a path leads to: `$.detail.state.value`, `$.resources[0]`; `None` if nothing."""
    found: Any = event
    for part in re.findall(r"[^.\[\]]+", path.removeprefix("$")):
        try:
            found = found[int(part)] if isinstance(found, list) else found[part]
        except (LookupError, TypeError, ValueError):
            return None
    return found


def _transformed(transformer: JsonObject, event: JsonObject) -> str:
    """Return a template with each `<name>` replaced by what its path leads to.

    A text is quoted, unless the template puts it within quotes; what is not there is empty.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    values = {
        name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()
    }
    values["aws.events.event.json"] = event
    values["aws.events.event.ingestion-time"] = event.get("time")

    def put(match: re.Match[str]) -> str:
        value = values.get(match["name"], "")
        within = match["quote"] is not None or not isinstance(value, (str, type(None)))
        plain = "" if value is None else value if isinstance(value, str) else json.dumps(value)
        if match["quote"] is not None:
            return json.dumps(plain) if isinstance(value, str) else f'"{plain}"'
        return plain if within else json.dumps(plain)

    return _VARIABLE.sub(put, str(transformer["InputTemplate"]))
