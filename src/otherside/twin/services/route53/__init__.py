"""Amazon Route 53: zones, records, health checks and a DNS resolver."""
