"""Live output of a drill: a line per event that matters and, on a terminal, how far it is."""

import itertools
import threading
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.text import Text

from otherside.cli.drill_progress import DrillProgress
from otherside.drill.entries import EndEntry, Entry, HeadEntry, SampleEntry
from otherside.drill.timeline import Timeline
from otherside.failover.clock import Clock, SystemClock

LANE_WIDTH = 12
FRAMES_PER_SECOND = 8


class LiveDisplay:
    """Prints entries as they arrive. Clients send theirs from their own threads.

    `machine` is the machine's clock, by which the display moves on between two entries.
    """

    def __init__(self, console: Console, machine: Clock | None = None) -> None:
        self._console, self._machine = console, machine or SystemClock()
        self._live: RichLive | None = None
        self._frames = itertools.count()
        self._lock = threading.Lock()
        """Held while the progress changes, and while it is drawn by a thread of its own."""
        self._begin()

    def _begin(self) -> None:
        self._timeline, self._progress = Timeline(), DrillProgress()
        self._speed = 1.0
        """Twin seconds per machine second, by the last sample."""
        self._heard = (0.0, self._machine.monotonic_s())
        """The twin's time of the last entry, and the machine's."""

    def __enter__(self) -> Self:
        """Return itself, moving already: the first entry comes when two Regions are up."""
        self._resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Remove the progress."""
        self.pause()

    def pause(self) -> None:
        """Remove the progress until the next entry arrives."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def tell(self, entry: Entry) -> None:
        """Print an entry if it matters, and move the progress on."""
        if isinstance(entry, HeadEntry):
            self._begin()
            self._speed = entry.speed
            self._console.print(f"[bold]{entry.scenario}[/]: {entry.title}")
        with self._lock:
            self._progress.follow(entry)
            if isinstance(entry, SampleEntry) and entry.speed is not None:
                self._speed = entry.speed
            self._heard = (entry.at_s, self._machine.monotonic_s())
        for line in self._timeline.tell(entry):
            self._print(line.at_s, str(line.lane), line.text, urgent=line.urgent)
        if not isinstance(entry, EndEntry):
            self._resume()

    def _print(self, at_s: float, lane: str, text: str, *, urgent: bool) -> None:
        strike_s = self._progress.strike_s
        when = "" if strike_s is None else f"{at_s - strike_s:+7.1f} s"
        told = Text(f"{when:>9}  {lane:{LANE_WIDTH}}  ", style="dim")
        told.append(text, style="bold" if urgent else "none")
        self._console.print(told, soft_wrap=not self._console.is_terminal)

    def _resume(self) -> None:
        if self._live is None and self._console.is_terminal:
            self._live = RichLive(
                console=self._console,
                transient=True,
                refresh_per_second=FRAMES_PER_SECOND,
                get_renderable=self._shown,
            )
            self._live.start()

    def _shown(self) -> Group:
        with self._lock:
            at_s, heard_s = self._heard
            now_s = at_s + (self._machine.monotonic_s() - heard_s) * self._speed
            return Group(*self._progress.lines(now_s, next(self._frames)))
