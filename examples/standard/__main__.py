"""One application in two Regions, for production."""

from otherside.infra.disaster_recovery import DisasterRecovery

DisasterRecovery.from_design("otherside.toml")
