"""Check settings: `[check]` in otherside.toml, or `[tool.otherside.check]` in pyproject.toml."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from otherside.check.engine import Suppression
from otherside.check.model.arn import is_region
from otherside.check.readers.input_error import InputError
from otherside.check.rule import Severity

FILES = ("otherside.toml", "pyproject.toml")
_SEVERITIES = tuple(severity.value for severity in Severity)
_LISTS = ("select", "ignore", "exclude")
_TABLES = ("severity", "regions", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """Check settings from a file; an unknown name is an error."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Patterns of files and directories that are left out, by path or name."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    fail_on: str = "medium"
    single_region_ok: bool = False
    one_system: bool = False
    """Take everything as one system, however it is laid out."""
    run_programs: bool = False
    """Run the Pulumi programs that are named; takes effect only in a file given with `--config`."""
    regions: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    variable_files: tuple[Path, ...] = ()
    """Given on the command line alone."""
    baseline: str = ""
    suppress: tuple[Suppression, ...] = ()
    file: str = ""
    """Where they stand; empty for none."""


def find_settings(directory: Path) -> Path | None:
    """Return the nearest file with check settings, here or in a parent directory, or `None`."""
    for place in (directory, *directory.parents):
        for name in FILES:
            file = place / name
            if file.is_file() and _table(file) is not None:
                return file
        if (place / ".git").exists():
            return None
    return None


def read_settings(file: Path) -> ProjectSettings:
    """Return the check settings in a file.

    Raises:
        InputError: If the file is not TOML, or has an unknown or invalid setting.
    """
    table = _table(file)
    return _settings(table or {}, str(file))


def _table(file: Path) -> Mapping[str, Any] | None:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(file), error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(str(file), f"no TOML: {str(error) or 'nested too deeply'}") from None
    steps = ("tool", "otherside", "check") if file.name == "pyproject.toml" else ("check",)
    found: Any = document
    for step in steps:
        found = found.get(step)
        if found is None:
            return None
        if not isinstance(found, Mapping):
            raise InputError(str(file), f"{step} is no table")
    table: Mapping[str, Any] = found
    return table


def _settings(table: Mapping[str, Any], file: str) -> ProjectSettings:
    given = {key.replace("-", "_"): value for key, value in table.items()}
    _refuse_unknown(given, file)
    for key in _LISTS:
        given[key] = tuple(_strings(given.get(key, []), key, file))
    for key in _TABLES:
        found = given.get(key, {})
        if not isinstance(found, Mapping):
            raise InputError(file, f"check.{key} is no table")
        given[key] = {str(name): str(value) for name, value in found.items()}
    given["severity"] = {
        code: Severity(_one_of(value, _SEVERITIES, f"severity.{code}", file))
        for code, value in given["severity"].items()
    }
    if "fail_on" in given:
        _one_of(given["fail_on"], (*_SEVERITIES, "never"), "fail_on", file)
    for key in ("single_region_ok", "one_system", "run_programs"):
        if not isinstance(given.get(key, False), bool):
            raise InputError(file, f"check.{key} is true or false")
    if not isinstance(given.get("baseline", ""), str):
        raise InputError(file, "check.baseline is the name of a file")
    _check_regions(given["regions"], file)
    given["suppress"] = _suppressions(given.get("suppress", []), file)
    return ProjectSettings(**given, file=file)


def _refuse_unknown(given: Mapping[str, Any], file: str) -> None:
    """Refuse settings that there are not, all of them at once."""
    known = sorted({field.name for field in fields(ProjectSettings)} - {"file", "variable_files"})
    told = []
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            told.append(f"no setting {key}" + (f" (did you mean {near[0]}?)" if near else ""))
    if told:
        raise InputError(file, f"check has {'; '.join(told)}. It has {', '.join(known)}")


def _check_regions(regions: Mapping[str, str], file: str) -> None:
    for name, region in regions.items():
        if not is_region(region):
            raise InputError(file, f"check.regions.{name} is {region!r}, which is no Region")


def _suppressions(listed: object, file: str) -> tuple[Suppression, ...]:
    if not isinstance(listed, list):
        raise InputError(file, "check.suppress is a list of tables: write [[check.suppress]]")
    return tuple(_suppression(item, file) for item in listed)


def _strings(value: object, key: str, file: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InputError(file, f"check.{key} is a list of rules")
    return value


def _one_of(value: object, allowed: tuple[str, ...], key: str, file: str) -> str:
    if value not in allowed:
        raise InputError(file, f"check.{key} is {value!r}; it is one of {', '.join(allowed)}")
    return str(value)


def _suppression(element: object, file: str) -> Suppression:
    if not isinstance(element, Mapping) or set(element) - {"rule", "resource", "reason"}:
        raise InputError(file, "an entry of check.suppress has rule, resource and reason")
    for key in ("rule", "resource", "reason"):
        if not isinstance(element.get(key), str) or not element[key].strip():
            raise InputError(file, f"an entry of check.suppress has no {key}; each needs one")
    return Suppression(code=element["rule"], resource=element["resource"], reason=element["reason"])
