"""Read Terraform source from its text alone: literals, defaults, locals and local modules."""

import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from otherside.check.model.arn import OWN, is_region
from otherside.check.model.graph import GLOBAL, Place, Resource, is_global
from otherside.check.model.schema import by_terraform
from otherside.check.model.values import Ref, Unknown, Value, not_given, parts
from otherside.check.readers.boot_script import as_shell, part_of
from otherside.check.readers.input_error import InputError
from otherside.check.readers.normalize import (
    attributes_of,
    finish,
    unknown_properties,
)
from otherside.check.readers.passwords import Parameter, is_secret_name, secret_variable
from otherside.check.readers.terraform.hcl_values import (
    Scope,
    SyntaxNode,
    as_document,
    condition_of,
    evaluate,
    into,
    with_optional,
)
from otherside.check.readers.terraform.plan_json import (
    DIALECT,
    WITHOUT_REGION,
    own_region,
    special_values,
    suppressed_by_tags,
)
from otherside.check.readers.terraform.registry import described, is_description
from otherside.check.readers.terraform.remote_state import state_identity

_META = {"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"}
_IGNORE = re.compile(r"(?:#|//)\s*otherside:\s*ignore\s+([\w-]+)\s*[:\-]?\s*(.*)")
_PARTITION = {
    "partition": "aws",
    "id": "aws",
    "dns_suffix": "amazonaws.com",
    "reverse_dns_prefix": "com.amazonaws",
}
_OUTPUTS = "*outputs"
"""Stands among what is being evaluated for all outputs of a module."""
_INSTANCE = re.compile(r"\[(?:\"(?P<key>[^\"]*)\"|\d+)\]\.$")
"""The end of the prefix of one instance of a module."""
_MODULES_MAX = 200
_INSTANCES_MAX = 2_000
_FILE_MAX = 4 << 20
_NESTING_MAX = 500
_VALUES_MAX = 100_000


@dataclass(slots=True)
class Block:
    """One block: its labels, attributes, nested blocks and position."""

    kind: str
    labels: tuple[str, ...]
    attributes: dict[str, SyntaxNode]
    blocks: list["Block"]
    file: str
    line: int
    end: int


@dataclass(slots=True)
class Module:
    """A source directory, as one module call configures it."""

    directory: Path
    prefix: str
    blocks: list[Block]
    given: Mapping[str, Value]
    providers: Mapping[str, str | None]
    """The Region of each provider, by its name in this module: `aws`, `aws.dr`."""
    names: Mapping[str, str]
    """Each provider's name in the root module."""
    above: frozenset[Path] = frozenset()
    """The directories of the modules that called it, one by way of the other."""
    place: Place | None = None
    """Where it is called, if its own lines are ours and not the user's."""
    only_if: Mapping[str, bool] = field(default_factory=dict)
    """The conditions that decide at deployment whether it is called at all."""
    children: dict[str, list["Module"]] = field(default_factory=dict)
    locals: dict[str, SyntaxNode] = field(default_factory=dict)
    variables: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    resources: dict[str, Block] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    known: dict[str, Value] = field(default_factory=dict)
    """Locals that have been evaluated."""

    def __post_init__(self) -> None:
        """Index the declarations."""
        for block in self.blocks:
            match block.kind, block.labels:
                case "locals", ():
                    self.locals |= block.attributes
                case "variable", (name,):
                    self.variables[name] = block
                case "output", (name,):
                    self.outputs[name] = block
                case "resource", (type_, name):
                    self.resources[f"{type_}.{name}"] = block
                case "data", (type_, name):
                    self.resources[f"data.{type_}.{name}"] = block


@dataclass(frozen=True, slots=True, kw_only=True)
class RootModule:
    """A root module with every module that it calls, as far as they are on this disk."""

    resources: list[Resource]
    unread: list[tuple[str, str]]
    """Modules that are not, and why; they may contain anything."""
    called: frozenset[Path]
    """Directories of the modules that were read where they are called."""
    states: frozenset[str]
    """Where its state is, and where the states are that it reads: the buckets' names."""
    own_state: str | None
    """Its own state, as `state_identity` names it."""
    remote_states: frozenset[str]
    """The states that it reads."""
    outputs: Callable[[], Mapping[str, Value]]
    """Returns its outputs, for who reads its state."""
    callable_only: bool
    """Whether it has neither a provider nor a backend, and needs variables: a caller makes it."""


def read_module(
    directory: Path,
    only: Path | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    variable_files: tuple[Path, ...] = (),
    remote_outputs: Mapping[str, Mapping[str, Value]] | None = None,
) -> RootModule:
    """Return the resources of a root module, and what of it was not read.

    Args:
        directory: Where it is.
        only: The one file of it to read; `None` reads all.
        parameters: Values of its variables, as `-var` takes them.
        variable_files: Files with values of its variables, as `-var-file` takes them.
        remote_outputs: The outputs of other roots, by the name of their state.

    Raises:
        InputError: If one of its files is not valid Terraform.
    """
    reader = _Reader(directory, remote_outputs or {})
    root = reader.root(only, parameters or {}, variable_files)
    resources = [*reader.load(root), *reader.calls]
    if any(address.startswith("data.terraform_remote_state.") for address in root.resources):
        reader.outputs(root)  # what only passes through is read from a state, too
    return RootModule(
        resources=resources,
        own_state=reader.own_state(root),
        remote_states=frozenset(reader.remote_states),
        outputs=partial(reader.outputs, root),
        unread=reader.unread,
        called=frozenset(reader.called),
        states=frozenset(_states(root)),
        callable_only=_callable_only(root),
    )


def _parameters(root: Module, given: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
    """Yield the variables of a root that have a value given, in the type that they declare."""
    for name, text in given.items():
        if name not in root.variables:
            continue
        declared = root.variables[name].attributes.get("type")
        if declared is None or _dotted(declared) in {"string", "any"}:
            yield name, Parameter(text, f"var.{name}", defaulted=False)
            continue
        try:
            yield name, json.loads(text)
        except ValueError:
            yield name, Unknown(why=f"given as {text}, which is not of its type")


def _states(root: Module) -> Iterator[str]:
    for block in root.blocks:
        held = [item for item in block.blocks if item.kind == "backend"]
        for item in held if block.kind == "terraform" else ():
            bucket = evaluate(item.attributes.get("bucket"), _bare_scope())
            if isinstance(bucket, str):
                yield bucket
        if block.kind == "data" and block.labels[:1] == ("terraform_remote_state",):
            config = evaluate(block.attributes.get("config"), _bare_scope())
            bucket = config.get("bucket") if isinstance(config, Mapping) else None
            if isinstance(bucket, str):
                yield bucket


def _callable_only(root: Module) -> bool:
    for block in root.blocks:
        if block.kind == "provider":
            return False
        if block.kind == "terraform" and any(
            item.kind in {"backend", "cloud"} for item in block.blocks
        ):
            return False
    return any(
        block.kind == "variable" and "default" not in block.attributes for block in root.blocks
    )


class _Reader:
    """Reads one root module and the modules that it calls."""

    def __init__(self, directory: Path, remote: Mapping[str, Mapping[str, Value]]) -> None:
        self.directory, self.remote = directory, remote
        self.remote_states: set[str] = set()
        self.unread: list[tuple[str, str]] = []
        self.calls: list[Resource] = []
        self.called: set[Path] = set()
        self.installed = _installed(directory)
        self.modules = 0
        self.sources: dict[str, list[str]] = {}

    def root(
        self, only: Path | None, parameters: Mapping[str, str], variable_files: tuple[Path, ...]
    ) -> Module:
        files = [only] if only is not None else sorted(self.directory.glob("*.tf"))
        blocks = self._all_blocks(files)
        module = Module(self.directory, "", blocks, self._variables(variable_files), {}, {})
        module.given = {**module.given, **dict(_parameters(module, parameters))}
        self._configure_providers(module)
        self._call_modules(module)
        return module

    def _configure_providers(self, module: Module) -> None:
        """Add the providers that a module configures itself to those that it is handed."""
        regions, names = dict(module.providers), dict(module.names)
        for block in module.blocks:
            if block.kind == "provider" and block.labels == ("aws",):
                alias = evaluate(block.attributes.get("alias"), self.scope(module))
                name = f"aws.{alias}" if isinstance(alias, str) else "aws"
                region = evaluate(block.attributes.get("region"), self.scope(module))
                regions[name] = str(region) if is_region(region) else None
                names[name] = f"{module.prefix}provider.{name}" if module.prefix else name
        module.providers, module.names = regions, names

    def _variables(self, variable_files: tuple[Path, ...]) -> dict[str, Value]:
        """Return the values from `terraform.tfvars`, `*.auto.tfvars` and the files given."""
        found: dict[str, Value] = {}
        names = [self.directory / "terraform.tfvars", *sorted(self.directory.glob("*.auto.tfvars"))]
        names += variable_files
        for file in names:
            if file.is_file():
                for name, node in _body(self._tree(file)).attributes.items():
                    value = evaluate(node, _bare_scope())
                    if isinstance(value, str):
                        value = Parameter(value, f"var.{name}", defaulted=True, file=file.name)
                    found[name] = value
        return found

    def _tree(self, file: Path) -> Tree[Token]:
        try:
            if file.stat().st_size > _FILE_MAX:
                raise InputError(str(file), "larger than any Terraform source")
            text = file.read_text(encoding="utf-8-sig")
            self.sources[str(file)] = text.splitlines()
            if _nesting(text) > _NESTING_MAX:
                raise InputError(str(file), "nested too deeply to be Terraform's language")
            tree: Tree[Token] = hcl2.parses_to_tree(text if text.endswith("\n") else f"{text}\n")
        except OSError as error:
            raise InputError(str(file), error.strerror or str(error)) from None
        except UnicodeDecodeError:
            raise InputError(str(file), "no text in UTF-8") from None
        except UnexpectedInput as error:
            cause = f"no Terraform: unexpected {_found(error)}"
            raise InputError(str(file), cause, line=max(error.line, 1)) from None
        except (LarkError, RecursionError) as error:
            cause = str(error).splitlines()[0] if str(error) else "nested too deeply"
            raise InputError(str(file), f"no Terraform: {cause}") from None
        return tree

    def _all_blocks(self, files: list[Path]) -> list[Block]:
        """Return the blocks of all files.

        Raises:
            InputError: For the first unreadable file, followed by the errors of the others.
        """
        found: list[Block] = []
        wrong: list[InputError] = []
        for file in files:
            try:
                found += self._blocks(file)
            except InputError as error:
                wrong.append(error)
        if wrong:
            more = "".join(f"; {input_error}" for input_error in wrong[1:])
            raise InputError(wrong[0].file, f"{wrong[0].cause}{more}", line=wrong[0].line)
        return found

    def _blocks(self, file: Path) -> list[Block]:
        return _body(self._tree(file), str(file)).blocks

    def _call_modules(self, module: Module) -> None:
        for block in module.blocks:
            if block.kind != "module" or len(block.labels) != 1:
                continue
            source = evaluate(block.attributes.get("source"), _bare_scope())
            directory = self._found(module, block, source)
            self.modules += 1
            reason = ""
            if directory is None:
                reason = (
                    "a module that is not on this disk: `terraform init` fetches it, or check "
                    "what `terraform show -json` writes"
                )
            elif not directory.is_dir() or self.modules > _MODULES_MAX:
                reason = "is not there" if not directory.is_dir() else "is one module too many"
            elif directory.resolve() in {module.directory.resolve(), *module.above}:
                reason = "calls itself"
            if reason or directory is None:
                name = f"{module.prefix}module.{block.labels[0]}"
                shown = source if isinstance(source, str) else "a source that is not a text"
                self.unread.append((f"{block.file}:{block.line} {name} ({shown})", reason))
                self.calls.append(self._call(module, block, name))
                continue
            made = list(self._instances_of(module, block, directory))
            if made:
                self.called.add(directory.resolve())
            self.modules += len(made)
            module.children[block.labels[0]] = made

    def _call(self, module: Module, call: Block, name: str) -> Resource:
        """Return the call of a module that was not read: of its inputs, those that hold secrets."""
        scope = self.scope(module)
        given = {
            key: secret_variable(key, evaluate(node, scope))
            for key, node in call.attributes.items()
            if is_secret_name(key)
        }
        return Resource(
            id=self._identifier(module, f"module.{call.labels[0]}"),
            name=name,
            kind="module.call",
            type="module",
            region=None,
            place=Place(call.file, call.line),
            dialect="terraform",
            attributes={"secrets": given},
        )

    def _found(self, module: Module, call: Block, source: Value) -> Path | None:
        """Return the directory of a called module: local, fetched by init, or described by us."""
        if isinstance(source, str) and source.startswith("."):
            return Path(os.path.normpath(module.directory / source))
        names = re.findall(r"module\.([^.\[]+)", f"{module.prefix}module.{call.labels[0]}")
        fetched = self.installed.get(".".join(names))
        if fetched is not None or not isinstance(source, str):
            return fetched
        pinned = call.attributes.get("version")
        return described(source, None if pinned is None else evaluate(pinned, _bare_scope()))

    def _instances_of(self, module: Module, call: Block, directory: Path) -> Iterator[Module]:
        blocks = [block for file in sorted(directory.glob("*.tf")) for block in self._blocks(file)]
        names = self._passed(module, call)
        for index, each in self.instances(call, module):
            scope = self.scope(module, each)
            given = {
                name: evaluate(node, scope)
                for name, node in call.attributes.items()
                if name not in _META | {"source", "version", "providers"}
            }
            prefix = f"{module.prefix}module.{call.labels[0]}{index}."
            providers = {here: module.providers.get(there) for here, there in names.items()}
            roots = {here: module.names.get(there, there) for here, there in names.items()}
            above = module.above | {module.directory.resolve()}
            child = Module(directory, prefix, blocks, given, providers, roots, above)
            child.only_if = {**module.only_if, **self._only_if(call, module)}
            if is_description(directory):
                child.place = Place(call.file, call.line)
            self._configure_providers(child)
            if prefix.count("module.") < 10:  # noqa: PLR2004 - a module that calls itself
                self._call_modules(child)
            yield child

    def _passed(self, module: Module, call: Block) -> dict[str, str]:
        """Map each provider name in the module to the caller's provider."""
        found = {"aws": "aws"} if "aws" in module.providers else {}
        node = call.attributes.get("providers")
        return found | _provider_map(node)

    def instances(self, block: Block, module: Module) -> Iterator[tuple[str, Mapping[str, Value]]]:
        """Yield each instance of a block: its index, and its values of `each` and `count`."""
        scope = self.scope(module)
        busy = f"{block.file}:{block.line}"
        if busy in module.busy:
            yield "", {"count": Unknown(why="as many as itself")}
            return
        module.busy.add(busy)
        found = list(self._instances(block, scope))
        module.busy.discard(busy)
        yield from found

    def _instances(self, block: Block, scope: Scope) -> Iterator[tuple[str, Mapping[str, Value]]]:
        if "count" in block.attributes:
            count = evaluate(block.attributes["count"], scope)
            if isinstance(count, int):
                for number in range(min(count, _INSTANCES_MAX)):
                    yield f"[{number}]", {"count": {"index": number}}
                return
            yield "", {"count": Unknown(why="a count")}
        elif "for_each" in block.attributes:
            items = evaluate(block.attributes["for_each"], scope)
            if isinstance(items, Mapping):
                for key, value in list(items.items())[:_INSTANCES_MAX]:
                    yield f'["{key}"]', {"each": {"key": key, "value": value}}
                return
            if isinstance(items, list) and all(isinstance(item, str) for item in items):
                for key in items[:_INSTANCES_MAX]:
                    yield f'["{key}"]', {"each": {"key": key, "value": key}}
                return
            yield "", {"each": Unknown(why="an element of what is not known")}
        else:
            yield "", {}

    def _only_if(self, block: Block, module: Module) -> Mapping[str, bool]:
        """Return what decides at deployment whether there is one at all, if something does."""
        name = "count" if "count" in block.attributes else "for_each"
        node, scope = block.attributes.get(name), self.scope(module)
        many = 1 if node is None else evaluate(node, scope)
        if not isinstance(many, Unknown):
            return {}
        plain = [branch for branch in many.either if not isinstance(branch, Unknown)]
        if plain and len(plain) == len(many.either):
            if all(plain):
                return {}
            if many.condition:
                return {many.condition: bool(plain[0])} if any(plain) else {}
        named = condition_of(node, scope) or f"{scope.module}{'.'.join(block.labels)}.{name}"
        return {f"{named}{'>0' if name == 'count' else ' has one'}": True}

    def scope(self, module: Module, names: Mapping[str, Value] | None = None) -> Scope:
        """Return the scope in which a module's expressions are evaluated."""
        return Scope(
            lambda path: self.look_up(module, path),
            names or {},
            lambda file: _text(module.directory, file),
            _expression,
            f"{self.directory}#{module.prefix}",
        )

    def look_up(self, module: Module, path: list[Any]) -> Value:
        """Return the value that a path of names refers to."""
        head, rest = path[0], path[1:]
        match head:
            case "var" if rest:
                return into(self._variable(module, str(rest[0])), rest[1:])
            case "local" if rest:
                return into(self._local(module, str(rest[0])), rest[1:])
            case "path":
                here = module.directory if rest == ["module"] else self.directory
                return str(here.resolve())  # so that it can be joined to any directory
            case "module" if rest:
                return self._output(module, rest)
            case "data" if len(rest) > 1:
                known = self._world(module, rest)
                return known if known is not None else self._resource(module, path, 3)
            case "terraform" | "each" | "count" | "self":
                return Unknown(why=f"{head}, which is not known here")
        return self._resource(module, path, 2) if rest else Unknown(why=f"{head}, which is no name")

    def _variable(self, module: Module, name: str) -> Value:
        block = module.variables.get(name)
        attributes = block.attributes if block is not None else {}
        default = (
            evaluate(attributes["default"], _bare_scope()) if "default" in attributes else None
        )
        type_ = attributes.get("type")
        if name in module.given:
            value = module.given[name]
            refused = (
                evaluate(attributes["nullable"], _bare_scope())
                if "nullable" in attributes
                else True
            )
            value = default if value is None and refused is False else value
            return with_optional(value, type_, _bare_scope())
        if "default" not in attributes:
            return not_given(f"the variable {name}")
        if isinstance(default, str):
            return Parameter(default, f"var.{name}", defaulted=True)
        return with_optional(default, type_, _bare_scope())

    def _local(self, module: Module, name: str) -> Value:
        if name in module.known:
            return module.known[name]
        if name not in module.locals or name in module.busy:
            return Unknown(why=f"the local {name}, which is not known")
        module.busy.add(name)
        try:
            value = evaluate(module.locals[name], self.scope(module))
        finally:
            module.busy.discard(name)
        if not self._fits(value):
            value = Unknown(why=f"the local {name}, which is too large")
        module.known[name] = value
        return value

    def _fits(self, value: Value) -> bool:
        """Return whether a value has a realistic size, counting shared parts each time."""
        count = 0
        for part in parts(value):
            count += 1 + (len(part) >> 8 if isinstance(part, str) else 0)
            if count > _VALUES_MAX:
                return False
        return True

    def _output(self, module: Module, path: list[Any]) -> Value:
        children = module.children.get(str(path[0]), [])
        rest = path[1:]
        if (rest and isinstance(rest[0], int | str) and len(children) > 1) or (
            rest and children and children[0].prefix.rstrip(".").endswith("]")
        ):
            index = f"[{rest[0]}]." if isinstance(rest[0], int) else f'["{rest[0]}"].'
            chosen = [child for child in children if child.prefix.endswith(index)]
            if chosen or rest[0] == "*":
                children, rest = chosen or children, rest[1:]
        if not children:
            return Unknown(why=f"an output of the module {path[0]}")
        if not rest:
            return self._whole(children)
        found = [self._one_output(child, str(rest[0])) for child in children]
        return into(found[0], rest[1:]) if len(found) == 1 else [into(o, rest[1:]) for o in found]

    def _whole(self, children: list[Module]) -> Value:
        """Return a module, or all of its instances, as a value with every output."""
        found = {}
        for child in children:
            if _OUTPUTS in child.busy:
                return Unknown(why="an output that is made of itself")
            child.busy.add(_OUTPUTS)
            try:
                values = {name: self._one_output(child, name) for name in child.outputs}
            finally:
                child.busy.discard(_OUTPUTS)
            found[child.prefix] = values if self._fits(values) else Unknown(why="a large module")
        keys = [_INSTANCE.search(prefix) for prefix in found]
        if len(found) == 1 and keys[0] is None:
            return next(iter(found.values()))
        if all(key is not None and key["key"] is not None for key in keys):
            return {
                key["key"]: value
                for key, value in zip(keys, found.values(), strict=True)
                if key is not None
            }
        return list(found.values())

    def outputs(self, module: Module) -> Mapping[str, Value]:
        """Return the outputs of a root; one that is too large is unknown."""
        found = {name: self._one_output(module, name) for name in module.outputs}
        return {
            name: value if self._fits(value) else Unknown(why=f"the large output {name}")
            for name, value in found.items()
        }

    def own_state(self, root: Module) -> str | None:
        """Return the name of the state that a root writes; without a backend it is a file."""
        for block in root.blocks:
            for inner in block.blocks if block.kind == "terraform" else ():
                if inner.kind in {"backend", "cloud"}:
                    config = self._attributes(root, inner)
                    backend = inner.labels[0] if inner.labels else "cloud"
                    return state_identity(backend, config, self.directory)
        return state_identity("local", {}, self.directory)

    def _attributes(self, module: Module, block: Block) -> dict[str, Value]:
        """Return what a block sets, its inner blocks among it."""
        scope = self.scope(module)
        plain = {name: evaluate(node, scope) for name, node in block.attributes.items()}
        return plain | {inner.kind: self._attributes(module, inner) for inner in block.blocks}

    def _remote_output(self, module: Module, block: Block | None, path: list[Any]) -> Value:
        """Return an output of another root's state, if that root was read."""
        if block is None:
            return None
        data = self._attributes(module, block)
        workspace = data.get("workspace")
        if workspace is not None and workspace != "default":
            return None  # another state of the same name
        config = data.get("config")
        config = config if isinstance(config, Mapping) else {}
        identity = state_identity(data.get("backend"), config, self.directory)
        if identity is None:
            return None
        self.remote_states.add(identity)
        outputs = self.remote.get(identity)
        return None if outputs is None else into(outputs, path)

    def _one_output(self, module: Module, name: str) -> Value:
        block = module.outputs.get(name)
        if block is None:
            return Unknown(why=f"the output {name}, which is not declared")
        return evaluate(block.attributes.get("value"), self.scope(module))

    def _world(self, module: Module, path: list[Any]) -> Value:
        """Return the value of a data source that describes the account or the Region."""
        kind, attribute = path[0], path[-1]
        address = f"data.{path[0]}.{path[1]}"
        region = module.providers.get(self._provider_name(module, address))
        block = module.resources.get(address)
        if block is not None and "region" in block.attributes:
            named = evaluate(block.attributes["region"], self.scope(module))
            if kind == "aws_region" and attribute in {"name", "id", "region"}:
                return named
            region = own_region(named, region)
        match kind:
            case "aws_caller_identity" if attribute in {"account_id", "id"}:
                return OWN
            case "cloudinit_config" | "template_cloudinit_config" if attribute == "rendered":
                return self._boot_script(module, block)
            case "terraform_remote_state" if "outputs" in path[2:4]:
                return self._remote_output(module, block, path[path.index("outputs", 2) + 1 :])
            case "aws_partition":
                return _PARTITION.get(str(attribute))
            case "aws_region" if attribute in {"name", "id", "region"}:
                return region or Unknown(why="a Region")
            case "aws_availability_zones" if region and "names" in path:
                at = path.index("names")
                return into([f"{region}{letter}" for letter in "abc"], path[at + 1 :])
        return None

    def _boot_script(self, module: Module, block: Block | None) -> Value:
        """Return the parts of a cloud-init configuration as one script, if all are known."""
        parts = block.blocks if block is not None else []
        texts: list[str] = []
        for part in parts:
            content = evaluate(part.attributes.get("content"), self.scope(module))
            content = as_document(content) if isinstance(content, dict) else content
            type_ = evaluate(part.attributes.get("content_type"), self.scope(module))
            if part.kind != "part" or not isinstance(content, str):
                return None
            shell = as_shell(part_of(content, type_))
            if shell is None:
                return None
            texts.append(shell)
        return "\n".join(texts) or None

    def _resource(self, module: Module, path: list[Any], size: int) -> Value:
        """Return a reference to a resource's attribute, or its value if the source sets it."""
        address = ".".join(str(item) for item in path[:size])
        block = module.resources.get(address)
        if block is None:
            return Unknown(why=f"{address}, which is not declared here")
        rest = list(path[size:])
        indices = [index for index, _ in self.instances(block, module)]
        if not rest and "for_each" in block.attributes and "" not in indices:
            refs = (self._ref(module, address, index, "") for index in indices)
            return {index[2:-2]: Unknown((ref,)) for index, ref in zip(indices, refs, strict=True)}
        if not indices:
            return Unknown(why="no instance of it")
        chosen = indices
        if (
            indices != [""]
            and rest
            and (rest[0] == "*" or not isinstance(rest[0], str) or "for_each" in block.attributes)
        ):
            key = rest.pop(0)
            if key != "*" and not isinstance(key, Unknown):
                wanted = f"[{key}]" if isinstance(key, int) else f'["{key}"]'
                chosen = [index for index in indices if index == wanted] or indices
            elif isinstance(key, Unknown):
                chosen = indices
            else:
                attribute = str(rest[0]) if rest else ""
                return [Unknown((self._ref(module, address, i, attribute),)) for i in indices]
        attribute = str(rest[0]) if rest else ""
        if len(chosen) == 1 and attribute:
            plain = self._literal(module, block, address, rest)
            if plain is not None:
                return plain
        found = tuple(self._ref(module, address, index, attribute) for index in chosen)
        return Unknown(found)

    def _literal(self, module: Module, block: Block, address: str, rest: list[Any]) -> Value:
        """Return an attribute that the source sets, unless it identifies the resource."""
        type_ = address.rpartition(".")[0]
        kind = by_terraform().get(type_)
        named = {"id", "arn", *(kind.identities if kind is not None else ())}
        natives = (
            {attribute.terraform[0] for attribute in kind.attributes.values() if attribute.identity}
            if kind
            else set()
        )
        attribute = str(rest[0])
        if attribute in named | natives or attribute not in block.attributes:
            return None
        if address in module.busy or "for_each" in block.attributes or "count" in block.attributes:
            return None
        module.busy.add(address)
        try:
            value = into(evaluate(block.attributes[attribute], self.scope(module)), rest[1:])
        finally:
            module.busy.discard(address)
        return None if isinstance(value, Unknown) else value

    def _ref(self, module: Module, address: str, index: str, attribute: str) -> Ref:
        return Ref(self._identifier(module, f"{address}{index}"), attribute)

    def _identifier(self, module: Module, address: str) -> str:
        return f"{self.directory}#{module.prefix}{address}"

    def _provider_name(self, module: Module, address: str) -> str:
        block = module.resources.get(address)
        node = block.attributes.get("provider") if block is not None else None
        return _dotted(node) or "aws"

    def load(self, module: Module) -> Iterator[Resource]:
        """Yield every resource of a module and of the modules that it calls."""
        yield from self._providers(module)
        for address, block in module.resources.items():
            only_if = {**module.only_if, **self._only_if(block, module)}
            for index, names in self.instances(block, module):
                for resource in self._built(module, address, block, index, names):
                    resource.only_if = only_if
                    yield resource
        for children in module.children.values():
            for child in children:
                yield from self.load(child)

    def _providers(self, module: Module) -> Iterator[Resource]:
        for block in module.blocks:
            if block.kind == "terraform":
                yield from self._backend(block)
            if block.kind != "provider" or block.labels != ("aws",):
                continue
            scope = self.scope(module)
            settings = {k: evaluate(v, scope) for k, v in block.attributes.items() if k != "alias"}
            nested = {
                other_block.kind: {
                    key: evaluate(node, scope) for key, node in other_block.attributes.items()
                }
                for other_block in block.blocks
            }
            alias = evaluate(block.attributes.get("alias"), scope)
            name = f"aws.{alias}" if isinstance(alias, str) else "aws"
            region = settings.get("region")
            yield Resource(
                id=self._identifier(module, f"provider.{name}"),
                name=f"{module.prefix}provider.{name}",
                kind="provider",
                type="provider",
                region=str(region) if is_region(region) else None,
                place=Place(block.file, block.line),
                dialect="terraform",
                attributes={
                    "settings": {**settings, **nested},
                    "module": module.prefix.rstrip("."),
                },
                stack=str(self.directory),
            )

    def _backend(self, block: Block) -> Iterator[Resource]:
        for other_block in block.blocks:
            if other_block.kind == "backend":
                region = evaluate(other_block.attributes.get("region"), _bare_scope())
                yield Resource(
                    id=f"{self.directory}#backend",
                    name=f"backend {other_block.labels[0] if other_block.labels else ''}",
                    kind="backend",
                    type="backend",
                    region=str(region) if is_region(region) else None,
                    place=Place(other_block.file, other_block.line),
                    dialect="terraform",
                )

    def _built(
        self, module: Module, address: str, block: Block, index: str, names: Mapping[str, Value]
    ) -> list[Resource]:
        data = address.startswith("data.")
        native = address.rpartition(".")[0]
        kind = by_terraform().get(native)
        provider = self._provider_name(module, address)
        name = f"{module.prefix}{address}{index}"
        scope = self.scope(module, names)
        raw = _raw(block, scope, leave=_META)
        region = module.providers.get(provider)
        if native not in WITHOUT_REGION:
            region = own_region(raw.get("region"), region)
        resource = Resource(
            id=self._identifier(module, f"{address}{index}"),
            name=name,
            kind=kind.name if kind else native,
            type=native,
            region=region,
            place=module.place or Place(block.file, block.line),
            dialect="terraform",
            stack=str(self.directory),
            provider=module.names.get(provider, provider),
            ignored=None if data else _ignored(block),
            suppressed={**suppressed_by_tags(raw.get("tags")), **self._suppressed(block)},
        )
        if kind is None:
            return [resource]
        if is_global(kind.name):
            resource.region = GLOBAL
        raw |= special_values(kind, raw, str(module.directory / "main.tf"))
        resource.attributes = attributes_of(raw, kind.attributes, DIALECT)
        resource.unknown_properties = unknown_properties(
            {k: v for k, v in raw.items() if k not in _META}, kind, "terraform"
        )
        return finish(resource)

    def _suppressed(self, block: Block) -> dict[str, str]:
        """Return the rules that comments above or inside a block suppress."""
        lines = self.sources.get(block.file, [])
        begin = block.line - 1
        while begin > 0 and lines[begin - 1].lstrip().startswith(("#", "//")):
            begin -= 1
        found = (_IGNORE.search(line) for line in lines[begin : block.end])
        return {match[1]: match[2].strip() for match in found if match}


def _found(error: UnexpectedInput) -> str:
    token = getattr(error, "token", None) or getattr(error, "char", None)
    return repr(str(token))[:40] if token else "end of file"


def _body(tree: Tree[Token], file: str = "") -> Block:
    """Return a body as a block without labels."""
    body = next(
        (child for child in tree.children if isinstance(child, Tree) and child.data == "body"), tree
    )
    found = Block("", (), {}, [], file, 1, 1)
    for child in body.children:
        if not isinstance(child, Tree):
            continue
        if child.data == "attribute":
            name, *_, value = [part for part in child.children if isinstance(part, Tree)]
            found.attributes[str(name.children[0])] = value
        elif child.data == "block":
            found.blocks.append(_block(child, file))
    return found


def _block(tree: Tree[Token], file: str) -> Block:
    words: list[str] = []
    for part in tree.children:
        if isinstance(part, Tree) and part.data in {"identifier", "keyword", "literal_value"}:
            words.append(str(part.children[0]))
        elif isinstance(part, Tree) and part.data == "string":
            text = evaluate(part, _bare_scope())
            words.append(text if isinstance(text, str) else "")
    inner = _body(tree, file)
    return Block(
        words[0],
        tuple(words[1:]),
        inner.attributes,
        inner.blocks,
        file,
        tree.meta.line,
        tree.meta.end_line,
    )


@cache
def _expression(text: str) -> SyntaxNode | None:
    """Return the syntax tree of an expression in a template."""
    try:
        tree: Tree[Token] = hcl2.parses_to_tree(f"x = {text.strip()}\n")
    except (LarkError, RecursionError):
        return None
    return _body(tree).attributes.get("x")


@cache
def _bare_scope() -> Scope:
    """Return a scope in which every name is unknown."""
    return Scope(
        lambda path: Unknown(why=f"{path[0]}, which is not known here"),
        {},
        lambda _: None,
        _expression,
    )


def _raw(block: Block, scope: Scope, leave: Collection[str] = ()) -> dict[str, Value]:
    """Return a block's attributes and nested blocks, with the blocks in lists.

    `leave` names what a resource has for Terraform itself; a block in it may use the same names.
    """
    raw: dict[str, Value] = {
        name: evaluate(node, scope) for name, node in block.attributes.items() if name not in leave
    }
    for other_block in block.blocks:
        if other_block.kind in leave:
            continue
        if other_block.kind == "dynamic" and other_block.labels:
            _dynamic(other_block, scope, raw)
            continue
        found = raw.setdefault(other_block.kind, [])
        if isinstance(found, list):
            found.append(_raw(other_block, scope))
    return raw


def _dynamic(block: Block, scope: Scope, raw: dict[str, Value]) -> None:
    """Add the blocks that a dynamic block generates."""
    name = block.labels[0]
    items = evaluate(block.attributes.get("for_each"), scope)
    content = next(
        (other_block for other_block in block.blocks if other_block.kind == "content"), None
    )
    iterator = _dotted(block.attributes.get("iterator")) or name
    if isinstance(items, Unknown) or content is None:
        raw[name] = items if isinstance(items, Unknown) else Unknown()
        return
    if not isinstance(items, (Mapping, list, type(None))):
        raw[name] = Unknown(why="made of what is no list")
        return
    pairs = items.items() if isinstance(items, Mapping) else enumerate(items or ())
    found = raw.setdefault(name, [])
    for key, value in pairs:
        if isinstance(found, list):
            found.append(
                _raw(content, scope.with_names(**{iterator: {"key": key, "value": value}}))
            )


def _nesting(text: str) -> int:
    """Return the deepest bracket nesting, including brackets in strings."""
    deepest = depth = 0
    for match in re.finditer(r"[\[({]|[\])}]", text):
        depth += 1 if match[0] in "[({" else -1
        deepest = max(deepest, depth)
    return deepest


def _dotted(node: SyntaxNode | None) -> str:
    """Return a bare path as written: `aws.dr`."""
    if not isinstance(node, Tree):
        return ""
    names = sorted(node.find_data("identifier"), key=lambda find_datum: find_datum.meta.start_pos)
    return ".".join(str(name.children[0]) for name in names)


def _provider_map(node: SyntaxNode | None) -> dict[str, str]:
    if not isinstance(node, Tree):
        return {}
    found = {}
    for element in node.find_data("object_elem"):
        parts = [child for child in element.children if isinstance(child, Tree)]
        found[_dotted(parts[0])] = _dotted(parts[-1])
    return found


def _ignored(block: Block) -> tuple[str, ...]:
    for other_block in block.blocks:
        if other_block.kind == "lifecycle" and "ignore_changes" in other_block.attributes:
            node = other_block.attributes["ignore_changes"]
            names = node.find_data("identifier") if isinstance(node, Tree) else ()
            return tuple(str(each.children[0]) for each in names)
    return ()


def _installed(directory: Path) -> dict[str, Path]:
    """Return the modules that `terraform init` has fetched, by the path of their calls."""
    listed = _text(directory, ".terraform/modules/modules.json")
    try:
        known = json.loads(listed or "{}").get("Modules", [])
        return {
            str(item["Key"]): (directory / str(item["Dir"])).resolve()
            for item in known
            if item.get("Key")
        }
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}  # a manifest that nobody can read has fetched nothing


def _text(directory: Path, file: str) -> str | None:
    path = Path(file)
    path = path if path.is_absolute() else directory / path
    try:
        small = path.is_file() and path.stat().st_size < _FILE_MAX
        return path.read_text(encoding="utf-8") if small else None
    except (OSError, UnicodeDecodeError):
        return None
