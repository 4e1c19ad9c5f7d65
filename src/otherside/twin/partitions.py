"""Regions and the links between them: which Regions are up, and which reach each other."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

OUTSIDE = "outside"
"""Where users are, and the person who runs the twin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLink:
    """The network path from one place to another."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    """`None` means unlimited."""


LOCAL = NetworkLink()
WAN = NetworkLink(delay_s=0.025, jitter_s=0.002)
"""Between two Regions of one continent: a round trip of about 50 ms."""


@dataclass(slots=True)
class Partitions:
    """Regions that are up or lost, and links that are open or cut, in each direction."""

    wan: NetworkLink = WAN
    _lost: frozenset[str] = frozenset()
    _cut: frozenset[tuple[str, str]] = frozenset()
    _paths: dict[tuple[str, str], NetworkLink] = field(default_factory=dict)
    _listeners: list[Callable[[], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stands(self, region: str) -> bool:
        """Return whether a Region is up."""
        return region not in self._lost

    def reaches(self, source: str, target: str) -> bool:
        """Return whether traffic from one place arrives at another."""
        if source in self._lost or target in self._lost:
            return False
        return source == target or (source, target) not in self._cut

    def converse(self, source: str, target: str) -> bool:
        """Return whether two places reach each other in both directions."""
        return self.reaches(source, target) and self.reaches(target, source)

    def path(self, source: str, target: str) -> NetworkLink:
        """Return the link from one place to another."""
        if source == target or OUTSIDE in {source, target}:
            return self._paths.get((source, target), LOCAL)
        return self._paths.get((source, target), self.wan)

    def lost(self) -> frozenset[str]:
        """Return the Regions that are lost."""
        return self._lost

    def cuts(self) -> frozenset[tuple[str, str]]:
        """Return the links that are cut, as (source, target)."""
        return self._cut

    def lose(self, region: str) -> None:
        """Take a Region down, with everything in it."""
        self._change(lost=self._lost | {region})

    def restore(self, region: str) -> None:
        """Bring a lost Region back."""
        self._change(lost=self._lost - {region})

    def cut(self, source: str, target: str) -> None:
        """Cut the link from one place to another, in this direction only."""
        self._change(cut=self._cut | {(source, target)})

    def mend(self, source: str, target: str) -> None:
        """Restore the link from one place to another, in this direction only."""
        self._change(cut=self._cut - {(source, target)})

    def lengthen(self, source: str, target: str, path: NetworkLink) -> None:
        """Set delay, jitter and bandwidth of the link from one place to another."""
        with self._lock:
            self._paths[source, target] = path

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener after each change of lost Regions or cut links."""
        self._listeners.append(listener)

    def _change(
        self,
        *,
        lost: frozenset[str] | None = None,
        cut: frozenset[tuple[str, str]] | None = None,
    ) -> None:
        with self._lock:
            self._lost = self._lost if lost is None else lost
            self._cut = self._cut if cut is None else cut
        for listener in self._listeners:
            listener()
