"""Problems of a configuration, worded so that its author can fix them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One value and the rule that it breaks."""

    key: str
    """Dotted path in the document: `database.instance_class`. Empty for the document itself."""
    value: str
    """The value as the author wrote it, or an empty string when there is none to show."""
    rule: str
    """The rule, as a sentence without a full stop."""
    line: int | None = None
    """Line number in the file, counted from 1, if it could be found."""

    def __str__(self) -> str:
        """Return `key = value: rule`."""
        subject = f"{self.key} = {self.value}" if self.value else self.key
        return f"{subject}: {self.rule}" if subject else self.rule


LARGEST = 10**60
SHOWN_MAX = 80
"""Maximum characters of a value that an error shows."""


def shown(value: object) -> str:
    """Return a value in TOML syntax, shortened; an empty text for `None`, a table or an array."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return "a very large number"
    quoted = str(value)
    if isinstance(value, bool | str):
        quoted = json.dumps(value, ensure_ascii=False)  # escapes control characters
    return quoted if len(quoted) <= SHOWN_MAX else quoted[: SHOWN_MAX - 1] + "…"


class ConfigError(Exception):
    """A configuration that cannot be used; carries every problem, not only the first."""

    def __init__(self, file: Path, problems: Sequence[Problem]) -> None:
        """Store the file and its problems, sorted by line."""
        super().__init__(file, problems)
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda p: (p.line or 0, p.key)))

    def __str__(self) -> str:
        """Return one line per problem: `otherside.toml:12: key = value: rule`."""
        return "\n".join(
            f"{self.file}{f':{problem.line}' if problem.line else ''}: {problem}"
            for problem in self.problems
        )
