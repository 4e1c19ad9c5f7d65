"""An application of its own shape in two Regions."""

from otherside import DisasterRecovery

DisasterRecovery.from_config("otherside.toml")
