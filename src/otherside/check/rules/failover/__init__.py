"""Rules about what leads a failover."""
