"""Fuzz the checker's loaders, guided by coverage.

Needs `pip install atheris`, then `tools/fuzz.py -max_total_time=600`.
Each input becomes a file of one kind. Any outcome but an answer or one clear error stops it.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports():
    from otherside.check.engine import CheckConfig, check
    from otherside.check.readers.read import ReadOptions, read_paths
    from otherside.check.report.findings_document import as_document
    from otherside.check.report.formats import FORMATS

NAMES = ("a.json", "a.yaml", "a.tf", "terraform.tfstate")
HOME = Path(tempfile.mkdtemp())


def one_input(raw: bytes) -> None:
    """Read, check and format one input."""
    file = HOME / NAMES[len(raw) % len(NAMES)]
    file.write_bytes(raw)
    read = read_paths([str(file)], ReadOptions(), bytes)
    document = as_document(read, check(read.graph, CheckConfig()), [None] * len(read.systems), [])
    for shown in FORMATS.values():
        shown(document).encode()
    file.unlink()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
