"""Catalogue of all rules, ordered by code."""

import importlib
import pkgutil
from functools import cache

from otherside.check import rules
from otherside.check.rule import Rule


@cache
def catalogue() -> tuple[Rule, ...]:
    """Return every rule: one for each `drNNN_name.py` in the subpackages of `rules`."""
    found = []
    for module in pkgutil.walk_packages(rules.__path__, f"{rules.__name__}."):
        if module.ispkg:
            continue
        _, _, name = module.name.rpartition(".")[2].partition("_")
        found.append(getattr(importlib.import_module(module.name), name))
    return tuple(sorted(found, key=lambda rule: rule.code))
