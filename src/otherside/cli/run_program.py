"""Run a Pulumi program in this process, for the checker."""

import logging
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from otherside.check.readers.input_error import InputError
from otherside.config.problem import ConfigError
from otherside.program.export import as_export
from otherside.program.monitor import ProgramError
from otherside.program.project import declare_directory


def run_program(directory: Path, stack: str | None) -> Mapping[str, Any]:
    """Run a program and return what it declares, in the format of a stack export.

    Raises:
        InputError: If it cannot be run; the message names the program's line that failed.
    """
    logging.disable(logging.WARNING)
    where = directory.resolve()
    try:
        declaration = declare_directory(where, stack_name=stack)
    except (ProgramError, ConfigError) as error:
        raise InputError(str(directory), str(error)) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a user's program may raise anything
        raise InputError(str(directory), _explained(error, where)) from None
    finally:
        logging.disable(logging.NOTSET)
    return {**as_export(declaration), "backends": _backends(where)}


def _explained(error: BaseException, directory: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(directory)]
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}: " if own else ""
    return f"{place}the program raised {type(error).__name__}: {error}"


def _backends(directory: Path) -> list[dict[str, str]]:
    """Return the state backend and secrets provider named in a project's files."""
    found = []
    for file in sorted(directory.glob("Pulumi*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        backend = document.get("backend") or {}
        if isinstance(backend, Mapping) and backend.get("url"):
            found.append({"what": "state backend", "text": str(backend["url"])})
        if document.get("secretsprovider"):
            found.append({"what": "secrets provider", "text": str(document["secretsprovider"])})
    return found
