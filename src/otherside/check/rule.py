"""What a rule is: a function over the graph whose module is its page.

The module's docstring has the title, `## Why`, `## Fix` with one snippet a dialect, `## Impact` and
`## See`. The function's name is the rule's name, and reads after "allow".
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from otherside.check.model.graph import Graph, Resource
from otherside.check.renamed_rules import FORMER_NAMES

REGION = "region"
"""A rule on this is asked once for each Region of the system."""
SYSTEM = "system"
"""A rule on this is asked once."""


class Severity(StrEnum):
    """How bad it is when the disaster comes."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"

    @property
    def rank(self) -> int:
        """The worst is the highest."""
        return {"critical": 3, "high": 2, "medium": 1}[self.value]


class RecoveryStep(StrEnum):
    """The steps of a recovery, in their order."""

    DETECT = "detect"
    DECIDE = "decide"
    PROMOTE = "promote"
    ROUTE = "route"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class RuleHit:
    """What a rule yields: a resource and a sentence. A bare sentence is of the subject."""

    resource: Resource
    message: str


Check = Callable[[Graph, Resource], Iterator[str | RuleHit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule and its page."""

    code: str
    severity: Severity
    on: tuple[str, ...]
    """Kinds that it is asked of, or `region`, or `system`."""
    step: RecoveryStep
    """Which step of a recovery it spoils."""
    controls: tuple[str, ...]
    """Controls of compliance frameworks that it touches: `NIST CP-9`."""
    check: Check
    page: str
    alone: bool = False
    """Whether it is asked of a system of a single Region, too."""

    @property
    def name(self) -> str:
        """What it finds; it reads after "allow"."""
        return self.check.__name__.replace("_", "-")

    @property
    def known_as(self) -> tuple[str, ...]:
        """What a suppression or an option may call it: its code, its name, its former name."""
        former = FORMER_NAMES.get(self.name)
        return (self.code, self.name, *((former,) if former else ()))

    @property
    def title(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(self.page.split("\n\n", 1)[0].split())

    def section(self, name: str) -> str:
        """Return a section of its page."""
        match = re.search(rf"^## {name}\n+(.*?)(?=^## |\Z)", self.page, re.MULTILINE | re.DOTALL)
        return match[1].strip() if match else ""

    @property
    def why(self) -> str:
        """Why it breaks the recovery, in one sentence."""
        return first_sentence(self.section("Why"))

    @property
    def fix(self) -> str:
        """What to do, in one sentence."""
        return first_sentence(self.section("Fix"))

    @property
    def url(self) -> str:
        """Where AWS or a tool's maker says the same: its first reference."""
        return self.section("See").splitlines()[0].removeprefix("- ")


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, on one line."""
    paragraph = " ".join(text.split("\n\n", 1)[0].split())
    match = re.match(r"(.+?[.!?])(?= [A-Z`]|$)", paragraph)
    return match[1] if match else paragraph


def rule(
    code: str,
    *,
    severity: Severity,
    on: str | tuple[str, ...],
    step: RecoveryStep,
    controls: tuple[str, ...],
    alone: bool = False,
) -> Callable[[Check], Rule]:
    """Make a rule of a function, with its module as its page."""

    def made(check: Check) -> Rule:
        page = sys.modules[check.__module__].__doc__ or ""
        return Rule(
            code=code,
            severity=severity,
            on=(on,) if isinstance(on, str) else on,
            step=step,
            controls=controls,
            check=check,
            page=page,
            alone=alone,
        )

    return made
