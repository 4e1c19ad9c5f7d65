"""What the actions of a scenario become on the simulator: fault windows and orders."""

from dataclasses import dataclass, field

from otherside.failover.decision.observation import Order
from otherside.sim.faults import Fault

BOOT_S = 200.0
"""Time from an instance's launch until it serves; longer than confirming a lost Region takes."""
GONE = {
    "primary": Fault.PRIMARY_GONE,
    "standby": Fault.STANDBY_GONE,
    "witness": Fault.WITNESS_GONE,
}
CUT_OFF = {"primary": Fault.PRIMARY_CUT, "standby": Fault.STANDBY_CUT}
ONE_WAY = {
    ("primary", "standby"): Fault.PRIMARY_TO_STANDBY_CUT,
    ("standby", "primary"): Fault.STANDBY_TO_PRIMARY_CUT,
}


@dataclass(slots=True)
class SimulatedDrill:
    """Fault windows and operator orders, in simulated seconds."""

    windows: dict[Fault, list[float]] = field(default_factory=dict)
    """When each fault begins and, if it does, ends."""
    orders: list[tuple[float, Order]] = field(default_factory=list)
    by_hand_s: float | None = None
    frozen: bool = False

    def begin(self, fault: Fault, at_s: float) -> None:
        """Start a fault."""
        self.windows[fault] = [at_s]

    def end(self, fault: Fault, at_s: float) -> None:
        """End a fault."""
        self.windows[fault].append(at_s)

    def order(self, at_s: float, what: str, until_s: float | None) -> None:
        """Give an order; a freeze holds for the whole drill."""
        if what == Order.FREEZE:
            self.frozen = until_s is not None
        else:
            self.orders.append((at_s, Order(what)))
