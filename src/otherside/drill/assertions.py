"""Drill assertions: pure functions of a recording that return an outcome and a reason."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from otherside.drill.entries import (
    CallEntry,
    DeliveryEntry,
    EventEntry,
    ProbeEntry,
    RunEntry,
    SampleEntry,
    StageEntry,
    TickEntry,
    WriteEntry,
)
from otherside.drill.measurements import ACKNOWLEDGED, MOVES, Measures
from otherside.drill.outcome import Outcome
from otherside.drill.recording import Recording
from otherside.failover.decision.gates import Obstacle
from otherside.failover.decision.state import Phase
from otherside.failover.decision.transitions import Event
from otherside.failover.decision.verdict import Verdict as Seen

Evaluation = tuple[Outcome, str]
HELD_S = 20.0
"""How long the last samples must agree on which side serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One claim that a drill evaluates."""

    name: str
    evaluate: Callable[[Recording, Measures], Evaluation]
    stack: bool = False
    """Whether the claim needs what only a deployed stack has: roles, functions, alarms, readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionResult:
    """The outcome of one claim."""

    claim: str
    verdict: Outcome
    reason: str


def evaluate(
    claims: Sequence[Assertion], recording: Recording, measures: Measures
) -> list[AssertionResult]:
    """Return the outcome of each claim.

    Without a steady state before the strike, nothing can be attributed to the disaster.
    """
    found = []
    for claim in (_STEADY, *claims):
        verdict, reason = claim.evaluate(recording, measures)
        if recording.ended != "finished":  # an incomplete recording proves no failure
            verdict, reason = Outcome.UNKNOWN, f"the drill was {recording.ended}; {reason}"
        elif verdict is Outcome.FAILED and _never_struck(recording):
            verdict, reason = Outcome.UNKNOWN, f"nothing struck a stack that was steady; {reason}"
        found.append(AssertionResult(claim=claim.name, verdict=verdict, reason=reason))
    return found


def _never_struck(recording: Recording) -> bool:
    """Return whether the stack was deployed and never became steady, so that nothing was tried."""
    states = {entry.state for entry in recording.of(StageEntry)}
    return recording.strike_s is None and "unsteady" in states and "refused" not in states


def _when(passed: bool, reason: str) -> Evaluation:  # noqa: FBT001 - the outcome itself
    return (Outcome.PASSED if passed else Outcome.FAILED), reason


def _judge_steady(recording: Recording, _: Measures) -> Evaluation:
    states = [entry for entry in recording.of(StageEntry) if entry.state in {"unsteady", "refused"}]
    if recording.steady:
        looked = bool(recording.of(TickEntry))
        sees = "every signal was readable" if looked else "no orchestrator deployed"
        return Outcome.PASSED, f"users wrote, targets were healthy, {sees}"
    if states:
        return Outcome.UNKNOWN, str(states[-1].text)
    return Outcome.UNKNOWN, "the drill did not get that far"


_STEADY = Assertion(name="steady before the disaster", evaluate=_judge_steady)


def writable_again(within_s: float | None = None) -> Assertion:
    """Claim that writes recover within a time limit; the default is the configured RTO."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        limit_s = recording.head.rto_s if within_s is None else within_s
        return _within("writes", measures.rto_write_s, limit_s, bool(measures.outages_write))

    return Assertion(name="writes recover in time", evaluate=judge_it)


def paused(at_least_s: float) -> Assertion:
    """Claim that writes pause at least this long: a side without the right acknowledges none."""

    def judge_it(_: Recording, measures: Measures) -> Evaluation:
        if measures.rto_write_s is None:
            return Outcome.UNKNOWN, "no writes were attempted"
        text = f"writes paused for {measures.rto_write_s:.0f} s, minimum {at_least_s:.0f} s"
        return _when(measures.rto_write_s >= at_least_s, text)

    return Assertion(name="writes pause", evaluate=judge_it)


def readable_again(within_s: float | None = None) -> Assertion:
    """Claim that reads recover within a time limit; the default is the configured RTO."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        limit_s = recording.head.rto_s if within_s is None else within_s
        return _within("reads", measures.rto_read_s, limit_s, bool(measures.outages_read))

    return Assertion(name="reads recover in time", evaluate=judge_it, stack=True)


def _within(what: str, rto_s: float | None, limit_s: float, outage: bool) -> Evaluation:  # noqa: FBT001 - a fact
    if rto_s is None and not outage:
        return Outcome.UNKNOWN, f"no {what} were attempted"
    if rto_s is None:
        return Outcome.FAILED, f"{what} did not recover"
    if not outage:
        return Outcome.PASSED, f"{what} were never interrupted"
    return _when(rto_s <= limit_s, f"{what} were down for {rto_s:.0f} s, {limit_s:.0f} s allowed")


def acknowledged_writes_survive(losing_at_most_s: float | None = None) -> Assertion:
    """Claim that the loss of acknowledged writes stays within a limit; the default is the RPO."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        limit_s = recording.head.rpo_s if losing_at_most_s is None else losing_at_most_s
        if measures.rpo_s is None or measures.writes_lost is None:
            return Outcome.UNKNOWN, "the writer's database could not be read at the end"
        if not measures.writes_acknowledged:
            return Outcome.UNKNOWN, "no write was ever acknowledged"
        text = f"{measures.writes_lost} of {measures.writes_acknowledged} acknowledged writes lost"
        text += f", RPO {measures.rpo_s:.2f} s, {limit_s:g} s allowed"
        return _when(measures.rpo_s <= limit_s, text)

    return Assertion(name="acknowledged writes survive", evaluate=judge_it)


def within_objectives(may_exceed: str = "") -> Assertion:
    """Claim that RTO and RPO are within the configuration's objectives, as far as measured.

    `may_exceed` says why a scenario may exceed them; an excess is then named and no failure.
    """

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        head = recording.head
        objectives = (
            ("RTO for writes", measures.rto_write_s, head.rto_s, measures.outages_write),
            ("RTO for reads", measures.rto_read_s, head.rto_s, measures.outages_read),
            ("RPO", measures.rpo_s, head.rpo_s, ()),
        )
        within, missed = [], []
        for name, value_s, limit_s, outages in objectives:
            if value_s is None and outages:
                missed.append(f"{name}: never recovered")
            elif value_s is not None and value_s > limit_s:
                missed.append(f"{name} {value_s:.0f} s of {limit_s:g} s")
            elif value_s is not None:
                within.append(name)
        if not missed:
            said = f"{', '.join(within)} within"
            return Outcome.PASSED, said if within else "nothing was measured that has an objective"
        said = f"missed: {', '.join(missed)}"
        return (Outcome.PASSED, f"{said}. {may_exceed}") if may_exceed else (Outcome.FAILED, said)

    return Assertion(name="within the objectives", evaluate=judge_it)


def _judge_whole(_: Recording, measures: Measures) -> Evaluation:
    counts = {
        "corrupt rows": measures.rows_corrupt,
        "unknown rows": measures.rows_unknown,
        "rows there twice": measures.rows_twice,
        "writes created twice": measures.writes_twice if not measures.writes_lost else 0,
    }
    if None in counts.values():
        return Outcome.UNKNOWN, "the writer's database could not be read at the end"
    wrong = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return _when(not wrong, wrong or "every row matches what a client sent, exactly once")


WHOLE = Assertion(name="data integrity", evaluate=_judge_whole)


def _judge_split(_: Recording, measures: Measures) -> Evaluation:
    count = measures.writes_wrong_side
    if count is None and measures.writes_lost:
        return Outcome.UNKNOWN, "the application does not say which Region answers: `drill.region`"
    if count is None:
        return Outcome.UNKNOWN, "the writer's database could not be read at the end"
    text = f"{count} lost writes were sent after another side had taken over"
    return _when(count == 0, text if count else "no lost write was sent after a takeover")


NO_SPLIT_BRAIN = Assertion(name="no split brain", evaluate=_judge_split)


def _judge_said(_: Recording, measures: Measures) -> Evaluation:
    if measures.rpo_s is None:
        return Outcome.UNKNOWN, "the loss is unknown"
    if measures.loss_said_s is None:
        return Outcome.UNKNOWN, "the orchestrator never reported a loss bound"
    text = f"reported bound {measures.loss_said_s:.1f} s, measured loss {measures.rpo_s:.2f} s"
    return _when(measures.rpo_s <= measures.loss_said_s, text)


LOSS_AS_SAID = Assertion(name="loss within the reported bound", evaluate=_judge_said)


def writer_ends_at(side: str) -> Assertion:
    """Claim that the writer is on a given side at the end."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        samples = recording.of(SampleEntry)
        if not samples:
            return Outcome.UNKNOWN, "no sample was taken"
        found = samples[-1].writer
        return _when(found == side, f"the writer is on: {found or 'neither side'}")

    return Assertion(name=f"the writer ends on the {side}", evaluate=judge_it)


def users_end_at(side: str) -> Assertion:
    """Claim that the public name resolves to one side at the end, and has for a while."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        samples = recording.of(SampleEntry)
        last = [sample for sample in samples if sample.at_s >= samples[-1].at_s - HELD_S]
        found = {sample.serves for sample in last}
        if not found:
            return Outcome.UNKNOWN, "no sample was taken"
        return _when(found == {side}, f"DNS sends users to {_names(found)}")

    return Assertion(name=f"users end on the {side}", evaluate=judge_it)


def users_stay_at(side: str, since: Callable[[Recording], float | None]) -> Assertion:
    """Claim that DNS sends users only to a given side from a given moment on."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        from_s = since(recording)
        seen = [
            entry.serves
            for entry in recording.since_strike(SampleEntry)
            if from_s is not None and entry.at_s >= from_s and entry.serves
        ]
        if not seen:
            return Outcome.UNKNOWN, "no sample was taken after that moment"
        astray = sum(serve != side for serve in seen)
        return _when(not astray, f"DNS sent users elsewhere in {astray} of {len(seen)} samples")

    return Assertion(name=f"users stay on the {side}", evaluate=judge_it)


def users_start_at(side: str) -> Assertion:
    """Claim that the public name resolves to a given side before the strike."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        strike_s = recording.strike_s or recording.now_s
        before = [sample.serves for sample in recording.of(SampleEntry) if sample.at_s <= strike_s]
        if not before:
            return Outcome.UNKNOWN, "no sample was taken"
        return _when(before[-1] == side, f"DNS sent users to {_names({before[-1]})}")

    return Assertion(name=f"users start on the {side}", evaluate=judge_it)


def _names(places: Collection[str | None]) -> str:
    return " and ".join(sorted(f"the {place}" if place else "neither side" for place in places))


def _moves(recording: Recording) -> list[CallEntry]:
    """Return the failover and switchover calls since the strike, refused ones included."""
    return [entry for entry in recording.since_strike(CallEntry) if entry.operation in MOVES]


def _judge_nothing_moved(recording: Recording, _: Measures) -> Evaluation:
    looks = list(recording.since_strike(TickEntry))
    moves = _moves(recording)
    if moves:
        who = moves[0].principal.rpartition("/")[2] or moves[0].principal
        return Outcome.FAILED, f"{who} called {moves[0].operation}"
    if not looks:
        return Outcome.UNKNOWN, "the orchestrator never ran, so its inaction proves nothing"
    return Outcome.PASSED, f"no move in {len(looks)} ticks"


NOTHING_MOVED = Assertion(name="the writer is not moved", evaluate=_judge_nothing_moved)


def _judge_not_a_call(recording: Recording, _: Measures) -> Evaluation:
    moves = _moves(recording)
    if moves:
        return Outcome.FAILED, f"{moves[0].operation} was called"
    samples = list(recording.since_strike(SampleEntry))
    if not samples:
        return Outcome.UNKNOWN, "no sample was taken"
    return Outcome.PASSED, f"no failover or switchover call in {len(samples)} samples"


NOT_A_CALL = Assertion(name="no failover or switchover is called", evaluate=_judge_not_a_call)
"""Like `NOTHING_MOVED`, for scenarios in which no orchestrator is left to run."""


def moved(times: int, *, by: str = "actuator") -> Assertion:
    """Claim how many times the writer is moved, and by which principal."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        calls = _moves(recording)
        done = [call for call in calls if call.status < 400 or call.status == 0]  # noqa: PLR2004 - HTTP's own
        refused = [call for call in calls if call not in done]
        who = {call.principal.rpartition("/")[2] for call in done}
        text = f"moved {_times(len(done))}; callers: {', '.join(sorted(who)) or 'none'}"
        if refused:
            text += f"; {refused[0].principal.rpartition('/')[2]} got {refused[0].error}"
        return _when(len(done) == times and all(by in item for item in who), text)

    return Assertion(name=f"the writer is moved {_times(times)}", evaluate=judge_it)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def decided(verdict: Seen, *, phase: str = "") -> Assertion:
    """Claim that the orchestrator reached a verdict, in a given phase if one is named."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        looks = list(recording.since_strike(TickEntry))
        found = {look.verdict for look in looks if phase in {"", look.phase}}
        text = f"verdicts: {', '.join(sorted(map(str, found))) or 'none'}"
        return _when(str(verdict) in found, text) if looks else (Outcome.UNKNOWN, "it never ran")

    return Assertion(name=f"the orchestrator's verdict is {verdict}", evaluate=judge_it)


def reached(*phases: str) -> Assertion:
    """Claim that the orchestrator goes through the given phases in order."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        path = [entry.phase for entry in recording.since_strike(TickEntry)]
        if not path:
            return Outcome.UNKNOWN, "the orchestrator never ran"
        rest = iter(path)
        whole = all(wanted in rest for wanted in phases)
        short = [item for n, item in enumerate(path) if n == 0 or path[n - 1] != item]
        return _when(whole, f"phases: {', '.join(short)}")

    return Assertion(name=f"the orchestrator goes through {', '.join(phases)}", evaluate=judge_it)


def never_reached(*phases: str) -> Assertion:
    """Claim that the orchestrator never enters the given phases."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        path = {entry.phase for entry in recording.since_strike(TickEntry)}
        if not path:
            return Outcome.UNKNOWN, "the orchestrator never ran"
        return _when(not path & set(phases), f"phases: {', '.join(sorted(path))}")

    return Assertion(name=f"the orchestrator never enters {', '.join(phases)}", evaluate=judge_it)


def entered_by(event: Event) -> Assertion:
    """Claim that a phase was entered because of an event of the decision."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        ticks = list(recording.since_strike(TickEntry))
        if all(tick.entered_by is None for tick in ticks):
            return Outcome.UNKNOWN, "the orchestrator never ran, or did not say what it acted on"
        for tick in ticks:
            if tick.entered_by == event:
                return Outcome.PASSED, f"{tick.phase}: {tick.reason}"
        seen = sorted({tick.entered_by or "" for tick in ticks} - {""})
        return Outcome.FAILED, f"no phase was entered by {event}, only by {', '.join(seen) or '-'}"

    return Assertion(name=f"a phase is entered by {event}", evaluate=judge_it)


def stopped_by(*obstacles: Obstacle) -> Assertion:
    """Claim that the orchestrator blocked a failover because of one of some obstacles."""
    names = " or ".join(obstacles)

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        ticks = [tick for tick in recording.since_strike(TickEntry) if tick.phase == Phase.BLOCKED]
        if not any(recording.since_strike(TickEntry)):
            return Outcome.UNKNOWN, "the orchestrator never ran"
        if not ticks:
            return Outcome.FAILED, "the orchestrator never blocked a failover"
        for tick in ticks:
            if tick.obstacle in obstacles:
                return Outcome.PASSED, f"{tick.phase}: {tick.reason}"
        return Outcome.FAILED, f"blocked, but never by {names}; last reason: {ticks[-1].reason}"

    return Assertion(name=f"a failover is blocked by {names}", evaluate=judge_it)


def told_people(text: str) -> Assertion:
    """Claim that a notice on the alert topic contains a given text."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        notices = [entry for entry in recording.since_strike(EventEntry) if entry.what == "notice"]
        found = [notice.text for notice in notices if text in notice.text]
        if found:
            return Outcome.PASSED, f"notice: {found[0]}"
        return Outcome.FAILED, f"{text!r} is in none of {len(notices)} notices"

    return Assertion(name=f"a notice contains {text!r}", evaluate=judge_it, stack=True)


def alarm_follows(name: str) -> Assertion:
    """Claim that an alarm reports OK, and fires after that and after the strike."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        strike_s = recording.strike_s
        told = [
            item
            for item in recording.of(EventEntry)
            if item.what == "alarm" and f"{name} is " in item.text
        ]
        if strike_s is None:
            return Outcome.UNKNOWN, "the disaster never struck"
        well = next((other_told for other_told in told if other_told.text.endswith(" OK")), None)
        if well is None:
            was = told[-1].text.rpartition(" ")[2] if told else "INSUFFICIENT_DATA"
            return Outcome.FAILED, f"{name} was never OK; its last state was {was}"
        fired = [
            other_told
            for other_told in told
            if other_told.at_s > max(strike_s, well.at_s) and other_told.text.endswith(" ALARM")
        ]
        if not fired:
            return Outcome.FAILED, f"{name} never fired"
        return Outcome.PASSED, f"{name} was OK and fired at {fired[0].at_s - strike_s:+.0f} s"

    return Assertion(name=f"the alarm {name} follows its metric", evaluate=judge_it, stack=True)


def woken_by(rule: str) -> Assertion:
    """Claim that an event rule has invoked the decider since the strike."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [
            entry
            for entry in recording.since_strike(DeliveryEntry)
            if entry.rule.endswith(f"-{rule}") and entry.target.endswith("-decider")
        ]
        wrong = [entry.error for entry in found if entry.error]
        if wrong:
            return Outcome.FAILED, f"the rule {rule} did not reach the decider: {wrong[0]}"
        text = f"the rule {rule} invoked the decider {_times(len(found))}"
        return _when(bool(found), text if found else f"the rule {rule} never invoked the decider")

    return Assertion(name=f"the rule {rule} invokes the decider", evaluate=judge_it, stack=True)


def served_in_the_end(for_s: float = 20.0) -> Assertion:
    """Claim that writes are accepted at the end, by either side."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        writes = recording.of(WriteEntry)
        if not writes:
            return Outcome.UNKNOWN, "no write was attempted"
        last = [write for write in writes if write.at_s >= writes[-1].at_s - for_s]
        good = sum(write.status in ACKNOWLEDGED for write in last)
        away = sum(item.seconds or 0.0 for item in measures.outages_write)
        text = f"{good} of the last {len(last)} writes accepted, after {away:.0f} s of outages"
        return _when(good > len(last) / 2, text)

    return Assertion(name="users are served at the end", evaluate=judge_it)


def told(text: str, name: str) -> Assertion:
    """Claim that the twin reported an event whose text contains `text`."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [entry.text for entry in recording.since_strike(EventEntry) if text in entry.text]
        return _when(bool(found), found[0] if found else f"no event contains {text!r}")

    return Assertion(name=name, evaluate=judge_it, stack=True)


def called(operation: str, name: str, *, by: str = "") -> Assertion:
    """Claim that a principal whose name contains `by` called an operation successfully."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [
            entry
            for entry in recording.since_strike(CallEntry)
            if entry.operation == operation and by in entry.principal and entry.status < 400  # noqa: PLR2004 - HTTP's own
        ]
        text = f"{operation} was called {len(found)} times"
        return _when(bool(found), text)

    return Assertion(name=name, evaluate=judge_it, stack=True)


def _judge_refused(recording: Recording, _: Measures) -> Evaluation:
    found = [
        f"{call.principal.rpartition('/')[2]} was refused {call.service}:{call.operation}:"
        f" {call.error}"
        for call in recording.of(CallEntry)
        if call.refused and not call.principal.endswith("user/provisioner")
    ]
    if not recording.of(TickEntry) and not found:
        return Outcome.UNKNOWN, "the orchestrator never ran"
    return _when(not found, found[0] if found else "every call by the stack's roles was allowed")


NOBODY_REFUSED = Assertion(name="no call is refused", evaluate=_judge_refused, stack=True)


def _judge_ran(recording: Recording, _: Measures) -> Evaluation:
    runs = recording.of(RunEntry)
    failed = [f"{run.function}: {run.text}" for run in runs if run.error]
    if not runs:
        return Outcome.UNKNOWN, "no function ran"
    return _when(not failed, failed[0] if failed else f"{len(runs)} runs, none failed")


FUNCTIONS_RUN = Assertion(name="every function loads and runs", evaluate=_judge_ran, stack=True)


def probed(name: str, claim: str) -> Assertion:
    """Claim that a probe of the live stack passed."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [probe for probe in recording.of(ProbeEntry) if probe.name == name]
        if not found:
            return Outcome.UNKNOWN, "the probe never ran"
        return Outcome(found[-1].verdict), str(found[-1].text)

    return Assertion(name=claim, evaluate=judge_it, stack=True)


def _judge_deployed(recording: Recording, _: Measures) -> Evaluation:
    states = {entry.state: entry.text for entry in recording.of(StageEntry)}
    if "refused" in states:
        return Outcome.FAILED, f"the deployment was refused: {states['refused']}"
    if "deployed" in states:
        return Outcome.PASSED, str(states["deployed"])
    return Outcome.UNKNOWN, "the drill did not get that far"


DEPLOYED = Assertion(name="the stack deploys", evaluate=_judge_deployed, stack=True)

SAFE = (WHOLE, NO_SPLIT_BRAIN, NOBODY_REFUSED)
"""Claims that hold whatever happens."""

TAKEN_OVER = (
    acknowledged_writes_survive(),
    LOSS_AS_SAID,
    moved(1),
    writer_ends_at("standby"),
    users_end_at("standby"),
    *SAFE,
)
"""Claims that hold when the standby has taken over automatically."""

STAYED = (
    acknowledged_writes_survive(0),
    NOTHING_MOVED,
    writer_ends_at("primary"),
    *SAFE,
)
"""Claims that hold when nothing should be moved."""
