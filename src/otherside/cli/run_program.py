"""Run a Pulumi program in this process, for the checker."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from otherside.check.readers.input_error import InputError
from otherside.config.problem import ConfigError
from otherside.program.answers import GivenAnswers, read_answers
from otherside.program.export import as_export
from otherside.program.monitor import SECRET as HIDDEN
from otherside.program.program_error import ProgramError
from otherside.program.project import declare_directory, explain_failure, read_project


def run_program(
    directory: Path, stack: str | None, answers: Path | None, others: Path
) -> Mapping[str, Any]:
    """Run a program and return what it declares and exports, in the format of a stack export.

    What `others`, a file of other programs' exports, says of a stack goes behind `answers`. What
    neither these nor a mock knows is imagined, and unknown to the rules.

    Raises:
        InputError: If it cannot be run; the message names the program's line that failed.
    """
    logging.disable(logging.WARNING)
    where = directory.resolve()
    try:
        given = read_answers(answers) if answers else GivenAnswers()
        known = replace(given, stacks={**read_answers(others).stacks, **given.stacks})
        declaration = declare_directory(where, stack_name=stack, answers=known)
        with read_project(where, stack).inside():  # what it names by a place is there from here
            exported = as_export(declaration)
    except (ProgramError, ConfigError) as error:
        raise InputError(str(directory), str(error)) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a user's program may raise anything
        place, text = explain_failure(error, where)
        raise InputError(str(directory), f"{place}: {text}" if place else text) from None
    finally:
        logging.disable(logging.NOTSET)
    exports = {key: value for key, value in declaration.exports.items() if HIDDEN not in str(value)}
    told = {
        "backends": _backends(where),
        "imagined": dict(declaration.imagined),
        "exports": exports,
        "stack_references": list(declaration.other_stacks),
    }
    return {**exported, **told}


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
