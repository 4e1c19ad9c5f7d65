"""A scenario as data: what goes wrong when, when enough was seen, and what is claimed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from otherside.drill.assertions import Assertion
from otherside.drill.conditions import Condition, strike


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing done to the stage: broken, mended, or ordered by a person."""

    do: str
    """A verb of the stage: see `injector.py`."""
    how: Mapping[str, Any] = field(default_factory=dict)
    at_s: float = 0.0
    """Twin seconds after `when`."""
    when: Condition = strike

    @property
    def text(self) -> str:
        """The step as a person reads it."""
        return " ".join([self.do.replace("_", " "), *(str(item) for item in self.how.values())])


def step(do: str, *, at_s: float = 0.0, when: Condition = strike, **how: object) -> Step:
    """Return a step."""
    return Step(do=do, how=how, at_s=at_s, when=when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One disaster, or one thing that must not become one."""

    name: str
    title: str
    """What happens, in one sentence."""
    expectation: str
    """What should come of it, in one sentence."""
    steps: tuple[Step, ...]
    claims: tuple[Assertion, ...]
    stop_when: Condition
    """When everything was seen that the claims ask for."""
    lasts_s: float
    """Twin seconds after the strike at which it ends, whatever was seen."""
    reusable: bool = False
    """Whether the stack is as before once everything is mended: the next may use the same twin."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of the orchestrator that it is played with, instead of the design's: by name."""
    speed_max: float = 100.0
    """How fast it may be played: what waits for a calm moment finds none on a busy machine."""
    prepare: tuple[Step, ...] = ()
    """Done before the steady state is proven."""
