"""A modelled world in virtual time, in which each seed tries to break the orchestrator."""
