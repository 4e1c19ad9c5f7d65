"""Load the configuration: parse TOML into a validated `Topology`, or report every problem."""

import difflib
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from otherside.config.defaults import settle
from otherside.config.document import EXPECTED, ConfigDocument, DrillSection
from otherside.config.problem import ConfigError, Problem, shown
from otherside.config.validation import RULES
from otherside.core.topology import Topology

FILE_BYTES_MAX = 1_000_000
"""A configuration is a page of text; anything larger is the wrong file."""
APPLICATION_ENTRY = "app.py"


def read_config(path: Path | str) -> Topology:
    """Read and validate a configuration file.

    Raises:
        ConfigError: With every problem found: an unreadable file, invalid TOML, unknown keys,
            wrong values, broken rules across keys, missing files that it names.
    """
    file = Path(path)
    return parse_config(_text(file), file)


def read_workload(path: Path | str) -> DrillSection | None:
    """Return how a drill writes to the application of a valid configuration, if it says so."""
    return ConfigDocument.model_validate(tomllib.loads(_text(Path(path)))).drill


def parse_config(text: str, file: Path) -> Topology:
    """Parse and validate a configuration; `file` names it, and its paths are relative to that file.

    Raises:
        ConfigError: As `read_config`.
    """
    try:
        raw = tomllib.loads(text)
    except ValueError as error:  # TOML's, or Python's for a number of thousands of digits
        found = re.search(r"line (\d+)", str(error))
        problem = Problem(
            key="", value="", rule=f"is not TOML: {error}", line=int(found[1]) if found else None
        )
        raise ConfigError(file, [problem]) from None
    except RecursionError:
        rule = "is nested too deeply to be a configuration"
        raise ConfigError(file, [Problem(key="", value="", rule=rule)]) from None
    try:
        document, problems = _validate(raw)
    except RecursionError:
        rule = "is nested too deeply to be a configuration"
        raise ConfigError(file, [Problem(key="", value="", rule=rule)]) from None
    script, unreadable = _user_data(document, file.parent)
    problems += unreadable
    if document is not None:
        broken = {problem.key for problem in problems}
        for check, joined in RULES.items():
            if not any(_within(key, item) for key in broken for item in joined):
                problems += [p for p in check(document) if p.key not in broken]
        problems += _missing_files(document, file.parent)
    if problems or document is None:
        located = [replace(p, line=_line_of(text, p.key)) for p in problems]
        raise ConfigError(file, located)
    return settle(
        document,
        application=_application(document, file.parent),
        user_data=script,
    )


def _text(file: Path) -> str:
    try:
        size = file.stat().st_size
        if size > FILE_BYTES_MAX:
            rule = f"has {size:,} bytes; the limit is {FILE_BYTES_MAX:,}"
            raise ConfigError(file, [Problem(key="", value="", rule=rule)])
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        rule = f"is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}"
        raise ConfigError(file, [Problem(key="", value="", rule=rule)]) from None
    except OSError as error:
        rule = f"cannot be read: {error.strerror or error}"
        if isinstance(error, FileNotFoundError):
            rule += "; `otherside init DIR` creates one"
        raise ConfigError(file, [Problem(key="", value="", rule=rule)]) from None


def _validate(raw: dict[str, Any]) -> tuple[ConfigDocument | None, list[Problem]]:
    """Return the document and the problems of individual keys.

    If there are problems, the broken keys fall back to their defaults, so that rules across the
    other keys are still checked.
    """
    try:
        return ConfigDocument.model_validate(raw), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    pruned = deepcopy(raw)
    for detail in details:
        _prune(pruned, detail["loc"])
    try:
        return ConfigDocument.model_validate(pruned), [_problem(detail) for detail in details]
    except ValidationError:
        return None, [_problem(detail) for detail in details]


def _prune(tree: dict[str, Any], location: tuple[int | str, ...]) -> None:
    """Remove the value at a location or, where it is missing, the table that lacks it."""
    path = [part for part in location if isinstance(part, str)]
    parents = [tree]
    for part in path[:-1]:
        inner = parents[-1].get(part)
        if not isinstance(inner, dict):
            break
        parents.append(inner)
    depth = len(parents) - 1
    if path[depth] not in parents[depth] and depth > 0:
        depth -= 1
    parents[depth].pop(path[depth], None)
    tree.setdefault("name", "placeholder")


def _problem(detail: ErrorDetails) -> Problem:
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path)
    match detail["type"]:
        case "extra_forbidden":
            return Problem(key=key, value="", rule=f"is not a valid key{_did_you_mean(path)}")
        case "missing":
            return Problem(key=key, value="", rule="is required")
        case "string_pattern_mismatch":
            rule = EXPECTED[detail["ctx"]["pattern"]]
        case _:
            message = detail["msg"].removeprefix("Input should be ")
            rule = f"must be {message}" if message != detail["msg"] else message
    return Problem(key=key, value=shown(detail["input"]), rule=rule)


def _did_you_mean(path: list[str]) -> str:
    *tables, name = path
    known = _keys_of(tables)
    near = difflib.get_close_matches(name, known, 1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known keys: {', '.join(known)}" if known else ""


def _keys_of(tables: list[str]) -> list[str]:
    model: type[BaseModel] = ConfigDocument
    for table in tables:
        annotation = model.model_fields[table].annotation
        options = getattr(annotation, "__args__", (annotation,))
        models = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        if not models:
            return []
        model = models[0]
    return list(model.model_fields)


def _within(key: str, table: str) -> bool:
    """Return whether a key is a table, lies inside it, or encloses it."""
    return key == table or key.startswith(f"{table}.") or table.startswith(f"{key}.")


def _missing_files(document: ConfigDocument, directory: Path) -> Iterator[Problem]:
    compute = document.compute
    if compute.application is not None:
        entry = directory / compute.application / APPLICATION_ENTRY
        if not entry.is_file():
            rule = f"must be a directory that contains {APPLICATION_ENTRY}; {entry} is missing"
            yield Problem(key="compute.application", value=shown(compute.application), rule=rule)


def _application(document: ConfigDocument, directory: Path) -> str:
    if document.compute.application is not None:
        return str((directory / document.compute.application).resolve())
    return str(files("otherside") / "agent")


def _user_data(
    document: ConfigDocument | None, directory: Path
) -> tuple[str | None, list[Problem]]:
    """Return the script that the configuration names, or why it cannot be read."""
    name = document.compute.user_data if document else None
    if name is None:
        return None, []
    try:
        return (directory / name).read_text(encoding="utf-8"), []
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        rule = f"cannot be read from {directory}: {why}"
        return None, [Problem(key="compute.user_data", value=shown(name), rule=rule)]


def _line_of(text: str, key: str) -> int | None:
    """Return the line that sets a key, or the line of the nearest enclosing table.

    This scans instead of parsing: it finds `key =` under `[table]` and dotted keys, the way people
    write configurations, and gives up rather than guess at anything else.
    """
    wanted = key.split(".")
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        header = re.match(r"\s*\[\s*([\w.\-\"' ]+?)\s*\]", line)
        entry = re.match(r"\s*([\w.\-\"' ]+?)\s*=", line)
        if header:
            table = _parts(header[1])
            path = table
        elif entry:
            path = table + _parts(entry[1])
        else:
            continue
        shared = len(path) if path == wanted[: len(path)] else 0
        if shared and (best is None or shared > best[0]):
            best = (shared, number)
    return best[1] if best else None


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
