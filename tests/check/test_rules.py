"""Every rule, on graphs of its own, and on the same graphs in each dialect."""

from collections import Counter

import pytest

from check import dialect_writer as writing
from check.rule_cases import RULES, cases
from otherside.check.catalogue import catalogue
from otherside.check.engine import CheckConfig, check

CASES = cases()
CODES = {rule.check.__name__: rule.code for rule in catalogue()}
DIALECTS = {
    "terraform": writing.load_terraform,
    "pulumi": writing.load_pulumi,
    "cloudformation": writing.load_cloudformation,
}
named = pytest.mark.parametrize("case", CASES, ids=lambda item: f"{item.rule}-{item.title}"[:80])


def asked(graph, case):
    """Ask one rule."""
    return check(graph, CheckConfig(select=(CODES[case.rule],)))


@named
def test_finds_what_the_case_says_and_no_more(case):
    """Each message, word by word."""
    result = asked(writing.as_graph(writing.from_toml(case.table)), case)
    assert [(finding.resource, finding.message) for finding in result.findings] == case.findings
    assert bool(case.findings) is case.flagged
    if not case.flagged:
        assert [item.reason for item in result.unsure] == []


@named
@pytest.mark.parametrize("dialect", DIALECTS)
def test_finds_the_same_in_each_dialect(case, dialect):
    """As many findings, of the same resources."""
    if dialect in case.not_in:
        assert case.not_in[dialect].strip()
        return
    specs = writing.from_toml(case.table)
    owners = owned(specs) if dialect == "cloudformation" else {}
    result = asked(DIALECTS[dialect](specs), case)
    found = Counter(short(finding.resource, dialect, specs) for finding in result.findings)
    expected = Counter(owners.get(name, name) for name, _ in case.findings)
    assert found == expected, [item.reason for item in result.unsure]


def owned(specs):
    """Return what CloudFormation writes inside of what."""
    found = {}
    for spec in specs:
        if spec.kind in writing.LENT:
            found[spec.name] = spec.attributes[writing.LENT[spec.kind][0]].target
    return found


def short(name, dialect, specs):
    """Return what a case calls a resource."""
    if dialect == "pulumi":
        return name.rpartition("::")[2]
    if dialect == "terraform":
        last = name.rpartition(".")[2]
        numbered = {f"x{at}": spec.name for at, spec in enumerate(specs)}
        return numbered.get(last, last) if name.startswith("provider.") else last
    by_logical = {writing.logical(spec.name): spec.name for spec in specs}
    return by_logical.get(name.rpartition("#")[2], name)


def test_every_rule_has_cases_and_every_case_a_rule():
    """At least one that is flagged and one that is fine, in a file of the rule's name."""
    files = {path.stem for path in RULES.glob("*.md")}
    assert files == set(CODES)
    for name in files:
        kinds = {case.flagged for case in CASES if case.rule == name}
        assert kinds == {True, False}, name
