"""Rules about events and their delivery."""
