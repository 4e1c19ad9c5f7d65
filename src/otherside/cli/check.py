"""`otherside check`: find disaster-recovery defects in any stack, before the disaster."""

import difflib
import errno
import gc
import json
import linecache
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from otherside.check.baseline import as_baseline, fingerprint, read_baseline
from otherside.check.catalogue import catalogue
from otherside.check.check_result import CheckResult, Finding, together
from otherside.check.engine import CheckConfig, is_single
from otherside.check.engine import check as run_check
from otherside.check.model.arn import is_region
from otherside.check.model.schema import kinds
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
from otherside.check.readers.shared_outputs import Outputs, RunProgram
from otherside.check.report.compliance import as_table, compliance
from otherside.check.report.findings_document import FindingsDocument, as_document, printable
from otherside.check.report.formats import FORMATS
from otherside.check.report.remedies import remedies
from otherside.check.report.remedies import together as one_edit_each
from otherside.check.report.text import as_lines, as_text
from otherside.check.rule import Severity
from otherside.check.summary import summarize
from otherside.cli.ignored import refuse_ignored
from otherside.cli.output_file import write_whole
from otherside.extras import needs
from otherside.regions import REGIONS

COMMERCIAL = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-(?!gov-|iso)")
"""How the Regions begin that we know all of; those of other partitions are taken as they are."""
STDIN_NAME = "<stdin>"
CLOSED = "is closed"
TOO_LARGE = "larger than the 1 GiB limit"
TIMEOUT_S = 120.0
"""Default time limit of a Pulumi program."""
FAIL_ON = (*(severity.value for severity in Severity), "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """Command-line options that override settings from a file."""

    select: tuple[str, ...]
    ignore: tuple[str, ...]
    exclude: tuple[str, ...]
    fail_on: str | None
    regions: Mapping[str, str]
    parameters: tuple[str, ...]
    """As they were typed: KEY=VALUE, or a file."""
    baseline: Path | None


@dataclass(frozen=True, slots=True)
class ReportForm:
    """What the report looks like, and where it goes."""

    format: str
    output: Path | None
    by_control: bool
    compact: bool
    verbose: bool

    def __post_init__(self) -> None:
        """Refuse `--compact` beside what asks for another form.

        Raises:
            click.UsageError: If both are asked for.
        """
        if self.compact and (self.format != "text" or self.by_control or self.verbose):
            msg = "--compact is a form of text: leave out --format, --compliance and --verbose"
            raise click.UsageError(msg)

    def written(self, document: FindingsDocument) -> str:
        """Return the report."""
        if self.by_control and self.format == "json":
            return json.dumps({**document, "compliance": compliance(document)}, indent=2)
        if self.by_control:
            return as_table(document)
        if self.format != "text":
            return FORMATS[self.format](document)
        styled = _styled(self.output)
        if self.compact:
            return as_lines(document, styled)
        width = None if styled is _plain else shutil.get_terminal_size().columns
        source = _no_source if styled is _plain else _source
        return as_text(document, styled, verbose=self.verbose, width=width, source=source)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The request: settings from a file, overridden by the command line."""

    settings: ProjectSettings
    strict: bool
    single_region_ok: bool
    programs: RunProgram | None
    """Runs a Pulumi program for each stack, or returns why it did not; `None` runs none."""
    systems: tuple[str, ...] = ()
    one_system: bool = False


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--format", "as_", type=click.Choice(["text", *FORMATS]), default="text")
@click.option("--json", "as_", flag_value="json", help="The same as --format json.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the report to a file.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="Lowest severity that fails the check. Default: medium.",
)
@click.option("--select", multiple=True, help="Rules to run: code, code prefix, name or step.")
@click.option("--ignore", multiple=True, help="Rules to skip.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Files and directories to leave out, by path or name: examples, 'modules/*/test'.",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="[FILE=]REGION",
    help="Region that a template is deployed to; once for each, if it is deployed to several.",
)
@click.option(
    "--parameters",
    multiple=True,
    metavar="KEY=VALUE|FILE",
    help="Parameters of templates and variables of Terraform; a FILE is JSON, or a .tfvars file.",
)
@click.option(
    "--system",
    "systems",
    multiple=True,
    metavar="NAME",
    help="Check only this one of the systems that are found below a directory.",
)
@click.option(
    "--one-system", is_flag=True, help="Take everything as one system, however it is laid out."
)
@click.option(
    "--stack",
    "stacks",
    multiple=True,
    help="Pulumi stack to use; several are one system. Default: the only one.",
)
@click.option(
    "--run-programs",
    is_flag=True,
    help="Run the Pulumi programs found. Use it only on code that you trust.",
)
@click.option(
    "--run-timeout",
    type=click.FloatRange(1, 3600),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="Time limit for each program.",
)
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What AWS, other stacks and settings answer to a program: settings, stacks, data.",
)
@click.option("--no-run", is_flag=True, hidden=True, help="The default; kept for one release.")
@click.option("--single-region-ok", is_flag=True, help="The system is meant to have one Region.")
@click.option(
    "--strict", is_flag=True, help="Also fail on undecided rules and on input that was not read."
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), help="Leave out the findings in this file."
)
@click.option(
    "--write-baseline", type=click.Path(path_type=Path), help="Write the findings to a baseline."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True),
    help="Settings file. Default: the nearest otherside.toml or pyproject.toml.",
)
@click.option("--compliance", "by_control", is_flag=True, help="Group findings by control.")
@click.option("--compact", is_flag=True, help="One line for each finding, for editors and grep.")
@click.option(
    "--explain-fix",
    is_flag=True,
    help="Print the change that removes each finding of the fifteen failures.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Make those changes that are local, as the guide lists them, and check again.",
)
@click.option(
    "-v", "--verbose", is_flag=True, help="List everything unknown, skipped and suppressed."
)
def check(
    paths: tuple[str, ...],
    as_: str,
    output: Path | None,
    fail_on: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    exclude: tuple[str, ...],
    regions: tuple[str, ...],
    parameters: tuple[str, ...],
    systems: tuple[str, ...],
    stacks: tuple[str, ...],
    baseline: Path | None,
    write_baseline: Path | None,
    config: Path | None,
    *,
    run_programs: bool,
    run_timeout: float,
    answers: Path | None,
    no_run: bool,
    single_region_ok: bool,
    strict: bool,
    by_control: bool,
    one_system: bool,
    compact: bool,
    explain_fix: bool,
    fix: bool,
    verbose: bool,
) -> None:
    """Find disaster-recovery defects in PATHS: files and directories.

    What you name together is one system; what is found below a directory is told apart, and each
    system is checked by itself. Reads `terraform show -json` output, Terraform source and state,
    CloudFormation, a cdk.out, and Pulumi exports, previews and Python; - is standard input.
    A Pulumi program is reported as not read unless you ask for it with --run-programs: then it runs
    in a process without credentials and AWS, but otherwise with all of your permissions.

    \b
    Examples:
      terraform show -json tfplan | otherside check -
      otherside check a.yaml b.yaml --region a.yaml=us-east-2 --region b.yaml=us-west-2
      otherside check infra --run-programs --stack prod --fail-on high
      otherside check . --system envs/prod --exclude '*/test' --compact
      otherside check . --format sarif --output otherside.sarif
      otherside explain DR009

    Exit codes: 0 no failing finding, 1 at least one, 2 bad usage or bad input.
    """
    form = ReportForm(as_, output, by_control=by_control, compact=compact, verbose=verbose)
    _refuse_conflicts(one_system=one_system and bool(systems), diffs=explain_fix or fix)
    _keep_all()
    given = CommandLine(
        select=_split(select),
        ignore=_split(ignore),
        exclude=exclude,
        fail_on=fail_on,
        regions=_regions(regions),
        parameters=parameters,
        baseline=baseline,
    )
    try:
        settings = _over(_settings(config, paths), given)
        runs = run_programs or (config is not None and settings.run_programs)
        only = None if run_programs else paths
        programs = _programs(stacks, run_timeout, only, answers, runs=runs and not no_run)
        known = read_baseline(Path(settings.baseline)) if settings.baseline else frozenset()
    except InputError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    alone = single_region_ok or settings.single_region_ok
    asked = CheckRequest(settings, strict, alone, programs, systems, one_system)
    found = (_mended if fix else _checked)(paths or (".",), asked, known)
    _finish(found, asked, form, write_baseline, explain_fix=explain_fix)


def _refuse_conflicts(*, one_system: bool, diffs: bool) -> None:
    """Refuse options that leave nothing for one another to do.

    Raises:
        click.UsageError: If there are any.
    """
    if one_system:
        msg = "--one-system leaves no other system to choose: leave --system out"
        raise click.UsageError(msg)
    if diffs:
        refuse_ignored(("as_",), "a diff is for people: leave {option} out")


def _finish(
    found: "Checked",
    asked: CheckRequest,
    form: ReportForm,
    write_baseline: Path | None,
    *,
    explain_fix: bool,
) -> None:
    """Write everything that was asked for, and exit with the verdict."""
    read, result, document = found
    if write_baseline is not None:
        _write(as_baseline(result.findings), write_baseline)
    _report(document, result, form)
    if explain_fix:
        _explain_fixes(read, result)
    sys.exit(_exit_code(read, result, asked, written=write_baseline is not None))


def _keep_all() -> None:
    """Collect no garbage: everything that is read lives until the end, and scans cost a third."""
    gc.freeze()
    gc.disable()


def _report(document: FindingsDocument, result: CheckResult, form: ReportForm) -> None:
    """Write the report, and to standard error what it does not say where people look."""
    _write(form.written(document), form.output)
    if form.output is not None:
        total = len(document["findings"])
        click.echo(f"wrote {form.output}: {total} finding{'' if total == 1 else 's'}", err=True)
    for problem in () if form.format == "text" and form.output is None else document["problems"]:
        click.echo(f"error: {problem}", err=True)
    for where, code in result.stale:
        said = f"the suppression of {code} suppresses nothing any more"
        click.echo(f"note: {where}: {said}", err=True)


Checked = tuple[ReadResult, CheckResult, FindingsDocument]


def _mended(paths: tuple[str, ...], asked: CheckRequest, known: frozenset[str]) -> Checked:
    """Make the changes that are safe and local, say which, and return what is found then."""
    found = _checked(paths, asked, known)
    read, result, _ = found
    edits = [item.edit for item in remedies(read.graph, result.findings) if item.edit is not None]
    for edit in one_edit_each(edits):
        click.echo(edit.diff(), nl=False)
        try:
            write_whole("".join(edit.after), edit.file)
        except OSError as error:
            click.echo(f"{edit.file}: cannot be written: {error.strerror or error}", err=True)
            sys.exit(2)
        click.echo(f"changed {edit.file}\n")
    if not edits:
        click.echo("--fix changed nothing: no finding's remedy is a local change of a file here\n")
        return found
    return _checked(paths, asked, known)


def _explain_fixes(read: ReadResult, result: CheckResult) -> None:
    """Print the remedy of each finding of the fifteen failures."""
    for item in remedies(read.graph, result.findings):
        finding = item.finding
        click.echo(f"\n{finding.rule.code} {finding.rule.name}: {finding.resource}")
        if item.edit is not None:
            click.echo(item.edit.diff(), nl=False)
        else:
            click.echo(finding.rule.fix)
            click.echo(textwrap.indent(item.example, "    "))


def _over(settings: ProjectSettings, given: CommandLine) -> ProjectSettings:
    """Return a file's settings, overridden by the command line.

    Raises:
        click.UsageError: If they name an unknown rule.
    """
    of_file = {*settings.select, *settings.ignore, *settings.severity}
    of_file -= {*given.select, *given.ignore}
    settings = replace(
        settings,
        select=given.select or settings.select,
        ignore=(*settings.ignore, *given.ignore),
        exclude=(*settings.exclude, *given.exclude),
        fail_on=given.fail_on or settings.fail_on,
        regions={**settings.regions, **given.regions},
        parameters={**settings.parameters, **_parameters(given.parameters)},
        variable_files=tuple(Path(text) for text in given.parameters if _is_variable_file(text)),
        baseline=str(given.baseline) if given.baseline else settings.baseline,
    )
    _refuse_unknown_rules(settings, of_file)
    return settings


def _checked(paths: tuple[str, ...], asked: CheckRequest, known: frozenset[str]) -> Checked:
    settings = asked.settings
    options = ReadOptions(
        regions=settings.regions,
        parameters=settings.parameters,
        variable_files=settings.variable_files,
        exclude=settings.exclude,
        program=asked.programs,
        one_system=asked.one_system or settings.one_system,
        systems=asked.systems,
    )
    read = read_paths(paths, options, _stdin)
    config = CheckConfig(
        select=settings.select,
        ignore=settings.ignore,
        severity=settings.severity,
        suppress=settings.suppress,
        single_region_ok=asked.single_region_ok,
    )
    results = [run_check(system.graph, config, system.name) for system in read.systems]
    abilities = [
        None if is_single(system.graph) else summarize(system.graph, found)
        for system, found in zip(read.systems, results, strict=True)
    ]
    result = together(results)
    before: list[Finding] = [
        finding for finding in result.findings if fingerprint(finding) in known
    ]
    result.findings = [finding for finding in result.findings if fingerprint(finding) not in known]
    return read, result, as_document(read, result, abilities, before)


def check_program(directory: Path, stack: str) -> tuple[list[str], bool]:
    """Check a Pulumi program with its project's settings; return its findings and if they fail.

    Raises:
        click.UsageError: If the settings or the baseline cannot be read.
    """
    try:
        settings = _settings(None, (str(directory),))
        known = read_baseline(Path(settings.baseline)) if settings.baseline else frozenset()
    except InputError as error:
        raise click.UsageError(str(error)) from None
    programs = _programs((stack,), TIMEOUT_S, None, None, runs=True)
    alone = settings.single_region_ok
    asked = CheckRequest(settings, strict=False, single_region_ok=alone, programs=programs)
    read, result, document = _checked((str(directory),), asked, known)
    if document["problems"]:
        return list(document["problems"]), True
    findings = [
        f"{found.rule.code} {found.rule.name}: {_name_in(found.resource)}: {found.message}"
        for found in result.findings
    ]
    return findings, _exit_code(read, result, asked, written=False) != 0


def _name_in(resource: str) -> str:
    return resource.rpartition("::")[2]  # of a URN


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise InputError(STDIN_NAME, CLOSED)
    raw = sys.stdin.buffer.read(SIZE_MAX + 1)
    if len(raw) > SIZE_MAX:
        raise InputError(STDIN_NAME, TOO_LARGE)
    return raw


def _source(file: str, line: int) -> str:
    """Return a line of a file as it may be shown; what cannot be read is not shown."""
    return str(printable(linecache.getline(file, line).rstrip("\n")))


def _no_source(_file: str, _line: int) -> str:
    return ""


def _plain(text: str, _: str) -> str:
    return text


def _styled(output: Path | None) -> Callable[[str, str], str]:
    """Return a function that colours text on a terminal and leaves it plain elsewhere."""
    if output is not None or sys.stdout is None or not sys.stdout.isatty():
        return _plain

    def styled(text: str, how: str) -> str:
        return click.style(text, bold=True) if how == "bold" else click.style(text, fg=how)

    return styled


def _write(text: str, output: Path | None) -> None:
    try:
        if output is None:
            click.echo(text)
        else:
            write_whole(text if text.endswith("\n") else f"{text}\n", output)
    except OSError as error:
        if output is None and error.errno == errno.EPIPE:
            raise  # the reader closed the pipe: click exits quietly
        name = "standard output" if output is None else str(output)
        click.echo(f"{name}: cannot be written: {error.strerror or error}", err=True)
        sys.exit(2)


def _understood(read: ReadResult) -> bool:
    """Return whether anything was read that a rule can be asked about."""
    return any(
        resource.kind in kinds() and not resource.kind.startswith("data.")
        for resource in read.graph.resources.values()
    )


def _exit_code(read: ReadResult, result: CheckResult, asked: CheckRequest, *, written: bool) -> int:
    if read.problems or (read.unread and not _understood(read)):
        return 2  # nothing could be read, so there is no verdict
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
    """Return the settings of the given file, or of the one nearest to what is checked."""
    if config is not None:
        return read_settings(config)
    first = Path(paths[0]) if paths and paths[0] != "-" else Path.cwd()
    try:
        start = first if first.is_dir() else first.parent
        found = find_settings(start.resolve())
    except OSError:
        found = None  # reading the path reports what is wrong with it
    return read_settings(found) if found is not None else ProjectSettings()


def _split(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return rules given as repeated options or separated by commas."""
    return tuple(part.strip() for each in given for part in each.split(","))


def _regions(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        file, mark, region = text.rpartition("=")
        elsewhere = COMMERCIAL.match(region) is None and is_region(region)
        if region not in REGIONS and not elsewhere:
            near = difflib.get_close_matches(region, REGIONS, 1)
            hint = f"did you mean {near[0]}?" if near else "write --region FILE=eu-west-1"
            msg = f"--region {text}: {region} is not a Region; {hint}"
            raise click.UsageError(msg)
        known = found.get(file if mark else "")
        found[file if mark else ""] = region if known in {None, region} else f"{known},{region}"
    return found


def _is_variable_file(text: str) -> bool:
    return text.endswith(".tfvars") and "=" not in text


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    """Return parameters from `Key=Value`, or from a file in the AWS CLI's format."""
    found: dict[str, str] = {}
    for text in given:
        key, mark, value = text.partition("=")
        if _is_variable_file(text):
            if not Path(text).is_file():
                msg = f"--parameters {text}: there is no such file"
                raise click.UsageError(msg)
            continue  # its values have types, which the reader of Terraform knows
        if mark:
            found[key] = value
            continue
        try:
            found |= _listed(read_json(read_text(Path(text)), text), text)
        except InputError as error:
            msg = f"--parameters {text}: neither KEY=VALUE nor a JSON file ({error})"
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
        msg = f"--parameters {file}: the file has no parameters"
        raise click.UsageError(msg)
    found = {}
    for key, value in pairs:
        if not isinstance(key, str) or not isinstance(value, (str, int, float)):
            msg = f"--parameters {file}: {key} is not a parameter with a plain value"
            raise click.UsageError(msg)
        found[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _refuse_unknown_rules(settings: ProjectSettings, of_file: Iterable[str]) -> None:
    """Refuse an unknown rule: a typo could otherwise leave every rule unselected."""
    rules = catalogue()
    known: Iterable[str] = [*settings.select, *settings.ignore, *settings.severity]
    for text in known:
        hit = text and any(
            rule.code.startswith(text.upper()) or text in {*rule.known_as, rule.step.value}
            for rule in rules
        )
        if not hit:
            names = [name for rule in rules for name in (rule.code, *rule.known_as)]
            near = difflib.get_close_matches(text, names, 1)
            hint = f"did you mean {near[0]}?" if near else "`otherside rules` lists them all"
            place = f"{settings.file}: " if text in of_file else ""
            msg = f"{place}unknown rule {text or '(empty)'}; {hint}"
            raise click.UsageError(msg)


def _programs(
    stacks: tuple[str, ...],
    timeout_s: float,
    paths: tuple[str, ...] | None,
    answers: Path | None,
    *,
    runs: bool,
) -> RunProgram | None:
    """Return a function that runs a Pulumi program for each stack, or returns why it did not.

    Raises:
        click.UsageError: If there are answers for programs that do not run.
    """
    if answers is not None and not runs:
        msg = "--answers is for programs that run: add --run-programs"
        raise click.UsageError(msg)
    if not runs:
        return None
    import importlib.util  # noqa: PLC0415 - for this alone

    from otherside.cli.run_isolated import run_isolated  # noqa: PLC0415 - the same

    only = None if paths is None else {Path(path).resolve() for path in paths}
    there = importlib.util.find_spec("pulumi") is not None

    def run(directory: Path, outputs: Outputs) -> Sequence[Mapping[str, Any]] | str:
        if only is not None and directory.resolve() not in only:
            return NOT_RUN
        if not there:
            return f"a Pulumi program: {needs('running it', 'pulumi', 'infra')}"
        given = answers and answers.resolve()
        named = dict.fromkeys(stacks or (None,))
        return [run_isolated(directory, name, timeout_s, given, outputs) for name in named]

    return run
