"""Rules about the system as a whole."""
