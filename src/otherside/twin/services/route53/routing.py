"""Route 53's answers: which record a name leads to, by health, weight, latency and failover.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

ALIAS_TTL_S = 60


class UnknownNameError(LookupError):
    """A name that nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record set, as a hosted zone has it."""

    name: str
    """Without the last dot, in lower case."""
    type: str
    values: tuple[str, ...] = ()
    ttl_s: int = 0
    alias: str = ""
    """What it is an alias of, or an empty string."""
    evaluate: bool = False
    """Whether the health of that counts."""
    check: str = ""
    failover: str = ""
    weight: int | None = None
    region: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswer:
    """What a name leads to."""

    type: str
    values: tuple[str, ...]
    ttl_s: int


Healthy = Callable[[str], bool]
"""Whether a health check is healthy, by its identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """The records of every zone, and what they depend on."""

    records: Sequence[Record]
    healthy: Healthy
    target_healthy: Callable[[str], bool | None]
    """Whether an alias' target is healthy; `None` where it is a record of a zone."""
    target_addresses: Callable[[str], Sequence[str] | None]
    """The addresses of a target outside of the zones; `None` where it is none."""
    apexes: Sequence[str] = ()
    """The zones' own names."""

    def has(self, apex: str, name: str, kind: str) -> bool:
        """Return whether a zone has a record of a name and type: a delegation of a child of it."""
        return apex in self.apexes and any(
            one.name == name and one.type == kind for one in self.records
        )

    def answer(self, name: str, kind: str, *, near: str = "", chance: random.Random) -> DnsAnswer:
        """Return what a name leads to.

        Raises:
            UnknownNameError: If no zone has the name.
        """
        wanted = name.rstrip(".").lower()
        found = [one for one in self.records if one.name == wanted]
        if not found:
            raise UnknownNameError(name)
        typed = [one for one in found if one.type == kind]
        if not typed:
            aliases = [one for one in found if one.type == "CNAME"]
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
        """Return the record that Route 53 would answer with, of those of one name and type."""
        if any(one.failover for one in records):
            return self._fail_over(records)
        if any(one.weight is not None for one in records):
            return self._weigh(records, chance)
        usable = self._usable(records)
        if any(one.region for one in records):
            return min(usable, key=lambda one: (one.region != near, one.region))
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
        inside = [one for one in self.records if one.name == record.alias.rstrip(".").lower()]
        return any(map(self.is_healthy, inside))

    def _fail_over(self, records: Sequence[Record]) -> Record:
        primary = next((one for one in records if one.failover == "PRIMARY"), None)
        secondary = next((one for one in records if one.failover == "SECONDARY"), None)
        for one in (primary, secondary):
            if one is not None and self.is_healthy(one):
                return one
        found = primary or secondary
        assert found is not None
        return found

    def _weigh(self, records: Sequence[Record], chance: random.Random) -> Record:
        """Choose by weight; those of no weight only when all others are unhealthy."""
        weighted = [one for one in records if one.weight]
        usable = [one for one in weighted if self.is_healthy(one)]
        if not usable:
            rest = [one for one in records if not one.weight and self.is_healthy(one)]
            usable = rest or list(records)
        weights = [float(one.weight or 0) for one in usable]
        if not any(weights):
            return chance.choice(usable)
        return chance.choices(usable, weights)[0]

    def _usable(self, records: Sequence[Record]) -> list[Record]:
        """Return the healthy ones; where none is, all count as healthy."""
        return [one for one in records if self.is_healthy(one)] or list(records)


def records_of(zones: Iterable[Any]) -> list[Record]:
    """Return the records of moto's zones."""
    return [_record(one) for zone in zones for one in zone.rrsets]


def _record(one: Any) -> Record:  # noqa: ANN401 - moto's own
    alias = one.alias_target or {}
    return Record(
        name=str(one.name).rstrip(".").lower(),
        type=str(one.type),
        values=tuple(str(value) for value in one.records or ()),
        ttl_s=int(one.ttl or 0),
        alias=str(alias.get("DNSName") or "").rstrip("."),
        evaluate=str(alias.get("EvaluateTargetHealth") or "false").lower() == "true",
        check=str(one.health_check_id or ""),
        failover=str(one.failover or ""),
        weight=None if one.weight in {None, ""} else int(one.weight),
        region=str(one.region or ""),
        identifier=str(one.set_identifier or ""),
    )
