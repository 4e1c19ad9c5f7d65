"""CloudFormation templates in JSON or YAML, evaluated as stacks in a Region."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from otherside.check.model.arn import OWN
from otherside.check.model.graph import GLOBAL, Place, Resource, is_global
from otherside.check.model.schema import by_cloudformation, kinds
from otherside.check.model.values import Code, Ref, Unknown, Value, not_given, one_of_two
from otherside.check.readers.arn_parts import reshaped, split_arn
from otherside.check.readers.cloudformation.cfn_init import with_cfn_init
from otherside.check.readers.cloudformation.stack_sets import STACK_SET, deployments
from otherside.check.readers.normalize import (
    Dialect,
    attributes_of,
    cloudformation_path,
    descend,
    finish,
    policy,
    unknown_properties,
)
from otherside.check.readers.passwords import Parameter, is_secret_name, secret_text
from otherside.check.readers.source import code_of_directory, code_of_file

_HOLE = re.compile(r"\$\{([^}]*)\}")
_DEPTH_MAX = 100
_DIGITS_MAX = 9
NOTHING = "AWS::NoValue"


def _code(value: Value) -> Code | Unknown | None:
    if isinstance(value, (Code, Unknown)):
        return value
    text = value.get("ZipFile") if isinstance(value, Mapping) else None
    if isinstance(text, Unknown):
        return replace(text, either=tuple(_code({"ZipFile": branch}) for branch in text.either))
    return Code((("index", text),), whole=True) if isinstance(text, str) else None


_PLAIN_S3 = "S3DestinationConfiguration"

DIALECT = Dialect("cloudformation", cloudformation_path, _code)


class Template:
    """One template as one stack, with parameters bound and intrinsics evaluated."""

    def __init__(
        self,
        document: Mapping[str, Any],
        file: str,
        *,
        region: str | None = None,
        parameters: Mapping[str, Value] | None = None,
        prefix: str = "",
        name: str = "",
        root: str = "",
        instance: str = "",
        lines: Callable[[str], int | None] = lambda _: None,
    ) -> None:
        """Bind each parameter to its given value or to its default."""
        self.file, self.region, self.prefix = file, region, prefix
        self.root, self.instance = root, instance
        self.name = name or Path(file).stem
        self.lines = lines
        self.resources = _mapping(document.get("Resources"))
        self.mappings = _mapping(document.get("Mappings"))
        self.outputs = _mapping(document.get("Outputs"))
        self.imports: Mapping[tuple[str | None, str], Value] = {}
        self.imported: set[str] = set()
        """Names of exports that were asked for."""
        self.children: dict[str, Template] = {}
        self.deployed: dict[str, list[Template]] = {}
        """The templates of stack sets, one for each Region."""
        self.bound = self._bind(_mapping(document.get("Parameters")), parameters or {})
        self.around = {str(Path(file).resolve())}
        """The files that this one is nested in, including itself."""
        self.conditions: dict[str, bool | None] = {}
        self._declared = _mapping(document.get("Conditions"))

    def _bind(self, declared: Mapping[str, Any], given: Mapping[str, Value]) -> dict[str, Value]:
        bound: dict[str, Value] = {}
        for name, item in declared.items():
            item = _mapping(item)  # noqa: PLW2901 - the same, as a mapping
            type_ = str(item.get("Type", ""))
            if type_.startswith("AWS::SSM::Parameter::Value<"):
                bound[name] = _in_store(name, given.get(name, item.get("Default")))
            elif name in given:
                value = given[name]
                outside = isinstance(value, str) and not self.root  # a parent's literal is in code
                bound[name] = Parameter(value, name, defaulted=False) if outside else value
            elif "Default" not in item:
                bound[name] = not_given(f"the parameter {name}")
            elif type_.startswith(("CommaDelimitedList", "List<")):
                bound[name] = str(item["Default"]).split(",")
            else:
                bound[name] = Parameter(str(item["Default"] or ""), name, defaulted=True)
        return bound

    def exported(self) -> dict[tuple[str | None, str], Value]:
        """Return the values that other stacks in the Region may import."""
        found = {}
        for output in self.outputs.values():
            name = self.value(_mapping(_mapping(output).get("Export")).get("Name"))
            if isinstance(name, str):
                found[(self.region, str(name))] = self.value(_mapping(output).get("Value"))
        return found

    def _made(self, type_: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the resources of a type whose condition is not false."""
        for logical, raw in self.resources.items():
            resource = _mapping(raw)
            if resource.get("Type") == type_ and self.holds(resource.get("Condition")) is not False:
                yield logical, resource

    def nest(self, read: Callable[[Path], "tuple[Mapping[str, Any], Any] | None"]) -> None:
        """Read and bind the templates of nested stacks that are stored beside this one."""
        for logical, raw in self._made("AWS::CloudFormation::Stack"):
            properties = _mapping(raw.get("Properties"))
            url = self.value(properties.get("TemplateURL"))
            if not isinstance(url, str) or "://" in url or len(self.prefix) > _DEPTH_MAX:
                continue
            path = Path(self.file).parent / url
            found = read(path) if str(path.resolve()) not in self.around else None
            if found is None:
                continue
            given = {k: self.value(v) for k, v in _mapping(properties.get("Parameters")).items()}
            child = Template(
                found[0],
                str(path),
                region=self.region,
                parameters=given,
                prefix=f"{self.prefix}{logical}/",
                root=self.root or self.file,
                instance=self.instance,
                lines=found[1],
            )
            child.around = {*self.around, str(path.resolve())}
            child.nest(read)
            self.children[logical] = child

    def deploy(
        self, read: Callable[[Value, Value, str], tuple[Mapping[str, Any], str] | None]
    ) -> None:
        """Read and bind the templates of stack sets that are written out or stored beside this.

        `read` gets the body, the URL, and what to call it: `FILE#RESOURCE`. It returns the
        template, and the file that it is in, if it is in one of its own.
        """
        for nested in self.children.values():
            nested.deploy(read)
        for logical, raw in self._made(STACK_SET):
            properties = self._properties(raw)
            body = _mapping(raw.get("Properties")).get("TemplateBody")
            if not isinstance(body, Mapping) or "Resources" not in body:
                body = properties.get("TemplateBody")  # what refers to anything in it is its own
            found = read(body, properties.get("TemplateURL"), f"{self.file}#{logical}")
            if found is None:
                continue
            document, file = found
            self.deployed[logical] = [
                Template(
                    document,
                    file or self.file,
                    region=region,
                    parameters=parameters,
                    prefix=f"{self.prefix}{logical}/",
                    root=self.root or self.file,
                    instance=f"{self.instance}{region}>",
                    lines=lambda _, logical=logical: self.lines(logical),  # type: ignore[misc]  # a default of its own
                )
                for region, parameters in deployments(properties)
            ]

    def nested_files(self) -> Iterator[Path]:
        """Yield the files of all templates that are nested in this one."""
        own = [
            *self.children.values(),
            *(child for each in self.deployed.values() for child in each),
        ]
        for child in own:
            if child.file != self.file:
                yield Path(child.file).resolve()
            yield from child.nested_files()

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield each nested stack and each stack set whose template was not read, and why."""
        for logical, _ in self._made(STACK_SET):
            deployed = self.deployed.get(logical, [])
            if not deployed:
                cause = "a stack set, whose template is elsewhere: check it by itself"
                yield f"{self.file}#{logical}", cause
            for child in deployed[:1]:
                yield from child.unread()
        for logical, raw in self._made("AWS::CloudFormation::Stack"):
            if logical in self.children:
                yield from self.children[logical].unread()
                continue
            url = self.value(_mapping(raw.get("Properties")).get("TemplateURL"))
            where = url if isinstance(url, str) else "a place that is known only at deployment"
            yield f"{self.file}#{self.prefix}{logical}", f"a nested template, not read: {where}"

    def load(self) -> Iterator[Resource]:
        """Yield every resource whose condition is not false."""
        for logical, raw in self.resources.items():
            if isinstance(raw, Mapping) and self.holds(raw.get("Condition")) is not False:
                yield from self._marked(raw, self._resource(logical, raw))
        inner = [*self.children.items()]
        inner += [(logical, child) for logical in self.deployed for child in self.deployed[logical]]
        for logical, child in inner:
            child.imports = self.imports
            yield from self._marked(self.resources[logical], child.load())

    def _marked(self, raw: Mapping[str, Any], made: Iterable[Resource]) -> Iterator[Resource]:
        """Yield what a resource or a nested template declares, with the condition that decides."""
        condition = raw.get("Condition")
        only_if = {} if self.holds(condition) else {self.identifier(str(condition)): True}
        for resource in made:
            resource.only_if = {**resource.only_if, **only_if}
            yield resource

    def identifier(self, logical: str) -> str:
        """Return what a resource is called."""
        return f"{self.file}#{self.prefix}{logical}"

    def _id(self, logical: str) -> str:
        """Return a resource's identifier in the graph.

        Two roots may nest the same file, and one file may be deployed to two Regions.
        """
        root = f"{self.root}>" if self.root else ""
        return f"{self.instance}{root}{self.identifier(logical)}"

    def _resource(self, logical: str, raw: Mapping[str, Any]) -> Iterator[Resource]:
        type_ = str(raw.get("Type", ""))
        kind = by_cloudformation().get(type_)
        name = kind.name if kind else _SPECIAL.get(type_, ("", type_))[1]
        properties = self._properties(raw)
        metadata = _mapping(raw.get("Metadata"))
        resource = Resource(
            id=self._id(logical),
            name=self.identifier(logical),
            kind=name,
            type=type_,
            region=GLOBAL if is_global(name) else self.region,
            place=Place(self.file, self.lines(logical)),
            dialect="cloudformation",
            stack=self.name,
            suppressed=_suppressed(metadata),
        )
        if name not in kinds():
            yield resource
            return
        special = _SPECIAL.get(type_)
        if special is not None:
            yield from special[0](self, resource, properties)
            return
        if name == "sfn.state_machine" and "Definition" in properties:  # the same, not as a text
            properties = {"DefinitionString": properties["Definition"], **properties}
        if name == "lb.listener_rule":
            conditions = [_newer_condition(each) for each in _listed(properties.get("Conditions"))]
            properties = {**properties, "Conditions": conditions}
        if _PLAIN_S3 in properties:  # the older of the two ways to name the same bucket
            properties = {"Extended" + _PLAIN_S3: properties[_PLAIN_S3], **properties}
        found = attributes_of(properties, kinds()[name].attributes, DIALECT)
        if name == "lambda.function":
            found |= self._code(metadata, found)
        if "user_data" in found:
            found["user_data"] = with_cfn_init(found["user_data"], self._metadata_of)
        resource.attributes = found
        resource.unknown_properties = unknown_properties(
            properties, kinds()[name], "cloudformation"
        )
        yield from _companions(resource, properties)
        yield from finish(resource)

    def _metadata_of(self, logical: str) -> Value:
        return self.value(_mapping(self.resources.get(logical)).get("Metadata"))

    def _properties(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        found = self.value(raw.get("Properties") or {})
        return found if isinstance(found, Mapping) else {}

    def _code(self, metadata: Mapping[str, Any], found: Mapping[str, Value]) -> dict[str, Value]:
        asset = metadata.get("aws:asset:path")
        if not isinstance(asset, str) or isinstance(found.get("source"), Code):
            return {}
        path = Path(self.file).parent / asset
        return {"source": code_of_file(path) if path.is_file() else code_of_directory(path)}

    def holds(self, name: object, depth: int = 0) -> bool | None:
        """Return whether a condition holds, or `None` if that is unknown."""
        if name is None:
            return True
        if not isinstance(name, str):
            return None
        if name not in self.conditions:
            self.conditions[name] = None  # a condition that refers to itself is unknown
            self.conditions[name] = self._truth(self._declared.get(name), depth)
        return self.conditions[name]

    def _truth(self, raw: Value, depth: int) -> bool | None:
        if depth > _DEPTH_MAX or not isinstance(raw, Mapping) or len(raw) != 1:
            return None
        ((key, body),) = raw.items()
        if key == "Condition":
            return self.holds(body, depth + 1)
        if key == "Fn::Equals" and isinstance(body, list) and len(body) == 2:  # noqa: PLR2004 - what the intrinsic takes
            left, right = self.value(body[0]), self.value(body[1])
            return None if Unknown in {type(left), type(right)} else str(left) == str(right)
        parts = [self._truth(item, depth + 1) for item in body] if isinstance(body, list) else []
        match key:
            case "Fn::Not":
                return None if not parts or parts[0] is None else not parts[0]
            case "Fn::And":
                return False if False in parts else None if None in parts else True
            case "Fn::Or":
                return True if True in parts else None if None in parts else False
        return None

    def value(self, raw: Value, depth: int = 0) -> Value:
        """Return a value with its intrinsics evaluated; unknowable parts become `Unknown`."""
        if depth > _DEPTH_MAX:
            return Unknown(why="nested too deeply")
        if isinstance(raw, list):
            items = [self.value(item, depth + 1) for item in raw]
            return [item for item in items if item is not None]
        if not isinstance(raw, Mapping):
            return raw
        if len(raw) == 1:
            ((key, body),) = raw.items()
            if key == "Ref":
                return self._ref(body)
            if key.startswith("Fn::"):
                return self._intrinsic(key.removeprefix("Fn::"), body, depth + 1)
        found = {key: self.value(item, depth + 1) for key, item in raw.items()}
        return {key: item for key, item in found.items() if item is not None}

    def _parts(self, between: str, text: Value) -> Value:
        """Return the parts of a text that is known only at deployment."""
        if isinstance(text, Unknown) and text.whole is not None:
            logical = text.whole.target.rpartition("#")[2].removeprefix(self.prefix)
            type_ = _mapping(self.resources.get(logical)).get("Type")
            parts = split_arn(between, text, str(type_))
            if parts is None and between not in {"/", ":"}:
                parts = reshaped(text, str(type_), lambda whole: whole.split(between), [between])
            if parts is not None:
                return parts
        return Unknown(tuple(_refs(text)), ("split", *_refs(text), between))

    def _ref(self, name: Value) -> Value:
        match name:
            case "AWS::NoValue":
                return None
            case "AWS::Region":
                return self.region or Unknown(why=f"the Region of {self.file}")
            case "AWS::AccountId":
                return OWN
            case "AWS::Partition":
                return "aws"
            case "AWS::URLSuffix":
                return "amazonaws.com"
            case "AWS::StackName":
                return self.name
        if not isinstance(name, str):
            return Unknown(why="a Ref of no name")
        if name in self.bound:
            return self.bound[name]
        if name in self.resources:
            return self._to(str(name), None)
        return Unknown(why=f"{name}, which the template does not have")

    def _to(self, logical: str, attribute: str | None) -> Value:
        """Return a reference to a resource: its `Ref`, or one of its attributes."""
        raw = _mapping(self.resources.get(logical))
        if self.holds(raw.get("Condition")) is False:
            return None
        kind = by_cloudformation().get(str(raw.get("Type")))
        if attribute is None:
            native = kind.ref if kind else "id"
        else:
            native = _attribute(kind.name if kind else "", attribute)
        return Unknown(refs=(Ref(self._id(logical), native),))

    def _intrinsic(self, name: str, body: Value, depth: int) -> Value:  # noqa: C901 - a table
        match name:
            case "GetAtt":
                return self._get(body)
            case "Sub":
                return self._sub(body, depth)
            case "Join" if isinstance(body, list) and len(body) == 2:  # noqa: PLR2004 - what the intrinsic takes
                return self._join(str(body[0] or ""), self.value(body[1], depth))
            case "If" if isinstance(body, list) and len(body) == 3:  # noqa: PLR2004 - what the intrinsic takes
                holds = self.holds(body[0])
                if holds is None:
                    both = self.value(body[1], depth), self.value(body[2], depth)
                    why = f"one thing or another by the condition {body[0]}"
                    named = self.identifier(body[0]) if isinstance(body[0], str) else ""
                    return one_of_two(named, both, why)
                return self.value(body[1 if holds else 2], depth)
            case "Select" if isinstance(body, list) and len(body) == 2:  # noqa: PLR2004 - what the intrinsic takes
                return _select(self.value(body[0], depth), self.value(body[1], depth))
            case "Split" if isinstance(body, list) and len(body) == 2:  # noqa: PLR2004 - what the intrinsic takes
                text = self.value(body[1], depth)
                if isinstance(text, str) and body[0]:
                    return text.split(str(body[0]))
                return self._parts(str(body[0]), text)
            case "FindInMap":
                return self._find(body, depth)
            case "Base64":
                return self.value(body, depth)
            case "ImportValue":
                key = self.value(body, depth)
                if isinstance(key, str):
                    self.imported.add(str(key))
                if isinstance(key, str) and (self.region, str(key)) in self.imports:
                    return self.imports[(self.region, str(key))]
                return Unknown(why=f"imported as {key if isinstance(key, str) else 'something'}")
            case "GetAZs":
                zones = [f"{self.region}{letter}" for letter in "abc"] if self.region else None
                return zones or Unknown(why="the zones of a Region")
        return Unknown(tuple(_refs(self.value(body, depth))), why=f"made by Fn::{name}")

    def _get(self, body: Value) -> Value:
        if isinstance(body, str):
            body = body.split(".", 1)
        if not isinstance(body, list) or len(body) != 2 or not isinstance(body[0], str):  # noqa: PLR2004 - what the intrinsic takes
            return Unknown(why="an attribute that is not named")
        logical, attribute = body[0], str(body[1])
        child = self.children.get(logical)
        if child is not None and attribute.startswith("Outputs."):
            output = _mapping(child.outputs.get(attribute.removeprefix("Outputs.")))
            return child.value(output.get("Value"))
        if logical not in self.resources:
            return Unknown(why=f"{logical}, which the template does not have")
        return self._to(logical, attribute)

    def _sub(self, body: Value, depth: int) -> Value:
        names: Mapping[str, Any] = {}
        if isinstance(body, list) and len(body) == 2:  # noqa: PLR2004 - the text and its names
            body, names = body[0], _mapping(body[1])
        if not isinstance(body, str):
            return Unknown(why="a Sub of no text")
        pieces: list[Value] = []
        end = 0
        for hole in _HOLE.finditer(body):
            pieces.append(body[end : hole.start()])
            end = hole.end()
            inner = hole[1]
            if inner.startswith("!"):
                pieces.append("${" + inner[1:] + "}")
            elif inner in names:
                pieces.append(self.value(names[inner], depth))
            elif "." in inner:
                pieces.append(self._get(inner))
            else:
                pieces.append(self._ref(inner))
        pieces.append(body[end:])
        whole = [piece for piece in pieces if piece not in ("", None)]
        return whole[0] if len(whole) == 1 else joined(whole)

    def _join(self, between: str, parts: Value) -> Value:
        if not isinstance(parts, list):
            return Unknown(tuple(_refs(parts)))
        pieces: list[Value] = []
        for number, part in enumerate(parts):
            pieces += [between, part] if number else [part]
        return joined(pieces)

    def _find(self, body: Value, depth: int) -> Value:
        keys = [self.value(step, depth) for step in body[:3]] if isinstance(body, list) else []
        unknown = next((key for key in keys if not isinstance(key, (str, int))), None)
        found: list[Value] = [self.mappings]
        for key in keys:
            maps = [item for item in found if isinstance(item, Mapping)]
            known = isinstance(key, (str, int))
            found = [
                value
                for item in maps
                for value in ([item.get(key)] if known else item.values())
                if value is not None
            ]
        if unknown is not None:
            why = unknown.why if isinstance(unknown, Unknown) else "what is no key"
            return Unknown(why=f"in a map, by {why}", either=tuple(found[:_ENTRIES_MAX]))
        return found[0] if found else Unknown(why="in a map that has no such entry")


_ENTRIES_MAX = 100


def _in_store(parameter: str, named: Value) -> Unknown:
    """Return what a template's parameter reads from Parameter Store: plain text, never a secret.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
    """
    why = f"in the SSM parameter that {parameter} names"
    either = (f"{{{{resolve:ssm:{named}}}}}",) if isinstance(named, str) else ()
    return Unknown(why=why, either=either)


def joined(pieces: list[Value]) -> Value:
    """Return pieces as one text, or as an `Unknown` if a piece is unknown."""
    if all(isinstance(piece, (str, int)) for piece in pieces):
        whole = "".join(str(piece) for piece in pieces)
        given = [piece for piece in pieces if isinstance(piece, Parameter)]
        secret = [piece for piece in given if is_secret_name(piece.parameter)]
        if secret:
            return Parameter(whole, secret[0].parameter, defaulted=secret[0].defaulted)
        return whole
    text: list[str | Ref] = []
    for piece in pieces:
        if isinstance(piece, Unknown):
            text.extend(piece.text or piece.refs or ("*",))
        else:
            text.append(str(piece))
    why = next(
        (piece.why for piece in pieces if isinstance(piece, Unknown)), "known only at deployment"
    )
    found = Unknown(tuple(r for piece in pieces for r in _refs(piece)), tuple(text), why)
    deciding = {piece.condition for piece in pieces if isinstance(piece, Unknown)} - {""}
    if len(deciding) != 1:
        return found
    (condition,) = deciding
    true, false = (joined([_branch(piece, at) for piece in pieces]) for at in range(2))
    made = one_of_two(condition, (true, false), why)
    return replace(found, either=made.either, condition=made.condition)


def _branch(value: Value, at: int) -> Value:
    chosen = value.either[at] if isinstance(value, Unknown) and value.condition else value
    return chosen if isinstance(chosen, (str, int, Unknown)) else Unknown(why="no text")


def _refs(value: Value) -> tuple[Ref, ...]:
    return value.refs if isinstance(value, Unknown) else ()


def _select(index: Value, found: Value) -> Value:
    text = str(index)
    if isinstance(found, list) and text.isascii() and text.isdigit() and len(text) < _DIGITS_MAX:
        return found[int(text)] if int(text) < len(found) else Unknown(why=f"no {text} of it")
    return Unknown(_refs(found), found.text if isinstance(found, Unknown) else ())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _attribute(kind: str, native: str) -> str:
    """Return the Terraform name of an attribute that `GetAtt` requests."""
    if kind in kinds():
        for name, attribute in kinds()[kind].attributes.items():
            if attribute.cloudformation and ".".join(attribute.cloudformation) == native:
                return name
    plain = {"Arn": "arn", "Id": "id", "LoadBalancerFullName": "arn_suffix"}
    return plain.get(native, native)


_CONDITION_BLOCKS = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}


def _newer_condition(condition: Value) -> Value:
    """Return a listener rule's condition with its values in a block of their own.

    The older form has them beside the field.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-elasticloadbalancingv2-listenerrule-rulecondition.html
    """
    if not isinstance(condition, Mapping) or "Values" not in condition:
        return condition
    block = _CONDITION_BLOCKS.get(str(condition.get("Field")))
    return {**condition, block: {"Values": condition["Values"]}} if block else condition


def _suppressed(metadata: Mapping[str, Any]) -> dict[str, str]:
    found = _mapping(_mapping(metadata.get("otherside")).get("ignore"))
    return {str(code): str(reason or "") for code, reason in found.items()}


def _companions(resource: Resource, properties: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield the resources that CloudFormation creates implicitly and other dialects declare."""
    made = Unknown(refs=(Ref(resource.id, "id"),))
    if resource.kind == "ec2.peering":
        owner = properties.get("PeerOwnerId")
        own = owner is None or owner == OWN or properties.get("PeerRoleArn") is not None
        if own or isinstance(owner, str):
            accepts = True if own else Unknown(why=f"done by AWS if {owner} is this account")
            given: dict[str, Value] = {"vpc_peering_connection_id": made, "auto_accept": accepts}
            accepter = _beside(resource, "accepter", "ec2.peering_accepter", given)
            region = properties.get("PeerRegion", resource.region)
            accepter.region = region if isinstance(region, str) else None
            yield accepter
    if resource.kind == "secretsmanager.secret" and "SecretString" in properties:
        value = secret_text(properties["SecretString"])
        given = {"secret_id": made, "secret_string": value}
        yield _beside(resource, "version", "secretsmanager.secret_version", given)
    if resource.kind == "iam.policy":
        for number, role in enumerate(_listed(properties.get("Roles"))):
            arn = Unknown(refs=(Ref(resource.id, "arn"),))
            given = {"role": role, "policy_arn": arn}
            yield _beside(resource, f"role/{number}", "iam.role_policy_attachment", given)


def _beside(owner: Resource, suffix: str, kind: str, attributes: dict[str, Value]) -> Resource:
    return Resource(
        id=f"{owner.id}/{suffix}",
        name=owner.name,
        kind=kind,
        type=owner.type,
        region=GLOBAL if is_global(kind) else owner.region,
        place=owner.place,
        dialect=owner.dialect,
        attributes={key: value for key, value in attributes.items() if value is not None},
        stack=owner.stack,
        suppressed=owner.suppressed,
    )


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [] if value is None else [value]


Special = Callable[[Template, Resource, Mapping[str, Any]], Iterator[Resource]]


def _role_policies(_: Template, resource: Resource, given: Mapping[str, Any]) -> Iterator[Resource]:
    for number, role in enumerate(_listed(given.get("Roles"))):
        yield _beside(
            resource,
            f"{number}",
            "iam.role_policy",
            {
                "role": role,
                "name": given.get("PolicyName"),
                "policy": policy(given.get("PolicyDocument")),
            },
        )


def _each(key: str, attribute: str) -> Special:
    def made(_: Template, resource: Resource, given: Mapping[str, Any]) -> Iterator[Resource]:
        for number, target in enumerate(_listed(given.get(key))):
            document = policy(given.get("PolicyDocument"))
            yield _beside(
                resource, f"{number}", resource.kind, {attribute: target, "policy": document}
            )

    return made


def _record_group(_: Template, resource: Resource, given: Mapping[str, Any]) -> Iterator[Resource]:
    kind = kinds()["route53.record"]
    shared = {key: given[key] for key in ("HostedZoneId", "HostedZoneName") if key in given}
    for number, record in enumerate(_listed(given.get("RecordSets"))):
        if isinstance(record, Mapping):
            found = attributes_of({**shared, **record}, kind.attributes, DIALECT)
            made = _beside(resource, f"{number}", kind.name, found)
            made.unknown_properties = unknown_properties(record, kind, "cloudformation")
            yield made


def _global_table(
    template: Template, resource: Resource, given: Mapping[str, Any]
) -> Iterator[Resource]:
    """Yield a global table: this Region's replica is the table, the others are its replicas."""
    found = attributes_of(given, kinds()["dynamodb.table"].attributes, DIALECT)
    listed = _listed(given.get("Replicas"))
    replicas = [replica for replica in listed if isinstance(replica, Mapping)]
    home = next((r for r in replicas if r.get("Region") == template.region), None)
    others = [r for r in replicas if r is not home]
    if home is not None:
        mine = _replica(home)
        found.update({k: v for k, v in mine.items() if k == "deletion_protection_enabled"})
        if "point_in_time_recovery" in mine:
            found["point_in_time_recovery"] = {"enabled": mine["point_in_time_recovery"]}
        if "kms_key_arn" in mine and isinstance(found.get("server_side_encryption"), dict):
            found["server_side_encryption"]["kms_key_arn"] = mine["kms_key_arn"]
    for key in _listed(given.get("KeySchema")):
        if isinstance(key, Mapping) and key.get("KeyType") == "HASH":
            found["hash_key"] = key.get("AttributeName")
    mode = given.get("MultiRegionConsistency")
    consistency = {} if mode in (None, "EVENTUAL") else {"consistency_mode": mode}
    found["replica"] = [{**_replica(r), **consistency} for r in others]
    if home is None and any(
        isinstance(replica, Unknown) or _nowhere(replica) for replica in listed
    ):
        unknown = Unknown(why="its replicas are known only at deployment")
        found |= {"replica": unknown, "server_side_encryption": unknown}
        found |= {"point_in_time_recovery": unknown, "deletion_protection_enabled": unknown}
    witness = descend(given, ("GlobalTableWitnesses", "Region"))
    if witness is not None:
        found["global_table_witness"] = {"region_name": witness}
    resource.attributes = {key: value for key, value in found.items() if value not in (None, [])}
    yield resource


def _nowhere(replica: Value) -> bool:
    return isinstance(replica, Mapping) and isinstance(replica.get("Region"), Unknown)


def _replica(raw: Mapping[str, Any]) -> dict[str, Value]:
    found = {
        "region_name": raw.get("Region"),
        "kms_key_arn": descend(raw, ("SSESpecification", "KMSMasterKeyId")),
        "point_in_time_recovery": _true(
            descend(raw, ("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"))
        ),
        "deletion_protection_enabled": _true(raw.get("DeletionProtectionEnabled")),
    }
    return {key: value for key, value in found.items() if value is not None}


def _true(value: Value) -> Value:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


_SPECIAL: dict[str, tuple[Special, str]] = {
    "AWS::IAM::Policy": (_role_policies, "iam.role_policy"),
    "AWS::SNS::TopicPolicy": (_each("Topics", "arn"), "sns.topic_policy"),
    "AWS::SQS::QueuePolicy": (_each("Queues", "queue_url"), "sqs.queue_policy"),
    "AWS::SNS::TopicInlinePolicy": (_each("TopicArn", "arn"), "sns.topic_policy"),
    "AWS::SQS::QueueInlinePolicy": (_each("Queue", "queue_url"), "sqs.queue_policy"),
    "AWS::Route53::RecordSetGroup": (_record_group, "route53.record"),
    "AWS::DynamoDB::GlobalTable": (_global_table, "dynamodb.table"),
}
