"""etcd as the state table: linearizable reads, and writes that compare before they set."""

import base64
import contextlib
import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any

from otherside.failover.ports import ConflictError, UnavailableError

TIMEOUT_S = 1.0


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _opened(text: str) -> str:
    return base64.b64decode(text).decode()


class Store:
    """Keys and JSON values; each thread has a connection of its own."""

    def __init__(self, port: int) -> None:
        """Take etcd's port."""
        self._port, self._local = port, threading.local()

    def get(self, prefix: str) -> dict[str, tuple[Any, int]]:
        """Return every value below a prefix, by key, with the revision that wrote it.

        Raises:
            UnavailableError: If etcd does not answer.
        """
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        asked = {"key": _packed(prefix), "range_end": _packed(end)}
        found = self._ask("range", asked).get("kvs", [])
        return {
            _opened(each["key"]): (json.loads(_opened(each["value"])), int(each["mod_revision"]))
            for each in found
        }

    def put(self, key: str, value: object) -> None:
        """Write a value."""
        self._ask("put", {"key": _packed(key), "value": _packed(json.dumps(value))})

    def put_if(self, key: str, value: object, revision: int) -> None:
        """Write a value if nobody has written it since a revision; 0 if nobody ever has.

        Raises:
            ConflictError: If somebody has.
            UnavailableError: If etcd does not answer.
        """
        same = {"key": _packed(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision}
        write = {"key": _packed(key), "value": _packed(json.dumps(value))}
        asked = {"compare": [same], "success": [{"request_put": write}]}
        if not self._ask("txn", asked).get("succeeded"):
            msg = f"{key} was written by somebody else"
            raise ConflictError(msg)

    def _ask(self, what: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 - etcd's JSON
        try:
            line = getattr(self._local, "line", None)
            if line is None:
                line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
                self._local.line = line
            line.request("POST", f"/v3/kv/{what}", json.dumps(body))
            answer = line.getresponse()
            raw = answer.read()
            if answer.status != 200:  # noqa: PLR2004 - HTTP's success
                msg = f"etcd: {raw[:200]!r}"
                raise UnavailableError(msg)
            return json.loads(raw)
        except (OSError, http.client.HTTPException, ValueError) as error:
            with contextlib.suppress(AttributeError):
                self._local.line.close()
            self._local.line = None
            msg = f"etcd: {type(error).__name__}"
            raise UnavailableError(msg) from error
