"""Rules about backups."""
