"""What a check finds: findings, what it cannot tell, and what its owner has excused."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from otherside.check.model.graph import Place
from otherside.check.rule import Rule, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One defect in one resource."""

    rule: Rule
    resource: str
    region: str
    place: Place
    message: str
    type: str = ""
    severity: Severity
    system: str = ""
    """The system that it was found in, if there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive:
    """A rule that could not be decided for one resource, and the reason."""

    rule: Rule
    resource: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """A finding that its owner suppressed, with the reason."""

    finding: Finding
    reason: str


@dataclass(slots=True, kw_only=True)
class CheckResult:
    """The result of a check."""

    findings: list[Finding] = field(default_factory=list)
    unsure: list[Inconclusive] = field(default_factory=list)
    excused: list[Suppressed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Suppressions that lack a reason or name a rule that does not exist."""
    unread: list[tuple[str, str]] = field(default_factory=list)
    """Parts of the system that were not read, and why; they may contain anything."""
    asked: int = 0
    """How many rules ran."""
    system: str = ""
    """The system's name, if there are several."""
    heeded: set[tuple[str, str]] = field(default_factory=set)
    """Suppressions that took effect: (resource, or pattern in the configuration; rule as named)."""
    stale: list[tuple[str, str]] = field(default_factory=list)
    """Suppressions, named like these, that suppress nothing of a rule that ran."""

    def take(self, part: "CheckResult") -> None:
        """Take what other rules found in the same system."""
        self.findings += part.findings
        self.unsure += part.unsure
        self.excused += part.excused
        self.heeded |= part.heeded

    def add(self, other: "CheckResult") -> None:
        """Add the result of another system; what both have in common is told once."""
        for name in ("findings", "unsure", "excused", "problems", "stale"):
            here: list[Any] = getattr(self, name)
            known = {_identity(item) for item in here}
            here.extend(item for item in getattr(other, name) if _identity(item) not in known)
        self.asked = max(self.asked, other.asked)
        self.heeded |= other.heeded
        self.stale = [item for item in self.stale if item not in self.heeded]
        self.order()

    def order(self) -> None:
        """Put the worst finding first."""
        self.findings.sort(key=lambda item: (-item.severity.rank, item.rule.code, item.resource))
        self.unsure.sort(key=lambda item: (item.rule.code, item.resource))
        self.excused.sort(key=lambda item: (item.finding.rule.code, item.finding.resource))


def _identity(item: object) -> object:
    """Return what makes a finding, an unknown or a suppression the same in two systems."""
    match item:
        case Finding():
            return item.rule.code, item.resource, item.place, item.message
        case Inconclusive():
            return item.rule.code, item.resource, item.reason
        case Suppressed():
            return _identity(item.finding), item.reason
    return item


def together(results: Iterable[CheckResult]) -> CheckResult:
    """Return the results of several systems as one."""
    whole = CheckResult()
    for result in results:
        whole.add(result)
    return whole
