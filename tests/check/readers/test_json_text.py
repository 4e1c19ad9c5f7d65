"""Large documents, of which most is passed over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otherside.check.readers.input_error import InputError
from otherside.check.readers.json_text import read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["root_module", "child_modules", "resources", "address", "values"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
NOT_KEPT = frozenset({"planned_values"})


@given(VALUES, st.sampled_from([None, 2]))
def test_what_is_dropped_ends_where_it_ends(value, indent):
    """Whatever its shape, what stands behind it is read, and nothing of it is kept."""
    text = json.dumps({"planned_values": value, "after": [1]}, indent=indent)
    assert read_json(text, "plan.json", dropped=NOT_KEPT) == {"planned_values": None, "after": [1]}


@pytest.mark.parametrize("at", range(1, 60))
def test_what_is_dropped_may_not_be_cut_off(at):
    """Half a document is an error wherever it ends."""
    text = json.dumps({"planned_values": {"root_module": {"resources": [{"a": [1, "x"]}]}}})
    with pytest.raises(InputError):
        read_json(text[:at], "plan.json", dropped=NOT_KEPT)
