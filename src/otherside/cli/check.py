"""`otherside check`: find disaster-recovery defects in any stack, before the disaster."""

import errno
import gc
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otherside.check.baseline import as_baseline, fingerprint, read_baseline
from otherside.check.catalogue import catalogue
from otherside.check.engine import CheckConfig, CheckResult, Finding, is_single
from otherside.check.engine import check as run_check
from otherside.check.model.arn import is_region
from otherside.check.project_settings import ProjectSettings, find_settings, read_settings
from otherside.check.readers.input_error import InputError
from otherside.check.readers.json_text import read_json
from otherside.check.readers.read import (
    NOT_RUN,
    SIZE_MAX,
    ReadOptions,
    ReadResult,
    read_paths,
    read_text,
)
from otherside.check.report.compliance import as_table, compliance
from otherside.check.report.findings_document import FindingsDocument, as_document
from otherside.check.report.formats import FORMATS
from otherside.check.report.text import as_text
from otherside.check.rule import Severity
from otherside.check.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Iterable

STDIN_NAME = "<stdin>"
CLOSED = "closed: nothing can be read from it"
TOO_LARGE = "more than 1 GiB, and no more is read"
TIMEOUT_S = 120.0
"""How long a Pulumi program may take that is run."""
FAIL_ON = (*(severity.value for severity in Severity), "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """What the command line says of what a file says, too."""

    select: tuple[str, ...]
    ignore: tuple[str, ...]
    fail_on: str | None
    regions: Mapping[str, str]
    parameters: Mapping[str, str]
    baseline: Path | None


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What the command line asks, over what the settings say."""

    settings: ProjectSettings
    strict: bool
    single_region_ok: bool
    programs: Callable[[Path], Mapping[str, Any] | str] | None
    """How a Pulumi program is run, or why it is not."""


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--format", "as_", type=click.Choice(["text", *FORMATS]), default="text")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it into a file.")
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="Severity that fails. Default: medium.")
@click.option("--select", multiple=True, help="Rules to ask: a code, its begin, a name, a step.")
@click.option("--ignore", multiple=True, help="Rules not to ask.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="[FILE=]REGION",
    help="Where a template is deployed.",
)
@click.option(
    "--parameters", multiple=True, metavar="KEY=VALUE|FILE", help="Parameters of templates."
)
@click.option("--stack", help="Stack of a Pulumi program. Default: the only one.")
@click.option(
    "--run-programs",
    is_flag=True,
    help="Run Pulumi programs that are found: only code that you trust.",
)
@click.option(
    "--run-timeout",
    type=click.FloatRange(1, 3600),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long one may take.",
)
@click.option("--no-run", is_flag=True, hidden=True, help="The default; kept for one release.")
@click.option("--single-region-ok", is_flag=True, help="One Region is what is meant.")
@click.option("--strict", is_flag=True, help="Fail on what could not be told, too.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Leave out what is in this file.")
@click.option(
    "--write-baseline", type=click.Path(path_type=Path), help="Write what is found there."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True),
    help="Default: the nearest otherside.toml or pyproject.toml.",
)
@click.option("--compliance", "by_control", is_flag=True, help="Show findings by control.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Name everything unknown, skipped and suppressed."
)
def check(
    paths: tuple[str, ...],
    as_: str,
    output: Path | None,
    fail_on: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    regions: tuple[str, ...],
    parameters: tuple[str, ...],
    stack: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
    config: Path | None,
    *,
    run_programs: bool,
    run_timeout: float,
    no_run: bool,
    single_region_ok: bool,
    strict: bool,
    by_control: bool,
    verbose: bool,
) -> None:
    """Find disaster-recovery defects in PATHS: files and directories, read as one system.

    Takes what `terraform show -json` writes, Terraform source and state, CloudFormation templates
    and a cdk.out, Pulumi exports, previews and Python programs; - is standard input.

    Nothing that is judged is run, unless you ask for it: a Pulumi program that was not run is told
    as not read. With --run-programs it runs in a process of its own, with a time limit, without
    credentials and without AWS, and all of your rights otherwise.

    \b
    Examples:
      terraform show -json tfplan | otherside check -
      otherside check a.yaml b.yaml --region a.yaml=us-east-2 --region b.yaml=us-west-2
      otherside check cdk.out --fail-on high
      pulumi preview --json | otherside check -
      otherside check infra --run-programs --stack prod
      otherside check . --format sarif --output otherside.sarif
      otherside explain DR009

    Exit codes: 0 nothing found that fails, 1 something was, 2 bad usage or bad input.
    """
    gc.freeze()
    gc.disable()  # what is read lives until the end, and looking at it costs a third
    try:
        given = CommandLine(
            select=_split(select),
            ignore=_split(ignore),
            fail_on=fail_on,
            regions=_regions(regions),
            parameters=_parameters(parameters),
            baseline=baseline,
        )
        settings = _over(_settings(config, paths), given)
        named = config is not None and settings.run_programs
        programs = None
        if (run_programs or named) and not no_run:
            only = None if run_programs else frozenset(Path(path).resolve() for path in paths)
            programs = _programs(stack, run_timeout, only)
        alone = single_region_ok or settings.single_region_ok
        asked = CheckRequest(settings, strict, alone, programs)
        known = read_baseline(Path(settings.baseline)) if settings.baseline else frozenset()
    except InputError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    read, result, document = _checked(paths or (".",), asked, known)
    if write_baseline is not None:
        _write(as_baseline(result.findings), write_baseline)
    text = _shown(document, as_, by_control=by_control, verbose=verbose, plain=output is not None)
    _write(text, output)
    _tell_problems(document, plain=as_ == "text" and output is None)
    sys.exit(_exit_code(read, result, asked, written=write_baseline is not None))


def _tell_problems(document: FindingsDocument, *, plain: bool) -> None:
    """Tell on standard error what the output itself does not begin with."""
    for problem in () if plain else document["problems"]:
        click.echo(f"error: {problem}", err=True)


def _over(settings: ProjectSettings, given: CommandLine) -> ProjectSettings:
    """Return the settings of a file, with what the command line says over them.

    Raises:
        click.UsageError: If they name a rule that there is not.
    """
    settings = replace(
        settings,
        select=given.select or settings.select,
        ignore=(*settings.ignore, *given.ignore),
        fail_on=given.fail_on or settings.fail_on,
        regions={**settings.regions, **given.regions},
        parameters={**settings.parameters, **given.parameters},
        baseline=str(given.baseline) if given.baseline else settings.baseline,
    )
    _refuse_unknown_rules(settings)
    return settings


def _checked(
    paths: tuple[str, ...], asked: CheckRequest, known: frozenset[str]
) -> tuple[ReadResult, CheckResult, FindingsDocument]:
    settings = asked.settings
    options = ReadOptions(
        regions=settings.regions,
        parameters=settings.parameters,
        program=asked.programs,
    )
    read = read_paths(paths, options, _stdin)
    config = CheckConfig(
        select=settings.select,
        ignore=settings.ignore,
        severity=settings.severity,
        suppress=settings.suppress,
        single_region_ok=asked.single_region_ok,
    )
    result = run_check(read.graph, config)
    before: list[Finding] = [
        finding for finding in result.findings if fingerprint(finding) in known
    ]
    result.findings = [finding for finding in result.findings if fingerprint(finding) not in known]
    alone = is_single(read.graph)
    summary = None if alone else summarize(read.graph, result)
    return read, result, as_document(read, result, summary, before)


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise InputError(STDIN_NAME, CLOSED)
    raw = sys.stdin.buffer.read(SIZE_MAX + 1)
    if len(raw) > SIZE_MAX:
        raise InputError(STDIN_NAME, TOO_LARGE)
    return raw


def _shown(
    document: FindingsDocument, as_: str, *, by_control: bool, verbose: bool, plain: bool
) -> str:
    if by_control and as_ == "json":
        return json.dumps({**document, "compliance": compliance(document)}, indent=2)
    if by_control:
        return as_table(document)
    if as_ != "text":
        return FORMATS[as_](document)
    return as_text(document, _plain if plain else _styled(), verbose=verbose)


def _plain(text: str, _: str) -> str:
    return text


def _styled() -> Callable[[str, str], str]:
    """Return what colours a text, where the output is a terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return _plain

    def styled(text: str, how: str) -> str:
        return click.style(text, bold=True) if how == "bold" else click.style(text, fg=how)

    return styled


def _write(text: str, output: Path | None) -> None:
    try:
        if output is None:
            click.echo(text)
        else:
            _write_whole(text if text.endswith("\n") else f"{text}\n", output)
    except OSError as error:
        if output is None and error.errno == errno.EPIPE:
            raise  # whoever read has had enough: click ends quietly
        name = "standard output" if output is None else str(output)
        click.echo(f"{name}: {error.strerror or error}", err=True)
        sys.exit(2)


def _write_whole(text: str, output: Path) -> None:
    """Write a file whole or not at all; a device or a link is written through."""
    if output.is_symlink() or (output.exists() and not output.is_file()):
        output.write_text(text, encoding="utf-8")
        return
    aside = output.parent / f".{output.name}.part"
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(output)
    finally:
        aside.unlink(missing_ok=True)


def _exit_code(read: ReadResult, result: CheckResult, asked: CheckRequest, *, written: bool) -> int:
    if read.problems or (read.unread and not read.files):
        return 2  # a run that could read nothing has nothing to say
    if written:
        return 0
    if asked.strict and (result.unsure or read.unread):
        return 1
    least = asked.settings.fail_on
    if least == "never":
        return 0
    rank = Severity(least).rank
    return 1 if any(finding.severity.rank >= rank for finding in result.findings) else 0


def _settings(config: Path | None, paths: tuple[str, ...]) -> ProjectSettings:
    """Return the settings of a file, or of the nearest one to what is checked."""
    if config is not None:
        return read_settings(config)
    first = Path(paths[0]) if paths and paths[0] != "-" else Path.cwd()
    try:
        start = first if first.is_dir() else first.parent
        found = find_settings(start.resolve())
    except OSError:
        found = None  # what is wrong with the path is told when it is read
    return read_settings(found) if found is not None else ProjectSettings()


def _split(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return rules that are given one by one, or with commas between."""
    return tuple(part.strip() for each in given for part in each.split(","))


def _regions(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        file, mark, region = text.rpartition("=")
        if not is_region(region):
            msg = f"--region {text}: {region} is no Region; write --region FILE=eu-west-1"
            raise click.UsageError(msg)
        found[file if mark else ""] = region
    return found


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    """Return parameters from `Key=Value`, or from a file as the AWS CLI takes it."""
    found: dict[str, str] = {}
    for text in given:
        key, mark, value = text.partition("=")
        if mark:
            found[key] = value
            continue
        try:
            found |= _listed(read_json(read_text(Path(text)), text), text)
        except InputError as error:
            msg = f"--parameters {text}: neither KEY=VALUE nor a file of JSON ({error})"
            raise click.UsageError(msg) from None
    return found


def _listed(document: object, file: str) -> dict[str, str]:
    inner = document.get("Parameters", document) if isinstance(document, Mapping) else document
    pairs: Iterable[tuple[object, object]] = ()
    if isinstance(inner, Mapping):
        pairs = inner.items()
    elif isinstance(inner, list) and all(isinstance(parameter, Mapping) for parameter in inner):
        pairs = [
            (parameter.get("ParameterKey"), parameter.get("ParameterValue")) for parameter in inner
        ]
    else:
        msg = f"--parameters {file}: no parameters"
        raise click.UsageError(msg)
    found = {}
    for key, value in pairs:
        if not isinstance(key, str) or not isinstance(value, (str, int, float)):
            msg = f"--parameters {file}: {key} is no parameter with a plain value"
            raise click.UsageError(msg)
        found[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _refuse_unknown_rules(settings: ProjectSettings) -> None:
    """Refuse a rule that there is not: a typing error would leave everything unasked."""
    rules = catalogue()
    known: Iterable[str] = [*settings.select, *settings.ignore, *settings.severity]
    for text in known:
        hit = text and any(
            rule.code.startswith(text.upper()) or text in {*rule.known_as, rule.step.value}
            for rule in rules
        )
        if not hit:
            msg = f"there is no rule {text or 'without a name'}; `otherside rules` lists them"
            raise click.UsageError(msg)


def _programs(
    stack: str | None, timeout_s: float, only: frozenset[Path] | None
) -> Callable[[Path], Mapping[str, Any] | str]:
    """Return what runs a Pulumi program, or says why it does not."""
    import importlib.util  # noqa: PLC0415 - for this alone

    from otherside.cli.run_isolated import run_isolated  # noqa: PLC0415 - the same

    there = importlib.util.find_spec("pulumi") is not None

    def run(directory: Path) -> Mapping[str, Any] | str:
        if only is not None and directory.resolve() not in only:
            return NOT_RUN
        if not there:
            return "a Pulumi program: running it needs pip install 'otherside[infra]'"
        return run_isolated(directory, stack, timeout_s)

    return run
