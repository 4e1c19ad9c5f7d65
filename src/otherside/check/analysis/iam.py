"""Permissions of a role, derived from the policies in the graph."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from otherside.check.model.arn import is_region, spelt
from otherside.check.model.graph import Graph, Resource, derived_arn
from otherside.check.model.schema import kinds
from otherside.check.model.values import Unknown, Unresolved, Value
from otherside.wildcards import star_pattern

_MANAGED: Mapping[str, tuple[str, ...]] = {
    "AdministratorAccess": ("*",),
    "ReadOnlyAccess": ("*:Describe*", "*:Get*", "*:List*"),
    "AmazonRDSFullAccess": ("rds:*", "cloudwatch:*", "sns:*", "logs:*", "ec2:Describe*"),
    "AmazonRDSReadOnlyAccess": ("rds:Describe*", "rds:ListTagsForResource", "cloudwatch:*"),
    "AmazonRoute53FullAccess": ("route53:*", "elasticloadbalancing:DescribeLoadBalancers"),
    "AmazonRoute53ReadOnlyAccess": ("route53:Get*", "route53:List*", "route53:TestDNSAnswer"),
    "CloudWatchFullAccess": ("cloudwatch:*", "logs:*", "sns:*", "autoscaling:Describe*"),
    "CloudWatchFullAccessV2": ("cloudwatch:*", "logs:*", "sns:*", "autoscaling:Describe*"),
    "CloudWatchReadOnlyAccess": ("cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*"),
    "AmazonSNSFullAccess": ("sns:*",),
    "AmazonDynamoDBFullAccess": ("dynamodb:*", "cloudwatch:*"),
    "AutoScalingFullAccess": ("autoscaling:*", "ec2:*", "cloudwatch:PutMetricAlarm"),
    "AmazonEC2FullAccess": ("ec2:*", "autoscaling:*", "elasticloadbalancing:*", "cloudwatch:*"),
    "AWSLambdaBasicExecutionRole": ("logs:*",),
    "AWSLambdaVPCAccessExecutionRole": ("logs:*", "ec2:*"),
    "AWSXRayDaemonWriteAccess": ("xray:*",),
    "CloudWatchLambdaInsightsExecutionRolePolicy": ("logs:*",),
}
"""Outline of what AWS managed policies allow; docs.aws.amazon.com/aws-managed-policy."""


_NOT_POWER_USER = ("iam:*", "organizations:*", "account:*")
"""What `PowerUserAccess` does not allow."""
_ARN_PARTS = 6
_ATTACHED = (("iam.role_policy_attachment", "role"), ("iam.policy_attachment", "roles"))

_EXCLUSIVE = "iam.role_policy_attachments_exclusive"
"""Attaches all of a role's policies at once, and takes away every other."""


@dataclass(frozen=True)
class Rights:
    """A role's policy statements, and whether any are missing."""

    statements: tuple[Value, ...]
    missing: str = ""
    """What is unknown; empty if everything is known."""
    boundary: "Rights | None" = None
    """The role's permissions boundary: what it does not allow, the role may not do."""

    @cached_property
    def _read(self) -> list[tuple[Value, "_Spoken | None"]]:
        """Each statement with what it says of actions, which is nothing for an unknown one."""
        return [
            (statement, None if isinstance(statement, Unknown) else _spoken(statement))
            for statement in self.statements
        ]

    def allow(self, action: str, region: str | None = None) -> bool | None:
        """Return whether an action is allowed on any resource, or `None` if that is unknown.

        With a Region, a statement for calls to other Regions alone does not count.
        """
        own = self._allow(action, region)
        if self.boundary is None or own is False:
            return own
        within = self.boundary.allow(action, region)
        return own if within else within

    def _allow(self, action: str, region: str | None) -> bool | None:
        maybe = bool(self.missing)
        allowed = False
        for statement, spoken in self._read:
            if spoken is None:
                maybe = True
                continue
            named = _says(spoken, action)
            if region is not None and _for_other_regions(statement, region):
                continue
            if statement.get("effect") == "Deny" and named and _denies(statement, region):
                return False
            if isinstance(statement.get("effect"), Unknown) or (
                statement.get("effect") == "Allow" and named is None
            ):
                maybe = True
            if statement.get("effect") == "Allow" and named:
                allowed = True
        return True if allowed else None if maybe else False

    def means(self, action: str) -> bool:
        """Return whether an allowing pattern names more of an action than its service."""
        least = len(action.partition(":")[0]) + 2
        return any(
            isinstance(each, str) and matches(each, action) and len(each.split("*")[0]) >= least
            for statement in self.statements
            if not isinstance(statement, Unknown) and statement.get("effect") == "Allow"
            for each in _listed(statement.get("actions") or [])
        )

    def named(self, action: str) -> list[Value]:
        """Return the resources that an action is allowed on, as written; `*` names nothing."""
        return [
            resource
            for statement, spoken in self._read
            if spoken is not None and statement.get("effect") == "Allow" and _says(spoken, action)
            for resource in _listed(statement.get("resources"))
        ]


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _denies(statement: Mapping[str, Any], region: str | None) -> bool:
    """Return whether a denial applies to every resource, in a Region if one is given."""
    tested = statement.get("conditions")
    if tested and not _only_other_regions(tested, region):
        return False
    if statement.get("not_resources"):
        return False
    resources = statement.get("resources") or ["*"]
    return not isinstance(resources, Unknown) and "*" in resources


def _only_other_regions(tested: Value, region: str | None) -> bool:
    """Return whether a condition holds for each call to a Region that it does not name."""
    if region is None or not isinstance(tested, Mapping) or len(tested) != 1:
        return False
    ((operator, asked),) = tested.items()
    if not isinstance(asked, Mapping) or len(asked) != 1:
        return False
    ((key, named),) = asked.items()
    unlike = re.fullmatch(r"String(NotEquals|NotLike)(IgnoreCase)?(IfExists)?", str(operator))
    return (
        unlike is not None
        and str(key).lower() == "aws:requestedregion"
        and all(isinstance(each, str) and not matches(each, region) for each in _listed(named))
    )


def _for_other_regions(statement: Mapping[str, Any], region: str) -> bool:
    """Return whether a statement is for calls to named Regions, of which this is none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    tested = statement.get("conditions")
    for operator, asked in tested.items() if isinstance(tested, Mapping) else ():
        if not re.fullmatch(
            r"(?:ForAnyValue:)?String(?:Equals|Like)(?:IgnoreCase)?", str(operator)
        ):
            continue
        for key, wanted in asked.items() if isinstance(asked, Mapping) else ():
            named = _listed(wanted)
            if str(key).lower() == "aws:requestedregion" and all(
                isinstance(each, str) and not matches(each, region) for each in named
            ):
                return True
    return False


class _Spoken(NamedTuple):
    """What a statement says of actions, taken from it once for all that are asked of it."""

    patterns: tuple[str, ...] | None
    """`None` if it is not known at all."""
    more: bool
    """Whether there are patterns that are not known."""
    others: bool
    """Whether it is for all other actions."""


def _spoken(statement: Mapping[str, Any]) -> _Spoken:
    actions, others = statement.get("actions"), statement.get("not_actions")
    found = actions if actions is not None else others
    if found is None or isinstance(found, Unknown):
        return _Spoken(None, more=True, others=False)
    patterns = tuple(each for each in found if isinstance(each, str))
    more = any(isinstance(each, Unknown) for each in found)
    return _Spoken(patterns, more, actions is None)


def _says(spoken: _Spoken, action: str) -> bool | None:
    """Return whether a statement speaks of an action, or `None` if that is unknown."""
    if spoken.patterns is None:
        return None
    hit = _any_matches(spoken.patterns, action)
    if not hit and spoken.more:
        return None
    return hit is not spoken.others


def covers(statement: Mapping[str, Any], action: str) -> bool | None:
    """Return whether a statement speaks of an action, or `None` if that is unknown."""
    return _says(_spoken(statement), action)


@lru_cache(maxsize=65_536)
def _any_matches(patterns: tuple[str, ...], action: str) -> bool:
    """Return whether any pattern matches; many roles of a large system have the same ones."""
    return any(matches(pattern, action) for pattern in patterns)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    pieces = [re.escape(part).replace(r"\?", ".") for part in text.split("*")]
    return re.compile(star_pattern(pieces), re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=65_536)
def matches(pattern: str, text: str) -> bool:
    """Return whether a policy pattern with `*` and `?` matches an action or an ARN."""
    return bool(_pattern(pattern).fullmatch(text))


@lru_cache(maxsize=4096)
def may_be_same(first: str, second: str) -> bool:
    """Return whether two patterns may match the same text; in both, `*` is any text."""
    reached = [True, *(set(second[:end]) == {"*"} for end in range(1, len(second) + 1))]
    for number, mark in enumerate(first, 1):
        before, reached = reached, [mark == "*" and set(first[:number]) == {"*"}]
        for end, other in enumerate(second, 1):
            either = "*" in {mark, other} and (before[end] or reached[end - 1])
            reached.append(either or ((mark == other or "*" in {mark, other}) and before[end - 1]))
    return reached[-1]


def rights(graph: Graph, role: Resource) -> Rights:
    """Return every statement that allows or denies a role something."""
    held: list[Value] = []
    missing = _astray(graph, role)
    for role_policy in graph.known_users(role, "iam.role_policy", "role"):
        document = role_policy["policy"]
        if isinstance(document, Unknown):
            document = statements(graph, role_policy, document)
        held.extend(document if isinstance(document, list) else ())
        if not isinstance(document, list):
            missing = f"a policy of {role.name}, which is known only at deployment"
    attached: list[tuple[Resource, Value]] = [
        (resource, resource["policy_arn"])
        for kind, path in _ATTACHED
        for resource in graph.known_users(role, kind, path)
    ]
    attached += [
        (resource, arn)
        for resource in graph.known_users(role, _EXCLUSIVE, "role_name")
        for arn in _listed(resource["policy_arns"])
    ]
    for source, arn in attached:
        found = _attached(graph, source, arn)
        if found is None:
            missing = f"what {arn if isinstance(arn, str) else 'an attached policy'} allows"
        held.extend(found or ())
    return Rights(tuple(held), missing, _boundary(graph, role))


def _boundary(graph: Graph, role: Resource) -> Rights | None:
    """Return what a role's permissions boundary allows; `None` if it has none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    arn = role["permissions_boundary"]
    if arn is None or arn == "":
        return None
    found = _attached(graph, role, arn)
    if found is None:
        return Rights((), f"the permissions boundary of {role.name}")
    return Rights(tuple(found))


def _astray(graph: Graph, role: Resource) -> str:
    """Return why policies of an unknown role may be this role's, or an empty string."""
    try:
        for kind, path in (("iam.role_policy", "role"), *_ATTACHED, (_EXCLUSIVE, "role_name")):
            graph.users(role, kind, path)
    except Unresolved as undecided:
        return str(undecided)
    return ""


def may_be_of_kind(pattern: str, service: str, kind: str) -> bool:
    """Return whether a pattern may match the ARN of a kind of resource: `service:…:kind:name`."""
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        return "*" in pattern
    return may_be_same(parts[2], service) and may_be_same(parts[-1], f"{kind}:*")


def may_cover(graph: Graph, holder: Resource, value: Value, target: Resource) -> bool:
    """Return whether what a statement allows may include a resource; the unknown may be any."""
    if target in [link.resource for link in graph.links(holder, value)]:
        return True
    pattern = spelt(value)
    if not isinstance(pattern, str):
        return not (isinstance(value, Unknown) and value.whole and graph.links(holder, value))
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        return "*" in pattern
    service, region, tail = _arn_of(target, parts)
    whose = [part if "*" not in part else "x" for part in (parts[1], parts[4])]
    # Two stacks of one system often have one name, which the source does not tell.
    tails = {tail, tail.replace(target.stack, holder.stack) if target.stack else tail}
    return any(
        matches(pattern, f"arn:{whose[0]}:{service}:{region}:{whose[1]}:{each}") for each in tails
    )


def _arn_of(target: Resource, asked: list[str]) -> tuple[str, str, str]:
    """Return the service, Region and end of a resource's ARN; what is not known, as asked for."""
    known = derived_arn(target)
    if known is not None:
        return known
    service, region, tail = kinds()[target.kind].arn.split(":", 2)
    kept = tail.partition("{")[0]
    where = str(target.region) if is_region(target.region) else asked[3].replace("*", "x")
    name = target.attributes.get(tail[len(kept) + 1 : -1])
    own = f"{kept}{name}" if isinstance(name, str) and name else None
    there = asked[-1] if asked[-1].startswith(kept) else kept
    return service, where if region else "", own or there


def statements(graph: Graph, source: Resource, value: Value) -> Value:
    """Return the statements of a document that a data source generates."""
    for link in graph.links(source, value, "data.iam_policy_document"):
        return _merged(graph, link.resource, ())
    return value


def _merged(graph: Graph, source: Resource, within: tuple[str, ...]) -> Value:
    """Return a document's statements with those that it takes from others, found once for all."""
    if source.id in within:
        return Unknown()
    inner = (*within, source.id)
    return graph.memoize(f"merged {source.id}", lambda: _merge(graph, source, inner))


def _merge(graph: Graph, source: Resource, within: tuple[str, ...]) -> Value:
    """Return the statements of a document and of those that it takes in.

    Of statements with one `sid`, the last counts: sources come before its own, overrides after.
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
    """
    own = source["document"]
    first, last = source["source_policy_documents"], source["override_policy_documents"]
    if first is None and last is None:
        return own
    if not isinstance(own, (list, type(None))):
        return Unknown()
    found: dict[int, Value] = {}  # by identity: a document that is taken twice counts once
    for taken in (first, own or [], last):
        for item in [taken] if isinstance(taken, Unknown) else taken or ():
            links = graph.links(source, item, "data.iam_policy_document")
            held = _merged(graph, links[0].resource, within) if links else item
            found |= {id(each): each for each in (held if isinstance(held, list) else [held])}
    named = {
        sid: item
        for item in found.values()
        if isinstance(item, Mapping) and isinstance(sid := item.get("sid"), str) and sid
    }
    return [
        item
        for item in found.values()
        if not isinstance(item, Mapping) or named.get(str(item.get("sid")), item) is item
    ]


def _attached(graph: Graph, source: Resource, arn: Value) -> Iterable[Value] | None:
    """Return the statements of an attached policy, or `None` if they are unknown."""
    for link in graph.links(source, arn, "iam.policy", "data.iam_policy"):
        document = link.resource["policy"]
        if isinstance(document, Unknown):
            document = statements(graph, link.resource, document)
        if isinstance(document, list):
            return document
        arn = link.resource.attributes.get("arn") or arn
    if isinstance(arn, str) and ":aws:policy/" in arn:
        name = arn.rpartition("/")[2]
        if name == "PowerUserAccess":
            return [{"effect": "Allow", "not_actions": list(_NOT_POWER_USER), "resources": ["*"]}]
        actions = _MANAGED.get(name)
        if actions is not None:
            return [{"effect": "Allow", "actions": list(actions), "resources": ["*"]}]
    return None
