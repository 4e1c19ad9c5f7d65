"""Lambda functions, run by AWS's own runtime client against a Runtime API that the twin serves.

Each execution environment is a separate process that has only the function's code, its role's
credentials and its settings. The twin keeps it warm between invocations, and discards it when it
crashes or exceeds its timeout.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import base64
import functools
import io
import itertools
import json
import os
import re
import shutil
import sys
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11

from otherside.twin import moto_backend
from otherside.twin.context import TwinContext
from otherside.twin.gateway.api_gateway import LeaveToMotoError
from otherside.twin.gateway.authorizer import Authorizer
from otherside.twin.gateway.protocol import ApiCall, ApiError, Params
from otherside.twin.guest import SITE
from otherside.twin.host.processes import Process, Processes, make_passable, show
from otherside.twin.json_types import JsonObject
from otherside.twin.moto_backend import LambdaFunction
from otherside.twin.net.egress_proxy import EgressProxy, Guest
from otherside.twin.net.http1 import BadMessageError, Connection
from otherside.twin.net.reachability import Source
from otherside.twin.ring_log import RingLog
from otherside.twin.services.base import ServiceProvider, after, api_error, operation
from otherside.twin.services.cloudwatch.metrics import Metrics
from otherside.twin.services.lambda_.destinations import Destinations
from otherside.twin.services.logs.provider import put_lines
from otherside.twin.services.service_access import MissingError
from otherside.twin.timestamps import iso_ms

SERVICE = "lambda.amazonaws.com"
INIT_S = 10.0
"""In the machine's own time, because the machine starts the interpreter."""
RETRY_PAUSES_S = (60.0, 120.0)
"""The pauses before the first and the second retry of a failed asynchronous invocation."""
AGE_MAX_S = 21_600
CREDENTIALS_S = 3600
TIMEOUT_MAX_S = 900
"""The longest that one invocation may take, and so needs its credentials."""
RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION"),
        *("AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        *("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
VARIABLES_BYTES_MAX = 4096
KEPT_WARM = 1
"""How many warm environments a function keeps: each takes 20 to 30 MB."""
FOLLOW_S = 1.0
CONCURRENCY_MAX, UNRESERVED_MIN = 1_000, 100
"""Per account and Region."""
THROTTLED_S, THROTTLED_MAX_S = 1.0, 300.0
LAST_WORDS_S = 1.0
"""In the machine's own time."""
VERSION = "/2018-06-01/runtime/"
NEXT = f"{VERSION}invocation/next"
JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class InvocationResult:
    """The outcome of one invocation."""

    payload: bytes
    error: str | None = None
    """`Unhandled` if the function failed; AWS no longer reports any other kind."""
    log: str = ""
    duration_s: float = 0.0


@dataclass(slots=True)
class Invocation:
    """One event passing through an environment."""

    identifier: str
    payload: bytes
    deadline_s: float
    done: asyncio.Future[InvocationResult]


@dataclass(slots=True)
class ExecutionEnvironment:
    """One execution environment: one process, one invocation at a time."""

    function: LambdaFunction
    directory: Path
    log: Path
    stream: str
    process: Process | None = None
    server: asyncio.Server | None = None
    """Its own Runtime API: the client accepts a host and a port, and no other identification."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the runtime has requested its first event, or has failed to start."""
    init_error: bytes | None = None
    queue: "asyncio.Queue[Invocation]" = field(default_factory=asyncio.Queue)
    current: Invocation | None = None
    read: int = 0
    """How much of its log has been sent."""
    guest: str = ""
    """The identity that it presents to the gateway."""
    said: str = ""
    """What the current invocation has printed."""
    edition: int = 0
    """The edition of the function that it runs; an environment of an older one is not reused."""
    retires_s: float = 0.0
    """When it is no longer reused, because its credentials end soon after."""


class LambdaProvider(ServiceProvider):
    """Function invocations, their execution environments and their outcomes."""

    def __init__(
        self,
        context: TwinContext,
        authorizer: Authorizer,
        processes: Processes,
        egress_proxy: EgressProxy,
        directory: Path,
        region_environments: Mapping[str, Mapping[str, str]],
        metrics: Metrics,
        destinations: Destinations,
    ) -> None:
        """Run environments in `directory`, with the environment variables of their Region."""
        self._context, self._authorizer, self._processes = context, authorizer, processes
        self._egress_proxy = egress_proxy
        self._directory, self._region_environments = directory, region_environments
        self._idle: dict[str, list[ExecutionEnvironment]] = {}
        self._all: dict[str, ExecutionEnvironment] = {}
        self._running: dict[str, int] = {}
        self._editions: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self.runs: RingLog[JsonObject] = RingLog()
        """Every finished invocation, for drills and `twin status`."""
        self.lines: RingLog[JsonObject] = RingLog()
        """Every line that a function printed, in order."""
        self._metrics, self._destinations = metrics, destinations
        self._invoke_for_moto()
        context.partitions.on_change(self._on_change)

    def _invoke_for_moto(self) -> None:
        """Route moto's own invocations, from a topic to a function, through this class."""

        def invoke(function: LambdaFunction, event: object = None) -> tuple[str, bool, str]:
            payload = event if isinstance(event, str) else json.dumps(event or {})
            work = self.invoke_later(function, payload.encode())
            self._context.spawn(work, name="a function of a topic")
            return "{}", False, ""

        LambdaFunction._invoke_lambda = invoke  # type: ignore[assignment,method-assign]  # noqa: SLF001 - its seam

    # --- API operations -------------------------------------------------------------------------

    @operation("lambda", "CreateFunction", "UpdateFunctionConfiguration")
    def check_function(self, _call: ApiCall, params: Params) -> None:
        """Refuse a role that does not trust Lambda, and leave the rest to moto."""
        role = params.get("Role")
        wrong = _role_problem(str(role), self._context.account) if role else None
        if wrong is not None:
            raise api_error(*wrong)
        if role and not self._authorizer.trusts(role, SERVICE):
            message = "The role defined for the function cannot be assumed by Lambda."
            raise api_error("InvalidParameterValueException", message)
        variables = (params.get("Environment") or {}).get("Variables") or {}
        taken = sorted(RESERVED & set(variables))
        if taken:
            message = f"Reserved keys used in this request: {', '.join(taken)}"
            raise api_error("InvalidParameterValueException", message)
        if sum(len(k) + len(str(v)) for k, v in variables.items()) > VARIABLES_BYTES_MAX:
            message = "Environment variables are 4 KB at the most"
            raise api_error("InvalidParameterValueException", message)
        raise LeaveToMotoError

    @operation("lambda", "PutFunctionConcurrency")
    def check_reserve(self, call: ApiCall, params: Params) -> None:
        """Refuse a reservation that leaves the account too little unreserved concurrency."""
        function = self.find(call.region, str(params["FunctionName"]))
        others = sum(
            int(list_function.reserved_concurrency or 0)
            for list_function in moto_backend.lambda_(
                self._context.account, call.region
            ).list_functions()
            if list_function.function_name != function.function_name
        )
        wanted = int(params["ReservedConcurrentExecutions"])
        if others + wanted > CONCURRENCY_MAX - UNRESERVED_MIN:
            message = (
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MIN}]."
            )
            raise api_error("InvalidParameterValueException", message)
        raise LeaveToMotoError

    @after("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration")
    def updated(self, call: ApiCall, params: Params, _body: bytes) -> None:
        """Retire the environments that were created before a function's update."""
        arn = str(self.find(call.region, str(params["FunctionName"])).function_arn)
        self._editions[arn] = self._editions.get(arn, 0) + 1
        for environment in self._idle.pop(arn, []):
            self._context.spawn(self._discard(environment), name="retire an environment")

    @operation("lambda", "Invoke")
    def invoke_operation(self, call: ApiCall, params: Params) -> Any:  # noqa: ANN401 - botocore's shape
        """Invoke a function, and wait for it unless the call asks for an event."""
        function = self.find(call.region, str(params["FunctionName"]))
        payload = _bytes(params.get("Payload")) or b"{}"
        kind = params.get("InvocationType") or "RequestResponse"
        if kind == "DryRun":
            return {"StatusCode": 204, "Payload": b""}
        if kind == "Event":  # the queue takes it even while throttled
            self._context.spawn(
                self.invoke_later(function, payload), name="asynchronous invocation"
            )
            return {"StatusCode": 202, "Payload": b""}
        if self._throttled(function):
            error = api_error("TooManyRequestsException", "Rate Exceeded.", 429)
            error.__dict__["Reason"] = "ReservedFunctionConcurrentInvocationLimitExceeded"
            raise error
        outcome = self._context.run(self.invoke(function, payload), timeout_s=1000)
        answer = {
            "StatusCode": 200,
            "ExecutedVersion": "$LATEST",
            "Payload": outcome.payload,
        }
        if outcome.error:
            answer["FunctionError"] = outcome.error
        if params.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(outcome.log[-4096:].encode()).decode()
        return answer

    def find(self, region: str, given: str) -> LambdaFunction:
        """Return a function by its name or its ARN.

        Raises:
            ApiError: If there is none.
        """
        name = given.partition("function:")[2].partition(":")[0] or given
        functions = moto_backend.lambda_(self._context.account, region).list_functions()
        found = next((function for function in functions if function.function_name == name), None)
        if found is None:
            arn = f"arn:aws:lambda:{region}:{self._context.account}:function:{name}"
            raise api_error("ResourceNotFoundException", f"Function not found: {arn}", 404)
        return found

    def find_target(self, arn: str) -> LambdaFunction:
        """Return a function that is another service's target.

        Raises:
            MissingError: If there is none.
        """
        try:
            return self.find(arn.split(":")[3], arn)
        except ApiError as error:
            raise MissingError(str(error)) from error

    async def invoke_arn(self, arn: str, payload: bytes) -> tuple[bytes, str | None]:
        """Invoke a function by its ARN and wait for it."""
        outcome = await self.invoke(self.find(arn.split(":")[3], arn), payload)
        return outcome.payload, outcome.error

    # --- invocations ----------------------------------------------------------------------------

    async def invoke(self, function: LambdaFunction, payload: bytes) -> InvocationResult:
        """Run one event in an environment; a failure is an outcome, not an exception."""
        arn = str(function.function_arn)
        self._running[arn] = self._running.get(arn, 0) + 1
        began_s = self._context.now_s
        environment = None
        try:
            environment = self._take(function)
            if environment is None:
                environment = await self._boot(function)
            outcome = await self._run(environment, payload)
        finally:
            self._running[arn] -= 1
        outcome.duration_s = self._context.now_s - began_s
        self._note(function, outcome)
        return outcome

    async def invoke_later(self, function: LambdaFunction, payload: bytes) -> None:
        """Run an asynchronous event: retry it if it fails, then report to its destination."""
        config = _invoke_config(function)
        tries = 1 + int(config.get("MaximumRetryAttempts", len(RETRY_PAUSES_S)))
        age_s = float(config.get("MaximumEventAgeInSeconds", AGE_MAX_S))
        began_s = self._context.now_s
        outcome = InvocationResult(b"")
        if self._throttled(function) and not function.reserved_concurrency:
            await self._give_up(function, payload, outcome, 0, "RetriesExhausted")
            return
        for number in range(tries):
            if number:
                await asyncio.sleep(RETRY_PAUSES_S[number - 1])
            await self._until_it_stands(function)
            await self._until_there_is_room(function, began_s + age_s)
            if self._context.now_s - began_s > age_s:
                await self._give_up(function, payload, outcome, number, "EventAgeExceeded")
                return
            outcome = await self.invoke(function, payload)
            if outcome.error is None:
                return
        await self._give_up(function, payload, outcome, tries, "RetriesExhausted")

    async def follow(self) -> None:
        """Ship what functions print while they run, until the twin stops."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            for environment in list(self._all.values()):
                if environment.current is not None:
                    self._collect(environment)

    async def kill(self, name: str) -> int:
        """Kill every environment of a function that is running an event; return their number."""
        running = [
            environment
            for environment in self._all.values()
            if environment.function.function_name == name
            and environment.current
            and environment.process
        ]
        for environment in running:
            assert environment.process is not None
            await self._processes.end(environment.process)
        return len(running)

    async def _until_it_stands(self, function: LambdaFunction) -> None:
        """Wait while a function's Region is lost: its queue is lost and comes back with it."""
        while not self._context.partitions.stands(str(function.region)):  # noqa: ASYNC110 - threads call back
            await asyncio.sleep(1.0)

    async def _until_there_is_room(self, function: LambdaFunction, until_s: float) -> None:
        """Wait while a function is throttled: its event stays queued and uses up no retry."""
        pause_s = THROTTLED_S
        while self._throttled(function) and self._context.now_s <= until_s:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, THROTTLED_MAX_S)

    async def _give_up(
        self,
        function: LambdaFunction,
        payload: bytes,
        outcome: InvocationResult,
        count: int,
        condition: str,
    ) -> None:
        """Send a record of a failed event to the function's destination, as the function's role."""
        destination = _invoke_config(function).get("DestinationConfig", {}).get("OnFailure", {})
        arn = destination.get("Destination")
        if not arn:
            return
        record = {
            "version": "1.0",
            "timestamp": iso_ms(self._context.now_s),
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": f"{function.function_arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": count,
            },
            "requestPayload": _json(payload),
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": outcome.error,
            },
            "responsePayload": _json(outcome.payload),
        }
        await self._destinations.send(
            arn, record, role=str(function.role), region=str(function.region)
        )

    def _throttled(self, function: LambdaFunction) -> bool:
        reserved = function.reserved_concurrency
        if reserved is None:
            return False
        return self._running.get(str(function.function_arn), 0) >= int(reserved)

    def _take(self, function: LambdaFunction) -> ExecutionEnvironment | None:
        """Return an idle warm environment of the function's current edition, if there is one."""
        idle = self._idle.get(str(function.function_arn), [])
        while idle:
            found = idle.pop()
            current = found.edition == self._editions.get(str(function.function_arn), 0)
            lasts = self._context.now_s < found.retires_s
            runs = found.process is not None and found.process.running
            if runs and found.function is function and current and lasts:
                return found
            self._context.spawn(self._discard(found), name="retire an environment")
        return None

    async def _run(self, environment: ExecutionEnvironment, payload: bytes) -> InvocationResult:
        function = environment.function
        timeout_s = float(function.timeout)
        identifier = str(uuid.uuid4())
        invocation = Invocation(
            identifier,
            payload,
            self._context.now_s + timeout_s,
            asyncio.get_running_loop().create_future(),
        )
        environment.current = invocation
        self._write(environment, f"START RequestId: {identifier} Version: $LATEST")
        environment.queue.put_nowait(invocation)
        outcome = await self._wait(environment, invocation, timeout_s)
        environment.current = None
        self._write(environment, f"END RequestId: {identifier}")
        self._collect(environment)
        outcome.log, environment.said = environment.said, ""
        if environment.process and environment.process.running:
            arn = str(function.function_arn)
            idle = self._idle.setdefault(arn, [])
            if len(idle) < KEPT_WARM and environment.edition == self._editions.get(arn, 0):
                idle.append(environment)
            else:
                await self._discard(environment)
        if environment.stream not in self._all:  # its last output has been read
            await asyncio.to_thread(shutil.rmtree, environment.directory, ignore_errors=True)
        return outcome

    async def _wait(
        self, environment: ExecutionEnvironment, invocation: Invocation, timeout_s: float
    ) -> InvocationResult:
        """Wait for an answer, the end of the process or the timeout."""
        process = environment.process
        if environment.init_error is not None:
            await self._discard(environment)
            return InvocationResult(environment.init_error, "Unhandled")
        assert process is not None
        either: list[asyncio.Future[Any]] = [invocation.done, process.ended]
        done, _ = await asyncio.wait(
            either,
            timeout=timeout_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if invocation.done in done:
            return invocation.done.result()
        if process.ended in done:
            code = process.ended.result()
            how = f"signal: {-code}" if code < 0 else f"exit status {code}"
            if code == 0:
                await self._discard(environment)
                text = "Runtime exited without providing a reason"
                return _failed(
                    "Runtime.ExitError", f"RequestId: {invocation.identifier} Error: {text}"
                )
            how = "signal: killed" if code == -9 else how  # noqa: PLR2004 - SIGKILL
            message = f"RequestId: {invocation.identifier} Error: Runtime exited with error: {how}"
            await self._discard(environment)
            return _failed("Runtime.ExitError", message)
        await self._discard(environment)
        message = (
            f"RequestId: {invocation.identifier} "
            f"Error: Task timed out after {timeout_s:.2f} seconds"
        )
        return _failed("Sandbox.Timedout", message)

    # --- environments ---------------------------------------------------------------------------

    async def _boot(self, function: LambdaFunction) -> ExecutionEnvironment:
        """Start an environment, and wait until it requests its first event or fails to."""
        number = next(self._numbers)
        directory = self._directory / f"{function.function_name}-{number}"
        code = directory / "task"
        await asyncio.to_thread(_unpack, function, code)
        stream = f"{iso_ms(self._context.now_s)[:10].replace('-', '/')}/[$LATEST]{uuid.uuid4().hex}"
        environment = ExecutionEnvironment(function, directory, directory / "log", stream)
        environment.edition = self._editions.get(str(function.function_arn), 0)
        environment.retires_s = self._context.now_s + CREDENTIALS_S - TIMEOUT_MAX_S
        serve = functools.partial(self._serve, environment)
        environment.server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = environment.server.sockets[0].getsockname()[1]
        guest = f"{function.function_name}-{number}"
        source = Source(name=guest, region=str(function.region))
        environment.guest = self._egress_proxy.admit(f"function/{guest}", Guest(source=source))
        self._all[stream] = environment
        confined = self._processes.confinement(read=[code], ports=[port])
        await asyncio.to_thread(show, code, confined)
        environment.process = await self._processes.fork(
            [sys.executable, "-B", "-m", "awslambdaric", str(function.handler)],
            log=environment.log,
            env=self._environment(function, stream, environment.guest, port, code),
            cwd=code,
            confined=confined,
        )
        ready = asyncio.create_task(environment.ready.wait())
        either: list[asyncio.Future[Any]] = [ready, environment.process.ended]
        await asyncio.wait(
            either,
            timeout=max(INIT_S, float(function.timeout)) * self._context.clock.speed,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not environment.process.running:  # its last request may still be in transit
            await asyncio.wait([ready], timeout=LAST_WORDS_S * self._context.clock.speed)
        ready.cancel()
        if not self._context.partitions.stands(str(function.region)):  # lost while it started
            await self._processes.end(environment.process)
        if not environment.process.running and environment.init_error is None:
            message = "Runtime exited without providing a reason"
            environment.init_error = _failed("Runtime.ExitError", message).payload
        return environment

    def _environment(
        self, function: LambdaFunction, stream: str, guest: str, port: int, code: Path
    ) -> dict[str, str]:
        """Return the environment that Lambda gives a function, and nothing of this machine."""
        role = moto_backend.sts(self._context.account).assume_role(
            region_name=str(function.region),
            role_session_name=str(function.function_name),
            role_arn=str(function.role),
            policy="",
            duration=CREDENTIALS_S,
            external_id="",
        )
        region = str(function.region)
        return {
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": str(code),
            "PYTHONPATH": os.pathsep.join([str(SITE), str(code)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            "_HANDLER": str(function.handler),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": str(function.function_name),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": _log_group(function),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_ACCESS_KEY_ID": str(role.access_key_id),
            "AWS_SECRET_ACCESS_KEY": str(role.secret_access_key),
            "AWS_SESSION_TOKEN": str(role.session_token),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "LAMBDA_TASK_ROOT": str(code),
            "LAMBDA_RUNTIME_DIR": str(code),
            **self._region_environments[region],
            "OTHERSIDE_TWIN_GUEST": guest,
            **{str(k): str(v) for k, v in (function.environment_vars or {}).items()},
        }

    async def _discard(self, environment: ExecutionEnvironment) -> None:
        self._all.pop(environment.stream, None)
        self._egress_proxy.guests.pop(environment.guest, None)
        if environment.server is not None:
            environment.server.close()
        if environment.process is not None and environment.process.running:
            await self._processes.end(environment.process)

    def _on_change(self) -> None:
        """Kill every environment in a lost Region."""
        for environment in list(self._all.values()):
            if not self._context.partitions.stands(str(environment.function.region)):
                self._context.spawn(self._discard(environment), name="lose an environment")

    # --- the Runtime API ------------------------------------------------------------------------

    async def _serve(
        self,
        environment: ExecutionEnvironment,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Serve one runtime, which requests the next event and reports the last one's outcome."""
        try:
            runtime = Connection.server(reader, writer)
            while (request := await runtime.request()) is not None:
                body = await runtime.read_body()
                await self._answer(environment, request, body, runtime)
                if not await runtime.next_cycle():
                    return
        except (ConnectionError, BadMessageError):
            return
        finally:
            writer.close()

    async def _answer(
        self,
        environment: ExecutionEnvironment,
        request: h11.Request,
        body: bytes,
        runtime: Connection,
    ) -> None:
        path = request.target.decode("latin-1")
        if request.method == b"GET" and path == NEXT:
            environment.ready.set()
            invocation = await environment.queue.get()
            headers = {
                "Lambda-Runtime-Aws-Request-Id": invocation.identifier,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline_s * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": str(environment.function.function_arn),
                "Lambda-Runtime-Trace-Id": f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}",
                "Content-Type": "application/json",
            }
            await runtime.respond(200, headers, invocation.payload)
            return
        if path == f"{VERSION}init/error":
            environment.init_error = body
            environment.ready.set()
            await runtime.respond(202, JSON, b'{"status": "OK"}')
            return
        current = environment.current
        identifier, _, what = path.removeprefix(f"{VERSION}invocation/").partition("/")
        if current is None or identifier != current.identifier:
            await runtime.respond(400, JSON, b'{"errorType": "InvalidRequestID"}')
            return
        failed = what == "error"
        await runtime.respond(202, JSON, b'{"status": "OK"}')
        if not current.done.done():
            current.done.set_result(InvocationResult(body, "Unhandled" if failed else None))

    # --- logs and metrics -----------------------------------------------------------------------

    def _write(self, environment: ExecutionEnvironment, line: str) -> None:
        with environment.log.open("a") as log:
            log.write(f"{line}\n")

    def _collect(self, environment: ExecutionEnvironment) -> None:
        """Send the complete lines printed since the last call to the log group."""
        try:
            with environment.log.open("rb") as log:
                log.seek(environment.read)
                raw = log.read()
        except OSError:
            return
        ended = environment.process is None or not environment.process.running
        raw = raw if ended else raw[: raw.rfind(b"\n") + 1]
        environment.read += len(raw)
        new = raw.decode(errors="replace")
        environment.said += new
        function = environment.function
        for line in new.splitlines():
            name, at_s = str(function.function_name), self._context.now_s
            self.lines.append({"at_s": at_s, "function": name, "line": line})
        group = _log_group(function)
        role = str(function.role)
        arn = f"arn:aws:logs:{function.region}:{self._context.account}:log-group:{group}"
        stream_arn = f"{arn}:log-stream:{environment.stream}"
        may = all(
            self._authorizer.role_may(role, action, stream_arn, region=str(function.region)).allowed
            for action in ("logs:CreateLogStream", "logs:PutLogEvents")
        )
        backend = moto_backend.logs(self._context.account, str(function.region))
        if new and may and group in backend.groups:
            put_lines(backend, group, environment.stream, new.splitlines(), self._context.now_s)
            for line in new.splitlines():
                self._extract(str(function.region), line)

    def _extract(self, region: str, line: str) -> None:
        """Publish the metrics embedded in a log line.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
        """
        if '"_aws"' not in line:
            return
        known = _json(line.encode())
        if not isinstance(known, dict):
            return
        for directive in known.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in directive.get("Dimensions") or [[]]:
                dimensions = {name: str(known[name]) for name in names}
                for metric in directive["Metrics"]:
                    name = metric["Name"]
                    values = known[name] if isinstance(known[name], list) else [known[name]]
                    for value in values:
                        namespace = directive["Namespace"]
                        self._metrics.put(region, namespace, name, float(value), dimensions)

    def _note(self, function: LambdaFunction, outcome: InvocationResult) -> None:
        self.runs.append(
            {
                "at_s": self._context.now_s,
                "function": str(function.function_name),
                "region": str(function.region),
                "error": outcome.error,
                "duration_s": outcome.duration_s,
                "log": outcome.log,
            }
        )
        if outcome.error:
            text = f"{function.function_name} failed: {outcome.payload.decode()[:300]}"
            self._context.emit("function", str(function.region), text)


def _unpack(function: LambdaFunction, directory: Path) -> None:
    for above in (directory.parent.parent, directory.parent):
        make_passable(above)
    directory.mkdir()
    with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
        archive.extractall(directory)


def _invoke_config(function: LambdaFunction) -> JsonObject:
    held = getattr(function, "event_invoke_config", None) or []
    return dict(held[-1].config) if held else {}


def _log_group(function: LambdaFunction) -> str:
    return str(getattr(function, "log_group", None) or f"/aws/lambda/{function.function_name}")


def _failed(kind: str, message: str) -> InvocationResult:
    error = {"errorType": kind, "errorMessage": message}
    return InvocationResult(json.dumps(error).encode(), "Unhandled")


def _bytes(payload: object) -> bytes:
    if payload is None:
        return b""
    if hasattr(payload, "read"):
        return bytes(payload.read())
    return payload.encode() if isinstance(payload, str) else bytes(payload)  # type: ignore[call-overload]  # bytes-like


def _json(content: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _role_problem(role: str, account: str) -> tuple[str, str] | None:
    """Return why Lambda takes no role of this name, or `None`."""
    pattern = r"arn:(aws[a-zA-Z-]*)?:iam::(\d{12}):role/?[a-zA-Z_0-9+=,.@\-_/]+"
    found = re.fullmatch(pattern, role, re.ASCII)
    if found is None:
        message = (
            f"1 validation error detected: Value '{role}' at 'role' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )
        return "ValidationException", message
    if found[2] != account:
        return "AccessDeniedException", "Cross-account pass role is not allowed."
    return None
