"""The corpus of whole stacks: each broken one is found, each correct one is left alone."""

import pytest

from check.corpus_cases import checked, stacks

STACKS = stacks()


@pytest.mark.parametrize(
    "stack", STACKS, ids=lambda item: f"{item.family}-{item.dialect}-{item.name}"
)
def test_the_check_says_of_a_stack_what_is_right(stack, tmp_path):
    """Its findings by rule and resource, and what cannot be told from the text."""
    findings, undecided = checked(stack, tmp_path)
    assert findings == stack.findings
    assert undecided == stack.undecided


def test_the_corpus_is_large_enough_to_mean_something():
    """Correct stacks in every dialect, and broken ones of most of the fifteen failures."""
    correct = [stack for stack in STACKS if not stack.broken]
    assert len(correct) >= 300
    assert {stack.dialect for stack in correct} == {
        *("terraform", "plan", "cloudformation", "pulumi")
    }
    assert len({rule for stack in STACKS for rule in stack.broken}) >= 11
