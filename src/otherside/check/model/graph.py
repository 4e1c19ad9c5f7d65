"""Graph of resources across stacks, files and Regions, with the queries that rules use.

A query returns a value, returns `None` if the value is unset, or raises `Unresolved` if the value
cannot be known. A rule does not have to handle the third case and never mistakes it for a pass.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from otherside.check.model.arn import OWN, Arn, is_region, read_arn
from otherside.check.model.schema import Attribute, kinds
from otherside.check.model.values import (
    Unknown,
    Unresolved,
    Value,
    conditions,
    decided,
    refs,
    strings,
    unknowns,
)

Found = TypeVar("Found")
GLOBAL = "global"
"""The Region of resources that belong to none: IAM, Route 53, a global cluster."""
_GLOBAL_SERVICES = ("iam.", "route53.", "cloudfront.", "globalaccelerator.", "arc.routing")
_GLOBAL_KINDS = {"rds.global_cluster", "data.iam_policy", "data.iam_policy_document"}


def is_global(kind: str) -> bool:
    """Return whether a kind of resource belongs to no Region."""
    return kind.startswith(_GLOBAL_SERVICES) or kind in _GLOBAL_KINDS


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is declared."""

    file: str
    line: int | None = None


@dataclass(slots=True, eq=False)
class Resource:
    """One resource, in any dialect."""

    id: str
    """Unique in its graph."""
    name: str
    """Its name in its own dialect: Terraform address, URN, template#LogicalId."""
    kind: str
    """Its kind in our vocabulary, or its native type if the vocabulary lacks it."""
    type: str
    region: str | None
    """Its Region, `global`, or `None` if unknown."""
    place: Place
    dialect: str
    attributes: dict[str, Value] = field(default_factory=dict)
    stack: str = ""
    """The template, state or program that it belongs to."""
    provider: str = ""
    """The provider that manages it; providers are resources of the kind `provider`."""
    unknown_properties: tuple[str, ...] = ()
    """Properties that its kind does not define."""
    ignored: tuple[str, ...] | None = None
    """Attributes whose drift is ignored; `None` if the source does not say."""
    suppressed: Mapping[str, str] = field(default_factory=dict)
    """Rules that its owner suppressed on it, with the reasons."""
    only_if: Mapping[str, bool] = field(default_factory=dict)
    """The conditions that decide at deployment whether there is one at all, and how."""

    @property
    def label(self) -> str:
        """Its short name, for messages."""
        marks = {"pulumi": "::", "cloudformation": "#"}
        return self.name.rpartition(marks.get(self.dialect, "\0"))[2]

    def __getitem__(self, path: str) -> Value:
        """Return a value, which may be `Unknown`, or `None` if it is unset.

        Raises:
            KeyError: If the vocabulary has no such attribute, which is a bug in the rule.
        """
        if path in self.attributes:
            return self.attributes[path]  # the usual case: set, and no block's member
        return _walk(self.attributes, kinds()[self.kind].attributes, path)

    def known(self, path: str) -> Value:
        """Return a value, or `None` if it is unset.

        Raises:
            Unresolved: If any part of the value is known only at deployment.
        """
        value = self[path]
        if value is None or isinstance(value, (str, int)):
            return value
        for unknown in unknowns(value):
            raise Unresolved(self.undecided_because(path, unknown.why))
        return value

    def undecided_because(self, path: str, why: str) -> str:
        """Return the message for an unknown value."""
        return f"{path.replace('_', ' ')} of {self.name} is {why}"

    def text(self, path: str) -> str | None:
        """Return a value as text.

        Raises:
            Unresolved: As in `known`.
        """
        value = self.known(path)
        return None if value is None else str(value)

    def required_region(self) -> str:
        """Return its Region.

        Raises:
            Unresolved: If its Region is unknown.
        """
        if self.region is None:
            msg = f"the Region of {self.name} is not known"
            raise Unresolved(msg)
        return self.region


def _walk(values: Mapping[str, Value], allowed: Mapping[str, Attribute], path: str) -> Value:
    head, _, rest = path.partition(".")
    if head not in allowed and head not in {"id", "arn"}:
        raise KeyError(head)
    value = values.get(head)
    if not rest:
        return value
    if not isinstance(value, Mapping):
        return value if isinstance(value, Unknown) else None
    if allowed[head].shape in {"map", "env"}:
        return value.get(rest)
    return _walk(value, allowed[head].members, rest)


@dataclass(frozen=True, slots=True)
class Link:
    """The target of a value: a resource, and the attribute of it that the value is."""

    resource: Resource
    attribute: str
    """Empty if the source does not say which."""


class Graph:
    """Resources and their links; it must not change after the first query."""

    def __init__(
        self, resources: Iterable[Resource] = (), *, facts: Mapping[str, str] | None = None
    ) -> None:
        """Index resources by id; of two with the same id, the later wins."""
        self.resources = {resource.id: resource for resource in resources}
        self.facts = dict(facts or {})
        """Other facts about the stacks: `partial` if the input shows only part of a stack."""
        self.memory: dict[str, Any] = {}
        """Cached query results, shared by the rules."""

    @cached_property
    def conditions(self) -> list[str]:
        """What decides, at deployment, between two values or whether there is a resource."""
        found = {name for item in self.resources.values() for name in item.only_if}
        for item in self.resources.values():
            found.update(conditions(item.attributes))
        return sorted(found)

    def where(self, condition: str, *, holds: bool) -> "Graph":
        """Return the same as it is where a condition holds or does not."""

        def made() -> Graph:
            return Graph(
                (
                    replace(item, attributes=decided(item.attributes, condition, holds=holds))
                    for item in self.resources.values()
                    if item.only_if.get(condition, holds) is holds
                ),
                facts=self.facts,
            )

        return self.memoize(f"{condition} is {holds}", made)

    @cached_property
    def _by_kind(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources.values():
            found[resource.kind].append(resource)
        return found

    @cached_property
    def _by_place(self) -> dict[tuple[str, str | None], list[Resource]]:
        found: dict[tuple[str, str | None], list[Resource]] = defaultdict(list)
        for resource in self.resources.values():
            found[resource.kind, resource.region].append(resource)
        return found

    @cached_property
    def _by_value(self) -> dict[str, list[Link]]:
        """Links by the identity that refers to them."""
        found: dict[str, list[Link]] = defaultdict(list)
        for resource in self.resources.values():
            kind = kinds().get(resource.kind)
            if kind is not None and kind.borrows:
                continue
            for name in kind.known_by if kind is not None else ("id", "arn"):
                value = resource.attributes.get(name)
                if isinstance(value, str) and value:
                    found[value].append(Link(resource, name))
        return found

    @cached_property
    def _by_arn(self) -> dict[tuple[str, str, str], Resource]:
        """Resources by the ARN that can be derived from their name."""
        found = {}
        for resource in self.resources.values():
            if resource.kind in kinds() and kinds()[resource.kind].arn:
                arn = derived_arn(resource)
                if arn is not None:
                    found[arn] = resource
        return found

    @cached_property
    def _users(self) -> dict[tuple[str, str], tuple[dict[str, list[Resource]], list[Resource]]]:
        return {}

    def of(self, *names: str, region: str | None = None) -> list[Resource]:
        """Return the resources of the given kinds, limited to one Region if given."""
        if region is None:
            return [item for name in names for item in self._by_kind.get(name, [])]
        return [item for name in names for item in self._by_place.get((name, region), [])]

    def links(self, source: Resource, value: Value, *wanted: str) -> list[Link]:
        """Return the links of a resource's value, limited to the wanted kinds if given."""
        found: list[Link] = []
        if value is None:
            return found
        if isinstance(value, str):
            found = self._named(source, value)
        else:
            for ref in value.refs if isinstance(value, Unknown) else refs(value):
                target = self.resources.get(ref.target)
                if target is not None:
                    found.append(Link(target, ref.attribute))
            if isinstance(value, (list, tuple)):
                for text in value:
                    if isinstance(text, str):
                        found.extend(self._named(source, text))
        return [link for link in found if not wanted or link.resource.kind in wanted]

    def _named(self, source: Resource, value: str) -> list[Link]:
        """Return the links of a name or an ARN, each resource once."""
        found = self._all_named(source, value)
        return list({link.resource.id: link for link in reversed(found)}.values())[::-1]

    def _all_named(self, source: Resource, value: str) -> list[Link]:
        arn = read_arn(value)
        if arn is not None:
            exact = self._by_value.get(value, [])
            derived = self._by_arn.get(arn.key)
            return exact or ([Link(derived, "arn")] if derived else [])
        found = [link for link in self._by_value.get(value, []) if link.resource is not source]
        near = [link for link in found if link.resource.region in {source.region, GLOBAL, None}]
        if near or source.region in {GLOBAL, None}:
            return near or found
        named = {link.resource.id for link in found if link.attribute in _NAMES}
        return [link for link in found if link.resource.id not in named]

    def link(self, source: Resource, path: str, *wanted: str) -> Link | None:
        """Return the link of an attribute, or `None` if its target is not in the graph."""
        found = self.links(source, source[path], *wanted)
        return found[0] if found else None

    def follow(self, source: Resource, path: str, *wanted: str) -> Resource | None:
        """Return the resource that an attribute refers to, or `None` if it is unset.

        Raises:
            Unresolved: If it refers to something that is not in the graph.
        """
        found = self.link(source, path, *wanted)
        if found is not None:
            return found.resource
        value = source[path]
        if value is None or value == []:
            return None
        why = value.why if isinstance(value, Unknown) else f"{value}, which is not in what was read"
        raise Unresolved(source.undecided_because(path, why))

    def users(
        self, target: Resource, kind: str, path: str, *, anywhere: bool = False
    ) -> list[Resource]:
        """Return the resources of a kind whose attribute refers to this one.

        A resource with an unresolved attribute may refer to this one from the same Region or, with
        `anywhere`, from any Region, as replicas and accepters do.

        Raises:
            Unresolved: If none is known to, but one of that kind may.
        """
        found, unsure = self._reverse(kind, path)
        users = found.get(target.id, [])
        if not users:
            nameless = _nameless(target)
            for item in unsure:
                if isinstance(item[path], str) and not nameless:
                    continue
                near = GLOBAL in {item.region, target.region} or item.region in {
                    target.region,
                    None,
                }
                if near or anywhere:
                    raise Unresolved(item.undecided_because(path, "not known, and may be this one"))
        return users

    def known_users(self, target: Resource, kind: str, path: str) -> list[Resource]:
        """Return the `users` that are known to refer here, ignoring those that may."""
        return self._reverse(kind, path)[0].get(target.id, [])

    def require_told(self, kind: str, path: str, *wanted: str) -> None:
        """Raise if a resource of a kind does not tell which one of the wanted kinds it refers to.

        Raises:
            Unresolved: For the first such one, which may refer to any of them.
        """

        def untold() -> Resource | None:
            return next(
                (
                    item
                    for item in self.of(kind)
                    if isinstance(item[path], Unknown) and self.link(item, path, *wanted) is None
                ),
                None,
            )

        item = self.memoize(f"untold {kind} {path} {wanted}", untold)
        if item is not None:
            raise Unresolved(item.undecided_because(path, "not known, and may be this one"))

    def memoize(self, key: str, make: Callable[[], Found]) -> Found:
        """Return a query's cached result, computing it on first use."""
        if key not in self.memory:
            self.memory[key] = make()
        found: Found = self.memory[key]
        return found

    def _reverse(self, kind: str, path: str) -> tuple[dict[str, list[Resource]], list[Resource]]:
        if (kind, path) not in self._users:
            found: dict[str, list[Resource]] = defaultdict(list)
            unsure = []
            for entry in self.of(kind):
                value = entry[path]
                links = [
                    each
                    for each in self.links(entry, value)
                    if not each.resource.kind.startswith("data.")
                ]
                for target in {link.resource.id for link in links}:
                    found[target].append(entry)
                lost = isinstance(value, str) or any(True for _ in unknowns(value))
                if not links and lost:
                    unsure.append(entry)
            self._users[(kind, path)] = found, unsure
        return self._users[(kind, path)]

    def find_arn(self, text: object) -> Resource | None:
        """Return the resource that an ARN names, or `None` if it is not in the graph."""
        arn = read_arn(text)
        if arn is None:
            return None
        exact = self._by_value.get(str(text), [])
        return exact[0].resource if exact else self._by_arn.get(arn.key)

    @cached_property
    def regions(self) -> list[str]:
        """Every Region that holds a resource or a copy, the one with the most resources first."""
        counted: Counter[str] = Counter()
        for resource in self.resources.values():
            if is_region(resource.region) and resource.kind not in {"provider", "backend"}:
                counted[str(resource.region)] += 1
        for kind, path in _ELSEWHERE:
            for entry in self.of(kind):
                for found in _mentioned(entry[path]):
                    counted[found] += 0
        return [region for region, _ in counted.most_common()]

    @cached_property
    def accounts(self) -> set[str]:
        """Account ids of our resources, as found in their ARNs and in key policies."""
        found = [read_arn(resource.attributes.get("arn")) for resource in self.resources.values()]
        found += [
            read_arn(text)
            for key in self.of("kms.key")
            for text in strings(key.attributes.get("policy"))
            if text.endswith(":root")
        ]
        named = {arn.account for arn in found if arn is not None and arn.account.isdigit()}
        return named - {OWN}

    def ours(self, arn: Arn) -> bool:
        """Return whether an ARN belongs to one of our accounts.

        Raises:
            Unresolved: If it names an account and none of our accounts is known.
        """
        if arn.account == OWN:
            return True
        if arn.account.isdigit() and not self.accounts:
            msg = f"nothing tells whether the account {arn.account} is ours"
            raise Unresolved(msg)
        return not arn.account.isdigit() or arn.account in self.accounts

    def unplaced(self) -> list[Resource]:
        """Return the resources whose Region is unknown."""
        return [resource for resource in self.resources.values() if resource.region is None]


_NAMES = {"name", "identifier", "cluster_identifier", "role_name"}
"""Identities that another Region may use for a different resource."""
_ELSEWHERE = (("dynamodb.table", "replica"), ("secretsmanager.secret", "replica"))
"""Attributes that create a copy in another Region."""


def _mentioned(value: Value) -> Iterator[str]:
    for element in value if isinstance(value, list) else []:
        for key in ("region_name", "region"):
            found = element.get(key) if isinstance(element, Mapping) else None
            if isinstance(found, str) and is_region(found):
                yield found


def _nameless(resource: Resource) -> bool:
    """Return whether any name that others may use for a resource is unknown."""
    named = kinds()[resource.kind].identities if resource.kind in kinds() else ()
    return any(isinstance(resource.attributes.get(name), Unknown) for name in named)


def derived_arn(other_resource: Resource) -> tuple[str, str, str] | None:
    """Return the ARN parts that identify a resource, or `None` if its name does not tell."""
    template = kinds()[other_resource.kind].arn
    service, _, resource = template.partition(":")
    region, _, resource = resource.partition(":")
    attribute = resource[resource.index("{") + 1 : resource.index("}")]
    name = other_resource.attributes.get(attribute)
    if not isinstance(name, str) or not name:
        return None
    if region and not is_region(other_resource.region):
        return None
    where = str(other_resource.region) if region else ""
    return service, where, resource.replace("{" + attribute + "}", name)
