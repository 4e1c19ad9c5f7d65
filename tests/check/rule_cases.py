"""The cases of a rule: prose, graphs as TOML and expected findings, in one Markdown file."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

RULES = Path(__file__).parent / "rules"
PAIR = (Path(__file__).parent / "stack_under_test.toml").read_text(encoding="utf-8")
_CASE = re.compile(r"^## (Flagged|Fine): (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^```(\w+(?: alone)?)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NOT_IN = re.compile(r"^Not in (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One graph, and what a rule finds in it."""

    rule: str
    title: str
    flagged: bool
    table: dict
    findings: list
    not_in: dict
    """Dialects that it cannot be written in, or shows nothing in, and why."""


def cases():
    """Return every case of every rule."""
    return [item for file in sorted(RULES.glob("*.md")) for item in _read(file)]


def _read(file):
    for kind, title, body in _CASE.findall(file.read_text(encoding="utf-8")):
        fences = dict(_FENCE.findall(body))
        listed = [line for line in fences.get("findings", "").splitlines() if line]
        reasons = _NOT_IN.search(body)
        pairs = [part.split(": ", 1) for part in reasons[1].split("; ")] if reasons else []
        yield Case(
            rule=file.stem,
            title=title,
            flagged=kind == "Flagged",
            table=tomllib.loads(fences.get("toml alone") or f"{PAIR}\n{fences['toml']}"),
            findings=[tuple(line.split(": ", 1)) for line in listed],
            not_in=dict(pairs),
        )
