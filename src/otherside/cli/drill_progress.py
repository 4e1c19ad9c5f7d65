"""How far a drill is: its stage, the recovery part by part, and the time left of the objective."""

from dataclasses import dataclass, field

from rich.text import Text

from otherside.drill.entries import (
    EndEntry,
    Entry,
    HeadEntry,
    SampleEntry,
    StageEntry,
    StrikeEntry,
    TickEntry,
    WriteEntry,
)
from otherside.drill.measurements import ACKNOWLEDGED, INTERRUPTED_S
from otherside.drill.recovery_split import PARTS, part_of
from otherside.failover.decision.state import Phase

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
BAR = 20
"""Cells of the bar that shows how much of the objective has been used."""
_WAITS = {
    "up": "deploying the stack",
    "deployed": "waiting for the steady state",
    "steady": "warming the clients up",
}


@dataclass(slots=True)
class DrillProgress:
    """Follows the entries of one drill."""

    waits_for: str = "starting two Regions"
    strike_s: float | None = None
    objective_s: float | None = None
    """How long writes may be away."""
    accepted: int = 0
    refused: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    """When each part of the recovery began, in twin seconds."""
    _done: bool = False
    """Whether one Region alone serves everyone."""
    _written_s: float | None = None
    """When a write was last accepted."""
    _away_s: float | None = None
    """Since when no write has been accepted, while that is an outage."""
    _outage_s: float | None = None
    """How long the last outage was, once it is over."""

    def follow(self, entry: Entry) -> None:
        """Take an entry in."""
        match entry:
            case HeadEntry():
                self.objective_s, self.waits_for = entry.rto_s, "waiting for the steady state"
            case StageEntry():
                self.waits_for = _WAITS.get(entry.state, "ending")
            case StrikeEntry():
                self.strike_s = entry.at_s
            case TickEntry():
                self._on_tick(entry)
            case SampleEntry():
                self.facts["users"] = f"on the {entry.serves}" if entry.serves else "nowhere"
                self.facts["writer"] = entry.writer or "nowhere"
            case WriteEntry():
                self._on_write(entry)
            case EndEntry():
                self.waits_for = "undoing the faults"
            case _:  # the others move nothing forward
                return

    def _on_tick(self, entry: TickEntry) -> None:
        self.facts["orchestrator"] = entry.phase
        part = part_of(entry.phase)
        if entry.phase == Phase.STEADY and self._away_s is None:
            self._began.clear()  # a suspicion that came to nothing
        elif self.strike_s is not None and part is not None and part not in self._began:
            self._began[part] = entry.at_s
        self._done = entry.phase == Phase.FAILED_OVER

    def _on_write(self, entry: WriteEntry) -> None:
        if entry.status in ACKNOWLEDGED:
            self.accepted += 1
            if self._away_s is not None:
                self._outage_s, self._away_s = entry.at_s - self._away_s, None
                if set(self._began) == {PARTS[0]}:
                    self._began.clear()  # over before anybody suspected anything
            self._written_s = entry.at_s
            return
        self.refused += 1
        since_s = self._written_s
        if None in {self.strike_s, since_s} or self._away_s is not None or since_s is None:
            return
        if entry.at_s - since_s > INTERRUPTED_S:
            self._away_s = since_s
            self._began.setdefault("detect", since_s)

    def lines(self, at_s: float, frame: int) -> list[Text]:
        """Return what to show at a moment, in twin seconds; `frame` turns the spinner."""
        moves = f"{SPINNER[frame % len(SPINNER)]} "
        if self.strike_s is None:
            return [Text(f"{moves}{self.waits_for}", style="bold")]
        told = [self._countdown(at_s, moves)]
        if self._began:
            told.append(self._recovery(at_s))
        where = "  ".join(f"{name} {text}" for name, text in self.facts.items())
        told.append(Text(f"  {where}  writes {self.accepted} accepted, {self.refused} refused"))
        return told

    def _countdown(self, at_s: float, moves: str) -> Text:
        """Return the time since the strike, and what is left of the objective while writes fail."""
        assert self.strike_s is not None, "asked before the strike"
        told = Text(f"{moves}{at_s - self.strike_s:+.0f} s  ", style="bold")
        if self._away_s is None:
            if self._outage_s is not None:
                told.append(f"writes are back after {self._outage_s:.0f} s", style="green")
            else:
                told.append("users write", style="green")
            return told
        gone_s, most_s = at_s - self._away_s, self.objective_s or 0.0
        used = min(BAR, int(BAR * gone_s / most_s)) if most_s else BAR
        left_s = most_s - gone_s
        style = "yellow" if left_s >= 0 else "red"
        told.append(f"{'█' * used}{'░' * (BAR - used)} ", style=style)
        told.append(f"no writes for {gone_s:.0f} s, ", style=style)
        left = f"{left_s:.0f} s left" if left_s >= 0 else f"{-left_s:.0f} s over"
        told.append(f"{left} of {most_s:.0f} s", style=style)
        return told

    def _recovery(self, at_s: float) -> Text:
        """Return the parts of the recovery: what is done, what is under way, what is to come."""
        told = Text("  ")
        begun = sorted(self._began.items(), key=lambda part: PARTS.index(part[0]))
        ended_s = [*(began_s for _, began_s in begun[1:]), at_s]
        for place, ((name, began_s), to_s) in enumerate(zip(begun, ended_s, strict=True)):
            last = place == len(begun) - 1
            took = name if last and self._done else f"{name} {max(0.0, to_s - began_s):.0f} s"
            told.append(took, style="bold yellow" if last and not self._done else "green")
            told.append(" → ", style="dim")
        after = () if self._done else PARTS[PARTS.index(begun[-1][0]) + 1 :]
        to_come = [name for name in after if name != "decide"]  # most need nobody's approval
        told.append(" → ".join([*to_come, "recovered"]), style="green" if self._done else "dim")
        return told
