"""Terraform and OpenTofu JSON: a plan or a state from `show -json`, or a raw state file."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from otherside.check.model.arn import is_region, region_of
from otherside.check.model.graph import GLOBAL, Place, Resource, is_global
from otherside.check.model.schema import Kind, by_terraform, kinds
from otherside.check.model.values import Code, Password, PasswordOrigin, Ref, Unknown, Value, parts
from otherside.check.readers.large_json import decoded
from otherside.check.readers.normalize import (
    Dialect,
    attributes_of,
    finish,
    policy,
    script,
    terraform_path,
    unknown_properties,
)
from otherside.check.readers.passwords import Parameter, is_secret_name
from otherside.check.readers.source import code_of_archive, code_of_path

_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')
_END = re.compile(r"[.\[]")
_STEP = re.compile(r'[^.\["]+(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?')
_CALL = re.compile(r"(?:^|\.)module\.([^.]+)")
_SKIPPED = (["delete"], ["forget"])
_SUPPRESS = "otherside:ignore:"
_CHAIN_MAX = 50


def _code(value: Value) -> Code | Unknown | None:
    return value if isinstance(value, (Code, Unknown)) else None


DIALECT = Dialect("terraform", terraform_path, _code)
Configuration = Mapping[str, Any]


@dataclass(slots=True)
class PlannedChange:
    """The part of one change that our vocabulary reads."""

    address: str
    module: str
    mode: str
    type: str
    name: str
    after: Mapping[str, Any] | Raw | None
    unknown: Mapping[str, Any] | Raw | None
    provider: str = ""

    @property
    def kind(self) -> Kind | None:
        """Return its kind in our vocabulary, if it has one."""
        return by_terraform().get(self.native)

    @property
    def native(self) -> str:
        """Return its Terraform type; a data source's begins with `data.`."""
        return f"data.{self.type}" if self.mode == "data" else self.type

    @property
    def declared(self) -> str:
        """Return the address of its declaration within its module."""
        return f"{self.native}.{self.name}"


@dataclass(slots=True)
class _Values:
    """What one change will set, and what of that is not known yet, by property."""

    after: Mapping[str, Any]
    unknown: Mapping[str, Any]


def project_change(raw: Any) -> PlannedChange | None:  # noqa: ANN401 - an element of `resource_changes`
    """Return a change, or `None` if the resource will be removed."""
    if not isinstance(raw, Mapping):
        msg = "resource_changes holds something that is no object"
        raise TypeError(msg)
    if not isinstance(raw.get("address"), str):
        return None
    change = raw.get("change")
    if not isinstance(change, Mapping) or change.get("actions") in _SKIPPED:
        return None
    return PlannedChange(
        address=raw["address"],
        module=str(raw.get("module_address") or ""),
        mode=str(raw.get("mode")),
        type=str(raw.get("type")),
        name=str(raw.get("name")),
        after=change.get("after"),
        unknown=change.get("after_unknown"),
        provider=str(raw.get("provider_name") or ""),
    )


class _RecordedValues(Struct):
    actions: Any = None
    after: Raw = Raw(b"null")
    after_unknown: Raw = Raw(b"null")


class _RecordedChange(Struct):
    """One change as Terraform writes it."""

    address: str
    mode: str
    type: str
    name: str
    change: _RecordedValues
    module_address: str = ""
    provider_name: str = ""


class _RecordedResource(Struct):
    address: str = ""
    provider_config_key: str = ""
    expressions: Raw = Raw(b"{}")


class _RecordedCall(Struct):
    module: "_RecordedModule | None" = None
    expressions: Any = None


class _RecordedModule(Struct):
    resources: list[_RecordedResource] = []
    module_calls: dict[str, _RecordedCall] = {}
    outputs: Any = None
    variables: Any = None


class _RecordedConfiguration(Struct):
    root_module: _RecordedModule | None = None
    provider_config: Any = None


_CHANGE = msgspec.json.Decoder(_RecordedChange)
_CONFIGURATION = msgspec.json.Decoder(_RecordedConfiguration)


def recorded_change(raw: Raw) -> PlannedChange | None:
    """Return a change of a large plan, whose values stay text until they are asked for.

    Raises:
        msgspec.MsgspecError: If it is not as Terraform writes it.
    """
    found = _CHANGE.decode(raw)
    if found.change.actions in _SKIPPED:
        return None
    return PlannedChange(
        found.address,
        found.module_address,
        found.mode,
        found.type,
        found.name,
        found.change.after,
        found.change.after_unknown,
        found.provider_name,
    )


def configuration_of(raw: Raw) -> Configuration:
    """Return the configuration of a large plan, whose expressions stay text.

    Raises:
        msgspec.MsgspecError: If it is not as Terraform writes it.
    """
    found = _CONFIGURATION.decode(raw)
    root = None if found.root_module is None else _module_as_written(found.root_module)
    parts = {"provider_config": found.provider_config, "root_module": root}
    return {name: part for name, part in parts.items() if part is not None}


def _module_as_written(module: _RecordedModule) -> Configuration:
    return {
        "resources": [
            {
                "address": resource.address,
                "provider_config_key": resource.provider_config_key,
                "expressions": resource.expressions,
            }
            for resource in module.resources
        ],
        "module_calls": {
            name: {
                "module": call.module and _module_as_written(call.module),
                "expressions": call.expressions,
            }
            for name, call in module.module_calls.items()
        },
        "outputs": module.outputs,
        "variables": module.variables,
    }


_ALWAYS = frozenset({"id", "arn", "region", "tags", "statement", "availability_zone", "self"})
_SOURCES = frozenset(
    {
        *("source", "source_file", "source_dir", "source_content", "source_content_filename"),
        *("filename", "output_path", "json"),
    }
)


def _wanted(values: object, kind: Kind | None) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        return {}
    if kind is None:
        return {key: values[key] for key in ("id", "arn", "region") if key in values}
    if kind.closed:
        return {key: value for key, value in values.items() if value is not None}
    names = _names(kind.name)
    return {key: value for key, value in values.items() if key in names}


@cache
def _names(kind: str) -> frozenset[str]:
    """Return the properties of a kind to keep."""
    mine = {attribute.terraform[0] for attribute in kinds()[kind].attributes.values()}
    return frozenset(mine | _ALWAYS | _SOURCES)


@dataclass(slots=True)
class _Module:
    """A module's configuration: its resources, calls and outputs."""

    path: tuple[str, ...]
    config: Configuration
    parent: "_Module | None" = None
    call: Configuration = field(default_factory=dict)
    resources: dict[str, Configuration] = field(default_factory=dict)
    children: dict[str, "_Module"] = field(default_factory=dict)


def _modules(
    config: Configuration, parent: _Module | None, name: str, call: Configuration
) -> _Module:
    module = _Module((*parent.path, name) if parent else (), config, parent, call)
    for resource in config.get("resources") or ():
        module.resources[str(resource.get("address"))] = resource
    for child, given in (config.get("module_calls") or {}).items():
        if len(module.path) < _CHAIN_MAX:
            module.children[child] = _modules(given.get("module") or {}, module, child, given)
    return module


def _plain(address: str) -> str:
    """Return an address without the keys of its instances."""
    return _INDEX.sub("", address) if "[" in address else address


def _any_unknown(unknown: Value) -> bool:
    """Return whether any part is unknown: a plan writes `[{}]` and `{}` beside what is known."""
    if isinstance(unknown, dict):
        return bool(unknown) and any(map(_any_unknown, unknown.values()))
    if isinstance(unknown, list):
        return bool(unknown) and any(map(_any_unknown, unknown))
    return bool(unknown)


def _set(after: Value) -> Value:
    """Return a known value without what is unset in it."""
    if isinstance(after, dict):
        return {
            key: known for key, value in after.items() if (known := _set(value)) is not None
        } or None
    return [_set(item) for item in after] if isinstance(after, list) else after


UNSEEN: Mapping[str, Any] = {"unseen": True}
"""Stands for the expressions of a dynamic block: a plan's configuration leaves those blocks out.
https://github.com/hashicorp/terraform/issues/28346"""


_SECRETS = ("password", "master_password", "secret_string", "environment")
_RELEASED_EVERY = 4096
"""How many changes are read before the text that they were read from is given back."""


class TerraformPlan:
    """One plan or state, and the resolution of its references."""

    def __init__(
        self, document: Mapping[str, Any], file: str, release: Callable[[], None] = lambda: None
    ) -> None:
        """Index a document; `release` gives back the memory of text that was read."""
        self.file, self._release = file, release
        configuration = document.get("configuration") or {}
        self.root = _modules(configuration.get("root_module") or {}, None, "", {})
        self.providers: Mapping[str, Configuration] = configuration.get("provider_config") or {}
        self.given: Mapping[str, Any] = document.get("variables") or {}
        self.configured = bool(configuration)
        self.changes: list[PlannedChange] = list(_changes(document))
        self._found: dict[tuple[str, ...], list[Ref]] = {}
        self._place = Place(file)
        self._provider_regions = {
            key: self._provider_region(provider) for key, provider in self.providers.items()
        }
        self.instances: dict[str, list[str]] = {}
        for change in self.changes:
            self.instances.setdefault(_plain(change.address), []).append(change.address)

    def load(self) -> Iterator[Resource]:
        """Yield every resource and every configured provider."""
        yield from self._provider_resources()
        for number, change in enumerate(self.changes):
            yield from self._resource(change)
            if number % _RELEASED_EVERY == 0:
                self._release()

    def _module_of(self, change: PlannedChange) -> _Module | None:
        module = self.root
        for name in _CALL.findall(_plain(change.module)) if change.module else ():
            child = module.children.get(name)
            if child is None:
                return None
            module = child
        return module

    def _resource(self, change: PlannedChange) -> list[Resource]:
        kind, native = change.kind, change.native
        module = self._module_of(change)
        declared = module.resources.get(change.declared, {}) if module is not None else {}
        expressions: Configuration = decoded(declared.get("expressions")) or {}
        values = _Values(
            _wanted(decoded(change.after), kind), _wanted(decoded(change.unknown), kind)
        )
        resource = Resource(
            id=f"{self.file}#{change.address}",
            name=change.address,
            kind=kind.name if kind else native,
            type=native,
            region=None,
            place=self._place,
            dialect="terraform",
            stack=self.file,
            provider=str(declared.get("provider_config_key") or ""),
            suppressed=suppressed_by_tags(values.after.get("tags")),
        )
        resource.region = self._region(values, expressions, resource)
        if kind is None:
            return [resource]
        raw = self._raw(change, values, expressions, module)
        raw |= special_values(kind, raw, self.file)
        resource.attributes = attributes_of(raw, kind.attributes, DIALECT)
        for name in ("id", "arn"):
            if isinstance(raw.get(name), str) and raw[name]:
                resource.attributes.setdefault(name, raw[name])
        resource.unknown_properties = unknown_properties(raw, kind, "terraform")
        return finish(resource)

    def _raw(
        self,
        change: PlannedChange,
        values: _Values,
        expressions: Configuration,
        module: _Module | None,
    ) -> dict[str, Value]:
        """Return a change's values, each unknown one with its references."""
        found = {}
        after, unknown = values.after, values.unknown
        for key, given in after.items():
            if given is None or key in unknown:
                continue
            value = given if isinstance(given, str) else _set(given)
            if value is not None:
                found[key] = value
        for key, unsure in unknown.items():
            value = self._merge(after.get(key), unsure, expressions.get(key), change, module)
            if value is not None:
                found[key] = value
        for key in _SECRETS:
            if key not in found:
                continue
            if not self.configured:
                found[key] = _concealed(found[key])  # a state holds the secret, whatever its origin
            elif key in expressions:
                found[key] = self._provenance(found[key], expressions[key], module)
        return found

    def _merge(
        self,
        after: Value,
        unknown: Value,
        expression: Value,
        change: PlannedChange,
        module: _Module | None,
    ) -> Value:
        if not unknown or (unknown is not True and not _any_unknown(unknown)):
            return after if isinstance(after, str) else _set(after)
        if unknown is True:
            if self.configured and expression is None:
                return None  # unset: the provider will set it
            if expression is UNSEEN:
                return Unknown(why="in a dynamic block, which a plan does not show")
            return Unknown(refs=tuple(self._refs(expression, change, module)))
        if isinstance(after, dict) or (after is None and isinstance(unknown, dict)):
            inner = expression if isinstance(expression, dict) else {}
            flat = UNSEEN if expression is UNSEEN else expression if _is_expression(inner) else None
            left, right = after or {}, unknown if isinstance(unknown, dict) else {}
            merged = {
                key: self._merge(
                    left.get(key), right.get(key), flat or inner.get(key), change, module
                )
                for key in {**left, **right}
            }
            return {key: value for key, value in merged.items() if value is not None} or None
        if isinstance(after, list) or (after is None and isinstance(unknown, list)):
            known = after or []
            unsure = unknown if isinstance(unknown, list) else []
            expression = _in_order(
                expression, [at for at, item in enumerate(unsure) if item is True]
            )
            blocks = any(isinstance(item, dict) for item in [*known, *unsure])
            return [
                self._merge(
                    known[at] if at < len(known) else None,
                    unsure[at] if at < len(unsure) else None,
                    UNSEEN if expression is None and blocks else _element(expression, at),
                    change,
                    module,
                )
                for at in range(max(len(known), len(unsure)))
            ]
        return after

    def _provenance(self, value: Value, expression: Value, module: _Module | None) -> Value:
        """Return a secret that remembers the variable that supplied it."""
        if isinstance(value, str) and isinstance(expression, Mapping):
            return self._given(value, expression, module) or value
        if isinstance(value, list) and any(True for _ in _mentioned(expression)):
            return _concealed(value)  # a plan does not say which value comes from which variable
        return value

    def _given(self, value: str, expression: Configuration, module: _Module | None) -> Value:
        if "constant_value" in expression:
            return None
        for _ in range(_CHAIN_MAX):
            names = [
                reference for reference in _references(expression) if reference.startswith("var.")
            ]
            if not expression:
                return None  # a function of literals, which a plan shows as nothing at all
            if any(reference.startswith("local.") for reference in _references(expression)):
                return Password(PasswordOrigin.HIDDEN)  # a plan does not show what a local is
            if not names or module is None:
                return Unknown(why="made of what is not a variable")
            name = names[0].split(".")[1]
            if module.parent is None:
                declared = (module.config.get("variables") or {}).get(name) or {}
                given = (self.given.get(name) or {}).get("value")
                defaulted = bool(declared.get("default")) and declared.get("default") == given
                return Parameter(value, f"var.{name}", defaulted=defaulted)
            passed = (module.call.get("expressions") or {}).get(name)
            if not isinstance(passed, Mapping):
                default = ((module.config.get("variables") or {}).get(name) or {}).get("default")
                return Parameter(value, f"var.{name}", defaulted=bool(default))
            if "constant_value" in passed:
                return None
            expression, module = passed, module.parent
        return None

    def _refs(self, expression: Value, change: PlannedChange, module: _Module | None) -> list[Ref]:
        """Return what an expression refers to, following module inputs and outputs."""
        if isinstance(expression, dict) and _is_expression(expression):
            names = tuple(dict.fromkeys(_longest(_references(expression))))
            if not any(name.startswith(_HOPS) for name in names):  # as nearly all of them
                prefix = change.module
                return [ref for name in names for ref in self._targets(name, prefix, change)]
        found: list[Ref] = []
        todo = [(expression, module, change.module)]
        seen: set[tuple[str, str]] = set()
        while todo:
            element, around, prefix = todo.pop()
            if isinstance(element, list):
                todo.extend((each, around, prefix) for each in element)
                continue
            if not isinstance(element, dict):
                continue
            if not _is_expression(element):
                todo.extend((each, around, prefix) for each in element.values())
                continue
            for text in _longest(_references(element)):
                if (text, prefix) in seen or len(seen) > 10 * _CHAIN_MAX:
                    continue
                seen.add((text, prefix))
                onward = _through(text, around, prefix)
                if onward is not None:
                    todo.append(onward)
                else:
                    found.extend(self._targets(text, prefix, change))
        return found

    def _targets(self, text: str, prefix: str, change: PlannedChange) -> list[Ref]:
        index = _INDEX.findall(change.address)[-1:] if "[" in change.address else []
        key = (text, prefix, *index)
        if key not in self._found:
            self._found[key] = self._resolved(text, prefix, index)
        return self._found[key]

    def _resolved(self, text: str, prefix: str, index: list[str]) -> list[Ref]:
        steps = _steps(text)
        at = 3 if steps[:1] == ["data"] else 2
        if len(steps) < at or steps[0] in {
            "local",
            "each",
            "count",
            "path",
            "var",
            "self",
            "terraform",
        }:
            return []
        address = ".".join(steps[:at])
        attribute = _plain(steps[at]) if len(steps) > at else ""
        address = f"{prefix}.{address}" if prefix else address
        instances = self.instances.get(_plain(address), [])
        if len(instances) > 1:
            nearest = [
                [instance for instance in instances if instance == address],
                [instance for instance in instances if index and instance.endswith(index[0])],
                [
                    instance
                    for instance in instances
                    if prefix and instance.startswith(f"{prefix}.")
                ],
            ]
            instances = next((found for found in nearest if found), instances)
        return [Ref(f"{self.file}#{instance}", attribute) for instance in instances or [address]]

    def _region(
        self, values: _Values, expressions: Configuration, resource: Resource
    ) -> str | None:
        if is_global(resource.kind):
            return GLOBAL
        if resource.type not in WITHOUT_REGION:
            # Only what the source itself sets is not known; else it is the provider's.
            unknown = values.unknown.get("region") is True and "region" in expressions
            own = Unknown() if unknown else values.after.get("region")
            if unknown or is_region(own):
                return own_region(own, None)
        if resource.provider in self.providers:
            region = self._provider_regions.get(resource.provider)
            if region is not None:
                return region
        return region_in(values.after)

    def _provider_region(self, provider: Configuration) -> str | None:
        expression = (provider.get("expressions") or {}).get("region") or {}
        value = expression.get("constant_value")
        if value is None:
            for name in _references(expression):
                if name.startswith("var."):
                    key = name.split(".")[1]
                    declared = (self.root.config.get("variables") or {}).get(key) or {}
                    value = (self.given.get(key) or {}).get("value") or declared.get("default")
        return value if is_region(value) else None

    def _provider_resources(self) -> Iterator[Resource]:
        for key, provider in self.providers.items():
            if provider.get("name") != "aws":
                continue
            settings = {
                k: v for k, v in (provider.get("expressions") or {}).items() if k != "alias"
            }
            yield Resource(
                id=f"{self.file}#provider.{key}",
                name=f"provider.{key}",
                kind="provider",
                type="provider",
                region=self._provider_regions[key],
                place=Place(self.file),
                dialect="terraform",
                attributes={"settings": settings, "module": provider.get("module_address") or ""},
                stack=self.file,
            )


WITHOUT_REGION = frozenset({"aws_route53_record", "aws_route53_health_check", "aws_route53_zone"})
"""Resources whose own attribute `region`, if they have one, is not where they are."""


def own_region(own: Value, provider: str | None) -> str | None:
    """Return a resource's Region: its own attribute's, or its provider's if it has none.

    `None` if the attribute is set to what is not known: it is not the provider's then.
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support
    """
    if isinstance(own, Unknown):
        return None
    return str(own) if is_region(own) else provider


def suppressed_by_tags(tags: object) -> dict[str, str]:
    """Return the rules that tags suppress: `otherside:ignore:DR009 = "why"`."""
    if not isinstance(tags, Mapping):
        return {}
    return {
        str(key).removeprefix(_SUPPRESS): value if isinstance(value, str) else ""
        for key, value in tags.items()
        if str(key).startswith(_SUPPRESS)
    }


def region_in(values: Mapping[str, Any]) -> str | None:
    """Return the Region in a resource's own values: its ARN, zone or host name."""
    found = region_of(values.get("arn"))
    if found:
        return found
    zone = values.get("availability_zone")
    if isinstance(zone, str) and is_region(zone[:-1]):
        return zone[:-1]
    for key in ("id", "dns_name", "endpoint", "invoke_arn"):
        text = values.get(key)
        if isinstance(text, str):
            found = region_of(text) or next((p for p in text.split(".") if is_region(p)), None)
            if found:
                return found
    return None


_CODE_IN = {"lambda.function": "filename", "s3.object": "source"}
"""Which attribute names a file of code."""


def special_values(kind: Kind, raw: Mapping[str, Value], file: str) -> dict[str, Value]:
    """Return attributes that a resource has under other names, or in files beside it."""
    if kind.name in _CODE_IN and isinstance(raw.get(_CODE_IN[kind.name]), str):
        code = code_of_path(Path(file).parent / str(raw[_CODE_IN[kind.name]]))
        return {"source": code} if isinstance(code, Code) else {}
    if kind.name == "ec2.instance" and raw.get("user_data_base64") is not None:
        return {"user_data": script(raw["user_data_base64"])}
    if not kind.name.startswith("data."):
        return {}
    if kind.name == "data.iam_policy_document":
        return _generated(raw)
    if kind.name == "data.archive_file":
        return {"source": code_of_archive(raw, Path(file).parent)}
    return {}


def _generated(raw: Mapping[str, Value]) -> dict[str, Value]:
    """Return the statements that a data source generates, and what it takes from others."""
    statements = raw.get("statement")
    merged = {key: raw[key] for key in _MERGED if raw.get(key)}
    if merged and isinstance(raw.get("json"), str):
        return {"document": raw["json"], **dict.fromkeys(merged)}
    taken = {
        key: [
            item
            for each in (value if isinstance(value, list) else [value])
            for item in _taken(each)
        ]
        for key, value in merged.items()
    }
    if isinstance(statements, Unknown):
        return {"document": statements, **taken}
    if statements is not None or merged:
        own = [_statement(statement) for statement in statements or ()]
        return {"document": {"Statement": own}, **taken}
    return {"document": raw.get("json")}


def _taken(document: Value) -> list[Value]:
    """Return the statements of a document that is given as text; what is none is not known."""
    if document is None or document == "":
        return []
    found = policy(document) if isinstance(document, str) else document
    return found if isinstance(found, list) else [found]


_MERGED = ("source_policy_documents", "override_policy_documents")


def _statement(other_value: Value) -> Value:
    if not isinstance(other_value, Mapping):
        return Unknown()
    names = {"sid": "Sid", "effect": "Effect", "actions": "Action", "not_actions": "NotAction"}
    names |= {"resources": "Resource", "not_resources": "NotResource"}
    made = {names[key]: value for key, value in other_value.items() if key in names and value}
    if any(isinstance(other_value.get(key), Unknown) for key in ("principals", "condition")):
        return Unknown()
    for each in other_value.get("principals") or ():
        if isinstance(each, Mapping):
            made.setdefault("Principal", {})[each.get("type")] = each.get("identifiers")
    for each in other_value.get("condition") or ():
        if isinstance(each, Mapping):
            test = made.setdefault("Condition", {}).setdefault(each.get("test"), {})
            test[each.get("variable")] = each.get("values")
    return made


def _concealed(value: Value) -> Value:
    """Return a value with each secret text replaced by a password of unknown origin."""
    if isinstance(value, str):
        return Password(PasswordOrigin.HIDDEN)
    if isinstance(value, list):
        return [
            _concealed(element) if isinstance(element, Mapping) else element for element in value
        ]
    if isinstance(value, Mapping):
        return {
            key: _concealed(text)
            if isinstance(text, Mapping) or (isinstance(text, str) and is_secret_name(key))
            else text
            for key, text in value.items()
        }
    return value


def _mentioned(expression: Value) -> Iterator[str]:
    """Yield every reference in an expression, at any depth."""
    for part in parts(expression):
        if isinstance(part, Mapping) and _is_expression(part):
            yield from _references(part)


_EXPRESSION = frozenset({"references", "constant_value"})


def _is_expression(item: Mapping[str, Any]) -> bool:
    return bool(item) and item.keys() <= _EXPRESSION


def _references(expression: Mapping[str, Any]) -> tuple[str, ...]:
    found = expression.get("references")
    if not isinstance(found, list):
        return ()
    names = tuple(found)
    whole = all(isinstance(name, str) for name in names)
    return names if whole else tuple(name for name in names if isinstance(name, str))


def _longest(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return the references that are not a prefix of a longer one."""
    if len(found) == 1:
        return found
    if len(found) == _NAMED_TWICE and found[0].startswith(f"{found[1]}."):
        return found[:1]  # an attribute and its resource, as Terraform writes most of them
    return _longest_of_many(found)


_HOPS = ("var.", "module.")
"""Begin the references that lead out of a module, or into one."""
_NAMED_TWICE = 2


@lru_cache(maxsize=1 << 14)  # shared by a resource's instances and by a module's calls
def _longest_of_many(found: tuple[str, ...]) -> tuple[str, ...]:
    begins = {item[: match.start()] for item in found for match in _END.finditer(item)}
    return tuple(item for item in found if item not in begins)


def _in_order(expression: Value, unsure: list[int]) -> Value:
    """Return one expression per element if references and unknown elements match in number.

    Terraform lists the references of a whole list flat, in source order.
    """
    if not isinstance(expression, dict) or not _is_expression(expression):
        return expression
    found = _longest(_references(expression))
    if len(found) != len(unsure) or not found:
        return expression
    by_place = dict(zip(unsure, found, strict=True))
    return [
        {"references": [by_place[at]]} if at in by_place else {} for at in range(max(unsure) + 1)
    ]


def _element(expression: Value, at: int) -> Value:
    if isinstance(expression, list):
        if at < len(expression):
            return expression[at]
        return expression[-1] if expression else None
    return expression


def _steps(text: str) -> list[str]:
    """Return the steps of an address; a bracketed key belongs to the step before it."""
    if "[" not in text:
        return text.split(".")
    return [step for step in _STEP.findall(text) if step]


def _through(
    text: str, module: _Module | None, prefix: str
) -> tuple[Value, _Module | None, str] | None:
    """Return the next hop of a reference: out through a module's input or into its output."""
    if module is None or not text.startswith(_HOPS):
        return None
    parts = text.split(".")
    if parts[0] == "var" and len(parts) > 1 and module.parent is not None:
        passed = (module.call.get("expressions") or {}).get(_INDEX.sub("", parts[1]))
        return (
            passed,
            module.parent,
            prefix.rpartition(".module.")[0] if ".module." in prefix else "",
        )
    if parts[0] == "module" and len(parts) > 2:  # noqa: PLR2004 - module, its name, its output
        name, output = _INDEX.sub("", parts[1]), _INDEX.sub("", parts[2])
        child = module.children.get(name)
        if child is None:
            return None
        declared = (child.config.get("outputs") or {}).get(output) or {}
        inner = f"{prefix}.module.{parts[1]}" if prefix else f"module.{parts[1]}"
        return declared.get("expression"), child, inner
    return None


def _changes(document: Mapping[str, Any]) -> Iterator[PlannedChange]:
    for resource_change in document.get("resource_changes") or ():
        change = (
            resource_change
            if isinstance(resource_change, PlannedChange)
            else project_change(resource_change)
        )
        if change is not None:
            yield change
    seen = {
        resource_change.address
        if isinstance(resource_change, PlannedChange)
        else resource_change.get("address")
        for resource_change in document.get("resource_changes") or ()
    }
    prior = (document.get("prior_state") or {}).get("values") or {}
    for change in _of_module(prior.get("root_module") or {}):
        if change.mode == "data" and change.address not in seen:
            yield change
    values = document.get("values") or {}
    yield from _of_module(values.get("root_module") or {})
    yield from _of_state(document)


def _of_module(module: Mapping[str, Any]) -> Iterator[PlannedChange]:
    todo = [module]
    while todo:
        item = todo.pop()
        todo.extend(
            child for child in item.get("child_modules") or () if isinstance(child, Mapping)
        )
        for raw in item.get("resources") or ():
            if not isinstance(raw, Mapping) or not isinstance(raw.get("address"), str):
                continue
            yield PlannedChange(
                address=raw["address"],
                module=str(item.get("address") or ""),
                mode=str(raw.get("mode")),
                type=str(raw.get("type")),
                name=str(raw.get("name")),
                after=raw.get("values"),
                unknown={},
                provider=str(raw.get("provider_name") or ""),
            )


def _of_state(document: Mapping[str, Any]) -> Iterator[PlannedChange]:
    """Yield every instance in a version 4 state file, which has one entry per resource."""
    if "lineage" not in document:
        return
    for raw in document.get("resources") or ():
        if not isinstance(raw, Mapping):
            continue
        mode, type_, name = (str(raw.get(key)) for key in ("mode", "type", "name"))
        local = f"data.{type_}.{name}" if mode == "data" else f"{type_}.{name}"
        module = str(raw.get("module") or "")
        for instance in raw.get("instances") or ():
            index = instance.get("index_key")
            key = (
                "" if index is None else f'["{index}"]' if isinstance(index, str) else f"[{index}]"
            )
            yield PlannedChange(
                address=f"{module}.{local}{key}" if module else f"{local}{key}",
                module=module,
                mode=mode,
                type=type_,
                name=name,
                after=instance.get("attributes"),
                unknown={},
                provider=str(raw.get("provider") or ""),
            )
