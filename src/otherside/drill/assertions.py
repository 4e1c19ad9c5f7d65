"""What a drill claims, each a pure reading of a recording: passed, failed or unknown, and why."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from otherside.drill.measurements import ACKNOWLEDGED, Measures
from otherside.drill.outcome import Verdict
from otherside.drill.recording import Entry, Recording
from otherside.failover.decision.verdict import Verdict as Seen

Judged = tuple[Verdict, str]
MOVES = frozenset({"FailoverGlobalCluster", "SwitchoverGlobalCluster"})
HELD_S = 20.0
"""How long the last samples must agree on who serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that a drill says will hold."""

    name: str
    judge: Callable[[Recording, Measures], Judged]
    stack: bool = False
    """Whether it is about what only a deployed stack has: roles, functions, alarms, readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of one claim."""

    claim: str
    verdict: Verdict
    reason: str


def judge(claims: Sequence[Claim], recording: Recording, measures: Measures) -> list[Found]:
    """Return what became of each claim.

    Without a steady state before it, nothing that a disaster shows is the disaster's doing.
    """
    found = []
    for claim in (_STEADY, *claims):
        verdict, reason = claim.judge(recording, measures)
        if recording.ended != "finished":  # what is missing then is nobody's failure
            verdict, reason = Verdict.UNKNOWN, f"the drill was {recording.ended}; {reason}"
        found.append(Found(claim=claim.name, verdict=verdict, reason=reason))
    return found


def _when(passed: bool, reason: str) -> Judged:  # noqa: FBT001 - what it is about
    return (Verdict.PASSED if passed else Verdict.FAILED), reason


def _judge_steady(recording: Recording, _: Measures) -> Judged:
    states = [one for one in recording.of("stage") if one["state"] in {"unsteady", "refused"}]
    if recording.steady:
        looked = bool(recording.of("look"))
        sees = "the orchestrator saw everything" if looked else "nobody decides here"
        return Verdict.PASSED, f"users wrote, targets were healthy, {sees}"
    if states:
        return Verdict.UNKNOWN, str(states[-1]["text"])
    return Verdict.UNKNOWN, "the drill did not come that far"


_STEADY = Claim(name="steady before the disaster", judge=_judge_steady)


def writable_again(within_s: float | None = None) -> Claim:
    """Claim that writes are served again within a span; the design's objective by default."""

    def judge_it(recording: Recording, measures: Measures) -> Judged:
        limit_s = recording.head["rto_s"] if within_s is None else within_s
        return _within("writes", measures.rto_write_s, limit_s, bool(measures.outages_write))

    return Claim(name="writes are back in time", judge=judge_it)


def paused(at_least_s: float) -> Claim:
    """Claim that no write was acknowledged for as long: whoever may not acknowledge does not."""

    def judge_it(_: Recording, measures: Measures) -> Judged:
        if measures.rto_write_s is None:
            return Verdict.UNKNOWN, "no writes were tried"
        text = f"writes paused for {measures.rto_write_s:.0f} s, {at_least_s:.0f} s at the least"
        return _when(measures.rto_write_s >= at_least_s, text)

    return Claim(name="writes pause", judge=judge_it)


def readable_again(within_s: float | None = None) -> Claim:
    """Claim that reads are served again within a span; the design's objective by default."""

    def judge_it(recording: Recording, measures: Measures) -> Judged:
        limit_s = recording.head["rto_s"] if within_s is None else within_s
        return _within("reads", measures.rto_read_s, limit_s, bool(measures.outages_read))

    return Claim(name="reads are back in time", judge=judge_it, stack=True)


def _within(what: str, rto_s: float | None, limit_s: float, outage: bool) -> Judged:  # noqa: FBT001 - a fact
    if rto_s is None and not outage:
        return Verdict.UNKNOWN, f"no {what} were tried"
    if rto_s is None:
        return Verdict.FAILED, f"{what} did not come back"
    if not outage:
        return Verdict.PASSED, f"{what} were never interrupted"
    return _when(rto_s <= limit_s, f"{what} were away for {rto_s:.0f} s of {limit_s:.0f} s allowed")


def acknowledged_writes_survive(losing_at_most_s: float | None = None) -> Claim:
    """Claim that no more acknowledged writes are lost than a span holds; the RPO by default."""

    def judge_it(recording: Recording, measures: Measures) -> Judged:
        limit_s = recording.head["rpo_s"] if losing_at_most_s is None else losing_at_most_s
        if measures.rpo_s is None or measures.writes_lost is None:
            return Verdict.UNKNOWN, "nobody could look into the writer's database in the end"
        if not measures.writes_acknowledged:
            return Verdict.UNKNOWN, "no write was ever acknowledged"
        text = f"{measures.writes_lost} of {measures.writes_acknowledged} acknowledged writes lost"
        text += f", {measures.rpo_s:.2f} s of {limit_s:g} s allowed"
        return _when(measures.rpo_s <= limit_s, text)

    return Claim(name="acknowledged writes survive", judge=judge_it)


def _judge_whole(_: Recording, measures: Measures) -> Judged:
    counts = {
        "corrupt rows": measures.rows_corrupt,
        "rows of nobody": measures.rows_unknown,
        "writes new twice": measures.writes_twice if not measures.writes_lost else 0,
    }
    if None in counts.values():
        return Verdict.UNKNOWN, "nobody could look into the writer's database in the end"
    wrong = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return _when(not wrong, wrong or "every row is what a client sent, once")


WHOLE = Claim(name="what survives is whole", judge=_judge_whole)


def _judge_split(_: Recording, measures: Measures) -> Judged:
    count = measures.writes_wrong_side
    if count is None:
        return Verdict.UNKNOWN, "nobody could look into the writer's database in the end"
    text = f"{count} writes were acknowledged by a side that had been given up"
    return _when(count == 0, text if count else "nobody wrote where the writer was no more")


NO_SPLIT_BRAIN = Claim(name="no split brain", judge=_judge_split)


def _judge_said(_: Recording, measures: Measures) -> Judged:
    if measures.rpo_s is None:
        return Verdict.UNKNOWN, "what was lost is not known"
    if measures.loss_said_s is None:
        return Verdict.UNKNOWN, "the orchestrator never said what it would lose"
    text = f"it said {measures.loss_said_s:.1f} s at the most, and {measures.rpo_s:.2f} s were lost"
    return _when(measures.rpo_s <= measures.loss_said_s, text)


LOSS_AS_SAID = Claim(name="no more lost than was said", judge=_judge_said)


def writer_ends_at(side: str) -> Claim:
    """Claim on which side the writer is in the end."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        samples = recording.of("sample")
        if not samples:
            return Verdict.UNKNOWN, "nobody looked"
        found = samples[-1]["writer"]
        return _when(found == side, f"the writer is the {found or 'nobody'}'s")

    return Claim(name=f"the writer ends on the {side}", judge=judge_it)


def users_end_at(side: str) -> Claim:
    """Claim where the public name leads in the end, and has led for a while."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        samples = recording.of("sample")
        last = [one for one in samples if one["at_s"] >= samples[-1]["at_s"] - HELD_S]
        found = {one["serves"] for one in last}
        if not found:
            return Verdict.UNKNOWN, "nobody looked"
        return _when(found == {side}, f"users are led to {_names(found)}")

    return Claim(name=f"users end on the {side}", judge=judge_it)


def users_stay_at(side: str, since: Callable[[Recording], float | None]) -> Claim:
    """Claim that DNS leads nobody elsewhere once a moment has come."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        from_s = since(recording)
        seen = [
            one["serves"]
            for one in recording.since_strike("sample")
            if from_s is not None and one["at_s"] >= from_s and one["serves"]
        ]
        if not seen:
            return Verdict.UNKNOWN, "nobody looked after it had come so far"
        astray = sum(one != side for one in seen)
        return _when(not astray, f"users were led elsewhere in {astray} of {len(seen)} samples")

    return Claim(name=f"users stay at the {side}", judge=judge_it)


def users_start_at(side: str) -> Claim:
    """Claim where the public name leads before anything is wrong."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        strike_s = recording.strike_s or recording.now_s
        before = [one["serves"] for one in recording.of("sample") if one["at_s"] <= strike_s]
        if not before:
            return Verdict.UNKNOWN, "nobody looked"
        return _when(before[-1] == side, f"users were led to {_names({before[-1]})}")

    return Claim(name=f"users start on the {side}", judge=judge_it)


def _names(places: Collection[str | None]) -> str:
    return " and ".join(sorted(f"the {one}" if one else "nobody" for one in places))


def _moves(recording: Recording) -> list[Entry]:
    """Return the calls that moved a writer, and were let."""
    return [one for one in recording.since_strike("call") if one["operation"] in MOVES]


def _judge_nothing_moved(recording: Recording, _: Measures) -> Judged:
    looks = list(recording.since_strike("look"))
    moves = _moves(recording)
    if moves:
        who = moves[0]["principal"].rpartition("/")[2] or moves[0]["principal"]
        return Verdict.FAILED, f"{who} called {moves[0]['operation']}"
    if not looks:
        return Verdict.UNKNOWN, "the orchestrator never looked: a dead one moves nothing either"
    return Verdict.PASSED, f"nothing moved in {len(looks)} looks"


NOTHING_MOVED = Claim(name="nothing was moved", judge=_judge_nothing_moved)


def _judge_not_a_call(recording: Recording, _: Measures) -> Judged:
    moves = _moves(recording)
    if moves:
        return Verdict.FAILED, f"somebody called {moves[0]['operation']}"
    samples = list(recording.since_strike("sample"))
    if not samples:
        return Verdict.UNKNOWN, "nobody looked"
    return Verdict.PASSED, f"nobody asked Aurora for anything, in {len(samples)} samples"


NOT_A_CALL = Claim(name="nobody moves anything", judge=_judge_not_a_call)
"""As `NOTHING_MOVED`, where no orchestrator is left to look."""


def moved(times: int, *, by: str = "actuator") -> Claim:
    """Claim how often a writer was moved, and by whom."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        calls = _moves(recording)
        done = [one for one in calls if one["status"] < 400 or one["status"] == 0]  # noqa: PLR2004 - HTTP's own
        refused = [one for one in calls if one not in done]
        who = {one["principal"].rpartition("/")[2] for one in done}
        text = f"moved {_times(len(done))} by {', '.join(sorted(who)) or 'nobody'}"
        if refused:
            text += f"; {refused[0]['principal'].rpartition('/')[2]} got {refused[0]['error']}"
        return _when(len(done) == times and all(by in one for one in who), text)

    return Claim(name=f"the writer is moved {_times(times)}", judge=judge_it)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def decided(verdict: Seen, *, phase: str = "") -> Claim:
    """Claim that the orchestrator saw something for what it was, in a phase if one is named."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        looks = list(recording.since_strike("look"))
        found = {one["verdict"] for one in looks if phase in {"", one["phase"]}}
        text = f"it saw {', '.join(sorted(map(str, found))) or 'nothing'}"
        return _when(str(verdict) in found, text) if looks else (Verdict.UNKNOWN, "it never looked")

    return Claim(name=f"it is seen to be {verdict}", judge=judge_it)


def reached(*phases: str) -> Claim:
    """Claim that the orchestrator went through some phases, in this order."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        path = [str(one["phase"]) for one in recording.since_strike("look")]
        if not path:
            return Verdict.UNKNOWN, "the orchestrator never looked"
        rest = iter(path)
        whole = all(wanted in rest for wanted in phases)
        short = [one for n, one in enumerate(path) if n == 0 or path[n - 1] != one]
        return _when(whole, f"it went through {', '.join(short)}")

    return Claim(name=f"it goes through {', '.join(phases)}", judge=judge_it)


def never_reached(*phases: str) -> Claim:
    """Claim that the orchestrator kept out of some phases."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        path = {str(one["phase"]) for one in recording.since_strike("look")}
        if not path:
            return Verdict.UNKNOWN, "the orchestrator never looked"
        return _when(not path & set(phases), f"it was in {', '.join(sorted(path))}")

    return Claim(name=f"it keeps out of {', '.join(phases)}", judge=judge_it)


def said(text: str) -> Claim:
    """Claim that the orchestrator gave a reason with some words in it."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        looks = list(recording.since_strike("look"))
        found = [one["reason"] for one in looks if text in one["reason"]]
        if found:
            return Verdict.PASSED, f"it said: {found[0]}"
        last = looks[-1]["reason"] if looks else "nothing"
        return Verdict.FAILED, f"it never said {text!r}; the last that it said: {last}"

    return Claim(name=f"it says {text!r}", judge=judge_it)


def told_people(text: str) -> Claim:
    """Claim that people were told something by the alert topic."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        notices = [one for one in recording.since_strike("told") if one["what"] == "notice"]
        found = [one["text"] for one in notices if text in one["text"]]
        if found:
            return Verdict.PASSED, f"people were told: {found[0]}"
        return Verdict.FAILED, f"nobody was told of {text!r} in {len(notices)} notices"

    return Claim(name=f"people are told of {text!r}", judge=judge_it, stack=True)


def alarm_follows(name: str) -> Claim:
    """Claim that an alarm is OK while all is well, and fires after the strike and after that."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        strike_s = recording.strike_s
        told = [
            one
            for one in recording.of("told")
            if one["what"] == "alarm" and f"{name} is " in one["text"]
        ]
        if strike_s is None:
            return Verdict.UNKNOWN, "nothing struck"
        well = next((one for one in told if one["text"].endswith(" OK")), None)
        if well is None:
            was = told[-1]["text"].rpartition(" ")[2] if told else "INSUFFICIENT_DATA"
            return Verdict.FAILED, f"{name} was {was} while everything was well"
        fired = [
            one
            for one in told
            if one["at_s"] > max(strike_s, well["at_s"]) and one["text"].endswith(" ALARM")
        ]
        if not fired:
            return Verdict.FAILED, f"{name} never fired"
        return Verdict.PASSED, f"{name} was OK, and fired at {fired[0]['at_s'] - strike_s:+.0f} s"

    return Claim(name=f"the alarm {name} follows its metric", judge=judge_it, stack=True)


def woken_by(rule: str) -> Claim:
    """Claim that a rule has woken the decider since the disaster."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        found = [
            one
            for one in recording.since_strike("delivery")
            if one["rule"].endswith(f"-{rule}") and one["target"].endswith("-decider")
        ]
        wrong = [one["error"] for one in found if one["error"]]
        if wrong:
            return Verdict.FAILED, f"the rule {rule} did not reach the decider: {wrong[0]}"
        text = f"the rule {rule} woke the decider {_times(len(found))}"
        return _when(bool(found), text if found else f"the rule {rule} woke nobody")

    return Claim(name=f"the rule {rule} wakes the decider", judge=judge_it, stack=True)


def served_in_the_end(for_s: float = 20.0) -> Claim:
    """Claim that writes are accepted in the end, whoever accepts them."""

    def judge_it(recording: Recording, measures: Measures) -> Judged:
        writes = recording.of("write")
        if not writes:
            return Verdict.UNKNOWN, "no write was tried"
        last = [one for one in writes if one["at_s"] >= writes[-1]["at_s"] - for_s]
        good = sum(one["status"] in ACKNOWLEDGED for one in last)
        away = sum(one.seconds or 0.0 for one in measures.outages_write)
        text = f"{good} of the last {len(last)} writes accepted, after {away:.0f} s without any"
        return _when(good > len(last) / 2, text)

    return Claim(name="users are served in the end", judge=judge_it)


def told(text: str, name: str) -> Claim:
    """Claim that something happened in the twin, by a part of its words."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        found = [one["text"] for one in recording.since_strike("told") if text in one["text"]]
        return _when(bool(found), found[0] if found else f"nothing was heard of {text!r}")

    return Claim(name=name, judge=judge_it, stack=True)


def called(operation: str, name: str, *, by: str = "") -> Claim:
    """Claim that something was called, successfully, by whoever's name has some part."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        found = [
            one
            for one in recording.since_strike("call")
            if one["operation"] == operation and by in one["principal"] and one["status"] < 400  # noqa: PLR2004 - HTTP's own
        ]
        text = f"{operation} was called {len(found)} times"
        return _when(bool(found), text)

    return Claim(name=name, judge=judge_it, stack=True)


def _judge_refused(recording: Recording, _: Measures) -> Judged:
    found = [
        f"{one['principal'].rpartition('/')[2]} was refused {one['service']}:{one['operation']}:"
        f" {one['error']}"
        for one in recording.of("call")
        if one["refused"] and not one["principal"].endswith("user/provisioner")
    ]
    if not recording.of("look") and not found:
        return Verdict.UNKNOWN, "the orchestrator never looked"
    return _when(
        not found, found[0] if found else "every call of the stack's roles was let through"
    )


NOBODY_REFUSED = Claim(name="nobody is refused anything", judge=_judge_refused, stack=True)


def _judge_ran(recording: Recording, _: Measures) -> Judged:
    runs = recording.of("run")
    failed = [f"{one['function']}: {one['text']}" for one in runs if one["error"]]
    if not runs:
        return Verdict.UNKNOWN, "no function ran"
    return _when(not failed, failed[0] if failed else f"{len(runs)} runs, none failed")


FUNCTIONS_RUN = Claim(name="every function loads and runs", judge=_judge_ran, stack=True)


def probed(name: str, claim: str) -> Claim:
    """Claim what a probe of the live stack found to be so."""

    def judge_it(recording: Recording, _: Measures) -> Judged:
        found = [one for one in recording.of("probe") if one["name"] == name]
        if not found:
            return Verdict.UNKNOWN, "it was never asked"
        return Verdict(found[-1]["verdict"]), str(found[-1]["text"])

    return Claim(name=claim, judge=judge_it, stack=True)


def _judge_deployed(recording: Recording, _: Measures) -> Judged:
    states = {one["state"]: one["text"] for one in recording.of("stage")}
    if "refused" in states:
        return Verdict.FAILED, f"the deployment is refused: {states['refused']}"
    if "deployed" in states:
        return Verdict.PASSED, str(states["deployed"])
    return Verdict.UNKNOWN, "the drill did not come that far"


DEPLOYED = Claim(name="the stack deploys", judge=_judge_deployed, stack=True)

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
