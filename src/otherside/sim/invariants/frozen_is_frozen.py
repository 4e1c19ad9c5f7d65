"""I18: no call is made while a person's freeze is in force, and no freeze ends before its time."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from otherside.sim.history import History
from otherside.sim.world_state import BY_HAND

if TYPE_CHECKING:
    from otherside.failover.decision.observation import Command


def check(history: History) -> Iterator[str]:
    """Yield each call within a freeze that the orchestrator had read, and each early end."""
    heeded: list[tuple[float, Command]] = []
    for item in history.log:
        freeze = item.observation.freeze
        if freeze is not None and (not heeded or heeded[-1][1].at_s != freeze.at_s):
            heeded.append((item.at_s, freeze))
    late_s = history.policy.intent_s + 2 * history.policy.skew_s
    ends = [*(seen_s for seen_s, _ in heeded[1:]), float("inf")]
    spans = [
        (seen_s + late_s, min((freeze.until_s or 0.0), next_s) - late_s)
        for (seen_s, freeze), next_s in zip(heeded, ends, strict=False)
    ]
    for call in history.world_state.calls:
        if call.operation != BY_HAND and any(a < call.at_s < b for a, b in spans):
            yield f"{call.operation} was called while a person's freeze held"
    for before, after in pairwise(item.state for item in history.log):
        shortened = after.frozen_until_s < before.frozen_until_s
        if shortened and after.heeded_s == before.heeded_s and history.lost_s < 0:
            yield f"revision {after.revision}: a freeze ended early, and nobody had asked for it"
