"""Reads moto's and botocore's data on AWS once per process, and only on demand.

botocore parses a service's model once per session, and moto once per thread: a twin parsed the same
few files again and again, and kept eighty megabytes of copies. On import, moto also reads where
each instance type is offered, for every Region of the world: fifty megabytes more.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from botocore.loaders import JSONFileLoader, Loader

OFFERINGS = "ec2/resources/instance_type_offerings"
"""moto's directory of instance type offerings."""


class OnceLoader(JSONFileLoader):
    """Reads each file once, without its documentation."""

    _found: ClassVar[dict[str, Any]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - JSON
        """Return a file's content, or `None` if there is none; all callers share it."""
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
    """Return a model loader for one session."""
    return Loader(file_loader=OnceLoader())


def share_models() -> None:
    """Make all sessions of this process, and moto, read each file once."""
    Loader.FILE_LOADER_CLASS = OnceLoader


class Offerings(dict[str, Any]):
    """Where instance types are offered, by Region: a Region's file is read on first use."""

    def __init__(self, kind: str, load: Callable[[str], Any]) -> None:
        """Take the location type (`region`, `availability-zone`…), and what reads a file."""
        super().__init__()
        self._kind, self._load = kind, load

    def __missing__(self, region: str) -> Any:  # noqa: ANN401 - JSON
        """Return a Region's offerings.

        Raises:
            KeyError: If moto has no data on that Region.
        """
        try:
            found = self._load(f"{OFFERINGS}/{self._kind}/{region}.json")
        except FileNotFoundError:
            raise KeyError(region) from None
        self[region] = [{**item, "LocationType": self._kind} for item in found]
        return self[region]

    def get(self, region: str, default: Any = None) -> Any:  # noqa: ANN401 - as `dict.get`
        """Return a Region's offerings, or `default` if moto has no data on it."""
        try:
            return self[region]
        except KeyError:
            return default


def defer_offerings() -> None:
    """Make moto read where instance types are offered on demand, not all of it on import."""
    from moto.utilities import utils  # noqa: PLC0415 - processes that only make calls do not load moto

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
