"""How each type of resource is made, by the calls that Pulumi's AWS provider would make.

One module a family of services; every type that the twin covers is in `HANDLERS`, and no other is
guessed at.
"""

from collections.abc import Callable, Mapping

from otherside.twin.deploy.creation import Birth
from otherside.twin.deploy.handlers import (
    compute,
    data,
    events,
    identity,
    network,
    storage,
    traffic,
    watching,
)

Handler = Callable[[Birth], str]
"""Makes a resource, leaves its outputs in the birth and returns its identifier."""

HANDLERS: Mapping[str, Handler] = {
    f"aws:{token}": handler
    for family in (network, identity, storage, data, compute, traffic, events, watching)
    for token, handler in family.HANDLERS.items()
}
