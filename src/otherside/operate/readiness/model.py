"""A readiness check, its outcome, and what the checks ask about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Generic, TypeVar

from otherside.core.wire_contract import OrchestratorSettings
from otherside.failover.decision.state import State
from otherside.operate.deployment import Aws, Deployment
from otherside.operate.overview import DeciderTick
from otherside.operate.reading import Fact, read_all


class Readiness(StrEnum):
    """The outcome of a check."""

    READY = "ready"
    NOT_READY = "not-ready"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    """It does not apply here, such as AWS's quotas on a twin."""


T = TypeVar("T")
Judged = tuple[Readiness, str]
"""An outcome and what was found, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseTarget:
    """A global database, whoever deployed it."""

    aws: Aws
    identifier: str
    region: str
    """The Region to ask about the whole."""
    members: Mapping[str, str]
    """Each member cluster's identifier, by its Region."""
    followers: Sequence[str]
    """The Regions that are to take over."""
    now_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StackTarget:
    """A stack of ours, with everything about it that several checks need."""

    deployment: Deployment
    settings: OrchestratorSettings
    state: State
    tick: Fact[DeciderTick | None]

    @property
    def now_s(self) -> float:
        """Seconds since 1970, by the clock of whatever stands behind."""
        return self.deployment.clock.now_s()

    @property
    def database(self) -> DatabaseTarget:
        """The stack's global database."""
        settings = self.settings
        arns = (settings.primary_cluster_arn, settings.standby_cluster_arn)
        return DatabaseTarget(
            aws=self.deployment.aws,
            identifier=settings.global_cluster,
            region=self.deployment.standby,
            members={arn.split(":")[3]: arn.rpartition(":")[2] for arn in arns},
            followers=(self.deployment.region(self.state.writer.other),),
            now_s=self.now_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessCheck(Generic[T]):
    """One thing that has to be true of a target."""

    code: str
    """A stable name for programs: `standby-has-instances`."""
    title: str
    why: str
    """What goes wrong on the day if it is not so."""
    remedy: str
    """What to do about it."""
    ask: Callable[[T], Judged]
    """Finds out; raises whatever AWS raises."""
    on_twin: bool = True
    """Whether a twin can answer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessResult:
    """A check's outcome."""

    code: str
    title: str
    outcome: Readiness
    found: str
    why: str
    remedy: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-serializable data."""
        return asdict(self)


def run(checks: Sequence[ReadinessCheck[T]], target: T, *, on_twin: bool) -> list[ReadinessResult]:
    """Run checks in parallel; whatever cannot be read is unknown, with the call and the error."""
    asked = {
        check.code: partial(check.ask, target) for check in checks if check.on_twin or not on_twin
    }
    answers = read_all(asked)
    return [_result(check, answers.get(check.code)) for check in checks]


def _result(check: ReadinessCheck[T], answer: Fact[Judged] | None) -> ReadinessResult:
    if answer is None:
        outcome, found = Readiness.SKIPPED, "a twin has no such thing"
    elif answer.value is None:
        outcome, found = Readiness.UNKNOWN, answer.missing.removeprefix(f"{check.code}: ")
    else:
        outcome, found = answer.value
    return ReadinessResult(
        code=check.code,
        title=check.title,
        outcome=outcome,
        found=found,
        why=check.why,
        remedy=check.remedy,
    )


def judged(good: bool, found: str) -> Judged:  # noqa: FBT001 - what was found out
    """Return ready or not ready, with what was found."""
    return (Readiness.READY if good else Readiness.NOT_READY), found


def not_ready(found: str) -> Judged:
    """Return not ready, with what was found."""
    return Readiness.NOT_READY, found


def days(seconds: float) -> str:
    """Return a duration in whole days: `1 day`, `12 days`."""
    count = round(seconds / 86_400)
    return f"{count} day" if count == 1 else f"{count} days"
