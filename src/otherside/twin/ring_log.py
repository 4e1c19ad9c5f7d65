"""Bounded, ordered log that readers poll for what is new since their last read."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
KEPT = 50_000


class RingLog(Generic[T]):
    """Log of the newest entries. Positions count from the first, including dropped ones."""

    def __init__(self, most: int = KEPT) -> None:
        """Keep the newest `most` entries."""
        self._kept: deque[T] = deque(maxlen=most)
        self._next = 0
        self._lock = threading.Lock()

    def append(self, t: T) -> None:
        """Append an entry; thread-safe."""
        with self._lock:
            self._kept.append(t)
            self._next += 1

    def since(self, position: int = 0) -> tuple[int, list[T]]:
        """Return the next position, and the entries still kept from a position on."""
        with self._lock:
            items = list(self._kept)
            first = self._next - len(items)
            return self._next, items[max(0, position - first) :]
