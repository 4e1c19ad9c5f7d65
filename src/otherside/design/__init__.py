"""The design document: `otherside.toml` in, one checked `Topology` out, or every error at once."""

from otherside.design.problem import DesignError, Problem
from otherside.design.read import parse_design, read_design

__all__ = ["DesignError", "Problem", "parse_design", "read_design"]
