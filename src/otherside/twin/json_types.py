"""The type of a decoded JSON object, whose values only its reader knows."""

from typing import Any

JsonObject = dict[str, Any]
"""A decoded JSON object, or an AWS structure in botocore's words, which has the same form."""
