"""Reads a Pulumi project from disk and declares it: program, stack and settings."""

import ast
import contextlib
import importlib
import json
import os
import runpy
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from otherside.program.answers import GivenAnswers
from otherside.program.monitor import (
    SECRET,
    Declaration,
    Transform,
    declare,
    without_collection,
)
from otherside.program.program_error import ProgramError

__all__ = ["ProgramError", "Project", "declare_directory", "explain_failure", "read_project"]


def declare_directory(
    directory: Path,
    *,
    stack_name: str | None = None,
    transform: Transform = lambda resource: resource,
    answers: GivenAnswers | None = None,
) -> Declaration:
    """Run the Pulumi project in a directory, with the settings that `pulumi up` would give it.

    The program sees a deployment (`is_dry_run` is false), so that every output resolves. Reads
    `Pulumi.yaml`, and `Pulumi.<stack>.yaml` if a stack is named or only one exists. For `answers`,
    see `declare`.

    Raises:
        ProgramError: As `declare`, and if the directory holds no Python project.
        Exception: Any error that the program itself raises.
    """
    found = read_project(directory, stack_name)
    return declare(
        found.run,
        project=found.name,
        stack_name=found.stack,
        config=found.config,
        transform=transform,
        answers=answers,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Pulumi project on disk, with one of its stacks."""

    name: str
    stack: str
    config: Mapping[str, str]
    main: Path
    packages: Path | None = None
    """The packages of its own virtual environment, if it names one that this Python can use."""

    def load(self) -> None:
        """Preload the Pulumi and otherside modules that the program imports, and none of its own.

        These imports take most of the time until its first resource. Errors are ignored here; the
        program raises them when it runs.
        """
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            tree = ast.parse(self.main.read_bytes())
            with without_collection():
                for name in _libraries(tree):
                    with contextlib.suppress(Exception):
                        importlib.import_module(name)

    def run(self) -> None:
        """Run the program in its own directory."""
        with self.inside():
            _run(self.main)

    def inside(self) -> contextlib.AbstractContextManager[None]:
        """Return a block in which the program's directory is current and importable."""
        return _inside(self.main.parent, self.packages)


def read_project(directory: Path, stack_name: str | None = None) -> Project:
    """Return the Pulumi project in a directory.

    Raises:
        ProgramError: If the directory holds no Python project, or no such stack.
    """
    name, main, stack, config = _project(directory, stack_name)
    packages = _packages(directory)
    return Project(name=name, stack=stack, config=config, main=main.resolve(), packages=packages)


def _packages(directory: Path) -> Path | None:
    """Return the packages of the virtual environment that `runtime.options` names, as Pulumi does.

    Those of another Python version would not load, so they count as not there.
    """
    runtime = _yaml(directory / "Pulumi.yaml").get("runtime")
    options = runtime.get("options") if isinstance(runtime, dict) else None
    named = options.get("virtualenv") if isinstance(options, dict) else None
    if not isinstance(named, str):
        return None
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = (directory / named / "lib" / version / "site-packages").resolve()
    return found if found.is_dir() else None


def _libraries(tree: ast.Module) -> Iterator[str]:
    """Yield the Pulumi, pulumi_aws and otherside modules that a program imports at top level."""
    for item in tree.body:
        match item:
            case ast.Import(names=names):
                found = [each.name for each in names]
            case ast.ImportFrom(module=str(module), level=0):
                found = [module]
            case _:
                found = []
        for name in found:
            if name.partition(".")[0] in {"pulumi", "pulumi_aws", "otherside"}:
                yield name


def _run(main: Path) -> None:
    """Run a program's main file; an exit without an error is a normal end.

    Raises:
        ProgramError: If it exits with an error.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the program's output is not part of ours
            runpy.run_path(str(main), run_name="__main__")
    except SystemExit as exit_:
        if exit_.code not in {0, None}:
            msg = f"{main}: the program exited with {exit_.code}"
            raise ProgramError(msg) from None


def _project(directory: Path, stack_name: str | None) -> tuple[str, Path, str, dict[str, str]]:
    definition = directory / "Pulumi.yaml"
    project = _yaml(definition)
    runtime = project.get("runtime")
    runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
    if runtime != "python":
        msg = f"{definition}: runtime is {runtime!r}; only Python programs can be declared here"
        raise ProgramError(msg)
    main = directory / str(project.get("main") or ".")
    main = main if main.is_file() else main / "__main__.py"
    if not main.is_file():
        msg = f"{main}: the program of {definition} is missing"
        raise ProgramError(msg)
    stacks = sorted(directory.glob("Pulumi.*.yaml"))
    names = [stack.name.removeprefix("Pulumi.").removesuffix(".yaml") for stack in stacks]
    if stack_name is None and len(names) > 1:
        msg = f"{directory} has several stacks; name one with --stack: {', '.join(names)}"
        raise ProgramError(msg)
    if stack_name is not None and stack_name not in names:
        msg = f"{directory} has no stack {stack_name}; it has {', '.join(names) or 'none'}"
        raise ProgramError(msg)
    stack_name = stack_name or (names[0] if names else None)
    name = str(project.get("name", directory.name))
    config = _config(name, project.get("config"), definition)
    chosen = directory / f"Pulumi.{stack_name}.yaml"
    if stack_name is not None:
        config |= _config(name, _yaml(chosen).get("config"), chosen)
    return name, main, stack_name or "preview", config


def _yaml(file: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{file}: no such file; name a directory with a Pulumi project in it"
        raise ProgramError(msg) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{file}: cannot be read: {error}"
        raise ProgramError(msg) from None
    if not isinstance(loaded, dict):
        msg = f"{file}: not a table of settings"
        raise ProgramError(msg)
    return loaded


def _config(project: str, raw: object, file: Path) -> dict[str, str]:
    """Return settings as the engine passes them: full names, and JSON for all but strings."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        msg = f"{file}: config is not a table of settings"
        raise ProgramError(msg)
    return dict(_settings(project, raw))


def _settings(project: str, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in raw.items():
        name = key if ":" in str(key) else f"{project}:{key}"
        if isinstance(value, dict) and "secure" in value:
            yield name, SECRET
        elif isinstance(value, dict) and set(value) & {"value", "default"}:
            yield name, _text(value.get("value", value.get("default")))
        else:
            yield name, _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def explain_failure(error: BaseException, directory: Path) -> tuple[str, str]:
    """Return where a program failed, as `FILE:LINE` below its directory or empty, and what failed.

    The place is the last line of the program's own code, not one of a library that it installed.
    """
    if isinstance(error, SyntaxError):
        file = Path(error.filename or "")
        place = f"{file.relative_to(directory) if file.is_relative_to(directory) else file}"
        return f"{place}:{error.lineno}", f"the program is not valid Python: {error.msg}"
    own = [
        (Path(frame.filename).relative_to(directory), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(directory) and "site-packages" not in frame.filename
    ]
    if isinstance(error, ModuleNotFoundError) and error.name:
        text = (
            f"the program imports {error.name}, which is not installed here: install what it "
            "requires into the environment of otherside, or into the virtualenv of Pulumi.yaml"
        )
    else:
        text = f"the program raised {type(error).__name__}: {error}"
    return (f"{own[-1][0]}:{own[-1][1]}" if own else ""), text


@contextlib.contextmanager
def _inside(directory: Path, packages: Path | None = None) -> Iterator[None]:
    """Make a program's directory current and importable for the duration of a block.

    Its own packages come last: Pulumi's have to be those that answer it here.
    """
    before, path, modules = Path.cwd(), list(sys.path), set(sys.modules)
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    sys.path += [str(packages)] if packages else []
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            origin = getattr(sys.modules[name], "__file__", None) or ""
            if Path(origin).is_relative_to(directory):
                del sys.modules[name]
