"""Graph queries that several rules share."""
