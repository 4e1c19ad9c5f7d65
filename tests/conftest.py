"""In which order the tests are taken: drills first, for nothing takes as long as one."""

import gc

from browser import axe

gc.disable()  # while everything is imported: none of it is garbage, and looking costs a third


def pytest_collection_finish():
    """Collect from here on, and spare what was imported until then."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items):
    """Put the drills in front; the rest stays as it was found."""
    items.sort(key=lambda item: "drill/test_drills" not in item.nodeid)


__all__ = ["axe"]
