"""One application in two Regions, as cheap as it gets."""

from otherside import DisasterRecovery

DisasterRecovery.from_config("otherside.toml")
