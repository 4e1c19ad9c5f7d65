"""Drills whose deployment is refused.

They prove nothing about time, so they may be played beside others; `test_drills.py` may not.
"""

import pytest

from drill.drill_helpers import noticed
from otherside.drill.known_failures import FAILURES

REFUSED = [failure for failure in FAILURES if failure.number in {5, 13}]


@pytest.mark.slow
@pytest.mark.parametrize("failure", REFUSED, ids=lambda item: item.key)
def test_a_sabotage_is_refused_with_its_own_symptom(failure, tmp_path):
    """The deployment itself says what is wrong."""
    noticed(failure, tmp_path)
