"""Where backup plans copy to."""

from otherside.check.model.graph import Resource
from otherside.check.model.values import Value


def destinations(plan: Resource) -> list[Value]:
    """Return where a plan copies to."""
    return [
        copy.get("destination_vault_arn")
        for one in plan["rule"] or ()
        for copy in one.get("copy_action") or ()
    ]
