"""Prove that drills detect failures: the correct stack passes and each broken stack fails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from otherside.drill.conditions import every
from otherside.drill.known_failures import FAILURES, KnownFailure, inspection
from otherside.drill.mutations import in_order
from otherside.drill.outcome import Outcome
from otherside.drill.scenario import Scenario
from otherside.drill.suite import SuiteOptions, SuiteProgress, SuiteResult, run_suite
from otherside.drill.target import DrillTarget

NEVER_STEADY_S = 96.0
"""Twin seconds to wait for a stack that cannot become steady: what its checkers need to see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionResult:
    """The result of one sabotage, or of the correct stack if `failure` is `None`."""

    failure: KnownFailure | None
    rehearsed: SuiteResult
    missed: tuple[str, ...] = ()
    """The resources that the sabotage was meant to break but did not find."""

    @property
    def observed(self) -> str:
        """What the drill observed, as text."""
        found = self.rehearsed.result.found
        if self.failure is None:
            wrong = [
                f"{result.claim}: {result.reason}" for result in found if result.verdict != "passed"
            ]
            return "; ".join(wrong) or f"all {len(found)} claims hold"
        if self.missed:
            return f"nothing to break: {', '.join(self.missed)}"
        reasons = [item.reason for item in found if item.claim == self.failure.claim.name]
        return reasons[0] if reasons else "the claim was not evaluated"

    @property
    def good(self) -> bool:
        """Whether the correct stack passed, or the sabotage was detected by its own symptom."""
        if self.failure is None:
            return self.rehearsed.result.verdict is Outcome.PASSED
        return not self.missed and any(
            result.claim == self.failure.claim.name
            and result.verdict is Outcome.FAILED
            and self.failure.words in result.reason
            for result in self.rehearsed.result.found
        )


def chosen(which: str) -> list[KnownFailure]:
    """Return the selected failures: `all`, or numbers such as `3` or `3,9`.

    Raises:
        ValueError: If a number is not a known failure.
    """
    if which == "all":
        return list(FAILURES)
    known = {failure.number for failure in FAILURES}
    try:
        numbers = [int(part) for part in which.split(",")]
    except ValueError:
        numbers = [0]
    wrong = [number for number in numbers if number not in known]
    if wrong:
        msg = f"--sabotage {which}: use all, or numbers from 1 to {max(known)}, such as 3,9"
        raise ValueError(msg)
    return [failure for failure in FAILURES if failure.number in numbers]


def prove(
    failures: Sequence[KnownFailure],
    target: DrillTarget,
    options: SuiteOptions,
    told: SuiteProgress = lambda _: None,
) -> Iterator[DetectionResult]:
    """Drill the correct stack, then each broken one, each on its own twin."""
    for rehearsed in run_suite([inspection(failures)], target, _named(options, "correct"), told):
        yield DetectionResult(failure=None, rehearsed=rehearsed)
    for failure in failures:
        yield prove_one(failure, target, options, told)


def prove_one(
    failure: KnownFailure,
    target: DrillTarget,
    options: SuiteOptions,
    told: SuiteProgress = lambda _: None,
) -> DetectionResult:
    """Break the stack with one failure and run the scenario that should detect it."""
    breakers = failure.broken(target)
    patience_s = None if failure.steady else NEVER_STEADY_S
    (rehearsed,) = run_suite(
        [failure.scenario],
        target,
        _named(options, failure.key),
        told,
        change=breakers,
        anyway=True,
        steady_s=patience_s,
    )
    return DetectionResult(failure=failure, rehearsed=rehearsed, missed=tuple(breakers.missed))


def prove_together(
    failures: Sequence[KnownFailure],
    target: DrillTarget,
    options: SuiteOptions,
    told: SuiteProgress = lambda _: None,
) -> list[DetectionResult]:
    """Reintroduce several independent failures on one twin.

    Each counts as detected only by its own claim and its own words. This suits probes and alarms
    only, because the run does not wait for the orchestrator to report a healthy stack.
    """
    parts = [failure.scenario for failure in failures]
    breakers = [failure.broken(target) for failure in failures]
    steps = [step for part in parts for step in part.steps]
    whole = Scenario(
        name="-".join(f"{failure.number:02}" for failure in failures),
        title="Several independent failures at once.",
        expectation="The claim of each failure fails.",
        steps=tuple(step for number, step in enumerate(steps) if step not in steps[:number]),
        claims=tuple(failure.claim for failure in failures),
        stop_when=every(*(part.stop_when for part in parts)),
        lasts_s=max(part.lasts_s for part in parts),
    )

    (rehearsed,) = run_suite(
        [whole],
        target,
        options,
        told,
        change=in_order(breakers),
        anyway=True,
        steady_s=NEVER_STEADY_S,
    )
    return [
        DetectionResult(failure=failure, rehearsed=rehearsed, missed=tuple(breaker.missed))
        for failure, breaker in zip(failures, breakers, strict=True)
    ]


def _named(options: SuiteOptions, name: str) -> SuiteOptions:
    return replace(options, directory=options.directory / name)


def as_json(proofs: Sequence[DetectionResult]) -> dict[str, Any]:
    """Return the results as a JSON-serializable value."""
    return {
        "schema": 1,
        "correct": [
            {"passed": proof.good, "observed": proof.observed}
            for proof in proofs
            if proof.failure is None
        ],
        "failures": [
            {
                "number": proof.failure.number,
                "key": proof.failure.key,
                "symptom": proof.failure.symptom,
                "noticed": proof.good,
                "observed": proof.observed,
            }
            for proof in proofs
            if proof.failure is not None
        ],
    }
