"""How the twin registers its own operations with the API gateway."""

from collections.abc import Callable, Mapping
from typing import Any

from otherside.twin.gateway.protocol import ApiCall, Params, api_error

OperationMethod = Callable[[Any, ApiCall, Params], Any]
AfterMethod = Callable[[Any, ApiCall, Params, bytes], None]


def operation(service: str, *names: str) -> Callable[[OperationMethod], OperationMethod]:
    """Mark a method that carries out operations of a service, instead of moto."""

    def mark(method: OperationMethod) -> OperationMethod:
        method.__dict__.setdefault("carries_out", []).extend((service, name) for name in names)
        return method

    return mark


def after(service: str, *names: str) -> Callable[[AfterMethod], AfterMethod]:
    """Mark a method that runs after moto has carried out an operation."""

    def mark(method: AfterMethod) -> AfterMethod:
        method.__dict__.setdefault("follows", []).extend((service, name) for name in names)
        return method

    return mark


class ServiceProvider:
    """A part of AWS that moto lacks or gets wrong. Subclasses mark their methods."""

    def operations(self) -> Mapping[tuple[str, str], Callable[[ApiCall, Params], Any]]:
        """Return the operations that it carries out, by service and operation."""
        return {name: method for method, name in self._marked("carries_out")}

    def followers(
        self,
    ) -> Mapping[tuple[str, str], Callable[[ApiCall, Params, bytes], None]]:
        """Return the methods that run after moto, by service and operation."""
        return {name: method for method, name in self._marked("follows")}

    def _marked(self, mark: str) -> list[tuple[Any, tuple[str, str]]]:
        found = []
        for name in dir(type(self)):
            marked = getattr(getattr(type(self), name), mark, ())
            found += [(getattr(self, name), operation) for operation in marked]
        return found


__all__ = ["ServiceProvider", "after", "api_error", "operation"]
