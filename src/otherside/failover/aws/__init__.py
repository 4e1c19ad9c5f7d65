"""The orchestrator's ports, implemented on AWS."""
