"""What moto and botocore know of AWS, read once in a process, and only what somebody asks for.

botocore parses a service's model for each session, and moto for each thread that comes first: on a
twin the same few files were parsed eighty megabytes over, and kept. moto also reads where each
instance type is offered, for every Region of the world, while it is imported: fifty megabytes more.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from botocore.loaders import JSONFileLoader, Loader

OFFERINGS = "ec2/resources/instance_type_offerings"
"""moto's own directory of them."""


class OnceLoader(JSONFileLoader):
    """Reads a file for the first who asks, without what is only there to be read by people."""

    _found: ClassVar[dict[str, Any]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - JSON
        """Return what a file holds, or `None` where there is none; it is everybody's."""
        with self._lock:
            if file_path not in self._found:
                self._found[file_path] = super().load_file(file_path)
            return self._found[file_path]

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:  # noqa: ANN401 - JSON
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as file:
            found = json.loads(file.read())  # into plain dicts: they keep their order, too
        if "shapes" in found:
            _forget_prose(found)
        return found


def model_loader() -> Loader:
    """Return a loader of models for one session."""
    return Loader(file_loader=OnceLoader())


def share_models() -> None:
    """Have every session of this process, and moto, read each file once."""
    Loader.FILE_LOADER_CLASS = OnceLoader


class Offerings(dict[str, Any]):
    """Where instance types are offered, by Region: a Region's file is read when it is asked for."""

    def __init__(self, kind: str, load: Callable[[str], Any]) -> None:
        """Keep how a place is named (`region`, `availability-zone`…), and what reads a file."""
        super().__init__()
        self._kind, self._load = kind, load

    def __missing__(self, region: str) -> Any:  # noqa: ANN401 - JSON
        """Return a Region's offerings.

        Raises:
            KeyError: If nothing is known of that Region.
        """
        try:
            found = self._load(f"{OFFERINGS}/{self._kind}/{region}.json")
        except FileNotFoundError:
            raise KeyError(region) from None
        self[region] = [{**item, "LocationType": self._kind} for item in found]
        return self[region]

    def get(self, region: str, default: Any = None) -> Any:  # noqa: ANN401 - as `dict.get`
        """Return a Region's offerings, or something else where nothing is known of it."""
        try:
            return self[region]
        except KeyError:
            return default


def defer_offerings() -> None:
    """Have moto read where instance types are offered when that is asked; before it reads all."""
    from moto.utilities import utils  # noqa: PLC0415 - a process that only calls has no moto

    load = utils.load_resource
    utils.load_resource = lambda resource: [] if resource.startswith(OFFERINGS) else load(resource)
    try:
        from moto.ec2.models import instance_types  # noqa: PLC0415 - it reads on import
    finally:
        utils.load_resource = load
    known = instance_types.INSTANCE_TYPE_OFFERINGS
    known.update({kind: Offerings(kind, load) for kind in known})


def _forget_prose(model: dict[str, Any]) -> None:
    model.pop("documentation", None)
    for operation in model.get("operations", {}).values():
        operation.pop("documentation", None)
    for shape in model["shapes"].values():
        shape.pop("documentation", None)
        for part in [*shape.get("members", {}).values(), shape.get("member"), shape.get("value")]:
            if isinstance(part, dict):
                part.pop("documentation", None)
