"""Event rules and what they reach."""

from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Unknown, Value


def is_disabled(one: Resource) -> bool:
    """Tell whether a rule is switched off."""
    return one.known("state") == "DISABLED" or one.known("is_enabled") is False


def admits(graph: Graph, key: Resource, service: str) -> bool:
    """Tell whether a key's policy lets a service in; what is not known is taken for yes."""
    policies = [
        key["policy"],
        *(one["policy"] for one in graph.users(key, "kms.key_policy", "key_id")),
    ]
    known = [one for one in policies if one is not None]
    if not known:
        return False  # the default policy admits the account, and no service
    return any(not isinstance(one, list) or _names(one, service) for one in known)


def _names(statements: list[Value], service: str) -> bool:
    for one in statements:
        principals = one.get("principals") if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(principals, (dict, type(None))):
            return True
        listed = list((principals or {}).values())
        if any(isinstance(names, Unknown) for names in listed):
            return True
        who = [name for names in listed for name in names]
        if one.get("effect") != "Deny" and (
            service in who or "*" in who or any(isinstance(name, Unknown) for name in who)
        ):
            return True
    return False
