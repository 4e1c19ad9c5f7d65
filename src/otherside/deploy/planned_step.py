"""One step of a plan, as Pulumi's engine announces it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REMOVES = frozenset({"delete", "delete-replaced", "discard"})
REPLACES = frozenset({"replace", "create-replacement"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """What the engine is going to do to one resource."""

    operation: str
    """`same`, `create`, `update`, `replace`, `delete` and the other words of the engine."""
    urn: str
    type: str
    region: str
    """The Region of its provider; empty where the engine does not say."""
    old: Mapping[str, Any]
    """Its inputs before the step; empty if it is new."""
    new: Mapping[str, Any]
    """Its inputs after the step; empty if it goes."""

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]

    @property
    def removes(self) -> bool:
        """Whether the resource is gone afterwards."""
        return self.operation in REMOVES

    @property
    def replaces(self) -> bool:
        """Whether another resource takes its place."""
        return self.operation in REPLACES
