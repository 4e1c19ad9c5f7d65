"""Drills: run a disaster scenario on a twin and measure it against the configured objectives."""
