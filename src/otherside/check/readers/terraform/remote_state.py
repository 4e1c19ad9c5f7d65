"""Which state a root writes and which it reads, so that one root's outputs reach another's inputs.

https://developer.hashicorp.com/terraform/language/state/remote-state-data
"""

from collections.abc import Mapping
from pathlib import Path

from otherside.check.model.values import Value

_KEYS = {
    "s3": ("bucket", "key"),
    "gcs": ("bucket", "prefix"),
    "azurerm": ("storage_account_name", "container_name", "key"),
    "http": ("address",),
    "consul": ("path",),
}
"""What tells one state of a backend from another."""
_CLOUD = frozenset({"remote", "cloud"})
_LOCAL = "terraform.tfstate"


def state_identity(backend: Value, config: Mapping[str, Value], directory: Path) -> str | None:
    """Return a name for one state, the same for who writes it and who reads it.

    `None` if it cannot be told: a backend that is configured on the command line, for instance.
    """
    if backend == "local":
        path = config.get("path", _LOCAL)
        return f"local {(directory / path).resolve()}" if isinstance(path, str) else None
    if backend in _CLOUD:
        workspaces = config.get("workspaces")
        workspaces = workspaces[0] if isinstance(workspaces, list) and workspaces else workspaces
        name = workspaces.get("name") if isinstance(workspaces, Mapping) else None
        parts: list[Value] = ["cloud", config.get("organization"), name]
    else:
        keys = _KEYS.get(str(backend))
        if keys is None:
            return None
        parts = [backend, *(config.get(key) for key in keys)]
    return " ".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None
