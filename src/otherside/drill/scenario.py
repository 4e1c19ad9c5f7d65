"""A scenario as data: timed steps, the end condition and the claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from otherside.drill.actions import Action
from otherside.drill.assertions import Assertion, within_objectives
from otherside.drill.conditions import Condition, strike


@dataclass(frozen=True, slots=True)
class Step:
    """An action, and when it is taken."""

    action: Action
    at_s: float = 0.0
    """Twin seconds after `when`."""
    when: Condition = strike


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One disaster, or one fault that must not become a disaster."""

    name: str
    title: str
    """What happens, in one sentence."""
    expectation: str
    """The expected outcome, in one sentence."""
    steps: tuple[Step, ...]
    claims: tuple[Assertion, ...]
    """What has to be true; the configuration's objectives belong to it without being listed."""
    stop_when: Condition
    """When everything that the claims need has been observed."""
    lasts_s: float
    """Time limit in twin seconds after the strike."""
    reusable: bool = False
    """Whether the repaired stack is as before, so that the next scenario may reuse the twin."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Orchestrator settings, by name, that override the configuration for this scenario."""
    speed_max: float = 100.0
    """Maximum speed: a scenario that needs a calm moment never gets one on a busy machine."""
    prepare: tuple[Step, ...] = ()
    """Steps run before the steady state is checked."""
    may_exceed: str = ""
    """Why it may exceed the configuration's objectives, in one sentence; empty if it may not."""

    @property
    def all_claims(self) -> tuple[Assertion, ...]:
        """The claims, and that the measurements are within the objectives."""
        return (*self.claims, within_objectives(self.may_exceed))
