"""Which of the parts that were read make one system, and which are alternatives to one another.

A repository holds a stack for each environment, examples, and several ways to do the same. Judged
together they hide one another's defects: one part's backups would be every part's backups.

The parts of one system are found by what people do:

* What is named together on the command line is one system; only what is found below a directory is
  told apart.
* An environment (`prod`, `staging`) and an example (`examples/complete`) is a system of its own;
  what stands beside environments and in none of them, such as a shared network, is part of each.
* Parts in one directory belong together, and so do directories that differ only in the Region or
  the side that they are named for.
* Parts that use one another do: a remote state, an import, a reference to a stack, an ARN, a global
  database, a backend in the same bucket.
* What was not read may be of any system that it stands beside, and is unknown to each.
* Parts of one Region each belong to their neighbours in other Regions, because a root for each
  Region is the usual layout. A part that has several Regions stands alone if nothing uses it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from otherside.check.model.arn import is_region, read_arn
from otherside.check.model.graph import Resource, derived_arn
from otherside.check.model.schema import kinds
from otherside.check.model.values import strings

EXAMPLES = frozenset(
    {
        *("example", "examples", "sample", "samples", "demo", "demos", "e2e"),
        *("test", "tests", "testing", "fixture", "fixtures"),
    }
)
ENVIRONMENTS = frozenset(
    {
        *("prod", "production", "prd", "preprod", "staging", "stage", "stg", "nonprod"),
        *("uat", "qa", "dev", "develop", "development", "sandbox", "perf"),
    }
)
SIDES = frozenset(
    {
        *("primary", "secondary", "standby", "dr", "main", "backup", "failover", "recovery"),
        *("replica", "active", "passive", "east", "west", "north", "south", "region"),
    }
)
STRATEGIES = frozenset({"active-active", "active-passive"})
"""Names made of sides that are the name of a way to recover: alternatives stand in these."""
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_SHORT_REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)(e|w|n|s|c|ne|nw|se|sw)[1-9]")
"""How people shorten a Region in a name: use1, euw1, apse2."""


@dataclass(slots=True)
class Part:
    """What was read from one place: a Terraform root, a template, a state, a plan or a stack."""

    where: str
    """Its directory or file, as it was named."""
    place: tuple[str, ...] = ()
    """Its directory below the directory that was named; empty if it was named itself."""
    file: str = ""
    """The stem of its file's name, if it is a file that was found below a directory."""
    resources: list[Resource] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    imagined: list[tuple[str, str]] = field(default_factory=list)
    """What was imagined and decides nothing, as `unread`."""
    facts: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """What it shares with the parts that it uses: exports, stacks, buckets of states."""

    @property
    def regions(self) -> set[str]:
        """The Regions that its resources are in."""
        return {
            str(item.region)
            for item in self.resources
            if item.kind not in {"provider", "backend"} and is_region(item.region)
        }


@dataclass(frozen=True, slots=True)
class System:
    """Parts that recover together, and are judged together."""

    name: str
    """Unique in a run, short, and taken from the directories."""
    parts: tuple[Part, ...]


def systems_of(parts: list[Part]) -> list[System]:
    """Return the systems that parts make, in the order in which they were read."""
    read = [part for part in parts if part.resources]
    environments: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for example, environment in map(_label, read):
        environments[example] |= {environment} - {""}
    by_label: dict[tuple[tuple[str, ...], str], list[Part]] = defaultdict(list)
    unread: dict[tuple[tuple[str, ...], str], list[Part]] = defaultdict(list)
    for part in parts:
        example, environment = _label(part)
        beside = sorted(environments[example]) or [""]
        for name in [environment] if environment in beside else beside:
            (by_label if part.resources else unread)[example, name].append(part)
    groups = [
        [*group, *unread[label]]
        for label, members in by_label.items()
        for group in _joined(members)
    ]
    groups += [members for label, members in unread.items() if label not in by_label]
    position = {id(part): at for at, part in enumerate(parts)}
    whole = sorted(_whole(groups), key=lambda group: position[id(group[0])])
    return [System(name, tuple(group)) for name, group in zip(_names(whole), whole, strict=True)]


def _whole(groups: list[list[Part]]) -> Iterator[list[Part]]:
    """Yield the groups that are no part of another one: what is shared is judged where it is."""
    holding: dict[int, list[frozenset[int]]] = defaultdict(list)
    sets = [frozenset(map(id, group)) for group in groups]
    for members in dict.fromkeys(sets):
        for part in members:
            holding[part].append(members)
    told = set()
    for group, members in zip(groups, sets, strict=True):
        larger = any(members < other for other in holding[id(group[0])])
        if not larger and members not in told:
            told.add(members)
            yield group


def _label(part: Part) -> tuple[tuple[str, ...], str]:
    """Return the example that a part belongs to, and the environment."""
    example: tuple[str, ...] = ()
    rest: list[str] = [*part.place, *([part.file] if part.file else [])]
    for at, name in enumerate(part.place):
        if name.lower() in EXAMPLES:
            example, rest = part.place[: at + 2], rest[at + 2 :]
            break
    words = [word for name in rest for word in re.split(r"[-_.]", name.lower())]
    return example, "/".join(dict.fromkeys(word for word in words if word in ENVIRONMENTS))


def _without_side(name: str) -> str:
    """Return a directory's name without the Region or the side that it is named for.

    `us-east-1` and `primary` leave nothing, `orders-use1` leaves `orders`.
    """
    lower = name.lower()
    if lower in STRATEGIES:
        return lower
    words = re.split(r"[-_.]", _REGION.sub("", lower))
    kept = [word for word in words if word not in SIDES and not _SHORT_REGION.fullmatch(word)]
    return "-".join(word for word in kept if word)


def _is_side(name: str) -> bool:
    """Return whether a directory is named for a Region or a side and for nothing else."""
    return not _without_side(name)


def _joined(parts: list[Part]) -> Iterator[list[Part]]:
    """Yield the groups of parts that belong together."""
    leader = list(range(len(parts)))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    for left, right in _ties(parts):
        leader[max(find(left), find(right))] = min(find(left), find(right))
    groups: dict[int, list[Part]] = defaultdict(list)
    for at, part in enumerate(parts):
        groups[find(at)].append(part)
    yield from groups.values()


def _ties(parts: list[Part]) -> Iterator[tuple[int, int]]:
    """Yield pairs of parts, by their positions, that belong together."""
    keyed: dict[object, list[int]] = defaultdict(list)
    for at, part in enumerate(parts):
        if not (part.file and len(part.regions) > 1):  # before.json and after.json are two
            keyed["place", _canonical(part.place)].append(at)
        for name in part.names:
            keyed["name", name].append(at)
    for members in keyed.values():
        yield from pairwise(members)
    yield from _neighbours(parts)
    yield from _uses(parts)


def _canonical(place: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(left for left in map(_without_side, place) if left)


def _neighbours(parts: list[Part]) -> Iterator[tuple[int, int]]:
    """Yield parts of one Region each that stand side by side and are in different Regions."""
    near: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
    for at, part in enumerate(parts):
        regions = part.regions
        if len(regions) != 1:
            continue
        side = next((i for i, name in enumerate(part.place) if _is_side(name)), None)
        keys = {_canonical(part.place)[:-1]}
        if side is not None:
            keys.add(part.place[:side])
        for key in keys:
            near[key].append((at, next(iter(regions))))
    for members in near.values():
        if len({region for _, region in members}) > 1:
            for (left, _), (right, _) in pairwise(members):
                yield left, right


def _uses(parts: list[Part]) -> Iterator[tuple[int, int]]:
    """Yield parts of which one names a resource that only another one declares."""
    if len(parts) < 2:  # noqa: PLR2004 - there is no other
        return
    owners: dict[object, set[int]] = defaultdict(set)
    named: list[set[object]] = []
    for at, part in enumerate(parts):
        for declared in _declared(part.resources):
            owners[declared].add(at)
        named.append(set(_named(part.resources)))
    for at, names in enumerate(named):
        for name in names:
            found = owners.get(name, set())
            if len(found) == 1 and at not in found:
                yield at, next(iter(found))


def _declared(resources: Iterable[Resource]) -> Iterator[object]:
    for item in resources:
        if item.kind.startswith("data."):
            continue
        if item.kind in kinds() and kinds()[item.kind].arn:
            arn = derived_arn(item)
            if arn is not None:
                yield arn
        own = read_arn(item.attributes.get("arn"))
        if own is not None:
            yield own.key
        name = item.attributes.get("global_cluster_identifier")
        if item.kind == "rds.global_cluster" and isinstance(name, str):
            yield "global cluster", name


def _named(resources: Iterable[Resource]) -> Iterator[object]:
    for item in resources:
        for name, value in item.attributes.items():
            if name == "arn":
                continue
            for text in strings(value):
                if text.startswith("arn:"):
                    arn = read_arn(text)
                    if arn is not None:
                        yield arn.key
        member = item.attributes.get("global_cluster_identifier")
        if item.kind == "rds.cluster" and isinstance(member, str):
            yield "global cluster", member


def _names(groups: list[list[Part]]) -> list[str]:
    """Return a name for each group: what its parts' directories have in common."""
    found = [_name(group) for group in groups]
    return [
        name if found.count(name) == 1 else f"{name}#{found[: at + 1].count(name)}"
        for at, name in enumerate(found)
    ]


def _name(group: list[Part]) -> str:
    read = [part for part in group if part.resources] or group
    own = [part for part in read if any(_label(part))] or read
    common: list[str] = []
    for names in zip(*(part.place for part in own), strict=False):
        if len(set(names)) > 1:
            break
        common.append(names[0])
    if common:
        return "/".join(common)
    if len(own) == 1 and own[0].file:
        return own[0].file
    environments = {environment for _, environment in map(_label, own)} - {""}
    return environments.pop() if len(environments) == 1 else "."
