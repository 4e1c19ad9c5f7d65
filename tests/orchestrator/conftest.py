"""An account in which all is well, for whoever does not make one of another kind."""

import pytest

from orchestrator.cloud import fake_aws
from orchestrator.stories import healthy


@pytest.fixture
def cloud(monkeypatch):
    """An account in which all is well."""
    with fake_aws(monkeypatch) as made:
        made.lived_s = made.clock.at_s
        healthy(made)
        yield made
