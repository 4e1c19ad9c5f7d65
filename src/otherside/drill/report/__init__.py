"""Drill reports as HTML, Markdown and JSON, generated from the journal alone."""

import json
from pathlib import Path

from otherside.drill.report.markdown import markdown
from otherside.drill.report.page import page
from otherside.drill.result import DrillResult, as_json

JSON, MARKDOWN, PAGE = "report.json", "report.md", "report.html"


def write_report(result: DrillResult, directory: Path) -> Path:
    """Write all three files, each atomically, to a directory; return the path of the HTML page."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (JSON, json.dumps(as_json(result), indent=2) + "\n"),
        (MARKDOWN, markdown(result)),
        (PAGE, page(result)),
    ):
        aside = directory / f".{name}.new"
        aside.write_text(text, encoding="utf-8")
        aside.replace(directory / name)
    return directory / PAGE
