"""A text that nobody knows: it may turn out to be a table, a list or a number.

A program that asks for a setting, another stack's output or a secret takes the answer as what it
is, and no annotation says that. So the text lets itself be taken as any of them, and notices when
the program decides something by it.
"""

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
        if of_program(sys._getframe(1)):
            self.decides()
        return str.__eq__(self, other) is True

    __hash__ = str.__hash__

    def __contains__(self, part: object) -> bool:
        """Return whether it has a part."""
        self.decides()
        return isinstance(part, str) and str.__contains__(self, part)

    def lower(self) -> str:
        """Return it in small letters, which is to compare it."""
        self.decides()
        return super().lower()

    def startswith(self, *asked: Any) -> bool:  # noqa: ANN401 - as `str` has it
        """Return whether it starts with a text."""
        self.decides()
        return super().startswith(*asked)

    def split(self, *asked: Any, **how: Any) -> list[str]:  # noqa: ANN401 - as `str` has it
        """Return its pieces, of which nobody knows how many there are."""
        self.decides()
        found = super().split(*asked, **how)
        return found if len(found) > 1 else [self]


class ImaginedTable(ImaginedText):
    """A table or a list, as far as a program can tell."""

    def __iter__(self) -> Iterator[str]:
        """Yield the names of a table, or the elements of a list."""
        return iter(self.values())
