"""Live output of a drill: a line per event that matters and, on a terminal, a status line."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live as RichLive
from rich.text import Text

from otherside.drill.entries import (
    EndEntry,
    Entry,
    HeadEntry,
    SampleEntry,
    StrikeEntry,
    TickEntry,
    WriteEntry,
)
from otherside.drill.measurements import ACKNOWLEDGED
from otherside.drill.timeline import Timeline

LANE_WIDTH = 12


class LiveDisplay:
    """Prints entries as they arrive. Clients send theirs from their own threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: RichLive | None = None
        self._begin()

    def _begin(self) -> None:
        self._story = Timeline()
        self._strike_s: float | None = None
        self._facts: dict[str, str] = {}
        self._accepted = self._refused = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Remove the status line."""
        self.pause()

    def pause(self) -> None:
        """Remove the status line until the next entry arrives."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def tell(self, entry: Entry) -> None:
        """Print an entry if it matters, and update the status line."""
        at_s = entry.at_s
        if isinstance(entry, HeadEntry):
            self._begin()
            self._console.print(f"[bold]{entry.scenario}[/]: {entry.title}")
        if isinstance(entry, StrikeEntry):
            self._strike_s = at_s
        for line in self._story.tell(entry):
            self._print(line.at_s, str(line.lane), line.text, urgent=line.urgent)
        self._count(entry)
        if self._console.is_terminal and not isinstance(entry, EndEntry):
            self._refresh(at_s)

    def _print(self, at_s: float, lane: str, text: str, *, urgent: bool) -> None:
        when = "" if self._strike_s is None else f"{at_s - self._strike_s:+7.1f} s"
        told = Text(f"{when:>9}  {lane:{LANE_WIDTH}}  ", style="dim")
        told.append(text, style="bold" if urgent else "none")
        self._console.print(told, soft_wrap=not self._console.is_terminal)

    def _count(self, entry: Entry) -> None:
        match entry:
            case WriteEntry() if entry.status in ACKNOWLEDGED:
                self._accepted += 1
            case WriteEntry():
                self._refused += 1
            case TickEntry():
                self._facts["orchestrator"] = entry.phase
            case SampleEntry():
                self._facts["users"] = f"on the {entry.serves}" if entry.serves else "nowhere"
                self._facts["writer"] = entry.writer or "nowhere"
            case _:
                pass

    def _refresh(self, at_s: float) -> None:
        if self._live is None:
            self._live = RichLive(console=self._console, transient=True, refresh_per_second=4)
            self._live.start()
        since = "" if self._strike_s is None else f"{at_s - self._strike_s:+.0f} s  "
        observation = "  ".join(f"{name} {text}" for name, text in self._facts.items())
        told = f"{since}{observation}  writes: {self._accepted} accepted, {self._refused} refused"
        self._live.update(Text(told, style="reverse"))
