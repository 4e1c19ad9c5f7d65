"""Baseline of the findings that existed when the check was adopted."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from otherside.check.check_result import Finding
from otherside.check.readers.input_error import InputError

VERSION = 1


def fingerprint(finding: Finding) -> str:
    """Return a finding's fingerprint, which ignores its file's location and its line."""
    name = finding.resource
    head, mark, rest = name.partition("#")
    stable = f"{Path(head).name}{mark}{rest}" if mark else name
    text = f"{finding.rule.code}\0{stable}\0{finding.message}"
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def read_baseline(file: Path) -> frozenset[str]:
    """Return the fingerprints of a baseline.

    Raises:
        InputError: If the file cannot be read or is not a baseline.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema_version"] != VERSION:
            cause = f"a baseline of version {document['schema_version']}; write it again"
            raise InputError(str(file), cause)
        return frozenset(
            str(item["fingerprint"])
            for finding in document["findings"]
            for item in [finding, *finding.get("also", ())]
        )
    except OSError as error:
        raise InputError(str(file), error.strerror or str(error)) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(str(file), "no baseline: write one with --write-baseline") from None


def as_baseline(findings: Iterable[Finding]) -> str:
    """Return findings as a baseline that a reviewer can read."""
    listed = [
        {
            "fingerprint": fingerprint(finding),
            "code": finding.rule.code,
            "resource": finding.resource,
            "message": finding.message,
        }
        for finding in findings
    ]
    return json.dumps({"schema_version": VERSION, "findings": listed}, indent=2) + "\n"
