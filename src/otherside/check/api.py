"""Python API of the checker."""

from collections.abc import Iterable
from pathlib import Path

from otherside.check.check_result import CheckResult, Finding, together
from otherside.check.engine import CheckConfig, check
from otherside.check.readers.input_error import InputError
from otherside.check.readers.read import ReadOptions, read_paths

STDIN, NO_STDIN = "-", "standard input is read by the command alone"
__all__ = ["CheckConfig", "CheckResult", "Finding", "InputError", "check_paths"]


def check_paths(paths: Iterable[str | Path], config: CheckConfig | None = None) -> CheckResult:
    """Check files and directories and return every finding, the worst first.

    The systems that are found below a directory are checked apart, and their findings say which.

    The check never runs its input: it lists a Pulumi program as unread.

    Raises:
        InputError: If an input cannot be read; only the first error is raised.
    """
    read = read_paths([str(path) for path in paths], ReadOptions(), _no_stdin)
    if read.problems:
        raise read.problems[0]
    result = together(
        check(system.graph, config or CheckConfig(), system.name) for system in read.systems
    )
    result.unread = read.unread
    return result


def _no_stdin() -> bytes:
    raise InputError(STDIN, NO_STDIN)
