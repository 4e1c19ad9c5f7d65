"""Edits of a source that remove a finding: an attribute of the resource, or a block after it.

An edit needs nothing that only the owner knows, and changes nothing but what the finding is about.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from otherside.check.analysis.functions import bundle
from otherside.check.analysis.health_check_targets import asked
from otherside.check.analysis.load_balancing import forwards, listeners
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unresolved

_HEADER = re.compile(r'^\s*resource\s+"[\w-]+"\s+"[\w-]+"\s*\{\s*$')
_LOGS = {"postgres": '["postgresql"]', "mysql": '["error", "slowquery"]'}
_SPELT = re.compile(r"\b(set_?identif\w*|setIdentif\w*|SetIdentif\w*)\b")
_SUFFIX_OF = re.compile(
    r"((?:LoadBalancer|TargetGroup)\s*=\s*(?:aws_(?:lb|alb)\w*)\.[\w-]+)\.(?:arn|id|name|dns_name)\b"
)
_PLAIN = {
    True: re.compile(r"""^(\s*\w+\s*=\s*)(?:"[^"$]*"|\d+|true|false)(\s*(?:#.*)?\r?\n?)$"""),
    False: re.compile(r"""^(\s*\w+\s*:\s*)(?:"[^"$]*"|'[^']*'|[\w./-]+)(\s*(?:#.*)?\r?\n?)$"""),
}
"""An attribute with a value that is written in one line and is no reference, by language."""
_SAME_FOR_ALL = frozenset({"DR009", "DR015"})
"""Edits that are right for each resource of a block that stands for several."""
_NAME_OF = {"LoadBalancer": "LoadBalancerFullName", "TargetGroup": "TargetGroupFullName"}


Lines = list[str]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a finding is: its resource, what it says, and the lines that declare the resource."""

    graph: Graph
    resource: Resource
    message: str
    lines: tuple[str, ...]
    begin: int
    """The first line after the opening."""
    end: int
    """The line after the last one."""

    @property
    def several(self) -> bool:
        """Whether the block stands for any number of resources, or for none by a condition."""
        inside = self.lines[self.begin - 1 : self.end]
        if not self.terraform:
            first = (self.resource.place.line or 1) - 1
            inside = self.lines[first : self.end]
        counted = r"\s*(count|for_each)\s*=" if self.terraform else r"\s+Condition:"
        return bool(self.resource.only_if) or any(re.match(counted, line) for line in inside)

    @property
    def terraform(self) -> bool:
        """Whether it is Terraform's language and no template."""
        return self.resource.dialect == "terraform"


def edited(graph: Graph, resource: Resource, code: str, message: str) -> Lines | None:
    """Return the lines of a resource's file without a finding, or `None` if no edit removes it."""
    make = EDITS.get((code, resource.dialect))
    file, line = Path(resource.place.file.partition("#")[0]), resource.place.line
    lines = _lines(file)
    if make is None or line is None or lines is None:
        return None
    found = _span(lines, line - 1, resource.dialect)
    if found is None:
        return None
    spot = Spot(graph, resource, message, lines, *found)
    if code not in _SAME_FOR_ALL and spot.several:
        return None
    try:
        return make(spot)
    except Unresolved:
        return None


def lines_of(resource: Resource) -> tuple[str, ...]:
    """Return the lines of the file that declares a resource, as they end; none if it has none."""
    return _lines(Path(resource.place.file.partition("#")[0])) or ()


def _lines(file: Path) -> tuple[str, ...] | None:
    try:
        with file.open(encoding="utf-8", newline="") as source:
            return tuple(source)
    except (OSError, UnicodeDecodeError):
        return None


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
            if "<<" in lines[number] or "/*" in lines[number]:
                return None  # braces in it are text
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


def _with_line(spot: Spot, text: str) -> Lines:
    """Return the lines with a new one first in the resource, as far in as its neighbour."""
    lines, at = spot.lines, spot.begin
    real = (line for line in lines[at : spot.end] if not re.match(r"\s*(?:#|//|\}|$)", line))
    inside = next(real, None)
    space = " " * (_indent(inside) if inside is not None else _indent(lines[at - 1]) + 2)
    return [*lines[:at], f"{space}{text}{_ending(lines[at - 1])}", *lines[at:]]


def _ending(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else "\n"


def _without_index(name: str) -> str:
    return re.sub(r"\[[^\]]*\]$", "", name)


def _set(spot: Spot, values: dict[str, str]) -> Lines | None:
    """Return the lines with other values of attributes that are plain; `None` if one is not.

    The first has to be there; another that is not is added below it.
    """
    lines = list(spot.lines)
    places: list[int] = []
    for name, value in values.items():
        key = name if spot.terraform else "".join(part.capitalize() for part in name.split("_"))
        there = [
            at for at in range(spot.begin, spot.end) if re.match(rf"\s*{key}\s*[:=]", lines[at])
        ]
        if not there and places:
            old = lines[places[0]]
            text = f"{key} = {value}" if spot.terraform else f"{key}: {value}"
            lines[places[0]] = f"{old}{old[: _indent(old)]}{text}{_ending(old)}"
            continue
        plain = _PLAIN[spot.terraform].match(lines[there[0]]) if len(there) == 1 else None
        if plain is None:
            return None
        places.append(there[0])
        lines[there[0]] = f"{plain[1]}{value}{plain[2]}"
    return lines


def _after(spot: Spot, block: list[str]) -> Lines:
    """Return the lines with a new block after the resource."""
    assert spot.resource.place.line is not None
    head = spot.lines[spot.resource.place.line - 1]
    ending, outer = _ending(head), head[: _indent(head)]
    until = spot.end
    while not spot.lines[until - 1].strip():
        until -= 1
    last = spot.lines[until - 1]
    before = [*spot.lines[: until - 1], last if last.endswith("\n") else f"{last}{ending}"]
    return [*before, *(f"{outer}{line}{ending}" for line in block), *spot.lines[until:]]


def _neighbour(spot: Spot, other: Resource) -> str | None:
    """Return how a resource is named beside the spot's own: its address, or its logical name."""
    here, there = (_without_index(item.name) for item in (spot.resource, other))
    if spot.resource.dialect != other.dialect or there.endswith("]") or other.only_if:
        return None
    if not spot.terraform:
        file, _, name = there.partition("#")
        return name if "/" not in name and file == here.partition("#")[0] else None
    prefix = here[: -len(".".join(here.split(".")[-2:]))]
    name = ".".join(there.split(".")[-2:])
    beside = Path(other.place.file).parent == Path(spot.resource.place.file).parent
    single = f"{prefix}{name}" == there and other.name == there
    return name if beside and single else None


def _free(spot: Spot, name: str) -> str:
    """Return a name that no resource has: this one, or with a number."""
    file = Path(spot.resource.place.file.partition("#")[0])
    beside = sorted(file.parent.glob("*.tf")) if spot.terraform else [file]
    text = "\n".join("".join(_lines(each) or ()) for each in beside)

    def is_taken(candidate: str) -> bool:
        if not spot.terraform:
            return re.search(rf"^\s+{re.escape(candidate)}:", text, re.MULTILINE) is not None
        kind, label = candidate.split(".")
        return re.search(rf'resource\s+"{kind}"\s+"{re.escape(label)}"', text) is not None

    candidates = (name, *(f"{name}{number}" for number in range(2, 100)))
    return next(each for each in candidates if not is_taken(each))


def _provider(resource: Resource) -> str | None:
    """Return the provider that a resource's block names, or nothing if it names none."""
    lines, line = lines_of(resource), resource.place.line
    found = _span(lines, line - 1, "terraform") if line is not None else None
    if found is None:
        return None
    pattern = re.compile(r"^\s*provider\s*=\s*([\w.-]+)\s*(?:#.*|//.*)?$")
    named = [pattern.match(lines[at]) for at in range(*found)]
    return next((match[1] for match in named if match), "")


def _identified(spot: Spot) -> Lines | None:
    """Name a record, or spell the property by which it is named."""
    wanted = "set_identifier" if spot.terraform else "SetIdentifier"
    lines = list(spot.lines)
    for number in range(spot.begin, spot.end):
        if re.match(rf"^\s*{_SPELT.pattern}\s*[:=]", lines[number]):
            return [*lines[:number], _SPELT.sub(wanted, lines[number], 1), *lines[number + 1 :]]
    side = spot.resource["failover_routing_policy.type"]
    label = re.split(r"[.#]", _without_index(spot.resource.name))[-1]
    name = side.lower() if isinstance(side, str) else label
    return _with_line(spot, f'{wanted} = "{name}"' if spot.terraform else f"{wanted}: {name}")


def _exporting(spot: Spot) -> Lines | None:
    """Export the logs that the engine has."""
    engine = spot.resource.text("engine") or ""
    logs = next((logs for part, logs in _LOGS.items() if part in engine), None)
    if logs is None:
        return None
    name = "enabled_cloudwatch_logs_exports" if spot.terraform else "EnableCloudwatchLogsExports"
    text = f"{name} = {logs}" if spot.terraform else f"{name}: {logs}"
    lines = list(spot.lines)
    for number in range(spot.begin, spot.end):
        if re.match(rf"^\s*{name}\s*[:=]", lines[number]):
            if not re.search(r"[:=]\s*\[[^\]]*\]\s*$", lines[number]):
                return None  # it goes on below, or is made elsewhere
            old = lines[number]
            new = f"{old[: _indent(old)]}{text}{_ending(old)}"
            return [*lines[:number], new, *lines[number + 1 :]]
    return _with_line(spot, text)


def _by_suffix(spot: Spot) -> Lines | None:
    """Take what metrics have of a load balancer or of a target group."""
    changed = list(spot.lines)
    for number in range(spot.begin, spot.end):
        if spot.terraform:
            changed[number] = _SUFFIX_OF.sub(r"\1.arn_suffix", changed[number])
    if not spot.terraform:
        _full_names(spot, changed)
    return changed


def _full_names(spot: Spot, lines: Lines) -> None:
    """Take a load balancer's full name in a template, beside the dimension's name or below it."""
    file = spot.resource.name.partition("#")[0]
    balancing = {
        item.name.partition("#")[2]
        for item in spot.graph.of("lb.load_balancer", "lb.target_group")
        if item.name.startswith(f"{file}#")
    }
    for number in range(spot.begin, spot.end):
        named = re.search(r"Name:\s*['\"]?(LoadBalancer|TargetGroup)\b", lines[number])
        if named is None:
            continue
        below = lines[number + 1 : number + 2]
        same = below and not below[0].lstrip().startswith("-") and number + 1 < spot.end
        for at in (number, number + 1) if same else (number,):
            told = re.search(r"Value:\s*(?:!Ref\s+(\w+)|!GetAtt\s+(\w+)\.\w+)", lines[at])
            if told is not None and (told[1] or told[2]) in balancing:
                value = f"Value: !GetAtt {told[1] or told[2]}.{_NAME_OF[named[1]]}"
                lines[at] = f"{lines[at][: told.start()]}{value}{lines[at][told.end() :]}"


def _accepted(spot: Spot) -> Lines | None:
    """Accept a peering on its other side, by the provider that makes the VPC there."""
    link = spot.graph.link(spot.resource, "peer_vpc_id", "ec2.vpc")
    if link is None or "nobody accepts it" not in spot.message:
        return None
    address = _neighbour(spot, spot.resource)
    provider = _provider(link.resource) if _neighbour(spot, link.resource) is not None else None
    if address is None or not provider or spot.resource.kind != "ec2.peering":
        return None
    wanted = f"aws_vpc_peering_connection_accepter.{address.split('.')[1]}"
    kind, label = _free(spot, wanted).split(".")
    return _after(
        spot,
        [
            "",
            f'resource "{kind}" "{label}" {{',
            f"  provider                  = {provider}",
            f"  vpc_peering_connection_id = {address}.id",
            "  auto_accept               = true",
            "}",
        ],
    )


def _asking(spot: Spot) -> Lines | None:
    """Ask the one port that the load balancer serves, and the way that it speaks there."""
    type_, graph = spot.resource["type"], spot.graph
    if spot.resource.kind != "route53.health_check" or not isinstance(type_, str):
        return None
    served = {
        (protocol, str(listener.known("port")))
        for balancer in asked(graph, spot.resource)
        for listener in listeners(graph, balancer)
        if forwards(graph, listener)
        and (protocol := str(listener.known("protocol"))) in {"HTTP", "HTTPS"}
    }
    if len(served) != 1:
        return None
    ((protocol, port),) = served
    matching = "_STR_MATCH" if type_.endswith("_STR_MATCH") else ""
    value = f'"{protocol}{matching}"' if spot.terraform else f"{protocol}{matching}"
    return _set(spot, {"type": value, "port": port})


_CALLED = frozenset({"handler", "lambda_handler", "main"})
_EXPORTED = {
    ".js": re.compile(r"^(?:module\.)?exports\.(\w+)\s*=", re.MULTILINE),
    ".mjs": re.compile(r"^export (?:const (\w+)\s*=|(?:async )?function (\w+)\()", re.MULTILINE),
}


def _functions(suffix: str, text: str) -> set[str]:
    """Return the functions of a file that can be called as a handler, by their usual names."""
    if suffix in _EXPORTED:
        found = {
            match[1] or match[match.lastindex or 1] for match in _EXPORTED[suffix].finditer(text)
        }
        return found & _CALLED
    if suffix != ".py":
        return set()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in _CALLED
        if len(node.args.posonlyargs + node.args.args) == _EVENT_AND_CONTEXT
    }


_EVENT_AND_CONTEXT = 2


def _handled(spot: Spot) -> Lines | None:
    """Name the one function in the bundle that can be called as a handler."""
    code = bundle(spot.graph, spot.resource)
    if code is None or not spot.message.startswith("its handler is"):
        return None
    found: set[str] = set()
    for name, text in code.files:
        inline = ".py" if str(spot.resource["runtime"]).startswith("python") else ".js"
        stem, suffix = (name, inline) if name == "index" else _split(name)
        module = stem.replace("/", ".") if suffix == ".py" else stem
        found |= {f"{module}.{function}" for function in _functions(suffix, text or "")}
    if len(found) != 1:
        return None
    (handler,) = found
    return _set(spot, {"handler": f'"{handler}"' if spot.terraform else handler})


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return stem, f"{dot}{suffix}"


def _callable(spot: Spot) -> Lines | None:
    """Allow EventBridge to call the function for this very rule."""
    if "does not allow EventBridge to call it" not in spot.message:
        return None
    graph, rule = spot.graph, _neighbour(spot, spot.resource)
    targets = graph.users(spot.resource, "events.target", "rule")
    links = [graph.link(target, "arn", "lambda.function") for target in targets]
    names = {_neighbour(spot, link.resource) for link in links if link is not None}
    function = names.pop() if len(names) == 1 else None
    if rule is None or function is None:
        return None
    if not spot.terraform:
        return _after(
            spot,
            [
                f"{_free(spot, f'{rule}Permission')}:",
                "  Type: AWS::Lambda::Permission",
                "  Properties:",
                "    Action: lambda:InvokeFunction",
                f"    FunctionName: !Ref {function}",
                "    Principal: events.amazonaws.com",
                f"    SourceArn: !GetAtt {rule}.Arn",
            ],
        )
    provider = _provider(spot.resource)
    if provider is None:
        return None
    kind, label = _free(spot, f"aws_lambda_permission.{rule.split('.')[1]}").split(".")
    return _after(
        spot,
        [
            "",
            f'resource "{kind}" "{label}" {{',
            *([f"  provider      = {provider}"] if provider else []),
            '  action        = "lambda:InvokeFunction"',
            f"  function_name = {function}.function_name",
            '  principal     = "events.amazonaws.com"',
            f"  source_arn    = {rule}.arn",
            "}",
        ],
    )


EDITS: dict[tuple[str, str], Callable[[Spot], Lines | None]] = {
    ("DR004", "terraform"): _accepted,
    **{
        (code, dialect): make
        for code, make in (
            ("DR005", _identified),
            ("DR006", _asking),
            ("DR009", _by_suffix),
            ("DR010", _callable),
            ("DR012", _handled),
            ("DR015", _exporting),
        )
        for dialect in ("terraform", "cloudformation")
    },
}
"""What can be edited, by rule and dialect."""
