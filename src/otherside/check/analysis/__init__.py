"""Questions about a system that several rules share."""
