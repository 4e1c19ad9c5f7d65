"""Rules about the functions that run a failover."""
