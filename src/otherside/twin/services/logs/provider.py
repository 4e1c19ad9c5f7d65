"""Log stream writes by other services; moto serves the API itself."""

from collections.abc import Sequence
from typing import Any


def put_lines(backend: Any, group: str, stream: str, lines: Sequence[str], at_s: float) -> None:  # noqa: ANN401 - moto's own
    """Write lines to a log stream, and create it if it is new."""
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    events = [{"timestamp": int(at_s * 1000), "message": line} for line in lines if line]
    if events:
        backend.put_log_events(group, stream, events)
