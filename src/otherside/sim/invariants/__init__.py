"""What must hold in every run, one invariant per file, judged from outside the orchestrator.

L5, that the next invocation repairs whatever a killed function left, has no check of its own. Every
check applies to runs in which functions are killed: by chance in `draw`, one by one in `matrix`.
"""

from collections.abc import Callable, Iterator

from otherside.sim.history import History
from otherside.sim.invariants import (
    approved_in_time,
    audited_first,
    comes_home,
    deadly_verdicts_only,
    everybody_is_told,
    far_apart,
    frozen_is_frozen,
    halts_honestly,
    hands_off,
    held_where_verified,
    isolated_is_harmless,
    large_enough,
    loss_as_said,
    no_late_actor,
    nothing_hangs,
    nothing_twice,
    observing_moves_nothing,
    one_chain,
    one_move_an_epoch,
    one_writer,
    recovers,
    signed_first,
    spoken_softly,
    switchover_loses_nothing,
    users_stay,
    whole_window,
)

INVARIANTS: dict[str, Callable[[History], Iterator[str]]] = {
    "I1": one_move_an_epoch.check,
    "I2": one_chain.check,
    "I3": whole_window.check,
    "I4": loss_as_said.check,
    "I5": no_late_actor.check,
    "I6": held_where_verified.check,
    "I7": one_writer.check,
    "I8": switchover_loses_nothing.check,
    "I9": far_apart.check,
    "I10": observing_moves_nothing.check,
    "I11": isolated_is_harmless.check,
    "I12": nothing_twice.check,
    "I13": deadly_verdicts_only.check,
    "I14": audited_first.check,
    "I15": hands_off.check,
    "I16": signed_first.check,
    "I17": approved_in_time.check,
    "I18": frozen_is_frozen.check,
    "I19": large_enough.check,
    "I20": halts_honestly.check,
    "I21": users_stay.check,
    "I22": spoken_softly.check,
    "L1": recovers.check,
    "L2": nothing_hangs.check,
    "L3": everybody_is_told.check,
    "L4": comes_home.check,
}


def broken_in(history: History) -> tuple[str, ...]:
    """Return the invariants that a run broke, each violation with the invariant's name."""
    return tuple(f"{name}: {text}" for name, check in INVARIANTS.items() for text in check(history))
