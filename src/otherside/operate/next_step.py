"""What the orchestrator would do next, and when, and what keeps it from failing over by itself."""

from collections.abc import Mapping

from otherside.core.topology import FailoverMode
from otherside.failover.decision.gates import HOME, Obstacle, needed_s
from otherside.failover.decision.observation import Command, Order
from otherside.failover.decision.policy import FailoverPolicy
from otherside.failover.decision.state import Phase, State

_PERSON = {
    Phase.AWAIT_APPROVAL: "it waits for a person: `otherside order approve` or `deny`",
    Phase.HALTED: (
        "it waits for a person: `otherside order adopt` accepts the writer where it is, "
        "`resume` continues with the writer on the primary"
    ),
    Phase.REJOINED: (
        "it waits for a person to find out what became of the lost writes: "
        "`otherside order sign-reconciliation`"
    ),
    Phase.FAILBACK_READY: "it waits for a person: `otherside order switchover` fails back",
    Phase.FAILED_OVER: "it waits for the other side to return and to follow",
}
_WAITS = {
    Phase.PROMOTE_INTENT: "the actuator asks Aurora to promote the standby",
    Phase.PROMOTING: "Aurora is moving the writer",
    Phase.SHIFT: "users are led to the new side; DNS takes up to a minute",
    Phase.SWITCH_INTENT: "the actuator asks Aurora to switch over",
    Phase.SWITCHING: "Aurora is switching over",
}


def next_step(
    state: State, policy: FailoverPolicy, now_s: float, given: Command | None = None
) -> str:
    """Return what comes next in this state, with the seconds until then where they are known.

    `given` is the newest order in the table; a switchover for later is what comes next.
    """
    if given is not None and is_scheduled(given, state, now_s):
        return (
            f"in {_left(given.at_s, now_s)} a switchover that {given.author} scheduled begins, if "
            "the phase is still the same; `otherside order abort` calls it off"
        )
    if state.phase in _PERSON:
        return _PERSON[state.phase]
    match state.phase:
        case Phase.STEADY if not state.anchored:
            return "it waits until the database and the pledge can be read"
        case Phase.STEADY:
            return "nothing, as long as the evidence stays as it is"
        case Phase.SUSPECT:
            return _confirming(state, policy, now_s)
        case Phase.BLOCKED:
            return "it fails over once the obstacle is gone, while the primary stays dead"
        case Phase.FENCING:
            return _fencing(state, policy, now_s)
        case Phase.VERIFY:
            return f"it waits until a write of epoch {state.epoch} is read back on {state.writer}"
        case Phase.SWITCH_PRECHECK:
            left = _left(state.since_s + policy.precheck_s, now_s)
            return f"the switchover begins in {left}, if nothing speaks against it"
        case _:
            return _WAITS[state.phase]


def is_scheduled(given: Command, state: State, now_s: float) -> bool:
    """Return whether an order is for later, and of the present phase."""
    bound = state.entered <= given.revision <= state.revision
    return bound and given.order is Order.SWITCHOVER and given.at_s > now_s


def _confirming(state: State, policy: FailoverPolicy, now_s: float) -> str:
    if state.bad_since_s is None:
        left = _left(state.since_s + policy.suspect_max_s, now_s)
        return f"it calms down in {left} at the latest, or confirms"
    left = _left(state.bad_since_s + needed_s(state, policy), now_s)
    return f"in {left} it begins to fail over, if the primary stays dead"


def _fencing(state: State, policy: FailoverPolicy, now_s: float) -> str:
    if state.fenced_s is None:
        return "it closes the old writer's lease"
    left = _left(state.fenced_s + policy.lease_s + policy.skew_s, now_s)
    return f"the old writer's lease expires in {left}; then it promotes the standby"


def _left(until_s: float, now_s: float) -> str:
    return f"{max(0.0, until_s - now_s):.0f} s"


_OBSTACLES: Mapping[str, str] = {
    Obstacle.DATABASE_SILENT: "RDS does not describe the global database",
    Obstacle.OBSERVING: "the mode is observe: it only reports what it would do",
    Obstacle.FROZEN_BY_CONFIGURATION: "a freeze window of the configuration is open",
    Obstacle.FROZEN_BY_ORDER: "a person ordered a freeze",
    Obstacle.STANDBY_DETACHED: "the standby is no member of the global database",
    Obstacle.STANDBY_HEADLESS: "the standby's cluster has no instance",
    Obstacle.VERSION_SKEW: "the sides run different engine versions",
    Obstacle.JUST_MOVED: "the last move was less than two minutes ago",
    Obstacle.STANDBY_UNFIT: "the standby's cluster cannot take over in its state",
}


def in_the_way(
    state: State, policy: FailoverPolicy, now_s: float, obstacle: str | None
) -> list[str]:
    """Return what keeps the orchestrator from failing over by itself, one sentence each.

    `obstacle` is what its last tick found; the rest follows from the state and the policy.
    """
    found = [_OBSTACLES.get(obstacle, obstacle)] if obstacle else []
    if not state.anchored:
        found.append("it has not seen the database and the pledge yet")
    if state.phase is Phase.HALTED:
        found.append("it is halted until a person orders adopt or resume")
    if state.writer is not HOME:
        found.append("the writer is on the standby already; it never leaves that by itself")
    if policy.mode is FailoverMode.APPROVE:
        found.append("the mode is approve: a person approves every failover")
    if state.denied:
        found.append("a person denied the failover; it asks again once the writer was seen alive")
    if now_s < state.block_until_s:
        left_s = state.block_until_s - now_s
        found.append(f"the last move was less than an hour ago: it asks for another {left_s:.0f} s")
    return found
