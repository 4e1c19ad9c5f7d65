"""An account in which all is well, for whoever does not make one of another kind."""

import pytest

from failover.account_builders import healthy
from failover.fake_aws import fake_aws


@pytest.fixture
def cloud(monkeypatch):
    """An account in which all is well."""
    with fake_aws(monkeypatch) as made:
        made.lived_s = made.clock.at_s
        healthy(made)
        yield made
