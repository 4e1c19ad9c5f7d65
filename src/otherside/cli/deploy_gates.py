"""What must hold before Pulumi's engine may change a stack, each refused with a reason.

`--accept GATE` goes ahead though one of them does not hold; it is named in the refusal, so that
nobody accepts more than was read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from otherside.cli.check import check_program
from otherside.cli.state_table import NoTableError, open_table
from otherside.config import ConfigError, read_config
from otherside.core.topology import Side
from otherside.deploy.recovery_diff import RecoveryChange, recovery_changes
from otherside.deploy.state_survival import state_risks
from otherside.extras import needs
from otherside.failover.decision.state import Phase
from otherside.program.program_error import ProgramError

if TYPE_CHECKING:
    from otherside.deploy.pulumi_engine import Plan, PulumiEngine

C = TypeVar("C", bound=Callable[..., object])
CONFIG = "otherside.toml"
GATES = {
    "state": "the state or its secrets key would be lost with the primary",
    "failover": "a failover is under way, or nobody can tell",
    "findings": "the check finds defects",
    "recovery": "a recovery would miss something afterwards",
}
"""What may be accepted, and when it is asked for."""


@dataclass(slots=True)
class Gates:
    """The gates of one command: which are accepted, and what each of them found."""

    accepted: frozenset[str]
    quiet: bool
    """Whether only JSON may go to standard output."""
    found: dict[str, Any] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Print a line for people."""
        click.echo(text, err=self.quiet)

    def hold(self, gate: str, problems: Iterable[str]) -> None:
        """Note what a gate found; refuse to go on unless there is nothing or it is accepted.

        Raises:
            click.ClickException: If the gate does not hold.
        """
        told = list(problems)
        self.found[gate] = told
        for problem in told:
            self.say(f"  {gate:9} {problem}")
        if told and gate not in self.accepted:
            msg = f"{GATES[gate]}; `--accept {gate}` goes ahead all the same"
            raise click.ClickException(msg)


def stack_options(command: C) -> C:
    """Give a command the project's directory and its stack."""
    command = click.option("--stack", help="The stack. Default: the only one.")(command)
    return click.argument(
        "directory", default=".", type=click.Path(path_type=Path, file_okay=False)
    )(command)


def change_options(command: C) -> C:
    """Give a command that changes a stack its options."""
    accept = click.option(
        "--accept",
        multiple=True,
        type=click.Choice(list(GATES)),
        help="Go ahead though this does not hold; the refusal names it.",
    )
    json_ = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
    yes = click.option("--yes", is_flag=True, help="Skip the confirmation; for scripts.")
    return accept(yes(json_(command)))


def open_engine(directory: Path, stack: str | None, *, create: bool = False) -> "PulumiEngine":
    """Return Pulumi's engine for a stack.

    Raises:
        click.UsageError: If there is no such project or stack, or the extra is not installed.
        click.ClickException: If Pulumi's command is missing or refuses.
    """
    try:
        from otherside.deploy.pulumi_engine import PulumiEngine  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        raise click.UsageError(needs("the engine", missing.name, "infra")) from None
    try:
        with explained():
            return PulumiEngine.open(directory, stack, create=create)
    except ProgramError as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the engine refuses into one line.

    Raises:
        click.ClickException: If it refuses or fails.
    """
    from otherside.deploy.pulumi_engine import EngineError  # noqa: PLC0415 - an extra

    try:
        yield
    except EngineError as error:
        raise click.ClickException(str(error)) from None


def hold_state(gates: Gates, engine: "PulumiEngine") -> None:
    """Refuse a state that would be lost with the primary."""
    primary = regions_of(engine.directory).get(Side.PRIMARY, "")
    if not primary:
        gates.say(f"  state     the sides are not known: {engine.directory} has no {CONFIG}")
    with explained():
        risks = state_risks(engine.backend(), engine.secrets_provider(), primary)
    gates.hold("state", (f"{risk.text}: {risk.fix}" for risk in risks))


def hold_failover(gates: Gates, directory: Path) -> None:
    """Refuse to change a stack whose orchestrator is at work."""
    if not (directory / CONFIG).exists():
        gates.say(f"  failover  not looked at: {directory} has no {CONFIG}")
    gates.hold("failover", _failover(directory))


def _failover(directory: Path) -> list[str]:
    design = directory / CONFIG
    if not design.exists():
        return []  # a stack without our orchestrator
    try:
        state = open_table(design).state
    except NoTableError as error:
        return [] if error.absent else [f"the state table does not answer: {error.message}"]
    if state.phase is Phase.STEADY:
        return []
    return [f"the orchestrator is in phase {state.phase}: {state.reason}"]


def hold_findings(gates: Gates, engine: "PulumiEngine") -> None:
    """Refuse a program in which the check finds defects."""
    findings, failed = check_program(engine.directory, engine.project.stack)
    gates.hold("findings", findings if failed else [])


def hold_recovery(gates: Gates, engine: "PulumiEngine", plan: "Plan") -> None:
    """Refuse a change after which a recovery would miss something."""
    changes = recovery_changes(plan.steps, regions_of(engine.directory))
    gates.hold("recovery", (f"{change.harm}: {_one_line(change)}" for change in changes))


def _one_line(change: RecoveryChange) -> str:
    return f"{change.resource}: {change.text}"


def regions_of(directory: Path) -> Mapping[Side, str]:
    """Return the Region of each side, as the project's configuration names it.

    Raises:
        click.UsageError: If the configuration cannot be used.
    """
    design = directory / CONFIG
    if not design.exists():
        return {}
    try:
        regions = read_config(design).regions
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    return {Side.PRIMARY: regions.primary, Side.STANDBY: regions.standby}


def show_plan(gates: Gates, plan: "Plan") -> None:
    """Print how many resources change, by operation."""
    gates.say(", ".join(f"{count} to {name}" for name, count in sorted(plan.changes.items())))
