"""Copy destinations of backup plans."""

from otherside.check.model.graph import Resource
from otherside.check.model.values import Value


def destinations(plan: Resource) -> list[Value]:
    """Return the destination vault of each copy action in a plan."""
    return [
        copy.get("destination_vault_arn")
        for rule in plan["rule"] or ()
        for copy in rule.get("copy_action") or ()
    ]
