"""Read paths into one graph, recognize each file by its content, and report unreadable inputs."""

import fnmatch
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from otherside.check.readers.json_text import read_json
from otherside.check.readers.location import check_shape, line_finder
from otherside.check.readers.pulumi.stack import Stack
from otherside.check.readers.terraform.plan_json import TerraformPlan, project_change

if TYPE_CHECKING:
    from otherside.check.readers.terraform.hcl import RootModule

SIZE_MAX = 1 << 30
"""One gibibyte. A plan of 100,000 resources is a fifth of it."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the caller knows but the files do not say."""

    regions: Mapping[str, str] = field(default_factory=dict)
    """The Region of each template, by path or name."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Template parameters."""
    exclude: tuple[str, ...] = ()
    """Patterns of files and directories to leave out below a directory, by path or name."""
    program: Callable[[Path], Mapping[str, Any] | str] | None = None
    """Runs a Pulumi program, or returns why it does not; `None` runs none."""


@dataclass(slots=True)
class ReadResult:
    """What was read from the inputs, and what was not."""

    graph: Graph
    problems: list[InputError]
    skipped: list[tuple[str, str]]
    unread: list[tuple[str, str]]
    """Parts of the system that were not read, and why; they may contain anything."""
    files: list[str]


@dataclass(slots=True)
class _Batch:
    """What has been read so far, before stacks are joined."""

    options: ReadOptions
    resources: list[Resource] = field(default_factory=list)
    templates: list[Template] = field(default_factory=list)
    problems: list[InputError] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    modules: dict[Path, "RootModule"] = field(default_factory=dict)
    """Terraform directories, by their resolved path: one that another calls is read there only."""
    placed: set[str] = field(default_factory=set)
    """Names in `options.regions` that matched a template."""
    excluded: set[str] = field(default_factory=set)
    """Patterns in `options.exclude` that left something out."""


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
    settle_regions(batch.resources)
    batch.unread = list(dict.fromkeys(batch.unread))  # what is nested is found twice
    if batch.unread:
        batch.facts["unread"] = _few([name for name, _ in batch.unread])
    graph = Graph(batch.resources, facts=batch.facts)
    return ReadResult(graph, batch.problems, batch.skipped, batch.unread, batch.files)


def _few(names: list[str]) -> str:
    """Return some names and how many more there are."""
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"{', '.join(names[:NAMED_MAX])}{more}"


def _path(path: str, batch: _Batch, stdin: Callable[[], bytes]) -> None:
    if path == STDIN:
        _take(stdin(), "<stdin>", batch, wanted=True)
    elif Path(path).is_dir():
        _directory(Path(path), batch)
    else:
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
    for root in _uncalled(batch.modules):
        batch.resources.extend(root.resources)
        batch.unread.extend(root.unread)
    nested = {path for template in batch.templates for path in template.nested_files()}
    batch.templates = [
        template for template in batch.templates if Path(template.file).resolve() not in nested
    ]
    exports: dict[tuple[str | None, str], Any] = {}

    def load(template: Template) -> None:
        template.imports = exports
        batch.resources.extend(template.load())

    for template in batch.templates:
        _guarded(template.file, batch, lambda item=template: exports.update(item.exported()))  # type: ignore[misc]  # mypy cannot infer such a lambda
    for template in batch.templates:
        _guarded(template.file, batch, partial(load, template))


def _uncalled(modules: Mapping[Path, "RootModule"]) -> Iterator["RootModule"]:
    """Yield the modules that no other one calls, and one of each circle of those that do."""
    called = {path for root in modules.values() for path in root.called}
    first = sorted(modules.items(), key=lambda item: item[0] in called)
    read: set[Path] = set()
    for path, root in first:
        if path not in read:
            read |= {path, *root.called}
            yield root


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(str(path), "neither a file nor a directory; - is standard input")
        if status.st_size > SIZE_MAX:
            cause = f"{status.st_size / (1 << 30):.1f} GiB, and no more than 1 GiB is read"
            raise InputError(str(path), cause)
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error)) from None


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        InputError: If it is not a file, cannot be read, is too large or is not UTF-8 text.
    """
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(str(path), "no text in UTF-8") from None


def _file(path: Path, batch: _Batch, *, wanted: bool) -> None:
    if path.name.endswith(".tf.json"):
        cause = "Terraform in JSON, as CDKTF writes it: give its plan, by `terraform show -json`"
        if wanted:
            raise InputError(str(path), cause)
        batch.unread.append((str(path), cause))
        return
    if path.suffix == ".tf":
        _terraform_source(path.parent, batch, only=path)
        return
    _take(_bytes(path), str(path), batch, wanted=wanted)


def _take(raw: bytes, file: str, batch: _Batch, *, wanted: bool) -> None:
    """Read one document of any format; skip a foreign one unless the caller named its file."""
    refusal = _refusal(raw)
    if refusal is None:
        try:
            text = raw.decode("utf-8-sig")
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
        batch.skipped.append((file, "no template, plan, state or stack"))
        return
    document = read_json(
        text[start:] if start else text,
        file,
        each={"resource_changes": project_change},
        dropped=_NO_PLAN,
    )
    if len(text) > TEMPLATE_MAX:
        text = ""  # only templates need line numbers, and no template is this large
    _document(document, file, batch, wanted=wanted, text=text)


def _unfit(file: str, cause: str, batch: _Batch, *, wanted: bool) -> None:
    if wanted:
        raise InputError(file, cause)
    batch.skipped.append((file, cause))


def _refusal(raw: bytes) -> str | None:
    if not raw.strip():
        return "empty"
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "text in UTF-16, as PowerShell's > writes it: write it as UTF-8"
    if raw[:2] == b"PK":
        return "a plan in Terraform's own format: `terraform show -json FILE > plan.json` first"
    if raw[:2] == b"\x1f\x8b":
        return "compressed: unpack it first"
    if b"\x00" in raw[:4096]:
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
    marks = ["resource_changes", "terraform_version", "Resources", "deployment", "checkpoint"]
    marks += ["steps", "artifacts", "lineage"]
    return any(f'"{mark}"' in text for mark in marks)


def _may_be_template(text: str) -> bool:
    return bool(re.search(r"^Resources:", text, re.MULTILINE))


def _document(document: Any, file: str, batch: _Batch, *, wanted: bool, text: str) -> None:  # noqa: ANN401 - whatever the JSON holds
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
        batch.resources.extend(TerraformPlan(document, file).load())
    elif "lineage" in keys:
        _state(document, file, batch)
    elif keys & {"deployment", "checkpoint"} or _is_preview(document):
        _pulumi(document, file, batch)
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
    batch.resources.extend(TerraformPlan(document, file).load())


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


def _pulumi(document: Mapping[str, Any], file: str, batch: _Batch) -> None:
    stack = Stack(document, file)
    batch.resources.extend(stack.load())
    if stack.short:
        batch.facts["partial"] = (
            f"{file}: {stack.short} unchanged resources are not shown; "
            "use `pulumi preview --json --show-sames`, or give the stack's export as well"
        )
    provider = ((document.get("deployment") or {}).get("secrets_providers")) or {}
    url = str((provider.get("state") or {}).get("url") or "")
    if url.startswith("awskms://"):
        batch.resources.append(_backend(file, "secrets provider", url))


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
    _name_unknown(resources, file, batch, lines)
    template = Template(
        document,
        file,
        region=_region_for(file, batch),
        parameters=batch.options.parameters,
        lines=lines,
    )
    template.nest(partial(_nested, batch))
    batch.unread.extend(template.unread())
    batch.templates.append(template)
    batch.files.append(file)


def _name_unknown(
    resources: Mapping[str, Any], file: str, batch: _Batch, lines: Callable[[str], int | None]
) -> None:
    """Reject entries that are not resources, and report those that AWS expands or transforms."""
    for logical, resource in resources.items():
        type_ = resource.get("Type") if isinstance(resource, Mapping) else None
        if logical.startswith("Fn::"):
            cause = f"{logical.rpartition('::')[0] or logical} is expanded by AWS only"
            batch.unread.append((f"{file}#{logical}", cause))
        elif not isinstance(type_, str):
            cause = f"{logical} is a resource without a Type"
            raise InputError(file, cause, line=lines(logical))
        elif type_.startswith("AWS::Serverless::"):
            cause = "SAM makes more of it than is written: check what it is transformed to"
            batch.unread.append((f"{file}#{logical}", cause))
        elif type_ == "AWS::CloudFormation::StackSet":
            cause = "a stack set, whose template AWS deploys elsewhere: check it by itself"
            batch.unread.append((f"{file}#{logical}", cause))


def _nested(
    batch: _Batch, path: Path
) -> tuple[Mapping[str, Any], Callable[[str], int | None]] | None:
    if not path.is_file():
        return None
    found: list[tuple[Mapping[str, Any], Callable[[str], int | None]]] = []

    def take() -> None:
        document, lines = _template_of(path)
        _name_unknown(document["Resources"], str(path), batch, lines)
        found.append((document, lines))

    _guarded(str(path), batch, take)
    return found[0] if found else None


def _template_of(path: Path) -> tuple[Mapping[str, Any], Callable[[str], int | None]]:
    """Return a template, in JSON or YAML, and what finds its resources' lines.

    Raises:
        InputError: If it is not a template.
    """
    text = read_text(path)
    is_json = text.lstrip()[:1] == "{"
    document = read_json(text, str(path)) if is_json else read_yaml(text, str(path))
    if not isinstance(document, Mapping) or not isinstance(document.get("Resources"), Mapping):
        raise InputError(str(path), "no template: it has no Resources")
    return document, line_finder(document, text)


def _region_for(file: str, batch: _Batch) -> str | None:
    path = Path(file)
    for name, region in batch.options.regions.items():
        if name in {file, path.name, path.stem, ""} or path.as_posix().endswith(f"/{name}"):
            batch.placed.add(name)
            return region
    return None


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
    _name_unknown(document["Resources"], str(file), batch, lines)
    template = Template(
        document,
        str(file),
        region=region if is_region(region) else _region_for(str(file), batch),
        parameters=batch.options.parameters,
        name=str(properties.get("stackName") or name),
        lines=lines,
    )
    template.nest(partial(_nested, batch))
    batch.unread.extend(template.unread())
    batch.templates.append(template)
    batch.files.append(str(file))


def _directory(path: Path, batch: _Batch) -> None:
    """Read the files in a directory, and record what was skipped."""
    manifest = path / "manifest.json"
    if manifest.is_file() and b'"artifacts"' in _bytes(manifest):
        document = read_json(read_text(manifest), str(manifest))
        check_shape(document, str(manifest))
        _assembly(document, manifest, batch)
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
        todo = [entry for entry in entries if entry.is_dir() and _worth(entry)] + todo
        _files_of(here, [entry for entry in entries if entry.is_file()], batch)
    if len(batch.files) == before and not batch.problems and not batch.unread:
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
        document: Mapping[str, Any] | str = OTHER_LANGUAGE.format(runtime)
    else:
        document = run(here) if run is not None else NOT_RUN
    if isinstance(document, str):
        batch.unread.append((str(here), document))
        return
    _pulumi(document, str(here), batch)
    for backend in document.get("backends") or ():
        batch.resources.append(_backend(str(here), backend["what"], backend["text"]))
    batch.unread += [(str(here), str(sentence)) for sentence in document.get("imagined") or ()]
    batch.files.append(str(here))


def _terraform_source(here: Path, batch: _Batch, only: Path | None = None) -> None:
    from otherside.check.readers.terraform.hcl import read_module  # noqa: PLC0415 - its parser loads slowly

    root = read_module(here, only)
    batch.modules[(only or here).resolve()] = root
    batch.files.append(str(only or here))


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
