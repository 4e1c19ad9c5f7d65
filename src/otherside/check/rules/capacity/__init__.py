"""Rules about the standby's capacity."""
