"""Where things are and what lies between: which Regions stand, and which reach one another."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

OUTSIDE = "outside"
"""Where users are, and whoever runs the twin."""
CONTROL_REGION = "us-east-1"
"""Where the control planes of IAM and Route 53 are, and nowhere else.

https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The way from one place to another."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    """`None` is as much as there is."""


LOCAL = Link()
WAN = Link(delay_s=0.025, jitter_s=0.002)
"""Between two Regions of one continent: 50 ms there and back, or thereabouts."""


@dataclass(slots=True)
class Partitions:
    """Regions that stand or are lost, and ways that are open or cut, one direction at a time."""

    wan: Link = WAN
    _lost: frozenset[str] = frozenset()
    _cut: frozenset[tuple[str, str]] = frozenset()
    _paths: dict[tuple[str, str], Link] = field(default_factory=dict)
    _listeners: list[Callable[[], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stands(self, region: str) -> bool:
        """Return whether a Region stands."""
        return region not in self._lost

    def reaches(self, source: str, target: str) -> bool:
        """Return whether what one place sends arrives at another."""
        if source in self._lost or target in self._lost:
            return False
        return source == target or (source, target) not in self._cut

    def converse(self, text: str, other: str) -> bool:
        """Return whether two places can ask and answer one another."""
        return self.reaches(text, other) and self.reaches(other, text)

    def path(self, source: str, target: str) -> Link:
        """Return the way between two places."""
        if source == target or OUTSIDE in {source, target}:
            return self._paths.get((source, target), LOCAL)
        return self._paths.get((source, target), self.wan)

    def lost(self) -> frozenset[str]:
        """Return the Regions that are lost."""
        return self._lost

    def cuts(self) -> frozenset[tuple[str, str]]:
        """Return the ways that are cut, as (source, target)."""
        return self._cut

    def lose(self, region: str) -> None:
        """Lose a Region, with everything in it."""
        self._change(lost=self._lost | {region})

    def restore(self, region: str) -> None:
        """Give a Region back."""
        self._change(lost=self._lost - {region})

    def cut(self, source: str, target: str) -> None:
        """Cut one direction between two places."""
        self._change(cut=self._cut | {(source, target)})

    def mend(self, source: str, target: str) -> None:
        """Mend one direction between two places."""
        self._change(cut=self._cut - {(source, target)})

    def lengthen(self, source: str, target: str, path: Link) -> None:
        """Change how one direction between two places is."""
        with self._lock:
            self._paths[source, target] = path

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call something after each change of what stands and what reaches what."""
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
