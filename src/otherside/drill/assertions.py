"""What a drill claims, each a pure reading of a recording: passed, failed or unknown, and why."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from otherside.drill.measurements import ACKNOWLEDGED, Measures
from otherside.drill.outcome import Outcome
from otherside.drill.recording import Entry, Recording
from otherside.failover.decision.verdict import Verdict as Seen

Evaluation = tuple[Outcome, str]
MOVES = frozenset({"FailoverGlobalCluster", "SwitchoverGlobalCluster"})
HELD_S = 20.0
"""How long the last samples must agree on who serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One thing that a drill says will hold."""

    name: str
    evaluate: Callable[[Recording, Measures], Evaluation]
    stack: bool = False
    """Whether it is about what only a deployed stack has: roles, functions, alarms, readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionResult:
    """What became of one claim."""

    claim: str
    verdict: Outcome
    reason: str


def evaluate(
    claims: Sequence[Assertion], recording: Recording, measures: Measures
) -> list[AssertionResult]:
    """Return what became of each claim.

    Without a steady state before it, nothing that a disaster shows is the disaster's doing.
    """
    found = []
    for claim in (_STEADY, *claims):
        verdict, reason = claim.evaluate(recording, measures)
        if recording.ended != "finished":  # what is missing then is nobody's failure
            verdict, reason = Outcome.UNKNOWN, f"the drill was {recording.ended}; {reason}"
        found.append(AssertionResult(claim=claim.name, verdict=verdict, reason=reason))
    return found


def _when(passed: bool, reason: str) -> Evaluation:  # noqa: FBT001 - what it is about
    return (Outcome.PASSED if passed else Outcome.FAILED), reason


def _judge_steady(recording: Recording, _: Measures) -> Evaluation:
    states = [entry for entry in recording.of("stage") if entry["state"] in {"unsteady", "refused"}]
    if recording.steady:
        looked = bool(recording.of("look"))
        sees = "the orchestrator saw everything" if looked else "nobody decides here"
        return Outcome.PASSED, f"users wrote, targets were healthy, {sees}"
    if states:
        return Outcome.UNKNOWN, str(states[-1]["text"])
    return Outcome.UNKNOWN, "the drill did not come that far"


_STEADY = Assertion(name="steady before the disaster", evaluate=_judge_steady)


def writable_again(within_s: float | None = None) -> Assertion:
    """Claim that writes are served again within a span; the design's objective by default."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        limit_s = recording.head["rto_s"] if within_s is None else within_s
        return _within("writes", measures.rto_write_s, limit_s, bool(measures.outages_write))

    return Assertion(name="writes are back in time", evaluate=judge_it)


def paused(at_least_s: float) -> Assertion:
    """Claim that no write was acknowledged for as long: whoever may not acknowledge does not."""

    def judge_it(_: Recording, measures: Measures) -> Evaluation:
        if measures.rto_write_s is None:
            return Outcome.UNKNOWN, "no writes were tried"
        text = f"writes paused for {measures.rto_write_s:.0f} s, {at_least_s:.0f} s at the least"
        return _when(measures.rto_write_s >= at_least_s, text)

    return Assertion(name="writes pause", evaluate=judge_it)


def readable_again(within_s: float | None = None) -> Assertion:
    """Claim that reads are served again within a span; the design's objective by default."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        limit_s = recording.head["rto_s"] if within_s is None else within_s
        return _within("reads", measures.rto_read_s, limit_s, bool(measures.outages_read))

    return Assertion(name="reads are back in time", evaluate=judge_it, stack=True)


def _within(what: str, rto_s: float | None, limit_s: float, outage: bool) -> Evaluation:  # noqa: FBT001 - a fact
    if rto_s is None and not outage:
        return Outcome.UNKNOWN, f"no {what} were tried"
    if rto_s is None:
        return Outcome.FAILED, f"{what} did not come back"
    if not outage:
        return Outcome.PASSED, f"{what} were never interrupted"
    return _when(rto_s <= limit_s, f"{what} were away for {rto_s:.0f} s of {limit_s:.0f} s allowed")


def acknowledged_writes_survive(losing_at_most_s: float | None = None) -> Assertion:
    """Claim that no more acknowledged writes are lost than a span holds; the RPO by default."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        limit_s = recording.head["rpo_s"] if losing_at_most_s is None else losing_at_most_s
        if measures.rpo_s is None or measures.writes_lost is None:
            return Outcome.UNKNOWN, "nobody could look into the writer's database in the end"
        if not measures.writes_acknowledged:
            return Outcome.UNKNOWN, "no write was ever acknowledged"
        text = f"{measures.writes_lost} of {measures.writes_acknowledged} acknowledged writes lost"
        text += f", {measures.rpo_s:.2f} s of {limit_s:g} s allowed"
        return _when(measures.rpo_s <= limit_s, text)

    return Assertion(name="acknowledged writes survive", evaluate=judge_it)


def _judge_whole(_: Recording, measures: Measures) -> Evaluation:
    counts = {
        "corrupt rows": measures.rows_corrupt,
        "rows of nobody": measures.rows_unknown,
        "writes new twice": measures.writes_twice if not measures.writes_lost else 0,
    }
    if None in counts.values():
        return Outcome.UNKNOWN, "nobody could look into the writer's database in the end"
    wrong = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return _when(not wrong, wrong or "every row is what a client sent, once")


WHOLE = Assertion(name="what survives is whole", evaluate=_judge_whole)


def _judge_split(_: Recording, measures: Measures) -> Evaluation:
    count = measures.writes_wrong_side
    if count is None:
        return Outcome.UNKNOWN, "nobody could look into the writer's database in the end"
    text = f"{count} writes were acknowledged by a side that had been given up"
    return _when(count == 0, text if count else "nobody wrote where the writer was no more")


NO_SPLIT_BRAIN = Assertion(name="no split brain", evaluate=_judge_split)


def _judge_said(_: Recording, measures: Measures) -> Evaluation:
    if measures.rpo_s is None:
        return Outcome.UNKNOWN, "what was lost is not known"
    if measures.loss_said_s is None:
        return Outcome.UNKNOWN, "the orchestrator never said what it would lose"
    text = f"it said {measures.loss_said_s:.1f} s at the most, and {measures.rpo_s:.2f} s were lost"
    return _when(measures.rpo_s <= measures.loss_said_s, text)


LOSS_AS_SAID = Assertion(name="no more lost than was said", evaluate=_judge_said)


def writer_ends_at(side: str) -> Assertion:
    """Claim on which side the writer is in the end."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        samples = recording.of("sample")
        if not samples:
            return Outcome.UNKNOWN, "nobody looked"
        found = samples[-1]["writer"]
        return _when(found == side, f"the writer is the {found or 'nobody'}'s")

    return Assertion(name=f"the writer ends on the {side}", evaluate=judge_it)


def users_end_at(side: str) -> Assertion:
    """Claim where the public name leads in the end, and has led for a while."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        samples = recording.of("sample")
        last = [sample for sample in samples if sample["at_s"] >= samples[-1]["at_s"] - HELD_S]
        found = {sample["serves"] for sample in last}
        if not found:
            return Outcome.UNKNOWN, "nobody looked"
        return _when(found == {side}, f"users are led to {_names(found)}")

    return Assertion(name=f"users end on the {side}", evaluate=judge_it)


def users_stay_at(side: str, since: Callable[[Recording], float | None]) -> Assertion:
    """Claim that DNS leads nobody elsewhere once a moment has come."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        from_s = since(recording)
        seen = [
            entry["serves"]
            for entry in recording.since_strike("sample")
            if from_s is not None and entry["at_s"] >= from_s and entry["serves"]
        ]
        if not seen:
            return Outcome.UNKNOWN, "nobody looked after it had come so far"
        astray = sum(serve != side for serve in seen)
        return _when(not astray, f"users were led elsewhere in {astray} of {len(seen)} samples")

    return Assertion(name=f"users stay at the {side}", evaluate=judge_it)


def users_start_at(side: str) -> Assertion:
    """Claim where the public name leads before anything is wrong."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        strike_s = recording.strike_s or recording.now_s
        before = [
            sample["serves"] for sample in recording.of("sample") if sample["at_s"] <= strike_s
        ]
        if not before:
            return Outcome.UNKNOWN, "nobody looked"
        return _when(before[-1] == side, f"users were led to {_names({before[-1]})}")

    return Assertion(name=f"users start on the {side}", evaluate=judge_it)


def _names(places: Collection[str | None]) -> str:
    return " and ".join(sorted(f"the {place}" if place else "nobody" for place in places))


def _moves(recording: Recording) -> list[Entry]:
    """Return the calls that moved a writer, and were let."""
    return [entry for entry in recording.since_strike("call") if entry["operation"] in MOVES]


def _judge_nothing_moved(recording: Recording, _: Measures) -> Evaluation:
    looks = list(recording.since_strike("look"))
    moves = _moves(recording)
    if moves:
        who = moves[0]["principal"].rpartition("/")[2] or moves[0]["principal"]
        return Outcome.FAILED, f"{who} called {moves[0]['operation']}"
    if not looks:
        return Outcome.UNKNOWN, "the orchestrator never looked: a dead one moves nothing either"
    return Outcome.PASSED, f"nothing moved in {len(looks)} looks"


NOTHING_MOVED = Assertion(name="nothing was moved", evaluate=_judge_nothing_moved)


def _judge_not_a_call(recording: Recording, _: Measures) -> Evaluation:
    moves = _moves(recording)
    if moves:
        return Outcome.FAILED, f"somebody called {moves[0]['operation']}"
    samples = list(recording.since_strike("sample"))
    if not samples:
        return Outcome.UNKNOWN, "nobody looked"
    return Outcome.PASSED, f"nobody asked Aurora for anything, in {len(samples)} samples"


NOT_A_CALL = Assertion(name="nobody moves anything", evaluate=_judge_not_a_call)
"""As `NOTHING_MOVED`, where no orchestrator is left to look."""


def moved(times: int, *, by: str = "actuator") -> Assertion:
    """Claim how often a writer was moved, and by whom."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        calls = _moves(recording)
        done = [call for call in calls if call["status"] < 400 or call["status"] == 0]  # noqa: PLR2004 - HTTP's own
        refused = [call for call in calls if call not in done]
        who = {call["principal"].rpartition("/")[2] for call in done}
        text = f"moved {_times(len(done))} by {', '.join(sorted(who)) or 'nobody'}"
        if refused:
            text += f"; {refused[0]['principal'].rpartition('/')[2]} got {refused[0]['error']}"
        return _when(len(done) == times and all(by in item for item in who), text)

    return Assertion(name=f"the writer is moved {_times(times)}", evaluate=judge_it)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def decided(verdict: Seen, *, phase: str = "") -> Assertion:
    """Claim that the orchestrator saw something for what it was, in a phase if one is named."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        looks = list(recording.since_strike("look"))
        found = {look["verdict"] for look in looks if phase in {"", look["phase"]}}
        text = f"it saw {', '.join(sorted(map(str, found))) or 'nothing'}"
        return _when(str(verdict) in found, text) if looks else (Outcome.UNKNOWN, "it never looked")

    return Assertion(name=f"it is seen to be {verdict}", evaluate=judge_it)


def reached(*phases: str) -> Assertion:
    """Claim that the orchestrator went through some phases, in this order."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        path = [str(entry["phase"]) for entry in recording.since_strike("look")]
        if not path:
            return Outcome.UNKNOWN, "the orchestrator never looked"
        rest = iter(path)
        whole = all(wanted in rest for wanted in phases)
        short = [item for n, item in enumerate(path) if n == 0 or path[n - 1] != item]
        return _when(whole, f"it went through {', '.join(short)}")

    return Assertion(name=f"it goes through {', '.join(phases)}", evaluate=judge_it)


def never_reached(*phases: str) -> Assertion:
    """Claim that the orchestrator kept out of some phases."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        path = {str(entry["phase"]) for entry in recording.since_strike("look")}
        if not path:
            return Outcome.UNKNOWN, "the orchestrator never looked"
        return _when(not path & set(phases), f"it was in {', '.join(sorted(path))}")

    return Assertion(name=f"it keeps out of {', '.join(phases)}", evaluate=judge_it)


def said(text: str) -> Assertion:
    """Claim that the orchestrator gave a reason with some words in it."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        looks = list(recording.since_strike("look"))
        found = [look["reason"] for look in looks if text in look["reason"]]
        if found:
            return Outcome.PASSED, f"it said: {found[0]}"
        last = looks[-1]["reason"] if looks else "nothing"
        return Outcome.FAILED, f"it never said {text!r}; the last that it said: {last}"

    return Assertion(name=f"it says {text!r}", evaluate=judge_it)


def told_people(text: str) -> Assertion:
    """Claim that people were told something by the alert topic."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        notices = [entry for entry in recording.since_strike("told") if entry["what"] == "notice"]
        found = [notice["text"] for notice in notices if text in notice["text"]]
        if found:
            return Outcome.PASSED, f"people were told: {found[0]}"
        return Outcome.FAILED, f"nobody was told of {text!r} in {len(notices)} notices"

    return Assertion(name=f"people are told of {text!r}", evaluate=judge_it, stack=True)


def alarm_follows(name: str) -> Assertion:
    """Claim that an alarm is OK while all is well, and fires after the strike and after that."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        strike_s = recording.strike_s
        told = [
            item
            for item in recording.of("told")
            if item["what"] == "alarm" and f"{name} is " in item["text"]
        ]
        if strike_s is None:
            return Outcome.UNKNOWN, "nothing struck"
        well = next((other_told for other_told in told if other_told["text"].endswith(" OK")), None)
        if well is None:
            was = told[-1]["text"].rpartition(" ")[2] if told else "INSUFFICIENT_DATA"
            return Outcome.FAILED, f"{name} was {was} while everything was well"
        fired = [
            other_told
            for other_told in told
            if other_told["at_s"] > max(strike_s, well["at_s"])
            and other_told["text"].endswith(" ALARM")
        ]
        if not fired:
            return Outcome.FAILED, f"{name} never fired"
        return Outcome.PASSED, f"{name} was OK, and fired at {fired[0]['at_s'] - strike_s:+.0f} s"

    return Assertion(name=f"the alarm {name} follows its metric", evaluate=judge_it, stack=True)


def woken_by(rule: str) -> Assertion:
    """Claim that a rule has woken the decider since the disaster."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [
            entry
            for entry in recording.since_strike("delivery")
            if entry["rule"].endswith(f"-{rule}") and entry["target"].endswith("-decider")
        ]
        wrong = [entry["error"] for entry in found if entry["error"]]
        if wrong:
            return Outcome.FAILED, f"the rule {rule} did not reach the decider: {wrong[0]}"
        text = f"the rule {rule} woke the decider {_times(len(found))}"
        return _when(bool(found), text if found else f"the rule {rule} woke nobody")

    return Assertion(name=f"the rule {rule} wakes the decider", evaluate=judge_it, stack=True)


def served_in_the_end(for_s: float = 20.0) -> Assertion:
    """Claim that writes are accepted in the end, whoever accepts them."""

    def judge_it(recording: Recording, measures: Measures) -> Evaluation:
        writes = recording.of("write")
        if not writes:
            return Outcome.UNKNOWN, "no write was tried"
        last = [write for write in writes if write["at_s"] >= writes[-1]["at_s"] - for_s]
        good = sum(write["status"] in ACKNOWLEDGED for write in last)
        away = sum(item.seconds or 0.0 for item in measures.outages_write)
        text = f"{good} of the last {len(last)} writes accepted, after {away:.0f} s without any"
        return _when(good > len(last) / 2, text)

    return Assertion(name="users are served in the end", evaluate=judge_it)


def told(text: str, name: str) -> Assertion:
    """Claim that something happened in the twin, by a part of its words."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [entry["text"] for entry in recording.since_strike("told") if text in entry["text"]]
        return _when(bool(found), found[0] if found else f"nothing was heard of {text!r}")

    return Assertion(name=name, evaluate=judge_it, stack=True)


def called(operation: str, name: str, *, by: str = "") -> Assertion:
    """Claim that something was called, successfully, by whoever's name has some part."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [
            entry
            for entry in recording.since_strike("call")
            if entry["operation"] == operation
            and by in entry["principal"]
            and entry["status"] < 400  # noqa: PLR2004 - HTTP's own
        ]
        text = f"{operation} was called {len(found)} times"
        return _when(bool(found), text)

    return Assertion(name=name, evaluate=judge_it, stack=True)


def _judge_refused(recording: Recording, _: Measures) -> Evaluation:
    found = [
        f"{call['principal'].rpartition('/')[2]} was refused {call['service']}:{call['operation']}:"
        f" {call['error']}"
        for call in recording.of("call")
        if call["refused"] and not call["principal"].endswith("user/provisioner")
    ]
    if not recording.of("look") and not found:
        return Outcome.UNKNOWN, "the orchestrator never looked"
    return _when(
        not found, found[0] if found else "every call of the stack's roles was let through"
    )


NOBODY_REFUSED = Assertion(name="nobody is refused anything", evaluate=_judge_refused, stack=True)


def _judge_ran(recording: Recording, _: Measures) -> Evaluation:
    runs = recording.of("run")
    failed = [f"{run['function']}: {run['text']}" for run in runs if run["error"]]
    if not runs:
        return Outcome.UNKNOWN, "no function ran"
    return _when(not failed, failed[0] if failed else f"{len(runs)} runs, none failed")


FUNCTIONS_RUN = Assertion(name="every function loads and runs", evaluate=_judge_ran, stack=True)


def probed(name: str, claim: str) -> Assertion:
    """Claim what a probe of the live stack found to be so."""

    def judge_it(recording: Recording, _: Measures) -> Evaluation:
        found = [probe for probe in recording.of("probe") if probe["name"] == name]
        if not found:
            return Outcome.UNKNOWN, "it was never asked"
        return Outcome(found[-1]["verdict"]), str(found[-1]["text"])

    return Assertion(name=claim, evaluate=judge_it, stack=True)


def _judge_deployed(recording: Recording, _: Measures) -> Evaluation:
    states = {entry["state"]: entry["text"] for entry in recording.of("stage")}
    if "refused" in states:
        return Outcome.FAILED, f"the deployment is refused: {states['refused']}"
    if "deployed" in states:
        return Outcome.PASSED, str(states["deployed"])
    return Outcome.UNKNOWN, "the drill did not come that far"


DEPLOYED = Assertion(name="the stack deploys", evaluate=_judge_deployed, stack=True)

SAFE = (WHOLE, NO_SPLIT_BRAIN, NOBODY_REFUSED)
"""What holds whatever happens."""

TAKEN_OVER = (
    acknowledged_writes_survive(),
    LOSS_AS_SAID,
    moved(1),
    writer_ends_at("standby"),
    users_end_at("standby"),
    *SAFE,
)
"""What holds where the standby has taken over by itself."""

STAYED = (
    acknowledged_writes_survive(0),
    NOTHING_MOVED,
    writer_ends_at("primary"),
    *SAFE,
)
"""What holds where nothing was to be moved."""
