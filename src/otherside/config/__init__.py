"""The configuration file, `otherside.toml`: parsed, completed and validated once."""

from otherside.config.loader import parse_design, read_design
from otherside.config.problem import ConfigError, Problem

__all__ = ["ConfigError", "Problem", "parse_design", "read_design"]
