"""Resource transforms that break a stack on purpose, and know whether they found what to break."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from otherside.program.monitor import RegisteredResource

InputChange = Callable[[RegisteredResource], RegisteredResource | None]


class Mutation:
    """A transform that changes some resources, or leaves them out, and counts them."""

    def __init__(self, kind: str, change: InputChange, *, name: str = "", region: str = "") -> None:
        """Change the resources of a type, narrowed by a part of the name and by Region."""
        self.kind = kind if kind.startswith("pulumi:") else f"aws:{kind}"
        self.change, self.name, self.region = change, name, region
        self.broken = 0

    def __call__(self, registered_resource: RegisteredResource) -> RegisteredResource | None:
        """Return a resource as it is, changed, or not at all."""
        wanted = (
            registered_resource.type == self.kind
            and self.name in registered_resource.name
            and self.region in {"", registered_resource.region}
        )
        if not wanted:
            return registered_resource
        self.broken += 1
        return self.change(registered_resource)


class Mutations:
    """Several transforms, one after the other."""

    def __init__(self, *breakers: Mutation) -> None:
        """Keep them in order."""
        self._breakers = breakers

    def __call__(self, registered_resource: RegisteredResource) -> RegisteredResource | None:
        """Return a resource as all of them leave it."""
        left: RegisteredResource | None = registered_resource
        for breaker in self._breakers:
            left = breaker(left) if left is not None else None
        return left

    @property
    def missed(self) -> list[str]:
        """What found nothing to break: the stack is not the one that they are for."""
        return [
            f"{breaker.kind} {breaker.name}".strip()
            for breaker in self._breakers
            if not breaker.broken
        ]


def drop(kind: str, *, name: str = "", region: str = "") -> Mutation:
    """Return a transform that leaves resources out."""
    return Mutation(kind, lambda _: None, name=name, region=region)


def put(kind: str, *, name: str = "", region: str = "", **inputs: object) -> Mutation:
    """Return a transform that sets inputs; `None` takes one away."""

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
    """Return a transform that rewrites one input, where there is one."""

    def change(registered_resource: RegisteredResource) -> RegisteredResource:
        if key not in registered_resource.inputs:
            return registered_resource
        return replace(
            registered_resource,
            inputs={**registered_resource.inputs, key: how(registered_resource.inputs[key])},
        )

    return Mutation(kind, change, name=name, region=region)


def respell(kind: str, old: str, new: str, *, name: str = "") -> Mutation:
    """Return a transform that gives an input another name."""

    def change(registered_resource: RegisteredResource) -> RegisteredResource:
        inputs = {
            new if key == old else key: value for key, value in registered_resource.inputs.items()
        }
        return replace(registered_resource, inputs=inputs)

    return Mutation(kind, change, name=name)
