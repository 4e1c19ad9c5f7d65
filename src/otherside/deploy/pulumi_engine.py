"""Pulumi's engine, driven through its Automation API.

The program runs in this process, as `preview` runs it; the engine is the `pulumi` command.
https://www.pulumi.com/docs/iac/automation-api/
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation

from otherside.deploy.planned_step import PlannedStep
from otherside.program.project import Project, read_project

Tell = Callable[[str], None]
"""Takes a line of the engine's progress."""
PROVIDER = "pulumi:providers:aws"
TOLD_MAX = 4
"""How many of the engine's errors are repeated."""
MISSING = (
    "Pulumi's command is not on the PATH: install it as https://www.pulumi.com/docs/install/ says; "
    "`otherside preview` and `otherside twin up` need none"
)


class EngineError(Exception):
    """The engine is missing, refused, or failed; the message says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the engine would do."""

    steps: tuple[PlannedStep, ...]
    counts: Mapping[str, int]
    """How many resources by operation."""

    @property
    def changes(self) -> Mapping[str, int]:
        """The operations that change something."""
        return {name: count for name, count in self.counts.items() if name != "same" and count}


@dataclass(slots=True)
class PulumiEngine:
    """One stack of one project, in the hands of Pulumi's engine."""

    project: Project
    directory: Path
    workspace: automation.LocalWorkspace
    creates: bool
    """Whether a stack that is not there is created when it is first needed."""
    _stack: automation.Stack | None = None

    @classmethod
    def open(cls, directory: Path, stack_name: str | None, *, create: bool) -> "PulumiEngine":
        """Return the engine for a stack; nothing is asked of it yet.

        Raises:
            ProgramError: If the directory holds no Python project, or no such stack's file.
            EngineError: If Pulumi's command is missing, or no stack has a file.
        """
        project = read_project(directory, stack_name)
        directory = directory.resolve()  # the program's own becomes current while it runs
        if shutil.which("pulumi") is None:
            raise EngineError(MISSING)
        file = _stack_file(directory, project)
        if not file.exists():
            msg = f"{directory} has no stack: `pulumi stack init NAME` there makes one and its file"
            raise EngineError(msg)
        with _explained():
            workspace = automation.LocalWorkspace(
                work_dir=str(directory),
                program=project.run,
                secrets_provider=_provider_in(file) or None,
            )
        return cls(project, directory, workspace, create)

    @property
    def stack(self) -> automation.Stack:
        """The stack, selected or created when it is first needed."""
        if self._stack is None:
            choose = automation.Stack.create_or_select if self.creates else automation.Stack.select
            with _explained():
                self._stack = choose(self.project.stack, self.workspace)
        return self._stack

    def backend(self) -> str:
        """Return the URL of the backend that holds the state."""
        with _explained():
            return self.workspace.who_am_i().url or ""

    def secrets_provider(self) -> str:
        """Return the stack's own secrets provider; empty for the backend's."""
        return _provider_in(_stack_file(self.directory, self.project))

    def plan(self) -> Plan:
        """Return what an update would do, without doing it."""
        return self._planned(lambda on_event: self.stack.preview(on_event=on_event).change_summary)

    def protected(self) -> list[str]:
        """Return the names of the resources that Pulumi refuses to delete."""
        with _explained():
            held = self.stack.export_stack().deployment or {}
        resources = [item for item in held.get("resources", ()) if item.get("protect")]
        return sorted(str(item["urn"]).rpartition("::")[2] for item in resources)

    def plan_destruction(self) -> Plan:
        """Return what a destruction would do, without doing it."""

        def preview(on_event: Callable[[automation.EngineEvent], None]) -> Mapping[Any, int]:
            return self.stack.preview_destroy(on_event=on_event).change_summary

        return self._planned(preview)

    def _planned(
        self, preview: Callable[[Callable[[automation.EngineEvent], None]], Mapping[Any, int]]
    ) -> Plan:
        events: list[automation.EngineEvent] = []
        with self._running():
            counts = preview(events.append)
        return Plan(steps=tuple(_steps(events)), counts=_by_name(counts))

    def update(self, tell: Tell) -> Mapping[str, int]:
        """Deploy; return how many resources by operation."""
        with self._running():
            return _counts(self.stack.up(on_output=tell, show_secrets=False).summary)

    def refresh(self, tell: Tell) -> Mapping[str, int]:
        """Adopt into the state what AWS has; return how many resources by operation."""
        with self._running():
            return _counts(self.stack.refresh(on_output=tell, show_secrets=False).summary)

    def destroy(self, tell: Tell) -> Mapping[str, int]:
        """Delete everything; return how many resources by operation."""
        with self._running():
            return _counts(self.stack.destroy(on_output=tell, show_secrets=False).summary)

    def outputs(self, *, secrets: bool) -> dict[str, Any]:
        """Return the stack's outputs; secrets in them, however deep, only if `secrets` asks."""
        arguments = ["stack", "output", "--json", "--stack", self.stack.name]
        arguments += ["--show-secrets"] if secrets else []
        command, home = self.workspace.pulumi_command, self.workspace.pulumi_home
        environment = {**({"PULUMI_HOME": home} if home else {}), **(self.workspace.env_vars or {})}
        with _explained():
            told = command.run(arguments, str(self.directory), environment, None, None)
        found: dict[str, Any] = json.loads(told.stdout or "{}")
        return dict(sorted(found.items()))

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Stay in the program's directory for as long as its outputs are worked on.

        What it prints, in a callback too, is no part of our answer.
        """
        with _explained(), self.project.inside(), redirect_stdout(sys.stderr):
            yield


def _stack_file(directory: Path, project: Project) -> Path:
    return directory / f"Pulumi.{project.stack}.yaml"


def _provider_in(file: Path) -> str:
    """Return the secrets provider that a stack's file names, or nothing."""
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return ""
    return str(settings.get("secretsprovider") or "")


def _counts(summary: automation.UpdateSummary) -> dict[str, int]:
    return _by_name(summary.resource_changes or {})


def _by_name(counts: Mapping[Any, int]) -> dict[str, int]:
    """Return counts by the engine's word for an operation, which the SDK wraps or not."""
    return {str(getattr(name, "value", name)): count for name, count in counts.items()}


def _steps(events: list[automation.EngineEvent]) -> Iterator[PlannedStep]:
    """Return the steps that the engine announced; providers say which Region is meant."""
    announced = [event.resource_pre_event.metadata for event in events if event.resource_pre_event]
    regions: dict[str, str] = {}
    for step in announced:
        state = step.new or step.old
        if step.type == PROVIDER and state is not None:
            regions[step.urn] = str((state.inputs or {}).get("region", ""))
    for step in announced:
        old, new = _inputs(step.old), _inputs(step.new)
        own = (new or old).get("region")  # the provider's version 7 has it on most resources
        region = own if isinstance(own, str) else regions.get(step.provider.rpartition("::")[0], "")
        yield PlannedStep(
            operation=step.op.value,
            urn=step.urn,
            type=step.type,
            region=region,
            old=old,
            new=new,
        )


def _inputs(state: automation.StepEventStateMetadata | None) -> dict[str, Any]:
    return dict(state.inputs or {}) if state is not None else {}


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what Pulumi's command says into one error.

    Raises:
        EngineError: If it fails.
    """
    try:
        yield
    except automation.errors.CommandError as error:
        raise EngineError(_last_words(str(error))) from error
    except automation.InvalidVersionError as error:
        msg = f"Pulumi's command is too old: {error}"
        raise EngineError(msg) from None


def _last_words(text: str) -> str:
    """Return what Pulumi said went wrong, without the frame that the SDK puts around it."""
    printed, _, complained = text.partition("stderr:")
    lines = [line.strip() for line in f"{complained}\n{printed}".splitlines() if line.strip()]
    wrong = [line.partition("error: ")[2] for line in lines if "error: " in line]
    said = list(dict.fromkeys(wrong or lines[-TOLD_MAX:]))
    more = [f"and {len(said) - TOLD_MAX} more"] if len(said) > TOLD_MAX else []
    return "; ".join([*said[:TOLD_MAX], *more]) or "Pulumi failed and said nothing"
