"""Read YAML as CloudFormation does: every scalar is a string, and short tags get their long forms.

The document is built from parser events, one at a time, which bounds the cost of deep nesting and
of aliases that multiply.
"""

from typing import Any

import yaml

from otherside.check.readers.input_error import InputError

_NODES_MAX = 500_000
_DEPTH_MAX = 200
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LINE = "__line__"


class Mapped(dict[str, Any]):
    """A mapping that records the line of each of its keys."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


def read_yaml(text: str, file: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """Return a document.

    Raises:
        InputError: If it is not YAML, repeats a key, or expands to more than its limits allow.
    """
    try:
        return _Builder(file).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        cause = f"no YAML: {error.problem or error.context}"
        raise InputError(file, cause, line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise InputError(file, f"no YAML: {str(error).splitlines()[0]}") from None


class _Builder:
    """Builds values from parser events and limits their number."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.stack: list[_Open] = []
        self.root: Any = None
        self.nodes = 0

    def build(self, text: str) -> Any:  # noqa: ANN401 - whatever the text holds
        documents = 0
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise InputError(self.file, "more than one document", line=line)
                case yaml.ScalarEvent():
                    self._add(_scalar(event), 1, line, event.anchor)
                case yaml.AliasEvent():
                    if event.anchor not in self.anchors:
                        cause = (
                            f"the alias {event.anchor!r} is used inside itself, or before it is set"
                        )
                        raise InputError(self.file, cause, line=line)
                    value, size = self.anchors[event.anchor]
                    self.nodes += size - 1
                    self._add(value, size, line, None)
                case yaml.MappingStartEvent():
                    self._open(_Open(Mapped(), event.tag, event.anchor, line))
                case yaml.SequenceStartEvent():
                    self._open(_Open([], event.tag, event.anchor, line))
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    done = self.stack.pop()
                    self._add(_tagged(done.tag, done.value), done.size, done.line, done.anchor)
        return self.root

    def _open(self, item: "_Open") -> None:
        self.stack.append(item)
        if len(self.stack) > _DEPTH_MAX:
            raise InputError(self.file, "nested too deeply to be a template", line=item.line)

    def _add(self, value: Any, size: int, line: int, anchor: str | None) -> None:  # noqa: ANN401 - whatever the text holds
        self.nodes += 1
        if self.nodes > _NODES_MAX:
            cause = f"its aliases multiply to more than {_NODES_MAX:,} values"
            raise InputError(self.file, cause, line=line)
        if anchor:
            self.anchors[anchor] = value, size
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            if not isinstance(value, str):
                raise InputError(self.file, "a key that is no word", line=line)
            if value in top.value:
                raise InputError(self.file, f"the key {value!r} occurs twice", line=line)
            top.key = value
            top.value.lines[value] = line
        else:
            _put(top.value, top.key, value)
            top.key = None


class _Open:
    """A mapping or a sequence that is still open."""

    __slots__ = ("anchor", "key", "line", "size", "tag", "value")

    def __init__(self, value: Any, tag: str | None, anchor: str | None, line: int) -> None:  # noqa: ANN401 - whatever the text holds
        self.value, self.tag, self.anchor, self.line = value, tag, anchor, line
        self.key: str | None = None
        self.size = 1


def _put(mapping: Mapped, key: str, value: Any) -> None:  # noqa: ANN401 - whatever the text holds
    if key == "<<" and isinstance(value, dict):
        for name, item in value.items():
            mapping.setdefault(name, item)
    else:
        mapping[key] = value


def _scalar(event: yaml.ScalarEvent) -> Any:  # noqa: ANN401 - a string, or what a tag makes of it
    plain = event.style is None or event.style == ""
    if plain and event.value in {"", "~", "null"} and not event.tag:
        return None
    return _tagged(event.tag, event.value)


def _tagged(tag: str | None, value: Any) -> Any:  # noqa: ANN401 - whatever the text holds
    """Return the long form of a short tag: `!Ref x` is `{"Ref": "x"}`."""
    if not tag or not tag.startswith("!") or tag == "!":
        return value
    name = tag[1:]
    if name == "GetAtt" and isinstance(value, str):
        head, _, rest = value.partition(".")
        return {"Fn::GetAtt": [head, rest]}
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}
