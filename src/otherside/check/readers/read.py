"""Read paths into one graph, recognize each file by its content, and report unreadable inputs."""

import fnmatch
import mmap
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otherside.check.model.arn import is_region
from otherside.check.model.graph import GLOBAL, Graph, Place, Resource
from otherside.check.model.values import Unresolved
from otherside.check.readers.cloudformation.template import Template
from otherside.check.readers.cloudformation.yaml_text import read_yaml
from otherside.check.readers.input_error import InputError
from otherside.check.readers.json_text import CHECKED_MAX, read_json
from otherside.check.readers.large_json import Buffer, read_large, release
from otherside.check.readers.location import check_shape, line_finder
from otherside.check.readers.pulumi.stack import Stack
from otherside.check.readers.shared_outputs import (
    FoundModule,
    FoundProgram,
    Outputs,
    RunProgram,
    pass_root_outputs,
    pass_stack_outputs,
)
from otherside.check.readers.systems import Part, System, systems_of
from otherside.check.readers.terraform.plan_json import (
    TerraformPlan,
    configuration_of,
    recorded_change,
)

if TYPE_CHECKING:
    from otherside.check.readers.terraform.hcl import RootModule

SIZE_MAX = 1 << 30
"""One gibibyte. A plan of 100,000 resources is a third of it."""
TEMPLATE_MAX = 4 << 20
"""CloudFormation accepts one mebibyte."""
STDIN = "-"
NOT_RUN = (
    "a Pulumi program, which was not run: --run-programs runs it, or check what "
    "`pulumi preview --json` writes"
)
OTHER_LANGUAGE = "a Pulumi program in {}: check what `pulumi preview --json` writes"
_STAGES_MAX = 10
NAMED_MAX = 3
_IGNORED = {"node_modules", "__pycache__", "venv", "site-packages"}
_SUFFIXES = {".json", ".yaml", ".yml", ".template", ".tfstate", ".tfplan"}
_OF_SOURCE = {"resource_changes", "planned_values", "lineage"}
"""Keys of a plan or a state, which would repeat the source that it was made from."""
_NO_PLAN = frozenset({"planned_values", "relevant_attributes", "resource_drift", "checks"})
_OURS = frozenset(
    {"resource_changes", "terraform_version", "Resources", "deployment", "checkpoint", "steps"}
    | {"artifacts", "lineage"}
)
"""Keys of which each document of ours has one."""
_NOT_OURS = "no template, plan, state or stack"
_EACH = {"resource_changes": recorded_change}
_WHOLE = {"configuration": configuration_of}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the caller knows but the files do not say."""

    regions: Mapping[str, str] = field(default_factory=dict)
    """The Region of each template, by path or name; several are separated by commas."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of templates, and variables of Terraform roots."""
    variable_files: tuple[Path, ...] = ()
    """Files with values of Terraform's variables, as `-var-file` takes them."""
    exclude: tuple[str, ...] = ()
    """Patterns of files and directories to leave out below a directory, by path or name."""
    program: RunProgram | None = None
    """Runs a Pulumi program, once for each stack, or returns why it does not; `None` runs none."""
    one_system: bool = False
    """Whether everything is one system, however it is laid out."""
    systems: tuple[str, ...] = ()
    """Names of the systems to keep; empty keeps all."""


@dataclass(frozen=True, slots=True)
class ReadSystem:
    """What recovers together, and is judged together."""

    name: str
    roots: tuple[str, ...]
    """The directories and files that it was read from."""
    graph: Graph


@dataclass(slots=True)
class ReadResult:
    """What was read from the inputs, and what was not."""

    graph: Graph
    """Everything that was read."""
    systems: list["ReadSystem"]
    """The systems that it is made of, at least one."""
    problems: list[InputError]
    skipped: list[tuple[str, str]]
    unread: list[tuple[str, str]]
    """Parts of the system that were not read, and why; they may contain anything."""
    files: list[str]


@dataclass(slots=True)
class _Batch:
    """What has been read so far, before stacks are joined."""

    options: ReadOptions
    base: Path | None = None
    """The directory below which files are being found."""
    parts: dict[str, Part] = field(default_factory=dict)
    templates: list[tuple[Template, Part]] = field(default_factory=list)
    problems: list[InputError] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    modules: dict[Path, FoundModule] = field(default_factory=dict)
    """Terraform directories, by their resolved path: one that another calls is read there only."""
    programs: list[FoundProgram] = field(default_factory=list)
    placed: set[str] = field(default_factory=set)
    """Names in `options.regions` that matched a template."""
    excluded: set[str] = field(default_factory=set)
    """Patterns in `options.exclude` that left something out."""

    def part(self, where: Path | str, *, is_file: bool = True) -> Part:
        """Return the part of the system that a directory or a file is."""
        name, path = str(where), Path(where)
        named = self.base is None or path == self.base
        if name not in self.parts:
            self.parts[name] = Part(name)
            if self.base is not None and not named:
                home = path.parent if is_file else path
                below = home.is_relative_to(self.base)
                self.parts[name].place = home.relative_to(self.base).parts if below else ()
                self.parts[name].file = path.name.partition(".")[0] if is_file else ""
        elif named:
            self.parts[name].place, self.parts[name].file = (), ""  # it was found before
        return self.parts[name]

    def miss(self, where: Path | str, cause: str, *, is_file: bool = True) -> None:
        """Record what was not read, and why, in the part that it belongs to."""
        self.part(where, is_file=is_file).unread.append((str(where), cause))


def read_paths(
    paths: Iterable[str], options: ReadOptions, stdin: Callable[[], bytes]
) -> ReadResult:
    """Read every path into one graph; record unreadable inputs as problems and read the rest."""
    batch = _Batch(options)
    for path in paths:
        _guarded("<stdin>" if path == STDIN else path, batch, partial(_path, path, batch, stdin))
    _join(batch)
    for name in set(options.regions) - batch.placed - {""}:
        batch.skipped.append((f"--region {name}", "no template of this name was read"))
    for pattern in set(options.exclude) - batch.excluded:
        batch.skipped.append((f"--exclude {pattern}", "nothing below a directory matches it"))
    parts = [part for part in batch.parts.values() if part.resources or part.unread]
    settle_regions([item for part in parts for item in part.resources])
    found = [] if options.one_system else systems_of(parts)
    if options.systems:
        found = _wanted(found, batch)
        kept = {id(part) for system in found for part in system.parts}
        parts = [part for part in parts if id(part) in kept]
    graph = _graph(parts)
    systems = [
        ReadSystem(system.name, tuple(part.where for part in system.parts), _graph(system.parts))
        for system in (found if len(found) > 1 or options.systems else ())
    ]
    whole = ReadSystem("", tuple(part.where for part in parts), graph)
    return ReadResult(
        graph, systems or [whole], batch.problems, batch.skipped, _unread(parts), batch.files
    )


def _unread(parts: Iterable[Part]) -> list[tuple[str, str]]:
    """Return all that was not read, and why; what is nested is found twice."""
    return list(dict.fromkeys(item for part in parts for item in (*part.unread, *part.imagined)))


def _wanted(found: list[System], batch: _Batch) -> list[System]:
    """Return the systems that were asked for; record those that there are not as problems."""
    names = [system.name for system in found]
    for name in batch.options.systems:
        if name not in names:
            cause = f"there is no system of this name; there are {', '.join(names) or 'none'}"
            batch.problems.append(InputError(f"--system {name}", cause))
    kept = [system for system in found if system.name in batch.options.systems]
    for system in found:
        if system not in kept:
            roots = _few([part.where for part in system.parts])
            batch.skipped.append((roots, f"of the system {system.name}, which was not asked for"))
    return kept


def _graph(parts: Iterable[Part]) -> Graph:
    """Return parts as one graph."""
    parts = list(parts)
    facts = {key: value for part in parts for key, value in part.facts.items()}
    unread = dict(item for part in parts for item in part.unread)
    if unread:
        facts["unread"] = _few(list(unread))
    return Graph((item for part in parts for item in part.resources), facts=facts)


def _few(names: list[str]) -> str:
    """Return some names and how many more there are."""
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"{', '.join(names[:NAMED_MAX])}{more}"


def _path(path: str, batch: _Batch, stdin: Callable[[], bytes]) -> None:
    if path == STDIN:
        batch.base = None
        _take(stdin(), "<stdin>", batch, wanted=True)
    elif Path(path).is_dir():
        batch.base = Path(path)
        _directory(Path(path), batch)
    else:
        batch.base = None
        _file(Path(path), batch, wanted=True)


def _guarded(file: str, batch: _Batch, read: Callable[[], object]) -> None:
    """Read one input and record any error as a problem, so that the rest is still read."""
    try:
        read()
    except InputError as problem:
        batch.problems.append(problem)
    except OSError as error:
        batch.problems.append(InputError(file, error.strerror or str(error)))
    except RecursionError:
        cause = "nested too deeply, or it refers to itself without an end"
        batch.problems.append(InputError(file, cause))
    except _ODD as error:
        cause = f"not in the shape that its tool writes ({type(error).__name__}: {error})"
        batch.problems.append(InputError(file, cause))


_ODD = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    Unresolved,
)
"""Exceptions that a reader raises on a document that its tool did not write."""


def _join(batch: _Batch) -> None:
    """Put together what was read: each module and each template once, where it is called."""
    _join_modules(batch)
    _join_programs(batch)
    nested = {path for template, _ in batch.templates for path in template.nested_files()}
    batch.templates = [
        (template, part)
        for template, part in batch.templates
        if Path(template.file).resolve() not in nested
    ]
    exports: dict[tuple[str | None, str], Any] = {}

    def note(template: Template, part: Part) -> None:
        own = template.exported()
        part.names |= {f"export {name}" for _, name in own}
        exports.update(own)

    def load(template: Template, part: Part) -> None:
        template.imports = exports
        part.resources.extend(template.load())
        part.names |= {f"export {name}" for name in template.imported}

    for template, part in batch.templates:
        _guarded(template.file, batch, partial(note, template, part))
    for template, part in batch.templates:
        _guarded(template.file, batch, partial(load, template, part))


def _join_modules(batch: _Batch) -> None:
    """Give each Terraform root to its part; a module is read where it is called."""
    roots = list(_uncalled(batch.modules))
    pass_root_outputs(roots)
    deployed = any(not found.root.callable_only for found in roots)
    for found in roots:
        if deployed and found.root.callable_only and not found.named:
            cause = "a module that nothing here calls: name it to check it by itself"
            batch.skipped.append((found.where, cause))
            continue
        part = batch.parts[found.where]
        part.resources.extend(found.root.resources)
        part.unread.extend(found.root.unread)
        part.names |= {f"bucket {name}" for name in found.root.states}
        part.names |= {f"state {name}" for name in found.root.remote_states}
        part.names |= {f"state {found.root.own_state}"} if found.root.own_state else set()


def _join_programs(batch: _Batch) -> None:
    """Give each program's part what it declares, after it has the outputs that it refers to."""
    run = batch.options.program
    if run is not None:
        _guarded("the programs", batch, partial(pass_stack_outputs, batch.programs, run))
    for found in batch.programs:
        _guarded(str(found.where), batch, partial(_declared, found))


def _uncalled(modules: Mapping[Path, FoundModule]) -> Iterator[FoundModule]:
    """Yield the modules that no other one calls, and one of each circle of those that do."""
    called = {path for found in modules.values() for path in found.root.called}
    first = sorted(modules.items(), key=lambda item: item[0] in called)
    read: set[Path] = set()
    for path, found in first:
        if path not in read:
            read |= {path, *found.root.called}
            yield found


def _bytes(path: Path) -> Buffer:
    """Return a file's content; a large one is mapped, and so no more of it in memory than used."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(str(path), "neither a file nor a directory; - is standard input")
        if status.st_size > SIZE_MAX:
            cause = f"{status.st_size / (1 << 30):.1f} GiB, and no more than 1 GiB is read"
            raise InputError(str(path), cause)
        if status.st_size <= CHECKED_MAX:
            return path.read_bytes()
        return _mapped(path)
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error)) from None


def _mapped(path: Path) -> Buffer:
    """Return a large file's content as a mapped copy: one that is cut meanwhile would kill us."""
    with path.open("rb") as file:
        try:
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(file, copy, 1 << 20)
                copy.flush()
                return mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # no room for a copy, or nothing left of the file
            return path.read_bytes()


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        InputError: If it is not a file, cannot be read, is too large or is not UTF-8 text.
    """
    try:
        return str(_bytes(path), "utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(str(path), "no text in UTF-8") from None


def _file(path: Path, batch: _Batch, *, wanted: bool) -> None:
    if path.name.endswith(".tf.json"):
        cause = "Terraform in JSON, as CDKTF writes it: give its plan, by `terraform show -json`"
        if wanted:
            raise InputError(str(path), cause)
        batch.miss(path, cause)
        return
    if path.suffix == ".tf":
        _terraform_source(path.parent, batch, only=path)
        return
    _take(_bytes(path), str(path), batch, wanted=wanted)


def _take(raw: Buffer, file: str, batch: _Batch, *, wanted: bool) -> None:
    """Read one document of any format; skip a foreign one unless the caller named its file."""
    refusal = _refusal(raw)
    if refusal is None:
        if _take_large(raw, file, batch, wanted=wanted):
            return
        try:
            text = str(raw, "utf-8-sig")
            del raw  # a large document would stay in memory twice
        except UnicodeDecodeError:
            refusal = "no text in UTF-8"
    if refusal is not None:
        _unfit(file, refusal, batch, wanted=wanted)
        return
    start = _json_start(text)
    if start is None:
        if not wanted and not _may_be_template(text):
            batch.skipped.append((file, "no template, plan, state or stack"))
            return
        _template(read_yaml(text, file), file, batch, wanted=wanted, text=text)
        return
    if _is_event_log(text[start : start + 400]):
        cause = "a stream of engine events: give `pulumi preview --json` or `pulumi stack export`"
        _unfit(file, cause, batch, wanted=wanted)
        return
    if not wanted and not _may_be_ours(text):
        batch.skipped.append((file, _NOT_OURS))
        return
    document = read_json(text[start:] if start else text, file)
    if len(text) > TEMPLATE_MAX:
        text = ""  # only templates need line numbers, and no template is this large
    _document(document, file, batch, wanted=wanted, text=text)


def _take_large(raw: Buffer, file: str, batch: _Batch, *, wanted: bool) -> bool:
    """Read one large document, if it is as a machine writes it; return whether it was."""
    large = read_large(raw, each=_EACH, whole=_WHOLE, dropped=_NO_PLAN)
    if large is None:
        return False
    if not wanted and not large.keys() & _OURS:
        batch.skipped.append((file, _NOT_OURS))
    else:
        give_back = partial(release, raw)
        _document(large, file, batch, wanted=wanted, text="", release=give_back)
    return True


def _unfit(file: str, cause: str, batch: _Batch, *, wanted: bool) -> None:
    if wanted:
        raise InputError(file, cause)
    batch.skipped.append((file, cause))


def _refusal(raw: Buffer) -> str | None:
    if not raw[:4096].strip() and not raw[4096:].strip():
        return "empty"
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "text in UTF-16, as PowerShell's > writes it: write it as UTF-8"
    if raw[:2] == b"PK":
        return "a plan in Terraform's own format: `terraform show -json FILE > plan.json` first"
    if raw[:2] == b"\x1f\x8b":
        return "compressed: unpack it first"
    if b"\0" in raw[:4096]:
        return "binary"
    return None


def _json_start(text: str) -> int | None:
    """Return where the JSON begins; Pulumi may print its progress before it."""
    head = text.lstrip()
    if head[:1] in "{[":
        return len(text) - len(head)
    if "Previewing update" in text[:4000] or "@ previewing" in text[:4000].lower():
        at = text.find("\n{")
        return at + 1 if at >= 0 else None
    return None


def _is_event_log(head: str) -> bool:
    return '"sequence"' in head and '"timestamp"' in head and '"preludeEvent"' in head


def _may_be_ours(text: str) -> bool:
    return any(f'"{mark}"' in text for mark in _OURS)


def _may_be_template(text: str) -> bool:
    return bool(re.search(r"^Resources:", text, re.MULTILINE))


def _document(
    document: Any,  # noqa: ANN401 - whatever the JSON holds
    file: str,
    batch: _Batch,
    *,
    wanted: bool,
    text: str,
    release: Callable[[], None] = lambda: None,
) -> None:
    if not isinstance(document, Mapping):
        _unfit(file, "JSON, but no plan, state, stack or template", batch, wanted=wanted)
        return
    keys = set(document)
    check_shape(document, file)
    if not wanted and keys & _OF_SOURCE and any(Path(file).parent.glob("*.tf")):
        cause = "what the source beside it is read for: give it by name to read it instead"
        batch.skipped.append((file, cause))
        return
    if keys & {"resource_changes", "planned_values"} or (
        "format_version" in keys and keys & {"values", "configuration"}
    ):
        batch.part(file).resources.extend(TerraformPlan(document, file, release).load())
    elif "lineage" in keys:
        _state(document, file, batch)
    elif keys & {"deployment", "checkpoint"} or _is_preview(document):
        _pulumi(document, file, batch.part(file))
    elif "artifacts" in keys:
        _assembly(document, Path(file), batch)
        return
    elif isinstance(document.get("Resources"), Mapping):
        _template(document, file, batch, wanted=wanted, text=text)
        return
    else:
        _unfit(file, _whose(keys), batch, wanted=wanted)
        return
    batch.files.append(file)


def _whose(keys: set[str]) -> str:
    """Return what an unsupported document is."""
    if "format_version" in keys:
        return "a plan or a state without resources: was it written by `show -json`?"
    if {"runs", "$schema"} <= keys:
        return "a SARIF report, and no plan, state, stack or template"
    if "check_type" in keys or "results" in keys:
        return "another checker's report, and no plan, state, stack or template"
    return "JSON, but no plan, state, stack or template"


def _state(document: Mapping[str, Any], file: str, batch: _Batch) -> None:
    version = document.get("version")
    if version != 4:  # noqa: PLR2004 - the version that Terraform 0.12 and later write
        raise InputError(file, f"a state of version {version}; only version 4 can be read")
    batch.part(file).resources.extend(TerraformPlan(document, file).load())


def _is_preview(document: Mapping[str, Any]) -> bool:
    steps = document.get("steps")
    if isinstance(steps, list):
        return (
            "changeSummary" in document
            or "config" in document
            or any(isinstance(step, Mapping) and "urn" in step for step in steps)
        )
    resources = document.get("resources")
    return isinstance(resources, list) and any(
        isinstance(resource, Mapping) and "urn" in resource for resource in resources
    )


def _pulumi(document: Mapping[str, Any], file: str, part: Part) -> None:
    stack = Stack(document, file)
    part.resources.extend(stack.load())
    part.names |= {f"stack {name}" for name in {*stack.own_names(), *stack.references().values()}}
    if stack.short:
        part.facts["partial"] = (
            f"{file}: {stack.short} unchanged resources are not shown; "
            "use `pulumi preview --json --show-sames`, or give the stack's export as well"
        )
    provider = ((document.get("deployment") or {}).get("secrets_providers")) or {}
    url = str((provider.get("state") or {}).get("url") or "")
    if url.startswith("awskms://"):
        part.resources.append(_backend(file, "secrets provider", url))


def _backend(file: str, what: str, text: str) -> Resource:
    region = next((part for part in re.split(r"[^a-z0-9-]+", text) if is_region(part)), None)
    return Resource(
        id=f"{file}#{what}",
        name=f"{what} of {file}",
        kind="backend",
        type="backend",
        region=region,
        place=Place(file),
        dialect="",
    )


def _template(document: Any, file: str, batch: _Batch, *, wanted: bool, text: str) -> None:  # noqa: ANN401 - whatever the text holds
    resources = document.get("Resources") if isinstance(document, Mapping) else None
    if not isinstance(resources, Mapping):
        _unfit(file, "no template: it has no Resources", batch, wanted=wanted)
        return
    lines = line_finder(document, text)
    part = batch.part(file)
    _name_unknown(resources, file, part, lines)
    regions = _regions_for(file, batch)
    for region in regions:
        template = Template(
            document,
            file,
            region=region,
            parameters=batch.options.parameters,
            instance=f"{region}>" if len(regions) > 1 else "",
            lines=lines,
        )
        template.nest(partial(_nested, batch, part))
        template.deploy(partial(_of_stack_set, batch, part))
        part.unread.extend(template.unread())
        batch.templates.append((template, part))
    batch.files.append(file)


def _name_unknown(
    resources: Mapping[str, Any], file: str, part: Part, lines: Callable[[str], int | None]
) -> None:
    """Reject entries that are not resources, and report those that AWS expands or transforms."""
    for logical, resource in resources.items():
        type_ = resource.get("Type") if isinstance(resource, Mapping) else None
        if logical.startswith("Fn::"):
            named = "::".join(logical.split("::")[:2])  # such as of Fn::ForEach::Copies
            cause = f"{named} is expanded by AWS only"
            part.unread.append((f"{file}#{logical}", cause))
        elif isinstance(resource, Mapping) and "Fn::Transform" in resource:
            part.unread.append((f"{file}#{logical}", "Fn::Transform is expanded by AWS only"))
        elif not isinstance(type_, str):
            cause = f"{logical} is a resource without a Type"
            raise InputError(file, cause, line=lines(logical))
        elif type_.startswith("AWS::Serverless::"):
            cause = "SAM makes more of it than is written: check what it is transformed to"
            part.unread.append((f"{file}#{logical}", cause))


def _nested(
    batch: _Batch, part: Part, path: Path
) -> tuple[Mapping[str, Any], Callable[[str], int | None]] | None:
    if not path.is_file():
        return None
    found: list[tuple[Mapping[str, Any], Callable[[str], int | None]]] = []

    def take() -> None:
        document, lines = _template_of(path)
        _name_unknown(document["Resources"], str(path), part, lines)
        found.append((document, lines))

    _guarded(str(path), batch, take)
    return found[0] if found else None


def _of_stack_set(
    batch: _Batch,
    part: Part,
    body: Any,  # noqa: ANN401 - a template in either form
    url: Any,  # noqa: ANN401 - as above
    where: str,
) -> tuple[Mapping[str, Any], str] | None:
    """Return the template of a stack set: its text, the same as a table, or a file beside it."""
    written = isinstance(body, str | Mapping)
    if not written and (not isinstance(url, str) or "://" in url):
        return None
    found: list[tuple[Mapping[str, Any], str]] = []

    def take() -> None:
        file = "" if written else str(Path(where).parent / url)
        if file and not Path(file).is_file():
            return
        text = read_text(Path(file)) if file else body
        name = file or where
        document, lines = (
            _parsed(text, name) if isinstance(text, str) else _as_template(text, "", name)
        )
        _name_unknown(document["Resources"], name, part, lines)
        found.append((document, file))

    _guarded(where, batch, take)
    return found[0] if found else None


def _template_of(path: Path) -> tuple[Mapping[str, Any], Callable[[str], int | None]]:
    """Return a template, in JSON or YAML, and what finds its resources' lines.

    Raises:
        InputError: If it is not a template.
    """
    return _parsed(read_text(path), str(path))


def _parsed(text: str, name: str) -> tuple[Mapping[str, Any], Callable[[str], int | None]]:
    """Return a text as a template, and what finds its resources' lines.

    Raises:
        InputError: If it is not a template.
    """
    is_json = re.match(r'\s*\{\s*["}]', text)  # without quotes it is YAML on one line
    return _as_template(read_json(text, name) if is_json else read_yaml(text, name), text, name)


def _as_template(
    document: object, text: str, name: str
) -> tuple[Mapping[str, Any], Callable[[str], int | None]]:
    if not isinstance(document, Mapping) or not isinstance(document.get("Resources"), Mapping):
        raise InputError(name, "no template: it has no Resources")
    return document, line_finder(document, text)


def _regions_for(file: str, batch: _Batch) -> list[str | None]:
    """Return the Regions that a template is deployed to; `None` if nobody says."""
    path = Path(file)
    for name, region in batch.options.regions.items():
        if name in {file, path.name, path.stem, ""} or path.as_posix().endswith(f"/{name}"):
            batch.placed.add(name)
            return list(region.split(","))
    return [None]


def _assembly(manifest: Mapping[str, Any], path: Path, batch: _Batch, depth: int = 0) -> None:
    """Read a CDK cloud assembly: each stack with the Region of its environment."""
    artifacts = manifest["artifacts"]
    for name, artifact in artifacts.items():
        _guarded(str(path), batch, partial(_artifact, name, artifact, path, batch, depth))


def _artifact(name: str, item: Mapping[str, Any], path: Path, batch: _Batch, depth: int) -> None:
    properties = item.get("properties") or {}
    if item.get("type") == "cdk:cloud-assembly" and depth < _STAGES_MAX:
        inner = path.parent / str(properties.get("directoryName")) / "manifest.json"
        document = read_json(read_text(inner), str(inner))
        check_shape(document, str(inner))
        _assembly(document, inner, batch, depth + 1)
    if item.get("type") != "aws:cloudformation:stack":
        return
    file = path.parent / str(properties.get("templateFile"))
    region = str(item.get("environment") or "").rpartition("/")[2]
    document, lines = _template_of(file)
    part = batch.part(path)  # one app is one part, whatever it has stacks
    _name_unknown(document["Resources"], str(file), part, lines)
    template = Template(
        document,
        str(file),
        region=region if is_region(region) else _regions_for(str(file), batch)[0],
        parameters=batch.options.parameters,
        name=str(properties.get("stackName") or name),
        lines=lines,
    )
    template.nest(partial(_nested, batch, part))
    part.unread.extend(template.unread())
    batch.templates.append((template, part))
    batch.files.append(str(file))


def _is_assembly(directory: Path) -> bool:
    """Return whether a directory is what `cdk synth` writes."""
    manifest = directory / "manifest.json"
    return manifest.is_file() and _bytes(manifest).find(b'"artifacts"') >= 0


def _assembly_in(directory: Path, batch: _Batch) -> None:
    manifest = directory / "manifest.json"
    document = read_json(read_text(manifest), str(manifest))
    check_shape(document, str(manifest))
    _assembly(document, manifest, batch)


def _directory(path: Path, batch: _Batch) -> None:
    """Read the files in a directory, and record what was skipped."""
    if _is_assembly(path):
        _assembly_in(path, batch)
        return
    before = len(batch.files)
    todo = [path]
    while todo:
        here = todo.pop(0)
        try:
            entries = [
                entry for entry in sorted(here.iterdir()) if not _excluded(entry, path, batch)
            ]
        except OSError as error:
            batch.problems.append(InputError(str(here), error.strerror or "cannot be read"))
            continue
        if _is_assembly(here):  # with what it holds, of which its manifests say where it goes
            _guarded(str(here), batch, partial(_assembly_in, here, batch))
            continue
        todo = [entry for entry in entries if entry.is_dir() and _worth(entry)] + todo
        _files_of(here, [entry for entry in entries if entry.is_file()], batch)
    if len(batch.files) == before and not batch.problems and not _unread(batch.parts.values()):
        cause = "nothing in it is a plan, a state, a stack, a template or a program"
        raise InputError(str(path), cause)


def _excluded(entry: Path, root: Path, batch: _Batch) -> bool:
    """Return whether a pattern leaves an entry out: by its path below the root, or by its name."""
    below = entry.relative_to(root).as_posix()
    found = {
        pattern
        for pattern in batch.options.exclude
        if any(fnmatch.fnmatchcase(name, pattern.rstrip("/")) for name in (below, entry.name))
    }
    batch.excluded |= found
    return bool(found)


def _worth(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name in _IGNORED
    return not hidden and not path.is_symlink()


def _files_of(here: Path, files: list[Path], batch: _Batch) -> None:
    names = {file.name for file in files}
    if any(file.suffix == ".tf" for file in files):
        _guarded(str(here), batch, lambda: _terraform_source(here, batch))
    if "Pulumi.yaml" in names:
        _guarded(str(here), batch, lambda: _program(here, batch))
    for file in files:
        if file.suffix in _SUFFIXES and not file.name.startswith(("Pulumi.", ".")):
            _guarded(str(file), batch, partial(_file, file, batch, wanted=False))


def _program(here: Path, batch: _Batch) -> None:
    run = batch.options.program
    project = read_yaml(read_text(here / "Pulumi.yaml"), str(here / "Pulumi.yaml"))
    runtime = project.get("runtime") if isinstance(project, Mapping) else None
    runtime = runtime.get("name") if isinstance(runtime, Mapping) else runtime
    if isinstance(runtime, str) and runtime != "python":
        documents: Sequence[Mapping[str, Any]] | str = OTHER_LANGUAGE.format(runtime)
    else:
        documents = run(here, {}) if run is not None else NOT_RUN
    if isinstance(documents, str):
        batch.miss(here, documents, is_file=False)
        return
    part = batch.part(here, is_file=False)
    batch.programs.append(FoundProgram(here, part, documents))
    batch.files.append(str(here))


def _declared(found: FoundProgram) -> None:
    """Give a program's part what the program declares."""
    here, part = str(found.where), found.part
    for document in found.documents:
        _pulumi(document, here, part)
        for backend in document.get("backends") or ():
            part.resources.append(_backend(here, backend["what"], backend["text"]))
        for sentence, decides in (document.get("imagined") or {}).items():
            # What the program never decided by hides nothing that it makes.
            (part.unread if decides else part.imagined).append((here, str(sentence)))


def _terraform_source(here: Path, batch: _Batch, only: Path | None = None) -> None:
    from otherside.check.readers.terraform.hcl import read_module  # noqa: PLC0415 - its parser loads slowly

    where = only or here
    part = batch.part(where, is_file=only is not None)
    named = batch.base in {None, here}
    batch.files.append(str(where))
    known = batch.modules.get(where.resolve())
    if known is not None:  # named twice, or named and found
        if named:
            known.where, known.named = part.where, True
        return
    options = batch.options

    def read(outputs: Outputs) -> "RootModule":
        return read_module(
            here,
            only,
            parameters=options.parameters,
            variable_files=options.variable_files,
            remote_outputs=outputs,
        )

    batch.modules[where.resolve()] = FoundModule(part.where, named, read({}), read)


def settle_regions(resources: list[Resource]) -> None:
    """Give each resource without a Region the Region that all its neighbours share."""
    by_id = {resource.id: resource for resource in resources}
    graph = Graph(resources)
    for _ in range(3):
        changed = False
        for resource in resources:
            if resource.region is None and resource.kind in _NEAR:
                found = {
                    link.resource.region
                    for path in _NEAR[resource.kind]
                    for link in graph.links(resource, resource.attributes.get(path))
                }
                found -= {None, GLOBAL}
                if len(found) == 1:
                    by_id[resource.id].region = found.pop()
                    changed = True
        if not changed:
            return


_NEAR: Mapping[str, tuple[str, ...]] = {
    "ec2.route": ("route_table_id",),
    "ec2.route_table": ("vpc_id",),
    "ec2.subnet": ("vpc_id",),
    "ec2.security_group": ("vpc_id",),
    "ec2.ingress_rule": ("security_group_id",),
    "ec2.egress_rule": ("security_group_id",),
    "rds.cluster_instance": ("cluster_identifier",),
    "events.target": ("rule",),
    "lambda.permission": ("function_name",),
    "s3.versioning": ("bucket",),
    "s3.encryption": ("bucket",),
    "s3.replication": ("bucket",),
    "backup.selection": ("plan_id",),
    "backup.vault_lock": ("backup_vault_name",),
    "lb.listener": ("load_balancer_arn",),
    "kms.alias": ("target_key_id",),
    "kms.key_policy": ("key_id",),
}
"""Attributes that name a resource's parent, whose Region it takes if its own is not given."""
