"""The orchestrator's ports on AWS, each composed from the services that it needs."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from otherside.core.topology import Side
from otherside.core.wire_contract import (
    FAILOVER_ACTIVE,
    HEARTBEAT,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    PULSE_TIDY_MAX,
    OrchestratorSettings,
    actuator_name,
)
from otherside.failover.aws import evidence_reader
from otherside.failover.aws import http_probes as default_probes
from otherside.failover.aws.aws_clients import AwsClients, calling
from otherside.failover.aws.caller_proof import ProofReader, Send, confirmed, send
from otherside.failover.aws.evidence_reader import WITNESS, RawObservation
from otherside.failover.aws.global_cluster import GlobalClusterClient
from otherside.failover.aws.http_probes import Question
from otherside.failover.aws.pledge import Pledges, StoredPledge
from otherside.failover.aws.state_store import PULSE_KEPT_S, HealthReport, Notice, StateStore
from otherside.failover.clock import Clock
from otherside.failover.decision.decide import Decision, LeaseTerms, is_moving
from otherside.failover.decision.observation import Command, LeaseView, Observation, Reading
from otherside.failover.decision.state import Intent, State
from otherside.failover.ports import ConflictError, UnavailableError

LOOK_S = 5.0
"""The longest that an observation takes; a source that has not answered by then is unknown."""
PUBLISH_MAX_S = 20.0
"""The maximum age of an observation from which the latch is published: a later one may differ."""
SUBJECT_MAX = 99
"""Fewer than 100, and no line break:
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""

Questions = Mapping[str, Callable[[], Any]]


class Probes(Protocol):
    """Probes of the application and of DNS, as a user would reach them."""

    def ask(self, question: Question) -> Reading:
        """Return GOOD for a 200 response, and BAD for any other or for none."""

    def users_on(self, state_name: str) -> Side | None:
        """Return the side that DNS prefers, or `None` if it cannot be read."""

    def sees_outside(self) -> Reading:
        """Return whether outside names resolve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers that arrived in time, and the sources that could not be read, with reasons."""

    known: Mapping[str, Any]
    unreadable: tuple[str, ...]

    def get(self, name: str, otherwise: Any = None) -> Any:  # noqa: ANN401 - as was answered
        """Return the answer of one source, or `otherwise` if it gave none."""
        return self.known.get(name, otherwise)


class AwsAdapter:
    """AWS, seen from the standby's Region."""

    def __init__(
        self,
        settings: OrchestratorSettings,
        *,
        clients: AwsClients,
        clock: Clock,
        code: str,
        skew_s: float,
        ask: "Callable[[Questions], Answers] | None" = None,
        probes: "Probes | None" = None,
        send_proof: Send = send,
    ) -> None:
        """Keep the settings and the clients; no call is made before a port is used.

        `ask` runs all queries of one observation; the default runs them in parallel. `probes`
        checks the application and DNS from outside, `send_proof` asks STS who signed an order.
        """
        self._send = send_proof
        self._settings, self._clients, self._clock = settings, clients, clock
        self._here, self._skew_s = settings.standby_region, skew_s
        self._ask, self._probes = ask or ask_all, probes or default_probes
        self._ledger = StateStore(
            clients.dynamodb(self._here),
            table=settings.state_table,
            application=settings.application,
            clock=clock,
            code=code,
            skew_s=skew_s,
        )
        self._pledges = Pledges(clients.s3(self._here), bucket=settings.pledge_bucket, clock=clock)
        self._database = GlobalClusterClient(settings, clients)
        self._terms: LeaseTerms | None = None
        self._kept: StoredPledge | None = None
        self._pulses: Mapping[str, HealthReport] = {}
        self._seen_s = 0.0
        self._failing: tuple[str, ...] | None = None

    def now_s(self) -> float:
        """Return the time in seconds since 1970."""
        return self._clock.now_s()

    def load_state(self) -> State:
        """Return the newest committed revision, read from a majority."""
        return self._ledger.newest()

    def observe(self, state: State) -> Observation:
        """Query all sources in parallel, each for a few seconds at most."""
        answers = self._ask(self._questions(state))
        self._kept = answers.get("pledge")
        self._pulses = answers.get("pulses") or {}
        lease: tuple[LeaseView, LeaseTerms] | None = answers.get("lease")
        self._terms = lease[1] if lease else None
        members = {side: answers.get(f"{side} member") for side in Side}
        database, unreadable = None, answers.unreadable
        try:
            with calling("reading the database's description"):
                database = self._database.view(answers.get("whole"), members)
        except UnavailableError as error:
            unreadable = (*unreadable, str(error))
        self._seen_s = self.now_s()
        return evidence_reader.observation(
            state,
            RawObservation(
                at_s=self._seen_s,
                pulses=answers.get("pulses"),
                lease=self._joint_lease(lease[0] if lease else None),
                command=answers.get("command"),
                freeze=answers.get("freeze"),
                database=database,
                control_plane=answers.get("control_plane"),
                canary=answers.get("canary", Reading.UNKNOWN),
                standby_app=answers.get("standby_app", Reading.UNKNOWN),
                standby_write=answers.get("standby_write", Reading.UNKNOWN),
                users_on=answers.get("users_on"),
                outside=answers.get("outside", Reading.UNKNOWN),
                capacity_short=answers.get("capacity_short"),
                pledge_epoch=self._kept.epoch if self._kept else None,
                attempts=answers.get("attempts"),
                failing=self._failing,
                unreadable=unreadable,
                aurora=answers.get("aurora", ()),
            ),
        )

    def _questions(self, state: State) -> Questions:
        """Return all queries of one observation, by name."""
        asked: dict[str, Callable[[], Any]] = {
            "pulses": self._ledger.pulses,
            "lease": self._ledger.lease,
            "pledge": self._pledges.read,
            "command": self._command,
            "freeze": self._ledger.freeze,
            "whole": self._database.whole,
            **{f"{side} member": partial(self._database.member, side) for side in Side},
            "control_plane": lambda: self._database.answers(Side.PRIMARY),
            "canary": lambda: self._probes.ask(
                self._question(self._settings.public_url, write=True)
            ),
            "standby_app": lambda: self._probes.ask(self._question(self._settings.standby_url)),
            "users_on": lambda: self._probes.users_on(self._settings.traffic_state_name),
            "outside": self._probes.sees_outside,
            "capacity_short": self._capacity_short,
        }
        if is_moving(state):
            asked["aurora"] = self._database.says
            asked["attempts"] = partial(self._ledger.attempts, state.epoch)
            asked["standby_write"] = lambda: self._probes.ask(
                self._question(self._settings.standby_url, write=True)
            )
        return asked

    def _command(self) -> Command | None:
        """Return the newest order; where two people are asked for, with whom STS names."""
        if self._settings.approvers == "1":
            return self._ledger.command()
        given = self._ledger.proven_command()
        if given is None or not given[1]:
            return given and given[0]
        return confirmed(*given, self._settings.application, self._reader(), now_s=self.now_s())

    def _reader(self) -> ProofReader:
        account = self._settings.standby_cluster_arn.split(":")[4]
        endpoint = self._clients.sts_endpoint(self._here)
        return ProofReader(endpoint=endpoint, account=account, send=self._send)

    def _joint_lease(self, lease: LeaseView | None) -> LeaseView | None:
        """Return the lease as it holds both for agents that read it and for those on the pledge.

        It is closed only if both are: a pledge that cannot be read may still hold.
        """
        if lease is None or lease.open:
            return lease
        pledge = self._kept.pledge if self._kept else None
        unread = self._kept is None
        held = pledge is not None and pledge.holds(self.now_s(), self._skew_s)
        return LeaseView(open=unread or held, seen_s=lease.seen_s)

    def _question(self, url: str, *, write: bool = False) -> Question:
        settings = self._settings
        return Question(
            url=url,
            path=settings.write_path if write else settings.readiness_path,
            name=settings.public_url.partition("://")[2],
        )

    def commit(self, decision: Decision, observation: Observation) -> None:
        """Commit one revision, together with the observation that it was decided on."""
        self._ledger.append(decision, observation)

    def invoke_actuator(self, decision: Decision) -> None:
        """Wake the actuator if there is anything to do."""
        if decision.move is None and not decision.raise_capacity:
            return
        with calling("waking the actuator"):
            self._clients.functions(self._here).invoke(
                FunctionName=actuator_name(self._settings.application), InvocationType="Event"
            )

    def set_lease_terms(self, decision: Decision) -> None:
        """Set the lease to the decision's terms, unless this tick read them there already."""
        if decision.terms is not None and decision.terms != self._terms:
            self._ledger.set_lease(decision.terms, decision.state.revision)
            self._terms = decision.terms

    def pledge(self, decision: Decision) -> None:
        """Set the pledge to the same terms, valid while nothing else is decided."""
        if decision.terms is None:
            return
        if self._kept is None:
            self._kept = self._pledges.read()
        revision = decision.state.revision
        self._kept = self._pledges.keep(decision.terms, revision, self._seen_s, self._kept)

    def extend_pledge(self) -> None:
        """Extend a valid pledge while nothing can be committed."""
        self._pledges.extend_pledge()

    def record_failures(self, failed: tuple[str, ...]) -> None:
        """Keep the actions that failed, for the next observation to include."""
        self._failing = failed

    def publish_metrics(self, decision: Decision) -> None:
        """Publish that this tick ran, and whether users belong on the standby.

        This happens on every tick and not only on changes: Route 53 reads a stream of data, and
        keeps the last value only while no data arrives. So an unknown latch is not published.
        """
        values = {HEARTBEAT: 1.0}
        if self.now_s() - self._seen_s > PUBLISH_MAX_S:
            msg = "publishing the latch: the look is too old"  # the function was frozen meanwhile
            raise UnavailableError(msg)
        if decision.latch is not None:
            values[FAILOVER_ACTIVE] = 1.0 if decision.latch else 0.0
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

    def notify(self, decision: Decision) -> None:
        """Notify people of every revision that they have not been notified of.

        If the function dies between the two calls, a notice is sent twice; none is ever lost.
        """
        upto = decision.state.revision
        notices, mark = self._ledger.untold(upto)
        for notice in notices:
            if notice.text:
                subject, message = self._message(notice)
                with calling("telling people"):
                    self._clients.sns(self._here).publish(
                        TopicArn=self._settings.topic_arn, Subject=subject, Message=message
                    )
            try:
                self._ledger.mark_told(notice.revision, mark)
            except ConflictError:
                return  # the run that overtook this one continues from there
            mark = notice.revision
        self._tidy()

    def _message(self, notice: Notice) -> tuple[str, str]:
        """Return a notice as subject and message, with its own time because it may come late."""
        urgent = "ACTION NEEDED: " if notice.urgent else ""
        subject = f"{urgent}{self._settings.application}: {notice.text}"
        when = "" if notice.at_s is None else f", {datetime.fromtimestamp(notice.at_s, UTC):%FT%TZ}"
        text = f"{self._settings.application}, revision {notice.revision}{when}\n\n{notice.text}\n"
        return _printable(subject)[:SUBJECT_MAX], text

    def _tidy(self) -> None:
        """Delete the pulses of lease agents silent for long: each instance leaves one behind."""
        now_s = self.now_s()
        gone = [
            (place, pulse.at_s)
            for place, pulse in self._pulses.items()
            if place != WITNESS and now_s - pulse.at_s > PULSE_KEPT_S
        ]
        for place, at_s in gone[:PULSE_TIDY_MAX]:
            self._ledger.forget_pulse(place, at_s)

    def claim(self, intent: Intent) -> None:
        """Record that this attempt is being carried out now, once."""
        self._ledger.claim(intent)

    def move(self, intent: Intent) -> None:
        """Ask Aurora to move the writer."""
        self._database.move(intent)

    def record_answer(self, intent: Intent, *, called: bool, answer: str | None) -> None:
        """Record the outcome of a claimed attempt."""
        self._ledger.record_answer(intent, called=called, answer=answer)

    def _capacity_short(self) -> bool:
        with calling("describing the standby's capacity"):
            found = self._clients.autoscaling(self._here).describe_auto_scaling_groups(
                AutoScalingGroupNames=[self._settings.capacity_group]
            )
            smallest: int = found["AutoScalingGroups"][0]["MinSize"]
            return smallest < int(self._settings.capacity_min)

    def raise_capacity(self) -> None:
        """Raise the standby's minimum number of instances to the primary's.

        Raising the minimum raises the desired count with it, and nothing lowers it later unnoticed.
        """
        needed = int(self._settings.capacity_min)
        with calling("raising the standby's capacity"):
            self._clients.autoscaling(self._here, changing=True).update_auto_scaling_group(
                AutoScalingGroupName=self._settings.capacity_group, MinSize=needed
            )


def _printable(text: str) -> str:
    """Return a text that SNS accepts as a subject; a refused one would hold up all later ones."""
    return "".join(item if item.isascii() and item.isprintable() else "?" for item in text)


def ask_all(asked: Questions) -> Answers:
    """Run all queries in parallel, within the time limit of an observation."""
    pool = ThreadPoolExecutor(len(asked))
    futures: dict[str, Future[Any]] = {name: pool.submit(item) for name, item in asked.items()}
    try:
        done, _ = wait(futures.values(), timeout=LOOK_S)
        return gather(
            {name: future.result if future in done else _late for name, future in futures.items()}
        )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def gather(asked: Questions) -> Answers:
    """Run all queries one after the other; one that fails in any way is listed as unreadable."""
    known: dict[str, Any] = {}
    unreadable: list[str] = []
    for name, question in asked.items():
        try:
            with calling(name.replace("_", " ")):
                known[name] = question()
        except UnavailableError as error:
            unreadable.append(str(error))
    return Answers(known=known, unreadable=tuple(unreadable))


def _late() -> None:
    raise TimeoutError
