"""How long AWS's own services take, where the twin would take no time: modelled, not measured.

Each number has its source. A profile of zeros leaves only what is real.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """One span of time that the twin makes up."""

    seconds: float
    source: str
    """Whose number it is, or that it is nobody's."""


PROFILE: Mapping[str, Modelled] = {
    "aurora-failover": Modelled(
        seconds=60.0,
        source="AWS, August 2023: typically a minute; Aurora guide: 'within a few minutes'",
    ),
    "aurora-switchover": Modelled(
        seconds=30.0, source="nobody publishes it; Aurora's guide says it grows with the lag"
    ),
    "aurora-resync": Modelled(
        seconds=120.0, source="Aurora guide: minutes to hours, by the size of the storage"
    ),
    "aurora-verify": Modelled(seconds=2.0, source="nobody publishes how long `pending` lasts"),
    "event-delivery": Modelled(
        seconds=0.3, source="EventBridge is near real time; one customer's p90 is 80 ms end to end"
    ),
    "event-forward": Modelled(seconds=0.2, source="nobody publishes it"),
    "metric-ingestion": Modelled(
        seconds=30.0, source="nobody publishes it; 5 to 120 s by report, and the tick comes on top"
    ),
    "schedule-delay": Modelled(
        seconds=3.0, source="EventBridge guide: within the minute, several seconds late"
    ),
    "table-replication": Modelled(seconds=0.8, source="DynamoDB guide: usually within a second"),
    "writer-dns": Modelled(
        seconds=5.0, source="Aurora guide advises to cache names for 5 s at the most"
    ),
    "object-replication": Modelled(
        seconds=15.0, source="S3 guide: most objects within 15 min, most of those in seconds"
    ),
}


@dataclass(frozen=True, slots=True)
class Latency:
    """A profile: AWS's times, or none."""

    modelled: bool = True

    def of(self, what: str) -> float:
        """Return how many seconds something takes.

        Raises:
            KeyError: If nobody has named it.
        """
        return PROFILE[what].seconds if self.modelled else 0.0
