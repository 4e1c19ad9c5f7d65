"""The `otherside` command: one module per subcommand, imported only when called."""

import difflib
import importlib

import click

from otherside.cli.interrupt import keep_interrupts
from otherside.version import __version__

COMMANDS = {
    "init": "Create a starter project.",
    "check": "Find disaster-recovery defects in any stack.",
    "rules": "List the rules of `check`.",
    "explain": "Explain one rule of `check`.",
    "preview": "Show what a program would create, without AWS.",
    "up": "Deploy by Pulumi's engine, and refuse what a recovery would regret.",
    "refresh": "Adopt what AWS has into the state, unless a failover changed it.",
    "destroy": "Delete a stack from both Regions.",
    "outputs": "Show what a deployed stack exports.",
    "sim": "Test the orchestrator against simulated disasters.",
    "drill": "Kill a Region under load, and measure RTO and RPO.",
    "report": "Rebuild a drill's report from its journal.",
    "twin": "Run two AWS Regions on this machine.",
    "status": "Show both sides, the evidence, and what the orchestrator does next.",
    "console": "Serve the overview as a page to this machine.",
    "readiness": "Check that a failover would work now.",
    "history": "Show the audit trail, replay it, or bundle it as evidence.",
    "verify": "Check a bundle of evidence.",
    "order": "Order a switchover, or approve, deny, resume, adopt, sign or freeze.",
    "breakglass": "Let the standby take writes while the state table is down.",
    "schema": "Print the JSON Schema of otherside.toml or of check's output.",
}


class LazyGroup(click.Group):
    """A click group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of that name and return its command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"otherside.cli.{cmd_name}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail and suggest the closest name."""
        name = args[0] if args else ""
        near = difflib.get_close_matches(name, COMMANDS, 1)
        if name not in COMMANDS and not name.startswith("-") and near:
            ctx.fail(f"No such command '{name}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="otherside")
def main() -> None:
    """Multi-region disaster recovery for AWS that never forgets the other side.

    \b
    Examples:
      otherside init orders         create a project in ./orders
      otherside preview orders      show both Regions, without AWS or credentials
      otherside check plan.json     find what would break a recovery

    Exit codes: 0 success, 1 the program failed, 2 bad usage or bad input.
    """
    keep_interrupts()
