"""One application in two Regions, as cheap as it gets."""

from otherside.components.disaster_recovery import DisasterRecovery

DisasterRecovery.from_design("otherside.toml")
