"""How often the check is wrong: correct stacks with a finding, broken stacks without one.

The stacks are those of `tests/check`: the corpus of whole stacks, and every case of every rule in
each dialect that it can be written in. Only the fifteen failures count, DR001 to DR015.
"""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # in the place of this directory

from check import dialect_writer as writing  # noqa: E402 - the path comes first
from check.corpus_cases import checked, stacks  # noqa: E402 - as above
from check.rule_cases import cases  # noqa: E402 - as above
from otherside.check.catalogue import catalogue  # noqa: E402 - as above
from otherside.check.engine import CheckConfig, check  # noqa: E402 - as above

WIDTHS = (26, 8, 12, 8, 8)
DIALECTS = {
    "terraform": writing.load_terraform,
    "pulumi": writing.load_pulumi,
    "cloudformation": writing.load_cloudformation,
}


def row(*cells: object) -> str:
    """Return one line of the table."""
    first, *rest = zip(cells, WIDTHS, strict=True)
    numbers = " ".join(f"{cell:>{width}}" for cell, width in rest)
    return f"{first[0]:{first[1]}} {numbers}"


def main() -> int:
    """Print the table; return 1 if anything was wrong."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def note(kind: str, broken: set[str], found: set[str]) -> None:
        counted = counts[kind]
        if broken:
            counted[2] += 1
            counted[3] += broken <= found
        else:
            counted[0] += 1
            counted[1] += bool(found)

    for stack in stacks():
        with tempfile.TemporaryDirectory() as place:
            findings, _ = checked(stack, Path(place))
        found = {rule for rule, _ in findings if "DR001" <= rule <= "DR015"}
        note(f"stacks, {stack.dialect}", set(stack.broken), found)
    codes = {rule.check.__name__: rule.code for rule in catalogue()}
    for case in cases():
        code = codes[case.rule]
        if not "DR001" <= code <= "DR015":
            continue
        for dialect, load in DIALECTS.items():
            if dialect in case.not_in:
                continue
            result = check(load(writing.from_toml(case.table)), CheckConfig(select=(code,)))
            found = {item.rule.code for item in result.findings}
            note(f"cases of rules, {dialect}", {code} if case.flagged else set(), found)
    print(row("", "correct", "false alarm", "broken", "found"))
    for kind, counted in sorted(counts.items()):
        print(row(kind, *counted))
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    print(row("all", *total))
    return int(total[1] > 0 or total[3] < total[2])


if __name__ == "__main__":
    sys.exit(main())
