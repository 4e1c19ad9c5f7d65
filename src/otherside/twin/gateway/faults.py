"""What is wrong with the cloud on purpose: by Region, by service and by who asks."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

GLOBAL = "global"
"""Where IAM's and Route 53's control planes are: their faults are told apart from a Region's."""
ANY = "*"


class ApiFaultMode(StrEnum):
    """What a caller meets."""

    REFUSE = "refuse"
    """The connection is closed without an answer."""
    HANG = "hang"
    """Nothing is answered, and nothing is refused, until the caller gives up."""
    UNAVAILABLE = "unavailable"
    """503, in the service's own protocol."""
    THROTTLE = "throttle"
    """The service's own error for too many requests."""
    DENY = "deny"
    """The service's own error for a caller who may not: a policy, a key or an SCP that is wrong."""
    SLOW = "slow"
    """An answer, late."""
    AFTER = "after"
    """The effect, and no answer: what makes a repeat dangerous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFault:
    """One thing that is wrong until it is healed."""

    region: str = ANY
    """The Region whose API is asked, `global`, or any."""
    service: str = ANY
    operation: str = ANY
    source: str = ANY
    """The Region that is asked from, `outside`, or any."""
    mode: ApiFaultMode = ApiFaultMode.REFUSE
    seconds: float = 0.0
    """How late a slow answer is."""

    def meets(self, told: Mapping[str, str]) -> bool:
        """Return whether a call with this region, service, operation and source meets it."""
        return all(getattr(self, name) in {ANY, value} for name, value in told.items())


@dataclass(slots=True)
class ApiFaults:
    """Everything that is wrong now."""

    _now: dict[str, ApiFault] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, name: str, fault: ApiFault) -> None:
        """Make something wrong, under a name to heal it by."""
        with self._lock:
            self._now = {**self._now, name: fault}

    def heal(self, name: str) -> None:
        """Mend what was made wrong under a name; mending twice is no error."""
        with self._lock:
            self._now = {key: fault for key, fault in self._now.items() if key != name}

    def now(self) -> Mapping[str, ApiFault]:
        """Return everything that is wrong, by name."""
        return self._now

    def met_by(self, *, region: str, service: str, operation: str, source: str) -> ApiFault | None:
        """Return the first fault that a call meets, or `None`."""
        told = {"region": region, "service": service, "operation": operation, "source": source}
        return next((api_fault for api_fault in self._now.values() if api_fault.meets(told)), None)
