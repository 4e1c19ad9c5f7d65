"""What a person answers for AWS, other stacks and settings, when a program is read alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from otherside.program.program_error import ProgramError

_PARTS = ("settings", "stacks", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswers:
    """GivenAnswers that go before every mock; what is in none of them is imagined."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings by their full names (`project:key`), as the engine passes them."""
    stacks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs of other stacks, by the name that the program refers to them with."""
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """GivenAnswers of data sources, by token (`aws:ec2/getVpc:getVpc`) and camelCase property."""


def read_answers(file: Path) -> GivenAnswers:
    """Return the answers in a YAML or JSON file.

    Raises:
        ProgramError: If it cannot be read or has another form; the message names file and place.
    """
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{file}: cannot be read: {error}"
        raise ProgramError(msg) from None
    parts = _table(raw if raw is not None else {}, f"{file}")
    unknown = sorted(set(parts) - set(_PARTS))
    if unknown:
        msg = f"{file}: {unknown[0]}: there is no such part; it has {', '.join(_PARTS)}"
        raise ProgramError(msg)
    tables = {part: _table(parts.get(part) or {}, f"{file}: {part}") for part in _PARTS}
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in tables["settings"].items()
    }
    inner = {
        part: {key: _table(value, f"{file}: {part}: {key}") for key, value in tables[part].items()}
        for part in ("stacks", "data")
    }
    return GivenAnswers(settings=texts, **inner)


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        msg = f"{where}: not a table of names and values"
        raise ProgramError(msg)
    return value
