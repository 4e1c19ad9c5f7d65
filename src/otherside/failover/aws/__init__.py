"""The orchestrator's ports, implemented over AWS."""
