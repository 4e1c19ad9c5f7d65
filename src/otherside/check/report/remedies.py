"""Remedies: the change that removes a finding of the fifteen failures, in the file's own dialect.

Where the change is safe and local, it is an edit of the source. Elsewhere it needs something that
only its owner knows, a key or a Region, and is told as the rule's own example in the dialect.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from otherside.check.check_result import Finding
from otherside.check.model.graph import Graph, Resource
from otherside.check.report.source_edits import edited, lines_of
from otherside.check.report.text import DIALECTS

FIFTEEN = frozenset(f"DR{number:03}" for number in range(1, 16))


@dataclass(frozen=True, slots=True)
class Edit:
    """The lines of one file, before and after."""

    file: Path
    before: tuple[str, ...]
    after: tuple[str, ...]

    def diff(self) -> str:
        """Return it as a unified diff."""
        name = str(self.file)
        return "".join(difflib.unified_diff(self.before, self.after, name, name))


@dataclass(frozen=True, slots=True)
class Remedy:
    """How one finding is removed."""

    finding: Finding
    edit: Edit | None
    """The change of the source, if it is safe and local."""
    example: str
    """The rule's own example in the dialect of the file."""


def remedies(graph: Graph, findings: Iterable[Finding]) -> Iterator[Remedy]:
    """Yield the remedy of each finding of the fifteen failures."""
    named = {(item.name, item.kind): item for item in graph.resources.values()}
    for finding in findings:
        if finding.rule.code not in FIFTEEN:
            continue
        # What is written inside a resource has its name: the rule is about one of these kinds.
        found = (named.get((finding.resource, kind)) for kind in finding.rule.on)
        resource = next((item for item in found if item is not None), None)
        edit = _edit(graph, resource, finding) if resource is not None else None
        yield Remedy(finding, edit, _example(finding))


def together(edits: Iterable[Edit]) -> list[Edit]:
    """Return one edit for each file, which makes all of its changes.

    Edits of one file are made from the same lines, and each changes or adds lines of its own.
    """
    by_file: dict[Path, list[Edit]] = {}
    for edit in edits:
        by_file.setdefault(edit.file, []).append(edit)
    found = []
    for file, several in by_file.items():
        changes = {
            (begin, end, edit.after[there:until])
            for edit in several
            for tag, begin, end, there, until in difflib.SequenceMatcher(
                None, edit.before, edit.after, autojunk=False
            ).get_opcodes()
            if tag != "equal"
        }
        lines = list(several[0].before)
        for begin, end, new in sorted(changes, reverse=True):
            lines[begin:end] = new
        found.append(Edit(file, several[0].before, tuple(lines)))
    return found


def _example(finding: Finding) -> str:
    """Return the rule's snippet in the finding's dialect."""
    kind = "cloudformation" if "::" in finding.type else "pulumi"
    language = DIALECTS["terraform" if finding.type.startswith("aws_") else kind]
    match = re.search(
        rf"^```{language}\n(.*?)^```", finding.rule.section("Fix"), re.MULTILINE | re.DOTALL
    )
    return match[1].rstrip() if match else finding.rule.fix


def _edit(graph: Graph, resource: Resource, finding: Finding) -> Edit | None:
    """Return the change of the source that removes a finding, if one does."""
    before = lines_of(resource)
    after = edited(graph, resource, finding.rule.code, finding.message)
    if after is None or tuple(after) == before:
        return None
    return Edit(Path(resource.place.file.partition("#")[0]), before, tuple(after))
