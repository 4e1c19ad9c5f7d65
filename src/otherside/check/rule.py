"""Rules: functions over the graph, each documented by its module's docstring.

That docstring is the rule's page: a title, `## Why`, `## Fix` with one snippet per dialect,
`## Impact` and `## See`. The function's name is the rule's name, and reads well after "allow".
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from otherside.check.model.graph import Graph, Resource
from otherside.check.renamed_rules import FORMER_NAMES

REGION = "region"
"""A rule on this runs once for each Region of the system."""
SYSTEM = "system"
"""A rule on this runs once."""


class Severity(StrEnum):
    """How much a finding hurts in a disaster."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"

    @property
    def rank(self) -> int:
        """Rank for sorting; the worst severity has the highest."""
        return {"critical": 3, "high": 2, "medium": 1}[self.value]


class RecoveryStep(StrEnum):
    """The steps of a recovery, in order."""

    DETECT = "detect"
    DECIDE = "decide"
    PROMOTE = "promote"
    ROUTE = "route"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class RuleHit:
    """What a rule yields: a resource and a message. A bare message refers to the rule's subject."""

    resource: Resource
    message: str
    present: bool = False
    """Whether what was read shows it, of a rule whose findings mostly miss something."""


Check = Callable[[Graph, Resource], Iterator[str | RuleHit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule and its page."""

    code: str
    name: str
    """The defect that it finds; it reads well after "allow"."""
    known_as: tuple[str, ...]
    """Names that a suppression or an option may use: its code, name and former name."""
    severity: Severity
    on: tuple[str, ...]
    """Resource kinds that it runs on, or `region`, or `system`."""
    step: RecoveryStep
    """The recovery step that a finding breaks."""
    controls: tuple[str, ...]
    """Compliance controls that it touches: `NIST CP-9`."""
    check: Check
    page: str
    alone: bool = False
    """Whether it runs on a system of a single Region, and only there."""
    pair: bool = False
    """Whether it is about what the other side has: in a single Region, that is DR400 alone."""
    lacking: bool = False
    """Whether a finding says that another resource is not there: it may be in what was not read."""

    @property
    def title(self) -> str:
        """The defect, in one sentence."""
        return " ".join(self.page.split("\n\n", 1)[0].split())

    def section(self, name: str) -> str:
        """Return a section of the page."""
        match = re.search(rf"^## {name}\n+(.*?)(?=^## |\Z)", self.page, re.MULTILINE | re.DOTALL)
        return match[1].strip() if match else ""

    @property
    def why(self) -> str:
        """Why the defect breaks a recovery, in one sentence."""
        return first_sentence(self.section("Why"))

    @property
    def fix(self) -> str:
        """The remedy, in one sentence."""
        return first_sentence(self.section("Fix"))

    @property
    def url(self) -> str:
        """Its first reference: documentation from AWS or from a tool's vendor."""
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
    pair: bool = False,
    lacking: bool = False,
) -> Callable[[Check], Rule]:
    """Turn a function into a rule, with its module's docstring as the page."""

    def made(check: Check) -> Rule:
        page = sys.modules[check.__module__].__doc__ or ""
        name = check.__name__.replace("_", "-")
        former = FORMER_NAMES.get(name)
        return Rule(
            code=code,
            name=name,
            known_as=(code, name, *((former,) if former else ())),
            severity=severity,
            on=(on,) if isinstance(on, str) else on,
            step=step,
            controls=controls,
            check=check,
            page=page,
            alone=alone,
            pair=pair,
            lacking=lacking,
        )

    return made
