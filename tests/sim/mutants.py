"""Mistakes to plant: each is one change of the source, and must not survive the simulator."""

from dataclasses import dataclass

DECIDE = "core/decide.py"
VERDICT = "core/verdict.py"
RECONCILE = "orchestrator/reconcile.py"
ACTUATE = "orchestrator/actuate.py"


@dataclass(frozen=True)
class Mutant:
    """One mistake: in which file, what stands there, and what somebody might have written."""

    name: str
    file: str
    right: str
    wrong: str
    faults: str = ""
    """Classes of fault to hunt with, where not all are needed; `otherside sim --faults`."""


MUTANTS = (
    Mutant(
        "no compare-and-set",
        "sim/world.py",
        "        if state.revision != len(cloud.log) + 1:\n            raise ConflictError\n",
        "",
    ),
    Mutant(
        "acts on what could not be committed",
        RECONCILE,
        "            world.record(decision, facts)\n",
        "            try:\n                world.record(decision, facts)\n"
        "            except (ConflictError, UnavailableError):\n                pass\n",
    ),
    Mutant(
        "unknown counts as bad",
        "core/facts.py",
        "        return self.reading if now_s - self.at_s <= fresh_s else Reading.UNKNOWN\n",
        "        known = self.reading is not Reading.UNKNOWN and now_s - self.at_s <= fresh_s\n"
        "        return self.reading if known else Reading.BAD\n",
    ),
    Mutant(
        "one bad signal is deadly",
        VERDICT,
        "    if many and inside_bad and third_party_bad and _region_is_silent(evidence):\n",
        "    if evidence.bad:\n",
    ),
    Mutant(
        "no veto by a write that works",
        VERDICT,
        "        return GOOD in ways\n",
        "        return all(one is GOOD for one in ways)\n",
    ),
    Mutant(
        "any dead heartbeat is a dead Region",
        VERDICT,
        "    if evidence.writes_live:\n        return _judge_living(evidence, outside)\n",
        "    if evidence.heartbeat is BAD:\n        return Verdict.REGION_DEAD\n"
        "    if evidence.writes_live:\n        return _judge_living(evidence, outside)\n",
    ),
    Mutant(
        "confirms in ten seconds",
        "core/policy.py",
        "    confirm_s: float = 60.0\n",
        "    confirm_s: float = 10.0\n",
    ),
    Mutant(
        "the window outlives the writer's return",
        DECIDE,
        "    return replication.lived_s > since_s + policy.skew_s\n",
        "    return False\n",
    ),
    Mutant(
        "a clearing is not one",
        DECIDE,
        '        return Event.CLEARED, f"cleared: {state.verdict}"\n',
        '        return Event.NOTHING, f"cleared: {state.verdict}"\n',
    ),
    Mutant(
        "any loss is fine",
        DECIDE,
        "    if loss.estimate_s > policy.loss_auto_s:\n",
        "    if loss.estimate_s > 1e9:\n",
    ),
    Mutant(
        "not knowing the loss is fine",
        DECIDE,
        '    if loss is None:\n        return f"confirmed; {_loss(facts)}"\n',
        "    if loss is None:\n        return None\n",
    ),
    Mutant(
        "the loss is what it was when all was well",
        "core/facts.py",
        "        return max(self.lag_max_s, self.lived_s - self.replicated_s) + HEARTBEAT_S\n",
        "        return 0.3 + HEARTBEAT_S\n",
    ),
    Mutant(
        "approval is not asked for",
        DECIDE,
        "    if policy.mode is FailoverMode.APPROVE:\n        return",
        "    if policy.mode is FailoverMode.APPROVE and False:\n        return",
    ),
    Mutant(
        "observing is acting",
        DECIDE,
        "    if policy.mode is FailoverMode.OBSERVE:\n",
        "    if policy.mode is FailoverMode.OBSERVE and False:\n",
    ),
    Mutant(
        "observing has another opinion",
        DECIDE,
        "    return policy.confirm_s + grace_s\n",
        "    return (policy.confirm_s + grace_s) * (1 + (policy.mode is FailoverMode.OBSERVE))\n",
    ),
    Mutant(
        "freezes are for others",
        DECIDE,
        "    if any(start <= now_s < end for start, end in policy.freezes):\n",
        "    if any(start <= now_s < end for start, end in ()):\n",
    ),
    Mutant(
        "no hour between two moves",
        DECIDE,
        "    if facts.at_s < state.block_until_s:\n",
        "    if facts.at_s < 0:\n",
    ),
    Mutant(
        "the hour begins when the first move does",
        DECIDE,
        "return replace(state, block_until_s=now_s + policy.block_s, reconciled=False)\n",
        "return replace(state, block_until_s=state.moved_s + policy.block_s - 600)\n",
    ),
    Mutant(
        "fencing does not wait",
        DECIDE,
        "    if left_s > 0:\n",
        "    if left_s > 1e9:\n",
    ),
    Mutant(
        "the lease stays open while fencing",
        DECIDE,
        "_CLOSED = frozenset({Phase.FENCING, Phase.PROMOTE_INTENT, Phase.PROMOTING})\n",
        "_CLOSED = frozenset({Phase.PROMOTE_INTENT, Phase.PROMOTING})\n",
    ),
    Mutant(
        "the lease opens again too early",
        DECIDE,
        "_CLOSED = frozenset({Phase.FENCING, Phase.PROMOTE_INTENT, Phase.PROMOTING})\n",
        "_CLOSED = frozenset({Phase.FENCING, Phase.PROMOTE_INTENT})\n",
    ),
    Mutant(
        "an intent never expires",
        ACTUATE,
        "            if world.now_s() > intent.not_after_s:\n",
        "            if world.now_s() > intent.not_after_s + 1e9:\n",
    ),
    Mutant(
        "nobody claims an attempt",
        ACTUATE,
        "            world.claim(intent)\n",
        "",
    ),
    Mutant(
        "a claim that fails is no claim",
        ACTUATE,
        "            world.claim(intent)\n",
        "            try:\n                world.claim(intent)\n"
        "            except ConflictError:\n                said.append('again')\n",
    ),
    Mutant(
        "the call is made three times, as an SDK would",
        ACTUATE,
        "                world.move(intent)\n",
        "                for _ in range(3):\n                    world.move(intent)\n",
    ),
    Mutant(
        "one name for every attempt",
        DECIDE,
        "        attempt=state.intent.attempt + 1 if again and state.intent else 1,\n",
        "        attempt=1,\n",
    ),
    Mutant(
        "an epoch is used twice",
        DECIDE,
        "    epoch = state.epoch if again else state.epoch + 1\n",
        "    epoch = 1\n",
    ),
    Mutant(
        "users are held before a write is verified",
        DECIDE,
        "    return replace(state, writer=state.intent.target, moved_s=now_s)\n",
        "    return replace(state, writer=state.intent.target, moved_s=now_s, latched=True)\n",
    ),
    Mutant(
        "a verification of the last epoch will do",
        DECIDE,
        "    if facts.write_verified:\n        return Event.VERIFIED",
        "    if facts.write_verified is not None:\n        return Event.VERIFIED",
    ),
    Mutant(
        "a switchover that fails becomes a failover",
        DECIDE,
        "        move=Move.FAILOVER if failover else Move.SWITCHOVER,\n",
        "        move=Move.FAILOVER if failover or again else Move.SWITCHOVER,\n",
    ),
    Mutant(
        "somebody else's move is ours",
        DECIDE,
        "    if database is None or state.phase is Phase.HALTED:\n        return None\n    settled",
        "    if True:\n        return None\n    settled",
    ),
    Mutant(
        "an old description is news",
        DECIDE,
        "    expected = {state.writer} if settled else {state.writer, state.writer.other}\n",
        "    expected = {state.writer}\n",
    ),
    Mutant(
        "people hear of halts and nothing else",
        DECIDE,
        'notice=f"{state.phase}: {reason}" if told else None,\n',
        'notice=f"{state.phase}: {reason}" if state.phase is Phase.HALTED else None,\n',
    ),
    Mutant(
        "nobody comes home",
        DECIDE,
        '    return Event.STABLE, "ready to go back, when asked"\n',
        '    return Event.NOTHING, "ready to go back, when asked"\n',
    ),
    Mutant(
        "everybody goes home by themselves",
        DECIDE,
        "    if _ordered(Order.SWITCHOVER, state, facts.command):\n"
        '        return Event.ORDERED, f"{_author(facts)} asked to go back"\n',
        '    if True:\n        return Event.ORDERED, f"{_author(facts)} asked to go back"\n',
    ),
)
