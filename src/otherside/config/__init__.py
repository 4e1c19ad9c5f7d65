"""The configuration file, `otherside.toml`: parsed, completed and validated once."""

from otherside.config.loader import parse_config, read_config, read_workload
from otherside.config.problem import ConfigError, Problem

__all__ = ["ConfigError", "Problem", "parse_config", "read_config", "read_workload"]
