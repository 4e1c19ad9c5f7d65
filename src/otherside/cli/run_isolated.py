"""Run a Pulumi program for the checker in a separate process, which returns plain data.

A program under review must not run inside the checker: it could end the process, hang it or change
its code. It therefore gets a process with a time limit, an empty home, an environment without
credentials, and one file for its answer.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otherside.check.readers.input_error import InputError
from otherside.check.readers.json_text import read_json

ANSWER_MAX = 256 << 20
"""Maximum size of an answer in bytes; a larger one is rejected."""
_TOLD_MAX = 400


def run_isolated(
    directory: Path,
    stack: str | None,
    timeout_s: float,
    answers: Path | None = None,
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Mapping[str, Any]:
    """Run a program and return what it declares, in the format of a stack export.

    `answers` is a file of what AWS and other stacks would answer, and `outputs` what other stacks
    have been found to answer, by the names that the program refers to them with.

    Raises:
        InputError: If it cannot be run, does not end in time, or ends without an answer; the
            message names the program's line that failed, where there is one.
    """
    with tempfile.TemporaryDirectory(prefix="otherside-program-") as home:
        answer = Path(home) / "answer.json"
        command = [sys.executable, "-I", "-m", "otherside.cli.run_isolated"]
        others = Path(home) / "outputs.json"
        others.write_text(json.dumps({"stacks": outputs or {}}), encoding="utf-8")
        command += [str(directory), stack or "", str(answers or ""), str(others), str(answer)]
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            said = child.communicate(timeout=timeout_s)[1]
        except subprocess.TimeoutExpired:
            cause = f"the program did not end within {timeout_s:g} s; --run-timeout allows more"
            raise InputError(str(directory), cause) from None
        finally:
            _end(child)
        return _answer(directory, answer, child.returncode, said)


def _environment(home: str) -> dict[str, str]:
    """Return the program's whole environment: a PATH, an empty home, and no AWS access."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill the program and every process that it left in its session."""
    with contextlib.suppress(ProcessLookupError):  # every process has already ended
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _answer(directory: Path, answer: Path, code: int, said: bytes) -> Mapping[str, Any]:
    """Return the program's answer; report an exception as the program's own error."""
    if not answer.is_file() or answer.is_symlink() or answer.stat().st_size > ANSWER_MAX:
        lines = said.decode(errors="replace").strip().splitlines()
        last = f": {lines[-1][:_TOLD_MAX]}" if lines else ""
        cause = f"the program exited with {code} and without an answer{last}"
        raise InputError(str(directory), cause)
    found = read_json(answer.read_text(encoding="utf-8", errors="replace"), str(directory))
    if not isinstance(found, Mapping):
        raise InputError(str(directory), "the program's answer is not valid")
    if "error" in found:
        raise InputError(str(directory), str(found["error"]))
    declared = found.get("declared")
    if not isinstance(declared, Mapping):
        raise InputError(str(directory), "the program's answer is not valid")
    return declared


def _main(directory: str, stack: str, answers: str, others: str, answer: str) -> None:
    """Run one program in the child process, and write what it declares to a file."""
    from otherside.cli.run_program import run_program  # noqa: PLC0415 - Pulumi, for the child alone

    try:
        told: dict[str, Any] = {
            "declared": run_program(
                Path(directory), stack or None, Path(answers) if answers else None, Path(others)
            )
        }
    except InputError as error:
        told = {"error": error.cause}
    aside = Path(f"{answer}.part")
    aside.write_text(json.dumps(told, default=str), encoding="utf-8")
    aside.replace(answer)


if __name__ == "__main__":
    _main(*sys.argv[1:])
