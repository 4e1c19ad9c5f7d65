"""AWS's service models, parsed once in a process, whoever asks.

botocore parses a model for each session, and moto for each thread that comes first: on a twin the
same few files were parsed eighty megabytes over, and kept.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from botocore.loaders import JSONFileLoader, Loader


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


def _forget_prose(model: dict[str, Any]) -> None:
    model.pop("documentation", None)
    for one in model.get("operations", {}).values():
        one.pop("documentation", None)
    for one in model["shapes"].values():
        one.pop("documentation", None)
        for part in [*one.get("members", {}).values(), one.get("member"), one.get("value")]:
            if isinstance(part, dict):
                part.pop("documentation", None)
