"""Evaluate Terraform expressions from their text alone.

A resource's attribute, or a function that reads the outside world, evaluates to `Unknown` with its
references; the evaluator never guesses.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from lark import Token, Tree

from otherside.check.model.values import Ref, Unknown, Unresolved, Value, one_of_two, parts, refs
from otherside.check.readers.arn_parts import reshaped, split_arn
from otherside.check.readers.cloudformation.template import joined
from otherside.check.readers.normalize import has_unknown
from otherside.check.readers.terraform.directives import (
    Choice,
    DirectiveError,
    Loop,
    TemplateBlock,
    parsed,
)

SyntaxNode = Tree[Token] | Token
_DIGITS_MAX = 40
_RANGE_MAX = 4_096
_DEPTH_MAX = 60
_HOLE = re.compile(r"\$\{")
ABSENT = "no "
"""Begins the reason of what an expression does not have: an error in Terraform, which `try` takes
the next expression for."""
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Name lookup for expressions: `var`, `local`, `each`, resources and loop variables."""

    look_up: Callable[[list[Any]], Value]
    """Return the value that a path of names and indices refers to."""
    names: Mapping[str, Value]
    read: Callable[[str], str | None]
    """Return a file's text, or `None` if it is not available."""
    parse: Callable[[str], SyntaxNode | None]
    """Return an expression's syntax tree, for the interpolations of a heredoc."""
    module: str = ""
    """The module's address, since another one's conditions may read like this one's."""

    def with_names(self, **names: Value) -> "Scope":
        """Return this scope with additional names."""
        return replace(self, names={**self.names, **names})


def evaluate(node: SyntaxNode | None, scope: Scope, depth: int = 0) -> Value:  # noqa: C901 - one case a form
    """Return the value of an expression."""
    if node is None or depth > _DEPTH_MAX:
        return Unknown(why="nested too deeply" if node is not None else "known only at deployment")
    if isinstance(node, Token):
        return str(node)
    deeper = depth + 1
    parts = _parts(node)
    match node.data:
        case "expr_term" | "interpolation":
            return evaluate(_inner(parts), scope, deeper)
        case "string":
            return _string(parts, scope, deeper)
        case "int_lit" if len(str(node.children[0])) > _DIGITS_MAX:
            return Unknown(why="a number of too many digits")
        case "int_lit":
            return int(str(node.children[0]))
        case "float_lit":
            return float(str(node.children[0]))
        case "literal_value":
            return {"true": True, "false": False}.get(str(node.children[0]))
        case "tuple":
            return [evaluate(part, scope, deeper) for part in parts if isinstance(part, Tree)]
        case "object":
            return _object(parts, scope, deeper)
        case "heredoc_template" | "heredoc_template_trim":
            return _heredoc(str(node.children[0]), scope, deeper)
        case "conditional":
            return _conditional([part for part in parts if isinstance(part, Tree)], scope, deeper)
        case "binary_op":
            return _binary(parts, scope, deeper)
        case "unary_op":
            return _unary(parts, scope, deeper)
        case "function_call":
            return _call(parts, scope, deeper)
        case "for_tuple_expr" | "for_object_expr":
            return _for(node, scope, deeper)
        case "identifier":
            return _path(node, scope, deeper)
        case (
            "get_attr_expr_term"
            | "index_expr_term"
            | "attr_splat_expr_term"
            | "full_splat_expr_term"
        ):
            return _path(node, scope, deeper)
    return Unknown(why=f"a {str(node.data).replace('_', ' ')}")


def _parts(node: Tree[Token]) -> list[SyntaxNode]:
    return [
        child
        for child in node.children
        if not (isinstance(child, Tree) and child.data == "new_line_or_comment")
    ]


def _inner(parts: list[SyntaxNode]) -> SyntaxNode | None:
    return next((part for part in parts if isinstance(part, Tree)), parts[0] if parts else None)


def _string(parts: list[SyntaxNode], scope: Scope, depth: int) -> Value:
    pieces: list[Value] = []
    for part in parts:
        if not isinstance(part, Tree):
            continue
        child = part.children[0]
        if isinstance(child, Tree):
            if child.data != "interpolation":
                return Unknown(why="a template with directives")
            pieces.append(evaluate(child, scope, depth))
        else:
            pieces.append(_unescaped(str(child)))
    if not pieces:
        return ""
    return pieces[0] if len(pieces) == 1 else _text_of(pieces)


_PLAIN = frozenset({str, int, float, bool, list, dict, type(None)})
"""Types of values that are what they seem: not unknown, and not a parameter's."""


def _text_of(pieces: list[Value]) -> Value:
    plain = [
        str(piece).lower() if isinstance(piece, bool) else piece
        for piece in pieces
        if piece is not None
    ]
    plain = [
        as_document(element) if isinstance(element, (list, dict)) else element for element in plain
    ]
    return joined([str(element) if isinstance(element, float) else element for element in plain])


def as_document(value: Value) -> Value:
    """Return a list or a map as text: inside of a text it was made to be a document.

    Terraform takes no other there; JSON is YAML, too.
    """
    plain = all(type(part) in _PLAIN for part in parts(value))
    return json.dumps(value) if plain else Unknown(tuple(refs(value)))


def _unescaped(text: str) -> str:
    return _literal(re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text))


def _heredoc(text: str, scope: Scope, depth: int) -> Value:
    head, _, rest = text.partition("\n")
    lines = rest.rstrip("\n").split("\n")[:-1]
    if head.startswith("<<-"):
        indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
        cut = min(indents, default=0)
        lines = [line[cut:] for line in lines]
    return template("\n".join(lines) + "\n", scope, depth)


def template(text: str, scope: Scope, depth: int = 0) -> Value:
    """Return a template with its interpolations filled in."""
    if "%{" not in text.replace("%%{", ""):
        return _interpolated(text, scope, depth)
    try:
        return _text_of(list(_rendered(parsed(text), scope, depth)))
    except (DirectiveError, Unresolved, RecursionError):
        return Unknown(why="a template with directives")


def _rendered(block: TemplateBlock, scope: Scope, depth: int) -> Iterator[Value]:
    """Yield the pieces that a template's directives make.

    Raises:
        Unresolved: If what decides is not known.
    """
    for part in block.parts:
        match part:
            case str():
                yield _interpolated(part, scope, depth)
            case Choice():
                holds = evaluate(scope.parse(part.condition), scope, depth + 1)
                if not isinstance(holds, bool):
                    raise Unresolved(part.condition)
                yield from _rendered(part.then if holds else part.otherwise, scope, depth)
            case Loop():
                items = evaluate(scope.parse(part.items), scope, depth + 1)
                if not isinstance(items, (list, Mapping)) or len(items) > _RANGE_MAX:
                    raise Unresolved(part.items)
                pairs = items.items() if isinstance(items, Mapping) else enumerate(items)
                for pair in pairs:
                    given = pair if len(part.names) > 1 else pair[1:]
                    inner = scope.with_names(**dict(zip(part.names, given, strict=True)))
                    yield from _rendered(part.body, inner, depth)


def _interpolated(text: str, scope: Scope, depth: int) -> Value:
    pieces: list[Value] = []
    at = 0
    for hole in _HOLE.finditer(text):
        if hole.start() < at or text[hole.start() - 1 : hole.start()] == "$":
            continue
        end = _closing(text, hole.end())
        if end is None:
            break
        pieces.append(_literal(text[at : hole.start()]))
        pieces.append(evaluate(scope.parse(text[hole.end() : end]), scope, depth + 1))
        at = end + 1
    pieces.append(_literal(text[at:]))
    return _text_of([piece for piece in pieces if piece != ""]) if pieces else ""


def _literal(text: str) -> str:
    """Return a template's text with what stands for the marks of a template."""
    return text.replace("$${", "${").replace("%%{", "%{")


def _closing(text: str, at: int) -> int | None:
    deep = 1
    for number in range(at, min(len(text), at + 4000)):
        deep += {"{": 1, "}": -1}.get(text[number], 0)
        if deep == 0:
            return number
    return None


def _object(parts: list[SyntaxNode], scope: Scope, depth: int) -> Value:
    found: dict[str, Value] = {}
    for element in parts:
        if not isinstance(element, Tree) or element.data != "object_elem":
            continue
        key, value = (part for part in _parts(element) if isinstance(part, Tree))
        name = _key(key, scope, depth)
        if not isinstance(name, (str, int)):
            return Unknown(tuple(refs(name)))
        found[str(name)] = evaluate(value, scope, depth)
    return found


def _key(node: Tree[Token], scope: Scope, depth: int) -> Value:
    inner = _inner(_parts(node))
    bare = inner
    while isinstance(bare, Tree) and bare.data == "expr_term" and len(_parts(bare)) == 1:
        bare = _parts(bare)[0]
    if isinstance(bare, Tree) and bare.data in {"identifier", "keyword"}:
        return str(bare.children[0])
    return evaluate(inner, scope, depth)


def _conditional(parts: list[Tree[Token]], scope: Scope, depth: int) -> Value:
    chosen = evaluate(parts[0], scope, depth)
    if isinstance(chosen, bool):
        return evaluate(parts[1] if chosen else parts[2], scope, depth)
    both = evaluate(parts[1], scope, depth), evaluate(parts[2], scope, depth)
    return one_of_two(condition_of(parts[0], scope), both, "one thing or another by a condition")


def condition_of(node: SyntaxNode | None, scope: Scope) -> str:
    """Return an expression's text, and its module, or nothing if it differs from use to use.

    What is named in the scope alone is an element of a loop, or a resource of several.
    """
    words = [str(token) for token in node.scan_values(_is_token)] if isinstance(node, Tree) else []
    roots = {word for before, word in pairwise(["", *words]) if before != "."}
    if roots & {*scope.names, "each", "count", "self"}:
        return ""
    spaced = (
        f" {word}" if before[-1:].isalnum() and word[:1].isalnum() else word
        for before, word in pairwise(["", *words])
    )
    return f"{scope.module}{''.join(spaced)}"


def _is_token(token: object) -> bool:
    return isinstance(token, Token)


def _binary(parts: list[SyntaxNode], scope: Scope, depth: int) -> Value:
    left = evaluate(parts[0], scope, depth)
    term = parts[1]
    assert isinstance(term, Tree)
    operator, right_node = [part for part in _parts(term) if isinstance(part, Tree)]
    sign = str(operator.children[0])
    right = evaluate(right_node, scope, depth)
    if sign == "&&" and False in (left, right):
        return False
    if sign == "||" and (left is True or right is True):
        return True
    if has_unknown([left, right]):
        return Unknown(tuple(refs([left, right])))
    try:
        return _OPERATORS[sign](left, right)
    except (TypeError, ZeroDivisionError, KeyError):
        return Unknown(why=f"what {sign} cannot be applied to")


_OPERATORS: Mapping[str, Callable[[Any, Any], Value]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "&&": lambda a, b: a and b,
    "||": lambda a, b: a or b,
}


def _unary(parts: list[SyntaxNode], scope: Scope, depth: int) -> Value:
    value = evaluate(parts[1], scope, depth)
    if isinstance(value, bool) and str(parts[0]) == "!":
        return not value
    return -value if isinstance(value, (int, float)) else Unknown(tuple(refs(value)))


def _path(node: Tree[Token], scope: Scope, depth: int) -> Value:
    """Return the value of `a.b[c].d`: a name, then steps into it."""
    steps: list[Any] = []
    base: SyntaxNode = node
    while isinstance(base, Tree) and base.data != "identifier":
        parts = _parts(base)
        match base.data:
            case "expr_term":
                if len([part for part in parts if isinstance(part, Tree)]) != 1:
                    break
                base = next(part for part in parts if isinstance(part, Tree))
            case "get_attr_expr_term" | "index_expr_term":
                steps.insert(0, _step(parts[1], scope, depth))
                base = parts[0]
            case "attr_splat_expr_term" | "full_splat_expr_term":
                after = parts[1]
                assert isinstance(after, Tree)
                inner = [
                    _step(part, scope, depth) for part in _parts(after) if isinstance(part, Tree)
                ]
                steps[0:0] = ["*", *inner]
                base = parts[0]
            case _:
                return _into(evaluate(base, scope, depth), steps)
    name = str(base.children[0]) if isinstance(base, Tree) else str(base)
    if name in scope.names:
        return _into(scope.names[name], steps)
    return scope.look_up([name, *steps])


def _step(node: SyntaxNode, scope: Scope, depth: int) -> Value:
    assert isinstance(node, Tree)
    if node.data == "get_attr":
        last = _parts(node)[-1]
        return str(last.children[0]) if isinstance(last, Tree) else str(last)
    if node.data == "short_index":
        return int(str(node.children[-1]))
    return evaluate(_inner(_parts(node)), scope, depth)


def into(value: Value, steps: list[Any]) -> Value:
    """Return the part of a value that steps lead to."""
    return _into(value, steps)


def _into(value: Value, steps: list[Any]) -> Value:
    for at, step in enumerate(steps):
        if isinstance(value, Unknown):
            whole = value.whole
            if whole is not None and not whole.attribute and isinstance(step, str) and step != "*":
                value = Unknown((Ref(whole.target, step),))
                continue
            text = value.text if len(value.text) > 1 else ()
            either = tuple(_into(item, steps[at:]) for item in value.either)
            return Unknown(value.refs, text, value.why, either, value.condition)
        if step == "*":
            items = value if isinstance(value, list) else [value]
            return [_into(item, steps[at + 1 :]) for item in items]
        if isinstance(step, Unknown) and isinstance(value, (Mapping, list)) and value:
            return _any_of(value, steps[at + 1 :])
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and -1 < step < len(value):
            value = value[step]
        else:
            return Unknown(why=f"{ABSENT}{'part' if isinstance(step, Unknown) else step} of it")
    return value


def _any_of(found: Mapping[str, Value] | list[Value], steps: list[Any]) -> Unknown:
    """Return a part of one of the entries of a map or list, by a key that is not known."""
    entries = found.values() if isinstance(found, Mapping) else found
    either = tuple(_into(entry, steps) for entry in entries)
    why = "an entry by a key that is known only at deployment"
    return Unknown(tuple(refs(list(either))), why=why, either=either)


def with_optional(value: Value, type_: SyntaxNode | None, scope: Scope, depth: int = 0) -> Value:
    """Return a variable's value with the defaults that its type gives: `optional(T, default)`.

    https://developer.hashicorp.com/terraform/language/expressions/type-constraints
    """
    name, arguments = _constructor(type_)
    if depth > _DEPTH_MAX or not arguments:
        return value
    inner = arguments[0]
    if name == "optional":
        return with_optional(value, inner, scope, depth + 1)
    if name in {"list", "set"} and isinstance(value, list):
        return [with_optional(item, inner, scope, depth + 1) for item in value]
    if name == "map" and isinstance(value, Mapping):
        return {key: with_optional(item, inner, scope, depth + 1) for key, item in value.items()}
    if name == "object" and isinstance(value, Mapping):
        return _with_members(value, inner, scope, depth + 1)
    return value


def _with_members(
    value: Mapping[str, Value], members: SyntaxNode, scope: Scope, depth: int
) -> dict[str, Value]:
    """Return an object with its optional members, each with its default if it has one."""
    found = dict(value)
    for element in members.find_data("object_elem") if isinstance(members, Tree) else ():
        key, type_ = (part for part in _parts(element) if isinstance(part, Tree))
        name = _key(key, scope, depth)
        kind, arguments = _constructor(type_)
        if not isinstance(name, str) or kind != "optional" or not _is_member(element, members):
            continue
        if found.get(name) is None and len(arguments) > 1:
            found[name] = evaluate(arguments[1], scope, depth)
        found[name] = with_optional(found.get(name), type_, scope, depth)
    return found


def _is_member(element: Tree[Token], members: SyntaxNode) -> bool:
    """Return whether an element is the object's own, and not a nested object's."""
    node: SyntaxNode | None = members
    while isinstance(node, Tree) and node.data != "object":
        node = _inner(_parts(node))
    return isinstance(node, Tree) and any(child is element for child in node.children)


def _constructor(type_: SyntaxNode | None) -> tuple[str, list[SyntaxNode]]:
    """Return the name and the arguments of a type such as `map(string)`."""
    while isinstance(type_, Tree) and type_.data == "expr_term":
        type_ = _inner(_parts(type_))
    if not isinstance(type_, Tree) or type_.data != "function_call":
        return "", []
    parts = _parts(type_)
    name = str(parts[0].children[0]) if isinstance(parts[0], Tree) else str(parts[0])
    arguments = next((o for o in parts if isinstance(o, Tree) and o.data == "arguments"), None)
    return name, [o for o in _parts(arguments) if isinstance(o, Tree)] if arguments else []


def _for(node: Tree[Token], scope: Scope, depth: int) -> Value:
    parts = [part for part in _parts(node) if isinstance(part, Tree)]
    intro = [part for part in _parts(parts[0]) if isinstance(part, Tree)]
    *names, source = intro
    words = [str(name.children[0]) for name in names]
    items = evaluate(source, scope, depth)
    if isinstance(items, Unknown):
        return Unknown(items.refs, why=items.why)
    if not isinstance(items, (Mapping, list, type(None))):
        return Unknown(why="made of what is no list")
    pairs: Iterable[tuple[Value, Value]] = (
        items.items() if isinstance(items, Mapping) else enumerate(items or ())
    )
    condition = next((part for part in parts if part.data == "for_cond"), None)
    bodies = [part for part in parts[1:] if part.data != "for_cond"]
    listed: list[Value] = []
    keyed: dict[str, Value] = {}
    for key, pair in pairs:
        bound = {words[-1]: pair, **({words[0]: key} if len(words) > 1 else {})}
        inner = scope.with_names(**bound)
        if condition is not None:
            held = evaluate(_inner(_parts(condition)[1:]), inner, depth)
            if held is False:
                continue
            if isinstance(held, Unknown):
                return Unknown(held.refs)
        if node.data == "for_tuple_expr":
            listed.append(evaluate(bodies[0], inner, depth))
        else:
            name = evaluate(bodies[0], inner, depth)
            if isinstance(name, Unknown):
                return Unknown(name.refs)
            keyed[str(name)] = evaluate(bodies[1], inner, depth)
    return listed if node.data == "for_tuple_expr" else keyed


def _call(parts: list[SyntaxNode], scope: Scope, depth: int) -> Value:
    name = str(parts[0].children[0]) if isinstance(parts[0], Tree) else str(parts[0])
    arguments = next((o for o in parts if isinstance(o, Tree) and o.data == "arguments"), None)
    nodes = [o for o in _parts(arguments) if isinstance(o, Tree)] if arguments else []
    if name in {"try", "coalesce"}:
        values = [evaluate(node, scope, depth) for node in nodes]
        return _first([value for value in values if not (name == "coalesce" and value == "")])
    values = [evaluate(node, scope, depth) for node in nodes]
    if (
        arguments is not None
        and any(str(child) == "..." for child in arguments.children)
        and values
    ):
        last = values.pop()
        values += last if isinstance(last, list) else [last]
    if name in _READING:
        return _READING[name](values, scope, depth)
    if name in _OF_TEXT and (found := _of_arn(name, values)) is not None:
        return found
    if name not in _LOOSE and (name not in _STRICT or has_unknown(values)):
        return Unknown(tuple(refs(values)), (f"{name}()", ""), f"made by {name}()")
    try:
        return (_LOOSE.get(name) or _STRICT[name])(*values)
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError, Unresolved):
        return Unknown(why=f"what {name}() cannot be applied to")


_OF_TEXT = {"regex": 1, "replace": 0, "trimprefix": 0, "trimsuffix": 0, "split": 1, "basename": 0}
"""Functions that make something of a text, which is this one of their arguments."""


def _of_arn(name: str, values: list[Value]) -> Value | None:
    """Return what a function makes of the ARN of a load balancer or a target group."""
    at = _OF_TEXT[name]
    text = values[at] if len(values) > at else None
    others = [*values[:at], *values[at + 1 :]]
    if not isinstance(text, Unknown) or text.whole is None or has_unknown(others):
        return None
    type_ = re.search(r"(aws_\w+)\.[^.]+$", text.whole.target)
    if name == "split" and others[:1] in (["/"], [":"]):
        return None  # by what takes an ARN apart
    made: Callable[..., Value] = _STRICT.get(name) or (lambda between, whole: whole.split(between))
    try:
        return reshaped(
            text,
            type_[1] if type_ else "",
            lambda sample: made(*values[:at], sample, *values[at + 1 :]),
            others,
        )
    except (TypeError, ValueError, LookupError, AttributeError, re.error):
        return None


def _first(values: list[Value]) -> Value:
    """Return the first value that there is; if that is not known, what else it may be.

    What a map does not have is null here and an error there: `try([map.key], [])`.
    """
    there = [
        value
        for value in values
        if value is not None
        and value != [None]
        and not (isinstance(value, Unknown) and value.why.startswith(ABSENT))
    ]
    if not there:
        return values[0] if values else None
    first, *others = there
    if not isinstance(first, Unknown) or not others:
        return first
    either = tuple(part for value in there for part in _possible(value))
    return Unknown(tuple(refs(there)), why=first.why, either=either)


def _possible(value: Value) -> tuple[Value, ...]:
    return value.either if isinstance(value, Unknown) and value.either else (value,)


def _file(values: list[Value], scope: Scope, depth: int) -> Value:
    del depth
    text = scope.read(values[0]) if values and isinstance(values[0], str) else None
    return text if text is not None else Unknown(why="in a file that is not here")


def _templatefile(values: list[Value], scope: Scope, depth: int) -> Value:
    text = _file(values, scope, depth)
    given = values[1] if len(values) > 1 and isinstance(values[1], Mapping) else {}
    return template(text, scope.with_names(**given), depth) if isinstance(text, str) else text


_READING: Mapping[str, Callable[[list[Value], Scope, int], Value]] = {
    "file": _file,
    "templatefile": _templatefile,
}


def _merge(*maps: Value) -> Value:
    found: dict[str, Value] = {}
    for item in maps:
        if isinstance(item, Unknown):
            return Unknown(tuple(refs(list(maps))))
        found |= item or {}
    return found


def _concat(*lists: Value) -> Value:
    if any(isinstance(item, Unknown) for item in lists):
        return Unknown(tuple(refs(list(lists))))
    return [each for item in lists for each in item or ()]


def _flatten(value: Value) -> Value:
    if isinstance(value, Unknown):
        return value
    found: list[Value] = []
    for element in value:
        found += _flatten(element) if isinstance(element, list) else [element]
    return found


def _same(value: Value) -> Value:
    return value


def _jsondecode(value: Value) -> Value:
    """Return a document; one that was encoded here is kept as what it was made of."""
    return json.loads(value) if isinstance(value, str) else value


def _set(value: Value) -> Value:
    if not isinstance(value, list):
        return value
    return list({json.dumps(item, default=repr, sort_keys=True): item for item in value}.values())


def _base64(value: Value) -> Value:
    return {"base64": value}


def _join(between: Value, *lists: Value) -> Value:
    if any(isinstance(item, Unknown) for item in lists) or not isinstance(between, str):
        return Unknown(tuple(refs([between, *lists])))
    parts = [item for each in lists for item in each]
    pieces: list[Value] = []
    for number, part in enumerate(parts):
        pieces += [between, part] if number else [part]
    return _text_of(pieces)


def _split(between: Value, text: Value) -> Value:
    if isinstance(text, str) and isinstance(between, str):
        return text.split(between)
    if isinstance(text, Unknown) and isinstance(between, str) and text.whole is not None:
        type_ = re.search(r"(aws_\w+)\.[^.]+$", text.whole.target)
        parts = split_arn(between, text, type_[1] if type_ else "")
        if parts is not None:
            return parts
    return Unknown(tuple(refs(text)), ("split", *tuple(refs(text)), str(between)))


def _element(items: Value, index: Value) -> Value:
    if isinstance(items, list) and isinstance(index, int) and items:
        return items[index % len(items)]
    if isinstance(items, Unknown):
        return Unknown(items.refs, items.text)
    return Unknown(tuple(refs(items)))


def _slice(items: Value, begin: Value, end: Value) -> Value:
    known = isinstance(begin, int) and isinstance(end, int)
    return items[begin:end] if known and isinstance(items, list) else Unknown(tuple(refs(items)))


def _reverse(items: Value) -> Value:
    return items[::-1] if isinstance(items, list) else Unknown(tuple(refs(items)))


def _lookup(found: Value, key: Value, default: Value = None) -> Value:
    if isinstance(found, Mapping) and isinstance(key, str):
        return found.get(key, default)
    entries = list(found.values()) if isinstance(found, Mapping) else []
    either = tuple(entries if default is None else [*entries, default])
    return Unknown(tuple(refs([found, default])), either=either)


def _length(value: Value) -> Value:
    return len(value) if isinstance(value, (list, dict, str)) else Unknown(tuple(refs(value)))


def _keys(value: Value) -> Value:
    return sorted(value) if isinstance(value, Mapping) else Unknown(tuple(refs(value)))


def _values(value: Value) -> Value:
    if not isinstance(value, Mapping):
        return Unknown(tuple(refs(value)))
    return [value[key] for key in sorted(value)]


def _compact(value: Value) -> Value:
    return [item for item in value if item not in (None, "")] if isinstance(value, list) else value


def _one(value: Value) -> Value:
    return (value[0] if value else None) if isinstance(value, list) else value


_LOOSE: Mapping[str, Callable[..., Value]] = {
    "jsonencode": _same,
    "yamlencode": _same,
    "jsondecode": _jsondecode,
    "merge": _merge,
    "concat": _concat,
    "flatten": _flatten,
    "toset": _set,
    "distinct": _set,
    "tolist": _same,
    "tomap": _same,
    "tostring": _same,
    "sensitive": _same,
    "nonsensitive": _same,
    "base64encode": _base64,
    "join": _join,
    "split": _split,
    "element": _element,
    "slice": _slice,
    "reverse": _reverse,
    "lookup": _lookup,
    "length": _length,
    "keys": _keys,
    "values": _values,
    "compact": _compact,
    "one": _one,
}
"""Functions that pass on the unknowns in their arguments."""


def _cidrsubnet(cidr: str, bits: int, number: int) -> str:
    network = ipaddress.ip_network(cidr)
    size = 1 << (network.max_prefixlen - network.prefixlen - bits)
    address = network.network_address + number * size
    return f"{address}/{network.prefixlen + bits}"


def _format(text: str, *values: Value) -> str:
    if re.search(r"%[-+ #]*\d{4}", text):
        raise ValueError(text)
    return re.sub(r"%[-+0-9.]*[vq]", "%s", text) % values


_SLOW = re.compile(r"\[\[:|[+*}]\)[+*{]|\([^)]*[+*|][^)]*\)[+*{]")
"""What Terraform's patterns mean otherwise, or match in a time that Python's do not."""
_SUBJECT_MAX = 10_000


def _require_plain(pattern: str, text: str) -> None:
    if _SLOW.search(pattern) or len(text) > _SUBJECT_MAX:
        raise ValueError(pattern)


def _replace(text: str, old: str, new: str) -> str:
    """Replace a text, or what a pattern between slashes matches."""
    if len(old) > 1 and old[0] == old[-1] == "/":
        _require_plain(old, text)
        return re.sub(old[1:-1], re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", new), text)
    return text.replace(old, new)


def _regex(pattern: str, text: str) -> Value:
    """Return what a pattern matches: a text, or the texts of its groups."""
    _require_plain(pattern, text)
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(pattern)
    return found.groupdict() or list(found.groups()) or found[0]


_STRICT: Mapping[str, Callable[..., Value]] = {
    "format": _format,
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "title": lambda text: text.title(),
    "trimspace": lambda text: text.strip(),
    "trimprefix": lambda text, part: text.removeprefix(part),
    "trimsuffix": lambda text, part: text.removesuffix(part),
    "replace": _replace,
    "regex": _regex,
    "substr": lambda text, at, size: text[at : at + size] if size >= 0 else text[at:],
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
    "contains": lambda items, item: item in items,
    "range": lambda *bounds: list(range(*bounds)[:_RANGE_MAX]),
    "sort": sorted,
    "setsubtract": lambda items, others: [item for item in items if item not in others],
    "setunion": lambda *groups: list(dict.fromkeys(item for group in groups for item in group)),
    "setintersection": lambda first, *others: [
        item for item in first if all(item in other for other in others)
    ],
    "chomp": lambda text: text.rstrip("\r\n"),
    "strrev": lambda text: text[::-1],
    "zipmap": lambda names, values: dict(zip(names, values, strict=False)),
    "index": lambda items, item: items.index(item),
    "max": max,
    "min": min,
    "tonumber": lambda text: float(text) if "." in str(text) else int(text),
    "tobool": lambda text: {"true": True, "false": False}.get(str(text).lower()),
    "base64decode": lambda text: base64.b64decode(text).decode(),
    "cidrsubnet": _cidrsubnet,
    "abspath": _same,
    "basename": lambda text: text.rpartition("/")[2],
}
"""Functions whose arguments must be known."""
