"""How the tests are handed to the workers that run them side by side."""

import pytest

DRILLS = "drill/test_drills"


def shares(item):
    """Return whether a test shares something that is costly to make with others of its module."""
    return any(
        each.scope == "module"
        for found in item._fixtureinfo.name2fixturedefs.values()
        for each in found
    )


def pytest_collection_modifyitems(items):
    """Keep together what shares a twin, and begin with drills: nothing takes as long as one."""
    for item in items:
        if shares(item):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
    items.sort(key=lambda item: DRILLS not in item.nodeid)
