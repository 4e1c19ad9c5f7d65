"""Entries: what is written is what is read, and what is no entry says where it is wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.journal_builders import call, head, look, rows, sample, told, write
from otherside.drill.entries import KINDS, BadEntryError, as_json, parse

SOME = [head(), look(1, "steady"), call(2, "FailoverGlobalCluster"), told(3, "x"), sample(4)]
SOME += [write(5, 1), rows(1)]
DRAWN = [KINDS[kind] for kind in KINDS.keys() - {"drill", "step", "rows"}]
"""Kinds without fields of any JSON, which cannot be drawn."""


@settings(deadline=None)  # the first of a kind builds its validator
@given(st.sampled_from(DRAWN).flatmap(st.from_type))
def test_an_entry_survives_the_disk(entry):
    """Any entry of any kind, but for a time that is written in milliseconds."""
    again = parse(as_json(entry))
    assert type(again) is type(entry)
    assert repr(as_json(again)) == repr(as_json(entry))


@pytest.mark.parametrize("raw", SOME, ids=lambda raw: raw["kind"])
def test_a_missing_field_is_named(raw):
    """By its kind and its name."""
    optional = {
        "unknown",
        "bad",
        "epoch",
        "loss_now_s",
        "loss_estimate_s",
        "loss_bound_s",
        "source",
    }
    for name in raw.keys() - {"kind"} - optional:
        with pytest.raises(BadEntryError, match=f"{raw['kind']}: {name}: Field required"):
            parse({key: value for key, value in raw.items() if key != name})


def test_a_field_of_another_type_is_named():
    """Text where there should be a number."""
    with pytest.raises(BadEntryError, match="write: status: "):
        parse({**write(1, 1), "status": "gone"})


@pytest.mark.parametrize("raw", [{}, {"kind": "of-the-future", "at_s": 1.0}, {"kind": None}])
def test_an_unknown_kind_is_no_entry(raw):
    """It says which."""
    with pytest.raises(BadEntryError, match=r"kind .* is unknown"):
        parse(raw)


def test_each_kind_is_named_by_its_class():
    """One class a kind."""
    assert all(entry.kind == kind for kind, entry in KINDS.items())
    assert len(set(KINDS.values())) == len(KINDS)
