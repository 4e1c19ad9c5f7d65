"""In which order the tests are taken: drills first, for nothing takes as long as one."""


def pytest_collection_modifyitems(items):
    """Put the drills in front; the rest stays as it was found."""
    items.sort(key=lambda item: "drill/test_drills" not in item.nodeid)
