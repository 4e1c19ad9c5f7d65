"""What happened, in order: kept for whoever asks for what is new since they last asked."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
KEPT = 50_000


class RingLog(Generic[T]):
    """Things that happened. Positions count from the first one, whatever is kept of the rest."""

    def __init__(self, most: int = KEPT) -> None:
        """Keep the newest `most`."""
        self._kept: deque[T] = deque(maxlen=most)
        self._next = 0
        self._lock = threading.Lock()

    def append(self, t: T) -> None:
        """Note that something happened; from any thread."""
        with self._lock:
            self._kept.append(t)
            self._next += 1

    def since(self, position: int = 0) -> tuple[int, list[T]]:
        """Return the position after the newest, and what is kept from a position on."""
        with self._lock:
            items = list(self._kept)
            first = self._next - len(items)
            return self._next, items[max(0, position - first) :]
