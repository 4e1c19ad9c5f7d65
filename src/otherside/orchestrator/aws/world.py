"""The orchestrator's world on AWS: each port joined from the services that it takes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from otherside.core.decide import Decision, Terms
from otherside.core.facts import Command, DatabaseView, Facts, Lease, Reading
from otherside.core.names import (
    FAILOVER_ACTIVE,
    HEARTBEAT,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    OrchestratorSettings,
    actuator_name,
)
from otherside.core.state import Intent, State
from otherside.core.topology import Side
from otherside.orchestrator.aws import evidence, probes
from otherside.orchestrator.aws.clients import Clients, calling
from otherside.orchestrator.aws.database import Database
from otherside.orchestrator.aws.evidence import Heard
from otherside.orchestrator.aws.ledger import Ledger, Pulse
from otherside.orchestrator.clock import Clock
from otherside.orchestrator.ports import UnavailableError

T = TypeVar("T")

LOOK_S = 5.0
"""Longest that a look takes; whatever has not answered by then is unknown."""
SUBJECT_MAX = 99
"""Fewer than 100, and no line break:
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""


class AwsWorld:
    """AWS, seen from the standby's Region."""

    def __init__(
        self,
        settings: OrchestratorSettings,
        *,
        clients: Clients,
        clock: Clock,
        code: str,
        skew_s: float,
    ) -> None:
        """Keep the settings and the clients; nothing is called before a port is."""
        self._settings, self._clients, self._clock = settings, clients, clock
        self._here = settings.standby_region
        self._ledger = Ledger(
            clients.dynamodb(self._here),
            table=settings.state_table,
            application=settings.application,
            clock=clock,
            code=code,
            skew_s=skew_s,
        )
        self._database = Database(settings, clients)
        self._terms: Terms | None = None

    def now_s(self) -> float:
        """Return the time, in seconds since 1970."""
        return self._clock.now_s()

    def recall(self) -> State:
        """Return the newest committed revision, read from a majority."""
        return self._ledger.newest()

    def observe(self, state: State) -> Facts:
        """Ask everybody at once, each for a few seconds at the most."""
        asked: dict[str, Callable[[], Any]] = {
            "pulses": self._ledger.pulses,
            "lease": self._ledger.lease,
            "command": self._ledger.command,
            "freeze": self._ledger.freeze,
            "whole": self._database.whole,
            **{f"{side} member": partial(self._database.member, side) for side in Side},
            "control_plane": lambda: self._database.answers(Side.PRIMARY),
            "canary": lambda: probes.ask(self._question(self._settings.public_url, write=True)),
            "standby_app": lambda: probes.ask(self._question(self._settings.standby_url)),
            "users_on": lambda: probes.users_on(self._settings.traffic_state_name),
            "outside": probes.sees_outside,
            "capacity_short": self._capacity_short,
        }
        if evidence.is_moving(state):
            asked["aurora"] = self._database.says
        answers = _ask_all(asked)
        lease: tuple[Lease, Terms] | None = answers.get("lease")
        self._terms = lease[1] if lease else None
        pulses: dict[str, Pulse] | None = answers.get("pulses")
        members = {side: answers.get(f"{side} member") for side in Side}
        database: DatabaseView | None = None
        with suppress(UnavailableError):
            database = self._database.view(answers.get("whole"), members)
        command: Command | None = answers.get("command")
        freeze: Command | None = answers.get("freeze")
        return evidence.facts(
            state,
            Heard(
                at_s=self.now_s(),
                pulses=pulses,
                lease=lease[0] if lease else None,
                command=command,
                freeze=freeze,
                database=database,
                control_plane=answers.get("control_plane"),
                canary=answers.get("canary", Reading.UNKNOWN),
                standby_app=answers.get("standby_app", Reading.UNKNOWN),
                users_on=answers.get("users_on"),
                outside=answers.get("outside", Reading.UNKNOWN),
                capacity_short=answers.get("capacity_short"),
                aurora=answers.get("aurora", ()),
            ),
        )

    def _question(self, url: str, *, write: bool = False) -> probes.Question:
        settings = self._settings
        return probes.Question(
            url=url,
            path=settings.write_path if write else settings.readiness_path,
            name=settings.public_url.partition("://")[2],
        )

    def record(self, decision: Decision, facts: Facts) -> None:
        """Commit one revision with what it was decided on."""
        self._ledger.append(decision, facts)

    def wake(self, decision: Decision) -> None:
        """Tell the actuator, if there is anything to do."""
        if decision.move is None and not decision.raise_capacity:
            return
        with calling("waking the actuator"):
            self._clients.functions(self._here).invoke(
                FunctionName=actuator_name(self._settings.application), InvocationType="Event"
            )

    def set_terms(self, decision: Decision) -> None:
        """Make the lease say what the decision wants, if it did not say so at this look."""
        if decision.terms is not None and decision.terms != self._terms:
            self._ledger.set_lease(decision.terms, decision.state.revision)
            self._terms = decision.terms

    def publish(self, decision: Decision) -> None:
        """Publish that this look was taken, and whether users belong on the standby.

        On every look and not when it changes: Route 53 reads a stream of data, and keeps the last
        word only while it hears nothing.
        """
        values = {HEARTBEAT: 1.0, FAILOVER_ACTIVE: 1.0 if decision.state.latched else 0.0}
        dimensions: Any = [
            {"Name": METRIC_DIMENSION, "Value": self._settings.application},
        ]
        with calling("publishing the latch"):
            self._clients.cloudwatch(self._here).put_metric_data(
                Namespace=METRIC_NAMESPACE,
                MetricData=[
                    {"MetricName": name, "Dimensions": dimensions, "Value": value}
                    for name, value in values.items()
                ],
            )

    def tell(self, decision: Decision) -> None:
        """Tell people of every revision that they have not been told of.

        A function that dies between the two calls tells twice; nothing is told never.
        """
        upto = decision.state.revision
        for notice in self._ledger.untold(upto):
            if notice.text:
                urgent = "ACTION NEEDED: " if notice.urgent else ""
                subject = f"{urgent}{self._settings.application}: {notice.text}"
                with calling("telling people"):
                    self._clients.sns(self._here).publish(
                        TopicArn=self._settings.topic_arn,
                        Subject=_printable(subject)[:SUBJECT_MAX],
                        Message=(
                            f"{self._settings.application}, revision {notice.revision}\n\n"
                            f"{notice.text}\n"
                        ),
                    )
            self._ledger.mark_told(notice.revision)

    def claim(self, intent: Intent) -> None:
        """Write down that this attempt is carried out now, once."""
        self._ledger.claim(intent)

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer."""
        self._database.move(intent)

    def _capacity_short(self) -> bool:
        with calling("describing the standby's capacity"):
            found = self._clients.autoscaling(self._here).describe_auto_scaling_groups(
                AutoScalingGroupNames=[self._settings.capacity_group]
            )
        groups = found["AutoScalingGroups"]
        if not groups:
            msg = "the standby's group of instances is not there"
            raise UnavailableError(msg)
        smallest: int = groups[0]["MinSize"]
        return smallest < int(self._settings.capacity_min)

    def raise_capacity(self) -> None:
        """Let the standby run as many instances as the primary does at the least.

        Raising the minimum raises what is wanted with it, and nothing lowers it behind our back.
        """
        needed = int(self._settings.capacity_min)
        with calling("raising the standby's capacity"):
            self._clients.autoscaling(self._here, changing=True).update_auto_scaling_group(
                AutoScalingGroupName=self._settings.capacity_group, MinSize=needed
            )


def _printable(text: str) -> str:
    """Return a text as SNS takes it for a subject; one that it refused would hold up all others."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text)


def _ask_all(asked: dict[str, Callable[[], T]]) -> dict[str, T]:
    """Ask everybody at once; return the answers that came in time. Who failed is left out."""
    pool = ThreadPoolExecutor(len(asked))
    futures: dict[str, Future[T]] = {name: pool.submit(one) for name, one in asked.items()}
    try:
        done, _ = wait(futures.values(), timeout=LOOK_S)
        answers = {}
        for name, future in futures.items():
            if future in done:
                with suppress(UnavailableError):
                    answers[name] = future.result()
        return answers
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
