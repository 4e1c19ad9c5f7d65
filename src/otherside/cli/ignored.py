"""Refuse options that a command would ignore: what was not done as asked proves nothing."""

from collections.abc import Iterable

import click


def refuse_ignored(names: Iterable[str], reason: str) -> None:
    """Refuse the current command if one of these parameters was given on the command line.

    `reason` is a sentence with `{option}` in the place of the option.

    Raises:
        click.UsageError: If one was given.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if name in names and source is click.core.ParameterSource.COMMANDLINE:
            option = (
                parameter.opts[0] if parameter.param_type_name == "option" else f"a {name[:-1]}"
            )
            raise click.UsageError(reason.format(option=option))


def refuse_questions(*, as_json: bool, answered: bool, instead: str = "add --yes") -> None:
    """Refuse `--json` where a question would be asked: a program cannot answer it.

    Raises:
        click.UsageError: If there would be one; `instead` says what to add.
    """
    if as_json and not answered:
        msg = f"--json asks nobody: {instead}"
        raise click.UsageError(msg)
