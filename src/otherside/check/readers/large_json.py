"""Read a large document that a machine wrote, and make only the values that somebody asks for.

A plan of a hundred thousand resources is 370 MB, most of it said three times or never asked for.
msgspec finds where its members and the elements of its lists begin and end; each is decoded when
it is needed. What msgspec does not take is left to `json_text`, which says what is wrong with it.
"""

import mmap
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from otherside.check.readers.json_text import CHECKED_MAX

Buffer = bytes | mmap.mmap
Raw = msgspec.Raw
RawProjection = Callable[[Raw], Any]
_BOM = b"\xef\xbb\xbf"
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_ELEMENTS = msgspec.json.Decoder(list[Raw])
_ANY = msgspec.json.Decoder()


def decoded(value: Any) -> Any:  # noqa: ANN401 - whatever the document holds
    """Return a value that may still be text; any other is returned as it is."""
    return _ANY.decode(value) if isinstance(value, Raw) else value


def read_large(
    raw: Buffer,
    *,
    each: Mapping[str, RawProjection],
    whole: Mapping[str, RawProjection],
    dropped: frozenset[str],
) -> dict[str, Any] | None:
    """Return a large JSON object by its members, or `None` if the slow reader has to read it.

    Each element of a list named in `each`, and each member named in `whole`, is passed to its
    projection as undecoded text; an element for which that returns `None` is left out.
    """
    if len(raw) <= CHECKED_MAX or raw[:3] == _BOM:
        return None
    try:
        members = _MEMBERS.decode(raw)
        release(raw)
        return {
            key: None if key in dropped else _member(value, each.get(key), whole.get(key))
            for key, value in members.items()
        }
    except (msgspec.MsgspecError, RecursionError):
        return None


def _member(value: Raw, each: RawProjection | None, whole: RawProjection | None) -> Any:  # noqa: ANN401 - whatever the document holds
    if whole is not None:
        return whole(value)
    if each is None:
        return decoded(value)
    return [kept for element in _ELEMENTS.decode(value) if (kept := each(element)) is not None]


def release(raw: object) -> None:
    """Give back the memory of a mapped file; what is asked for again is read again."""
    if isinstance(raw, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        raw.madvise(mmap.MADV_DONTNEED)
