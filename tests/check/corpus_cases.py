"""Whole small stacks of every dialect, correct and broken, with what the check says of each.

One file for each family of rules and dialect. `=== name` begins a stack, `finds:` is one finding
(rule and resource), `cannot tell:` are the rules that it leaves open, `--- file` begins a file, and
`@@ base.tf` stands for that file's text. Only the family's rules are compared: `RULES`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths

CORPUS = Path(__file__).parent / "corpus"
RULES = {
    "data": r"DR(00[12]|01[45]|10[1-46]|11[3-7]|50[12567])",
    "traffic": r"DR(00[4-7]|20\d|21\d|30\d)",
    "decide": r"DR(003|00[89]|01[0-3]|10[5789]|11[01289]|40\d|41\d|50[348]|60\d)",
}


@dataclass(frozen=True)
class CorpusStack:
    """One stack of the corpus."""

    family: str
    dialect: str
    name: str
    regions: dict
    files: dict
    findings: list
    undecided: list

    @property
    def broken(self):
        """Return the rules among the fifteen failures that must find something."""
        return sorted({rule for rule, _ in self.findings if "DR001" <= rule <= "DR015"})


def stacks():
    """Return every stack of the corpus."""
    return [stack for file in sorted(CORPUS.glob("*.txt")) for stack in _read(file)]


def _read(file):
    family, _, dialect = file.stem.partition("-")
    base = (CORPUS / "base.tf").read_text(encoding="utf-8")
    for text in re.split(r"^=== ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, *parts = re.split(r"^--- (?=[\w/.-]+$)", text, flags=re.MULTILINE)
        name, *lines = head.splitlines()
        told = [line.split(": ", 1) for line in lines]
        regions = " ".join(value for key, value in told if key == "regions")
        undecided = " ".join(value for key, value in told if key == "cannot tell")
        yield CorpusStack(
            family=family,
            dialect=dialect,
            name=name,
            regions=dict(item.split("=", 1) for item in regions.split()),
            files={
                part.partition("\n")[0]: part.partition("\n")[2].replace("@@ base.tf\n", base)
                for part in parts
            },
            findings=[tuple(value.split(" ", 1)) for key, value in told if key == "finds"],
            undecided=undecided.split(),
        )


def checked(stack, directory):
    """Write a stack to a directory and check it; return its findings and undecided rules."""
    for name, text in stack.files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    regions = {str(directory / name): region for name, region in stack.regions.items()}
    read = read_paths([str(directory)], ReadOptions(regions=regions), lambda: b"")
    assert read.problems == []
    result = check(read.graph, CheckConfig())
    mine = re.compile(RULES[stack.family])
    findings = {
        (item.rule.code, str(item.resource).removeprefix(f"{directory}/").rpartition("/")[2])
        for item in result.findings
        if mine.fullmatch(item.rule.code)
    }
    undecided = {item.rule.code for item in result.unsure if mine.fullmatch(item.rule.code)}
    return sorted(findings), sorted(undecided)
