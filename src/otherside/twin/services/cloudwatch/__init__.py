"""Amazon CloudWatch: metrics, alarms and metric streams."""
