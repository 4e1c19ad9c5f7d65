"""Our stack has none of the fifteen failures, and a test notices when one comes back."""

import dataclasses

import pytest

from components.failures import FAILURES
from otherside.drill.mutations import Mutation
from otherside.program.program_error import ProgramError
from stacks import declare_variant, declared

CASES = [(failure, how) for failure in FAILURES for how in failure.sabotages]


def test_there_are_fifteen():
    """Each number stands for one failure."""
    assert [failure.number for failure in FAILURES] == list(range(1, 16))


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_the_stack_does_not_fail_so(failure):
    """What the failure would break, holds."""
    assert failure.claim(declared()) == []


@pytest.mark.long
@pytest.mark.parametrize(("failure", "how"), CASES, ids=lambda name: str(name).replace(" ", "-"))
def test_the_failure_is_noticed_when_it_comes_back(failure, how):
    """Broken by a transform, the same stack no longer satisfies the same claim."""
    sabotage = failure.sabotages[how]()
    broken = declare_variant("standard", sabotage)
    assert sabotage.broken > 0, "the sabotage found nothing to break"
    assert failure.claim(broken) != []


def test_13_a_forgotten_provider_is_refused():
    """A resource without a provider stops the program, where the default one is disabled."""
    forget = Mutation("sns/topic:Topic", lambda item: dataclasses.replace(item, provider=""))
    with pytest.raises(ProgramError, match="no provider was passed to it"):
        declare_variant("standard", forget)
