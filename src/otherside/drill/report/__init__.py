"""Drill reports as HTML, Markdown and JSON, generated from the journal alone."""

import json
from collections.abc import Sequence
from pathlib import Path

from otherside.drill.report.markdown import markdown
from otherside.drill.report.page import index, page
from otherside.drill.result import DrillResult, as_json

JSON, MARKDOWN, PAGE = "report.json", "report.md", "report.html"
INDEX = "index.html"


def write_report(result: DrillResult, directory: Path) -> Path:
    """Write all three files, each atomically, to a directory; return the path of the HTML page."""
    for name, text in (
        (JSON, json.dumps(as_json(result), indent=2) + "\n"),
        (MARKDOWN, markdown(result)),
        (PAGE, page(result)),
    ):
        _write(directory / name, text)
    return directory / PAGE


def write_index(results: Sequence[tuple[DrillResult, Path]], directory: Path) -> Path:
    """Write a page that leads to the pages of several drills; return its path."""
    links = [(result, page_.relative_to(directory).as_posix()) for result, page_ in results]
    return _write(directory / INDEX, index(links))


def _write(file: Path, text: str) -> Path:
    """Write a file as a whole: it is there with all of the text, or as it was before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.new")
    aside.write_text(text, encoding="utf-8")
    return aside.replace(file)
