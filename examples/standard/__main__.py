"""One application in two Regions, for production."""

from otherside import DisasterRecovery

DisasterRecovery.from_config("otherside.toml")
