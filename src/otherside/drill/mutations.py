"""Resource transforms that break a stack on purpose and count the resources they changed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from otherside.program.monitor import RegisteredResource, Transform

InputChange = Callable[[RegisteredResource], RegisteredResource | None]


class Mutation:
    """A transform that changes or drops matching resources, and counts them."""

    def __init__(self, kind: str, change: InputChange, *, name: str = "", region: str = "") -> None:
        """Match resources by type, and optionally by part of the name and by Region."""
        self.kind = kind if kind.startswith("pulumi:") else f"aws:{kind}"
        self.change, self.name, self.region = change, name, region
        self.broken = 0

    def __call__(self, registered_resource: RegisteredResource) -> RegisteredResource | None:
        """Return the resource unchanged or changed, or `None` to drop it."""
        wanted = (
            registered_resource.type == self.kind
            and self.name in registered_resource.name
            and self.region in {"", registered_resource.region}
        )
        if not wanted:
            return registered_resource
        self.broken += 1
        return self.change(registered_resource)


def in_order(transforms: Iterable[Transform]) -> Transform:
    """Return one transform that applies several in order, until one drops the resource."""
    kept = tuple(transforms)

    def change(registered_resource: RegisteredResource) -> RegisteredResource | None:
        left: RegisteredResource | None = registered_resource
        for transform in kept:
            left = transform(left) if left is not None else None
        return left

    return change


class Mutations:
    """Several transforms applied in order."""

    def __init__(self, *breakers: Mutation) -> None:
        self._breakers = breakers

    def __call__(self, registered_resource: RegisteredResource) -> RegisteredResource | None:
        """Return the resource after all transforms, or `None` if one drops it."""
        return in_order(self._breakers)(registered_resource)

    @property
    def missed(self) -> list[str]:
        """The transforms that matched no resource; they do not fit this stack."""
        return [
            f"{breaker.kind} {breaker.name}".strip()
            for breaker in self._breakers
            if not breaker.broken
        ]


def drop(kind: str, *, name: str = "", region: str = "") -> Mutation:
    """Return a transform that drops resources."""
    return Mutation(kind, lambda _: None, name=name, region=region)


def put(kind: str, *, name: str = "", region: str = "", **inputs: object) -> Mutation:
    """Return a transform that sets inputs; `None` removes an input."""

    def change(registered_resource: RegisteredResource) -> RegisteredResource:
        kept = {k: v for k, v in {**registered_resource.inputs, **inputs}.items() if v is not None}
        return replace(registered_resource, inputs=kept)

    return Mutation(kind, change, name=name, region=region)


def edit(
    kind: str,
    key: str,
    how: Callable[[Any], Any],
    *,
    name: str = "",
    region: str = "",
) -> Mutation:
    """Return a transform that rewrites one input if it is present."""

    def change(registered_resource: RegisteredResource) -> RegisteredResource:
        if key not in registered_resource.inputs:
            return registered_resource
        return replace(
            registered_resource,
            inputs={**registered_resource.inputs, key: how(registered_resource.inputs[key])},
        )

    return Mutation(kind, change, name=name, region=region)


def respell(kind: str, old: str, new: str, *, name: str = "") -> Mutation:
    """Return a transform that renames an input."""

    def change(registered_resource: RegisteredResource) -> RegisteredResource:
        inputs = {
            new if key == old else key: value for key, value in registered_resource.inputs.items()
        }
        return replace(registered_resource, inputs=inputs)

    return Mutation(kind, change, name=name)
