"""Modelled (not measured) latencies of AWS services, where the twin itself would take no time.

Each number names its source. With modelling off, only real work takes time.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """One modelled span of time."""

    seconds: float
    source: str
    """Where the number comes from, or that none is published."""


PROFILE: Mapping[str, Modelled] = {
    "aurora-failover": Modelled(
        seconds=60.0,
        source="AWS, August 2023: typically a minute; Aurora guide: 'within a few minutes'",
    ),
    "aurora-switchover": Modelled(
        seconds=30.0, source="not published; Aurora's guide says it grows with the lag"
    ),
    "aurora-resync": Modelled(
        seconds=120.0, source="Aurora guide: minutes to hours, by the size of the storage"
    ),
    "aurora-verify": Modelled(seconds=2.0, source="the length of `pending` is not published"),
    "event-delivery": Modelled(
        seconds=0.3, source="EventBridge is near real time; one customer's p90 is 80 ms end to end"
    ),
    "event-forward": Modelled(seconds=0.2, source="not published"),
    "metric-ingestion": Modelled(
        seconds=30.0, source="not published; 5 to 120 s by report, plus the tick"
    ),
    "schedule-delay": Modelled(
        seconds=3.0, source="EventBridge guide: within the minute, several seconds late"
    ),
    "table-replication": Modelled(seconds=0.8, source="DynamoDB guide: usually within a second"),
    "writer-dns": Modelled(
        seconds=5.0, source="Aurora guide advises caching names for at most 5 s"
    ),
    "object-replication": Modelled(
        seconds=15.0, source="S3 guide: most objects within 15 min, most of those in seconds"
    ),
}


@dataclass(frozen=True, slots=True)
class Latency:
    """A latency profile: AWS's modelled times, or none."""

    modelled: bool = True

    def of(self, what: str) -> float:
        """Return how many seconds an operation takes.

        Raises:
            KeyError: If the profile does not name it.
        """
        return PROFILE[what].seconds if self.modelled else 0.0
