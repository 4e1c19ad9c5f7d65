"""Every rule on our own stack: silent on it as it is, and not on it broken, in each dialect."""

import pickle
from functools import cache

import pytest

from check import dialect_writer as writing
from check.stack_mutations import BREAKS, NOT_IN, Broken
from check.stack_under_test import exported, graph_of, specs_of
from check.test_own_stack import NOT_IN_CLOUDFORMATION
from otherside.check.catalogue import catalogue
from otherside.check.engine import CheckConfig, check
from otherside.check.model.schema import kinds

pytestmark = pytest.mark.slow

DIALECTS = {
    "terraform": writing.load_terraform,
    "pulumi": writing.load_pulumi,
    "cloudformation": writing.load_cloudformation,
}


@cache
def specs():
    """Return our stack's resources, pickled: each test breaks a copy of its own."""
    return pickle.dumps(specs_of(graph_of(exported())))


def written(specs, dialect):
    """Return the resources of a stack as far as a dialect has words for them."""
    if dialect != "cloudformation":
        return list(specs)
    found = [spec for spec in specs if spec.kind not in NOT_IN_CLOUDFORMATION]
    for spec in found:
        allowed = kinds()[spec.kind].attributes if spec.kind in kinds() else {}
        if len(spec.attributes.get("source", {})) > 1:
            spec.attributes.pop("source")  # a bundle of several files lies in a bucket
        spec.attributes = {
            key: value
            for key, value in spec.attributes.items()
            if spec.kind in writing.WRITTEN_INSIDE
            or (key in allowed and allowed[key].cloudformation is not None)
        }
    return found


def found_in(stack, dialect, code):
    """Return what one rule finds in a stack."""
    graph = DIALECTS[dialect](written(stack.specs.values(), dialect))
    result = check(graph, CheckConfig(select=(code,)))
    return result.findings, [item.reason for item in result.unsure]


def test_every_rule_breaks_our_stack_somewhere():
    """No rule is left out, and a dialect only for a reason."""
    assert set(BREAKS) == {rule.code for rule in catalogue()}
    assert all(reason for each in NOT_IN.values() for reason in each.values())


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        (code, dialect)
        for code in sorted(BREAKS)
        for dialect in DIALECTS
        if dialect not in NOT_IN.get(code, {})
    ],
)
def test_finds_our_stack_broken(code, dialect):
    """The rule is heard; that it was silent before is a test of its own, for all rules at once."""
    broken = Broken(specs())
    BREAKS[code](broken)
    findings, unsure = found_in(broken, dialect, code)
    assert findings, unsure[:5]
