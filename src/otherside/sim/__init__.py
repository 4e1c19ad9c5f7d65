"""A world of values in virtual time, in which to break the orchestrator by seed."""
