"""Amazon Resource Names, as far as a rule reads them."""

import re
from dataclasses import dataclass

_PARTS = 6
OWN = "${AWS::AccountId}"
"""Stands for the account that is deployed to, where the source does not name it."""
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of one; Region and account are empty for what has none."""

    service: str
    region: str
    account: str
    resource: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it within an account."""
        return self.service, self.region, self.resource


def read_arn(text: object) -> Arn | None:
    """Return the parts of an ARN, or `None` where it is none."""
    if not isinstance(text, str) or not text.startswith("arn:"):
        return None
    parts = text.split(":", _PARTS - 1)
    if len(parts) < _PARTS:
        return None
    return Arn(parts[2], parts[3], parts[4], parts[5])


def region_of(text: object) -> str | None:
    """Return the Region that an ARN names, or `None`."""
    arn = read_arn(text)
    return arn.region if arn and _REGION.fullmatch(arn.region) else None


def is_region(text: object) -> bool:
    """Tell whether something is spelt as a Region is: `eu-west-1`."""
    return isinstance(text, str) and bool(_REGION.fullmatch(text))
