"""Resources of one kind that each Region makes for itself: the same declaration, twice."""

import re

from otherside.check.model.arn import spelt
from otherside.check.model.graph import Resource

_INDEX = re.compile(r"\[[^\]]*\]")
_MODULE = re.compile(r"(^|\.)module\.[^.]+(?=\.)")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


def stem(resource: Resource) -> str:
    """Return a resource's name within its stack or module, which its namesakes share."""
    plain = resource.name.rpartition("#")[2].rpartition("::")[2]
    return _MODULE.sub("", _INDEX.sub("", plain)).lstrip(".")


def name_but_for_region(resource: Resource) -> str:
    """Return what a resource is called, with `*` for a Region and for what is not known."""
    name = spelt(resource["name"])
    return _REGION.sub("*", name) if isinstance(name, str) else ""
