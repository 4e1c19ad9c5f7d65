"""Mistakes to plant: each is one change of the source, and must not survive the tests."""

from dataclasses import dataclass

VERDICT = "failover/decision/verdict.py"
FACTS = "failover/decision/observation.py"
POLICY = "failover/decision/policy.py"
GATES = "failover/decision/gates.py"
DECIDE = "failover/decision/decide.py"
READINGS = "failover/decision/evidence.py"
RECONCILE = "failover/controller.py"
ACTUATE = "failover/actuator.py"
LEDGER = "failover/aws/state_store.py"
WORLD = "failover/aws/adapter.py"
EVIDENCE = "failover/aws/evidence_reader.py"
PLEDGE = "failover/aws/pledge.py"
DATABASE = "failover/aws/global_cluster.py"
LEASE = "agent/lease.py"
HEART = "agent/heartbeat.py"
ROTATION = "failover/rotation.py"


@dataclass(frozen=True)
class Mutant:
    """One mistake: in which file, what stands there, and what somebody might have written."""

    name: str
    file: str
    right: str
    wrong: str


MUTANTS = (
    Mutant(
        "one look that cannot ask RDS makes a silent Region dead",
        DECIDE,
        "    if verdict is Verdict.REGION_DEAD and unknown:\n",
        "    if verdict is Verdict.REGION_DEAD and not unknown:\n",
    ),
    Mutant(
        "a table that forgot the writer knows what would be lost",
        EVIDENCE,
        "    if not followers or not writers:\n",
        "    if not followers:\n",
    ),
    Mutant(
        "what everybody sees as dead is dead at once",
        POLICY,
        "    confirm_unanimous_s: float = 45.0\n",
        "    confirm_unanimous_s: float = 15.0\n",
    ),
    Mutant(
        "nearly everybody is everybody",
        VERDICT,
        "        return self.bad == len(self.main) and rest == (BAD, BAD) and self.self_test is GOOD\n",
        "        return self.bad > 2 and rest == (BAD, BAD) and self.self_test is GOOD\n",
    ),
    Mutant(
        "a lease is closed early whether or not a person has to be asked",
        DECIDE,
        "    return left_s <= policy.close_early_s and quiet and asks is None\n",
        "    return left_s <= policy.close_early_s and quiet\n",
    ),
    Mutant(
        "a lease that was closed early stays closed",
        DECIDE,
        "    if state.phase is not Phase.SUSPECT or state.bad_since_s is None or not state.unanimous:\n",
        "    if state.phase is not Phase.SUSPECT or state.bad_since_s is None:\n",
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
        "a write through the public name is no veto",
        VERDICT,
        "        ways = (self.standby_canary, self.witness_canary, self.heartbeat, self.write_pulse)\n",
        "        ways = (self.heartbeat, self.write_pulse)\n",
    ),
    Mutant(
        "a silent Region whose RDS answers is dead",
        VERDICT,
        "        return Verdict.REGION_SILENT if lives else Verdict.REGION_DEAD\n",
        "        return Verdict.REGION_DEAD\n",
    ),
    Mutant(
        "blindness is certainty",
        VERDICT,
        "    if evidence.self_test is not GOOD:\n        return Verdict.UNCERTAIN\n",
        "",
    ),
    Mutant(
        "two witnesses are a majority",
        VERDICT,
        "WITNESSES_MIN = 3\n",
        "WITNESSES_MIN = 2\n",
    ),
    Mutant(
        "unknown counts as bad",
        FACTS,
        "        return self.reading if now_s - self.at_s <= fresh_s else Reading.UNKNOWN\n",
        "        known = self.reading is not Reading.UNKNOWN and now_s - self.at_s <= fresh_s\n"
        "        return self.reading if known else Reading.BAD\n",
    ),
    Mutant(
        "what was seen once is seen for ever",
        FACTS,
        "        return self.reading if now_s - self.at_s <= fresh_s else Reading.UNKNOWN\n",
        "        return self.reading\n",
    ),
    Mutant(
        "the loss is what it was when all was well",
        FACTS,
        "        return max(self.lag_max_s, self.lived_s - self.replicated_s) + HEARTBEAT_S\n",
        "        return 0.3 + HEARTBEAT_S\n",
    ),
    Mutant(
        "the bound forgets what a lease lets through",
        FACTS,
        "        return self.estimate_s + LEASE_S\n",
        "        return self.estimate_s\n",
    ),
    Mutant(
        "an attempt without an answer was refused",
        FACTS,
        "        return self.answer is not None and self.answer != ACCEPTED\n",
        "        return self.answer != ACCEPTED\n",
    ),
    Mutant(
        "confirms in ten seconds",
        POLICY,
        "    confirm_s: float = 60.0\n",
        "    confirm_s: float = 10.0\n",
    ),
    Mutant(
        "no time for a Region to heal itself",
        POLICY,
        "    in_region_grace_s: float = 120.0\n",
        "    in_region_grace_s: float = 0.0\n",
    ),
    Mutant(
        "an order never ages",
        POLICY,
        "    order_max_s: float = 900.0\n",
        "    order_max_s: float = 1e9\n",
    ),
    Mutant(
        "any loss is fine",
        GATES,
        "    if loss.estimate_s > policy.loss_auto_s:\n",
        "    if loss.estimate_s > 1e9:\n",
    ),
    Mutant(
        "not knowing the loss is fine",
        GATES,
        ('    if loss is None:\n        return f"confirmed; {loss_of(observation)}"\n'),
        ("    if loss is None:\n        return None\n"),
    ),
    Mutant(
        "approval is not asked for",
        GATES,
        "    if policy.mode is FailoverMode.APPROVE:\n",
        "    if policy.mode is FailoverMode.APPROVE and facts.at_s < 0:\n",
    ),
    Mutant(
        "observing is acting",
        GATES,
        "    if policy.mode is FailoverMode.OBSERVE:\n",
        "    if policy.mode is FailoverMode.OBSERVE and now_s < 0:\n",
    ),
    Mutant(
        "a window of the design is for others",
        GATES,
        "    if any(start <= now_s < end for start, end in policy.freezes):\n",
        "    if any(start <= now_s < end for start, end in ()):\n",
    ),
    Mutant(
        "a person's freeze is for others",
        GATES,
        "    if now_s < state.frozen_until_s:\n",
        "    if now_s < 0:\n",
    ),
    Mutant(
        "no hour between two moves",
        GATES,
        "    if observation.at_s < state.block_until_s:\n",
        "    if observation.at_s < 0:\n",
    ),
    Mutant(
        "a side that was detached may be promoted",
        GATES,
        "    if not database.follower_is_member:\n",
        "    if not database:\n",
    ),
    Mutant(
        "a side without an instance may be promoted",
        GATES,
        "    if not database.follower_has_instance:\n",
        "    if not database:\n",
    ),
    Mutant(
        "a side that is stopped may be promoted",
        GATES,
        "    if database.fitness is Fitness.UNFIT:\n",
        "    if not database:\n",
    ),
    Mutant(
        "a side that is being backed up may not be promoted",
        GATES,
        "    if database.fitness is Fitness.UNFIT:\n",
        "    if database.fitness is not Fitness.FIT:\n",
    ),
    Mutant(
        "a silent Region is not asked for",
        GATES,
        "    if state.verdict is Verdict.REGION_SILENT:\n",
        "    if not state:\n",
    ),
    Mutant(
        "one machine is witness enough",
        GATES,
        "    if observation.machines is not None and observation.machines <= 1 and rds is not Reading.BAD:\n",
        "    if observation.machines is not None and observation.machines < 0:\n",
    ),
    Mutant(
        "a standby that does not serve is good enough",
        GATES,
        "    if observation.signals.standby_app.reading is Reading.BAD:\n",
        "    if not observation:\n",
    ),
    Mutant(
        "a switchover goes on ill evidence",
        GATES,
        "    if state.writer is HOME and state.verdict is not Verdict.HEALTHY:\n",
        "    if not state:\n",
    ),
    Mutant(
        "a switchover does not mind the lag",
        GATES,
        "    if observation.replication.lag_max_s > policy.switch_lag_max_s:\n",
        "    if observation.replication.lag_max_s > 1e9:\n",
    ),
    Mutant(
        "an order counts in whatever phase",
        GATES,
        "    seen = state.entered <= command.revision <= state.revision\n",
        "    seen = True\n",
    ),
    Mutant(
        "an approval covers any loss",
        GATES,
        "    return loss is not None and loss.estimate_s <= shown_s + policy.loss_slack_s\n",
        "    return True\n",
    ),
    Mutant(
        "the window outlives the writer's return",
        DECIDE,
        "    return replication.lived_s > since_s + policy.skew_s\n",
        "    return False\n",
    ),
    Mutant(
        "a look that sees little clears",
        DECIDE,
        "    knows = verdict not in BLIND or not near or evidence.writes_live\n",
        "    knows = verdict not in BLIND or near\n",
    ),
    Mutant(
        "looks far apart confirm one another",
        DECIDE,
        "    near = now_s - state.looked_s <= _gap_max_s(observation, policy)\n",
        "    near = True\n",
    ),
    Mutant(
        "a clearing is not one",
        READINGS,
        "    if state.bad_since_s is None or evidence.writes_live:\n"
        '        return Event.CLEARED, f"cleared: {state.verdict}"\n',
        "",
    ),
    Mutant(
        "a write that works does not end the fencing",
        READINGS,
        "    if evidence.writes_live or state.bad_since_s is None:\n"
        '        return Event.CLEARED, f"cleared while fencing: {state.verdict}"\n',
        "",
    ),
    Mutant(
        "nobody hears a no while fencing",
        READINGS,
        '        return Event.DENIED, f"{denied.author} denied it"\n    against',
        "        pass\n    against",
    ),
    Mutant(
        "fencing does not wait",
        READINGS,
        "    if left_s > 0:\n",
        "    if left_s > 1e9:\n",
    ),
    Mutant(
        "fencing waits two minutes longer",
        READINGS,
        "    left_s = state.fenced_s + policy.lease_s + policy.skew_s - observation.at_s\n",
        "    left_s = state.fenced_s + policy.lease_s + policy.skew_s + 150 - observation.at_s\n",
    ),
    Mutant(
        "fencing that fails waits for ever",
        READINGS,
        "        if observation.at_s - state.since_s > policy.fence_max_s:\n",
        "        if observation.at_s < 0:\n",
    ),
    Mutant(
        "wishes count as calls",
        READINGS,
        "    calls = [attempt for attempt in attempts if attempt.called]\n",
        "    calls = list(attempts)\n",
    ),
    Mutant(
        "a move that was refused to the end is a halt",
        READINGS,
        "        if not harmless:\n            return Event.EXHAUSTED, reason\n",
        "        return Event.EXHAUSTED, reason\n",
    ),
    Mutant(
        "a move that nobody calls is a halt",
        READINGS,
        "        if not harmless:\n"
        '            return Event.EXHAUSTED, f"{reason}; before that: {answers}"\n',
        '        return Event.EXHAUSTED, f"{reason}; before that: {answers}"\n',
    ),
    Mutant(
        "a verification of the last epoch will do",
        READINGS,
        "    if observation.write_verified:\n",
        "    if observation.write_verified is not None:\n",
    ),
    Mutant(
        "users are where they should be",
        READINGS,
        "    if observation.users_on is not state.writer and order is None:\n",
        "    if not observation:\n",
    ),
    Mutant(
        "a switchover that stands still is waited for",
        READINGS,
        (
            "    if held_s < needed_s(state, policy) or observation.at_s - state.since_s < policy.switch_stuck_s:\n"
            "        return None\n"
        ),
        "    return None\n",
    ),
    Mutant(
        "somebody else's move is ours",
        READINGS,
        "    if database.move is not None and not arrived and not (ours and _is_intended(state, database)):\n",
        "    if database.move is not None and not state:\n",
    ),
    Mutant(
        "an old description is news",
        READINGS,
        "    expected = {state.writer} if settled else {state.writer, state.writer.other}\n",
        "    expected = {state.writer}\n",
    ),
    Mutant(
        "a detached standby is nothing",
        READINGS,
        "    if not database.follower_is_member and settled and state.phase in _PAIRED:\n",
        "    if not state:\n",
    ),
    Mutant(
        "nobody comes home",
        READINGS,
        '    return Event.STABLE, "ready for failback, when ordered"\n',
        '    return Event.NOTHING, "ready for failback, when ordered"\n',
    ),
    Mutant(
        "nobody signs for what was lost",
        READINGS,
        "    if not state.reconciled:\n",
        "    if not state:\n",
    ),
    Mutant(
        "the stability window is over at once",
        READINGS,
        "    if observation.at_s - state.since_s < policy.stable_s:\n",
        "    if observation.at_s - state.since_s < 0:\n",
    ),
    Mutant(
        "a Region that dies away from home is nobody's",
        READINGS,
        "    if not evidence.writes_live and ways.count(Reading.BAD) > 1:\n",
        "    if not evidence:\n",
    ),
    Mutant(
        "the pledge's epoch is forgotten",
        READINGS,
        "    return max(observation.epoch_seen or 0, observation.pledge_epoch or 0)\n",
        "    return observation.epoch_seen or 0\n",
    ),
    Mutant(
        "an empty table is a first day",
        READINGS,
        '    return Event.NOTHING, f"first run: waiting until {missing}"\n',
        "    return None\n",
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
        "a halt opens the lease",
        DECIDE,
        "    if state.phase is Phase.HALTED or not state.anchored:\n",
        "    if not state.anchored:\n",
    ),
    Mutant(
        "one name for every attempt",
        DECIDE,
        "        attempt=last.attempt + 1 if last else 1,\n",
        "        attempt=1,\n",
    ),
    Mutant(
        "an epoch is used twice",
        DECIDE,
        "    epoch = state.epoch if last else state.epoch + 1\n",
        "    epoch = max(1, state.epoch)\n",
    ),
    Mutant(
        "adopted with an epoch that was seen",
        DECIDE,
        "    return max(state.epoch, highest_epoch(observation)) + 1\n",
        "    return state.epoch + 1\n",
    ),
    Mutant(
        "users are held before a write is verified",
        DECIDE,
        "    return replace(moved, writer=state.intent.target)\n",
        "    return replace(moved, writer=state.intent.target, latched=True)\n",
    ),
    Mutant(
        "a switchover that fails becomes a failover",
        DECIDE,
        "        move=Move.FAILOVER if failover else Move.SWITCHOVER,\n",
        "        move=Move.FAILOVER if failover or last else Move.SWITCHOVER,\n",
    ),
    Mutant(
        "people hear of halts and nothing else",
        DECIDE,
        '        notice=f"{state.phase}: {said}" if changed and _is_news(state, committed, policy) else None,\n',
        '        notice=f"{state.phase}: {said}" if changed and state.phase is Phase.HALTED else None,\n',
    ),
    Mutant(
        "nothing is urgent",
        DECIDE,
        "        urgent=_is_overdue(state, observation.at_s)\n",
        "        urgent=observation.at_s < 0\n",
    ),
    Mutant(
        "the one reconciliation signs the next",
        DECIDE,
        "            return replace(state, block_until_s=now_s + policy.block_s, reconciled=False)\n",
        "            return replace(state, block_until_s=now_s + policy.block_s)\n",
    ),
    Mutant(
        "an actuator trusts that the lease is closed",
        DECIDE,
        "    if observation.lease is None or observation.lease.open:\n",
        "    if not observation:\n",
    ),
    Mutant(
        "an actuator moves though a write works",
        DECIDE,
        '    if evidence.writes_live:\n        return "a write was seen to work"\n',
        "",
    ),
    Mutant(
        "an actuator carries out what has expired",
        DECIDE,
        "    if observation.at_s > intent.not_after_s:\n",
        "    if observation.at_s > intent.not_after_s + 1e9:\n",
    ),
    Mutant(
        "nobody raises the standby's capacity",
        DECIDE,
        "    return serves and observation.capacity_short is not False\n",
        "    return serves and observation.capacity_short is None and state.epoch < 0\n",
    ),
    Mutant(
        "a lost table lets users go",
        DECIDE,
        "    return replace(state, told_s=now_s, latched=latched)\n",
        "    return replace(state, told_s=now_s)\n",
    ),
    Mutant(
        "acts on what could not be committed",
        RECONCILE,
        "            ports.commit(decision, observation)\n",
        (
            "            try:\n"
            "                ports.commit(decision, observation)\n"
            "            except (ConflictError, UnavailableError):\n"
            "                began_s = 0.0\n"
        ),
    ),
    Mutant(
        "a frozen function commits what it saw",
        RECONCILE,
        "            if ports.now_s() - began_s > policy.fresh_s:\n",
        "            if ports.now_s() < began_s:\n",
    ),
    Mutant(
        "one effect that fails takes the others with it",
        RECONCILE,
        "            failed.append(str(error))\n",
        "            failed.append(str(error))\n            break\n",
    ),
    Mutant(
        "an intent never expires",
        ACTUATE,
        "    if ports.now_s() > intent.not_after_s:\n",
        "    if ports.now_s() > intent.not_after_s + 1e9:\n",
    ),
    Mutant(
        "nobody claims an attempt",
        ACTUATE,
        "        ports.claim(intent)\n    except",
        "        ports.now_s()\n    except",
    ),
    Mutant(
        "the call is made three times, as an SDK would",
        ACTUATE,
        "        ports.move(intent)\n",
        ("        for _ in range(3):\n            ports.move(intent)\n"),
    ),
    Mutant(
        "nobody writes down what Aurora said",
        ACTUATE,
        "        ports.record_answer(intent, called=called, answer=answer)\n",
        "        ports.now_s()\n",
    ),
    Mutant(
        "no compare-and-set",
        LEDGER,
        '                    ConditionExpression="attribute_not_exists(#partition)",\n'
        '                    ExpressionAttributeNames={"#partition": STATE_PARTITION},\n'
        "                )\n"
        "        except RefusedError as error:\n"
        "            if error.code in _LOST_RACES:\n"
        '                msg = f"{sort} exists already"\n',
        "                )\n"
        "        except RefusedError as error:\n"
        "            if error.code in _LOST_RACES:\n"
        '                msg = f"{sort} exists already"\n',
    ),
    Mutant(
        "the newest revision is whatever a replica has",
        LEDGER,
        "            ScanIndexForward=False,\n"
        "            Limit=count,\n"
        "            ConsistentRead=True,\n",
        "            ScanIndexForward=False,\n"
        "            Limit=count,\n"
        "            ConsistentRead=False,\n",
    ),
    Mutant(
        "the lease is whatever a replica has",
        LEDGER,
        "                TableName=self._table, Key=self._key(shelf, sort), ConsistentRead=True\n",
        "                TableName=self._table, Key=self._key(shelf, sort), ConsistentRead=False\n",
    ),
    Mutant(
        "a wrong clock is a right one",
        LEDGER,
        "            self._compare_clocks(date, took_s)\n",
        "",
    ),
    Mutant(
        "whoever comes late sets the lease",
        LEDGER,
        '            self._put_lease(terms, revision, "attribute_not_exists(spoke) OR spoke <= :revision")\n',
        '            self._put_lease(terms, revision, "attribute_not_exists(nobody)")\n',
    ),
    Mutant(
        "a lease of another table stays for ever",
        LEDGER,
        "            self._mend_lease(terms, revision)\n",
        "            return\n",
    ),
    Mutant(
        "a claim without a word was no call",
        LEDGER,
        '        called=bool(item.get("called", {}).get("BOOL", True)),\n',
        '        called=bool(item.get("called", {}).get("BOOL", False)),\n',
    ),
    Mutant(
        "a second order hides the first",
        LEDGER,
        "        if found is not None and found != over:\n",
        "        if found is None and over is not None:\n",
    ),
    Mutant(
        "people are told of all that ever was",
        LEDGER,
        "            told, since_s = max(0, upto - NOTICES_MAX), self._clock.now_s() - NOTICE_LATE_S\n",
        "            told, since_s = 0, None\n",
    ),
    Mutant(
        "the latch is published once",
        WORLD,
        "        if decision.latch is not None:\n",
        "        if decision.latch is not None and decision.changed:\n",
    ),
    Mutant(
        "the latch is published upside down where nothing is known",
        WORLD,
        "        if decision.latch is not None:\n"
        "            values[FAILOVER_ACTIVE] = 1.0 if decision.latch else 0.0\n",
        "        values[FAILOVER_ACTIVE] = 1.0 if decision.latch else 0.0\n",
    ),
    Mutant(
        "an old look publishes the latch",
        WORLD,
        "        if self.now_s() - self._seen_s > PUBLISH_MAX_S:\n",
        "        if self.now_s() < 0:\n",
    ),
    Mutant(
        "the pledge is nobody's lease",
        WORLD,
        "        return LeaseView(open=unread or held, seen_s=lease.seen_s)\n",
        "        return lease\n",
    ),
    Mutant(
        "whoever cannot read the pledge takes it as given up",
        WORLD,
        "        return LeaseView(open=unread or held, seen_s=lease.seen_s)\n",
        "        return LeaseView(open=held, seen_s=lease.seen_s)\n",
    ),
    Mutant(
        "a pulse of long ago is of now",
        EVIDENCE,
        "        pulse for pulse in _of(raw, place) if -AHEAD_MAX_S <= raw.at_s - pulse.at_s <= PULSE_MAX_S\n",
        "        pulse for pulse in _of(raw, place) if -AHEAD_MAX_S <= raw.at_s - pulse.at_s\n",
    ),
    Mutant(
        "a place that never reported is bad",
        EVIDENCE,
        "        return Signal(reading=absent if _of(raw, place) else UNKNOWN, at_s=raw.at_s)\n",
        "        return Signal(reading=absent, at_s=raw.at_s)\n",
    ),
    Mutant(
        "one agent that cannot write is a dead writer",
        EVIDENCE,
        "    for reading, wanted in ((GOOD, True), (BAD, False)):\n",
        "    for reading, wanted in ((BAD, False), (GOOD, True)):\n",
    ),
    Mutant(
        "DNS tells of the primary while users are held",
        EVIDENCE,
        "    if raw.users_on is None or state.latched is not False:\n",
        "    if raw.users_on is None:\n",
    ),
    Mutant(
        "the loss is estimated from the writer's own side",
        EVIDENCE,
        "    followers = [pulse for pulse in _of(raw, state.writer.other) if pulse.beat_s is not None]\n",
        "    followers = [pulse for pulse in _of(raw, state.writer) if pulse.beat_s is not None]\n",
    ),
    Mutant(
        "a proof of any epoch is a proof",
        EVIDENCE,
        "        pulse.writes_ok and pulse.wrote_epoch == state.epoch for pulse in _fresh(raw, state.writer)\n",
        "        pulse.writes_ok and pulse.wrote_epoch is not None\n",
    ),
    Mutant(
        "an agent that came late knows the lag",
        EVIDENCE,
        "        if pulse.lag_max_s is not None and pulse.at_s >= lived_s - PULSE_MAX_S\n",
        "        if pulse.lag_max_s is not None\n",
    ),
    Mutant(
        "a standby that is down makes us blind",
        EVIDENCE,
        ("    if raw.outside is BAD:\n        return BAD\n"),
        ("    if BAD in (raw.outside, raw.standby_app):\n        return BAD\n"),
    ),
    Mutant(
        "a pledge never ends",
        PLEDGE,
        "        return self.open and now_s <= self.until_s + skew_s\n",
        "        return self.open\n",
    ),
    Mutant(
        "a pledge is written over anybody's",
        PLEDGE,
        '        condition = {"IfMatch": over.version} if over.version else {"IfNoneMatch": "*"}\n',
        "        condition: dict[str, str] = {}\n",
    ),
    Mutant(
        "a pledge counts from now",
        PLEDGE,
        "        until_s = seen_s + PLEDGE_S if terms.open else seen_s\n",
        "        until_s = self._clock.now_s() + 3 * PLEDGE_S if terms.open else seen_s\n",
    ),
    Mutant(
        "whoever cannot commit gives a new pledge",
        PLEDGE,
        '        if known is None or not known.holds(now_s, 0.0) or known.author != "orchestrator":\n',
        "        if known is None:\n",
    ),
    Mutant(
        "a refusal is silence",
        DATABASE,
        "            return True  # it answers, whatever it says\n",
        "            return False\n",
    ),
    Mutant(
        "a failover is asked for where the disaster is",
        DATABASE,
        "            rds = self._clients.rds(self._regions[intent.target], changing=True)\n",
        "            rds = self._clients.rds(self._regions[left], changing=True)\n",
    ),
    Mutant(
        "the SDK repeats a move",
        DATABASE,
        "            rds = self._clients.rds(self._regions[intent.target], changing=True)\n",
        "            rds = self._clients.rds(self._regions[intent.target])\n",
    ),
    Mutant(
        "a failover may lose nothing",
        DATABASE,
        "                    AllowDataLoss=True,\n",
        "                    AllowDataLoss=False,\n",
    ),
    Mutant(
        "the first member is the writer",
        DATABASE,
        (
            "        writers = [\n"
            '            member for member in whole.get("GlobalClusterMembers", []) if member.get("IsWriter")\n'
            "        ]\n"
        ),
        '        writers = whole.get("GlobalClusterMembers", [])[:1]\n',
    ),
    Mutant(
        "a follower that is not connected follows",
        DATABASE,
        '        return member is not None and member.get("SynchronizationStatus") == "connected"\n',
        "        return member is not None\n",
    ),
    Mutant(
        "an agent vouches for itself where it is refused",
        LEASE,
        "        except self._refused:\n"
        "            self._asked_s = self._clock()\n"
        "            return self.held()\n",
        "",
    ),
    Mutant(
        "a lease goes back to a former epoch",
        LEASE,
        "            terms = None if past else terms\n",
        "",
    ),
    Mutant(
        "a lease counts from the answer",
        LEASE,
        '            self._until_s, self._epoch = began_s + min(LEASE_S, left_s), terms["epoch"]\n',
        '            self._until_s, self._epoch = self._clock() + min(LEASE_S, left_s), terms["epoch"]\n',
    ),
    Mutant(
        "a pledge is as good as a lease to its last second",
        LEASE,
        '            left_s = terms["left_s"] - PLEDGE_MARGIN_S if terms else 0.0\n',
        '            left_s = terms["left_s"] + 4 * PLEDGE_MARGIN_S if terms else 0.0\n',
    ),
    Mutant(
        "a closed lease renews",
        LEASE,
        '        if terms is not None and terms["open"] and left_s > 0:\n',
        "        if terms is not None and left_s > 0:\n",
    ),
    Mutant(
        "a lease lasts a minute",
        LEASE,
        "LEASE_S = 15.0  # validity of a renewal, from before its request\n",
        "LEASE_S = 60.0\n",
    ),
    Mutant(
        "an application answers whatever became of its lease",
        LEASE,
        "        if self.epoch() != epoch:\n",
        "        if epoch is None:\n",
    ),
    Mutant(
        "a lease that has run out holds",
        LEASE,
        '        if held is None or now_s() >= held["until_s"]:\n',
        "        if held is None:\n",
    ),
    Mutant(
        "an agent reads what some replica has",
        HEART,
        '"GetItem", {"Key": self._key("lease", "newest"), "ConsistentRead": True}',
        '"GetItem", {"Key": self._key("lease", "newest"), "ConsistentRead": False}',
    ),
    Mutant(
        "an agent that is refused asks elsewhere",
        HEART,
        "            except ServiceRefusedError:\n                raise\n",
        "",
    ),
    Mutant(
        "the first heartbeat is lag",
        HEART,
        "            if self.beat_s is not None:\n                self._note_lag",
        "            if self._lags is not None:\n                self._note_lag",
    ),
    Mutant(
        "a heartbeat lowers the epoch",
        HEART,
        '" epoch = greatest(otherside_heartbeat.epoch, excluded.epoch)"',
        '" epoch = excluded.epoch"',
    ),
    Mutant(
        "a commit that hangs is one",
        HEART,
        '            "writes_ok": self.writes_ok and lately,\n',
        '            "writes_ok": self.writes_ok,\n',
    ),
    Mutant(
        "lag is only of now",
        HEART,
        "LAG_KEPT_S = 300.0\n",
        "LAG_KEPT_S = 0.0\n",
    ),
    Mutant(
        "a password is given in the middle of a move",
        ROTATION,
        '        if whole.get("FailoverState"):\n',
        '        if whole.get("Nothing"):\n',
    ),
    Mutant(
        "a password is current before the database has it",
        ROTATION,
        '            if cluster.get("Status") == "available" and "MasterUserPassword" not in pending:\n',
        "            if cluster:\n",
    ),
    Mutant(
        "each attempt makes another password",
        ROTATION,
        "            self._value(secret, version, PENDING)\n        except",
        "            raise self._secrets.exceptions.ResourceNotFoundException({}, '')\n"
        "        except",
    ),
    Mutant(
        "the database gets the current password",
        ROTATION,
        '        password = self._value(secret, version, PENDING)["password"]\n',
        '        password = self._value(secret, next(iter(self._secrets.describe_secret(SecretId=secret)["VersionIdsToStages"])), CURRENT)["password"]\n',
    ),
    Mutant(
        "a password is set in the Region that it was made in",
        ROTATION,
        "        self._rds(_region(writer)).modify_db_cluster(\n",
        "        self._rds(self._settings.home_region).modify_db_cluster(\n",
    ),
    Mutant(
        "two versions are current",
        ROTATION,
        '        leaving: dict[str, Any] = {"RemoveFromVersionId": current} if current else {}\n',
        "        leaving: dict[str, Any] = {}\n",
    ),
)
