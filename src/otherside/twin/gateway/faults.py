"""API faults injected on purpose: by Region, by service and by caller."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

GLOBAL = "global"
"""Where IAM's and Route 53's control planes run; their faults are separate from a Region's."""
ANY = "*"


class ApiFaultMode(StrEnum):
    """What a caller experiences."""

    REFUSE = "refuse"
    """Closes the connection without an answer."""
    HANG = "hang"
    """Neither answers nor refuses until the caller gives up."""
    UNAVAILABLE = "unavailable"
    """Answers 503 in the service's own protocol."""
    THROTTLE = "throttle"
    """Answers with the service's own error for too many requests."""
    DENY = "deny"
    """Answers with the service's own access-denied error, as for a wrong policy, key or SCP."""
    SLOW = "slow"
    """Answers late."""
    AFTER = "after"
    """Carries out the call but does not answer, which makes a retry dangerous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFault:
    """One fault, active until it is healed."""

    region: str = ANY
    """The Region whose API is called, `global`, or any."""
    service: str = ANY
    operation: str = ANY
    source: str = ANY
    """The caller's Region, `outside`, or any."""
    mode: ApiFaultMode = ApiFaultMode.REFUSE
    seconds: float = 0.0
    """The delay of a slow answer."""

    def meets(self, told: Mapping[str, str]) -> bool:
        """Return whether the fault applies to a call, by its region, service, operation, source."""
        return all(getattr(self, name) in {ANY, value} for name, value in told.items())


@dataclass(slots=True)
class ApiFaults:
    """All active faults."""

    _now: dict[str, ApiFault] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, name: str, fault: ApiFault) -> None:
        """Inject a fault under a name; `heal` takes the same name."""
        with self._lock:
            self._now = {**self._now, name: fault}

    def heal(self, name: str) -> None:
        """Heal the fault with this name; healing it twice is not an error."""
        with self._lock:
            self._now = {key: fault for key, fault in self._now.items() if key != name}

    def now(self) -> Mapping[str, ApiFault]:
        """Return all active faults by name."""
        return self._now

    def met_by(self, *, region: str, service: str, operation: str, source: str) -> ApiFault | None:
        """Return the first fault that applies to a call, or `None`."""
        told = {"region": region, "service": service, "operation": operation, "source": source}
        return next((api_fault for api_fault in self._now.values() if api_fault.meets(told)), None)
