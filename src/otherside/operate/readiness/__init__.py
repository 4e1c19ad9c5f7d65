"""Readiness: what has to be true before a Region is lost, asked without changing anything."""
