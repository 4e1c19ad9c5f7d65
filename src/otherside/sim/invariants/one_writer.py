"""I7: where the lease is enforced, no side acknowledges writes once the other is the writer."""

from collections.abc import Iterator

from otherside.sim.history import History


def check(history: History) -> Iterator[str]:
    """Yield each time that both sides acknowledged writes.

    A move by hand waits for no lease; people are told to stop the application before making one.
    """
    moves = history.world_state.moves
    for number, move in enumerate(moves):
        if move.by_hand:
            continue
        until_s = moves[number + 1].at_s if number + 1 < len(moves) else float("inf")
        for row in history.world_state.rows:
            overlap_s = min(row.to_s, until_s) - max(row.from_s, move.at_s)
            if row.on is not move.target and overlap_s > 0:
                yield f"{row.on} acknowledged for {overlap_s:.1f} s after {move.target} took over"
