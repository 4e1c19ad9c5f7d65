"""Rules about events and event delivery."""
