"""L1: a Region that is gone for good is left in time, or people are notified why it is not."""

from collections.abc import Iterator

from otherside.core.topology import FailoverMode, Side
from otherside.sim.faults import Fault
from otherside.sim.history import History
from otherside.sim.script import HEALED_S
from otherside.sim.world_state import BY_HAND

RECOVERY_S = 600.0
"""Three ticks, the window, the fence, a late actuator's time, and one more attempt of each kind."""
TOLD_S = 240.0
"""A wait that people must be notified of has its patience first, and then the next tick."""
ALONE = frozenset(
    {
        *(Fault.STANDBY_BUSY, Fault.LEASE_CORRUPT, Fault.PULSE_CORRUPT),
        *(Fault.ANSWERS_GARBLED, Fault.CONTROL_PLANE_DOWN),
    }
)
"""Faults that must not prevent the failover when they come with the loss of the primary."""


def check(history: History) -> Iterator[str]:
    """Yield if the standby did not take over, and if nobody was notified either."""
    world_state, policy = history.world_state, history.policy
    end_s = world_state.now_s
    gone = [
        window
        for window in world_state.windows
        if window.fault is Fault.PRIMARY_GONE and window.to_s > end_s
    ]
    if not gone or not history.calm or policy.mode is FailoverMode.OBSERVE:
        return
    faults = {window.fault for window in world_state.windows} - {Fault.PRIMARY_GONE}
    blind = {
        *(
            Fault.STORE_DOWN,
            Fault.STANDBY_GONE,
            Fault.STANDBY_CUT,
            Fault.TOPIC_DENIED,
            Fault.NEWER_SCHEMA,
        ),
        # Two of three Regions lost leave no majority: a person has to break the glass.
        *(Fault.WITNESS_GONE, Fault.STANDBY_TO_WITNESS_CUT, Fault.WITNESS_TO_STANDBY_CUT),
    }
    by_s = max(HEALED_S, gone[0].from_s) + RECOVERY_S + 2 * world_state.promote_s
    if by_s > end_s:
        return
    serving = [
        item.at_s
        for item in history.log
        if item.state.latched and item.state.writer is Side.STANDBY
    ]
    moved = any(call.operation == BY_HAND for call in world_state.calls)
    if any(at_s <= by_s for at_s in serving) or moved:
        return
    last = history.states[-1]
    free = policy.mode is FailoverMode.AUTO and not policy.freezes and not history.cloud.orders
    once = sum(window.fault is Fault.PRIMARY_GONE for window in world_state.windows) == 1
    # While a function is frozen, ticks come only once a minute here, but an intent lasts 15 s.
    free = free and not history.fault_rates.freeze and history.obedient
    if faults <= ALONE and once and free and history.lost_s < 0:
        yield f"the primary is gone and nobody took over: {last.phase}, {last.reason}"
    late_s = max(HEALED_S, gone[0].from_s) + TOLD_S
    pages = [at_s for at_s, _, _ in history.cloud.pages if gone[0].from_s <= at_s <= late_s + 600]
    if late_s + 600 < end_s and not pages and not faults & blind and not serving:
        yield f"the primary is gone, nobody took over, and nobody was told: {last.phase}"
