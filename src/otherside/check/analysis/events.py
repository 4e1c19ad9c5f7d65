"""Queries on event rules and on the keys that event delivery depends on."""

from collections.abc import Callable, Mapping

from otherside.check.analysis.iam import covers, statements
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Unresolved, Value


def is_disabled(resource: Resource) -> bool:
    """Return whether an event rule is disabled."""
    return resource.known("state") == "DISABLED" or resource.known("is_enabled") is False


_POLICIES = {
    "kms.key": ("kms.key_policy", "key_id"),
    "sqs.queue": ("sqs.queue_policy", "queue_url"),
    "sns.topic": ("sns.topic_policy", "arn"),
}
"""The kind that holds a policy of a resource, and how it refers to it."""


Applies = Callable[[Resource, Mapping[str, Value]], bool]
"""Whether a statement of a resource's policy may apply to a request."""


def admits(
    graph: Graph,
    guarded: Resource,
    service: str,
    action: str = "",
    applies: Applies = lambda _holder, _statement: True,
) -> bool:
    """Return whether the policy of a key, a queue or a topic allows a service an action, or any.

    Statements that do not apply allow nothing.

    Raises:
        Unresolved: If a policy of it is not known, and no other allows the service.
    """
    policies = [(guarded, guarded["policy"])]
    if guarded.kind in _POLICIES:
        users = graph.users(guarded, *_POLICIES[guarded.kind])
        policies += [(item, item["policy"]) for item in users]
    known = [
        (item, statements(graph, item, value)) for item, value in policies if value is not None
    ]
    for item, policy in known:
        if not isinstance(policy, list):
            continue
        apply = [each for each in policy if not isinstance(each, dict) or applies(item, each)]
        if _names(apply, service, action):
            return True
    if any(not isinstance(policy, list) for _, policy in known):
        raise Unresolved(guarded.undecided_because("policy", "known only at deployment"))
    return False  # the default policy allows the account but no service, and a queue has none


def trusts(graph: Graph, role: Resource, service: str) -> bool:
    """Return whether a role may be assumed by a service, as far as its policy is known."""
    policy = statements(graph, role, role["assume_role_policy"])
    return not isinstance(policy, list) or _names(policy, service, "sts:AssumeRole")


def _names(policy: list[Value], service: str, action: str) -> bool:
    for statement in policy:
        if action and isinstance(statement, dict) and covers(statement, action) is False:
            continue
        principals = statement.get("principals") if isinstance(statement, dict) else None
        if not isinstance(statement, dict) or not isinstance(principals, (dict, type(None))):
            return True
        listed = list((principals or {}).values())
        if any(isinstance(names, Unknown) for names in listed):
            return True
        who = [name for names in listed for name in names]
        if statement.get("effect") != "Deny" and (
            service in who or "*" in who or any(isinstance(name, Unknown) for name in who)
        ):
            return True
    return False
