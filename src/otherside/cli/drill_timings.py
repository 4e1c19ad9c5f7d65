"""Where the seconds of a drill go, by this machine's clock and by the twin's."""

from collections.abc import Iterator

from rich.table import Table

from otherside.drill.entries import EndEntry, Entry, HeadEntry, StageEntry, StrikeEntry
from otherside.failover.clock import Clock, SystemClock

_STAGES = {"deployed": "deploy the stack", "steady": "become steady", "unsteady": "become steady"}


class DrillTimings:
    """The parts of a drill, as it tells of them."""

    def __init__(self, machine: Clock | None = None) -> None:
        """Start the clock of the first part."""
        self._machine = machine or SystemClock()
        self._began_s = self._machine.monotonic_s()
        self._twin_s: float | None = None
        self.parts: list[tuple[str, float, float | None]] = []
        """What was done, machine seconds, and twin seconds where the twin was up."""

    def follow(self, entry: Entry) -> None:
        """End a part if an entry is its end."""
        name = _ended_by(entry)
        if name is None:
            return
        now_s = self._machine.monotonic_s()
        twin_s = None if self._twin_s is None else entry.at_s - self._twin_s
        self.parts.append((name, now_s - self._began_s, twin_s))
        self._began_s, self._twin_s = now_s, entry.at_s
        if isinstance(entry, EndEntry):
            self._twin_s = None  # the next twin has a time of its own

    def end(self) -> None:
        """End the last part: the report is written and the twin has ended."""
        now_s = self._machine.monotonic_s()
        self.parts.append(("report, and stop the twin", now_s - self._began_s, None))

    def table(self) -> Table:
        """Return the parts as a table."""
        table = Table(title="where the seconds went", title_justify="left", box=None)
        table.add_column("part")
        table.add_column("machine", justify="right")
        table.add_column("twin", justify="right")
        for row in self._rows():
            table.add_row(*row)
        return table

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        for name, real_s, twin_s in self.parts:
            yield name, f"{real_s:.1f} s", "" if twin_s is None else f"{twin_s:.0f} s"
        yield "all", f"{sum(real_s for _, real_s, _ in self.parts):.1f} s", ""


def _ended_by(entry: Entry) -> str | None:
    """Return the part that an entry ends, if any."""
    match entry:
        case HeadEntry():
            return "start the twin"
        case StageEntry():
            return _STAGES.get(entry.state)
        case StrikeEntry():
            return "start the clients"
        case EndEntry():
            return "from the strike to the end"
        case _:
            return None
