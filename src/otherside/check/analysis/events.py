"""Queries on event rules and on the keys that event delivery depends on."""

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Value


def is_disabled(resource: Resource) -> bool:
    """Return whether an event rule is disabled."""
    return resource.known("state") == "DISABLED" or resource.known("is_enabled") is False


def admits(graph: Graph, key: Resource, service: str) -> bool:
    """Return whether a key's policy allows a service; an unknown policy counts as allowing it."""
    policies = [
        key["policy"],
        *(key_policy["policy"] for key_policy in graph.users(key, "kms.key_policy", "key_id")),
    ]
    known = [policy for policy in policies if policy is not None]
    if not known:
        return False  # the default policy allows the account but no service
    return any(not isinstance(policy, list) or _names(policy, service) for policy in known)


def _names(statements: list[Value], service: str) -> bool:
    for statement in statements:
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
