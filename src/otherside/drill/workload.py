"""What the clients of a drill ask the application, and how an answer proves what was kept.

The sample application's API is the default. Another application says in `[drill]` of its
configuration how it is written to, read, and where its rows are.
"""

import hashlib
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from otherside.config.document import DrillSection

VALUE_BYTES = 200


def digest_of(value: bytes) -> str:
    """Return the SHA-256 of a value, in hex."""
    return hashlib.sha256(value).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row that a client writes."""

    key: str
    value: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of its value, in hex."""
        return digest_of(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request of a client."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """How to write to the sample application, and to read it."""

    rows_statement: str = "select key, encode(sha256(body), 'hex') from entries order by key"
    """Returns the key and the proof of each row."""

    def row(self, key: str, chance: random.Random) -> Row:
        """Return a row with a random value."""
        return Row(key=key, value=chance.randbytes(VALUE_BYTES))

    def write(self, row: Row) -> HttpRequest:
        """Return the request that writes a row; it may be sent twice."""
        return HttpRequest(method="PUT", path=f"/entries/{row.key}", body=row.value)

    def read(self, key: str) -> HttpRequest:
        """Return the request that reads a row."""
        return HttpRequest(method="GET", path=f"/entries/{key}")

    def proof(self, answer: bytes) -> str:
        """Return the digest of the value that an answer to a read holds; empty if none."""
        found = _json(answer)
        return str(found.get("sha256", "")) if isinstance(found, dict) else ""

    def region(self, answer: bytes) -> str | None:
        """Return the Region that an answer says it comes from, if it says so."""
        found = _json(answer)
        return found.get("region") if isinstance(found, dict) else None

    def held(self, rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
        """Return the key and the digest of each row that the statement found."""
        return [list(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ConfiguredWorkload(Workload):
    """How to write to an application of any shape, by its configuration."""

    section: DrillSection | None = None

    @classmethod
    def of(cls, section: DrillSection | None) -> Workload:
        """Return the workload of a configuration; the sample application's without one."""
        return Workload() if section is None else cls(section.rows, section)

    @property
    def _section(self) -> DrillSection:
        assert self.section is not None, "made by `of`"
        return self.section

    def row(self, key: str, chance: random.Random) -> Row:
        """Return a row with a random value: letters and digits, which stand in any body."""
        return Row(key=key, value=chance.randbytes(VALUE_BYTES // 2).hex().encode())

    def write(self, row: Row) -> HttpRequest:
        """Return the configured request, with the row in it."""
        body = _filled(self._section.body, row.key, row.value.decode())
        request = self._request(self._section.write, row.key)
        return HttpRequest(
            method=request.method,
            path=request.path,
            body=body.encode(),
            content_type=self._section.content_type,
        )

    def read(self, key: str) -> HttpRequest:
        """Return the configured request, with the key in it."""
        return self._request(self._section.read, key)

    def _request(self, template: str, key: str) -> HttpRequest:
        method, _, path = template.partition(" ")
        return HttpRequest(method=method, path=_filled(path, quote(key, safe=""), ""))

    def proof(self, answer: bytes) -> str:
        """Return the digest of what stands at the configured place of the answer."""
        if not self._section.value:
            return digest_of(answer)
        found = _at(_json(answer), self._section.value)
        return digest_of(found.encode()) if isinstance(found, str) else ""

    def region(self, answer: bytes) -> str | None:
        """Return what stands at the configured place, if one is."""
        found = _at(_json(answer), self._section.region) if self._section.region else None
        return found if isinstance(found, str) else None

    def held(self, rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
        """Return the digest of each row's value."""
        return [[str(key), digest_of(str(value).encode())] for key, value in rows]


def _filled(template: str, key: str, value: str) -> str:
    """Fill `{key}` and `{value}` in; other braces are the body's own."""
    return template.replace("{key}", key).replace("{value}", value)


def _json(text: bytes) -> Any:  # noqa: ANN401 - whatever the application answers
    try:
        return json.loads(text)
    except ValueError:
        return None


def _at(document: Any, path: str) -> object:  # noqa: ANN401 - as above
    """Return what stands at a path such as `order.lines.0.note`; `None` if nothing does."""
    for part in path.split("."):
        if isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        elif isinstance(document, dict):
            document = document.get(part)
        else:
            return None
    return document
