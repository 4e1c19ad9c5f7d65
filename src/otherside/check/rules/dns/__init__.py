"""Rules about DNS and health checks."""
