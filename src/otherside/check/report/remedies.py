"""Remedies: the change that removes a finding of the fifteen failures, in the file's own dialect.

Where the change is safe and local, one attribute of the resource itself, it is an edit of the
source. Elsewhere it needs something that only its owner knows, a key or a Region, and is told as
the rule's own example in the dialect.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from otherside.check.model.graph import Graph, Resource
from otherside.check.report.text import DIALECTS
from otherside.check.result import Finding

FIFTEEN = frozenset(f"DR{number:03}" for number in range(1, 16))
_HEADER = re.compile(r'^\s*resource\s+"[\w-]+"\s+"[\w-]+"\s*\{\s*$')
_LOGS = {"postgres": '["postgresql"]', "mysql": '["error", "slowquery"]'}
_SPELT = re.compile(r"\b(set_?identif\w*|setIdentif\w*|SetIdentif\w*)\b")
_SUFFIX_OF = re.compile(
    r"((?:LoadBalancer|TargetGroup)\s*=\s*(?:aws_(?:lb|alb)\w*)\.[\w-]+)\.(?:arn|id|name|dns_name)\b"
)
_NAME_OF = {"LoadBalancer": "LoadBalancerFullName", "TargetGroup": "TargetGroupFullName"}


@dataclass(frozen=True, slots=True)
class Edit:
    """The lines of one file, before and after."""

    file: Path
    before: tuple[str, ...]
    after: tuple[str, ...]

    def diff(self) -> str:
        """Return it as a unified diff."""
        name = str(self.file)
        return "".join(difflib.unified_diff(self.before, self.after, name, name))


@dataclass(frozen=True, slots=True)
class Remedy:
    """How one finding is removed."""

    finding: Finding
    edit: Edit | None
    """The change of the source, if it is safe and local."""
    example: str
    """The rule's own example in the dialect of the file."""


def remedies(graph: Graph, findings: Iterable[Finding]) -> Iterator[Remedy]:
    """Yield the remedy of each finding of the fifteen failures."""
    by_name = {resource.name: resource for resource in graph.resources.values()}
    for finding in findings:
        if finding.rule.code not in FIFTEEN:
            continue
        resource = by_name.get(finding.resource)
        edit = _edit(resource, finding) if resource is not None else None
        yield Remedy(finding, edit, _example(finding))


def together(edits: Iterable[Edit]) -> list[Edit]:
    """Return one edit for each file, which makes all of its changes.

    Edits of one file are made from the same lines, and each changes or adds lines of its own.
    """
    by_file: dict[Path, list[Edit]] = {}
    for edit in edits:
        by_file.setdefault(edit.file, []).append(edit)
    found = []
    for file, several in by_file.items():
        changes = {
            (begin, end, edit.after[there:until])
            for edit in several
            for tag, begin, end, there, until in difflib.SequenceMatcher(
                None, edit.before, edit.after, autojunk=False
            ).get_opcodes()
            if tag != "equal"
        }
        lines = list(several[0].before)
        for begin, end, new in sorted(changes, reverse=True):
            lines[begin:end] = new
        found.append(Edit(file, several[0].before, tuple(lines)))
    return found


def _example(finding: Finding) -> str:
    """Return the rule's snippet in the finding's dialect."""
    kind = "cloudformation" if "::" in finding.type else "pulumi"
    language = DIALECTS["terraform" if finding.type.startswith("aws_") else kind]
    match = re.search(
        rf"^```{language}\n(.*?)^```", finding.rule.section("Fix"), re.MULTILINE | re.DOTALL
    )
    return match[1].rstrip() if match else finding.rule.fix


def _edit(resource: Resource, finding: Finding) -> Edit | None:
    """Return the change of the source that removes a finding, if one line of it does."""
    make = _EDITS.get((finding.rule.code, resource.dialect))
    file = Path(resource.place.file.partition("#")[0])
    if make is None or resource.place.line is None or not file.is_file():
        return None
    try:
        with file.open(encoding="utf-8", newline="") as source:
            before = tuple(source)
    except (OSError, UnicodeDecodeError):
        return None
    found = _span(before, resource.place.line - 1, resource.dialect)
    after = make(resource, list(before), *found) if found is not None else None
    if after is None or tuple(after) == before:
        return None
    return Edit(file, before, tuple(after))


def _span(lines: tuple[str, ...], first: int, dialect: str) -> tuple[int, int] | None:
    """Return the first line after a resource's opening, and the line after its end.

    `None` if the resource is not written as a block of its own there: a module's call, JSON.
    """
    if first >= len(lines):
        return None
    if dialect == "terraform":
        if not _HEADER.match(lines[first]):
            return None
        deep = 0
        for number in range(first, len(lines)):
            bare = re.sub(r'"(?:\\.|[^"\\])*"|#.*|//.*', "", lines[number])
            deep += bare.count("{") - bare.count("}")
            if deep == 0:
                return first + 1, number + 1
        return None
    outer = _indent(lines[first])
    end = first + 1
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > outer):
        end += 1
    for number in range(first + 1, end):
        if re.match(r"^\s+Properties:\s*$", lines[number]):
            return number + 1, end
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


Lines = list[str]


def _with_line(lines: Lines, at: int, text: str) -> Lines:
    """Return lines with a new one before `at`, as far in and ending as its neighbour does."""
    inside = lines[at] if at < len(lines) and lines[at].strip() not in {"", "}"} else ""
    space = inside[: _indent(inside)] if inside else " " * (_indent(lines[at - 1]) + 2)
    ending = "\r\n" if lines[at - 1].endswith("\r\n") else "\n"
    return [*lines[:at], f"{space}{text}{ending}", *lines[at:]]


def _identified(resource: Resource, lines: Lines, begin: int, end: int) -> Lines | None:
    """Name a record, or spell the property by which it is named."""
    terraform = resource.dialect == "terraform"
    wanted = "set_identifier" if terraform else "SetIdentifier"
    for number in range(begin, end):
        if re.match(rf"^\s*{_SPELT.pattern}\s*[:=]", lines[number]):
            return [*lines[:number], _SPELT.sub(wanted, lines[number], 1), *lines[number + 1 :]]
    side = resource["failover_routing_policy.type"]
    label = re.split(r"[.#]", _without_index(resource.name))[-1]
    name = side.lower() if isinstance(side, str) else label
    return _with_line(lines, begin, f'{wanted} = "{name}"' if terraform else f"{wanted}: {name}")


def _without_index(name: str) -> str:
    return re.sub(r"\[[^\]]*\]$", "", name)


def _exporting(resource: Resource, lines: Lines, begin: int, end: int) -> Lines | None:
    """Export the logs that the engine has."""
    engine = resource["engine"]
    logs = next((logs for part, logs in _LOGS.items() if part in str(engine)), None)
    if logs is None:
        return None
    terraform = resource.dialect == "terraform"
    name = "enabled_cloudwatch_logs_exports" if terraform else "EnableCloudwatchLogsExports"
    text = f"{name} = {logs}" if terraform else f"{name}: {logs}"
    for number in range(begin, end):
        if re.match(rf"^\s*{name}\s*[:=]", lines[number]):
            if not re.search(r"[:=]\s*\[[^\]]*\]\s*$", lines[number]):
                return None  # it goes on below, or is made elsewhere
            old = lines[number]
            ending = "\r\n" if old.endswith("\r\n") else "\n"
            return [*lines[:number], f"{old[: _indent(old)]}{text}{ending}", *lines[number + 1 :]]
    return _with_line(lines, begin, text)


def _by_suffix(resource: Resource, lines: Lines, begin: int, end: int) -> Lines | None:
    """Take what metrics have of a load balancer or of a target group."""
    changed = list(lines)
    for number in range(begin, end):
        if resource.dialect == "terraform":
            changed[number] = _SUFFIX_OF.sub(r"\1.arn_suffix", lines[number])
    if resource.dialect == "cloudformation":
        _full_names(changed, begin, end)
    return changed


def _full_names(lines: Lines, begin: int, end: int) -> None:
    """Take a load balancer's full name in a template, beside the dimension's name or below it."""
    for number in range(begin, end):
        named = re.search(r"Name:\s*['\"]?(LoadBalancer|TargetGroup)\b", lines[number])
        if named is None:
            continue
        for value in range(number, min(number + 2, end)):
            lines[value] = re.sub(
                r"Value:\s*(?:!Ref\s+(\w+)|!GetAtt\s+(\w+)\.\w+)",
                rf"Value: !GetAtt \1\2.{_NAME_OF[named[1]]}",
                lines[value],
                count=1,
            )


_EDITS: dict[tuple[str, str], Callable[[Resource, Lines, int, int], Lines | None]] = {
    (code, dialect): make
    for code, make in (("DR005", _identified), ("DR009", _by_suffix), ("DR015", _exporting))
    for dialect in ("terraform", "cloudformation")
}
"""What can be edited: the failures whose remedy is one attribute of the resource itself."""
