"""Convert a dialect's raw properties to the vocabulary: names, blocks, numbers, documents."""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from otherside.check.model.graph import Resource
from otherside.check.model.schema import Attribute, Kind, camel, kinds
from otherside.check.model.values import Code, Password, Ref, Unknown, Value, unknowns
from otherside.check.readers.boot_script import as_shell
from otherside.check.readers.passwords import password, secret_text, secret_variable
from otherside.check.readers.script_passwords import passwords_in_script

_SCRIPT_MAX = 1 << 20
_TRUTH = {"true": True, "True": True, "false": False, "False": False}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one dialect names properties and writes blocks."""

    name: str
    path: Callable[[Attribute], tuple[str, ...] | None]
    """Return where an attribute is, or `None` if the dialect has none."""
    code: Callable[[Value], Code | Unknown | None]
    """Return the code that a function runs."""


def terraform_path(attribute: Attribute) -> tuple[str, ...]:
    """Return an attribute's place by its Terraform name."""
    return attribute.terraform


def pulumi_path(attribute: Attribute) -> tuple[str, ...]:
    """Return an attribute's place by its Pulumi name, flat or plural."""
    *around, _ = attribute.terraform
    return (*(camel(item) for item in around), attribute.pulumi)


def cloudformation_path(attribute: Attribute) -> tuple[str, ...] | None:
    """Return an attribute's place in a template."""
    return attribute.cloudformation


def descend(raw: Value, path: Sequence[str]) -> Value:
    """Return the value at a path; a list of one block counts as that block."""
    for step in path:
        if isinstance(raw, list) and len(raw) == 1:
            raw = raw[0]
        if isinstance(raw, dict):  # the usual case, and faster to test than Mapping
            raw = raw.get(step)
        elif isinstance(raw, Unknown):
            return raw
        else:
            raw = raw.get(step) if isinstance(raw, Mapping) else None
    return raw


_WHOLE = frozenset({"script", "secret", "secret_text"})
"""Shapes of which a branch of a condition is no value by itself."""
_SECRETS = frozenset({"secret", "secret_text"})


def write_only(attribute: Attribute) -> Attribute:
    """Return a secret's write-only twin: `master_password_wo`, which no state ever holds.

    https://developer.hashicorp.com/terraform/language/resources/ephemeral/write-only
    """
    *around, last = attribute.terraform
    return replace(
        attribute,
        terraform=(*around, f"{last}_wo"),
        pulumi=f"{attribute.pulumi}Wo",
        cloudformation=None,
    )


Places = tuple[tuple[str, Attribute, tuple[str, ...] | None], ...]
_PLACES: dict[tuple[str, int], Places] = {}
"""The places of a kind's attributes by dialect; the vocabulary itself is never collected."""


def _places(allowed: Mapping[str, Attribute], dialect: Dialect) -> Places:
    key = dialect.name, id(allowed)
    if key not in _PLACES:
        _PLACES[key] = tuple(
            (name, attribute, dialect.path(attribute)) for name, attribute in allowed.items()
        )
    return _PLACES[key]


def attributes_of(
    raw: Mapping[str, Any], allowed: Mapping[str, Attribute], dialect: Dialect
) -> dict[str, Value]:
    """Return raw properties in the vocabulary's names and shapes, without unset ones.

    `allowed` is a part of the vocabulary, which lives as long as the process.
    """
    found = {}
    for name, attribute, path in _places(allowed, dialect):
        if path and path[0] not in raw and attribute.shape not in _SECRETS:
            continue  # most properties of most resources
        picked = None if path is None else descend(raw, path)
        if picked is None and attribute.shape in _SECRETS:
            other = dialect.path(write_only(attribute))
            picked = None if other is None else descend(raw, other)
        value = shaped(picked, attribute, dialect)
        if value == "" and "kms" in name:
            continue  # the providers take an empty key for none, as a variable's default is
        if value is not None and value != {}:
            found[name] = value
    return found


def shaped(value: Value, attribute: Attribute, dialect: Dialect) -> Value:  # noqa: C901 - a table
    """Return a value in the shape of its attribute."""
    if value is None:
        return None
    if isinstance(value, Unknown) and value.condition and attribute.shape in _WHOLE:
        value = replace(value, condition="")
    match attribute.shape:
        case "secret":
            return password(value)
        case "secret_text":
            return secret_text(value)
        case "code":
            return dialect.code(value)
        case "env":
            return _environment(value)
        case "part":
            return _each(value, attribute, dialect)
    if isinstance(value, Unknown) and attribute.shape in _DOCUMENTS:
        value = filled(value)
    if isinstance(value, Unknown):
        return _shaped_branches(value, attribute, dialect) if value.condition else value
    match attribute.shape:
        case "str":
            return _text(value)
        case "int":
            return _number(value)
        case "bool":
            return _TRUTH.get(value) if isinstance(value, str) else bool(value)
        case "list":
            return value if isinstance(value, list) else [value]
        case "map":
            return _mapping(value)
        case "policy":
            return policy(value)
        case "json":
            return document(value)
        case "containers":
            return _containers(document(value))
        case "script":
            return script(value)
        case "one":
            found = _each(value, attribute, dialect)
            return found[0] if found else None
        case "many":
            if isinstance(value, Mapping) and set(attribute.members) == {"name", "value"}:
                return [{"name": key, "value": item} for key, item in value.items()]
            return _each(value, attribute, dialect)
        case other:
            raise AssertionError(other)


def _shaped_branches(value: Unknown, attribute: Attribute, dialect: Dialect) -> Unknown:
    return replace(value, either=tuple(shaped(each, attribute, dialect) for each in value.either))


def _each(value: Value, attribute: Attribute, dialect: Dialect) -> list[Value]:
    """Return every block in the vocabulary's names; an unknown block stays unknown."""
    return [
        element
        if isinstance(element, Unknown)
        else attributes_of(element, attribute.members, dialect)
        for element in (value if isinstance(value, list) else [value])
        if isinstance(element, (Mapping, Unknown))
    ]


def _text(value: Value) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (Password, Mapping, list)):
        return Unknown(why="a secret" if isinstance(value, Password) else "no text")
    return str(value) if isinstance(value, (int, float)) else value


def _number(value: Value) -> Value:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return Unknown(why=f"no number: {value[:40]}")
    if not isinstance(value, (int, float)):
        return Unknown(why="a secret" if isinstance(value, Password) else "no number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _mapping(value: Value) -> Value:
    if isinstance(value, list):
        pairs = [element for element in value if isinstance(element, Mapping)]
        named = [(pair.get("Name", pair.get("Key")), pair.get("Value")) for pair in pairs]
        if len(pairs) < len(value) or any(isinstance(name, Unknown) for name, _ in named):
            return Unknown(why="some of its names are known only at deployment")
        return {str(name): each for name, each in named}
    return value


def _environment(value: Value) -> Value:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, Mapping):
        return value
    inner = value.get("variables") or value.get("Variables")
    plain = inner if isinstance(inner, Mapping) else value
    return {
        key: secret_variable(key, variable)
        for key, variable in plain.items()
        if variable is not None
    }


def _containers(value: Value) -> Value:
    """Return ECS containers by what rules read of them: name and environment."""
    if not isinstance(value, list):
        return value
    return [_container(each) if isinstance(each, Mapping) else each for each in value]


def _container(raw: Mapping[str, Value]) -> Value:
    pairs = raw.get("environment", raw.get("Environment"))
    variables = {}
    for pair in pairs if isinstance(pairs, list) else ():
        name = pair.get("name", pair.get("Name")) if isinstance(pair, Mapping) else None
        if isinstance(name, str):
            variables[name] = secret_variable(name, pair.get("value", pair.get("Value")))
    return {"name": raw.get("name", raw.get("Name")), "environment": variables}


_DOCUMENTS = frozenset({"json", "policy"})
_HOLE = re.compile("\ue000(\\d+)\ue001")
"""Stands in a document for a value that is not known: private characters, valid in a JSON text."""


def filled(value: Unknown) -> Value:
    """Return a document whose text is known but for some values in it, as in a heredoc.

    A value that holds the place of an object or of a number leaves the whole unknown.
    """
    holes: list[Ref | None] = []
    pieces = []
    for piece in value.text:
        if isinstance(piece, str) and piece != "*":
            pieces.append(piece)
            continue
        pieces.append(f"\ue000{len(holes)}\ue001")
        holes.append(piece if isinstance(piece, Ref) else None)
    try:
        found = json.loads("".join(pieces))
    except (ValueError, RecursionError):
        return value
    return _with_holes(found, holes, value.why)


def _with_holes(found: Value, holes: Sequence[Ref | None], why: str) -> Value:
    if isinstance(found, Mapping):
        if any(_HOLE.search(key) for key in found):
            return Unknown(why=why)
        return {key: _with_holes(each, holes, why) for key, each in found.items()}
    if isinstance(found, list):
        return [_with_holes(each, holes, why) for each in found]
    if not isinstance(found, str) or not _HOLE.search(found):
        return found
    # Of what is split by a pattern with one group, each second part is that group.
    parts = [
        holes[int(part)] if number % 2 else part for number, part in enumerate(_HOLE.split(found))
    ]
    refs = tuple(part for part in parts if isinstance(part, Ref))
    text = tuple("*" if part is None else part for part in parts if part != "")
    return Unknown(refs, text if len(text) > 1 else (), why)


def document(value: Value) -> Value:
    """Return a JSON document that is given as text or as properties."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return Unknown(why="no JSON")


def policy(value: Value) -> Value:
    """Return a policy's statements, with single values wrapped in lists."""
    read = document(value)
    if isinstance(read, Unknown):
        return read
    if isinstance(read, Mapping):
        read = read.get("Statement", [read] if "Effect" in read or "Action" in read else [])
    if isinstance(read, Unknown):
        return read
    found = read if isinstance(read, list) else [read]
    return [
        _statement(statement) for statement in found if isinstance(statement, (Mapping, Unknown))
    ]


def _statement(element: Mapping[str, Any] | Unknown) -> Value:
    if isinstance(element, Unknown):
        return element
    principals = element.get("Principal")
    if isinstance(principals, str):
        principals = {"*": principals}
    if isinstance(principals, Mapping):
        principals = {key: _listed(who) for key, who in principals.items()}
    found = {
        "sid": element.get("Sid"),
        "effect": element.get("Effect", "Allow"),
        "actions": _listed(element.get("Action")),
        "not_actions": _listed(element.get("NotAction")),
        "resources": _listed(element.get("Resource")),
        "not_resources": _listed(element.get("NotResource")),
        "principals": principals,
        "conditions": element.get("Condition"),
    }
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def _listed(value: Value) -> Value:
    if value is None:
        return []
    return value if isinstance(value, (list, Unknown)) else [value]


def script(value: Value) -> Value:
    """Return user data as a shell script, decoding base64, gzip in base64, and cloud-init's forms.

    What is for Windows stays as it is.
    """
    text = _decoded(value)
    if not isinstance(text, str):
        return text
    shell = as_shell(text)
    return shell if shell is not None else Unknown(why="a cloud-config that cannot be read")


def _decoded(value: Value) -> Value:
    if isinstance(value, Mapping) and set(value) == {"base64"}:
        value = value["base64"]
    if not isinstance(value, str):
        return value if isinstance(value, Unknown) else None
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = zlib.decompressobj(wbits=31).decompress(raw, _SCRIPT_MAX)
        except zlib.error:
            return Unknown(why="gzip that cannot be read")
    text = raw.decode("utf-8", errors="replace")
    return text if text.isprintable() or "\n" in text else value


def finish(resource: Resource) -> list[Resource]:
    """Return a resource, and its blocks that are separate resources in other dialects."""
    if resource.kind not in kinds():
        return [resource]
    kind = kinds()[resource.kind]
    parts = [resource]
    for attribute in kind.attributes.values():
        if attribute.part is None:
            continue
        blocks = resource.attributes.pop(attribute.name, None)
        for number, block in enumerate(blocks or ()):
            for each, given in enumerate(_spread(block, attribute)):
                identifier = f"{resource.id}/{attribute.name}/{number}.{each}"
                parts.append(_part(resource, attribute, identifier, given))
    if kind.name == "iam.role":
        parts += _attachments(resource)
    if secrets := passwords_in_script(resource.attributes.get("user_data")):
        parts.append(_boot_script(resource, secrets))
    if kind.name == "lambda.permission":
        _take_name_apart(resource)
    if kind.name == "rds.instance" and "cluster_identifier" in resource.attributes:
        resource.kind = "rds.cluster_instance"
        allowed = kinds()["rds.cluster_instance"].attributes
        resource.attributes = {
            key: value
            for key, value in resource.attributes.items()
            if key in allowed or key in {"id", "arn"}
        }
    return parts


def _boot_script(machine: Resource, secrets: Mapping[str, Password]) -> Resource:
    """Return a machine's boot script by what it holds in plain text."""
    return replace(
        machine,
        id=f"{machine.id}/user_data",
        kind="boot.script",
        attributes={"secrets": dict(secrets)},
        unknown_properties=(),
    )


def _take_name_apart(permission: Resource) -> None:
    """Give a permission its function's name, and the alias that is named with it.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    named = permission.attributes.get("function_name")
    found = _FUNCTION.fullmatch(named) if isinstance(named, str) else None
    if found is not None:
        permission.attributes["function_name"] = (found["arn"] or "") + found["name"]
        if found["alias"]:
            permission.attributes["qualifier"] = found["alias"]


_FUNCTION = re.compile(
    r"(?P<arn>arn:[\w-]+:lambda:[\w-]+:\d+:function:)?(?:\d{12}:function:)?(?P<name>[\w-]+)(?::(?P<alias>[$\w-]+))?"
)


def _attachments(role: Resource) -> list[Resource]:
    """Return the policies that a role lists as attachment resources."""
    listed = role.attributes.pop("managed_policy_arns", [])
    if not isinstance(listed, list):
        listed = [listed]
    attribute = Attribute("managed_policy_arns", "part", None, "", ())
    attribute.part = ("iam.role_policy_attachment", "role")
    return [
        _part(role, attribute, f"{role.id}/managed_policy_arns/{number}", {"policy_arn": arn})
        for number, arn in enumerate(listed)
    ]


def _spread(block: Mapping[str, Value] | Unknown, attribute: Attribute) -> list[dict[str, Value]]:
    """Return one block for each element of an attribute that is a list only here: `cidr_blocks`."""
    if isinstance(block, Unknown):
        unknown = Unknown(why=block.why)
        return [dict.fromkeys((member.becomes for member in attribute.members.values()), unknown)]
    plain = {attribute.members[key].becomes: value for key, value in block.items()}
    if attribute.part and attribute.part[0] == "s3.versioning":
        status = plain.get("status")
        plain["status"] = "Enabled" if status in (True, "true", "Enabled") else status
    spread = {
        key: value
        for key, value in plain.items()
        if isinstance(value, list) and key in {"cidr_ipv4", "referenced_security_group_id"}
    }
    if not spread:
        return [plain]
    rest = {key: value for key, value in plain.items() if key not in spread}
    return [{**rest, key: value} for key, values in spread.items() for value in values]


def _part(
    resource: Resource, attribute: Attribute, identifier: str, given: dict[str, Value]
) -> Resource:
    assert attribute.part is not None
    kind, back = attribute.part
    given[back] = Unknown(refs=(Ref(resource.id, "id"),))
    if kind == "events.target" and "event_bus_name" in resource.attributes:
        given["event_bus_name"] = resource.attributes["event_bus_name"]
    return replace(resource, id=identifier, kind=kind, attributes=given, unknown_properties=())


def has_unknown(value: Value) -> bool:
    """Return whether any part of a value is unknown."""
    return any(True for _ in unknowns(value))


def unknown_properties(raw: Mapping[str, Any], kind: Kind, dialect: str) -> tuple[str, ...]:
    """Return the properties that are unknown to a closed kind."""
    if not kind.closed:
        return ()
    known = {_native(attribute, dialect) for attribute in kind.attributes.values()}
    for attribute in kind.attributes.values():
        known |= {_native(member, dialect) for member in attribute.members.values()}
    extra = {"id", "region", "fqdn", "timeouts", "Comment", "HostedZoneName", "Region", "Weight"}
    extra |= {"GeoLocation", "geoproximityRoutingPolicy", "__defaults"}
    return tuple(sorted(key for key in raw if key not in known | extra))


def _native(attribute: Attribute, dialect: str) -> str:
    match dialect:
        case "terraform":
            return attribute.terraform[0]
        case "pulumi":
            return attribute.pulumi
        case _:
            return (attribute.cloudformation or ("",))[0] if attribute.cloudformation else ""
