"""Imagined outputs: a value of the right shape for everything that an SDK's class declares.

AWS would answer what no mock here knows. A program that takes such an answer apart
(`endpoint.split(":")`, `json.loads(policy)`) has to get something to take apart, or it ends where
Pulumi would have gone on. Every imagined value carries a mark that survives most of that, so that
`is_imagined` recognises what was made of it: a checker takes that for unknown.
"""

import base64
import contextlib
import enum
import hashlib
import inspect
import json
import os
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi
from pulumi import _types

from otherside.check.readers.pulumi.stack import REFERENCE, SIGNATURE
from otherside.program.imagined_text import (
    FEW,
    ImaginedTable,
    ImaginedText,
    expects_an_error,
    of_program,
)

MARK = "imagined-"
_ENCODED = base64.b64encode(MARK.encode()).decode().rstrip("=")
_NET = "198.18."
"""A network that nobody has: RFC 2544 keeps it for benchmarks."""
_NUMBER = 47713
"""A number that nobody writes, and that may be a port."""
_DEPTH_MAX = 5
_PLAIN, _NESTED = 6, 2
"""How many items an imagined list has: programs take the subnets of three Zones, two of each."""

Hints = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where something is imagined: its module, Region and account, and a seed of its own."""

    module: str
    region: str
    account: str
    seed: str

    def mark(self, name: str) -> str:
        """Return a marked text that no other output has."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).hexdigest()[:12]
        return f"{MARK}{digest}"


def is_imagined(value: object) -> bool:
    """Return whether a value was imagined, or was made of one that was."""
    if isinstance(value, str):
        return MARK in value or _ENCODED in value or _NET in value
    return value == _NUMBER and not isinstance(value, bool)


def outputs_of(token: str, state: Mapping[str, Any], place: Surroundings) -> dict[str, Any]:
    """Return a resource's state with every output that its class declares and the state lacks.

    An optional setting that nobody asked for stays away. A document that was given as a dictionary
    becomes text where the class says text, as the provider returns it.
    """
    kind = _resource_class(token)
    return _filled(_hints(kind), state, place, left_out=_settings_of(kind))


def _filled(
    hints: Hints, given: Mapping[str, Any], place: Surroundings, left_out: Collection[str] = ()
) -> dict[str, Any]:
    """Return what was given as the class returns it, and what it returns besides."""
    found = dict(given)
    for name, hint in hints.items():
        kind, optional = _unwrapped(hint)
        if name in found:
            found[name] = _returned(kind, found[name], name, place)
        elif not (optional and name in left_out):
            found[name] = _value(kind, name, place)
    return found


def _settings_of(kind: type | None) -> frozenset[str]:
    """Return the outputs that are settings, too: whoever leaves one out gets none back."""
    asked = getattr(kind, "_internal_init", None)
    if kind is None or asked is None:
        return frozenset()
    names = _types.resource_py_to_pulumi_names(kind)
    return frozenset(names.get(name, name) for name in inspect.signature(asked).parameters)


def _returned(kind: Any, given: Any, name: str, place: Surroundings) -> Any:  # noqa: ANN401 - any annotation, any value
    """Return an input as a provider gives it back, in the type that the class declares."""
    if given is None or (isinstance(given, dict) and SIGNATURE in given):
        return given
    origin = typing.get_origin(kind)
    if kind is str and not isinstance(given, str):
        return json.dumps(given)
    if kind in {int, float, bool} and isinstance(given, str):
        with contextlib.suppress(ValueError):
            return kind(json.loads(given))
        return _value(kind, name, place)
    fits = isinstance(given, list) if origin in {list, Sequence} else not isinstance(given, list)
    return given if fits else _value(kind, name, place)


def answer_of(
    token: str, arguments: Mapping[str, Any], place: Surroundings
) -> dict[str, Any] | None:
    """Return the answer of a data source by its class, or `None` if its class is not known."""
    hints = _hints(_answer_class(token))
    if not hints:
        return None
    return _filled(hints, {key: arguments[key] for key in arguments if key in hints}, place)


class GapListener(Protocol):
    """What gets one sentence for each gap."""

    def __call__(self, sentence: str, *, decides: bool) -> None:
        """Take a sentence, and whether what the program makes depends on what was imagined."""


@contextlib.contextmanager
def gaps(place: Surroundings, told: "GapListener") -> Iterator[None]:
    """Imagine, while the block runs, what a program asks of other stacks and of its settings.

    All of it arrives as plain tables and texts, so a name that is missing can only be met where it
    is asked.
    """
    changes = {**_of_stacks(place, told), **_of_settings(place, told), **_of_texts(place, told)}
    before = {where: getattr(*where) for where in changes}
    try:
        for (owner, name), replacement in changes.items():
            setattr(owner, name, replacement)
        yield
    finally:
        for (owner, name), original in before.items():
            setattr(owner, name, original)


Changes = dict[tuple[Any, str], Any]


def _of_stacks(place: Surroundings, told: GapListener) -> Changes:
    """Return how other stacks' outputs are asked for. What those stacks make is not seen."""

    def output(self: pulumi.StackReference, name: pulumi.Input[str]) -> pulumi.Output[Any]:
        def pick(found: Sequence[Any]) -> Any:  # noqa: ANN401 - any output
            outputs, other, wanted = found
            if wanted in outputs:
                return outputs[wanted]
            told(f"the output {wanted} of the stack {other} was imagined", decides=True)
            return by_name(str(wanted), place)

        return pulumi.Output.all(self.outputs, self.name, name).apply(pick)

    return dict.fromkeys(
        ((pulumi.StackReference, "get_output"), (pulumi.StackReference, "require_output")), output
    )


def _of_settings(place: Surroundings, told: GapListener) -> Changes:
    """Return how settings and the environment's variables are asked for."""

    def setting(name: str, instead: Callable[[str, Callable[[], None]], Any]) -> Any:  # noqa: ANN401 - a method
        asked = getattr(pulumi.Config, name)

        def require(self: pulumi.Config, key: str, *given: Any) -> Any:  # noqa: ANN401 - as what it replaces
            try:
                return asked(self, key, *given)
            except pulumi.ConfigMissingError:
                sentence = f"the setting {self.full_key(key)} is missing and was imagined"
                told(sentence, decides=name in _COUNTED)
                return instead(key, lambda: told(sentence, decides=True))

        return require

    def text(key: str, decides: Callable[[], None]) -> ImaginedText:
        return ImaginedText(key, lambda name: _text(name, place), decides)

    def table(key: str, decides: Callable[[], None]) -> ImaginedText:
        return ImaginedTable(key, lambda name: _text(name, place), decides)

    environment = type(os.environ)
    looked_up = environment.__getitem__

    def variable(self: Any, key: str) -> str:  # noqa: ANN401 - the class has no public name
        try:
            return looked_up(self, key)
        except KeyError:
            asking = sys._getframe(1)  # noqa: SLF001 - who asks is the question
            if not of_program(asking) or expects_an_error(asking):
                raise
            sentence = f"the variable {key} of the environment is missing and was imagined"
            told(sentence, decides=False)
            return text(key, lambda: told(sentence, decides=True))

    return {
        (pulumi.Config, "_require"): setting("_require", text),
        (pulumi.Config, "_require_object"): setting("_require_object", table),
        (pulumi.Config, "_require_int"): setting("_require_int", lambda *_: FEW),
        (pulumi.Config, "_require_bool"): setting("_require_bool", lambda *_: False),
        (environment, "__getitem__"): variable,
    }


_COUNTED = frozenset({"_require_int", "_require_bool"})
"""Settings of which nobody notices that a program decides by them."""


def _of_texts(place: Surroundings, told: GapListener) -> Changes:
    """Return how a document is read, which may be an imagined text: a secret, a parameter."""
    read = json.loads

    def loads(text: Any, *given: Any, **how: Any) -> Any:  # noqa: ANN401 - as what it replaces
        try:
            return read(text, *given, **how)
        except ValueError:
            if not isinstance(text, str) or not is_imagined(text):
                raise
            sentence = "what a secret or a parameter holds was imagined"
            told(sentence, decides=False)
            return ImaginedTable(
                text, lambda name: _text(name, place), lambda: told(sentence, decides=True)
            )

    return {(json, "loads"): loads}


def by_name(name: str, place: Surroundings) -> str | list[str]:
    """Return a value of which only the name is known: a list if the name is a plural."""

    def made(part: str) -> str:
        return _text(part, place)

    many = name.lower().rstrip("_").endswith(("ids", "arns", "subnets", "zones", "azs", "cidrs"))
    if many:
        return [made(f"{name}{at}") for at in range(_PLAIN)]
    return ImaginedText(name, made)


def _hints(kind: type | None) -> Hints:
    if kind is None:
        return {}
    try:
        found: Hints = _types._raw_return_hints(kind)  # noqa: SLF001 - what Pulumi itself reads
    except (NameError, TypeError, AttributeError):
        return {}  # an annotation of a package that is not installed
    return found


_KEYS: Mapping[str, Mapping[str, str]] = {
    "uris": {"GRAPHQL": "url", "REALTIME": "url"},
    "ebs": {"volume_size": "size", "volume_type": "type", "snapshot_id": "id", "iops": "number"},
}
"""What is in the maps that programs take something from by name (AppSync's, an image's disks)."""
_RESOURCES: dict[str, type] = {}


def _resource_class(token: str) -> type | None:
    """Return the class that registers a type; it is loaded, for the program has made one."""
    if token not in _RESOURCES:
        waiting: list[type] = [pulumi.Resource]
        while waiting:
            kind = waiting.pop()
            waiting += kind.__subclasses__()
            named = kind.__dict__.get("pulumi_type")
            if isinstance(named, str):
                _RESOURCES.setdefault(named, kind)
    return _RESOURCES.get(token)


def _answer_class(token: str) -> type | None:
    """Return the class of a data source's answer: `GetVpcResult` of the module `get_vpc`."""
    package, name = token.partition(":")[0], token.rpartition(":")[2]
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    wanted = f"{name[:1].upper()}{name[1:]}Result"
    before = f"pulumi_{package.replace('-', '_')}."
    for module in [key for key in sys.modules if key.startswith(before)]:
        if module.endswith(f".{snake}"):
            found = getattr(sys.modules[module], wanted, None)
            if isinstance(found, type):
                return found
    return None


def _unwrapped(hint: Any) -> tuple[Any, bool]:  # noqa: ANN401 - any annotation
    """Return an annotation without `Output` and `Optional`, and whether it was optional."""
    origin = typing.get_origin(hint)
    if origin is pulumi.Output:
        return _unwrapped(typing.get_args(hint)[0])
    if origin in {typing.Union, types.UnionType}:
        arguments = typing.get_args(hint)
        named = [item for item in arguments if item is not type(None)]
        return _unwrapped(named[0])[0], len(named) < len(arguments)
    return hint, False


def _value(hint: Any, name: str, place: Surroundings, depth: int = 0) -> Any:  # noqa: ANN401 - any annotation, any value
    """Return a value of the annotated type, for the output of that name."""
    kind, _ = _unwrapped(hint)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if depth > _DEPTH_MAX or kind is pulumi.Output:
        return None
    if origin in {list, Sequence} and arguments:
        plain = _unwrapped(arguments[0])[0] in {str, int, float, bool}
        items = range(_PLAIN if plain and depth == 0 else _NESTED)
        return [_value(arguments[0], f"{name}{at}", place, depth + 1) for at in items]
    if origin in {dict, Mapping}:
        last = name.rpartition(".")[2]
        return {key: _text(form, place) for key, form in _KEYS.get(last, {}).items()}
    if not isinstance(kind, type):
        return _text(name, place)
    return _single(kind, name, place, depth)


def _single(kind: type, name: str, place: Surroundings, depth: int) -> Any:  # noqa: ANN401 - any value
    if issubclass(kind, enum.Enum):
        return next(iter(kind)).value
    if issubclass(kind, bool):
        return False
    if issubclass(kind, (int, float)):
        return kind(_NUMBER)
    if issubclass(kind, str):
        return _text(name, place)
    if issubclass(kind, (pulumi.Asset, pulumi.Archive)):
        return None
    if issubclass(kind, pulumi.Resource):
        return _reference(kind, name, place)
    inner = _hints(kind) if _types.is_output_type(kind) else {}
    return {key: _value(hint, f"{name}.{key}", place, depth + 1) for key, hint in inner.items()}


def _reference(kind: type, name: str, place: Surroundings) -> dict[str, Any] | None:
    """Return a reference to a resource that a remote component is said to have made."""
    token = kind.__dict__.get("pulumi_type")
    if not isinstance(token, str):
        return None
    mark = place.mark(name)
    return {
        SIGNATURE: REFERENCE,
        "urn": f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{token}::{mark}",
        "id": mark,
    }


def _text(name: str, place: Surroundings) -> str:
    """Return a text of the form that an output's name promises, marked."""
    mark = place.mark(name)
    last = name.rpartition(".")[2].lower().rstrip("0123456789").replace("_", "").replace("-", "")
    for endings, form in _FORMS:
        if last.endswith(endings) and not (form == "{region}" and not place.region):
            return form.format(
                mark=mark,
                encoded=base64.b64encode(f"{mark}:{mark}".encode()).decode(),
                module=place.module,
                region=place.region,
                account=place.account,
            )
    return mark


_FORMS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("arn", "arns"), "arn:aws:{module}:{region}:{account}:{mark}"),
    (("ownerid", "accountid", "registryid"), "{account}"),
    (("region",), "{region}"),
    (("cidrblock", "cidrblocks", "cidr", "cidrs"), f"{_NET}0.0/16"),
    (("ip", "ips", "ipaddress", "ipaddresses"), f"{_NET}0.9"),
    (("policy", "json", "policydocument", "document"), '{{"Id": "{mark}", "Statement": []}}'),
    (("url", "uri", "issuer", "apiendpoint"), "https://{mark}.example.com/{mark}"),
    (("endpoint", "hostport"), "{mark}.example.com:5432"),
    (("dnsname", "domainname", "hostname", "host", "fqdn"), "{mark}.example.com"),
    (("data", "base", "authorizationtoken"), "{encoded}"),
    (("port",), f"{_NUMBER}"),
    (("size", "count", "capacity", "min", "max", "number", "replicas", "instances"), f"{FEW}"),
    (("digest",), "sha256:{mark}"),
    (("version",), "17.198.18.0"),
    (("createdat", "date", "time", "createdtime"), "2026-01-01T00:00:00Z"),
)
"""What the end of a name says of its text; the first that fits."""
