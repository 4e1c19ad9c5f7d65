"""Whether the state of a deployment survives the loss of the primary."""

import pytest

from otherside.deploy.state_survival import state_risks

EAST, WEST = "us-east-2", "us-west-2"
KEY = f"arn:aws:kms:{EAST}:123456789012:key/1234"


@pytest.mark.parametrize(
    ("backend", "secrets", "risks"),
    [
        ("https://api.pulumi.com", "", []),
        (f"s3://state?region={WEST}", "", []),
        ("gs://state", "gcpkms://projects/p/keys/k", []),
        ("azblob://state", "azurekeyvault://vault/keys/k", []),
        ("https://api.pulumi.com", "passphrase", []),
        ("https://api.pulumi.com", f"awskms://alias/state?region={WEST}", []),
        ("file:///var/state", "", ["on this machine alone"]),
        ("file://~", "", ["on this machine alone"]),
        (f"s3://state?region={EAST}&awssdk=v2", "", [f"the bucket state is in {EAST}"]),
        ("s3://state", "", ["the Region of the bucket state is not named"]),
        (
            "https://api.pulumi.com",
            f"awskms://alias/state?region={EAST}",
            [f"the key of its secrets is in {EAST}"],
        ),
        ("https://api.pulumi.com", f"awskms:///{KEY}", [f"the key of its secrets is in {EAST}"]),
        ("https://api.pulumi.com", "awskms://alias/state", ["the Region of the key"]),
        ("s3://state", f"awskms:///{KEY}", ["the bucket state", "the key of its secrets"]),
    ],
)
def test_a_state_that_goes_with_the_primary_is_a_risk(backend, secrets, risks):
    """Each risk says what is where, and what to do; a Region that is not named is one, too."""
    found = state_risks(backend, secrets, EAST)
    assert len(found) == len(risks)
    for risk, text in zip(found, risks, strict=True):
        assert text in risk.text
        assert risk.fix
