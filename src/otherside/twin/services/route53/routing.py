"""Route 53's answers: choose a name's record by health, weight, latency and failover.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

ALIAS_TTL_S = 60


class UnknownNameError(LookupError):
    """A name that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record set of a hosted zone."""

    name: str
    """In lower case, without the trailing dot."""
    type: str
    values: tuple[str, ...] = ()
    ttl_s: int = 0
    alias: str = ""
    """The alias target, or an empty string."""
    evaluate: bool = False
    """Whether the health of the alias target counts."""
    check: str = ""
    failover: str = ""
    weight: int | None = None
    region: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswer:
    """The answer for a name."""

    type: str
    values: tuple[str, ...]
    ttl_s: int


Healthy = Callable[[str], bool]
"""Returns whether the health check with this identifier is healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """The records of every zone, and what they depend on."""

    records: Sequence[Record]
    healthy: Healthy
    target_healthy: Callable[[str], bool | None]
    """Whether an alias target is healthy; `None` if the target is a record in a zone."""
    target_addresses: Callable[[str], Sequence[str] | None]
    """The addresses of a target outside the zones; `None` if it is not one."""
    apexes: Sequence[str] = ()
    """The zones' own names."""

    def has(self, apex: str, name: str, kind: str) -> bool:
        """Return whether a zone has a record of a name and type, such as a child's delegation."""
        return apex in self.apexes and any(
            record.name == name and record.type == kind for record in self.records
        )

    def answer(self, name: str, kind: str, *, near: str = "", chance: random.Random) -> DnsAnswer:
        """Resolve a name.

        Raises:
            UnknownNameError: If no zone has the name.
        """
        wanted = name.rstrip(".").lower()
        found = [record for record in self.records if record.name == wanted]
        if not found:
            raise UnknownNameError(name)
        typed = [record for record in found if record.type == kind]
        if not typed:
            aliases = [record for record in found if record.type == "CNAME"]
            if not aliases:
                return DnsAnswer(type=kind, values=(), ttl_s=60)
            typed = aliases
        chosen = self.choose(typed, near=near, chance=chance)
        if not chosen.alias:
            return DnsAnswer(type=chosen.type, values=chosen.values, ttl_s=chosen.ttl_s)
        addresses = self.target_addresses(chosen.alias)
        if addresses is not None:
            return DnsAnswer(type=kind, values=tuple(addresses), ttl_s=ALIAS_TTL_S)
        return self.answer(chosen.alias, kind, near=near, chance=chance)

    def choose(self, records: Sequence[Record], *, near: str, chance: random.Random) -> Record:
        """Return the record, of those with one name and type, that Route 53 would answer with."""
        if any(record.failover for record in records):
            return self._fail_over(records)
        if any(record.weight is not None for record in records):
            return self._weigh(records, chance)
        usable = self._usable(records)
        if any(record.region for record in records):
            return min(usable, key=lambda item: (item.region != near, item.region))
        return usable[0]

    def is_healthy(self, record: Record) -> bool:
        """Return whether a record counts as healthy."""
        if record.check and not self.healthy(record.check):
            return False
        if not (record.alias and record.evaluate):
            return True
        target = self.target_healthy(record.alias)
        if target is not None:
            return target
        inside = [
            other_record
            for other_record in self.records
            if other_record.name == record.alias.rstrip(".").lower()
        ]
        return any(map(self.is_healthy, inside))

    def _fail_over(self, records: Sequence[Record]) -> Record:
        primary = next((record for record in records if record.failover == "PRIMARY"), None)
        secondary = next((record for record in records if record.failover == "SECONDARY"), None)
        for item in (primary, secondary):
            if item is not None and self.is_healthy(item):
                return item
        found = primary or secondary
        assert found is not None
        return found

    def _weigh(self, records: Sequence[Record], chance: random.Random) -> Record:
        """Choose by weight; use records of no weight only if all others are unhealthy."""
        weighted = [record for record in records if record.weight]
        usable = [record for record in weighted if self.is_healthy(record)]
        if not usable:
            rest = [record for record in records if not record.weight and self.is_healthy(record)]
            usable = rest or list(records)
        weights = [float(record.weight or 0) for record in usable]
        if not any(weights):
            return chance.choice(usable)
        return chance.choices(usable, weights)[0]

    def _usable(self, records: Sequence[Record]) -> list[Record]:
        """Return the healthy records; if there are none, all count as healthy."""
        return [record for record in records if self.is_healthy(record)] or list(records)


def records_of(zones: Iterable[Any]) -> list[Record]:
    """Return the records of moto's zones."""
    return [_record(rrset) for zone in zones for rrset in zone.rrsets]


def _record(item: Any) -> Record:  # noqa: ANN401 - moto's own
    alias = item.alias_target or {}
    return Record(
        name=str(item.name).rstrip(".").lower(),
        type=str(item.type),
        values=tuple(str(value) for value in item.records or ()),
        ttl_s=int(item.ttl or 0),
        alias=str(alias.get("DNSName") or "").rstrip("."),
        evaluate=str(alias.get("EvaluateTargetHealth") or "false").lower() == "true",
        check=str(item.health_check_id or ""),
        failover=str(item.failover or ""),
        weight=None if item.weight in {None, ""} else int(item.weight),
        region=str(item.region or ""),
        identifier=str(item.set_identifier or ""),
    )
