"""Pulumi's engine, driven through its Automation API.

The program runs in this process, as `preview` runs it; the engine is the `pulumi` command.
https://www.pulumi.com/docs/iac/automation-api/
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
HIDDEN = "[secret]"
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


@dataclass(frozen=True, slots=True)
class PulumiEngine:
    """One stack of one project, in the hands of Pulumi's engine."""

    project: Project
    directory: Path
    stack: automation.Stack

    @classmethod
    def open(cls, directory: Path, stack_name: str | None, *, create: bool) -> "PulumiEngine":
        """Return the engine for a stack; `create` makes the stack if there is none.

        Raises:
            ProgramError: If the directory holds no Python project, or no such stack's file.
            EngineError: If Pulumi's command is missing or refuses.
        """
        project = read_project(directory, stack_name)
        if shutil.which("pulumi") is None:
            raise EngineError(MISSING)
        options = automation.LocalWorkspaceOptions(work_dir=str(directory))
        choose = automation.create_or_select_stack if create else automation.select_stack
        with _explained():
            stack = choose(
                stack_name=project.stack,
                project_name=project.name,
                program=project.run,
                opts=options,
            )
        return cls(project, directory, stack)

    def backend(self) -> str:
        """Return the URL of the backend that holds the state."""
        with _explained():
            return self.stack.workspace.who_am_i().url or ""

    def secrets_provider(self) -> str:
        """Return the stack's own secrets provider; empty for the backend's."""
        file = self.directory / f"Pulumi.{self.project.stack}.yaml"
        if not file.exists():
            return ""
        settings = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return str(settings.get("secretsprovider") or "")

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
        with _explained():
            counts = preview(events.append)
        return Plan(steps=tuple(_steps(events)), counts=_by_name(counts))

    def update(self, tell: Tell) -> Mapping[str, int]:
        """Deploy; return how many resources by operation."""
        with _explained():
            return _counts(self.stack.up(on_output=tell, show_secrets=False).summary)

    def refresh(self, tell: Tell) -> Mapping[str, int]:
        """Adopt into the state what AWS has; return how many resources by operation."""
        with _explained():
            return _counts(self.stack.refresh(on_output=tell, show_secrets=False).summary)

    def destroy(self, tell: Tell) -> Mapping[str, int]:
        """Delete everything; return how many resources by operation."""
        with _explained():
            return _counts(self.stack.destroy(on_output=tell, show_secrets=False).summary)

    def outputs(self, *, secrets: bool) -> dict[str, Any]:
        """Return the stack's outputs; a secret is replaced unless `secrets` asks for it."""
        with _explained():
            found = self.stack.outputs()
        return {
            name: HIDDEN if output.secret and not secrets else output.value
            for name, output in sorted(found.items())
        }


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


def _last_words(text: str) -> str:
    """Return what Pulumi said went wrong, without the frame that the SDK puts around it."""
    printed, _, complained = text.partition("stderr:")
    lines = [line.strip() for line in f"{complained}\n{printed}".splitlines() if line.strip()]
    wrong = [line.partition("error: ")[2] for line in lines if "error: " in line]
    said = list(dict.fromkeys(wrong or lines[-TOLD_MAX:]))
    more = [f"and {len(said) - TOLD_MAX} more"] if len(said) > TOLD_MAX else []
    return "; ".join([*said[:TOLD_MAX], *more]) or "Pulumi failed and said nothing"
