"""What the twin is said to do as AWS does, and the tests that say so, are the same list."""

import importlib.util
from pathlib import Path

SPEC = importlib.util.spec_from_file_location(
    "docs_tool", Path(__file__).parents[2] / "tools" / "docs.py"
)
docs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(docs)


def test_every_row_that_is_claimed_has_a_test_and_every_test_has_a_row():
    """Nothing is done because somebody says so, and no test names a row that nobody listed."""
    rows = {row[0]: row[1] for row in docs.listed_rows()}
    tested = docs.tested_rows()
    assert set(rows.values()) <= set(docs.STATUSES)
    assert len(rows) == 185
    claimed = {number for number, status in rows.items() if status == "done"}
    assert claimed - set(tested) == set()
    assert set(tested) - set(rows) == set()
    refused = {number for number, status in rows.items() if status == "refused"}
    assert refused & set(tested) == set(), "a test proves what the list says is refused"


def test_what_is_not_done_says_why():
    """A note for each row that is modelled or refused."""
    assert [row for row in docs.listed_rows() if row[1] != "done" and not row[3]] == []
