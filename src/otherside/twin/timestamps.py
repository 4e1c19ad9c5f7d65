"""Times as AWS writes them in JSON: UTC, with a `Z`."""

import datetime as dt


def iso(at_s: float) -> str:
    """Return a time to the second: `2026-01-31T12:00:00Z`."""
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_ms(at_s: float) -> str:
    """Return a time to the millisecond: `2026-01-31T12:00:00.000Z`."""
    at = dt.datetime.fromtimestamp(at_s, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
