"""Rules about metrics, alarms and logs."""
