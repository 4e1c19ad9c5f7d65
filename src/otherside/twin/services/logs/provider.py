"""Log stream writes by other services; moto serves the API itself."""

from collections.abc import Sequence
from pathlib import Path

from otherside.twin.moto_backend import LogsBackend


def put_lines(
    backend: LogsBackend, group: str, stream: str, lines: Sequence[str], at_s: float
) -> None:
    """Write lines to a log stream, and create it if it is new."""
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    events = [{"timestamp": int(at_s * 1000), "message": line} for line in lines if line]
    if events:
        backend.put_log_events(group, stream, events)


def read_new(file: Path, offset: int) -> tuple[list[str], int]:
    """Return the whole lines that a log file has after `offset` bytes, and where they end.

    A line that is still being written is left for the next time.
    """
    with file.open("rb") as log:
        log.seek(offset)
        new = log.read()
    end = new.rfind(b"\n") + 1
    return new[:end].decode(errors="replace").splitlines(), offset + end
