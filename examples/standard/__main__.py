"""One application in two Regions, for production."""

from otherside.components.disaster_recovery import DisasterRecovery

DisasterRecovery.from_design("otherside.toml")
