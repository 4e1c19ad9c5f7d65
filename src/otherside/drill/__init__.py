"""Disasters, rehearsed: a scenario is played on a twin, and what was promised is measured."""
