"""Parser for the parts of Amazon Resource Names that rules use."""

import re
from dataclasses import dataclass

from otherside.check.model.values import Unknown

_PARTS = 6
OWN = "000000000000"
"""Stands for the deployment account when the source does not name it: nobody's account, and valid
wherever an account is, so that a text with it can be taken apart."""
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN; Region and account are empty if it has none."""

    service: str
    region: str
    account: str
    resource: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The parts that identify it within an account."""
        return self.service, self.region, self.resource


def spelt(value: object) -> object:
    """Return a text with `*` in place of its unknown parts; other values as they are."""
    if not isinstance(value, Unknown) or len(value.text) < 2:  # noqa: PLR2004 - else nothing is known
        return value
    return "".join(piece if isinstance(piece, str) else "*" for piece in value.text)


def read_arn(text: object) -> Arn | None:
    """Return the parts of an ARN, or `None` if the text is not an ARN.

    An unknown part is `*`: it is the account, as a rule, and the Region is told beside it.
    """
    text = spelt(text)
    if not isinstance(text, str) or not text.startswith("arn:"):
        return None
    parts = text.split(":", _PARTS - 1)
    if len(parts) < _PARTS:
        return None
    return Arn(parts[2], parts[3], parts[4], parts[5])


def region_of(text: object) -> str | None:
    """Return the Region in an ARN, or `None` if it has none."""
    arn = read_arn(text)
    return arn.region if arn and _REGION.fullmatch(arn.region) else None


def is_region(text: object) -> bool:
    """Return whether a value has the form of a Region name: `eu-west-1`."""
    return isinstance(text, str) and bool(_REGION.fullmatch(text))
