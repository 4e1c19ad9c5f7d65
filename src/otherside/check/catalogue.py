"""The table of contents: every rule, in the order of its code."""

import importlib
import pkgutil
from functools import cache

from otherside.check import rules
from otherside.check.rule import Rule


@cache
def catalogue() -> tuple[Rule, ...]:
    """Return every rule: the one of each file in `rules`."""
    found = []
    for module in pkgutil.iter_modules(rules.__path__):
        name = module.name
        found.append(getattr(importlib.import_module(f"{rules.__name__}.{name}"), name))
    return tuple(sorted(found, key=lambda one: one.code))
