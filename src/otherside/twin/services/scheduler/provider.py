"""EventBridge Scheduler: schedules that call their target as a role, retry and dead-letter.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
"""

import asyncio
import datetime as dt
import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.moto_backend import Schedule
from otherside.twin.ring_log import RingLog
from otherside.twin.services.base import ServiceProvider, api_error, operation
from otherside.twin.services.events.delivery import AGE_S, FIRST_PAUSE_S, PAUSE_MAX_S, TRIES
from otherside.twin.services.events.provider import RATE, UNIT_S, EventBridgeProvider
from otherside.twin.services.lambda_.provider import LambdaProvider
from otherside.twin.services.service_access import DeniedError, MissingError
from otherside.twin.services.sns.provider import SnsProvider
from otherside.twin.services.sqs.provider import Queues
from otherside.twin.timestamps import iso

if TYPE_CHECKING:
    from otherside.twin.json_types import JsonObject

SERVICE = "scheduler.amazonaws.com"
LOOK_S = 0.5
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
}


@dataclass(slots=True)
class _Due:
    """When a schedule fires next, and the expression that the time was computed from."""

    expression: str
    at_s: float


class Scheduler(ServiceProvider):
    """Every schedule of every Region; moto stores them, and this class fires them."""

    def __init__(
        self,
        context: TwinContext,
        authorizer: Authorizer,
        functions: LambdaProvider,
        queues: Queues,
        topics: SnsProvider,
        buses: EventBridgeProvider,
    ) -> None:
        self._context, self._authorizer = context, authorizer
        self._functions, self._queues, self._topics = functions, queues, topics
        self._buses = buses
        self.fired: RingLog[JsonObject] = RingLog()
        """Every firing and its outcome."""

    @operation("scheduler", "CreateSchedule", "UpdateSchedule")
    def check(self, _call: ApiCall, params: Params) -> None:
        """Refuse a schedule that would never fire here, and leave the rest to moto."""
        expression = str(params["ScheduleExpression"])
        if not RATE.fullmatch(expression) and not _AT.fullmatch(expression):
            text = f"the twin fires rate(…) and at(…), and no {expression}"
            raise api_error("ValidationException", text)
        target = params["Target"]
        service = str(target["Arn"]).split(":")[2]
        if service not in _ACTIONS:
            raise api_error("ValidationException", f"the twin's schedules do not call {service}")
        if not self._authorizer.trusts(str(target["RoleArn"]), SERVICE):
            text = "The execution role you provide must allow AWS EventBridge Scheduler to assume"
            raise api_error("ValidationException", f"{text} the role.")
        raise LeaveToMotoError

    async def run(self, region: str) -> None:
        """Fire a Region's schedules until the twin stops."""
        due: dict[str, _Due] = {}
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._context.partitions.stands(region):
                due.clear()
                continue
            for schedule in self._schedules(region):
                self._look(region, schedule, due)

    def _schedules(self, region: str) -> list[Schedule]:
        backend = moto_backend.scheduler(self._context.account, region)
        groups = list(backend.schedule_groups.values())
        return [
            schedule
            for group in groups
            for schedule in list(group.schedules.values())
            if schedule.state == "ENABLED"
        ]

    def _look(self, region: str, schedule: Schedule, due: dict[str, _Due]) -> None:
        """Fire a schedule if it is due, and compute its next firing."""
        now_s, expression = self._context.now_s, str(schedule.schedule_expression)
        held = due.get(str(schedule.arn))
        if held is None or held.expression != expression:
            due[str(schedule.arn)] = _Due(expression, _first_s(expression, now_s))
            return
        if now_s < held.at_s:
            return
        found = RATE.fullmatch(expression)
        held.at_s = held.at_s + int(found[1]) * UNIT_S[found[2]] if found else float("inf")
        self._context.spawn(self._fire(region, schedule, now_s), name=f"schedule {schedule.name}")

    async def _fire(self, region: str, schedule: Schedule, at_s: float) -> None:
        """Call a schedule's target; retry what may succeed, and dead-letter the rest."""
        target = schedule.target
        policy = target.get("RetryPolicy") or {}
        age_s = float(policy.get("MaximumEventAgeInSeconds", AGE_S))
        repeats = int(policy.get("MaximumRetryAttempts", TRIES))
        pause_s, tries, execution = FIRST_PAUSE_S, 0, str(uuid.uuid4())
        text = str(target.get("Input") or _notice(region, schedule, self._context.account, at_s))
        while True:
            try:
                await self._once(region, schedule, text)
            except (DeniedError, MissingError, OSError) as error:
                over = "MaximumRetryAttempts" if tries >= repeats else ""
                if self._context.now_s - at_s + pause_s > age_s:
                    over = "MaximumEventAgeInSeconds"
                if over or not isinstance(error, OSError):
                    await self._bury(region, schedule, text, error, (execution, over, tries, at_s))
                    return
                tries += 1
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_MAX_S)
            else:
                self.fired.append({"at_s": at_s, "schedule": schedule.name, "error": ""})
                return

    async def _once(self, region: str, schedule: Schedule, text: str) -> None:
        arn, role = str(schedule.target["Arn"]), str(schedule.target["RoleArn"])
        if not self._authorizer.trusts(role, SERVICE, source_arn=str(schedule.arn)):
            msg = f"{role} cannot be assumed by {SERVICE}"
            raise DeniedError(msg)
        action = _ACTIONS[arn.split(":")[2]]
        if not self._authorizer.role_may(role, action, arn, region=region).allowed:
            msg = f"{role} may not {action} on {arn}"
            raise DeniedError(msg)
        await self._hand_over(region, arn, text)

    async def _hand_over(self, region: str, arn: str, text: str) -> None:
        """Send a text to a target whose permissions were checked.

        Raises:
            MissingError: If there is no such target.
            OSError: If its Region cannot be reached.
        """
        service, there = arn.split(":")[2], arn.split(":")[3] or region
        if not self._context.partitions.reaches(region, there):
            msg = f"{there} cannot be reached"
            raise ConnectionError(msg)
        if service == "lambda":
            work = self._functions.invoke_later(self._functions.find_target(arn), text.encode())
            self._context.spawn(work, name="a function of a schedule")
        elif service == "sqs":
            self._queues.put_message(arn, text, {})
        elif service == "sns":
            self._topics.put_message(arn, text)
        else:
            self._buses.emit(there, {"source": "scheduler", "detail": json.loads(text)})

    async def _bury(
        self,
        region: str,
        schedule: Schedule,
        text: str,
        error: Exception,
        how: tuple[str, str, int, float],
    ) -> None:
        """Send an undelivered text to the schedule's dead-letter queue, if it has one."""
        execution, exhausted, tries, at_s = how
        self.fired.append({"at_s": at_s, "schedule": schedule.name, "error": str(error)})
        self._context.emit("event", region, f"{schedule.name} did not reach its target: {error}")
        queue = (schedule.target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        denied = isinstance(error, DeniedError)
        attributes = {
            "ERROR_CODE": "AccessDeniedException" if denied else "ResourceNotFoundException",
            "ERROR_MESSAGE": str(error),
            "EXECUTION_ID": execution,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(tries),
            "SCHEDULED_TIME": iso(at_s),
            "SCHEDULE_ARN": str(schedule.arn),
            "TARGET_ARN": str(schedule.target["Arn"]),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        role = str(schedule.target["RoleArn"])
        if self._authorizer.role_may(role, "sqs:SendMessage", queue, region=region).allowed:
            self._queues.put_message(queue, text, attributes)


def _first_s(expression: str, now_s: float) -> float:
    """Return when a schedule first fires; a rate schedule starts at the next minute."""
    found = _AT.fullmatch(expression)
    if found is None:
        return now_s // 60 * 60 + 60
    return dt.datetime.fromisoformat(found[1]).replace(tzinfo=dt.UTC).timestamp()


def _notice(region: str, schedule: Schedule, account: str, at_s: float) -> str:
    """Return the text that a target receives if the schedule has no input of its own."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": account,
        "time": iso(at_s),
        "region": region,
        "resources": [str(schedule.arn)],
        "detail": "{}",
    }
    return json.dumps(event)
