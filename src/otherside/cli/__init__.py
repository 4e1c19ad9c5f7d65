"""The `otherside` command: one file a subcommand, each loaded only when it is called."""

import difflib
import importlib

import click

from otherside.version import __version__

COMMANDS = {
    "init": "Write a project to start from.",
    "check": "Find disaster-recovery defects in any stack.",
    "rules": "List what check looks for.",
    "explain": "Explain one of its rules.",
    "preview": "Show what a program would create, without AWS.",
    "sim": "Let a simulator try to break the orchestrator.",
    "drill": "Kill a Region under load, and measure what was promised.",
    "report": "Make the report of a drill from its journal.",
    "twin": "Run two AWS Regions on this machine.",
    "status": "Show where the orchestrator stands, and what each side says.",
    "order": "Order a switchover, approve, deny, resume, adopt, sign or freeze.",
    "breakglass": "Go on without the state table, by a person's word.",
    "schema": "Print the JSON Schema of otherside.toml or of a check.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, from the module of its name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"otherside.cli.{cmd_name}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say what it may have been meant to be."""
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
      otherside init orders         write a project into ./orders
      otherside preview orders      show both Regions, without AWS or credentials
      otherside check plan.json     find what would break a recovery

    Exit codes: 0 done, 1 the program failed, 2 bad usage or bad input.
    """
