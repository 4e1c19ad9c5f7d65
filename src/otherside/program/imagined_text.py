"""A text that nobody knows: it may turn out to be a table, a list or a number.

A program that asks for a setting, another stack's output or a secret takes the answer as what it
is, and no annotation says that. So the text lets itself be taken as any of them, and notices when
the program decides something by it.
"""

import dis
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

FEW = 2
"""A number of things: programs count with settings, and make that many of something."""
_OURS = str(Path(__file__).parents[1])
_LIBRARIES = tuple(
    {_OURS, *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib"))}
)


def of_program(frame: FrameType | None) -> bool:
    """Return whether code is the program's own, and of no library."""
    file = frame.f_code.co_filename if frame is not None else ""
    return bool(file) and "site-packages" not in file and not file.startswith((*_LIBRARIES, "<"))


def expects_an_error(frame: FrameType) -> bool:
    """Return whether code is in a block of its function that handles errors, or cleans up."""
    entries = dis._parse_exception_table(frame.f_code)  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other name
    return any(entry.start <= frame.f_lasti < entry.end for entry in entries)


class ImaginedText(str):  # noqa: SLOT000 - a text with attributes has a dictionary
    """A marked text; what is taken out of it is marked, too."""

    make: Callable[[str], str]
    """Returns a text for a name."""
    decides: Callable[[], None]
    """Called when the program's course depends on it."""
    named: str

    def __new__(
        cls, named: str, make: Callable[[str], str], decides: Callable[[], None] = lambda: None
    ) -> Self:
        """Return the text of a name."""
        made = super().__new__(cls, make(named))
        made.make, made.decides, made.named = make, decides, named
        return made

    def _part(self, name: object) -> "ImaginedText":
        return type(self)(f"{self.named}.{name}", self.make, self.decides)

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - as `str` and `dict` have it
        """Return a part of the text, or what a table would have under a name."""
        return self._part(key) if isinstance(key, str) else super().__getitem__(key)

    def get(self, key: str, _default: object = None) -> "ImaginedText":
        """Return what a table would have under a name."""
        return self._part(key)

    def keys(self) -> list[str]:
        """Return the names of a table, of which nobody knows how many there are."""
        self.decides()
        return [str(self._part(number)) for number in range(FEW)]

    def values(self) -> list["ImaginedText"]:
        """Return the values of a table."""
        self.decides()
        return [self._part(number) for number in range(FEW)]

    def items(self) -> list[tuple[str, "ImaginedText"]]:
        """Return the names and values of a table."""
        return list(zip(self.keys(), self.values(), strict=True))

    def __int__(self) -> int:
        """Return a number that programs can count with."""
        self.decides()
        return FEW

    def __float__(self) -> float:
        """Return a number, as above."""
        return float(int(self))

    def __eq__(self, other: object) -> bool:
        """Return whether it is a text, which the program may decide by."""
        self._decided(sys._getframe(1))
        return str.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        """Return whether it is another text, as above."""
        self._decided(sys._getframe(1))
        return str.__ne__(self, other) is True

    def __lt__(self, other: str) -> bool:
        """Return whether it comes before a text."""
        self._decided(sys._getframe(1))
        return str(self) < other

    def __hash__(self) -> int:
        """Return its hash: it is looked up in a set or a table."""
        self._decided(sys._getframe(1))  # noqa: SLF001 - who asks is the question
        return str.__hash__(self)

    def __contains__(self, part: object) -> bool:
        """Return whether it has a part."""
        self.decides()
        return isinstance(part, str) and str.__contains__(self, part)

    def split(self, *asked: Any, **how: Any) -> list[str]:  # noqa: ANN401 - as `str` has it
        """Return its pieces, of which nobody knows how many there are."""
        self.decides()
        found = super().split(*asked, **how)
        return found if len(found) > 1 else [self]

    def _decided(self, frame: FrameType) -> None:
        if of_program(frame):
            self.decides()

    def __copy__(self) -> Self:
        """Return itself, as any text is copied."""
        return self

    def __deepcopy__(self, _: object) -> Self:
        """Return itself, as any text is copied."""
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Return how it is stored: as a text."""
        return str, (str.__str__(self),)


def _deciding(name: str) -> Callable[..., Any]:
    """Return a method of `str` whose result programs compare, which counts as a decision."""
    asked = getattr(str, name)

    def method(self: ImaginedText, *given: Any, **how: Any) -> Any:  # noqa: ANN401 - as `str` has it
        self.decides()
        return asked(self, *given, **how)

    return method


for _name in (
    *("lower", "upper", "casefold", "title", "strip", "lstrip", "rstrip", "replace", "find"),
    *("startswith", "endswith", "count", "index", "isdigit", "partition", "rpartition"),
):
    setattr(ImaginedText, _name, _deciding(_name))


class ImaginedTable(ImaginedText):
    """A table or a list, as far as a program can tell."""

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - as `dict` and `list` have it
        """Return what it has under a name or at a place."""
        if isinstance(key, int):
            self.decides()
            return ImaginedText(f"{self.named}{key}", self.make, self.decides)
        return super().__getitem__(key)

    def __len__(self) -> int:
        """Return how much it has, which nobody knows."""
        self.decides()
        return FEW

    def __iter__(self) -> Iterator[str]:
        """Yield the names of a table, or the elements of a list."""
        return iter(self.values())
